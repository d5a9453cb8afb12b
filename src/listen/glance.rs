//! Requests that are answered before hyper sees them, while it waits for the next.

use super::Configured;
use crate::message::Peer;
use crate::proxy::Glanced;
use bytes::Buf;
use std::io::{ErrorKind, IoSlice, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::AsyncWrite;
use tokio::sync::watch;

/// Pieces that are written at a time.
const AT_ONCE: usize = 16;

/// Answers for one connection, and writes them.
pub(super) struct Glances {
    current: watch::Receiver<Configured>,
    peer: Arc<Peer>,
    /// What is being written.
    answer: Option<Glanced>,
}

impl Glances {
    pub fn new(current: watch::Receiver<Configured>, peer: Arc<Peer>) -> Glances {
        Glances { current, peer, answer: None }
    }

    /// Whether a request with this head, and no body, is answered; then the answer
    /// is to be [written](Glances::poll_written).
    pub fn answers(&mut self, head: &[u8]) -> bool {
        self.answer = self.current.borrow().proxy.glance(head, &self.peer);
        self.answer.is_some()
    }

    /// Writes what is left of an answer.
    ///
    /// # Errors
    /// The stream's.
    pub fn poll_written(
        &mut self,
        stream: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<Result<()>> {
        while let Some(answer) = &mut self.answer {
            let mut pieces = [IoSlice::new(&[]); AT_ONCE];
            let count = answer.chunks_vectored(&mut pieces);
            if count > 0 {
                let write = Pin::new(&mut *stream).poll_write_vectored(cx, &pieces[..count]);
                match ready!(write)? {
                    0 => return Poll::Ready(Err(ErrorKind::WriteZero.into())),
                    taken => answer.advance(taken),
                }
            }
            if !answer.has_remaining() {
                self.answer = None;
            }
        }
        Poll::Ready(Ok(()))
    }
}
