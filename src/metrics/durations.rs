//! How long things take: in fixed buckets, since the start and in about the last minute.

use crate::lanes::Lanes;
use crate::semantics::time::Moment;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The upper ends of buckets, in nanoseconds; above the last is one more.
#[derive(Clone, Copy, Debug)]
pub struct Bounds(&'static [u64]);

const MICRO: u64 = 1_000;
const MILLI: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;

impl Bounds {
    /// For answers from the store: from a microsecond to a second.
    pub const HIT: Bounds = Bounds(&[
        MICRO,
        2 * MICRO,
        3 * MICRO,
        5 * MICRO,
        10 * MICRO,
        20 * MICRO,
        50 * MICRO,
        100 * MICRO,
        200 * MICRO,
        500 * MICRO,
        MILLI,
        5 * MILLI,
        20 * MILLI,
        100 * MILLI,
        SECOND,
    ]);

    /// For what waits for the origin: from a millisecond to a minute.
    pub const ORIGIN: Bounds = Bounds(&[
        MILLI,
        2 * MILLI,
        5 * MILLI,
        10 * MILLI,
        20 * MILLI,
        50 * MILLI,
        100 * MILLI,
        200 * MILLI,
        500 * MILLI,
        SECOND,
        2 * SECOND,
        5 * SECOND,
        10 * SECOND,
        30 * SECOND,
        60 * SECOND,
    ]);

    fn bucket(self, nanos: u64) -> usize {
        self.0.partition_point(|bound| *bound < nanos)
    }
}

/// One bucket for each bound, and one for what is longer.
const BUCKETS: usize = 16;

/// A slice of recent time, and how many of them are kept.
const SLICE: Duration = Duration::from_secs(10);
const SLICES: usize = 7;

/// How often something took how long.
#[derive(Debug)]
pub struct Durations {
    bounds: Bounds,
    lanes: Lanes<Own>,
}

/// What one thread has measured.
#[derive(Debug, Default)]
struct Own {
    counts: [AtomicU64; BUCKETS],
    nanos: AtomicU64,
    recent: Mutex<[Slice; SLICES]>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slice {
    number: u64,
    seen: Seen,
}

/// How often something took how long, in some time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    counts: [u64; BUCKETS],
    nanos: u64,
}

/// The number of the slice that a moment lies in.
pub(super) fn slice(now: Moment) -> u64 {
    now.since(Moment(0)).as_secs() / SLICE.as_secs()
}

impl Durations {
    /// None yet.
    pub fn new(bounds: Bounds) -> Durations {
        Durations { bounds, lanes: Lanes::default() }
    }

    /// One more.
    pub fn add(&self, took: Duration, now: Moment) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let (own, bucket) = (self.lanes.own(), self.bounds.bucket(nanos));
        own.counts[bucket].fetch_add(1, Ordering::Relaxed);
        own.nanos.fetch_add(nanos, Ordering::Relaxed);
        let number = slice(now);
        let mut recent = own.recent.lock();
        let slice = &mut recent[number as usize % SLICES];
        if slice.number != number {
            *slice = Slice { number, seen: Seen::default() };
        }
        slice.seen.counts[bucket] += 1;
        slice.seen.nanos = slice.seen.nanos.saturating_add(nanos);
    }

    /// All so far.
    pub fn all(&self) -> Seen {
        let mut all = Seen::default();
        for own in self.lanes.iter() {
            let counts = own.counts.each_ref().map(|count| count.load(Ordering::Relaxed));
            all.join(&Seen { counts, nanos: own.nanos.load(Ordering::Relaxed) });
        }
        all
    }

    /// Those of about the last minute.
    pub fn recent(&self, now: Moment) -> Seen {
        let (mut all, now) = (Seen::default(), slice(now));
        for own in self.lanes.iter() {
            let recent = *own.recent.lock();
            let is_recent = |slice: &&Slice| slice.number + (SLICES as u64) > now;
            recent.iter().filter(is_recent).for_each(|slice| all.join(&slice.seen));
        }
        all
    }

    /// For each bucket its upper end in seconds, and how many took no longer; the last
    /// has no end.
    pub fn cumulated(&self, seen: &Seen) -> Vec<(f64, u64)> {
        let bounds = self.bounds.0.iter().map(|nanos| seconds(*nanos)).chain([f64::INFINITY]);
        let mut count = 0;
        let buckets = bounds.zip(seen.counts).map(|(bound, own)| {
            count += own;
            (bound, count)
        });
        buckets.collect()
    }

    /// Which time this part of them did not exceed, in seconds: as near as the buckets
    /// tell. `None` if there are none.
    pub fn quantile(&self, seen: &Seen, part: f64) -> Option<f64> {
        let wanted = seen.count() as f64 * part;
        let (mut below, mut begins) = (0, 0.0);
        for (ends, count) in self.cumulated(seen) {
            if count as f64 >= wanted && count > below {
                let share = (wanted - below as f64) / (count - below) as f64;
                // Of what is above the last bound nothing more is known.
                let width = if ends.is_finite() { ends - begins } else { 0.0 };
                return Some(begins + width * share.clamp(0.0, 1.0));
            }
            (below, begins) = (count, ends);
        }
        None
    }
}

impl Seen {
    /// How many.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Seconds altogether.
    pub fn seconds(&self) -> f64 {
        seconds(self.nanos)
    }

    /// Seconds on average.
    pub fn mean(&self) -> Option<f64> {
        let count = self.count();
        (count > 0).then(|| self.seconds() / count as f64)
    }

    fn join(&mut self, other: &Seen) {
        for (own, theirs) in self.counts.iter_mut().zip(other.counts) {
            *own += theirs;
        }
        self.nanos = self.nanos.saturating_add(other.nanos);
    }
}

fn seconds(nanos: u64) -> f64 {
    nanos as f64 / SECOND as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_in_the_first_bucket_that_is_long_enough() {
        for bounds in [Bounds::HIT, Bounds::ORIGIN] {
            assert_eq!(bounds.0.len() + 1, BUCKETS);
            assert!(bounds.0.is_sorted());
        }
        let durations = Durations::new(Bounds::ORIGIN);
        for millis in [0, 1, 2, 3, 60_000, 60_001] {
            durations.add(Duration::from_millis(millis), Moment(0));
        }
        let all = durations.all();
        let cumulated = durations.cumulated(&all);
        assert_eq!(cumulated[..3], [(0.001, 2), (0.002, 3), (0.005, 4)]);
        assert_eq!(cumulated[14..], [(60.0, 5), (f64::INFINITY, 6)]);
        assert_eq!((all.count(), all.seconds()), (6, 120.007));
    }

    #[test]
    fn quantiles_lie_within_the_bucket() {
        let durations = Durations::new(Bounds::ORIGIN);
        let quantile = |part| durations.quantile(&durations.all(), part);
        assert_eq!(quantile(0.5), None);
        for _ in 0..99 {
            durations.add(Duration::from_millis(15), Moment(0));
        }
        durations.add(Duration::from_secs(100), Moment(0));
        let half = quantile(0.5).expect("a time");
        assert!((0.0150..0.0152).contains(&half), "{half}");
        assert_eq!(quantile(0.99), Some(0.02));
        assert_eq!(quantile(1.0), Some(60.0), "it is at least that");
    }

    #[test]
    fn what_is_older_than_a_minute_is_not_recent() {
        let durations = Durations::new(Bounds::HIT);
        let recent = |seconds: u64| durations.recent(Moment(seconds * 1000)).count();
        durations.add(Duration::from_micros(3), Moment(5_000));
        assert_eq!((recent(5), recent(69), recent(70)), (1, 1, 0));
        durations.add(Duration::from_micros(3), Moment(75_000));
        assert_eq!((recent(75), recent(139), recent(140)), (1, 1, 0));
        assert_eq!(durations.all().count(), 2);
    }
}
