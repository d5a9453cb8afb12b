//! One upstream, as all runtimes share it: where it is, how busy, how well.

use super::address::Address;
use super::connect::Way;
use super::health::{Ejection, Health, Standing};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// One address of the origin.
#[derive(Debug)]
pub(super) struct Upstream {
    pub address: Address,
    pub way: Way,
    most: usize,
    in_flight: AtomicUsize,
    /// Connections of all runtimes that nobody uses at the moment.
    pub idle: Arc<AtomicUsize>,
    health: Mutex<Health>,
    /// Something is held against it: without, nobody asks for the lock.
    troubled: AtomicBool,
}

impl Upstream {
    /// One that takes at most so many requests at a time.
    pub fn new(address: &Address, most: usize, resolve_every: Duration) -> Upstream {
        Upstream {
            address: address.clone(),
            way: Way::to(address, resolve_every),
            most,
            in_flight: AtomicUsize::new(0),
            idle: Arc::default(),
            health: Mutex::default(),
            troubled: AtomicBool::new(false),
        }
    }

    /// Requests in flight.
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::SeqCst)
    }

    /// Takes a place for a request, if there is one.
    pub fn enter(&self) -> bool {
        let more = |count| (count < self.most).then_some(count + 1);
        self.in_flight.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more).is_ok()
    }

    /// Gives a place back.
    pub fn leave(&self) {
        self.in_flight.fetch_sub(1, Ordering::SeqCst);
    }

    /// How it stands now.
    pub fn standing(&self, now: Instant) -> Standing {
        match self.troubled.load(Ordering::Relaxed) {
            true => self.health.lock().standing(now),
            false => Standing::Well,
        }
    }

    /// Whether it is left out now.
    pub fn is_ejected(&self) -> bool {
        self.troubled.load(Ordering::Relaxed)
            && self.health.lock().standing(Instant::now()) == Standing::Ejected
    }

    /// When it may be asked again, if that is still to come.
    pub fn returns_after(&self, now: Instant) -> Option<Instant> {
        let troubled = self.troubled.load(Ordering::Relaxed);
        troubled.then(|| self.health.lock().returns_after(now)).flatten()
    }

    /// Lets one request through to an upstream that may have come back.
    pub fn begin_probe(&self, now: Instant) -> bool {
        self.troubled.load(Ordering::Relaxed) && self.health.lock().begin_probe(now)
    }

    /// That request has ended.
    pub fn end_probe(&self) {
        self.health.lock().end_probe();
    }

    /// A request failed.
    pub fn failed(&self, now: Instant, rule: Ejection) {
        let mut health = self.health.lock();
        if health.failed(now, rule) {
            tracing::warn!(upstream = %self.address, "an upstream fails and is left out");
        }
        self.troubled.store(true, Ordering::Relaxed);
    }

    /// A request was answered.
    pub fn answered(&self) {
        if self.troubled.load(Ordering::Relaxed) {
            let mut health = self.health.lock();
            if health.standing(Instant::now()) != Standing::Well {
                tracing::info!(upstream = %self.address, "an upstream answers again");
            }
            health.answered();
            self.troubled.store(!health.is_clean(), Ordering::Relaxed);
        }
    }

    /// A check has found something.
    pub fn checked(&self, good: bool) {
        if good && !self.troubled.load(Ordering::Relaxed) {
            return;
        }
        let mut health = self.health.lock();
        if health.checked(good) {
            tracing::warn!(upstream = %self.address, good, "an upstream was checked");
        }
        self.troubled.store(!health.is_clean(), Ordering::Relaxed);
    }
}
