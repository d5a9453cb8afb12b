//! The marks that purges leave, and the fences of what is in flight.

use super::purger::Softness;
use super::selectors::{Group, Prefix, Selectors};
use crate::key::CacheKey;
use crate::semantics::tags::Tags;
use crate::semantics::time::Moment;
use parking_lot::{Mutex, RwLock};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What the purges so far mean for a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing.
    Stands,
    /// It is stale since then; by the purge with this number.
    Soft {
        /// When it was purged.
        at: Moment,
        /// The purge's number.
        number: u64,
    },
    /// It is not to be used at all; by the purge with this number.
    Hard {
        /// The purge's number.
        number: u64,
    },
}

/// The newest purges of one selector: number of the hard one, number and time
/// of the soft one; zero for none.
#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    hard: u64,
    soft: u64,
    softened: Moment,
}

impl Mark {
    fn set(&mut self, number: u64, softness: Softness, at: Moment) {
        match softness {
            Softness::Hard => self.hard = number,
            Softness::Soft => (self.soft, self.softened) = (number, at),
        }
    }

    fn newest(&self) -> u64 {
        self.hard.max(self.soft)
    }
}

#[derive(Debug, Default)]
struct Table {
    everything: Mark,
    keys: HashMap<CacheKey, Mark>,
    tags: HashMap<Box<str>, Mark>,
    groups: HashMap<Group, Mark>,
    prefixes: HashMap<Prefix, Mark>,
    /// The lengths of their paths, in bytes.
    lengths: BTreeSet<usize>,
    /// Marks of keys up to this number may have been forgotten too soon: what
    /// left before, and is not stored yet, may have been met by one.
    forgotten: u64,
}

/// Marks of keys that are remembered while a fetch is under way that they may
/// meet; every unsafe request leaves two.
const MOST_KEYS: usize = 4096;

/// All marks, and the fences of all fetches in flight.
#[derive(Debug, Default)]
pub(super) struct Marks {
    counter: AtomicU64,
    table: RwLock<Table>,
    in_flight: Arc<Mutex<BTreeMap<u64, usize>>>,
}

impl Marks {
    /// The number of the last purge.
    pub fn last(&self) -> u64 {
        self.counter.load(Ordering::Acquire)
    }

    /// Notes that a request leaves for the origin.
    pub fn depart(&self) -> Departure {
        let mut in_flight = self.in_flight.lock();
        let fence = self.last();
        *in_flight.entry(fence).or_default() += 1;
        drop(in_flight);
        Departure { fence, in_flight: Arc::clone(&self.in_flight) }
    }

    /// Leaves marks under all these selectors, with one number.
    ///
    /// The number becomes visible only after the marks: who reads it will find
    /// them.
    pub fn mark(&self, selectors: &Selectors, softness: Softness, at: Moment) -> u64 {
        let mut table = self.table.write();
        let number = self.last() + 1;
        if selectors.everything {
            table.everything.set(number, softness, at);
        }
        for key in &selectors.keys {
            table.keys.entry(key.clone()).or_default().set(number, softness, at);
        }
        for tag in &selectors.tags {
            table.tags.entry(tag.clone()).or_default().set(number, softness, at);
        }
        for group in &selectors.groups {
            table.groups.entry(group.clone()).or_default().set(number, softness, at);
        }
        for prefix in &selectors.prefixes {
            table.prefixes.entry(prefix.clone()).or_default().set(number, softness, at);
            table.lengths.insert(prefix.length());
        }
        self.counter.store(number, Ordering::Release);
        number
    }

    /// What the purges after `fence` mean for a response with this key and
    /// these tags.
    pub fn verdict(&self, key: &CacheKey, tags: &Tags, fence: u64) -> Verdict {
        if self.last() == fence {
            return Verdict::Stands;
        }
        let table = self.table.read();
        let mut newest = table.everything;
        let mut take = |mark: Option<&Mark>| {
            let Some(mark) = mark else { return };
            newest.hard = newest.hard.max(mark.hard);
            if mark.soft > newest.soft {
                (newest.soft, newest.softened) = (mark.soft, mark.softened);
            }
        };
        take(table.keys.get(key));
        for tag in tags.global.iter() {
            take(table.tags.get(tag));
        }
        if !table.groups.is_empty() {
            for group in Group::borne(key.target(), tags) {
                take(table.groups.get(&group));
            }
        }
        for prefix in Prefix::covering(key.target(), &table.lengths) {
            take(table.prefixes.get(&prefix));
        }
        if newest.hard > fence {
            Verdict::Hard { number: newest.newest() }
        } else if newest.soft > fence {
            Verdict::Soft { at: newest.softened, number: newest.soft }
        } else {
            Verdict::Stands
        }
    }

    /// The same for a response that is not stored yet. The marks of keys, which it
    /// alone can meet, may have been too many to be remembered.
    pub fn verdict_in_flight(&self, key: &CacheKey, tags: &Tags, fence: u64) -> Verdict {
        let verdict = self.verdict(key, tags, fence);
        // Looked at after the marks: what is forgotten between the two is met here.
        let forgotten = self.table.read().forgotten;
        if forgotten <= fence {
            return verdict;
        }
        match verdict {
            Verdict::Stands => Verdict::Hard { number: forgotten },
            Verdict::Soft { number, .. } | Verdict::Hard { number } => {
                Verdict::Hard { number: number.max(forgotten) }
            }
        }
    }

    /// The number up to which every response is either stored or gone: no fetch
    /// that left before it is still in flight.
    pub fn settled(&self) -> u64 {
        let in_flight = self.in_flight.lock();
        in_flight.keys().next().copied().unwrap_or_else(|| self.last())
    }

    /// Forgets marks that nothing older than they are can meet any more.
    /// `swept` says that everything stored by then has been judged by all marks
    /// up to `settled`; marks of keys need no sweep.
    pub fn prune(&self, settled: u64, swept: bool) {
        let mut table = self.table.write();
        table.keys.retain(|_, mark| mark.newest() > settled);
        if table.keys.len() > MOST_KEYS {
            table.keys.clear();
            table.forgotten = self.last();
        }
        if swept {
            table.tags.retain(|_, mark| mark.newest() > settled);
            table.groups.retain(|_, mark| mark.newest() > settled);
            table.prefixes.retain(|_, mark| mark.newest() > settled);
            table.lengths = table.prefixes.keys().map(Prefix::length).collect();
        }
    }

    /// The number of marks.
    pub fn count(&self) -> usize {
        let table = self.table.read();
        table.keys.len() + table.tags.len() + table.groups.len() + table.prefixes.len()
    }

    /// The number of marks of keys, which are pruned without a sweep.
    pub fn of_keys(&self) -> usize {
        self.table.read().keys.len()
    }
}

/// A request on its way to the origin. Keep it until its response is stored or
/// dropped: as long as it lives, no mark that could meet it is forgotten.
#[derive(Debug)]
pub struct Departure {
    fence: u64,
    in_flight: Arc<Mutex<BTreeMap<u64, usize>>>,
}

impl Departure {
    /// The number of the last purge when the request left.
    pub fn fence(&self) -> u64 {
        self.fence
    }
}

impl Drop for Departure {
    fn drop(&mut self) {
        let mut in_flight = self.in_flight.lock();
        if let Some(count) = in_flight.get_mut(&self.fence) {
            *count -= 1;
            if *count == 0 {
                in_flight.remove(&self.fence);
            }
        }
    }
}
