//! Counters of what was done. Each thread counts for itself: counting costs a hit
//! nothing that could be seen.

mod trouble;

pub use trouble::{Leave, Trouble, Troubles};

use crate::lanes::Lanes;
use crate::semantics::cache_status::{CacheStatus, Forward, Outcome};
use crate::semantics::reason::Reason;
use std::sync::atomic::{AtomicU64, Ordering};

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(Lanes<AtomicU64>);

impl Counter {
    /// Adds one.
    pub fn count(&self) {
        self.0.own().fetch_add(1, Ordering::Relaxed);
    }

    /// The number so far.
    pub fn get(&self) -> u64 {
        self.0.iter().map(|own| own.load(Ordering::Relaxed)).sum()
    }
}

/// What larder counts.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Requests answered from the store.
    pub hits: Counter,
    /// Those of them that went the short way.
    pub short_way: Counter,
    /// Requests forwarded, by reason; see [`Metrics::forwarded`].
    forwarded: [Counter; Forward::ALL.len()],
    /// Requests by what more there was to say about them.
    pub reasons: Reasons,
    /// Requests that larder answered by itself: refusals, purges.
    pub own: Counter,
    /// Requests answered by another one's fetch.
    pub collapsed: Counter,
    /// Responses stored.
    pub stored: Counter,
    /// Requests sent to the origin.
    pub origin_requests: Counter,
    /// Requests to the origin that brought no response.
    pub origin_failures: Counter,
    /// What went wrong or over a limit, by kind.
    pub troubles: Troubles,
}

/// A counter for each reason.
#[derive(Debug)]
pub struct Reasons(Box<[Counter]>);

impl Default for Reasons {
    fn default() -> Reasons {
        Reasons((0..Reason::COUNT).map(|_| Counter::default()).collect())
    }
}

impl Reasons {
    /// How often there was this reason.
    pub fn get(&self, reason: Reason) -> u64 {
        self.0[reason.index()].get()
    }
}

impl Metrics {
    /// Counts a request by what was done with it.
    pub fn count(&self, status: &CacheStatus) {
        match status.outcome {
            Outcome::Hit => self.hits.count(),
            Outcome::Own => self.own.count(),
            Outcome::Forwarded(reason) => {
                self.forwarded[reason as usize].count();
            }
        }
        if let Some(reason) = status.detail {
            self.reasons.0[reason.index()].count();
        }
        if status.collapsed {
            self.collapsed.count();
        }
    }

    /// Requests forwarded for a reason.
    pub fn forwarded(&self, reason: Forward) -> u64 {
        self.forwarded[reason as usize].get()
    }
}
