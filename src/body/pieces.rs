//! The pieces of a body that are in hand, and how far each of its readers is.

use crate::error::BodyError;
use bytes::Bytes;
use http::HeaderMap;
use std::collections::VecDeque;
use std::task::Waker;
use std::time::Duration;

/// What a writer and its readers share.
#[derive(Default)]
pub(super) struct Pieces {
    /// Those in hand.
    pub chunks: VecDeque<Bytes>,
    /// How many were before these, and have been let go.
    pub base: usize,
    /// Bytes in hand.
    pub buffered: usize,
    /// Bytes that are kept for the slowest reader once it is not going to be stored:
    /// the writer waits for whoever has more in front of them.
    pub window: usize,
    /// It is not going to be stored.
    pub outgrown: bool,
    /// Nor would it be if there were memory.
    pub too_large: bool,
    /// The length in bytes that the head states.
    pub expected: Option<u64>,
    /// How it has ended.
    pub end: Option<Result<Option<HeaderMap>, BodyError>>,
    /// Places of those who are done are free.
    pub readers: Vec<Option<Place>>,
    /// The writer, while it waits for readers.
    pub writer: Option<Waker>,
    /// Whoever waits for the last reader to leave.
    pub watcher: Option<Waker>,
    /// A reader has left before the end.
    pub left: bool,
    /// How long some readers were held up by others.
    pub held_up: Duration,
    /// Somebody who had not read the first piece when that was looked at last.
    pub last: usize,
}

/// Where a reader is: the index of the next piece, and how to wake it.
pub(super) struct Place {
    pub next: usize,
    pub waker: Option<Waker>,
    /// It has held others up for too long.
    pub too_slow: bool,
}

impl Pieces {
    /// Has everybody look again.
    pub fn wake_readers(&mut self) {
        for place in self.readers.iter_mut().flatten() {
            if let Some(waker) = place.waker.take() {
                waker.wake();
            }
        }
    }

    /// Those who are still given what comes.
    fn served(&self) -> impl Iterator<Item = &Place> {
        self.readers.iter().flatten().filter(|place| !place.too_slow)
    }

    /// Whether there is anybody to bring more for.
    pub fn any_reader(&self) -> bool {
        self.served().next().is_some()
    }

    /// Somebody has had everything, though others have not. Asked where the writer
    /// has waited: for these.
    pub fn is_somebody_held_up(&self) -> bool {
        let end = self.base + self.chunks.len();
        !self.chunks.is_empty() && self.served().any(|place| place.next == end)
    }

    /// Gives up on those who have more than a window in front of them.
    pub fn give_up_on_the_slow(&mut self) {
        let (base, chunks) = (self.base, &self.chunks);
        for place in self.readers.iter_mut().flatten().filter(|place| !place.too_slow) {
            let unread: usize = chunks.iter().skip(place.next - base).map(Bytes::len).sum();
            place.too_slow = unread > self.window;
        }
        self.wake_readers();
        self.trim();
    }

    /// Lets go of what every reader has had.
    pub fn trim(&mut self) {
        while self.outgrown && !self.is_first_wanted() {
            let Some(chunk) = self.chunks.pop_front() else { break };
            self.buffered -= chunk.len();
            self.base += 1;
        }
        if self.buffered <= self.window
            && let Some(writer) = self.writer.take()
        {
            writer.wake();
        }
    }

    /// Whether somebody has not read the first piece yet. It begins with who had not the
    /// last time: so all who read a piece pass over each other once, not each over all.
    fn is_first_wanted(&mut self) -> bool {
        let wants = |place: &Option<Place>| {
            place.as_ref().is_some_and(|place| place.next == self.base && !place.too_slow)
        };
        let (before, from) = self.readers.split_at(self.last.min(self.readers.len()));
        let found = from.iter().position(wants).map(|at| before.len() + at);
        let found = found.or_else(|| before.iter().position(wants));
        self.last = found.unwrap_or(0);
        found.is_some()
    }
}
