//! What a purge would meet, without purging.

use super::marks::Verdict;
use super::purger::{Purger, SLICE};
use super::reach::{Counts, Preview, Reach};
use super::selectors::Selectors;
use crate::key::CacheKey;
use crate::storage::{Id, StoredResponse};
use std::sync::Arc;

impl Purger {
    /// What a purge would meet that came now. Changes nothing. Takes time in
    /// proportion to what is met, and to what is stored if that is everything or a
    /// pattern has to be searched for: to be called where blocking is allowed.
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
        let reach = Reach::new(selectors);
        let others = self.others(&reach);
        let is_there = |key: &CacheKey, stored: &StoredResponse| {
            !matches!(self.judge_stored(key, stored), Verdict::Hard { .. })
        };
        let mut tally = reach.tally();
        for (place, ids) in self.find(&reach, &others) {
            for ids in ids.chunks(SLICE) {
                let slice = self.memory.resolve(ids.iter().copied());
                let there = slice.iter().filter(|(_, key, stored)| is_there(key, stored));
                tally.add(place, there.map(|(id, ..)| *id).collect());
            }
        }
        self.search(&reach, &mut tally, |key, stored| is_there(key, stored));
        let mut all = 0;
        let mut shown = |ids: &mut dyn Iterator<Item = Id>| {
            for (_, key, stored) in self.memory.resolve(ids) {
                if is_there(&key, &stored) {
                    all += 1;
                    show(&key, &stored);
                }
            }
        };
        if reach.is_everything() {
            self.slices(|ids| shown(ids));
        } else {
            tally.met().chunks(SLICE).for_each(|ids| shown(&mut ids.iter().copied()));
        }
        reach.counts(tally, all)
    }
}
