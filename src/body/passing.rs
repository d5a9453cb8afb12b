//! A body that is handed on as it comes, with back-pressure: nothing is read
//! before the other side has taken what came before.

use super::allowance::Allowance;
use crate::account::Account;
use crate::error::BodyError;
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep};

/// Bounds on a body that is handed on.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest time without a byte.
    pub stall: Duration,
    /// The least bytes a second, over more time than that; 0 for no bound.
    pub rate: u64,
    /// The most bytes.
    pub size: u64,
}

/// A body from a connection, on its way to another.
pub struct Passing {
    /// What has been taken from it and put back.
    first: VecDeque<Frame<Bytes>>,
    incoming: Incoming,
    allowance: Allowance,
    left: u64,
    /// Runs while a byte is awaited, and only then: time that the *receiver*
    /// takes is not the sender's.
    timer: Option<Pin<Box<Sleep>>>,
    awaited: Option<Instant>,
    /// When it has to have ended, however it moves.
    until: Option<Instant>,
    /// Holds each piece.
    account: Option<Arc<Account>>,
    /// Taken and called once the body has come to its end, or has broken.
    on_end: Option<OnEnd>,
}

type OnEnd = Box<dyn FnOnce(Result<(), &BodyError>) + Send>;

impl Passing {
    /// Hands on a body within limits.
    pub fn new(incoming: Incoming, limits: Limits) -> Passing {
        Passing {
            first: VecDeque::new(),
            incoming,
            allowance: Allowance::new(limits.stall, limits.rate),
            left: limits.size,
            timer: None,
            awaited: None,
            until: None,
            account: None,
            on_end: None,
        }
    }

    /// The same body with what has been taken from it so far.
    pub fn put_back(mut self, taken: impl IntoIterator<Item = Frame<Bytes>>) -> Passing {
        self.first = taken.into_iter().collect();
        self
    }

    /// The same body, which has to have ended by then.
    pub fn until(mut self, end: Option<Instant>) -> Passing {
        self.until = end;
        self
    }

    /// The same body, whose pieces are counted for as long as anybody holds them.
    pub fn counted(mut self, account: &Arc<Account>) -> Passing {
        self.account = Some(Arc::clone(account));
        self
    }

    /// Who counts its pieces.
    pub(super) fn account(&self) -> Option<&Arc<Account>> {
        self.account.as_ref()
    }

    /// Calls back, once, when the body has come whole, or has broken; a body that is
    /// dropped does not call.
    pub fn on_end(
        mut self,
        callback: impl FnOnce(Result<(), &BodyError>) + Send + 'static,
    ) -> Passing {
        self.on_end = Some(Box::new(callback));
        if self.is_end_stream() {
            self.ended(Ok(()));
        }
        self
    }

    fn ended(&mut self, how: Result<(), &BodyError>) {
        if let Some(callback) = self.on_end.take() {
            callback(how);
        }
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let left = self.allowance.left();
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(left)));
        if self.awaited.is_none() {
            let now = Instant::now();
            let stalled = now + left;
            timer.as_mut().reset(self.until.map_or(stalled, |end| end.min(stalled)));
            self.awaited = Some(now);
        }
        timer.as_mut().poll(cx)
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Some(piece) = self.first.pop_front() {
            return Poll::Ready(Some(Ok(piece)));
        }
        let Poll::Ready(frame) = Pin::new(&mut self.incoming).poll_frame(cx) else {
            ready!(self.poll_timer(cx));
            return Poll::Ready(Some(Err(BodyError::TimedOut)));
        };
        let waited = self.awaited.take().map_or(Duration::ZERO, |since| since.elapsed());
        match frame {
            None => Poll::Ready(None),
            Some(Err(error)) => Poll::Ready(Some(Err(BodyError::Broken(Arc::new(error))))),
            Some(Ok(frame)) => {
                if self.until.is_some_and(|end| end <= Instant::now()) {
                    return Poll::Ready(Some(Err(BodyError::TimedOut)));
                }
                let length = frame.data_ref().map_or(0, Bytes::len);
                self.allowance.came(length, waited);
                let Some(left) = self.left.checked_sub(length as u64) else {
                    return Poll::Ready(Some(Err(BodyError::TooLarge)));
                };
                self.left = left;
                Poll::Ready(Some(Ok(match &self.account {
                    Some(account) => frame.map_data(|piece| account.hold(piece)),
                    None => frame,
                })))
            }
        }
    }
}

impl http_body::Body for Passing {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let polled = self.poll_next(cx);
        match &polled {
            Poll::Ready(None) => self.ended(Ok(())),
            Poll::Ready(Some(Err(error))) => self.ended(Err(error)),
            Poll::Ready(Some(Ok(_))) if self.is_end_stream() => self.ended(Ok(())),
            Poll::Ready(Some(Ok(_))) | Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_empty() && self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let pieces = self.first.iter().filter_map(Frame::data_ref);
        let first: u64 = pieces.map(|piece| piece.len() as u64).sum();
        let rest = self.incoming.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(first + rest.lower());
        if let Some(upper) = rest.upper() {
            hint.set_upper(first + upper);
        }
        hint
    }
}

impl fmt::Debug for Passing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passing").field("left", &self.left).finish_non_exhaustive()
    }
}
