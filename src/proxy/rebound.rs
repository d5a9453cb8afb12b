//! Purges that are made once more a while later: for applications whose readers lag
//! behind their writers. What was fetched from a reader that had not heard of the
//! change yet is forgotten then.

use super::Shared;
use crate::purge::{Purged, Selectors, Softness};
use parking_lot::Mutex;
use std::collections::VecDeque;
use tokio::time::{Instant, sleep_until};

/// The most bytes of selectors that wait to be purged again; past it the oldest are
/// purged early. Any visitor's POST may add some.
const MOST: usize = 16 << 20;

/// A purge that has been made, and is to be made again.
#[derive(Debug)]
struct Again {
    at: Instant,
    /// The number that it had the first time.
    number: u64,
    selectors: Selectors,
    softness: Softness,
}

/// The purges that are to be made again, the earliest first.
#[derive(Debug, Default)]
pub(super) struct Rebounds {
    waiting: Mutex<Waiting>,
    /// Held while what is due is made: nothing of it is taken back meanwhile.
    making: Mutex<()>,
}

#[derive(Debug, Default)]
struct Waiting {
    purges: VecDeque<Again>,
    /// Bytes that they take.
    bytes: usize,
    /// A task waits for the first.
    attended: bool,
}

impl Again {
    fn weight(&self) -> usize {
        size_of::<Again>() + self.selectors.weight()
    }
}

impl Waiting {
    fn pop_if(&mut self, is_due: impl Fn(&Again, usize) -> bool) -> Option<Again> {
        let again = self.purges.pop_front_if(|again| is_due(again, self.bytes))?;
        self.bytes -= again.weight();
        Some(again)
    }
}

impl Rebounds {
    /// Puts a purge off. Returns whether somebody has to attend, and whether there are
    /// [too many](Rebounds::early) now.
    fn push(&self, again: Again) -> (bool, bool) {
        let mut waiting = self.waiting.lock();
        waiting.bytes += again.weight();
        waiting.purges.push_back(again);
        (!std::mem::replace(&mut waiting.attended, true), waiting.bytes > MOST)
    }

    /// Those for which there is no room any more.
    fn early(&self) -> Vec<Again> {
        let mut waiting = self.waiting.lock();
        std::iter::from_fn(|| waiting.pop_if(|_, bytes| bytes > MOST)).collect()
    }

    /// What is due, and when the next will be; `None` if nothing is left, and nobody
    /// attends any more.
    fn due(&self, now: Instant) -> (Vec<Again>, Option<Instant>) {
        let mut waiting = self.waiting.lock();
        let due = std::iter::from_fn(|| waiting.pop_if(|again, _| again.at <= now)).collect();
        let next = waiting.purges.front().map(|again| again.at);
        waiting.attended = next.is_some();
        (due, next)
    }

    /// Forgets the purge with this number.
    fn forget(&self, number: u64) {
        let mut waiting = self.waiting.lock();
        waiting.purges.retain(|again| again.number != number);
        waiting.bytes = waiting.purges.iter().map(Again::weight).sum();
    }
}

impl Shared {
    /// Purges, and once more after `options.rebound`. When this returns, the promise
    /// holds for what the application answers with now. Takes as long as
    /// [`Purger::purge`](crate::purge::Purger::purge); to be called on a runtime.
    pub fn purge(&self, selectors: &Selectors, softness: Softness) -> Purged {
        let selectors = &*self.as_keyed(selectors);
        let purged = self.purger.purge(selectors, softness, self.clock.now());
        self.metrics.purges.count();
        if let Some(span) = self.options.rebound {
            let at = Instant::now() + span;
            let (number, selectors) = (purged.number, selectors.clone());
            let again = Again { at, number, selectors, softness };
            let (alone, too_many) = self.rebounds.push(again);
            if too_many {
                let _nothing_is_taken_back = self.rebounds.making.lock();
                self.make(self.rebounds.early());
            }
            if alone {
                tokio::spawn(self.clone().attend_to_rebounds());
            }
        }
        purged
    }

    /// Takes back a soft purge, made again or not, as
    /// [`Purger::undo`](crate::purge::Purger::undo): to be called where blocking is
    /// allowed.
    pub fn undo(&self, number: u64) -> usize {
        let _nothing_is_made = self.rebounds.making.lock();
        self.rebounds.forget(number);
        self.purger.undo(number)
    }

    async fn attend_to_rebounds(self) {
        loop {
            let shared = self.clone();
            match tokio::task::spawn_blocking(move || shared.make_due()).await {
                Ok(Some(at)) => sleep_until(at).await,
                Ok(None) => return,
                Err(error) => tracing::error!(%error, "a purge was not made again"),
            }
        }
    }

    /// Makes what is due, and says when the next will be.
    fn make_due(&self) -> Option<Instant> {
        let _nothing_is_taken_back = self.rebounds.making.lock();
        let (due, next) = self.rebounds.due(Instant::now());
        self.make(due);
        next
    }

    /// Makes these once more; to be called while nothing is taken back.
    fn make(&self, purges: Vec<Again>) {
        for Again { number, selectors, softness, .. } in purges {
            self.purger.purge_for(Some(number), &selectors, softness, self.clock.now());
            tracing::debug!(number, selectors = selectors.count(), "a purge was made again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const SECOND: Duration = Duration::from_secs(1);

    fn again(at: Instant, tags: usize) -> Again {
        let selectors = Selectors { tags: vec!["tag".into(); tags], ..Selectors::default() };
        Again { at, number: tags as u64, selectors, softness: Softness::Soft }
    }

    /// One of this many bytes, or a few more.
    fn heavy(at: Instant, bytes: usize) -> Again {
        let selectors = Selectors { tags: vec!["x".repeat(bytes).into()], ..Selectors::default() };
        Again { at, number: 0, selectors, softness: Softness::Hard }
    }

    #[test]
    fn each_is_due_once_in_its_order_and_one_attends() {
        let (rebounds, begun) = (Rebounds::default(), Instant::now());
        assert!(rebounds.push(again(begun + SECOND, 1)).0, "somebody has to attend");
        assert!(!rebounds.push(again(begun + 2 * SECOND, 2)).0, "somebody does");
        let (due, next) = rebounds.due(begun);
        assert_eq!((due.len(), next), (0, Some(begun + SECOND)));
        let (due, next) = rebounds.due(begun + SECOND);
        assert_eq!((due.len(), next), (1, Some(begun + 2 * SECOND)));
        assert_eq!((due[0].selectors.tags.len(), due[0].softness), (1, Softness::Soft));
        let (due, next) = rebounds.due(begun + 9 * SECOND);
        assert_eq!((due[0].selectors.tags.len(), next), (2, None));
        assert!(rebounds.push(again(begun, 1)).0, "nobody attends any more");
    }

    #[test]
    fn what_is_too_much_is_made_early_and_not_lost() {
        let (rebounds, now) = (Rebounds::default(), Instant::now());
        assert!(!rebounds.push(heavy(now, MOST / 2)).1);
        assert!(!rebounds.push(heavy(now, MOST / 4)).1);
        assert!(rebounds.push(heavy(now, MOST / 4)).1);
        let early = rebounds.early();
        assert_eq!((early.len(), early[0].selectors.tags[0].len()), (1, MOST / 2));
        // One that is too large alone is made at once.
        assert!(rebounds.push(heavy(now, MOST)).1);
        assert_eq!(rebounds.early().len(), 3);
        assert_eq!(rebounds.due(now + SECOND).0.len(), 0);
        assert_eq!(rebounds.waiting.lock().bytes, 0);
    }

    #[test]
    fn one_that_was_taken_back_is_not_made_again() {
        let (rebounds, now) = (Rebounds::default(), Instant::now());
        rebounds.push(again(now, 1));
        rebounds.push(again(now, 2));
        rebounds.forget(1);
        let (due, next) = rebounds.due(now);
        assert_eq!((due.len(), due[0].number, next), (1, 2, None));
        assert_eq!(rebounds.waiting.lock().bytes, 0);
    }
}
