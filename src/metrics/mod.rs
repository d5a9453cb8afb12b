//! Counters of what was done. Each thread counts for itself: counting costs a hit
//! nothing that could be seen.

mod answers;
mod counter;
mod durations;
mod saved;
mod trouble;

pub use answers::{Answers, CLASSES};
pub use counter::Counter;
pub use durations::{Bounds, Durations, Seen};
pub use trouble::{Leave, Trouble, Troubles};

use crate::semantics::cache_status::{CacheStatus, Forward, Outcome};
use crate::semantics::reason::Reason;
use crate::semantics::time::Moment;
use http::StatusCode;
use saved::Saved;
use std::time::{Duration, SystemTime};

/// One hit in so many of a thread is timed.
const HITS_TO_ONE_TIMED: u64 = 64;

/// What larder counts.
#[derive(Debug)]
pub struct Metrics {
    /// When that began.
    pub started: SystemTime,
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
    /// Answers that were filled for their visitors.
    pub filled: Counter,
    /// Responses stored.
    pub stored: Counter,
    /// Purges, and what unsafe methods have invalidated.
    pub purges: Counter,
    /// Bytes of bodies that clients were sent.
    pub bytes_sent: Counter,
    /// Requests for the origin, those included that found no place or connection there.
    pub origin_requests: Counter,
    /// Requests to the origin that brought no response.
    pub origin_failures: Counter,
    /// The responses that others brought.
    pub answers: Answers,
    /// From a request's head to the head of its answer: of some hits.
    pub hits_took: Durations,
    /// The same, of what was forwarded.
    pub misses_took: Durations,
    saved: Saved,
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
    /// Nothing yet.
    pub fn new(started: SystemTime) -> Metrics {
        Metrics {
            started,
            hits: Counter::default(),
            short_way: Counter::default(),
            forwarded: Default::default(),
            reasons: Reasons::default(),
            own: Counter::default(),
            collapsed: Counter::default(),
            filled: Counter::default(),
            stored: Counter::default(),
            purges: Counter::default(),
            bytes_sent: Counter::default(),
            origin_requests: Counter::default(),
            origin_failures: Counter::default(),
            answers: Answers::default(),
            hits_took: Durations::new(Bounds::HIT),
            misses_took: Durations::new(Bounds::ORIGIN),
            saved: Saved::default(),
            troubles: Troubles::default(),
        }
    }

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

    /// Whether the calling thread is to time its next hit. To be asked before that is
    /// [counted](Metrics::count).
    pub fn times_next_hit(&self) -> bool {
        self.hits.own().is_multiple_of(HITS_TO_ONE_TIMED)
    }

    /// Notes an answer of the origin, and how long it took.
    pub fn origin_answered(&self, status: StatusCode, took: Duration, now: Moment) {
        if self.saved.is_due(now) {
            self.saved_seconds(now);
        }
        self.answers.add(status, took, now);
    }

    /// About how long the origin would have worked for what was answered from the store.
    pub fn saved_seconds(&self, now: Moment) -> f64 {
        self.saved.seconds(self.hits.get(), &self.answers.took, now)
    }
}
