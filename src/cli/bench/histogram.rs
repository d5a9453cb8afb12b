//! Times by their size, in a memory that doesn't grow.

use std::time::Duration;

/// Parts of two powers of two: what is read off is at most a sixty-fourth too large.
const PARTS: u64 = 128;

/// Up to 2^32 microseconds, which is more than an hour.
const SLOTS: usize = (32 - PARTS.ilog2() as usize + 2) * (PARTS / 2) as usize;

/// Counts of times.
#[derive(Debug)]
pub(super) struct Histogram {
    counts: Vec<u64>,
    all: u64,
}

impl Histogram {
    pub fn new() -> Histogram {
        Histogram { counts: vec![0; SLOTS], all: 0 }
    }

    pub fn add(&mut self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let at = slot(micros).min(self.counts.len() - 1);
        self.counts[at] += 1;
        self.all += 1;
    }

    pub fn merge(&mut self, other: &Histogram) {
        self.counts.iter_mut().zip(&other.counts).for_each(|(count, more)| *count += more);
        self.all += other.all;
    }

    /// The time within which this part of them lay; none if there are none.
    pub fn quantile(&self, part: f64) -> Option<Duration> {
        let wanted = ((self.all as f64 * part).ceil() as u64).max(1);
        let mut seen = 0;
        let at = self.counts.iter().position(|count| {
            seen += count;
            seen >= wanted
        })?;
        Some(Duration::from_micros(highest(at)))
    }
}

/// Below `PARTS` each has its own slot; then `PARTS / 2` for each power of two.
fn slot(micros: u64) -> usize {
    if micros < PARTS {
        return micros as usize;
    }
    let shift = u64::from(micros.ilog2() - (PARTS / 2).ilog2());
    (shift * (PARTS / 2) + (micros >> shift)) as usize
}

/// The highest value of a slot.
fn highest(slot: usize) -> u64 {
    let slot = slot as u64;
    if slot < PARTS {
        return slot;
    }
    let shift = slot / (PARTS / 2) - 1;
    ((slot - shift * (PARTS / 2) + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_off_is_hardly_larger_than_what_was_put_in() {
        for micros in (0..200_000).chain([1 << 20, 3_600_000_000, (1 << 31) + 12_345]) {
            let highest = highest(slot(micros));
            assert!(
                highest >= micros && highest as f64 <= micros as f64 * 1.02,
                "{micros}: {highest}"
            );
        }
    }

    #[test]
    fn quantiles_are_those_of_the_sorted_list() {
        let mut times = Histogram::new();
        assert_eq!(times.quantile(0.5), None);
        (1..=100).for_each(|micros| times.add(Duration::from_micros(micros)));
        for (part, micros) in [(0.0, 1), (0.01, 1), (0.5, 50), (0.99, 99), (1.0, 100)] {
            assert_eq!(times.quantile(part), Some(Duration::from_micros(micros)), "{part}");
        }
        times.add(Duration::from_secs(u64::MAX));
        assert!(times.quantile(1.0) > Some(Duration::from_secs(3600)));
    }
}
