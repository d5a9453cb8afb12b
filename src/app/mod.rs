//! The whole: from settings to a running process, and to its end.
//!
//! Each core has a thread with a single-threaded runtime, a listening socket on
//! every address, and a pool of connections to the origin. The store, the marks
//! of purges and the table of fetches under way are shared between them.

mod options;

use crate::access_log::AccessLog;
use crate::admin::Admin;
use crate::clock::{Clock, SystemClock};
use crate::config::{AccessLog as LogFormat, Settings};
use crate::listen::{self, Gate, Sockets};
use crate::origin::Pool;
use crate::proxy::{Proxy, Shared};
use crate::purge::Purger;
use crate::storage::Memory;
use std::fmt;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// Why the process cannot start.
#[derive(Debug)]
pub enum StartError {
    /// An address cannot be listened on.
    Listen(String, std::io::Error),
    /// The machine refuses threads or runtimes.
    Machine(std::io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Listen(address, error) => write!(f, "cannot listen on {address}: {error}"),
            StartError::Machine(error) => write!(f, "cannot start: {error}"),
        }
    }
}

impl std::error::Error for StartError {}

impl From<std::io::Error> for StartError {
    fn from(error: std::io::Error) -> StartError {
        StartError::Machine(error)
    }
}

/// A running larder. [`Running::stop`] ends it well; dropped, it goes on until
/// the process ends.
#[must_use]
pub struct Running {
    addresses: Vec<SocketAddr>,
    admin: Option<SocketAddr>,
    closing: watch::Sender<bool>,
    closed: watch::Sender<bool>,
    workers: Vec<JoinHandle<()>>,
    door: Option<JoinHandle<()>>,
    log: Option<JoinHandle<()>>,
}

impl Running {
    /// Where clients connect.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Where the operator connects.
    pub fn admin(&self) -> Option<SocketAddr> {
        self.admin
    }

    /// Stops accepting, lets requests under way end within the time that is set
    /// for it, and ends.
    pub fn stop(self) {
        let join = |thread: JoinHandle<()>| {
            if thread.join().is_err() {
                tracing::error!("a thread ended with a panic");
            }
        };
        let _ = self.closing.send(true);
        self.workers.into_iter().for_each(join);
        // Until now it has said that larder is not ready any more.
        let _ = self.closed.send(true);
        self.door.into_iter().chain(self.log).for_each(join);
    }
}

/// Starts everything that the settings say.
///
/// # Errors
/// [`StartError`] if an address cannot be listened on or the machine refuses.
pub fn start(settings: &Settings) -> Result<Running, StartError> {
    start_with_clock(settings, Arc::new(SystemClock::start()))
}

/// The same by another clock, which ages what is stored; time-outs of
/// connections stay those of the machine.
///
/// # Errors
/// [`StartError`], as [`start`].
pub fn start_with_clock(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Running, StartError> {
    let count = match settings.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        given => given,
    };
    let sockets = open(settings, count)?;
    let admin = match settings.admin.listen {
        Some(address) => Some(
            listen::bind(address, 1)
                .map_err(|error| StartError::Listen(address.to_string(), error))?,
        ),
        None => None,
    };
    let (log, log_thread) = match settings.log.access {
        LogFormat::Off => (AccessLog::off(), None),
        format => {
            let (log, thread) = AccessLog::start(options::format(format))?;
            (log, Some(thread))
        }
    };
    let memory = Arc::new(Memory::new(options::memory(settings)));
    let purger = Arc::new(Purger::new(Arc::clone(&memory)));
    let shared = Shared::new(options::proxy(settings), memory, purger, clock, log);
    let (closing, is_closing) = watch::channel(false);
    let (closed, has_closed) = watch::channel(false);

    let mut running = Running {
        addresses: sockets.iter().map(|sockets| sockets.address).collect(),
        admin: admin.as_ref().map(|sockets| sockets.address),
        closing,
        closed,
        workers: Vec::new(),
        door: None,
        log: log_thread,
    };
    start_workers(&mut running, settings, &shared, sockets, count, &is_closing)?;
    if let Some(listener) = admin.and_then(|sockets| sockets.listeners.into_iter().next()) {
        let door = Admin::new(shared, options::admin_access(settings), is_closing, has_closed);
        running.door = Some(on_a_thread("admin".into(), move |runtime| {
            if let Err(error) = runtime.block_on(door.serve(listener)) {
                tracing::error!(%error, "the admin port cannot be served");
            }
        })?);
    }
    for address in &running.addresses {
        tracing::info!("listening on http://{address}, in front of {}", settings.origin.to);
    }
    if let Some(address) = running.admin {
        tracing::info!("admin on http://{address}");
    }
    Ok(running)
}

/// Opens the sockets of every address. A name may stand for several addresses
/// of which this machine has only some; one is enough.
fn open(settings: &Settings, count: usize) -> Result<Vec<Sockets>, StartError> {
    let mut all = Vec::new();
    for listen in &settings.listen {
        let mut failed = None;
        let before = all.len();
        for address in &listen.addresses {
            match listen::bind(*address, count) {
                Ok(sockets) => all.push(sockets),
                Err(error) => failed = Some(error),
            }
        }
        if let (true, Some(error)) = (all.len() == before, failed) {
            return Err(StartError::Listen(listen.text.clone(), error));
        }
    }
    Ok(all)
}

fn start_workers(
    running: &mut Running,
    settings: &Settings,
    shared: &Shared,
    sockets: Vec<Sockets>,
    count: usize,
    closing: &watch::Receiver<bool>,
) -> Result<(), StartError> {
    let limits = &settings.limits;
    let gate =
        Gate::new(limits.connections, limits.connections_per_ip, settings.trust.proxies.clone());
    let gate = Arc::new(gate);
    let door = options::door(settings);
    let pool = Pool::new(options::pool(settings));
    let mut shares: Vec<Vec<TcpListener>> = (0..count).map(|_| Vec::new()).collect();
    for listeners in sockets.into_iter().map(|sockets| sockets.listeners) {
        for (share, listener) in shares.iter_mut().zip(listeners) {
            share.push(listener);
        }
    }
    for (number, share) in shares.into_iter().enumerate() {
        let proxy = Arc::new(Proxy::new(shared.clone(), pool.sibling()));
        let (gate, closing) = (Arc::clone(&gate), closing.clone());
        running.workers.push(on_a_thread(format!("worker-{number}"), move |runtime| {
            runtime.block_on(async move {
                let doors: Vec<_> = share
                    .into_iter()
                    .map(|listener| {
                        let (proxy, gate) = (Arc::clone(&proxy), Arc::clone(&gate));
                        tokio::spawn(listen::serve(listener, proxy, gate, door, closing.clone()))
                    })
                    .collect();
                for served in doors {
                    if let Ok(Err(error)) = served.await {
                        tracing::error!(%error, "a socket cannot be served");
                    }
                }
            });
        })?);
    }
    Ok(())
}

fn on_a_thread(
    name: String,
    work: impl FnOnce(&Runtime) + Send + 'static,
) -> std::io::Result<JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Builder::new().name(name).spawn(move || work(&runtime))
}

/// Starts, and stops on SIGTERM or SIGINT.
///
/// # Errors
/// [`StartError`], as [`start`].
pub fn run(settings: &Settings) -> Result<(), StartError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Listened for from the beginning: told to stop early, it stops well too.
    let mut signals = runtime.block_on(async { Signals::listen() })?;
    let running = start(settings)?;
    runtime.block_on(signals.told());
    tracing::info!("stopping: no new connections, requests under way may end");
    running.stop();
    tracing::info!("stopped");
    Ok(())
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
