//! The proxy without threads: on the runtime that starts it. A simulation has
//! everything on one thread and by one clock, so that one thing follows another
//! and can be repeated.

use super::{StartError, descriptors, open, open_door, options, put_together, workers};
use crate::access_log::{self, AccessLog};
use crate::admin::{self, Admin};
use crate::clock::Clock;
use crate::config::Settings;
use crate::listen::{self, Passed};
use crate::proxy::{Proxy, Shared};
use crate::purge::Sweeper;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::watch;

/// A proxy on this runtime; it ends with the runtime. It writes no log and
/// cannot be reloaded.
#[must_use]
pub struct Here {
    addresses: Vec<SocketAddr>,
    admin: Option<SocketAddr>,
    shared: Shared,
    sweeper: Sweeper,
    // Who is told by them goes on while they are there.
    proxy: watch::Sender<listen::Configured>,
    _door: watch::Sender<admin::Configured>,
    _closing: watch::Sender<bool>,
    _closed: watch::Sender<bool>,
}

impl Here {
    /// Where clients connect.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Where the operator connects.
    pub fn admin(&self) -> Option<SocketAddr> {
        self.admin
    }

    /// Who answers, and what is shared with it: for benchmarks of single steps.
    #[doc(hidden)]
    pub fn inside(&self) -> (Arc<Proxy>, &Shared) {
        (Arc::clone(&self.proxy.borrow().proxy), &self.shared)
    }

    /// Gives back a little of the space of what was purged. Returns whether there
    /// was any.
    pub fn sweep_a_little(&self) -> bool {
        self.sweeper.sweep_a_little()
    }

    /// The number of fetches under way that others may wait for.
    pub fn fetches_under_way(&self) -> usize {
        self.shared.fetches_under_way()
    }
}

/// Starts the proxy that the settings say on the runtime that calls this. The
/// clock should go as the runtime's own time does.
///
/// # Errors
/// [`StartError`] if an address cannot be listened on.
///
/// # Panics
/// Outside a runtime.
pub fn start_here(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Here, StartError> {
    let mut passed = Passed::default();
    let sockets = open(settings, 1, &mut passed)?;
    let door = open_door(settings, &mut passed)?;
    let (log, _) = AccessLog::start(access_log::Options::default())?;
    let (shared, pool, sweeper) = put_together(settings, clock, log);
    let (closing, is_closing) = watch::channel(false);
    let (closed, has_closed) = watch::channel(false);

    let proxy = Arc::new(Proxy::new(shared.clone(), Arc::new(pool)));
    let configured = listen::Configured { proxy, options: options::door(settings) };
    let (by_proxy, told) = watch::channel(configured);
    shared.gate.set(options::most_inside(settings, None));
    let gate = Arc::clone(&shared.gate);
    let addresses = sockets.iter().map(|sockets| sockets.address).collect();
    let listeners = sockets.into_iter().flat_map(|sockets| sockets.listeners).collect();
    tokio::spawn(workers::work_behind(told.clone()));
    tokio::spawn(workers::serve(listeners, told, gate, is_closing.clone()));

    let access = options::admin_access(settings);
    let configured = admin::Configured { shared: shared.clone(), access };
    let (by_door, told) = watch::channel(configured);
    let admin = door.as_ref().map(|sockets| sockets.address);
    for listener in door.into_iter().flat_map(|sockets| sockets.listeners) {
        let (is_closing, has_closed) = (is_closing.clone(), has_closed.clone());
        let most = descriptors::for_the_operator(None);
        let door = Admin::new(told.clone(), None, is_closing, has_closed, most);
        tokio::spawn(door.serve(listener.socket));
    }
    Ok(Here {
        addresses,
        admin,
        shared,
        sweeper,
        proxy: by_proxy,
        _door: by_door,
        _closing: closing,
        _closed: closed,
    })
}
