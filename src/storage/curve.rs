//! What another size of the memory would give: the hit ratio by size, from a sample of
//! the keys that are asked for (SHARDS: Waldspurger and others, FAST 2015).
//!
//! Of every key it is settled by its hash whether it is in the sample. For one that is,
//! the bytes of the sampled keys that were asked for since it was asked for last tell how
//! large a memory would have it still, if the least recently asked for went first. What
//! really goes is chosen better than that, so this is an estimate from below.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// Hashes are looked at modulo this.
const ALL: u64 = 1 << 24;
/// At first one key in so many is in the sample.
const ONE_IN: u64 = 64;
/// The most keys in the sample; with more, every second one leaves it.
const MOST: usize = 8192;
/// With fewer nothing is said.
const LEAST: usize = 64;
/// Times at which sampled keys may have been asked for last, before these are numbered
/// anew.
const TIMES: usize = 4 * MOST;
/// Steps of the curve for each size of the memory, and how many sizes it goes up to.
const STEPS: usize = 8;
const SIZES: usize = 8;
/// After so many sampled requests what was counted counts half.
const FORGETS: f64 = 200_000.0;

/// The hit ratio by size.
#[derive(Debug)]
pub(super) struct Curve {
    /// Hashes below it are in the sample.
    threshold: AtomicU64,
    limit: u64,
    sample: Mutex<Sample>,
}

/// A point of the curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// The size, as a multiple of the limit.
    pub factor: f64,
    /// The share of requests for what can be stored that would be hits.
    pub hit_ratio: f64,
}

#[derive(Debug)]
struct Sample {
    /// When a key was asked for last, and what it weighs.
    last: HashMap<u64, (usize, u64)>,
    /// Bytes by that time: sums over a range take few steps (a Fenwick tree).
    sums: Vec<u64>,
    time: usize,
    /// Hits by the size that would have had them, in steps.
    hits: [f64; STEPS * SIZES],
    /// All requests.
    requests: f64,
}

impl Curve {
    /// One for a memory of so many bytes.
    pub fn new(limit: u64) -> Curve {
        let sample = Sample {
            last: HashMap::new(),
            sums: vec![0; TIMES + 1],
            time: 0,
            hits: [0.0; STEPS * SIZES],
            requests: 0.0,
        };
        Curve {
            threshold: AtomicU64::new(ALL / ONE_IN),
            limit: limit.max(1),
            sample: Mutex::new(sample),
        }
    }

    /// Notes that a key with this hash was asked for, and what its response weighs.
    /// Costs a comparison for nearly all; nobody waits.
    pub fn note(&self, hash: u128, bytes: impl FnOnce() -> u64) {
        let hash = (hash >> 64) as u64;
        let threshold = self.threshold.load(Ordering::Relaxed);
        if hash % ALL < threshold
            && let Some(mut sample) = self.sample.try_lock()
        {
            let rate = threshold as f64 / ALL as f64;
            sample.note(hash, bytes(), self.limit as f64 * rate);
            if sample.last.len() > MOST {
                self.threshold.store(threshold / 2, Ordering::Relaxed);
                sample.keep_below(threshold / 2);
            }
        }
    }

    /// The curve, at so many times the limit; nothing if too little is known.
    pub fn points(&self, factors: &[f64]) -> Vec<Point> {
        let sample = self.sample.lock();
        if sample.last.len() < LEAST || sample.requests < 1.0 {
            return Vec::new();
        }
        let ratio = |factor: f64| {
            let steps = (factor * STEPS as f64).round() as usize;
            sample.hits.iter().take(steps).sum::<f64>() / sample.requests
        };
        factors.iter().map(|factor| Point { factor: *factor, hit_ratio: ratio(*factor) }).collect()
    }
}

impl Sample {
    /// `limit` is that of the memory, as much as it is for the sample.
    fn note(&mut self, hash: u64, bytes: u64, limit: f64) {
        if self.requests >= FORGETS {
            self.scale(0.5);
        }
        self.requests += 1.0;
        if let Some((then, before)) = self.last.get(&hash).copied() {
            let since = self.sum(self.time) - self.sum(then);
            let step = (since + bytes) as f64 / limit * STEPS as f64;
            if let Some(hits) = self.hits.get_mut(step as usize) {
                *hits += 1.0;
            }
            self.add(then, before.wrapping_neg());
        }
        if self.time + 1 >= TIMES {
            self.last.remove(&hash);
            self.number_anew();
        }
        self.time += 1;
        self.add(self.time, bytes);
        self.last.insert(hash, (self.time, bytes));
    }

    /// Leaves out keys from this hash on; what was counted stands for as many fewer.
    fn keep_below(&mut self, threshold: u64) {
        self.last.retain(|hash, _| *hash % ALL < threshold);
        self.scale(0.5);
        self.number_anew();
    }

    fn scale(&mut self, factor: f64) {
        self.requests *= factor;
        self.hits.iter_mut().for_each(|hits| *hits *= factor);
    }

    /// Numbers the times from one on, in their order.
    fn number_anew(&mut self) {
        let mut all: Vec<_> = self.last.iter().map(|(hash, last)| (*last, *hash)).collect();
        all.sort_unstable();
        self.sums.fill(0);
        self.time = 0;
        for ((_, bytes), hash) in all {
            self.time += 1;
            self.add(self.time, bytes);
            self.last.insert(hash, (self.time, bytes));
        }
    }

    /// Bytes of all times up to this one.
    fn sum(&self, mut time: usize) -> u64 {
        let mut sum = 0u64;
        while time > 0 {
            sum = sum.wrapping_add(self.sums[time]);
            time &= time - 1;
        }
        sum
    }

    fn add(&mut self, mut time: usize, bytes: u64) {
        while time <= TIMES {
            self.sums[time] = self.sums[time].wrapping_add(bytes);
            time += time & time.wrapping_neg();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use xxhash_rust::xxh3::xxh3_128;

    fn hash(key: u32) -> u128 {
        xxh3_128(&key.to_be_bytes())
    }

    /// A draw in which a key is asked for the rarer the higher it is.
    fn draw(state: &mut u64, keys: u32) -> u32 {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let share = (*state >> 11) as f64 / (1u64 << 53) as f64;
        (f64::from(keys).powf(share)) as u32
    }

    /// The hit ratio of a real list, the least recently asked for going first.
    fn real(keys: u32, requests: u32, room: usize) -> f64 {
        let (mut state, mut time, mut hits) = (7, 0u64, 0);
        let (mut last, mut order) = (HashMap::new(), std::collections::BTreeMap::new());
        for _ in 0..requests {
            let key = draw(&mut state, keys);
            time += 1;
            if let Some(then) = last.insert(key, time) {
                hits += u32::from(order.remove(&then).is_some());
            }
            order.insert(time, key);
            if order.len() > room {
                order.pop_first();
            }
        }
        f64::from(hits) / f64::from(requests)
    }

    #[test]
    fn the_sample_tells_what_a_real_memory_would_have() {
        let (keys, requests, room) = (200_000, 500_000, 20_000);
        let curve = Curve::new(room as u64 * 100);
        let mut state = 7;
        for _ in 0..requests {
            curve.note(hash(draw(&mut state, keys)), || 100);
        }
        let told = curve.points(&[0.25, 0.5, 1.0, 2.0, 4.0]);
        for point in &told {
            let real = real(keys, requests, (room as f64 * point.factor) as usize);
            assert!((point.hit_ratio - real).abs() < 0.04, "{point:?}, really {real}");
        }
        assert!(told.windows(2).all(|pair| pair[0].hit_ratio <= pair[1].hit_ratio), "{told:?}");
        assert!(curve.sample.lock().last.len() <= MOST);
    }

    #[test]
    fn a_million_keys_leave_the_sample_bounded_and_few_say_nothing() {
        let curve = Curve::new(1000);
        for key in 0..20 {
            curve.note(hash(key), || 1);
        }
        assert_eq!(curve.points(&[1.0]), vec![]);
        for key in 0..1_500_000 {
            curve.note(hash(key), || 1);
        }
        let sample = curve.sample.lock();
        assert!(sample.last.len() <= MOST && sample.last.len() > MOST / 4, "{}", sample.last.len());
        assert!(curve.threshold.load(Ordering::Relaxed) < ALL / ONE_IN);
        drop(sample);
        // Nothing was asked for twice: no size would help.
        assert_eq!(curve.points(&[8.0])[0].hit_ratio, 0.0);
    }

    #[test]
    fn sums_are_those_of_a_plain_list() {
        let mut sample = Curve::new(1).sample.into_inner();
        let mut plain = vec![0; TIMES + 1];
        for number in 0..2000 {
            let (time, bytes) = (1 + number * 37 % TIMES, number as u64);
            sample.add(time, bytes);
            plain[time] += bytes;
        }
        for time in (0..=TIMES).step_by(997) {
            assert_eq!(sample.sum(time), plain[..=time].iter().sum::<u64>(), "{time}");
        }
    }
}
