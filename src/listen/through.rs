//! All of a connection's bytes at once, for tests: what of them is let through.

use super::strict::{Refusals, Strict};
use crate::error::Refusal;
use crate::message::HeadLimits;
use std::io::Result;
use tokio::io::ReadBuf;

/// Reads all of a connection's bytes, which come in pieces of at most `size`: what
/// hyper is given, and what was refused, if anything was: how many requests came
/// before it, and why.
#[doc(hidden)]
pub fn through(bytes: &[u8], size: usize, limits: HeadLimits) -> Through {
    let refusals = Refusals::default();
    let (given, end) = read_all(bytes, (size.max(1), size.max(1)), limits, false, &refusals);
    let refused = refusals.refused().map(|(at, refused)| (*at, refused.refusal.clone()));
    Through { given, refused, broken: end.is_err() }
}

/// What is given on of bytes that come in pieces of a size, into a buffer with so much
/// room; and the end: whether nothing would be read any more.
pub(super) fn read_all(
    bytes: &[u8],
    (size, room): (usize, usize),
    limits: HeadLimits,
    is_tunnel: bool,
    refusals: &Refusals,
) -> (Vec<u8>, Result<bool>) {
    let mut strict = Strict::new(limits, refusals.clone());
    let (mut given, mut space) = (Vec::new(), vec![0; room]);
    let mut pieces = bytes.chunks(size.min(room));
    loop {
        let mut buf = ReadBuf::new(&mut space);
        match strict.give(&mut buf, || is_tunnel) {
            Ok(true) if buf.filled().is_empty() => return (given, Ok(true)),
            Ok(true) => {}
            Ok(false) => {
                let Some(piece) = pieces.next() else { return (given, Ok(false)) };
                buf.put_slice(piece);
                strict.judge(&mut buf, 0, |_| false);
            }
            Err(error) => return (given, Err(error)),
        }
        given.extend_from_slice(buf.filled());
    }
}

/// What comes of a connection's bytes.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Through {
    /// What hyper is given.
    pub given: Vec<u8>,
    /// How many requests came before one that was refused, and why it was.
    pub refused: Option<(u64, Refusal)>,
    /// It ended in a broken chunk.
    pub broken: bool,
}
