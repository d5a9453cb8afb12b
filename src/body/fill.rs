//! A body that one task brings and any number of readers stream, each at its
//! own pace, from whichever point of time they join.
//!
//! While the body may still be stored it is kept whole, up to a limit, and the
//! writer never waits: the origin is free as soon as possible. Past the limit
//! it is not going to be stored; then only a window of it is kept, from the
//! slowest reader on, and the writer waits for that reader.

use crate::error::BodyError;
use bytes::Bytes;
use http::HeaderMap;
use http_body::Frame;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// Bytes that are kept for the slowest reader once a body is too large to store.
const WINDOW: usize = 256 * 1024;

/// The writer's end. Dropping it before [`Fill::finish`] breaks the body for
/// every reader.
pub struct Fill {
    shared: Arc<Mutex<State>>,
    limit: usize,
}

/// What became of a piece that was pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// It is kept; go on.
    Kept,
    /// The body has outgrown the limit: it is streamed, but will not be stored.
    Outgrown,
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
    shared: Arc<Mutex<State>>,
    /// Its place among the readers; given back once, when it has read all.
    id: Option<usize>,
}

/// Makes new readers, from the beginning of the body.
#[derive(Clone)]
pub struct Source(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// Pieces, of which the first `base` have been let go.
    chunks: VecDeque<Bytes>,
    base: usize,
    buffered: usize,
    outgrown: bool,
    expected: Option<u64>,
    end: Option<Result<Option<HeaderMap>, BodyError>>,
    readers: Vec<Option<Place>>,
    writer: Option<Waker>,
}

/// Where a reader is: the index of the next piece, and how to wake it.
struct Place {
    next: usize,
    waker: Option<Waker>,
}

impl State {
    fn wake_readers(&mut self) {
        for place in self.readers.iter_mut().flatten() {
            if let Some(waker) = place.waker.take() {
                waker.wake();
            }
        }
    }

    fn any_reader(&self) -> bool {
        self.readers.iter().any(Option::is_some)
    }

    /// Lets go of what every reader has had.
    fn trim(&mut self) {
        if !self.outgrown {
            return;
        }
        let slowest = self.readers.iter().flatten().map(|place| place.next).min();
        let keep_from = slowest.unwrap_or(self.base + self.chunks.len());
        while self.base < keep_from {
            let Some(chunk) = self.chunks.pop_front() else { break };
            self.buffered -= chunk.len();
            self.base += 1;
        }
        if self.buffered <= WINDOW
            && let Some(writer) = self.writer.take()
        {
            writer.wake();
        }
    }
}

impl Fill {
    /// A new body of which at most `limit` bytes are kept; `expected` is its
    /// length in bytes if the head states it.
    pub fn new(limit: usize, expected: Option<u64>) -> Fill {
        let state = State { expected, ..State::default() };
        Fill { shared: Arc::new(Mutex::new(state)), limit }
    }

    /// From where readers are made.
    pub fn source(&self) -> Source {
        Source(Arc::clone(&self.shared))
    }

    /// Adds a piece, and waits if the body has outgrown the limit and the
    /// slowest reader has more than a window in front of it.
    pub async fn push(&self, chunk: Bytes) -> Pushed {
        {
            let mut state = self.shared.lock();
            state.buffered += chunk.len();
            state.chunks.push_back(chunk);
            state.outgrown |= state.buffered > self.limit;
            state.wake_readers();
            state.trim();
            if !state.outgrown {
                return Pushed::Kept;
            }
        }
        std::future::poll_fn(|cx| {
            let mut state = self.shared.lock();
            if !state.any_reader() {
                return Poll::Ready(Pushed::NobodyCares);
            }
            if state.buffered <= WINDOW {
                return Poll::Ready(Pushed::Outgrown);
            }
            state.writer = Some(cx.waker().clone());
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
    /// A reader from the beginning; `None` if the beginning has been let go.
    pub fn read(&self) -> Option<Reader> {
        let mut state = self.0.lock();
        if state.base > 0 {
            return None;
        }
        let place = Place { next: 0, waker: None };
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
        state.trim();
        if !state.any_reader()
            && let Some(writer) = state.writer.take()
        {
            writer.wake();
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
mod tests {
    use super::*;
    use std::future::poll_fn;

    async fn next(reader: &mut Reader) -> Option<Result<Bytes, BodyError>> {
        let frame = poll_fn(|cx| reader.poll_frame(cx)).await?;
        Some(frame.map(|frame| frame.into_data().unwrap_or_default()))
    }

    async fn read_all(mut reader: Reader) -> Result<usize, BodyError> {
        let mut total = 0;
        while let Some(chunk) = next(&mut reader).await {
            total += chunk?.len();
        }
        Ok(total)
    }

    #[tokio::test]
    async fn readers_join_at_any_time_and_all_get_everything() {
        let fill = Fill::new(100, None);
        let early = fill.source().read().expect("a reader");
        assert_eq!(fill.push(Bytes::from_static(b"hello ")).await, Pushed::Kept);
        let late = fill.source().read().expect("a reader");
        let waiting = tokio::spawn(read_all(early));
        tokio::task::yield_now().await;
        assert_eq!(fill.push(Bytes::from_static(b"world")).await, Pushed::Kept);
        let filled = fill.finish(None).expect("the whole body");
        assert_eq!(filled.length, 11);
        assert_eq!(waiting.await.expect("no panic").expect("the body"), 11);
        assert_eq!(read_all(late).await.expect("the body"), 11);
    }

    #[tokio::test]
    async fn a_body_that_outgrows_the_limit_waits_for_its_slowest_reader() {
        let fill = Fill::new(10, None);
        let mut slow = fill.source().read().expect("a reader");
        let quick = tokio::spawn(read_all(fill.source().read().expect("a reader")));
        let source = fill.source();
        let piece = Bytes::from(vec![0; WINDOW]);
        let mut pushed = Box::pin(async {
            for _ in 0..4 {
                assert_eq!(fill.push(piece.clone()).await, Pushed::Outgrown);
            }
            fill.finish(None)
        });
        // The writer stands still until the slow reader moves.
        for _ in 0..10 {
            assert!(futures_poll(&mut pushed).is_none());
            tokio::task::yield_now().await;
        }
        assert!(source.0.lock().buffered <= 2 * WINDOW, "no more than a window and a piece");
        let mut got = 0;
        let filled = loop {
            if let Some(filled) = futures_poll(&mut pushed) {
                break filled;
            }
            got += next(&mut slow).await.expect("a piece").expect("whole").len();
            tokio::task::yield_now().await;
        };
        assert!(filled.is_none(), "too large to be stored");
        assert!(source.read().is_none(), "the beginning is gone");
        got += read_all(slow).await.expect("the rest");
        assert_eq!(got, 4 * WINDOW);
        assert_eq!(quick.await.expect("no panic").expect("the body"), 4 * WINDOW);
    }

    fn futures_poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        let mut cx = Context::from_waker(Waker::noop());
        match std::pin::Pin::new(future).poll(&mut cx) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        }
    }

    #[tokio::test]
    async fn an_outgrown_body_that_nobody_reads_is_stopped() {
        let fill = Fill::new(10, None);
        let reader = fill.source().read();
        assert_eq!(fill.push(Bytes::from_static(b"01234567890")).await, Pushed::Outgrown);
        drop(reader);
        assert_eq!(fill.push(Bytes::from_static(b"x")).await, Pushed::NobodyCares);
    }

    #[tokio::test]
    async fn a_reader_that_is_done_takes_nobody_elses_place() {
        let fill = Fill::new(100, None);
        let source = fill.source();
        let mut done = source.read().expect("a reader");
        fill.push(Bytes::from_static(b"all")).await;
        fill.finish(None).expect("the whole body");
        assert!(next(&mut done).await.expect("the piece").is_ok());
        assert!(next(&mut done).await.is_none());
        let late = source.read().expect("a reader");
        assert!(next(&mut done).await.is_none(), "the newcomer's piece");
        drop(done);
        assert_eq!(read_all(late).await.expect("the body"), 3);
    }

    #[tokio::test]
    async fn a_writer_that_goes_away_breaks_the_body() {
        let fill = Fill::new(10, None);
        let mut reader = fill.source().read().expect("a reader");
        fill.push(Bytes::from_static(b"half")).await;
        drop(fill);
        assert!(next(&mut reader).await.expect("the piece").is_ok());
        assert!(next(&mut reader).await.expect("an end").is_err());
    }
}
