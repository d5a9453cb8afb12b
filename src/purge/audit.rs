//! The record of purges: who, what, when, how many.

use super::named::Named;
use super::purger::Softness;
use super::refill::Refill;
use super::selectors::Selectors;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

/// Purges that are remembered: so many of operators, and so many of the app's own,
/// which may come with every request.
pub const MOST: usize = 1000;

/// What the app itself says in an answer, as [`Made::via`] calls it.
pub const IN_BAND: &str = "in-band";

/// A purge, as whoever has made it tells of it.
#[derive(Clone, Debug)]
pub struct Made<'a> {
    /// The name of a token, or an address.
    pub by: &'a str,
    /// Where it came from; the app, if it was said in an answer.
    pub peer: IpAddr,
    /// The way it came: `api`, [`IN_BAND`], or the name of a dialect.
    pub via: &'static str,
    /// When.
    pub at: SystemTime,
    /// What.
    pub selectors: &'a Selectors,
    /// How.
    pub softness: Softness,
    /// The number by which the purger knows it, and by which it is undone.
    pub purge: Option<u64>,
    /// How many stored responses it met, if they were counted.
    pub purged: Option<usize>,
    /// What is fetched again because of it.
    pub refill: Option<Arc<Refill>>,
}

/// A purge that was made.
#[derive(Debug)]
pub struct Record {
    /// Its place among all purges since the start, from 1 on.
    pub number: u64,
    /// See [`Made::by`].
    pub by: Box<str>,
    /// See [`Made::peer`].
    pub peer: IpAddr,
    /// See [`Made::via`].
    pub via: &'static str,
    /// When.
    pub at: SystemTime,
    /// What, as far as it is remembered.
    pub named: Named,
    /// How.
    pub softness: Softness,
    /// The number by which the purger knows it, and by which it is undone.
    pub purge: Option<u64>,
    /// How many stored responses it met, if they were counted.
    pub purged: Option<usize>,
    /// What is fetched again because of it.
    pub refill: Option<Arc<Refill>>,
    undone: AtomicBool,
}

impl Record {
    /// Whether it has been undone.
    pub fn is_undone(&self) -> bool {
        self.undone.load(Ordering::Acquire)
    }

    /// Notes that it has been undone. Returns whether it had not been before.
    pub fn undo(&self) -> bool {
        !self.undone.swap(true, Ordering::AcqRel)
    }
}

/// The last purges, in memory: two rings of [`MOST`], with a KiB of text for each purge at most, so
/// about 2.5 MiB.
#[derive(Debug, Default)]
pub struct Audit(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    last: u64,
    /// Those of operators and of the app, oldest first.
    rings: [VecDeque<Arc<Record>>; 2],
}

impl Audit {
    /// Writes a purge down, here and in the log, and numbers it.
    pub fn record(&self, made: Made<'_>) -> Arc<Record> {
        let Made { by, peer, via, at, selectors, softness, purge, purged, refill } = made;
        let named = Named::of(selectors);
        let mut kept = self.0.lock();
        kept.last += 1;
        let record = Arc::new(Record {
            number: kept.last,
            by: by.into(),
            peer,
            via,
            at,
            named,
            softness,
            purge,
            purged,
            refill,
            undone: AtomicBool::new(false),
        });
        let ring = &mut kept.rings[usize::from(via == IN_BAND)];
        if ring.len() >= MOST {
            ring.pop_front();
        }
        ring.push_back(Arc::clone(&record));
        drop(kept);
        let soft = softness == Softness::Soft;
        let (number, named) = (record.number, &record.named);
        match via {
            IN_BAND => tracing::debug!(number, %peer, via, what = %named, "purged"),
            _ => tracing::info!(number, by, %peer, via, soft, purged, what = %named, "purged"),
        }
        record
    }

    /// Those with a higher number than `since`, the newest first, at most so many,
    /// as far as they may be `seen`.
    pub fn list(
        &self,
        since: u64,
        limit: usize,
        seen: impl Fn(&Record) -> bool,
    ) -> Vec<Arc<Record>> {
        let kept = self.0.lock();
        let newer = |ring: &VecDeque<Arc<Record>>| -> Vec<Arc<Record>> {
            let newest_first = ring.iter().rev().take_while(|record| record.number > since);
            newest_first.filter(|record| seen(record)).take(limit).cloned().collect()
        };
        let mut records = kept.rings.each_ref().map(newer).concat();
        drop(kept);
        records.sort_unstable_by_key(|record| std::cmp::Reverse(record.number));
        records.truncate(limit);
        records
    }

    /// The one with this number, if it is still remembered.
    pub fn find(&self, number: u64) -> Option<Arc<Record>> {
        let kept = self.0.lock();
        let find = |ring: &VecDeque<Arc<Record>>| {
            let at = ring.binary_search_by_key(&number, |record| record.number).ok()?;
            ring.get(at).cloned()
        };
        kept.rings.iter().find_map(find)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    fn made<'a>(selectors: &'a Selectors, by: &'a str, via: &'static str) -> Made<'a> {
        Made {
            by,
            peer: "192.0.2.1".parse().expect("an address"),
            via,
            at: SystemTime::UNIX_EPOCH,
            selectors,
            softness: Softness::Hard,
            purge: None,
            purged: Some(1),
            refill: None,
        }
    }

    fn numbers(records: &[Arc<Record>]) -> Vec<u64> {
        records.iter().map(|record| record.number).collect()
    }

    #[test]
    fn the_newest_come_first_and_the_oldest_go() {
        let (audit, selectors) = (Audit::default(), Selectors::default());
        for number in 1..=5 {
            let by = if number % 2 == 0 { "even" } else { "odd" };
            assert_eq!(audit.record(made(&selectors, by, "api")).number, number);
        }
        assert_eq!(numbers(&audit.list(0, 10, |_| true)), [5, 4, 3, 2, 1]);
        assert_eq!(numbers(&audit.list(2, 10, |_| true)), [5, 4, 3]);
        assert_eq!(numbers(&audit.list(0, 2, |_| true)), [5, 4]);
        assert_eq!(numbers(&audit.list(0, 2, |record| &*record.by == "odd")), [5, 3]);
        assert!(audit.list(9, 2, |_| true).is_empty());
        for _ in 0..MOST {
            audit.record(made(&selectors, "x", "api"));
        }
        let all = audit.list(0, usize::MAX, |_| true);
        assert_eq!((all.len(), all[MOST - 1].number), (MOST, 6));
        assert!(audit.find(5).is_none());
        assert_eq!(audit.find(6).map(|record| record.number), Some(6));
    }

    #[test]
    fn what_the_app_says_itself_does_not_push_operators_out() {
        let (audit, selectors) = (Audit::default(), Selectors::default());
        audit.record(made(&selectors, "x", "api"));
        for _ in 0..2 * MOST {
            audit.record(made(&selectors, "the app", IN_BAND));
        }
        audit.record(made(&selectors, "x", "purge"));
        let all = audit.list(0, usize::MAX, |_| true);
        assert_eq!(all.len(), MOST + 2);
        assert_eq!((all[0].number, all[1].number, all[MOST + 1].number), (2002, 2001, 1));
        assert_eq!(audit.find(1).map(|record| record.via), Some("api"));
        assert_eq!(audit.find(2001).map(|record| record.via), Some(IN_BAND));
    }
    #[test]
    fn a_purge_is_undone_once() {
        let record = Audit::default().record(made(&Selectors::default(), "x", "api"));
        assert!(record.undo() && !record.undo() && record.is_undone());
    }
}
