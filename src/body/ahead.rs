//! A body that is read ahead of whoever takes it: as long as they take all that
//! comes it goes through as it comes; while they take nothing it is read all the
//! same, up to a bound, so that the one who sends it is free sooner.
//!
//! Nobody takes pieces from a body while the connection that they are for stands
//! still. So the connection says that it does, by [`ReadAhead::poll_ahead`]; that
//! takes no task of its own.

use super::held::Held;
use super::passing::Passing;
use crate::account::{Account, Room};
use crate::error::BodyError;
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use parking_lot::Mutex;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// A body that may be read ahead. Whoever has a clone can do it.
#[derive(Clone)]
pub struct ReadAhead(Arc<Mutex<State>>);

struct State {
    /// Gone once it has come to its end, or broken.
    coming: Option<Passing>,
    /// What has come and not been taken.
    held: Held,
    /// What comes behind that: trailers, or how it broke.
    last: Option<Result<Frame<Bytes>, BodyError>>,
    /// The most bytes that are to be held.
    most: usize,
    /// The length of the largest piece that has come.
    largest: usize,
    /// Counts what is held.
    account: Option<Arc<Account>>,
}

impl ReadAhead {
    /// A body of which at most `most` bytes are held; more only if a piece is larger
    /// than all before it.
    pub fn new(coming: Passing, most: usize) -> ReadAhead {
        ReadAhead(Arc::new(Mutex::new(State {
            coming: Some(coming),
            held: Held::default(),
            last: None,
            most,
            largest: 0,
            account: None,
        })))
    }

    /// The same body; what comes of it is counted for as long as anybody holds it. To be
    /// said before anything has come.
    pub(super) fn counted(self, account: &Arc<Account>) -> ReadAhead {
        let mut state = self.0.lock();
        state.coming = state.coming.take().map(|coming| coming.counted(account));
        state.held = Held::counted(Some(account));
        state.account = Some(Arc::clone(account));
        drop(state);
        self
    }

    /// Reads what is there, up to the bound, and while there is memory. Wakes whoever polls when there is
    /// more.
    pub fn poll_ahead(&self, cx: &mut Context<'_>) {
        self.0.lock().poll_ahead(cx);
    }

    /// The next piece.
    pub(super) fn poll_frame(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.0.lock().poll_frame(cx)
    }

    pub(super) fn is_end_stream(&self) -> bool {
        let state = self.0.lock();
        let is_over = state.coming.as_ref().is_none_or(Passing::is_end_stream);
        is_over && state.held.length() == 0 && state.last.is_none()
    }

    pub(super) fn size_hint(&self) -> SizeHint {
        let state = self.0.lock();
        let held = state.held.length() as u64;
        let rest = state.coming.as_ref().map_or(SizeHint::with_exact(0), Passing::size_hint);
        let mut hint = SizeHint::new();
        hint.set_lower(held + rest.lower());
        if let Some(upper) = rest.upper() {
            hint.set_upper(held + upper);
        }
        hint
    }
}

impl State {
    fn poll_ahead(&mut self, cx: &mut Context<'_>) {
        while self.held.length() + self.largest.max(1) <= self.most
            && self.account.as_ref().is_none_or(|account| account.room() < Room::Full)
            && let Poll::Ready(frame) = self.poll_coming(cx)
        {
            match frame.map(|frame| frame.map(Frame::into_data)) {
                None => return,
                Some(Ok(Ok(data))) => self.held.push(&data),
                Some(Ok(Err(trailers))) => self.last = Some(Ok(trailers)),
                Some(Err(error)) => self.last = Some(Err(error)),
            }
        }
    }

    fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Some(held) = self.held.pop() {
            return Poll::Ready(Some(Ok(Frame::data(held))));
        }
        match self.last.take() {
            Some(last) => Poll::Ready(Some(last)),
            None => self.poll_coming(cx),
        }
    }

    /// The next piece from the other side, which is let go with the last one.
    fn poll_coming(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Some(coming) = &mut self.coming else { return Poll::Ready(None) };
        let polled = Pin::new(coming).poll_frame(cx);
        match &polled {
            Poll::Ready(None | Some(Err(_))) => self.coming = None,
            Poll::Ready(Some(Ok(frame))) => {
                let length = frame.data_ref().map_or(0, Bytes::len);
                self.largest = self.largest.max(length);
            }
            Poll::Pending => {}
        }
        polled
    }
}

impl fmt::Debug for ReadAhead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadAhead").finish_non_exhaustive()
    }
}
