//! A body in which some texts are replaced, each by one of the same length, while it goes
//! through: it may come in any pieces, and a text that is replaced may lie across them.
//!
//! Pieces are taken apart, not copied, but for one that follows what may be the beginning
//! of such a text. At most as much is held back as can be one.

use super::Body;
use crate::error::BodyError;
use bytes::{Buf, Bytes, BytesMut};
use http_body::{Body as _, Frame, SizeHint};
use memchr::memmem::Finder;
use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// A body, and what is replaced in it.
pub struct Replacing {
    inner: Body,
    texts: Vec<Text>,
    ready: VecDeque<Bytes>,
    /// The end of what has come, as far as it may be the beginning of a text.
    held: Bytes,
    ended: bool,
}

/// A text, and what is put in its place.
struct Text {
    finder: Finder<'static>,
    other: Bytes,
    /// Where it is next in the piece at hand, if it is.
    next: Option<usize>,
}

impl Replacing {
    /// The body with each text replaced by its partner, from the left; none may contain
    /// another. Partners that are not of the same length, or empty, are left out. Trailers
    /// are dropped: they are about what was there before.
    pub fn new<'a>(inner: Body, pairs: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> Replacing {
        let text = |(text, other): (&[u8], &[u8])| Text {
            finder: Finder::new(text).into_owned(),
            other: Bytes::copy_from_slice(other),
            next: None,
        };
        let fits = |(text, other): &(&[u8], &[u8])| text.len() == other.len() && !text.is_empty();
        Replacing {
            inner,
            texts: pairs.filter(fits).map(text).collect(),
            ready: VecDeque::new(),
            held: Bytes::new(),
            ended: false,
        }
    }

    /// The body that is read.
    pub(super) fn inner(&self) -> &Body {
        &self.inner
    }

    /// Takes a piece in; what can be handed on of it is ready then.
    fn take(&mut self, piece: Bytes) {
        let mut rest = match self.held.is_empty() {
            true => piece,
            false => {
                let mut both = BytesMut::with_capacity(self.held.len() + piece.len());
                both.extend_from_slice(&self.held);
                both.extend_from_slice(&piece);
                both.freeze()
            }
        };
        self.held = Bytes::new();
        // Where each is next, from the beginning of the piece; how much of it has gone.
        self.texts.iter_mut().for_each(|text| text.next = text.finder.find(&rest));
        let mut gone = 0;
        while let Some((at, other)) = self.first() {
            self.make_ready(rest.split_to(at - gone));
            rest.advance(other.len());
            gone = at + other.len();
            self.make_ready(other);
            for text in self.texts.iter_mut().filter(|text| text.next.is_some_and(|n| n < gone)) {
                text.next = text.finder.find(&rest).map(|next| gone + next);
            }
        }
        self.held = rest.split_off(rest.len() - self.begun(&rest));
        self.make_ready(rest);
    }

    /// Which text comes first in the piece, and what is put in its place.
    fn first(&self) -> Option<(usize, Bytes)> {
        let found = self.texts.iter().filter_map(|text| Some((text.next?, text)));
        found.min_by_key(|(at, _)| *at).map(|(at, text)| (at, text.other.clone()))
    }

    /// How many bytes at the end of a piece may be the beginning of a text.
    fn begun(&self, piece: &[u8]) -> usize {
        let begun = |text: &Text| {
            let needle = text.finder.needle();
            let most = piece.len().min(needle.len() - 1);
            (1..=most).rev().find(|length| piece.ends_with(&needle[..*length])).unwrap_or(0)
        };
        self.texts.iter().map(begun).max().unwrap_or(0)
    }

    fn make_ready(&mut self, piece: Bytes) {
        if !piece.is_empty() {
            self.ready.push_back(piece);
        }
    }

    pub(super) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        loop {
            if let Some(piece) = self.ready.pop_front() {
                return Poll::Ready(Some(Ok(Frame::data(piece))));
            }
            if self.ended {
                return Poll::Ready(None);
            }
            match ready!(Pin::new(&mut self.inner).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    if let Ok(piece) = frame.into_data() {
                        self.take(piece);
                    }
                }
                Some(Err(error)) => {
                    self.ended = true;
                    return Poll::Ready(Some(Err(error)));
                }
                None => {
                    self.ended = true;
                    let held = std::mem::take(&mut self.held);
                    self.make_ready(held);
                }
            }
        }
    }

    pub(super) fn is_end_stream(&self) -> bool {
        let is_over = self.ended || self.inner.is_end_stream();
        is_over && self.ready.is_empty() && self.held.is_empty()
    }

    pub(super) fn size_hint(&self) -> SizeHint {
        let here = super::length(&self.ready) + self.held.len() as u64;
        match self.inner.size_hint().exact() {
            Some(rest) => SizeHint::with_exact(here + rest),
            None => SizeHint::default(),
        }
    }
}

impl fmt::Debug for Replacing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replacing").field("inner", &self.inner).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Account;
    use crate::body::Fill;
    use http_body_util::BodyExt;
    use proptest::prelude::*;
    use std::sync::Arc;
    use std::task::Waker;

    const PAIRS: [(&[u8], &[u8]); 2] = [(b"ABABC", b"12345"), (b"BCD", b"678")];

    fn body(pieces: &[&[u8]]) -> Body {
        Body::Chunks(pieces.iter().map(|piece| Bytes::copy_from_slice(piece)).collect())
    }

    /// What comes out, and in which pieces.
    fn pieces_of(inner: Body, pairs: &[(&[u8], &[u8])]) -> Vec<Bytes> {
        let mut body = Replacing::new(inner, pairs.iter().copied());
        let length = body.size_hint().exact().expect("a length");
        let mut pieces = Vec::new();
        let mut cx = Context::from_waker(Waker::noop());
        while let Poll::Ready(Some(frame)) = body.poll_frame(&mut cx) {
            pieces.push(frame.expect("a piece").into_data().expect("data"));
        }
        assert!(body.is_end_stream());
        assert_eq!(pieces.iter().map(|piece| piece.len() as u64).sum::<u64>(), length);
        pieces
    }

    /// The same in the plainest way there is.
    fn plainly(text: &[u8], pairs: &[(&[u8], &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.first() {
            match pairs.iter().find(|(text, _)| rest.starts_with(text)) {
                Some((text, other)) => {
                    out.extend_from_slice(other);
                    rest = &rest[text.len()..];
                }
                None => {
                    out.push(*first);
                    rest = &rest[1..];
                }
            }
        }
        out
    }

    #[test]
    fn what_is_whole_is_taken_apart_and_not_copied() {
        let page = Bytes::from_static(b"<a ABABC><b BCD>");
        let pieces = pieces_of(Body::from(page.clone()), &PAIRS);
        assert_eq!(pieces, [&b"<a "[..], b"12345", b"><b ", b"678", b">"]);
        for (own, at) in [(0, 0), (2, 8), (4, 15)] {
            assert_eq!(pieces[own].as_ptr(), page[at..].as_ptr());
        }
        assert_eq!(pieces_of(Body::empty(), &PAIRS).len(), 0);
    }

    #[test]
    fn nothing_is_held_back_that_can_be_no_beginning() {
        let pieces = pieces_of(body(&[b"abc", b"xyAB", b"ABCD", b"BC"]), &PAIRS);
        assert_eq!(pieces, [&b"abc"[..], b"xy", b"12345", b"D", b"BC"]);
    }

    #[tokio::test]
    async fn a_broken_body_stays_broken() {
        let fill = Fill::new(1 << 20, None, Arc::new(Account::new(1 << 30)));
        let reader = fill.source().read().expect("a reader");
        let _ = fill.push(Bytes::from_static(b"x ABA")).await;
        fill.abort(BodyError::Abandoned);
        let mut broken =
            Body::Replacing(Box::new(Replacing::new(Body::Shared(reader), PAIRS.into_iter())));
        let first = broken.frame().await.expect("a frame").expect("data");
        assert_eq!(first.into_data().expect("data"), &b"x "[..]);
        assert!(broken.frame().await.expect("a frame").is_err());
        assert!(broken.frame().await.is_none());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]

        #[test]
        fn any_split_into_pieces_comes_to_the_same(
            text in prop::collection::vec(prop::sample::select(&b"AABBCDx"[..]), 0..60),
            cuts in prop::collection::vec(0_usize..60, 0..8),
        ) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.sort_unstable();
            let ends = cuts.iter().copied().chain([text.len()]);
            let begins = [0].into_iter().chain(cuts.iter().copied());
            let pieces: Vec<&[u8]> = begins.zip(ends).map(|(a, b)| &text[a..b]).collect();
            let filled = pieces_of(body(&pieces), &PAIRS).concat();
            prop_assert_eq!(filled, plainly(&text, &PAIRS));
        }

        #[test]
        fn a_placeholder_of_a_page_is_found_wherever_it_is_cut(
            before in "[a-z<> ]{0,200}", after in "[a-zA-Z0-9<> ]{0,200}", size in 1_usize..100,
            placeholder in "[a-zA-Z0-9]{64}",
        ) {
            let page = format!("{before}\"{placeholder}\"{after}\"{placeholder}\"");
            let token = "#".repeat(64);
            let pairs = [(placeholder.as_bytes(), token.as_bytes())];
            let pieces: Vec<&[u8]> = page.as_bytes().chunks(size).collect();
            let filled = pieces_of(body(&pieces), &pairs).concat();
            prop_assert_eq!(filled, page.replace(&placeholder, &token).into_bytes());
        }
    }
}
