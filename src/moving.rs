//! A stream whose writes may stand still for a while, but not for ever: a client
//! that takes nothing of its response, an origin that takes nothing of a request.
//!
//! While a write stands still nobody asks for the next piece of the body, so none
//! of the time-outs of bodies runs; this one does.

use socket2::TcpKeepalive;
use std::fmt;
use std::io::{Error, ErrorKind, IoSlice, Result};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// Bytes that hyper may have in hand of a connection: read at a time, or to be written
/// while the other side takes nothing. A head that is not whole, of at most so many
/// bytes, has to fit in.
pub fn buffer(most_head: usize) -> usize {
    const USUAL: usize = 48 << 10;
    USUAL.max(most_head + USUAL / 4)
}

/// When to ask whether the other side is there still, while nothing is said: who has gone
/// without a word, or is behind a network that has forgotten the connection, would be
/// waited for without end in a tunnel, which has no other time-out.
pub fn keep_alive() -> TcpKeepalive {
    const MINUTE: Duration = Duration::from_secs(60);
    TcpKeepalive::new().with_time(MINUTE).with_interval(MINUTE / 4).with_retries(4)
}

/// A stream that has to move.
pub struct Moving<S> {
    stream: S,
    longest: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
}

/// A write stood still for too long.
#[derive(Debug)]
pub struct Still;

impl fmt::Display for Still {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the other side takes nothing")
    }
}

impl std::error::Error for Still {}

impl<S> Moving<S> {
    /// A stream whose writes may stand still for at most `longest`.
    pub fn new(stream: S, longest: Duration) -> Moving<S> {
        Moving { stream, longest, waiting: None }
    }

    /// The stream itself.
    pub fn get_ref(&self) -> &S {
        &self.stream
    }

    fn bounded<T>(&mut self, polled: Poll<Result<T>>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        if polled.is_ready() {
            self.waiting = None;
            return polled;
        }
        let longest = self.longest;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(longest)));
        match waiting.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(Error::new(ErrorKind::TimedOut, Still))),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Moving<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Moving<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.bounded(written, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.bounded(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.bounded(flushed, cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
