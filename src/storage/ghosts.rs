//! What has lately been evicted before it was asked for again: only a hash of each.

use super::names::BuildPlain;
use std::collections::{HashSet, VecDeque};

/// Parts that each grow by themselves: a table of all would be moved at once.
const PARTS: usize = 64;

/// Hashes of what has been evicted, the latest only.
#[derive(Debug)]
pub(super) struct Ghosts {
    parts: Box<[Part]>,
}

/// Those whose hashes have the same highest bits, by the other half of the hash:
/// should two be confused, one is taken for known that isn't.
#[derive(Debug, Default)]
struct Part {
    known: HashSet<u32, BuildPlain>,
    /// In the order in which they came. One that has been taken stays here until it
    /// is the oldest.
    order: VecDeque<u32>,
}

impl Default for Ghosts {
    fn default() -> Ghosts {
        Ghosts { parts: (0..PARTS).map(|_| Part::default()).collect() }
    }
}

impl Ghosts {
    /// Remembers a hash, and about as many in all as `most`: the oldest go.
    pub fn add(&mut self, hash: u64, most: usize) {
        let Some(part) = self.parts.get_mut(Self::part(hash)) else { return };
        if part.known.insert(hash as u32) {
            part.order.push_back(hash as u32);
        }
        while part.order.len() > most.div_ceil(PARTS) {
            if let Some(oldest) = part.order.pop_front() {
                part.known.remove(&oldest);
            }
        }
    }

    /// Whether a hash is remembered; it isn't any more then.
    pub fn take(&mut self, hash: u64) -> bool {
        self.parts.get_mut(Self::part(hash)).is_some_and(|part| part.known.remove(&(hash as u32)))
    }

    fn part(hash: u64) -> usize {
        (hash >> 32) as usize % PARTS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::{BuildHasher, RandomState};

    #[test]
    fn the_latest_are_known_and_each_is_taken_once() {
        let (mut ghosts, hasher) = (Ghosts::default(), RandomState::new());
        let hash = |number: u64| hasher.hash_one(number);
        (0..100_000).for_each(|number| ghosts.add(hash(number), 10_000));
        let mut known = |from, to| (from..to).filter(|number| ghosts.take(hash(*number))).count();
        // Parts are not of quite the same size.
        assert!(known(92_000, 100_000) > 7_900);
        assert_eq!(known(0, 85_000), 0);
        assert_eq!(known(92_000, 100_000), 0);
        assert!(ghosts.parts.iter().all(|part| part.order.len() <= 157));
    }
}
