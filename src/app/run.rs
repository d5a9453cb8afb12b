//! The process: it starts, reads its configuration again when it is told to,
//! and ends.

use super::{Running, StartError, start_from};
use crate::admin::Reloaded;
use crate::clock::SystemClock;
use crate::config::{ConfigError, Settings};
use crate::listen::Passed;
use sd_notify::NotifyState;
use std::sync::Arc;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, oneshot};

/// How to come by the configuration again.
pub struct Again<'a> {
    /// Reads it, from the same places as at the start.
    pub load: &'a dyn Fn() -> Result<Settings, ConfigError>,
    /// Has events logged from this level on.
    pub set_level: &'a dyn Fn(&str),
}

/// Starts, reloads on SIGHUP or when the operator's door is asked to, opens the access
/// log again on SIGUSR1, and stops
/// on SIGTERM or SIGINT: well at the first, at once at the second. Without a way
/// to read the configuration again, SIGHUP is the same as SIGTERM.
///
/// # Errors
/// [`StartError`], as [`start`](super::start).
pub fn run(settings: &Settings, again: Option<Again<'_>>) -> Result<(), StartError> {
    // First of all, while there is no other thread: it takes them from the environment.
    let passed = Passed::on()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Listened for from the beginning: told to stop early, it stops well too.
    let mut signals = runtime.block_on(async { Signals::listen() })?;
    let mut hangups = runtime.block_on(async { signal(SignalKind::hangup()) })?;
    let mut rotated = runtime.block_on(async { signal(SignalKind::user_defined1()) })?;
    let (reloader, mut requests) = mpsc::channel(1);
    let reloader = again.is_some().then_some(reloader);
    let clock = Arc::new(SystemClock::start());
    let mut running = start_from(settings, clock, passed, reloader)?;
    tell(&[NotifyState::Ready]);
    runtime.block_on(async {
        loop {
            let request = tokio::select! {
                () = signals.told() => break,
                _ = hangups.recv() => None,
                _ = rotated.recv() => {
                    running.open_log_again();
                    continue;
                }
                Some(request) = requests.recv() => Some(request),
            };
            let Some(again) = &again else { break };
            let outcome = reload(&mut running, again);
            if let Some(request) = request {
                // Who asked may have gone meanwhile.
                let _ = request.send(outcome);
            }
        }
    });
    drop(requests);
    let drain = running.settings().timeouts.drain;
    tracing::info!(
        "stopping: no new connections, requests under way may end within {drain:?}; told once \
         more it stops at once"
    );
    tell(&[NotifyState::Stopping]);
    let (ended, end) = oneshot::channel();
    std::thread::spawn(move || {
        running.stop();
        ended.send(())
    });
    runtime.block_on(async {
        tokio::select! {
            _ = end => tracing::info!("stopped"),
            () = signals.told() => tracing::warn!("told again: stopped at once"),
        }
    });
    Ok(())
}

/// Reads the configuration and takes it over, or says what is wrong with it and
/// changes nothing.
fn reload(running: &mut Running, again: &Again<'_>) -> Result<Reloaded, String> {
    if let Ok(now) = NotifyState::monotonic_usec_now() {
        tell(&[NotifyState::Reloading, now]);
    }
    let outcome = (again.load)().map_err(|error| error.to_string()).map(|wanted| {
        let reloaded = running.reload(&wanted);
        (again.set_level)(&running.settings().log.level);
        reloaded
    });
    match &outcome {
        Ok(Reloaded { changed, left }) => {
            for change in changed {
                tracing::info!("reloaded: {change}");
            }
            for change in left {
                tracing::warn!("only a restart changes this: {change}");
            }
            if changed.is_empty() {
                tracing::info!("reloaded: nothing has changed");
            }
        }
        Err(why) => tracing::error!("not reloaded, nothing has changed:\n{why}"),
    }
    tell(&[NotifyState::Ready]);
    outcome
}

/// Tells systemd, if that has started this process and wants to know.
fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "systemd cannot be told");
    }
}

/// SIGTERM and SIGINT.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Listens for them from now on; to be called within a runtime.
    ///
    /// # Errors
    /// If they cannot be listened for.
    pub fn listen() -> std::io::Result<Signals> {
        let terminate = signal(SignalKind::terminate())?;
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Signals { terminate, interrupt })
    }

    /// Waits for one of them.
    pub async fn told(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
