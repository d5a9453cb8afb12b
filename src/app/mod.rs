//! The whole: from settings to a running process, and to its end.
//!
//! Each core has a thread with a single-threaded runtime, a listening socket on
//! every address, and a pool of connections to the origin. The store, the marks
//! of purges and the table of fetches under way are shared between them.

mod descriptors;
mod here;
mod options;
mod reload;
mod run;
mod workers;

pub use here::{Here, start_here};
pub use options::{bypass_paths, ignored_parameters, policy};
pub use run::{Again, Signals, run};

use crate::access_log::AccessLog;
use crate::account::Account;
use crate::admin::{self, Admin, Reloader};
use crate::clock::{Clock, SystemClock};
use crate::config::Settings;
use crate::listen::{self, Passed, Sockets};
use crate::origin::Pool;
use crate::proxy::Shared;
use crate::purge::{Purger, Selectors, Softness, Sweeper};
use crate::storage::Memory;
use crate::telemetry::{Exporter, Telemetry};
use std::fmt;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::sync::watch;
use workers::Worker;

/// Why the process cannot start.
#[derive(Debug)]
pub enum StartError {
    /// An address cannot be listened on.
    Listen(String, std::io::Error),
    /// A socket was passed on that no address asks for.
    Passed(SocketAddr),
    /// Nothing could be told to OpenTelemetry.
    Telemetry(String),
    /// The machine refuses threads or runtimes.
    Machine(std::io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Listen(address, error) => {
                write!(f, "cannot listen on {address}: {error}")?;
                match error.kind() {
                    ErrorKind::AddrInUse => f.write_str(
                        "; if that is a larder that is being stopped: it has its admin port until what \
                         is under way has ended, for `timeouts.drain` at the most",
                    ),
                    _ => Ok(()),
                }
            }
            StartError::Passed(address) => write!(
                f,
                "a socket was passed for {address}, but neither `listen` nor `admin.listen` says so"
            ),
            StartError::Telemetry(why) => {
                write!(f, "cannot tell OpenTelemetry of requests (docs/telemetry.md): {why}")
            }
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
    settings: Settings,
    /// How many the process may have.
    descriptors: Option<usize>,
    shared: Shared,
    addresses: Vec<SocketAddr>,
    admin: Option<SocketAddr>,
    /// Others may hold its sockets too.
    is_shared: bool,
    closing: watch::Sender<bool>,
    closed: watch::Sender<bool>,
    workers: Vec<Worker>,
    at_the_door: watch::Sender<admin::Configured>,
    door: Option<JoinHandle<()>>,
    log: JoinHandle<()>,
    telemetry: Option<JoinHandle<()>>,
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

    /// Opens the file of the access log again by its name.
    pub fn open_log_again(&self) {
        self.shared.log.open_again();
    }

    /// Stops accepting, lets requests under way end within the time that is set
    /// for it, and ends.
    pub fn stop(self) {
        let Running { shared, closing, closed, workers, at_the_door, door, .. } = self;
        if self.is_shared {
            // Whoever shares the sockets is told of purges from now on, and this one is not.
            shared.retire();
            let everything = Selectors { everything: true, ..Selectors::default() };
            shared.purger.purge(&everything, Softness::Hard, shared.clock.now());
        }
        let join = |thread: JoinHandle<()>| {
            if thread.join().is_err() {
                tracing::error!("a thread ended with a panic");
            }
        };
        let _ = closing.send(true);
        workers.into_iter().for_each(|worker| join(worker.thread));
        // Until now it has said that larder is not ready any more.
        let _ = closed.send(true);
        door.into_iter().for_each(join);
        // These end when nobody can write to them any more.
        drop((shared, at_the_door));
        self.telemetry.into_iter().for_each(join);
        join(self.log);
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
    start_from(settings, clock, Passed::default(), None)
}

/// The same, with sockets that were passed on, and for whom the operator's door
/// tells of reloads.
fn start_from(
    settings: &Settings,
    clock: Arc<dyn Clock>,
    mut passed: Passed,
    reloader: Option<Reloader>,
) -> Result<Running, StartError> {
    let count = workers::count(settings);
    let sockets = open(settings, count, &mut passed)?;
    let admin = open_door(settings, &mut passed)?;
    if let Some(address) = passed.left() {
        return Err(StartError::Passed(address));
    }
    let (log, log_thread) = AccessLog::start(options::log(settings))?;
    let (mut shared, pool, sweeper) = put_together(settings, clock, log);
    let exporter = tell_opentelemetry(settings, &mut shared)?;
    std::thread::Builder::new().name("sweeper".into()).spawn(move || sweeper.run())?;
    let (closing, is_closing) = watch::channel(false);
    let (closed, has_closed) = watch::channel(false);
    let access = options::admin_access(settings);
    let (at_the_door, current) =
        watch::channel(admin::Configured { shared: shared.clone(), access });
    let descriptors = descriptors::raise();
    descriptors::warn_if_fewer(settings, descriptors);
    shared.gate.set(options::most_inside(settings, descriptors));
    let addresses = sockets.iter().map(|sockets| sockets.address).collect();
    let all = sockets.iter().chain(&admin).flat_map(|sockets| &sockets.listeners);
    let is_shared = all.into_iter().any(|listener| listener.passed);

    let workers = workers::start(settings, &shared, &pool, sockets, count, &is_closing)?;
    let mut running = Running {
        settings: settings.clone(),
        descriptors,
        shared,
        addresses,
        admin: admin.as_ref().map(|sockets| sockets.address),
        is_shared,
        closing,
        closed,
        workers,
        at_the_door,
        door: None,
        log: log_thread,
        telemetry: None,
    };
    if let Some(exporter) = exporter {
        let closed = has_closed.clone();
        running.telemetry = Some(workers::on_a_thread("telemetry".into(), move |runtime| {
            runtime.block_on(exporter.run(closed));
        })?);
    }
    if let Some(listener) = admin.and_then(|sockets| sockets.listeners.into_iter().next()) {
        let most = descriptors::for_the_operator(descriptors);
        // Who waits at a socket that others hold too is theirs.
        let end = if listener.passed { is_closing.clone() } else { has_closed };
        let door = Admin::new(current, reloader, is_closing, end, most);
        running.door = Some(workers::on_a_thread("admin".into(), move |runtime| {
            if let Err(error) = runtime.block_on(door.serve(listener.socket)) {
                tracing::error!(%error, "the admin port cannot be served");
            }
        })?);
    }
    for address in &running.addresses {
        tracing::info!("listening on http://{address}, in front of {}", settings.origin.shown());
    }
    if let Some(address) = running.admin {
        tracing::info!("admin on http://{address}");
    }
    Ok(running)
}

/// What all threads share, the pool of which each has a sibling, and who sweeps
/// behind the purges.
fn put_together(
    settings: &Settings,
    clock: Arc<dyn Clock>,
    log: AccessLog,
) -> (Shared, Pool, Sweeper) {
    let account = Arc::new(Account::new(options::all_memory(settings)));
    let memory = Arc::new(Memory::counted(options::memory(settings), Arc::clone(&account)));
    let purger = Arc::new(Purger::new(Arc::clone(&memory)));
    let sweeper = purger.sweeper();
    let pool = Pool::new(options::pool(settings));
    let options = options::proxy(settings);
    let shared = Shared::new(options, account, memory, purger, clock, log, pool.watched());
    (shared, pool, sweeper)
}

/// Has a collector told of requests, if there is one.
fn tell_opentelemetry(
    settings: &Settings,
    shared: &mut Shared,
) -> Result<Option<Exporter>, StartError> {
    let unusable = |why: &dyn fmt::Display| StartError::Telemetry(why.to_string());
    let options = options::telemetry(settings).map_err(|why| unusable(&why))?;
    let Some(options) = options else { return Ok(None) };
    let clock = Arc::clone(&shared.clock);
    let (telemetry, exporter) = Telemetry::new(options, clock).map_err(|why| unusable(&why))?;
    shared.telemetry = telemetry;
    if let Some(endpoint) = &settings.telemetry.endpoint {
        tracing::info!("traces go to {endpoint}, of {:?} of requests", settings.telemetry.sample);
    }
    Ok(Some(exporter))
}

/// Opens the socket of the operator's door, if there is one.
fn open_door(settings: &Settings, passed: &mut Passed) -> Result<Option<Sockets>, StartError> {
    let Some(address) = settings.admin.listen else { return Ok(None) };
    let bound = listen::bind(address, 1, passed);
    bound.map(Some).map_err(|error| StartError::Listen(address.to_string(), error))
}

/// Opens the sockets of every address. A name may stand for several addresses
/// of which this machine has only some; one is enough.
fn open(
    settings: &Settings,
    count: usize,
    passed: &mut Passed,
) -> Result<Vec<Sockets>, StartError> {
    let mut all = Vec::new();
    for listen in &settings.listen {
        let mut failed = None;
        let before = all.len();
        for address in &listen.addresses {
            match listen::bind(*address, count, passed) {
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
