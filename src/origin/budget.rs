//! How many requests may be sent again: a share of all, and a few a second, so
//! that an application that is dying is not asked twice as much.

use parking_lot::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::time::Instant;

/// What stands to be spent on retries.
#[derive(Debug)]
pub(super) struct Budget {
    /// Thousandths of a retry that a request adds.
    share: u64,
    /// Thousandths of a retry that requests have added and nobody has spent.
    saved: AtomicU64,
    floor: Mutex<Floor>,
}

/// The retries that there are without any other requests.
#[derive(Debug)]
struct Floor {
    left: u32,
    filled: Option<Instant>,
}

/// Retries, in thousandths, that a busy time may save up for a bad one.
const MOST_SAVED: u64 = 100_000;

/// Retries a second that there are anyhow.
const FLOOR: u32 = 10;

impl Budget {
    /// So many retries in a hundred requests.
    pub fn new(percent: usize) -> Budget {
        let floor = Mutex::new(Floor { left: FLOOR, filled: None });
        Budget { share: percent as u64 * 10, saved: AtomicU64::new(0), floor }
    }

    /// A request is sent for the first time.
    pub fn request(&self) {
        if self.saved.load(Ordering::Relaxed) < MOST_SAVED {
            self.saved.fetch_add(self.share, Ordering::Relaxed);
        }
    }

    /// Takes a retry, if there is one.
    pub fn retry(&self, now: Instant) -> bool {
        if self.share == 0 {
            return false;
        }
        let spent = |saved: u64| saved.checked_sub(1000);
        if self.saved.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spent).is_ok() {
            return true;
        }
        let mut floor = self.floor.lock();
        if floor.filled.is_none_or(|at| now.saturating_duration_since(at).as_secs() >= 1) {
            *floor = Floor { left: FLOOR, filled: Some(now) };
        }
        let left = floor.left;
        floor.left = left.saturating_sub(1);
        left > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn retries(budget: &Budget, now: Instant) -> usize {
        (0..1000).take_while(|_| budget.retry(now)).count()
    }

    #[test]
    fn a_few_a_second_and_a_share_of_all() {
        let (budget, now) = (Budget::new(20), Instant::now());
        assert_eq!(retries(&budget, now), 10);
        assert_eq!(retries(&budget, now + Duration::from_millis(999)), 0);
        assert_eq!(retries(&budget, now + Duration::from_secs(1)), 10);
        (0..100).for_each(|_| budget.request());
        assert_eq!(retries(&budget, now + Duration::from_secs(1)), 20);
    }

    #[test]
    fn what_is_saved_is_bounded_and_none_is_none() {
        let (budget, now) = (Budget::new(20), Instant::now());
        (0..100_000).for_each(|_| budget.request());
        assert_eq!(retries(&budget, now), 110);
        let none = Budget::new(0);
        none.request();
        assert!(!none.retry(now));
    }
}
