//! How long a client is waited for: for the head of a request, for the next
//! request, and for taking what it asked for.
//!
//! hyper has one time-out for the first two; they are different things. So the
//! stream itself keeps them, told by the service in which phase it is.

use super::Options;
use super::ahead::Ahead;
use super::glance::Glances;
use super::phases::{ENDLESS, Phase, Phases};
use super::strict::Strict;
use crate::account::Charge;
use crate::error::BodyError;
use crate::gate::Ticket;
use crate::interim::Outlet;
use crate::moving::{Moving, Still};
use socket2::SockRef;
use std::io::{Error, ErrorKind, IoSlice, Result};
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep, sleep_until};

const TIMED_OUT: &[u8] =
    b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
const TOO_MANY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n\
    Connection: close\r\nContent-Length: 0\r\n\r\n";

/// How long an answer without a length may be silent once its client has closed
/// its half: gone or not, it looks the same.
const SILENCE: Duration = Duration::from_millis(500);

/// A stream whose client is waited for, but not for ever.
pub(super) struct Patient {
    stream: Ahead<Moving<TcpStream>>,
    strict: Strict,
    glances: Glances,
    phases: Phases,
    options: Options,
    reading: Deadline,
    /// Runs while the client has closed its half, and an answer without a length is
    /// silent.
    silence: Option<Pin<Box<Sleep>>>,
    inside: Inside,
    /// Of what is held back, the bytes that are counted.
    counted: usize,
}

/// What is counted for as long as a stream is open, as a tunnel too.
pub(super) struct Inside {
    /// The connection's memory.
    pub charge: Charge,
    pub _ticket: Ticket,
}

/// What is waited for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Awaited {
    /// The rest of a head.
    Head,
    /// The first byte of a connection.
    First,
    /// The next request.
    Next,
}

/// A time-out that runs from when it is first needed.
struct Deadline {
    awaited: Option<Awaited>,
    at: Instant,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    /// None yet.
    fn new() -> Deadline {
        Deadline { awaited: None, at: Instant::now(), timer: None }
    }

    /// Polls a time-out of this length that began when this was first awaited.
    ///
    /// The timer is set again only to come sooner, or when it has come too soon: each
    /// request begins another time-out, and nearly none comes to its end.
    fn poll(&mut self, awaited: Awaited, length: Duration, cx: &mut Context<'_>) -> Poll<()> {
        if self.awaited.replace(awaited) != Some(awaited) {
            self.at = Instant::now() + length;
        }
        let at = self.at;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if timer.deadline() > at {
            timer.as_mut().reset(at);
        }
        loop {
            ready!(timer.as_mut().poll(cx));
            if timer.deadline() >= at {
                return Poll::Ready(());
            }
            timer.as_mut().reset(at);
        }
    }

    fn clear(&mut self) {
        self.awaited = None;
    }
}

impl Patient {
    pub fn new(
        stream: TcpStream,
        phases: Phases,
        outlet: Outlet,
        strict: Strict,
        glances: Glances,
        options: Options,
        inside: Inside,
    ) -> Patient {
        let stream = Ahead::new(Moving::new(stream, options.write_stall), outlet);
        let (reading, silence, counted) = (Deadline::new(), None, 0);
        Patient { stream, strict, glances, phases, options, reading, silence, inside, counted }
    }

    /// Looks whether the client has gone, which hyper doesn't while it answers.
    /// While nothing is written, only a reset says so for certain.
    fn poll_gone(&mut self, silence: u8, cx: &mut Context<'_>) -> Poll<Error> {
        let mut byte = [0];
        let mut next = ReadBuf::new(&mut byte);
        let peeked = self.stream.get_ref().get_ref().poll_peek(cx, &mut next);
        match peeked {
            Poll::Ready(Err(error)) => return Poll::Ready(error),
            Poll::Ready(Ok(0)) if silence & ENDLESS != 0 => {}
            Poll::Ready(Ok(_)) | Poll::Pending => return Poll::Pending,
        }
        let timer = self.silence.get_or_insert_with(|| Box::pin(sleep(SILENCE)));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(Error::new(ErrorKind::ConnectionAborted, "the client has gone"))
    }

    /// Counts what has been read and not been given on, as it is now.
    fn count_held(&mut self) {
        let held = self.strict.held();
        if held != self.counted {
            let rest = self.inside.charge.bytes() - self.counted;
            self.inside.charge.set(rest + held);
            self.counted = held;
        }
    }

    /// Keeps what has been read for whoever reads next.
    pub fn keep(&mut self, bytes: &[u8]) {
        self.strict.put_back(bytes);
        self.count_held();
    }

    /// Counts what the connection takes besides from now on.
    pub fn takes(&mut self, more: usize) {
        let bytes = self.inside.charge.bytes();
        self.inside.charge.set(bytes + more);
    }

    /// What is waited for now; nothing while a request is answered, or while the rest of a
    /// body comes whose request has been answered already: whoever reads that has patience
    /// of their own.
    fn awaited(&self) -> Option<Awaited> {
        match *self.phases.0.phase.lock() {
            Phase::Busy | Phase::Tunnel => None,
            Phase::New | Phase::Idle if self.strict.is_in_head() => Some(Awaited::Head),
            Phase::New | Phase::Idle if self.strict.is_in_body() => None,
            Phase::New => Some(Awaited::First),
            Phase::Idle => Some(Awaited::Next),
        }
    }

    fn poll_read_deadline(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(awaited) = self.awaited() else {
            self.reading.clear();
            return Poll::Pending;
        };
        let length = match awaited {
            Awaited::Head | Awaited::First => self.options.header_timeout,
            Awaited::Next => self.options.keep_alive,
        };
        self.reading.poll(awaited, length, cx)
    }

    /// No request has come yet that has to be answered, but the beginning of one may have.
    pub fn awaits_a_head(&self) -> bool {
        matches!(self.awaited(), Some(Awaited::Head | Awaited::First))
    }
}

impl Patient {
    /// Reads once, if it doesn't take too long.
    fn poll_stream(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        if let Poll::Ready(read) = Pin::new(&mut self.stream).poll_read(cx, buf) {
            if !self.strict.is_in_head() {
                // The next wait is another one, though it be for the same.
                self.reading.clear();
            }
            return Poll::Ready(read);
        }
        match self.poll_read_deadline(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => {
                if self.strict.is_in_head() {
                    self.phases.0.slow_head.store(true, Ordering::Relaxed);
                    // Best effort: who is that slow may not read it either.
                    let _ = self.stream.get_ref().get_ref().try_write(TIMED_OUT);
                }
                Poll::Ready(Err(Error::new(ErrorKind::TimedOut, "no request came")))
            }
        }
    }
}

impl Patient {
    /// Reads what may be given on. One request with nothing behind it may be answered
    /// without hyper: then the answer is all that there is to do.
    fn poll_judged(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let before = buf.filled().len();
        while !self.strict.give(buf, || self.phases.is_tunnel())? {
            ready!(self.poll_glance_written(cx))?;
            ready!(self.poll_stream(cx, buf))?;
            if buf.filled().len() == before {
                return Poll::Ready(Ok(()));
            }
            let (phases, glances) = (&self.phases, &mut self.glances);
            self.strict.judge(buf, before, |head| {
                let is_answered = phases.is_between() && glances.answers(head);
                if is_answered {
                    phases.answered();
                }
                is_answered
            });
            if buf.filled().len() > before {
                return Poll::Ready(Ok(()));
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl Patient {
    /// Writes what is left of an answer at a glance.
    fn poll_glance_written(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let written = self.glances.poll_written(&mut self.stream, cx);
        if matches!(&written, Poll::Ready(Err(error)) if stood_still(error)) {
            self.phases.cut_off();
        }
        written
    }

    /// Notes whether a write has stood still for too long.
    fn written(
        &mut self,
        written: Poll<Result<usize>>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<usize>> {
        match &written {
            Poll::Pending => self.phases.stands_still(cx),
            Poll::Ready(Err(error)) if stood_still(error) => self.phases.cut_off(),
            Poll::Ready(_) => {}
        }
        written
    }
}

impl Drop for Patient {
    /// What a client that is cut off has not taken would stay in the kernel, for as long as
    /// the client likes: it is thrown away with the connection, by a reset.
    fn drop(&mut self) {
        if self.phases.is_cut_off() {
            let stream = self.stream.get_ref().get_ref();
            let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
        }
    }
}

impl AsyncRead for Patient {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        let this = self.get_mut();
        let read = this.poll_judged(cx, buf);
        this.count_held();
        read
    }
}

impl AsyncWrite for Patient {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<Result<usize>> {
        self.silence = None;
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.written(written, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        self.silence = None;
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.written(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.phases.is_written();
        // hyper comes here whenever it has done all it can.
        match self.phases.0.silence.load(Ordering::Relaxed) {
            0 => Poll::Ready(Ok(())),
            silence => match self.poll_gone(silence, cx) {
                Poll::Ready(gone) => Poll::Ready(Err(gone)),
                Poll::Pending => Poll::Ready(Ok(())),
            },
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_glance_written(cx))?;
        Pin::new(&mut this.stream).poll_shutdown(cx)
    }
}

fn stood_still(error: &Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Still>())
}

/// Whether a connection has ended so because its client took nothing of an answer, or
/// too little.
pub(super) fn is_slow_reader(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let is_still = error.downcast_ref().is_some_and(stood_still);
        if is_still || matches!(error.downcast_ref(), Some(BodyError::TooSlow)) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Tells a connection that there are too many.
pub(super) fn turn_away(stream: &TcpStream) {
    let _ = stream.try_write(TOO_MANY);
}
