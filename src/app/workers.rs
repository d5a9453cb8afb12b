//! The threads that serve clients, one a core.

use super::options;
use crate::config::Settings;
use crate::gate::Gate;
use crate::listen::{self, Listener, Sockets};
use crate::origin::Pool;
use crate::proxy::{Proxy, Shared};
use std::io::Result;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// A thread with its runtime, and what it is told when that changes.
pub(super) struct Worker {
    /// Ends when the process closes.
    pub thread: JoinHandle<()>,
    /// What it serves by.
    current: watch::Sender<listen::Configured>,
    /// Its connections to the origin.
    pool: Arc<Pool>,
}

impl Worker {
    /// Has it serve by these settings from the next request on; over new
    /// connections to the origin if there is a pool for them.
    pub fn configure(&mut self, settings: &Settings, shared: &Shared, pool: Option<&Pool>) {
        if let Some(pool) = pool {
            self.pool = Arc::new(pool.sibling());
        }
        let proxy = Arc::new(Proxy::new(shared.clone(), Arc::clone(&self.pool)));
        let options = options::door(settings);
        self.current.send_replace(listen::Configured { proxy, options });
    }
}

/// How many are wanted: one a core, if nothing else is said.
pub(super) fn count(settings: &Settings) -> usize {
    match settings.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        given => given,
    }
}

/// Starts so many, each with a share of every address's sockets.
pub(super) fn start(
    settings: &Settings,
    shared: &Shared,
    pool: &Pool,
    sockets: Vec<Sockets>,
    count: usize,
    closing: &watch::Receiver<bool>,
) -> Result<Vec<Worker>> {
    let mut shares: Vec<Vec<Listener>> = (0..count).map(|_| Vec::new()).collect();
    for listeners in sockets.into_iter().map(|sockets| sockets.listeners) {
        for (share, listener) in shares.iter_mut().zip(listeners) {
            share.push(listener);
        }
    }
    let mut workers = Vec::new();
    for (number, share) in shares.into_iter().enumerate() {
        let pool = Arc::new(pool.sibling());
        let proxy = Arc::new(Proxy::new(shared.clone(), Arc::clone(&pool)));
        let options = options::door(settings);
        let (current, told) = watch::channel(listen::Configured { proxy, options });
        let (gate, closing) = (Arc::clone(&shared.gate), closing.clone());
        let thread = on_a_thread(format!("worker-{number}"), move |runtime| {
            runtime.block_on(async move {
                if number == 0 {
                    tokio::spawn(work_behind(told.clone()));
                }
                serve(share, told, gate, closing).await;
            });
        })?;
        workers.push(Worker { thread, current, pool });
    }
    Ok(workers)
}

/// Looks after whichever origin is configured, and fetches what was purged and is
/// wanted again, for all workers.
pub(super) async fn work_behind(mut current: watch::Receiver<listen::Configured>) {
    loop {
        let proxy = Arc::clone(&current.borrow_and_update().proxy);
        let working = async { tokio::join!(Arc::clone(&proxy).watch_origin(), proxy.refill()) };
        tokio::select! {
            // What waits when another is configured is that one's.
            biased;
            changed = current.changed() => if changed.is_err() { return },
            _ = working => {}
        }
    }
}

/// Serves on these sockets until the process closes.
pub(super) async fn serve(
    share: Vec<Listener>,
    current: watch::Receiver<listen::Configured>,
    gate: Arc<Gate>,
    closing: watch::Receiver<bool>,
) {
    let doors: Vec<_> = share
        .into_iter()
        .map(|listener| {
            let (current, gate) = (current.clone(), Arc::clone(&gate));
            tokio::spawn(listen::serve(listener, current, gate, closing.clone()))
        })
        .collect();
    for served in doors {
        if let Ok(Err(error)) = served.await {
            tracing::error!(%error, "a socket cannot be served");
        }
    }
}

/// Runs something on a thread with a runtime of its own. What may block, as asking for a
/// name, is not waited for once it is done.
pub(super) fn on_a_thread(
    name: String,
    work: impl FnOnce(&Runtime) + Send + 'static,
) -> Result<JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Builder::new().name(name).spawn(move || {
        work(&runtime);
        runtime.shutdown_background();
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn what_blocks_is_not_waited_for() {
        let (end, waits) = mpsc::channel::<()>();
        let thread = on_a_thread("worker".into(), move |runtime| {
            let (begun, begins) = mpsc::channel();
            runtime.spawn_blocking(move || {
                begun.send(()).expect("it is waited for");
                waits.recv()
            });
            begins.recv().expect("it blocks");
        });
        thread.expect("a thread").join().expect("no panic");
        drop(end);
    }
}
