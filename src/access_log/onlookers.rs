//! Whoever follows the requests live. Who takes nothing loses lines, and holds nobody
//! up.

use super::filter::Filter;
use super::format::Stamp;
use super::{Entry, json};
use parking_lot::Mutex;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Notify;

/// How many may follow at a time.
pub const MOST_ONLOOKERS: usize = 4;

/// Bytes of lines that wait for one onlooker.
const BACKLOG: usize = 256 << 10;

/// As many follow as may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany;

impl fmt::Display for TooMany {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{MOST_ONLOOKERS} follow the log already")
    }
}

impl std::error::Error for TooMany {}

/// All who follow.
#[derive(Debug, Default)]
pub(super) struct Onlookers {
    /// How many there are; each request looks at this and, mostly, no further.
    count: AtomicUsize,
    all: Mutex<Vec<Arc<Queue>>>,
}

/// What waits for one of them.
#[derive(Debug)]
struct Queue {
    filter: Filter,
    waiting: Mutex<Waiting>,
    told: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    lines: Vec<u8>,
    stamp: Stamp,
    /// How many found no room since the last time.
    lost: u64,
}

/// One who is told of requests, until it is dropped.
#[derive(Debug)]
pub struct Onlooker {
    all: Arc<Onlookers>,
    own: Arc<Queue>,
}

impl Onlookers {
    /// Whether there is anybody.
    pub fn is_any(&self) -> bool {
        self.count.load(Ordering::Relaxed) > 0
    }

    pub fn add(self: &Arc<Self>, filter: Filter) -> Result<Onlooker, TooMany> {
        let mut all = self.all.lock();
        if all.len() >= MOST_ONLOOKERS {
            return Err(TooMany);
        }
        let own = Arc::new(Queue { filter, waiting: Mutex::default(), told: Notify::new() });
        all.push(Arc::clone(&own));
        self.count.store(all.len(), Ordering::Relaxed);
        Ok(Onlooker { all: Arc::clone(self), own })
    }

    /// Tells of a request all who want to know of it.
    pub fn tell(&self, entry: &Entry<'_>) {
        for queue in self.all.lock().iter().filter(|queue| queue.filter.lets_through(entry)) {
            queue.put(entry);
        }
    }
}

impl Queue {
    fn put(&self, entry: &Entry<'_>) {
        let Waiting { lines, stamp, lost } = &mut *self.waiting.lock();
        if lines.len() >= BACKLOG {
            *lost += 1;
            return;
        }
        json::write(lines, stamp, entry);
        lines.push(b'\n');
        self.told.notify_one();
    }
}

impl Onlooker {
    /// The next lines, once there are any: JSON objects, and `{"lost":7}` where so many
    /// found no room.
    pub async fn lines(&self) -> Vec<u8> {
        loop {
            if let Some(lines) = self.take() {
                return lines;
            }
            self.own.told.notified().await;
        }
    }

    fn take(&self) -> Option<Vec<u8>> {
        let mut waiting = self.own.waiting.lock();
        let mut lines = std::mem::take(&mut waiting.lines);
        let lost = std::mem::take(&mut waiting.lost);
        if lost > 0 {
            lines.extend_from_slice(format!("{{\"lost\":{lost}}}\n").as_bytes());
        }
        (!lines.is_empty()).then_some(lines)
    }
}

impl Drop for Onlooker {
    fn drop(&mut self) {
        let mut all = self.all.all.lock();
        all.retain(|queue| !Arc::ptr_eq(queue, &self.own));
        self.all.count.store(all.len(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access_log::format::tests::entry;
    use crate::semantics::cache_status::{CacheStatus, Outcome};

    fn filter(text: &str) -> Filter {
        Filter::parse(text).expect("a filter")
    }

    #[test]
    fn so_many_follow_and_when_they_have_gone_nobody_does() {
        let all = Arc::new(Onlookers::default());
        assert!(!all.is_any());
        let mut some: Vec<Onlooker> =
            (0..MOST_ONLOOKERS).map(|_| all.add(filter("")).expect("room")).collect();
        assert_eq!(all.add(filter("")).err(), Some(TooMany));
        some.pop();
        let _again = all.add(filter("")).expect("room");
        drop(some);
        assert!(all.is_any());
        drop(_again);
        assert!(!all.is_any());
    }

    #[test]
    fn who_takes_nothing_loses_lines_and_is_told_how_many() {
        let all = Arc::new(Onlookers::default());
        let (idle, other) = (all.add(filter("")), all.add(filter("outcome=miss")));
        let (idle, other) = (idle.expect("room"), other.expect("room"));
        let status = CacheStatus::new(Outcome::Hit);
        for _ in 0..3000 {
            all.tell(&entry(&status));
        }
        assert!(other.take().is_none(), "the filter lets nothing through");
        let held = idle.own.waiting.lock().lines.len();
        assert!((BACKLOG..BACKLOG + 1000).contains(&held), "{held}");
        let lines = String::from_utf8(idle.take().expect("lines")).expect("text");
        let (lines, last) = lines.trim_end().rsplit_once('\n').expect("lines");
        let told = lines.lines().count();
        assert_eq!(last, format!("{{\"lost\":{}}}", 3000 - told));
        assert!(idle.take().is_none());
        all.tell(&entry(&status));
        assert_eq!(idle.take().expect("a line").iter().filter(|b| **b == b'\n').count(), 1);
    }
}
