//! What becomes known of a request while it is answered, for whoever writes it down.

use parking_lot::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The most names that are kept; a log line has to end somewhere.
const MOST: usize = 100;

/// Notes on one request. Whoever acts on its behalf writes into the same.
#[derive(Debug, Default)]
pub struct Notes {
    /// How long the origin took, in microseconds and one; zero for never asked.
    origin: AtomicU64,
    purged: Mutex<Vec<Box<str>>>,
}

impl Notes {
    /// The origin was asked, and took so long to the head of its answer. Of several times
    /// all count.
    pub fn origin_took(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX / 2);
        let add = |before: u64| Some(before.max(1).saturating_add(micros));
        // It never refuses.
        let _ = self.origin.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    /// How long the origin took, if it was asked.
    pub fn origin(&self) -> Option<Duration> {
        let noted = self.origin.load(Ordering::Relaxed);
        noted.checked_sub(1).map(Duration::from_micros)
    }

    /// The request, or the answer to it, has purged these tags or groups.
    pub fn purged<'a>(&self, names: impl Iterator<Item = &'a str>) {
        let mut purged = self.purged.lock();
        let room = MOST.saturating_sub(purged.len());
        purged.extend(names.take(room).map(Box::from));
    }

    /// What was purged by it, at most a hundred names.
    pub fn take_purged(&self) -> Vec<Box<str>> {
        std::mem::take(&mut self.purged.lock())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_is_there_and_has_a_bound() {
        let notes = Notes::default();
        assert_eq!(notes.origin(), None);
        notes.origin_took(Duration::ZERO);
        assert_eq!(notes.origin(), Some(Duration::ZERO));
        notes.origin_took(Duration::from_millis(5));
        notes.origin_took(Duration::from_millis(5));
        assert_eq!(notes.origin(), Some(Duration::from_millis(10)));
        notes.purged(["a", "b"].into_iter());
        notes.purged((0..1000).map(|_| "c"));
        let purged = notes.take_purged();
        assert_eq!((purged.len(), &*purged[1]), (MOST, "b"));
        assert!(notes.take_purged().is_empty());
    }
}
