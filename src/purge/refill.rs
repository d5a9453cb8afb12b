//! How far the fetching of what was purged has come.

use std::sync::atomic::{AtomicUsize, Ordering};

/// How far the fetching of what was purged has come.
#[derive(Debug, Default)]
pub struct Refill {
    wanted: usize,
    left_out: usize,
    fetched: AtomicUsize,
    fresh: AtomicUsize,
    failed: AtomicUsize,
}

/// What has become of one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refilled {
    /// It was fetched.
    Fetched,
    /// Somebody else had made it fresh already.
    Fresh,
    /// The origin failed, or larder is closing.
    Failed,
}

impl Refill {
    /// One with so many to fetch, and so many that can't be, or may not.
    pub fn new(wanted: usize, left_out: usize) -> Refill {
        Refill { wanted, left_out, ..Refill::default() }
    }

    /// Notes that one is over.
    pub fn note(&self, outcome: Refilled) {
        let counter = match outcome {
            Refilled::Fetched => &self.fetched,
            Refilled::Fresh => &self.fresh,
            Refilled::Failed => &self.failed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Responses that are to be fetched.
    pub fn wanted(&self) -> usize {
        self.wanted
    }

    /// Responses that were asked for and are not fetched.
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// How many ended so.
    pub fn count(&self, outcome: Refilled) -> usize {
        match outcome {
            Refilled::Fetched => &self.fetched,
            Refilled::Fresh => &self.fresh,
            Refilled::Failed => &self.failed,
        }
        .load(Ordering::Relaxed)
    }

    /// How many are waiting or under way.
    pub fn waiting(&self) -> usize {
        let over = [Refilled::Fetched, Refilled::Fresh, Refilled::Failed];
        self.wanted.saturating_sub(over.map(|outcome| self.count(outcome)).iter().sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refilled_is_counted() {
        let refill = Refill::new(3, 2);
        assert_eq!(refill.waiting(), 3);
        refill.note(Refilled::Fetched);
        refill.note(Refilled::Failed);
        assert_eq!((refill.waiting(), refill.count(Refilled::Fetched)), (1, 1));
        refill.note(Refilled::Fresh);
        assert_eq!((refill.waiting(), refill.left_out()), (0, 2));
    }
}
