//! A body that one task brings and any number of readers stream, each at its
//! own pace, from whichever point of time they join.
//!
//! While the body may still be stored it is kept whole, up to a limit, and the
//! writer never waits: the origin is free as soon as possible. Past the limit
//! it is not going to be stored; then only a window of it is kept, from the
//! slowest reader on, and the writer waits for that reader: not for long if
//! others are held up by it. The same goes for a smaller one when memory gets
//! scarce.
//!
//! A body that nobody reads is brought for the store alone, so it has to end
//! soon.

use super::pieces::{Pieces, Place};
use crate::account::{Account, Room};
use crate::error::BodyError;
use bytes::Bytes;
use http::HeaderMap;
use http_body::Frame;
use parking_lot::Mutex;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// Bytes that are kept for the slowest reader once a body is too large to store.
const WINDOW: usize = 256 * 1024;
/// The same when memory is scarce, and when there is none left.
const NARROW_WINDOW: usize = 64 * 1024;
const NARROWEST_WINDOW: usize = 16 * 1024;
/// How long others may be held up by those who read slowly, in all.
const HELD_UP_AT_MOST: Duration = Duration::from_secs(5);
/// How often it is looked whether somebody is held up.
const LOOK: Duration = Duration::from_millis(250);
/// How long a body of unknown length, which may be without end, goes on once its
/// last reader has left.
const UNREAD: Duration = Duration::from_millis(400);
/// How long one goes on that nobody began to read, or that has an end.
const UNREAD_FOR_THE_STORE: Duration = Duration::from_secs(60);

/// The writer's end. Dropping it before [`Fill::finish`] breaks the body for
/// every reader.
pub struct Fill {
    shared: Arc<Mutex<Pieces>>,
    limit: usize,
    account: Arc<Account>,
}

/// What became of a piece that was pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// It is kept; go on.
    Kept,
    /// The body has outgrown the limit: it is streamed, but will not be stored.
    Outgrown,
    /// The same, for there is no memory to store it.
    NoRoom,
    /// Nobody reads, and nothing will be stored: stop.
    NobodyCares,
}

/// A whole body.
#[derive(Debug)]
pub struct Filled {
    /// Its pieces, in order.
    pub chunks: Vec<Bytes>,
    /// Its length in bytes.
    pub length: u64,
}

/// A reader's end.
pub struct Reader {
    shared: Arc<Mutex<Pieces>>,
    /// Its place among the readers; given back once, when it has read all.
    id: Option<usize>,
}

/// Makes new readers, from the beginning of the body.
#[derive(Clone)]
pub struct Source(Arc<Mutex<Pieces>>);

impl Fill {
    /// A new body of which at most `limit` bytes are kept, and less if the account
    /// says that memory is scarce; `expected` is its length in bytes if the head
    /// states it.
    pub fn new(limit: usize, expected: Option<u64>, account: Arc<Account>) -> Fill {
        let pieces = Pieces { expected, ..Pieces::default() };
        Fill { shared: Arc::new(Mutex::new(pieces)), limit, account }
    }

    /// From where readers are made.
    pub fn source(&self) -> Source {
        Source(Arc::clone(&self.shared))
    }

    /// Adds a piece, and waits if the body is not going to be stored and the
    /// slowest reader has more than a window in front of it.
    pub async fn push(&self, chunk: Bytes) -> Pushed {
        {
            let mut state = self.shared.lock();
            state.buffered += chunk.len();
            state.chunks.push_back(chunk);
            state.too_large |= state.buffered > self.limit;
            state.outgrown |= state.too_large || self.account.room() >= Room::Scarce;
            state.window = self.window();
            state.wake_readers();
            state.trim();
            if !state.outgrown {
                return Pushed::Kept;
            }
        }
        loop {
            let begun = Instant::now();
            let room = timeout(LOOK, self.room()).await;
            let mut state = self.shared.lock();
            if state.is_somebody_held_up() {
                state.held_up += begun.elapsed();
            }
            if let Ok(pushed) = room {
                return pushed;
            }
            if state.is_somebody_held_up() && state.held_up >= HELD_UP_AT_MOST {
                state.give_up_on_the_slow();
            }
        }
    }

    /// Waits until all readers have at most a window in front of them.
    async fn room(&self) -> Pushed {
        std::future::poll_fn(|cx| {
            let mut state = self.shared.lock();
            if !state.any_reader() {
                return Poll::Ready(Pushed::NobodyCares);
            }
            state.window = self.window();
            if state.buffered <= state.window {
                let too_large = state.too_large;
                return Poll::Ready(if too_large { Pushed::Outgrown } else { Pushed::NoRoom });
            }
            state.writer = Some(cx.waker().clone());
            Poll::Pending
        })
        .await
    }

    fn window(&self) -> usize {
        match self.account.room() {
            Room::Plenty => WINDOW,
            Room::Scarce => NARROW_WINDOW,
            Room::Full | Room::Over => NARROWEST_WINDOW,
        }
    }

    /// Whether it has outgrown the limit, however much memory there is.
    pub fn is_too_large(&self) -> bool {
        self.shared.lock().too_large
    }

    /// Waits until nobody has read for so long that the body is not worth being
    /// brought for the store alone.
    pub async fn abandoned(&self) {
        loop {
            let left = self.unread().await;
            let endless = self.shared.lock().expected.is_none();
            sleep(if left && endless { UNREAD } else { UNREAD_FOR_THE_STORE }).await;
            if !self.shared.lock().any_reader() {
                return;
            }
        }
    }

    /// Waits until nobody reads; whether somebody has left before the end.
    async fn unread(&self) -> bool {
        std::future::poll_fn(|cx| {
            let mut state = self.shared.lock();
            if !state.any_reader() {
                return Poll::Ready(state.left);
            }
            state.watcher = Some(cx.waker().clone());
            Poll::Pending
        })
        .await
    }

    /// Ends the body well. Gives it back whole, unless it has outgrown the limit.
    pub fn finish(self, trailers: Option<HeaderMap>) -> Option<Filled> {
        let mut state = self.shared.lock();
        state.end = Some(Ok(trailers));
        state.wake_readers();
        if state.outgrown {
            return None;
        }
        let chunks: Vec<Bytes> = state.chunks.iter().cloned().collect();
        let length = chunks.iter().map(|chunk| chunk.len() as u64).sum();
        Some(Filled { chunks, length })
    }

    /// Ends the body badly: every reader's connection ends early.
    pub fn abort(self, error: BodyError) {
        let mut state = self.shared.lock();
        state.end = Some(Err(error));
        state.wake_readers();
    }
}

impl Drop for Fill {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        if state.end.is_none() {
            state.end = Some(Err(BodyError::Abandoned));
            state.wake_readers();
        }
    }
}

impl Source {
    /// A reader from the beginning; `None` if the beginning has been let go, or
    /// the body has ended badly.
    pub fn read(&self) -> Option<Reader> {
        let mut state = self.0.lock();
        if state.base > 0 || matches!(state.end, Some(Err(_))) {
            return None;
        }
        let place = Place { next: 0, waker: None, too_slow: false };
        let id = match state.readers.iter().position(Option::is_none) {
            Some(free) => {
                state.readers[free] = Some(place);
                free
            }
            None => {
                state.readers.push(Some(place));
                state.readers.len() - 1
            }
        };
        drop(state);
        Some(Reader { shared: Arc::clone(&self.0), id: Some(id) })
    }
}

impl Reader {
    /// The next piece, when it is there.
    pub fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let mut guard = self.shared.lock();
        let state = &mut *guard;
        let Some(id) = self.id else {
            return Poll::Ready(None);
        };
        let Some(Some(place)) = state.readers.get_mut(id) else {
            return Poll::Ready(None);
        };
        if place.too_slow {
            state.readers[id] = None;
            self.id = None;
            return Poll::Ready(Some(Err(BodyError::TooSlow)));
        }
        if let Some(chunk) = state.chunks.get(place.next - state.base) {
            let chunk = chunk.clone();
            place.next += 1;
            state.trim();
            return Poll::Ready(Some(Ok(Frame::data(chunk))));
        }
        match &state.end {
            None => {
                place.waker = Some(cx.waker().clone());
                Poll::Pending
            }
            Some(end) => {
                let last = match end {
                    Ok(trailers) => trailers.clone().map(|t| Ok(Frame::trailers(t))),
                    Err(error) => Some(Err(error.clone())),
                };
                state.readers[id] = None;
                self.id = None;
                Poll::Ready(last)
            }
        }
    }

    /// The length of the whole body in bytes, if the head stated it.
    pub fn expected_length(&self) -> Option<u64> {
        self.shared.lock().expected
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let Some(id) = self.id else { return };
        let mut state = self.shared.lock();
        state.readers[id] = None;
        state.left = true;
        state.trim();
        if !state.any_reader() {
            let Pieces { writer, watcher, .. } = &mut *state;
            writer.take().into_iter().chain(watcher.take()).for_each(Waker::wake);
        }
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("id", &self.id).finish_non_exhaustive()
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "fill_tests.rs"]
mod tests;
