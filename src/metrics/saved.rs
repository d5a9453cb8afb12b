//! An estimate of what the cache saves: each hit spares the time that the origin takes
//! for an answer, as it is on average in the minute around the hit.

use super::durations::{Durations, slice};
use crate::semantics::time::Moment;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Seconds that the origin did not have to work.
#[derive(Debug, Default)]
pub(super) struct Saved {
    estimate: Mutex<Estimate>,
    /// The slice of time in which it was last brought up to date.
    done_in: AtomicU64,
}

#[derive(Debug, Default)]
struct Estimate {
    /// Hits that are in it.
    hits: u64,
    seconds: f64,
    /// What the origin took on average when it was last known.
    mean: f64,
}

impl Saved {
    /// Whether it is to be brought up to date: the average may be another one now.
    pub fn is_due(&self, now: Moment) -> bool {
        self.done_in.load(Ordering::Relaxed) != slice(now)
    }

    /// Brings it up to date, and tells it.
    pub fn seconds(&self, hits: u64, origin: &Durations, now: Moment) -> f64 {
        self.done_in.store(slice(now), Ordering::Relaxed);
        let mut estimate = self.estimate.lock();
        if let Some(mean) = origin.recent(now).mean() {
            estimate.mean = mean;
        }
        let more = hits.saturating_sub(estimate.hits);
        estimate.seconds += more as f64 * estimate.mean;
        estimate.hits += more;
        estimate.seconds
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::durations::Bounds;
    use std::time::Duration;

    #[test]
    fn a_hit_saves_what_the_origin_takes_around_it() {
        let (saved, origin) = (Saved::default(), Durations::new(Bounds::ORIGIN));
        let at = |seconds: u64| Moment(seconds * 1000);
        assert_eq!(saved.seconds(5, &origin, at(0)), 0.0, "nothing is known of the origin");
        origin.add(Duration::from_secs(2), at(1));
        assert_eq!(saved.seconds(15, &origin, at(2)), 20.0);
        assert_eq!(saved.seconds(16, &origin, at(1000)), 22.0, "the last that is known");
        assert!(!saved.is_due(at(1001)) && saved.is_due(at(1010)));
        origin.add(Duration::from_secs(4), at(1010));
        assert_eq!(saved.seconds(26, &origin, at(1011)), 62.0);
        assert_eq!(saved.seconds(26, &origin, at(1011)), 62.0);
    }
}
