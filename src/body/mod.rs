//! Bodies on their way: from the store, from a fetch that others follow too, or
//! straight from one side to the other.

mod ahead;
mod allowance;
mod begun;
mod decoding;
mod document;
mod fill;
mod held;
mod passing;
mod pieces;
mod replacing;

pub use ahead::ReadAhead;
pub use begun::begun;
pub use decoding::Decoding;
pub use document::{Unread, document, is_over};
pub use fill::{Fill, Filled, Pushed, Reader, Source};
pub use passing::{Limits, Passing};
pub use replacing::Replacing;

use crate::account::Account;
use crate::error::BodyError;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Any body that larder sends, to a client or to the origin.
#[derive(Debug)]
pub enum Body {
    /// Bytes in hand.
    Chunks(VecDeque<Bytes>),
    /// What one fetch brings for everybody who waits for it.
    Shared(Reader),
    /// What comes from the other side, as it comes.
    Passing(Box<Passing>),
    /// The same, and read ahead while nobody takes it.
    Ahead(ReadAhead),
    /// Bytes in hand, and what follows them.
    Continued(VecDeque<Bytes>, Box<Body>),
    /// A body whose coding is undone.
    Decoding(Box<Decoding>),
    /// A body in which texts are replaced.
    Replacing(Box<Replacing>),
}

impl Body {
    /// No body.
    pub fn empty() -> Body {
        Body::Chunks(VecDeque::new())
    }

    /// The same body; what is still to come of it is counted for as long as anybody
    /// holds it.
    pub fn counted(self, account: &Arc<Account>) -> Body {
        match self {
            Body::Passing(passing) => Body::Passing(Box::new(passing.counted(account))),
            Body::Ahead(ahead) => Body::Ahead(ahead.counted(account)),
            other => other,
        }
    }

    /// What of it can be read ahead, if anything.
    pub fn ahead(&self) -> Option<&ReadAhead> {
        match self {
            Body::Ahead(ahead) => Some(ahead),
            Body::Continued(_, rest) => rest.ahead(),
            Body::Decoding(decoding) => decoding.inner().ahead(),
            Body::Replacing(replacing) => replacing.inner().ahead(),
            Body::Chunks(_) | Body::Shared(_) | Body::Passing(_) => None,
        }
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Body {
        Body::from(Bytes::from_static(text.as_bytes()))
    }
}

impl From<String> for Body {
    fn from(text: String) -> Body {
        Body::from(Bytes::from(text))
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Body {
        Body::Chunks(if bytes.is_empty() { VecDeque::new() } else { VecDeque::from([bytes]) })
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self.get_mut() {
            Body::Chunks(chunks) => Poll::Ready(chunks.pop_front().map(|c| Ok(Frame::data(c)))),
            Body::Shared(reader) => reader.poll_frame(cx),
            Body::Passing(passing) => Pin::new(passing.as_mut()).poll_frame(cx),
            Body::Ahead(ahead) => ahead.poll_frame(cx),
            Body::Continued(chunks, rest) => match chunks.pop_front() {
                Some(chunk) => Poll::Ready(Some(Ok(Frame::data(chunk)))),
                None => Pin::new(rest.as_mut()).poll_frame(cx),
            },
            Body::Decoding(decoding) => decoding.poll_frame(cx),
            Body::Replacing(replacing) => replacing.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Body::Chunks(chunks) => chunks.is_empty(),
            Body::Shared(_) => false,
            Body::Passing(passing) => passing.is_end_stream(),
            Body::Ahead(ahead) => ahead.is_end_stream(),
            Body::Continued(chunks, rest) => chunks.is_empty() && rest.is_end_stream(),
            Body::Decoding(_) => false,
            Body::Replacing(replacing) => replacing.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Body::Chunks(chunks) => SizeHint::with_exact(length(chunks)),
            Body::Shared(reader) => {
                reader.expected_length().map_or_else(SizeHint::default, SizeHint::with_exact)
            }
            Body::Passing(passing) => passing.size_hint(),
            Body::Ahead(ahead) => ahead.size_hint(),
            Body::Continued(chunks, rest) => match rest.size_hint().exact() {
                Some(rest) => SizeHint::with_exact(length(chunks) + rest),
                None => SizeHint::default(),
            },
            Body::Decoding(_) => SizeHint::default(),
            Body::Replacing(replacing) => replacing.size_hint(),
        }
    }
}

fn length(chunks: &VecDeque<Bytes>) -> u64 {
    chunks.iter().map(|chunk| chunk.len() as u64).sum()
}
