//! A body whose gzip coding is undone while it goes through.
//!
//! However much may be packed into a piece, what comes of a few bytes of it is handed on
//! before the next are looked at.

use super::Body;
use crate::account::Account;
use crate::error::BodyError;
use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use http_body::{Body as _, Frame};
use std::fmt;
use std::io::{self, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// Bytes that are decoded at a time: of them come at most a thousand times as many.
const STEP: usize = 128;

/// A body in gzip, read as what it was.
pub struct Decoding {
    inner: Body,
    decoder: MultiGzDecoder<Vec<u8>>,
    /// What has come and not been decoded yet.
    coded: Bytes,
    /// Anything has come: a body without a byte has nothing to decode.
    begun: bool,
    ended: bool,
    account: Arc<Account>,
    /// Taken and called if the coding turns out to be broken.
    on_broken: Option<OnBroken>,
}

type OnBroken = Box<dyn FnOnce(&BodyError) + Send>;

impl Decoding {
    /// Reads a body so. What comes of it is counted for as long as anybody holds it. Trailers
    /// are dropped: they are about what was coded.
    pub fn new(inner: Body, account: &Arc<Account>) -> Decoding {
        Decoding {
            inner,
            decoder: MultiGzDecoder::new(Vec::new()),
            coded: Bytes::new(),
            begun: false,
            ended: false,
            account: Arc::clone(account),
            on_broken: None,
        }
    }

    /// Calls back if the coding turns out to be broken; not if the body breaks that is
    /// read.
    pub fn on_broken(mut self, callback: impl FnOnce(&BodyError) + Send + 'static) -> Decoding {
        self.on_broken = Some(Box::new(callback));
        self
    }

    /// The body that is read.
    pub(super) fn inner(&self) -> &Body {
        &self.inner
    }

    pub(super) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        loop {
            if self.coded.is_empty() && self.ended {
                return Poll::Ready(None);
            }
            if self.coded.is_empty() {
                match ready!(Pin::new(&mut self.inner).poll_frame(cx)) {
                    Some(Ok(frame)) => self.coded = frame.into_data().unwrap_or_default(),
                    Some(Err(error)) => {
                        self.ended = true;
                        return Poll::Ready(Some(Err(error)));
                    }
                    None => self.ended = true,
                }
            }
            match self.step() {
                Ok(piece) if piece.is_empty() => {}
                Ok(piece) => return Poll::Ready(Some(Ok(Frame::data(self.account.hold(piece))))),
                Err(_) => {
                    (self.coded, self.ended) = (Bytes::new(), true);
                    let error = BodyError::Coding;
                    if let Some(callback) = self.on_broken.take() {
                        callback(&error);
                    }
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
    }

    /// Decodes some of what has come, or sees to it at the end that all of it is there.
    fn step(&mut self) -> io::Result<Bytes> {
        let next = self.coded.split_to(self.coded.len().min(STEP));
        if next.is_empty() {
            if self.ended && self.begun {
                self.decoder.try_finish()?;
            }
        } else {
            self.begun = true;
            self.decoder.write_all(&next)?;
            self.decoder.flush()?;
        }
        Ok(std::mem::take(self.decoder.get_mut()).into())
    }
}

impl fmt::Debug for Decoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoding").field("inner", &self.inner).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;
    use std::task::Waker;

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).expect("memory");
        encoder.finish().expect("memory")
    }

    /// What comes out until it ends or breaks.
    fn read(coded: &[u8], size: usize) -> Result<Vec<Bytes>, BodyError> {
        let chunks = coded.chunks(size.max(1)).map(Bytes::copy_from_slice).collect();
        let mut body = Decoding::new(Body::Chunks(chunks), &Arc::new(Account::new(1 << 30)));
        let mut cx = Context::from_waker(Waker::noop());
        let mut pieces = Vec::new();
        while let Poll::Ready(Some(frame)) = body.poll_frame(&mut cx) {
            pieces.push(frame?.into_data().expect("data"));
        }
        assert!(matches!(body.poll_frame(&mut cx), Poll::Ready(None)));
        Ok(pieces)
    }

    #[test]
    fn what_breaks_off_or_is_no_gzip_is_an_error() {
        let coded = packed(b"a page, and more of it");
        for broken in [&coded[..coded.len() - 1], &coded[..12], &coded[..1], b"no gzip at all"] {
            assert!(matches!(read(broken, 7), Err(BodyError::Coding)), "{broken:?}");
        }
        let mut flipped = coded.clone();
        flipped[coded.len() - 6] ^= 1;
        assert!(read(&flipped, 100).is_err(), "its sum is wrong");
        let behind = [&coded[..], b"rubbish"].concat();
        assert!(read(&behind, 100).is_err());
    }

    #[test]
    fn a_body_without_a_byte_has_nothing_to_decode() {
        assert_eq!(read(b"", 1).expect("nothing").len(), 0);
    }

    #[test]
    fn what_is_packed_tightly_comes_in_small_pieces() {
        let coded = packed(&vec![0; 32 << 20]);
        let pieces = read(&coded, coded.len()).expect("zeros");
        assert_eq!(pieces.iter().map(Bytes::len).sum::<usize>(), 32 << 20);
        let largest = pieces.iter().map(Bytes::len).max().expect("pieces");
        assert!(largest <= 256 << 10, "{largest}");
    }

    proptest! {
        #[test]
        fn what_was_packed_comes_out_in_whatever_pieces(
            text in prop::collection::vec(any::<u8>(), 0..3000), size in 1_usize..400,
            twice: bool,
        ) {
            let (mut coded, mut text) = (packed(&text), text);
            if twice {
                coded = [&coded[..], &coded].concat();
                text = [&text[..], &text].concat();
            }
            prop_assert_eq!(read(&coded, size).expect("text").concat(), text);
        }
    }
}
