//! How far the purges have swept.

use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

/// Which purges have shown their marks to all that they meet.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// The purges that have not.
    unfinished: Mutex<BTreeSet<u64>>,
    /// Every purge up to this number has.
    finished: AtomicU64,
    /// The last purge that has been answered before it had.
    behind: AtomicU64,
}

impl Progress {
    /// The purge with this number begins.
    pub fn begin(&self, number: u64) {
        self.unfinished.lock().insert(number);
    }

    /// The purge with this number will be answered before it has swept: its marks
    /// are to be looked at until it has.
    pub fn fall_behind(&self, number: u64) {
        self.behind.fetch_max(number, Ordering::AcqRel);
    }

    /// The purge with this number has swept; `last` tells the number of the last
    /// that has begun. Returns the number up to which all have.
    pub fn finish(&self, number: u64, last: impl FnOnce() -> u64) -> u64 {
        let mut unfinished = self.unfinished.lock();
        unfinished.remove(&number);
        let finished = unfinished.first().map_or_else(last, |first| first - 1);
        drop(unfinished);
        self.finished.fetch_max(finished, Ordering::AcqRel);
        finished
    }

    /// Whether one that has been answered may meet a settled response, which was
    /// shown to the marks of all up to `checked`, without having found it yet.
    pub fn concerns(&self, checked: u64) -> bool {
        let behind = self.behind.load(Ordering::Acquire);
        checked < behind && self.finished.load(Ordering::Acquire) < behind
    }

    /// The number of purges that have not swept yet.
    pub fn unfinished(&self) -> usize {
        self.unfinished.lock().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_up_to_the_first_that_has_not_swept_have() {
        let progress = Progress::default();
        for number in 1..=4 {
            progress.begin(number);
        }
        let last = || 4;
        // A small one, before that of a large one which is older.
        assert_eq!(progress.finish(2, last), 0);
        assert_eq!(progress.finish(1, last), 2);
        assert_eq!(progress.finish(4, last), 2);
        assert_eq!((progress.finish(3, last), progress.unfinished()), (4, 0));
    }

    #[test]
    fn one_that_has_been_answered_concerns_what_it_may_not_have_found() {
        let progress = Progress::default();
        [1, 2].iter().for_each(|number| progress.begin(*number));
        assert!(!progress.concerns(0), "none has been answered");
        progress.fall_behind(2);
        assert!(progress.concerns(0) && progress.concerns(1));
        assert!(!progress.concerns(2), "it was shown to all marks");
        progress.finish(1, || 2);
        assert!(progress.concerns(1), "the second has not swept");
        progress.finish(2, || 2);
        assert!(!progress.concerns(0));
    }
}
