//! The marks that purges leave, and the fences of what is in flight.

use super::departure::{Departure, InFlight};
use super::pattern::{Candidate, Pattern};
use super::purger::Softness;
use super::selectors::{Prefix, Selectors};
use crate::key::CacheKey;
use crate::semantics::tags::Tags;
use crate::semantics::time::Moment;
use crate::storage::{BuildPlain, Name, Softening, StoredResponse};
use parking_lot::RwLock;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};

/// The most patterns that what lands is searched for. Beyond it the oldest are forgotten, and
/// what left for the origin before them is not stored.
const MOST_PATTERNS: usize = 64;

/// What the purges so far mean for a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing.
    Stands,
    /// It is stale since then.
    Soft(Softening),
    /// It is not to be used at all; by the purge with this number.
    Hard {
        /// The purge's number.
        number: u64,
    },
}

impl Verdict {
    /// The number of the last purge that says so; zero if none does.
    pub fn number(&self) -> u64 {
        match self {
            Verdict::Stands => 0,
            Verdict::Soft(Softening { number, .. }) | Verdict::Hard { number } => *number,
        }
    }
}

/// The newest purges of one selector: the number of the hard one, or zero, and
/// the soft ones.
#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    hard: u64,
    soft: Option<Softening>,
}

impl Mark {
    fn set(&mut self, number: u64, soft: Option<Softening>) {
        match soft {
            Some(soft) => {
                // An earlier one may be all that meets a response, and is not to be taken
                // back with this one.
                let alone = self.soft.is_none_or(|earlier| earlier.purge == soft.purge);
                let purge = soft.purge.filter(|_| alone);
                self.soft = Some(Softening { purge, ..soft });
            }
            None => self.hard = number,
        }
    }

    fn newest(&self) -> u64 {
        self.hard.max(self.soft.map_or(0, |soft| soft.number))
    }
}

#[derive(Debug, Default)]
struct Table {
    everything: Mark,
    named: HashMap<Name, Mark, BuildPlain>,
    /// The names in the order in which they were marked, each with its number.
    order: VecDeque<(u64, Name)>,
    /// The lengths of the paths of prefixes, in bytes, each with its last number.
    lengths: BTreeMap<usize, u64>,
    /// Looked for in what is stored before their purge is answered, and then in
    /// what lands.
    patterns: VecDeque<(u64, Option<Softening>, Pattern)>,
    /// Bytes that they take.
    searched: usize,
    /// Marks up to this number may have been forgotten too soon: what left before,
    /// and is not stored yet, may have been met by one.
    forgotten: u64,
    /// Marks up to this number may be forgotten: what is stored has seen them, and
    /// what is under way left later.
    seen: u64,
}

/// All marks, and the fences of all fetches in flight.
#[derive(Debug, Default)]
pub(super) struct Marks {
    counter: AtomicU64,
    table: RwLock<Table>,
    in_flight: InFlight,
}

impl Marks {
    /// The number of the last purge.
    pub fn last(&self) -> u64 {
        self.counter.load(Ordering::Acquire)
    }

    /// Notes that a request leaves for the origin.
    pub fn depart(&self) -> Departure {
        self.in_flight.depart(|| self.last())
    }

    /// Leaves marks under all these names, with one number; for the purge with
    /// that number, or with an earlier one. `begun` is told the number before
    /// anybody else can see it.
    ///
    /// The number becomes visible only after the marks: who reads it will find
    /// them.
    pub fn mark(&self, what: &Marked<'_>, begun: impl FnOnce(u64)) -> u64 {
        let mut table = self.table.write();
        let number = self.last() + 1;
        let purge = Some(what.purge.unwrap_or(number));
        let soft = match what.softness {
            Softness::Hard => None,
            Softness::Soft => Some(Softening { at: what.at, number, purge }),
        };
        if what.selectors.everything {
            table.everything.set(number, soft);
        }
        for name in what.names {
            table.named.entry(*name).or_default().set(number, soft);
            table.order.push_back((number, *name));
        }
        for prefix in &what.selectors.prefixes {
            table.lengths.insert(prefix.length(), number);
        }
        for pattern in &what.selectors.patterns {
            match pattern.same() {
                Some(same) => {
                    if same.everything {
                        table.everything.set(number, soft);
                    }
                    let lengths = same.prefixes.iter().map(|prefix| (prefix.length(), number));
                    table.lengths.extend(lengths);
                }
                None => table.add_pattern(number, soft, pattern),
            }
        }
        begun(number);
        self.counter.store(number, Ordering::Release);
        number
    }

    /// What the purges after `fence` mean for a response with this key and
    /// these tags; patterns aside.
    /// `note` is told before any of them can be taken back.
    pub fn verdict(
        &self,
        key: &CacheKey,
        tags: &Tags,
        fence: u64,
        note: impl FnOnce(&Verdict),
    ) -> Verdict {
        if self.last() == fence {
            return Verdict::Stands;
        }
        let table = self.table.read();
        let verdict = Met::by_names(&table, key, tags, fence).verdict();
        note(&verdict);
        verdict
    }

    /// The same for a response that is not stored yet, or has just been: patterns
    /// are looked for in it, and marks that it alone can meet may have been too
    /// many to be remembered. `stored` is `None` if little is known of it yet.
    pub fn verdict_in_flight(
        &self,
        key: &CacheKey,
        tags: &Tags,
        stored: Option<&StoredResponse>,
        fence: u64,
        note: impl FnOnce(&Verdict),
    ) -> Verdict {
        if self.last() == fence {
            return Verdict::Stands;
        }
        let candidate = Candidate::new(key, tags, stored);
        let (mut searched, mut found) = (fence, Vec::new());
        let table = loop {
            let table = self.table.read();
            let more = table.patterns.iter().filter(|(number, ..)| *number > searched);
            let more: Vec<_> =
                more.map(|(number, _, pattern)| (*number, pattern.clone())).collect();
            let Some((last, _)) = more.last() else { break table };
            // To search takes its time, and whoever purges or lands would wait.
            drop(table);
            searched = *last;
            found.extend(more.iter().filter_map(|(number, pattern)| {
                let is_met = pattern.searcher()?.meets(&candidate);
                is_met.then_some(*number)
            }));
        };
        let mut met = Met::by_names(&table, key, tags, fence);
        // One that has been taken back meanwhile is not there any more.
        for (number, soft, _) in table.patterns.iter().filter(|(number, ..)| found.contains(number))
        {
            let hard = if soft.is_none() { *number } else { 0 };
            met.take(&Mark { hard, soft: *soft });
        }
        if table.forgotten > fence {
            met.hard = met.hard.max(table.forgotten);
        }
        let verdict = met.verdict();
        note(&verdict);
        verdict
    }

    /// Whether a purge after `fence` has named a URL with the path of this key, or may have.
    pub fn named_near(&self, key: &CacheKey, fence: u64) -> bool {
        // Under the lock, so that a purge that leaves its marks later sees whatever was
        // done before this.
        let table = self.table.read();
        let newest = table.named.get(&Name::near(key)).map_or(0, Mark::newest);
        newest.max(table.forgotten) > fence
    }

    /// Marks up to this number may be forgotten, and with them what they mean for a
    /// response that nobody finds: one that was stored and is not any more.
    pub fn seen(&self) -> u64 {
        self.table.read().seen
    }

    /// The number up to which every response is either stored or gone: no fetch
    /// that left before it is still in flight.
    pub fn settled(&self) -> u64 {
        self.in_flight.lowest(|| self.last())
    }

    /// Forgets the marks up to `number`: nothing older than they are can meet them
    /// any more. If the rest takes more than `most` bytes, the oldest are forgotten
    /// too, of those up to `finished`, which only fetches under way may meet: what
    /// comes of those that left before a mark that was forgotten is not stored.
    pub fn prune(&self, number: u64, finished: u64, most: usize) {
        let mut table = self.table.write();
        while table.drop_oldest(number).is_some() {}
        while table.weight() > most
            && let Some(forgotten) = table.drop_oldest(finished)
        {
            table.forgotten = table.forgotten.max(forgotten);
        }
        let number = number.max(table.forgotten);
        table.seen = table.seen.max(number);
        table.lengths.retain(|_, last| *last > number);
        table.give_back();
    }

    /// Takes back what a soft purge has marked and no other since.
    pub fn undo(&self, purge: u64) {
        let mut table = self.table.write();
        let is_its = |soft: &Option<Softening>| soft.is_some_and(|soft| soft.purge == Some(purge));
        table.patterns.retain(|(_, soft, _)| !is_its(soft));
        table.searched = table.patterns.iter().map(|(.., pattern)| pattern.weight()).sum();
        let named = table.named.values_mut().filter(|mark| is_its(&mark.soft));
        named.for_each(|mark| mark.soft = None);
        if is_its(&table.everything.soft) {
            table.everything.soft = None;
        }
    }

    /// The number of marks.
    pub fn count(&self) -> usize {
        let table = self.table.read();
        table.named.len() + table.patterns.len()
    }
}

/// What is to be marked.
pub(super) struct Marked<'a> {
    pub selectors: &'a Selectors,
    /// Of the selectors and all that they stand for.
    pub names: &'a [Name],
    pub softness: Softness,
    pub at: Moment,
    /// The purge that has marked something already.
    pub purge: Option<u64>,
}

/// Bytes of a mark: in the table, of which a part is empty, and in the order.
const PER_MARK: usize = 2 * size_of::<(Name, Mark)>() + 2 * size_of::<(u64, Name)>();

impl Table {
    /// Forgets the mark that is the oldest, if its number is not above this one.
    /// Returns its number.
    fn drop_oldest(&mut self, number: u64) -> Option<u64> {
        let named = self.order.front().map_or(u64::MAX, |(first, _)| *first);
        let pattern = self.patterns.front().map_or(u64::MAX, |(first, ..)| *first);
        let oldest = named.min(pattern);
        if oldest == u64::MAX || oldest > number {
            return None;
        }
        if pattern == oldest {
            return self.drop_pattern();
        }
        // Marked again since then, it is further behind as well.
        if let Some((_, name)) = self.order.pop_front()
            && self.named.get(&name).is_some_and(|mark| mark.newest() <= oldest)
        {
            self.named.remove(&name);
        }
        Some(oldest)
    }

    fn add_pattern(&mut self, number: u64, soft: Option<Softening>, pattern: &Pattern) {
        self.searched += pattern.weight();
        self.patterns.push_back((number, soft, pattern.clone()));
        if self.patterns.len() > MOST_PATTERNS
            && let Some(forgotten) = self.drop_pattern()
        {
            self.forgotten = self.forgotten.max(forgotten);
        }
    }

    /// Forgets the oldest pattern. Returns its number.
    fn drop_pattern(&mut self) -> Option<u64> {
        let (number, _, pattern) = self.patterns.pop_front()?;
        self.searched -= pattern.weight();
        Some(number)
    }

    fn weight(&self) -> usize {
        self.order.len() * PER_MARK + self.searched
    }

    /// Gives back the room that many marks have taken and few need.
    fn give_back(&mut self) {
        let enough = self.order.len().max(1024);
        if self.order.capacity() > enough * 4 {
            self.order.shrink_to(enough);
        }
        if self.named.capacity() > enough * 4 {
            self.named.shrink_to(enough);
        }
    }
}

/// The marks after a fence that meet one response.
struct Met {
    fence: u64,
    hard: u64,
    soft: Option<Softening>,
}

impl Met {
    fn by_names(table: &Table, key: &CacheKey, tags: &Tags, fence: u64) -> Met {
        let mut met = Met { fence, hard: 0, soft: None };
        met.take(&table.everything);
        if table.named.is_empty() {
            return met;
        }
        let target = key.target();
        let host = target.host();
        let prefixes = Prefix::covering(target, table.lengths.keys());
        [Name::key(key), Name::host(host), Name::path(host, target.path())]
            .into_iter()
            .chain(Name::borne(target, tags))
            .chain(prefixes)
            .filter_map(|name| table.named.get(&name))
            .for_each(|mark| met.take(mark));
        met
    }

    fn take(&mut self, mark: &Mark) {
        self.hard = self.hard.max(mark.hard);
        if let Some(soft) = mark.soft.filter(|soft| soft.number > self.fence) {
            self.soft = Some(soft.with(self.soft));
        }
    }

    fn verdict(&self) -> Verdict {
        match self.soft {
            _ if self.hard > self.fence => {
                Verdict::Hard { number: self.hard.max(self.soft.map_or(0, |soft| soft.number)) }
            }
            Some(soft) => Verdict::Soft(soft),
            None => Verdict::Stands,
        }
    }
}

#[cfg(test)]
#[path = "marks_tests.rs"]
mod tests;
