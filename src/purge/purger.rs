//! Purging what is stored and what is on its way.

use super::departure::Departure;
use super::marks::{Marked, Marks, Verdict};
use super::pattern::{Candidate, Searcher};
use super::progress::Progress;
use super::reach::{Purged, Reach, Tally};
use super::selectors::Selectors;
use super::sweeper::{Left, Queue, Sweeper, Work};
use crate::key::CacheKey;
use crate::semantics::tags::Tags;
use crate::semantics::time::Moment;
use crate::storage::{Id, Memory, Name, Softening, StoredResponse, Wanted};
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

/// Purges the store, and whatever is in flight to it.
#[derive(Debug)]
pub struct Purger {
    marks: Marks,
    pub(super) memory: Arc<Memory>,
    progress: Progress,
    queue: Arc<Queue>,
}

/// As much is swept before a purge is answered; more is swept behind.
const SWEPT_AT_ONCE: usize = 512;
/// Stored responses that are looked at together.
pub(super) const SLICE: usize = 256;

impl Purger {
    /// A purger of this store.
    pub fn new(memory: Arc<Memory>) -> Purger {
        Purger {
            marks: Marks::default(),
            memory,
            progress: Progress::default(),
            queue: Arc::default(),
        }
    }

    /// Who gives back the space of what large purges meet; without one they keep
    /// it.
    pub fn sweeper(self: &Arc<Self>) -> Sweeper {
        Sweeper::new(self, &self.queue)
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
        self.marks.verdict_in_flight(key, tags, None, fence, |_| {})
    }

    /// Whether a purge since `fence` has named a URL with the path of this key: one that
    /// had not heard yet by which variance others answer for it has left no mark for them.
    pub fn named_near(&self, key: &CacheKey, fence: u64) -> bool {
        self.marks.named_near(key, fence)
    }

    /// What the purges that have been answered mean for a stored response. Costs two
    /// comparisons, however many purges come, and looks at marks at most once for
    /// each purge that sweeps behind its answer.
    pub fn judge_stored(&self, key: &CacheKey, stored: &StoredResponse) -> Verdict {
        if self.is_due(stored) {
            let verdict = self.show(key, stored);
            if matches!(verdict, Verdict::Hard { .. }) {
                return verdict;
            }
        }
        if let Some(number) = stored.gone() {
            return Verdict::Hard { number: number.get() };
        }
        match stored.softened().and_then(|_| stored.softening()) {
            Some(softening) => Verdict::Soft(softening),
            None => Verdict::Stands,
        }
    }

    /// Whether a purge may meet a stored response of which it doesn't know yet.
    fn is_due(&self, stored: &StoredResponse) -> bool {
        match stored.is_settled() {
            // Any other purge finds it, and is not answered before.
            true => self.progress.concerns(stored.checked()),
            false => stored.checked() < self.marks.last(),
        }
    }

    /// Whether no purge has met a stored response, and no mark has to be looked at to
    /// know that. If not, [`Purger::judge_stored`] tells more.
    pub fn plainly_stands(&self, stored: &StoredResponse) -> bool {
        !self.is_due(stored) && stored.gone().is_none() && stored.softened().is_none()
    }

    /// Shows a stored response to all marks; it notes what they mean, unless they
    /// forget it.
    fn show(&self, key: &CacheKey, stored: &StoredResponse) -> Verdict {
        let last = self.marks.last();
        let verdict = self.judge_by_marks(key, stored);
        if !matches!(verdict, Verdict::Hard { .. }) {
            stored.set_checked(last);
        }
        verdict
    }

    fn judge_by_marks(&self, key: &CacheKey, stored: &StoredResponse) -> Verdict {
        let (tags, fence) = (&stored.content().rare.tags, stored.content().fence);
        let note = |verdict: &Verdict| {
            if let Verdict::Soft(softening) = verdict {
                stored.soften(*softening);
            }
        };
        if stored.is_settled() {
            return self.marks.verdict(key, tags, fence, note);
        }
        let verdict = self.marks.verdict_in_flight(key, tags, Some(stored), fence, note);
        // Only now: a mark that could not be found any more counts by then.
        let number = self.marks.seen();
        match verdict {
            Verdict::Stands | Verdict::Soft(_) if number > stored.checked() => {
                Verdict::Hard { number }
            }
            _ => verdict,
        }
    }

    /// What the purges so far mean for a response that has just been stored, and
    /// may have been in flight when they came. To be asked while its
    /// [departure](Purger::depart) is still held: from then on every purge finds
    /// it by itself.
    pub fn settle(&self, key: &CacheKey, stored: &StoredResponse) -> Verdict {
        let verdict = self.show(key, stored);
        if !matches!(verdict, Verdict::Hard { .. }) {
            self.memory.settle(stored);
        }
        verdict
    }

    /// Purges. When this returns, the promise holds. Takes time in proportion to
    /// what is met, and to what is stored if a pattern has to be searched for: to
    /// be called where blocking is allowed, if that may be much.
    pub fn purge(&self, selectors: &Selectors, softness: Softness, at: Moment) -> Purged {
        self.purge_for(None, selectors, softness, at)
    }

    /// The same, once more for the purge with this number if there is one: its
    /// [undoing](Purger::undo) takes back both.
    pub fn purge_for(
        &self,
        purge: Option<u64>,
        selectors: &Selectors,
        softness: Softness,
        at: Moment,
    ) -> Purged {
        let reach = Reach::new(selectors);
        let (number, others) = self.mark(&reach, selectors, softness, at, purge);
        let mut tally = reach.tally();
        self.find(&reach, &others).for_each(|(place, ids)| tally.add(place, ids));
        let softening = Softening { at, number, purge: purge.or(Some(number)) };
        self.search(&reach, &mut tally, |key, stored| {
            let met = stored.content().fence < number;
            match softness {
                Softness::Hard if met => self.remove(key, stored, number),
                Softness::Soft if met => stored.soften(softening),
                Softness::Hard | Softness::Soft => {}
            }
            met
        });
        let all = if reach.is_everything() { self.memory.count() } else { 0 };
        let few = tally.met().len().max(all) <= SWEPT_AT_ONCE;
        let left = match reach.is_everything() {
            true => Left::Everything(0),
            false => Left::Found(tally.met().to_vec().into_iter()),
        };
        let mut work = Work { number, left };
        match few {
            true => while !self.sweep(&mut work) {},
            false => {
                self.fall_behind();
                self.queue.push(work);
            }
        }
        Purged { number, counts: reach.counts(tally, all) }
    }

    /// Takes back a soft purge: what it made stale, and no other purge has met, is
    /// as fresh as it was, and so is what was under way when it came. What the
    /// origin has confirmed or replaced meanwhile stays as it is. Returns how many
    /// stored responses have become fresh; none if there was no such soft purge, or
    /// it has been taken back. Takes time in proportion to what is stored.
    pub fn undo(&self, number: u64) -> usize {
        self.marks.undo(number);
        let mut undone = 0;
        self.slices(|ids| {
            let slice = self.memory.resolve(ids);
            undone += slice.iter().filter(|(_, _, stored)| stored.harden(number)).count();
        });
        undone
    }

    /// The number of marks that are remembered.
    pub fn marks(&self) -> usize {
        self.marks.count()
    }

    /// Purges whose space has not been given back yet.
    pub fn unswept(&self) -> usize {
        self.progress.unfinished()
    }

    /// Leaves the marks: those of the selectors, and those of the other keys under
    /// which what answers the targets may be stored. Returns the number, and these keys.
    ///
    /// The others are looked up when the first marks show: a response that is
    /// about to be stored under another key by a variance that was not known here
    /// sees that a URL near its own was [named](Purger::named_near), and is not.
    fn mark(
        &self,
        reach: &Reach<'_>,
        selectors: &Selectors,
        softness: Softness,
        at: Moment,
        purge: Option<u64>,
    ) -> (u64, Vec<(CacheKey, usize)>) {
        let names = reach.names();
        let marked = Marked { selectors, names: &names, softness, at, purge };
        let number = self.marks.mark(&marked, |number| self.progress.begin(number));
        let others = self.others(reach);
        if !others.is_empty() {
            let selectors = &Selectors::default();
            let names: Vec<Name> = others.iter().map(|(key, _)| Name::key(key)).collect();
            let purge = purge.or(Some(number));
            self.marks.mark(&Marked { selectors, names: &names, softness, at, purge }, |_| {});
        }
        (number, others)
    }

    /// The other keys under which what answers the targets may be stored, each with
    /// the place of the selector that it counts for.
    pub(super) fn others(&self, reach: &Reach<'_>) -> Vec<(CacheKey, usize)> {
        let variances = self.memory.variances();
        let of = |(key, place)| {
            let others = variances.others(key).map(|(_, other)| other);
            others.filter(move |other| other != key).map(move |other| (other, place))
        };
        let mut others: Vec<(CacheKey, usize)> = reach.keys().flat_map(of).collect();
        // Two queries may be stored under one key, which then counts once.
        others.sort_unstable_by_key(|(key, place)| (key.hash(), *place));
        others.dedup();
        others
    }

    /// What the selectors find that can be looked up, each with its place.
    pub(super) fn find(
        &self,
        reach: &Reach<'_>,
        others: &[(CacheKey, usize)],
    ) -> impl Iterator<Item = (usize, Vec<Id>)> {
        let others = others.iter().map(|(key, place)| (Wanted::Key(key), *place));
        let (wanted, places): (Vec<_>, Vec<_>) = reach.wanted().chain(others).unzip();
        places.into_iter().zip(self.memory.find(wanted.into_iter()))
    }

    /// Looks for patterns in everything that is stored, and adds what meets one and
    /// `takes`.
    pub(super) fn search(
        &self,
        reach: &Reach<'_>,
        tally: &mut Tally,
        mut takes: impl FnMut(&CacheKey, &Arc<StoredResponse>) -> bool,
    ) {
        let mut searchers: Vec<_> = reach.searchers().collect();
        if searchers.is_empty() {
            return;
        }
        self.slices(|ids| {
            for (id, key, stored) in self.memory.resolve(ids) {
                let tags = &stored.content().rare.tags;
                let candidate = Candidate::new(&key, tags, Some(&stored));
                let meets = |(searcher, place): &mut (Searcher<'_>, usize)| {
                    searcher.meets(&candidate).then_some(*place)
                };
                let met: Vec<usize> = searchers.iter_mut().filter_map(meets).collect();
                if !met.is_empty() && takes(&key, &stored) {
                    met.iter().for_each(|place| tally.add(*place, vec![id]));
                }
            }
        });
    }

    /// Shows the numbers of all that is stored, a slice at a time. What is stored
    /// meanwhile may be left out: it is judged by all marks when it is settled.
    pub(super) fn slices(&self, mut show: impl FnMut(&mut dyn Iterator<Item = Id>)) {
        let mut first = 0;
        while first < self.memory.end() {
            let next = first.saturating_add(SLICE as Id);
            show(&mut (first..next));
            first = next;
        }
    }

    /// What has been marked so far may be answered before it is swept: from now on
    /// it is looked at. A purge may have left marks with two numbers; so the last.
    fn fall_behind(&self) {
        self.progress.fall_behind(self.marks.last());
    }

    /// Shows a slice of what is left to the marks. Returns whether that was all.
    fn sweep(&self, work: &mut Work) -> bool {
        let slice = match &mut work.left {
            Left::Found(ids) => self.memory.resolve(ids.take(SLICE)),
            Left::Everything(first) => {
                let from = *first;
                *first = from.saturating_add(SLICE as Id);
                self.memory.resolve(from..*first)
            }
        };
        for (_, key, stored) in &slice {
            if let Verdict::Hard { number } = self.show(key, stored) {
                self.remove(key, stored, number);
            }
        }
        let is_done = match &work.left {
            Left::Found(ids) => ids.len() == 0,
            Left::Everything(first) => *first >= self.memory.end(),
        };
        if is_done {
            self.finish(work.number);
        }
        is_done
    }

    /// Sweeps a slice of what is left of the oldest purge. Returns whether there
    /// was any.
    pub(super) fn sweep_a_little(&self) -> bool {
        let Some(mut work) = self.queue.pop() else { return false };
        if !self.sweep(&mut work) {
            self.queue.put_back(work);
        }
        true
    }

    fn remove(&self, key: &CacheKey, stored: &Arc<StoredResponse>, number: u64) {
        // Somebody may hold it, who then is not found by any purge any more.
        stored.set_gone(number);
        self.memory.remove_one(key, stored);
    }

    /// Everything stored has been judged by the marks of a purge. Forgets the marks
    /// that nothing can meet any more.
    fn finish(&self, number: u64) {
        let finished = self.progress.finish(number, || self.last());
        let most = self.memory.share();
        self.marks.prune(self.marks.settled().min(finished), finished, most);
    }
}

impl Drop for Purger {
    fn drop(&mut self) {
        self.queue.close();
    }
}

#[cfg(test)]
#[path = "model.rs"]
mod model;
