//! A connection before hyper: it answers plain requests by itself, and most need no
//! more than that. hyper's part, with its buffers and its state, begins with the first
//! request that has to go the whole way.
//!
//! While nothing comes nothing is held for what may come: the space to read into is
//! the thread's own stack.

use super::patience::Patient;
use super::phases::Phases;
use super::{FIRST_WORDS, told};
use std::future::poll_fn;
use std::io::Result;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;
use tokio::time::timeout;

/// Bytes that are read at a time.
const AT_ONCE: usize = 8 << 10;

/// How a connection comes to the end of answering alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// What has been read is for hyper, and is given to whoever reads next.
    Whole,
    /// Nothing comes any more, or nothing more is taken.
    Over,
}

/// Answers what can be answered at a glance, until something else comes. When the
/// process closes, a client that has not spoken yet is waited for a little, and an
/// answer that has been begun is written whole.
///
/// # Errors
/// The stream's, its time-outs among them.
pub(super) async fn answer(
    stream: &mut Patient,
    phases: &Phases,
    closing: &mut watch::Receiver<bool>,
) -> Result<Next> {
    tokio::select! {
        biased;
        next = poll_fn(|cx| stream.poll_alone(cx)) => return next,
        () = told(closing) => phases.end(),
    }
    let spoken = poll_fn(|cx| match stream.poll_alone(cx) {
        Poll::Pending if !stream.awaits_a_head() => Poll::Ready(Ok(Next::Over)),
        polled => polled,
    });
    match timeout(FIRST_WORDS, spoken).await {
        Ok(Ok(Next::Over)) | Err(_) => {}
        Ok(next) => return next,
    }
    poll_fn(|cx| Pin::new(&mut *stream).poll_shutdown(cx)).await?;
    Ok(Next::Over)
}

impl Patient {
    fn poll_alone(&mut self, cx: &mut Context<'_>) -> Poll<Result<Next>> {
        let mut space = [const { MaybeUninit::uninit() }; AT_ONCE];
        let mut buf = ReadBuf::uninit(&mut space);
        ready!(Pin::new(&mut *self).poll_read(cx, &mut buf))?;
        if buf.filled().is_empty() {
            return Poll::Ready(Ok(Next::Over));
        }
        self.keep(buf.filled());
        Poll::Ready(Ok(Next::Whole))
    }
}
