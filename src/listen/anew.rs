//! Chunked bodies are written anew before hyper sees them: small chunks that came together
//! as one, and without extensions and trailers.
//!
//! hyper reads what is around a chunk's data byte by byte, and makes a piece of each chunk,
//! which everybody after it has to handle. How large its chunks are says the client.
//! `docs/adr/0033-chunks-written-anew.md` has what that costs.

use crate::message::{ChunkReader, Misplaced, Part};
use std::io::Write;

/// A chunk of at least so many bytes is given on as it comes, whole or not.
const LARGE: u64 = 4 << 10;

/// What is given on of some bytes: the first of them as they stand, and behind them what is
/// written anew.
#[derive(Debug, Default)]
pub(super) struct Given {
    /// How many are given on as they stand.
    pub kept: usize,
    /// How many have been read.
    pub read: usize,
    /// What comes behind those that are kept.
    pub written: Vec<u8>,
}

impl Given {
    /// Gives on the next bytes.
    pub fn keep(&mut self, bytes: &[u8]) {
        // A copy is needed only behind something else.
        if self.kept == self.read && self.written.is_empty() {
            self.kept += bytes.len();
        } else {
            self.written.extend_from_slice(bytes);
        }
        self.read += bytes.len();
    }

    /// Leaves out so many bytes.
    fn leave_out(&mut self, count: usize) {
        self.read += count;
    }

    fn chunk(&mut self, data: &mut Vec<u8>) {
        if !data.is_empty() {
            self.size(data.len() as u64);
            self.written.append(data);
            self.written.extend_from_slice(b"\r\n");
        }
    }

    fn size(&mut self, size: u64) {
        // Writing to memory never fails.
        let _ = write!(self.written, "{size:x}\r\n");
    }
}

/// A chunked body that is written anew as it is read.
#[derive(Debug, Default)]
pub(super) struct Anew {
    reader: ChunkReader,
    /// The chunk that is being read has been given on with its size.
    large: bool,
}

impl Anew {
    /// Reads on in a body, and gives on what that is: nothing of its data is held back.
    /// Whether the body ends in these bytes.
    ///
    /// # Errors
    /// At the first byte that is [`Misplaced`].
    pub fn read(&mut self, bytes: &[u8], given: &mut Given) -> Result<bool, Misplaced> {
        let (mut rest, mut small) = (bytes, Vec::new());
        while !rest.is_empty() {
            let (length, part) = self.reader.read(rest)?;
            let (these, behind) = rest.split_at(length);
            rest = behind;
            match part {
                Part::Framing => {
                    given.leave_out(length);
                    self.begin(given, &mut small);
                }
                Part::Data if self.large => {
                    given.keep(these);
                    if self.reader.left().is_none() {
                        given.written.extend_from_slice(b"\r\n");
                        self.large = false;
                    }
                }
                Part::Data => {
                    small.extend_from_slice(these);
                    let more = self.reader.whole_chunks(rest, LARGE, &mut small);
                    rest = &rest[more..];
                    given.leave_out(length + more);
                }
                Part::Trailers => given.leave_out(length),
                Part::End => {
                    given.leave_out(length);
                    given.written.extend_from_slice(b"\r\n");
                    return Ok(true);
                }
            }
        }
        given.chunk(&mut small);
        Ok(false)
    }

    /// What is behind a size line: nothing yet, a chunk, or the trailers.
    fn begin(&mut self, given: &mut Given, small: &mut Vec<u8>) {
        let size = self.reader.left().filter(|left| *left >= LARGE);
        if let Some(size) = size {
            given.chunk(small);
            given.size(size);
            self.large = true;
        } else if self.reader.is_behind_chunks() {
            given.chunk(small);
            given.size(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Pieces<'a> = &'a [&'a [u8]];

    /// What is given on of pieces that come one after the other.
    fn given(pieces: Pieces<'_>) -> Vec<Vec<u8>> {
        let mut body = Anew::default();
        let one = |piece: &&[u8]| {
            let mut given = Given::default();
            body.read(piece, &mut given).expect("a chunked body");
            [&piece[..given.kept], &given.written].concat()
        };
        pieces.iter().map(one).collect()
    }

    #[test]
    fn what_came_together_is_one_chunk_and_nothing_waits_for_more() {
        let cases: [(Pieces<'_>, Pieces<'_>); 5] = [
            (&[b"1\r\na\r\n2;x=y\r\nbc\r\n0;z\r\n\r\n"], &[b"3\r\nabc\r\n0\r\n\r\n"]),
            (
                &[b"1\r\na\r\n3\r\nb", b"c", b"d\r", b"\n1"],
                &[b"2\r\nab\r\n", b"1\r\nc\r\n", b"1\r\nd\r\n", b""],
            ),
            (&[b"0", b"2", b"\r\n", b"ab\r\n0"], &[b"", b"", b"", b"2\r\nab\r\n"]),
            (&[b"1\r\na\r\n0\r\nX: y\r\n", b"\r\n"], &[b"1\r\na\r\n0\r\n", b"\r\n"]),
            (&[b"0\r\n", b"\r", b"\n"], &[b"0\r\n", b"", b"\r\n"]),
        ];
        for (pieces, expected) in cases {
            assert_eq!(given(pieces), expected);
        }
    }

    #[test]
    fn a_large_chunk_is_given_on_as_it_comes() {
        let data = [b'x'; 5000];
        let (first, rest) = data.split_at(2000);
        let pieces = [&[b"1\r\na\r\n1388;y\r\n", first].concat(), rest, b"\r\n0\r\n\r\n"];
        let expected = [
            [b"1\r\na\r\n1388\r\n", first].concat(),
            [rest, b"\r\n"].concat(),
            b"0\r\n\r\n".to_vec(),
        ];
        assert_eq!(given(&pieces), expected);
        // In the middle of it nothing is copied.
        let mut body = Anew::default();
        for (piece, kept) in [(&b"1388\r\n"[..], 0), (first, 2000), (&rest[1..], 2999)] {
            let mut given = Given::default();
            body.read(piece, &mut given).expect("a part of a chunk");
            assert_eq!(given.kept, kept);
        }
    }
}
