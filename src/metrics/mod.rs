//! Counters of what was done. Each thread counts for itself: counting costs a hit
//! nothing that could be seen.

mod trouble;

pub use trouble::{Leave, Trouble, Troubles};

use crate::lanes::Lanes;
use crate::semantics::cache_status::{CacheStatus, Forward, Outcome};
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
    forwarded: [Counter; 8],
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

/// The reasons to forward, in the order of the counters.
pub const FORWARDS: [Forward; 8] = [
    Forward::Bypass,
    Forward::Method,
    Forward::UriMiss,
    Forward::VaryMiss,
    Forward::Miss,
    Forward::Request,
    Forward::Stale,
    Forward::Partial,
];

impl Metrics {
    /// Counts a request by what was done with it.
    pub fn count(&self, status: &CacheStatus) {
        match status.outcome {
            Outcome::Hit => self.hits.count(),
            Outcome::Own => self.own.count(),
            Outcome::Forwarded(reason) => {
                if let Some(at) = FORWARDS.iter().position(|r| *r == reason) {
                    self.forwarded[at].count();
                }
            }
        }
        if status.collapsed {
            self.collapsed.count();
        }
    }

    /// Requests forwarded for a reason.
    pub fn forwarded(&self, reason: Forward) -> u64 {
        FORWARDS.iter().position(|r| *r == reason).map_or(0, |at| self.forwarded[at].get())
    }
}
