//! Purging what is stored and what is on its way.

use super::marks::{Departure, Marks, Verdict};
use crate::key::{BadTarget, CacheKey, Target};
use crate::semantics::tags::Tags;
use crate::semantics::time::Moment;
use crate::storage::{Fate, Memory, StoredResponse};
use parking_lot::{Mutex, MutexGuard};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether a purge forgets or makes stale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Softness {
    /// What is purged is never used again.
    #[default]
    Hard,
    /// What is purged is stale: it may be given out while it is validated.
    Soft,
}

/// A host and the beginning of a path, which ends where a segment ends:
/// `/blog` covers `/blog`, `/blog/1` and `/blog?page=2`, but not `/blogger`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Prefix {
    host: Box<str>,
    /// Without a slash at the end; empty for all of the host.
    path: Box<str>,
}

impl Prefix {
    /// Reads the prefix that a URL stands for; its scheme does not matter.
    ///
    /// # Errors
    /// [`BadTarget`], by what is wrong with the URL.
    pub fn from_url(url: &str) -> Result<Prefix, BadTarget> {
        Ok(Prefix::of(&Target::from_url(url)?))
    }

    fn of(target: &Target) -> Prefix {
        let path = target.path().trim_end_matches('/');
        Prefix { host: target.host().as_str().into(), path: path.into() }
    }

    /// Bytes of the path.
    pub(super) fn length(&self) -> usize {
        self.path.len()
    }

    /// Every prefix that covers a target and whose path is as long as one of
    /// these: the lengths that occur. A path may have thousands of slashes.
    pub(super) fn covering(target: &Target, lengths: &BTreeSet<usize>) -> Vec<Prefix> {
        let (host, path) = (target.host().as_str(), target.path());
        let whole = path.trim_end_matches('/').len();
        lengths
            .iter()
            .filter(|end| **end == whole || path.as_bytes().get(**end) == Some(&b'/'))
            .map(|end| Prefix { host: host.into(), path: path[..*end].into() })
            .collect()
    }
}

/// A group of one host's responses (RFC 9875 section 2.1). As with targets, a
/// purge covers both schemes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Group {
    host: Box<str>,
    name: Box<str>,
}

impl Group {
    /// The group with this name at the host of a target.
    pub fn at(target: &Target, name: &str) -> Group {
        Group { host: target.host().as_str().into(), name: name.into() }
    }

    /// The groups that a response with this target bears.
    pub(super) fn borne(target: &Target, tags: &Tags) -> impl Iterator<Item = Group> {
        tags.groups.iter().map(|name| Group::at(target, name))
    }
}

/// What to purge.
#[derive(Clone, Debug, Default)]
pub struct Selectors {
    /// These targets, every variant.
    pub keys: Vec<CacheKey>,
    /// What bears one of these tags.
    pub tags: Vec<Box<str>>,
    /// What bears one of these groups.
    pub groups: Vec<Group>,
    /// What lies below one of these.
    pub prefixes: Vec<Prefix>,
    /// All there is.
    pub everything: bool,
}

impl Selectors {
    /// One target, under both schemes.
    pub fn target(key: &CacheKey) -> Selectors {
        Selectors { keys: key.in_both_schemes().into(), ..Selectors::default() }
    }

    fn need_a_sweep(&self) -> bool {
        let named = !self.tags.is_empty() || !self.groups.is_empty() || !self.prefixes.is_empty();
        self.everything || named
    }
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

/// Marks of keys are forgotten when there are more than this.
const KEYS_BEFORE_PRUNING: usize = 1024;

/// Purges the store, and whatever is in flight to it.
#[derive(Debug)]
pub struct Purger {
    marks: Marks,
    memory: Arc<Memory>,
    /// One sweep at a time: each forgets marks for which it has seen everything.
    sweeping: Mutex<()>,
    /// A [`Sweep`] has been handed out and has not begun.
    sweep_due: AtomicBool,
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
        self.0.sweep(&alone, &Selectors::default(), Softness::Hard, &mut Counts::default());
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
        self.marks.verdict(key, tags, fence)
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
        self.marks.mark(selectors, softness, at);
        let mut counts = Counts {
            keys: vec![0; selectors.keys.len()],
            tags: vec![0; selectors.tags.len()],
            prefixes: vec![0; selectors.prefixes.len()],
            total: 0,
        };
        if selectors.need_a_sweep() {
            self.sweep(&self.sweeping.lock(), selectors, softness, &mut counts);
        } else {
            for (key, count) in selectors.keys.iter().zip(&mut counts.keys) {
                *count = self.purge_key(key, softness, at);
                counts.total += *count;
            }
            self.prune_keys();
        }
        counts
    }

    /// Forgets at once what an unsafe request has changed (RFC 9111 section
    /// 4.4): a hard purge that counts nothing, and does not wait for a sweep.
    /// The sweep that it needs is handed out, unless one is due already.
    pub fn invalidate(self: &Arc<Self>, selectors: &Selectors, at: Moment) -> Option<Sweep> {
        self.marks.mark(selectors, Softness::Hard, at);
        for key in &selectors.keys {
            self.memory.remove(key);
        }
        self.prune_keys();
        let due = selectors.need_a_sweep() && !self.sweep_due.swap(true, Ordering::AcqRel);
        due.then(|| Sweep(Arc::clone(self)))
    }

    fn prune_keys(&self) {
        if self.marks.of_keys() > KEYS_BEFORE_PRUNING {
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

    /// Judges everything that is stored by all marks so far, counts what these
    /// selectors meet, and forgets marks that have done their work.
    fn sweep(
        &self,
        _alone: &MutexGuard<'_, ()>,
        selectors: &Selectors,
        softness: Softness,
        counts: &mut Counts,
    ) {
        let settled = self.marks.settled();
        let meets = Meets::new(selectors);
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
    fn new(selectors: &'a Selectors) -> Meets<'a> {
        Meets {
            keys: selectors.keys.iter().enumerate().map(|(at, key)| (key, at)).collect(),
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
