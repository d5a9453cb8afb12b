//! Purging what is stored and what is on its way.

use super::marks::{Departure, Marks, Verdict};
use super::selectors::{Group, Prefix, Selectors};
use crate::key::CacheKey;
use crate::semantics::tags::Tags;
use crate::semantics::time::Moment;
use crate::storage::{Fate, Memory, StoredResponse};
use parking_lot::{Mutex, MutexGuard};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Whether a purge forgets or makes stale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Softness {
    /// What is purged is never used again.
    #[default]
    Hard,
    /// What is purged is stale: it may be given out while it is validated.
    Soft,
}

/// How many stored responses a purge has met. One that several selectors meet
/// counts for each of them, and once in the total.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// In all.
    pub total: usize,
    /// For each of [`Selectors::keys`].
    pub keys: Vec<usize>,
    /// For each of [`Selectors::tags`].
    pub tags: Vec<usize>,
    /// For each of [`Selectors::prefixes`].
    pub prefixes: Vec<usize>,
}

/// Marks of keys are forgotten when there are more than this, one purge in so
/// many: a fetch under way may keep them, and looking through them costs time.
const KEYS_BEFORE_PRUNING: usize = 1024;
const PURGES_BEFORE_PRUNING: u64 = 64;

/// Purges the store, and whatever is in flight to it.
#[derive(Debug)]
pub struct Purger {
    marks: Marks,
    memory: Arc<Memory>,
    /// One sweep at a time: each forgets marks for which it has seen everything.
    sweeping: Mutex<()>,
    /// A [`Sweep`] has been handed out and has not begun.
    sweep_due: AtomicBool,
    /// The number of the last purge after which marks of keys were looked through.
    pruned: AtomicU64,
}

/// The sweep that gives back the space of what an [invalidation](Purger::invalidate)
/// has forgotten.
#[derive(Debug)]
#[must_use = "what was forgotten keeps its space until it is run"]
pub struct Sweep(Arc<Purger>);

impl Sweep {
    /// Takes time in proportion to what is stored: to be called where blocking
    /// is allowed.
    pub fn run(self) {
        let alone = self.0.sweeping.lock();
        // A mark left before this is seen below; one left after it has a sweep
        // of its own.
        self.0.sweep_due.swap(false, Ordering::AcqRel);
        let nothing = Selectors::default();
        let meets = Meets::new(&nothing, &[]);
        self.0.sweep(&alone, &meets, Softness::Hard, &mut Counts::default());
    }
}

impl Purger {
    /// A purger of this store.
    pub fn new(memory: Arc<Memory>) -> Purger {
        Purger {
            marks: Marks::default(),
            memory,
            sweeping: Mutex::default(),
            sweep_due: AtomicBool::new(false),
            pruned: AtomicU64::new(0),
        }
    }

    /// Notes that a request leaves for the origin now.
    pub fn depart(&self) -> Departure {
        self.marks.depart()
    }

    /// The number of the last purge.
    pub fn last(&self) -> u64 {
        self.marks.last()
    }

    /// What the purges since `fence` mean for a response that is not stored yet.
    pub fn judge(&self, key: &CacheKey, tags: &Tags, fence: u64) -> Verdict {
        self.marks.verdict_in_flight(key, tags, fence)
    }

    /// What the purges so far mean for a stored response. Costs one comparison
    /// while nothing has been purged since it was last asked.
    pub fn judge_stored(&self, key: &CacheKey, stored: &StoredResponse) -> Verdict {
        let last = self.marks.last();
        if stored.checked() < last {
            let content = stored.content();
            let verdict = self.marks.verdict(key, &content.tags, content.fence);
            match verdict {
                Verdict::Hard { .. } => return verdict,
                Verdict::Soft { at, .. } => stored.soften(at),
                Verdict::Stands => {}
            }
            stored.set_checked(last);
        }
        match stored.softened() {
            Some(at) => Verdict::Soft { at, number: stored.checked() },
            None => Verdict::Stands,
        }
    }

    /// Purges. When this returns, the promise holds, and what was removed has
    /// given back its space. Takes time in proportion to what is stored if
    /// there are tags or prefixes: to be called where blocking is allowed.
    pub fn purge(&self, selectors: &Selectors, softness: Softness, at: Moment) -> Counts {
        let keys = self.mark(selectors, softness, at);
        let mut counts = Counts {
            keys: vec![0; selectors.keys.len()],
            tags: vec![0; selectors.tags.len()],
            prefixes: vec![0; selectors.prefixes.len()],
            total: 0,
        };
        if selectors.need_a_sweep() {
            let meets = Meets::new(selectors, &keys);
            self.sweep(&self.sweeping.lock(), &meets, softness, &mut counts);
        } else {
            for (key, of) in &keys {
                let count = self.purge_key(key, softness, at);
                counts.keys[*of] += count;
                counts.total += count;
            }
            self.prune_keys();
        }
        counts
    }

    /// Forgets at once what an unsafe request has changed (RFC 9111 section
    /// 4.4): a hard purge that counts nothing, and does not wait for a sweep.
    /// The sweep that it needs is handed out, unless one is due already.
    pub fn invalidate(self: &Arc<Self>, selectors: &Selectors, at: Moment) -> Option<Sweep> {
        for (key, _) in self.mark(selectors, Softness::Hard, at) {
            self.memory.remove(&key);
        }
        self.prune_keys();
        let due = selectors.need_a_sweep() && !self.sweep_due.swap(true, Ordering::AcqRel);
        due.then(|| Sweep(Arc::clone(self)))
    }

    /// Leaves the marks. Returns the keys that were marked, each with its place
    /// among the selectors: those of the targets, and the others under which what
    /// answers them may be stored.
    ///
    /// The others are looked up when the first marks show: a response that is
    /// about to be stored under another key by a variance that was not known here
    /// sees that the counter has moved, and is not.
    fn mark(
        &self,
        selectors: &Selectors,
        softness: Softness,
        at: Moment,
    ) -> Vec<(CacheKey, usize)> {
        self.marks.mark(selectors, softness, at);
        let targets = || selectors.keys.iter().cloned().zip(0..);
        let variances = self.memory.variances();
        let mut others: Vec<(CacheKey, usize)> = Vec::new();
        for (key, of) in targets() {
            let equivalent = variances.others(&key).into_iter().map(|(_, other)| other);
            others.extend(equivalent.filter(|other| *other != key).map(|other| (other, of)));
        }
        if !others.is_empty() {
            let keys = others.iter().map(|(key, _)| key.clone()).collect();
            self.marks.mark(&Selectors { keys, ..Selectors::default() }, softness, at);
        }
        targets().chain(others).collect()
    }

    fn prune_keys(&self) {
        let last = self.last();
        let since = last.saturating_sub(self.pruned.load(Ordering::Relaxed));
        if since >= PURGES_BEFORE_PRUNING && self.marks.of_keys() > KEYS_BEFORE_PRUNING {
            self.pruned.store(last, Ordering::Relaxed);
            self.marks.prune(self.marks.settled(), false);
        }
    }

    fn purge_key(&self, key: &CacheKey, softness: Softness, at: Moment) -> usize {
        match softness {
            Softness::Hard => self.memory.remove(key),
            Softness::Soft => self.memory.get(key).map_or(0, |slot| {
                slot.variants().iter().for_each(|stored| stored.soften(at));
                slot.variants().len()
            }),
        }
    }

    /// Judges everything that is stored by all marks so far, counts what the
    /// selectors meet, and forgets marks that have done their work.
    fn sweep(
        &self,
        _alone: &MutexGuard<'_, ()>,
        meets: &Meets<'_>,
        softness: Softness,
        counts: &mut Counts,
    ) {
        let settled = self.marks.settled();
        self.memory.sweep(|key, stored| {
            let verdict = self.judge_stored(key, stored);
            let soft = softness == Softness::Soft;
            let met = match verdict {
                Verdict::Hard { .. } => true,
                Verdict::Soft { .. } => soft,
                Verdict::Stands => false,
            };
            if met {
                meets.count(key, stored, counts);
            }
            if matches!(verdict, Verdict::Hard { .. }) { Fate::Remove } else { Fate::Keep }
        });
        self.marks.prune(settled, true);
    }

    /// The number of marks that are remembered.
    pub fn marks(&self) -> usize {
        self.marks.count()
    }
}

/// The selectors, laid out for looking them up.
struct Meets<'a> {
    keys: HashMap<&'a CacheKey, usize>,
    tags: HashMap<&'a str, usize>,
    groups: HashSet<&'a Group>,
    prefixes: HashMap<&'a Prefix, usize>,
    lengths: BTreeSet<usize>,
    everything: bool,
}

impl<'a> Meets<'a> {
    fn new(selectors: &'a Selectors, keys: &'a [(CacheKey, usize)]) -> Meets<'a> {
        Meets {
            keys: keys.iter().map(|(key, of)| (key, *of)).collect(),
            tags: selectors.tags.iter().enumerate().map(|(at, tag)| (&**tag, at)).collect(),
            groups: selectors.groups.iter().collect(),
            prefixes: selectors.prefixes.iter().enumerate().map(|(at, p)| (p, at)).collect(),
            lengths: selectors.prefixes.iter().map(Prefix::length).collect(),
            everything: selectors.everything,
        }
    }

    fn count(&self, key: &CacheKey, stored: &StoredResponse, counts: &mut Counts) {
        let mut met = self.everything;
        if let Some(at) = self.keys.get(key) {
            counts.keys[*at] += 1;
            met = true;
        }
        let tags = &stored.content().tags;
        for tag in tags.global.iter() {
            if let Some(at) = self.tags.get(&**tag) {
                counts.tags[*at] += 1;
                met = true;
            }
        }
        if !self.groups.is_empty() {
            met |= Group::borne(key.target(), tags).any(|group| self.groups.contains(&group));
        }
        if !self.prefixes.is_empty() {
            for prefix in Prefix::covering(key.target(), &self.lengths) {
                if let Some(at) = self.prefixes.get(&prefix) {
                    counts.prefixes[*at] += 1;
                    met = true;
                }
            }
        }
        counts.total += usize::from(met);
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
