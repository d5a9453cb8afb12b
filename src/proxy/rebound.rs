//! Purges that are made once more a while later: for applications whose readers lag
//! behind their writers. What was fetched from a reader that had not heard of the
//! change yet is forgotten then.

use super::Shared;
use crate::purge::{Purged, Selectors, Softness};
use parking_lot::Mutex;
use std::collections::VecDeque;
use tokio::time::{Instant, sleep_until};

/// The most selectors that wait to be purged again; past it the oldest are purged
/// early.
const MOST: usize = 100_000;

/// A purge that has been made, and is to be made again.
#[derive(Debug)]
struct Again {
    at: Instant,
    selectors: Selectors,
    softness: Softness,
}

/// The purges that are to be made again, the earliest first.
#[derive(Debug, Default)]
pub(super) struct Rebounds(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    purges: VecDeque<Again>,
    /// Their selectors.
    selectors: usize,
    /// A task waits for the first.
    attended: bool,
}

impl Waiting {
    fn pop_if(&mut self, is_due: impl Fn(&Again, usize) -> bool) -> Option<Again> {
        let again = self.purges.pop_front_if(|again| is_due(again, self.selectors))?;
        self.selectors -= again.selectors.count();
        Some(again)
    }
}

impl Rebounds {
    /// Puts a purge off. Returns those for which there is no room any more, and
    /// whether somebody has to attend to the rest.
    fn push(&self, again: Again) -> (Vec<Again>, bool) {
        let mut waiting = self.0.lock();
        waiting.selectors += again.selectors.count();
        waiting.purges.push_back(again);
        let early = std::iter::from_fn(|| waiting.pop_if(|_, count| count > MOST)).collect();
        (early, !std::mem::replace(&mut waiting.attended, true))
    }

    /// What is due, and when the next will be; `None` if nothing is left, and nobody
    /// attends any more.
    fn due(&self, now: Instant) -> (Vec<Again>, Option<Instant>) {
        let mut waiting = self.0.lock();
        let due = std::iter::from_fn(|| waiting.pop_if(|again, _| again.at <= now)).collect();
        let next = waiting.purges.front().map(|again| again.at);
        waiting.attended = next.is_some();
        (due, next)
    }
}

impl Shared {
    /// Purges, and once more after `options.rebound`. When this returns, the promise
    /// holds for what the application answers with now. Takes as long as
    /// [`Purger::purge`](crate::purge::Purger::purge); to be called on a runtime.
    pub fn purge(&self, selectors: &Selectors, softness: Softness) -> Purged {
        let purged = self.purger.purge(selectors, softness, self.clock.now());
        if let Some(span) = self.options.rebound {
            let at = Instant::now() + span;
            let (early, alone) =
                self.rebounds.push(Again { at, selectors: selectors.clone(), softness });
            self.make(early);
            if alone {
                tokio::spawn(self.clone().attend_to_rebounds());
            }
        }
        purged
    }

    async fn attend_to_rebounds(self) {
        loop {
            let (due, next) = self.rebounds.due(Instant::now());
            let shared = self.clone();
            if let Err(error) = tokio::task::spawn_blocking(move || shared.make(due)).await {
                tracing::error!(%error, "a purge was not made again");
            }
            match next {
                Some(at) => sleep_until(at).await,
                None => return,
            }
        }
    }

    fn make(&self, purges: Vec<Again>) {
        for Again { selectors, softness, .. } in purges {
            let number = self.purger.purge(&selectors, softness, self.clock.now()).number;
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
        Again { at, selectors, softness: Softness::Soft }
    }

    #[test]
    fn each_is_due_once_in_its_order_and_one_attends() {
        let (rebounds, begun) = (Rebounds::default(), Instant::now());
        assert!(rebounds.push(again(begun + SECOND, 1)).1, "somebody has to attend");
        assert!(!rebounds.push(again(begun + 2 * SECOND, 2)).1, "somebody does");
        let (due, next) = rebounds.due(begun);
        assert_eq!((due.len(), next), (0, Some(begun + SECOND)));
        let (due, next) = rebounds.due(begun + SECOND);
        assert_eq!((due.len(), next), (1, Some(begun + 2 * SECOND)));
        assert_eq!((due[0].selectors.tags.len(), due[0].softness), (1, Softness::Soft));
        let (due, next) = rebounds.due(begun + 9 * SECOND);
        assert_eq!((due[0].selectors.tags.len(), next), (2, None));
        assert!(rebounds.push(again(begun, 1)).1, "nobody attends any more");
    }

    #[test]
    fn what_is_too_many_is_made_early_and_not_lost() {
        let (rebounds, now) = (Rebounds::default(), Instant::now());
        assert!(rebounds.push(again(now, 60_000)).0.is_empty());
        assert!(rebounds.push(again(now, 40_000)).0.is_empty());
        let early = rebounds.push(again(now, 1)).0;
        assert_eq!((early.len(), early[0].selectors.tags.len()), (1, 60_000));
        // One that is too large alone is made at once.
        let early = rebounds.push(again(now, MOST + 1)).0;
        assert_eq!(early.len(), 3);
        assert_eq!(rebounds.due(now + SECOND).0.len(), 0);
    }
}
