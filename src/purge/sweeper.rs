//! Removing what has been purged, a little at a time: the promise does not wait
//! for it, nor does who purged.

use super::purger::Purger;
use crate::storage::Id;
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::vec::IntoIter;

/// What is left to be shown to the marks of one purge.
#[derive(Debug)]
pub(super) struct Work {
    /// The purge.
    pub number: u64,
    pub left: Left,
}

#[derive(Debug)]
pub(super) enum Left {
    /// These stored responses.
    Found(IntoIter<Id>),
    /// All from this one on.
    Everything(Id),
}

/// What is left of all purges.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    bell: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Work>,
    closed: bool,
}

impl Queue {
    pub fn push(&self, work: Work) {
        self.state.lock().waiting.push_back(work);
        self.bell.notify_one();
    }

    /// Takes the oldest; `None` if there is nothing to do.
    pub fn pop(&self) -> Option<Work> {
        self.state.lock().waiting.pop_front()
    }

    /// Puts back what isn't done yet.
    pub fn put_back(&self, work: Work) {
        self.state.lock().waiting.push_front(work);
    }

    /// No work will come any more.
    pub fn close(&self) {
        self.state.lock().closed = true;
        self.bell.notify_all();
    }

    /// Waits until there is work. Returns whether there will be any.
    fn wait(&self) -> bool {
        let mut state = self.state.lock();
        while state.waiting.is_empty() && !state.closed {
            self.bell.wait(&mut state);
        }
        !state.closed
    }
}

/// Gives back the space of what large purges have met.
#[derive(Debug)]
pub struct Sweeper {
    purger: Weak<Purger>,
    queue: Arc<Queue>,
}

impl Sweeper {
    pub(super) fn new(purger: &Arc<Purger>, queue: &Arc<Queue>) -> Sweeper {
        Sweeper { purger: Arc::downgrade(purger), queue: Arc::clone(queue) }
    }

    /// Sweeps whenever there is something to be swept, until the purger is no
    /// more; for a thread of its own.
    pub fn run(self) {
        while self.queue.wait() {
            self.sweep_a_little();
            // Whoever serves goes first.
            std::thread::yield_now();
        }
    }

    /// Sweeps a slice of what is left. Returns whether there was any.
    pub fn sweep_a_little(&self) -> bool {
        self.purger.upgrade().is_some_and(|purger| purger.sweep_a_little())
    }
}
