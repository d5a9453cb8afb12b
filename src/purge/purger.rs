//! Purging what is stored and what is on its way.

use super::marks::{Departure, Marked, Marks, Verdict};
use super::reach::{Counts, Reach, content_type};
use super::selectors::Selectors;
use crate::key::CacheKey;
use crate::semantics::tags::Tags;
use crate::semantics::time::Moment;
use crate::storage::{Fate, Memory, Name, Softening, StoredResponse};
use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Whether a purge forgets or makes stale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Softness {
    /// What is purged is never used again.
    #[default]
    Hard,
    /// What is purged is stale: it may be given out while it is validated.
    Soft,
}

/// Bytes of marks that are kept for what is under way.
const MOST_MARKS: usize = 1 << 20;

/// What a purge has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Its number: every later purge has a higher one. A soft one is
    /// [undone](Purger::undo) by it.
    pub number: u64,
    /// What it has met.
    pub counts: Counts,
}

/// What a purge would meet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// How many stored responses.
    pub counts: Counts,
    /// Bytes that all of them together take in memory.
    pub bytes: u64,
}

/// Purges the store, and whatever is in flight to it.
#[derive(Debug)]
pub struct Purger {
    marks: Marks,
    memory: Arc<Memory>,
    /// The purges whose marks not everything stored has been judged by yet.
    unfinished: Mutex<BTreeSet<u64>>,
    /// Those of them that wait for the [`Sweep`] that has been handed out.
    due: Mutex<Vec<u64>>,
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
        // A mark left before this is seen below; one left after it has a sweep
        // of its own.
        let due = std::mem::take(&mut *self.0.due.lock());
        let nothing = Selectors::default();
        self.0.sweep(&mut Reach::new(&nothing), 0, Softness::Hard, Moment(0));
        self.0.finish(&due);
    }
}

impl Purger {
    /// A purger of this store.
    pub fn new(memory: Arc<Memory>) -> Purger {
        Purger {
            marks: Marks::default(),
            memory,
            unfinished: Mutex::default(),
            due: Mutex::default(),
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
        self.marks.verdict_in_flight(key, tags, None, fence)
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
                Verdict::Soft(softening) => stored.soften(softening),
                Verdict::Stands => {}
            }
            stored.set_checked(last);
        }
        match stored.softened().and_then(|_| stored.softening()) {
            Some(softening) => Verdict::Soft(softening),
            None => Verdict::Stands,
        }
    }

    /// What the purges so far mean for a response that has just been stored, and
    /// may have been in flight when they came. To be asked while its
    /// [departure](Purger::depart) is still held.
    pub fn settle(&self, key: &CacheKey, stored: &StoredResponse) -> Verdict {
        let (content, kind) = (stored.content(), Some(content_type(stored)));
        let verdict = self.marks.verdict_in_flight(key, &content.tags, kind, content.fence);
        if let Verdict::Soft(softening) = verdict {
            stored.soften(softening);
        }
        verdict
    }

    /// Purges. When this returns, the promise holds. Takes time in proportion to
    /// what is stored if anything but keys is named: to be called where blocking
    /// is allowed.
    pub fn purge(&self, selectors: &Selectors, softness: Softness, at: Moment) -> Purged {
        let mut reach = Reach::new(selectors);
        let number = self.mark(&mut reach, selectors, softness, at);
        if reach.is_keys_alone() {
            self.purge_keys(&mut reach, number, softness, at);
        } else {
            self.sweep(&mut reach, number, softness, at);
        }
        self.finish(&[number]);
        Purged { number, counts: reach.counts() }
    }

    /// What a purge would meet that came now. Changes nothing. Takes time in
    /// proportion to what is stored: to be called where blocking is allowed.
    pub fn preview(&self, selectors: &Selectors) -> Preview {
        let mut bytes = 0;
        let counts = self.visit(selectors, |_, stored| bytes += stored.weight() as u64);
        Preview { counts, bytes }
    }

    /// Shows every stored response that the selectors meet, and that has not been
    /// purged hard, with the key that it is stored under. Changes nothing; takes
    /// as long as a [preview](Purger::preview).
    pub fn visit(
        &self,
        selectors: &Selectors,
        mut show: impl FnMut(&CacheKey, &Arc<StoredResponse>),
    ) -> Counts {
        let mut reach = Reach::new(selectors);
        self.others(&mut reach);
        self.memory.visit(|key, stored| {
            let gone = matches!(self.judge_stored(key, stored), Verdict::Hard { .. });
            if !gone && reach.count(key, stored) {
                show(key, stored);
            }
        });
        reach.counts()
    }

    /// Takes back a soft purge: what it made stale, and no other purge has met, is
    /// as fresh as it was, and so is what was under way when it came. What the
    /// origin has confirmed or replaced meanwhile stays as it is. Returns how many
    /// stored responses have become fresh; none if there was no such soft purge, or
    /// it has been taken back. Takes time in proportion to what is stored.
    pub fn undo(&self, number: u64) -> usize {
        self.marks.undo(number);
        let mut undone = 0;
        self.memory.visit(|_, stored| undone += usize::from(stored.harden(number)));
        undone
    }

    /// Forgets at once what an unsafe request has changed (RFC 9111 section
    /// 4.4): a hard purge that counts nothing, and does not wait for a sweep.
    /// The sweep that it needs is handed out, unless one is due already.
    pub fn invalidate(self: &Arc<Self>, selectors: &Selectors, at: Moment) -> Option<Sweep> {
        let mut reach = Reach::new(selectors);
        let number = self.mark(&mut reach, selectors, Softness::Hard, at);
        for key in reach.every_key() {
            self.memory.remove(&key);
        }
        if reach.is_keys_alone() {
            self.finish(&[number]);
            return None;
        }
        let mut due = self.due.lock();
        due.push(number);
        (due.len() == 1).then(|| Sweep(Arc::clone(self)))
    }

    /// Everything stored has been judged by the marks of these purges. Forgets the
    /// marks that nothing can meet any more.
    fn finish(&self, purges: &[u64]) {
        let mut unfinished = self.unfinished.lock();
        purges.iter().for_each(|number| {
            unfinished.remove(number);
        });
        let judged = unfinished.first().map_or_else(|| self.last(), |first| first - 1);
        drop(unfinished);
        self.marks.prune(self.marks.settled().min(judged));
        self.marks.keep_most(MOST_MARKS, judged);
    }

    /// Leaves the marks: those of the selectors, and those of the other keys under
    /// which what answers the targets may be stored. Returns the number.
    ///
    /// The others are looked up when the first marks show: a response that is
    /// about to be stored under another key by a variance that was not known here
    /// sees that the counter has moved, and is not.
    fn mark(
        &self,
        reach: &mut Reach<'_>,
        selectors: &Selectors,
        softness: Softness,
        at: Moment,
    ) -> u64 {
        let names = reach.names();
        let marked = Marked { selectors, names: &names, softness, at, purge: None };
        let number = self.marks.mark(&marked, |number| {
            self.unfinished.lock().insert(number);
        });
        let others: Vec<Name> = self.others(reach).iter().map(Name::key).collect();
        if !others.is_empty() {
            let nothing = &Selectors::default();
            let purge = Some(number);
            let marked = Marked { selectors: nothing, names: &others, softness, at, purge };
            self.marks.mark(&marked, |_| {});
        }
        number
    }

    /// The other keys under which what answers the targets may be stored; each
    /// counts for its target from now on.
    fn others(&self, reach: &mut Reach<'_>) -> Vec<CacheKey> {
        let variances = self.memory.variances();
        let mut all = Vec::new();
        for (key, place) in reach.keys() {
            let others = variances.others(&key).into_iter().map(|(_, other)| other);
            for other in others.filter(|other| *other != key) {
                reach.name_also(&other, place);
                all.push(other);
            }
        }
        all
    }

    fn purge_keys(&self, reach: &mut Reach<'_>, number: u64, softness: Softness, at: Moment) {
        for key in reach.every_key() {
            let Some(slot) = self.memory.get(&key) else { continue };
            let met = |stored: &&Arc<StoredResponse>| stored.content().fence < number;
            for stored in slot.variants().iter().filter(met) {
                reach.count(&key, stored);
                match softness {
                    Softness::Hard => self.memory.remove_one(&key, stored),
                    Softness::Soft => stored.soften(Softening { at, number, purge: Some(number) }),
                }
            }
        }
    }

    /// Judges everything that is stored by all marks so far, counts what the
    /// selectors meet, and forgets marks that have done their work.
    fn sweep(&self, reach: &mut Reach<'_>, number: u64, softness: Softness, at: Moment) {
        self.memory.sweep(|key, stored| {
            let gone = matches!(self.judge_stored(key, stored), Verdict::Hard { .. });
            let met = stored.content().fence < number && reach.count(key, stored);
            match softness {
                Softness::Soft if met => {
                    stored.soften(Softening { at, number, purge: Some(number) });
                }
                Softness::Hard if met => return Fate::Remove,
                Softness::Soft | Softness::Hard => {}
            }
            if gone { Fate::Remove } else { Fate::Keep }
        });
    }

    /// The number of marks that are remembered.
    pub fn marks(&self) -> usize {
        self.marks.count()
    }
}
