//! The bodies of 206 and 416 (RFC 9110 sections 14.4 to 14.6, 15.3.7, 15.5.17).

use crate::account::Account;
use crate::body::Body;
use crate::semantics::partial::Join;
use crate::semantics::range::ByteRange;
use crate::storage::Pieces;
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use std::sync::Arc;

/// A piece of so many bytes is sent as it is held. To copy a smaller one costs less than to
/// send one more.
const LARGE: usize = 1024;

/// Parts of a body, with the fields that say which: one part as it is, several
/// in one `multipart/byteranges`. `chunks` are what is held of the body, from
/// its byte `first` on; `length` is that of all of it, in bytes.
pub(super) fn partial(
    fields: &mut HeaderMap,
    chunks: &[Bytes],
    first: u64,
    length: u64,
    ranges: &[ByteRange],
) -> Body {
    let held =
        |range: ByteRange| ByteRange { first: range.first - first, last: range.last - first };
    let mut body = VecDeque::new();
    if let [range] = ranges {
        set_place(fields, *range, length);
        body.extend(slice(chunks, held(*range)));
    } else {
        fields.remove(header::CONTENT_RANGE);
        // Nobody can know it beforehand and write it into a page.
        let boundary = format!("{:016x}", RandomState::new().hash_one(length));
        let media_type = fields.get(header::CONTENT_TYPE).map(|v| v.as_bytes().to_vec());
        let mut written = Vec::new();
        for range in ranges {
            written.extend_from_slice(format!("\r\n--{boundary}\r\n").as_bytes());
            if let Some(media_type) = &media_type {
                written.extend_from_slice(b"Content-Type: ");
                written.extend_from_slice(media_type);
                written.extend_from_slice(b"\r\n");
            }
            let place = content_range(*range, length);
            written.extend_from_slice(format!("Content-Range: {place}\r\n\r\n").as_bytes());
            for piece in slice(chunks, held(*range)) {
                if piece.len() < LARGE {
                    written.extend_from_slice(&piece);
                } else {
                    body.extend([Bytes::from(std::mem::take(&mut written)), piece]);
                }
            }
        }
        written.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        body.push_back(Bytes::from(written));
        let value = format!("multipart/byteranges; boundary={boundary}");
        insert(fields, header::CONTENT_TYPE, &value);
    }
    let total: usize = body.iter().map(Bytes::len).sum();
    fields.insert(header::CONTENT_LENGTH, HeaderValue::from(total));
    Body::Chunks(body)
}

/// None of the ranges lies inside the body.
pub(super) fn unsatisfiable(fields: &mut HeaderMap, length: u64) -> Body {
    for name in [header::CONTENT_TYPE, header::CONTENT_ENCODING, header::CONTENT_LANGUAGE] {
        fields.remove(name);
    }
    insert(fields, header::CONTENT_RANGE, &format!("bytes */{length}"));
    fields.insert(header::CONTENT_LENGTH, HeaderValue::from(0));
    Body::empty()
}

/// Says in the fields which bytes of how many a body is.
pub(super) fn set_place(fields: &mut HeaderMap, range: ByteRange, length: u64) {
    insert(fields, header::CONTENT_RANGE, &content_range(range, length));
}

fn content_range(range: ByteRange, length: u64) -> String {
    format!("bytes {}-{}/{length}", range.first, range.last)
}

fn insert(fields: &mut HeaderMap, name: header::HeaderName, value: &str) {
    // Digits, a fixed word and a boundary of hexadecimal digits: always a value.
    if let Ok(value) = HeaderValue::from_str(value) {
        fields.insert(name, value);
    }
}

/// The most pieces of one body: each costs something besides its bytes.
const MOST_PIECES: usize = 64;

/// A newer stretch of a body with what an older one has before and behind it.
/// Whole pieces are shared; what is cut off is copied, so that nothing holds on
/// to bytes that are not in it; the copies are counted.
pub(super) fn joined(old: &[Bytes], new: &[Bytes], join: &Join, account: &Arc<Account>) -> Pieces {
    let length: u64 = old.iter().map(|chunk| chunk.len() as u64).sum();
    let mut pieces = cut(old, 0, join.before, account);
    pieces.extend_from_slice(new);
    pieces.extend(cut(old, length - join.after, length, account));
    if pieces.len() > MOST_PIECES {
        return account.own(&pieces).into();
    }
    pieces.into_iter().collect()
}

/// The bytes of a range: whole pieces shared, others copied.
fn cut(chunks: &[Bytes], from: u64, to: u64, account: &Arc<Account>) -> Vec<Bytes> {
    stretches(chunks, from, to)
        .map(|(chunk, within)| match within.len() == chunk.len() {
            true => chunk.clone(),
            false => account.own(&[chunk.slice(within)]),
        })
        .collect()
}

/// The bytes of a range, without copying them.
fn slice(chunks: &[Bytes], range: ByteRange) -> Vec<Bytes> {
    stretches(chunks, range.first, range.last + 1)
        .map(|(chunk, within)| chunk.slice(within))
        .collect()
}

/// The pieces that lie between two positions, and where in each.
fn stretches(chunks: &[Bytes], from: u64, to: u64) -> impl Iterator<Item = (&Bytes, Range<usize>)> {
    let mut start = 0u64;
    chunks.iter().filter_map(move |chunk| {
        let (begin, end) = (start, start + chunk.len() as u64);
        start = end;
        let within = |at: u64| usize::try_from(at - begin).unwrap_or(usize::MAX);
        let (from, to) = (from.max(begin), to.min(end));
        (from < to).then(|| (chunk, within(from)..within(to)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Arc<Account> {
        Arc::new(Account::unlimited())
    }
    use crate::semantics::partial::join;

    #[test]
    fn small_parts_are_sent_as_one_piece_and_large_ones_as_they_are_held() {
        let whole: Vec<u8> = (0..5000u32).map(|at| at as u8).collect();
        let chunks =
            [Bytes::copy_from_slice(&whole[..3000]), Bytes::copy_from_slice(&whole[3000..])];
        let large = ByteRange { first: 2900, last: 4500 };
        let ranges =
            [ByteRange { first: 0, last: 9 }, large, ByteRange { first: 4990, last: 4999 }];
        let mut fields = HeaderMap::new();
        let Body::Chunks(pieces) = partial(&mut fields, &chunks, 0, 5000, &ranges) else {
            panic!("pieces")
        };
        let sent: Vec<u8> = pieces.iter().flatten().copied().collect();
        let media_type = fields[header::CONTENT_TYPE].to_str().expect("text");
        let (_, boundary) = media_type.split_once("boundary=").expect("a boundary");
        let mut expected = Vec::new();
        for range in ranges {
            let (ByteRange { first, last }, line) = (range, format!("\r\n--{boundary}\r\n"));
            expected
                .extend(format!("{line}Content-Range: bytes {first}-{last}/5000\r\n\r\n").bytes());
            expected.extend(&whole[first as usize..=last as usize]);
        }
        expected.extend(format!("\r\n--{boundary}--\r\n").bytes());
        assert_eq!(sent, expected);
        assert_eq!(fields[header::CONTENT_LENGTH], *sent.len().to_string());
        // What is small, a piece that is large, and what is behind it.
        assert_eq!(pieces.len(), 3);
        assert_eq!(pieces[1].as_ptr(), chunks[1].as_ptr());
    }

    #[test]
    fn what_is_joined_shares_whole_pieces_and_copies_what_is_cut() {
        let body: Vec<u8> = (0..40).collect();
        let range = |first, last| ByteRange { first, last };
        let old = [Bytes::copy_from_slice(&body[5..15]), Bytes::copy_from_slice(&body[15..25])];
        for (first, last) in [(0, 4), (0, 5), (0, 30), (7, 9), (10, 20), (20, 24), (25, 39)] {
            let new = [Bytes::copy_from_slice(&body[first as usize..=last as usize])];
            let join = join(range(5, 24), range(first, last)).expect("they touch");
            let pieces = joined(&old, &new, &join, &account());
            let whole = &body[join.range.first as usize..=join.range.last as usize];
            assert_eq!(pieces.concat(), whole, "{first}-{last}");
        }
        let join = join(range(5, 24), range(20, 30)).expect("they touch");
        let pieces = joined(&old, &[Bytes::copy_from_slice(&body[20..31])], &join, &account());
        assert_eq!(pieces[0].as_ptr(), old[0].as_ptr(), "shared");
        assert_ne!(pieces[1].as_ptr(), old[1].as_ptr(), "copied");
    }

    #[test]
    fn many_small_pieces_become_one() {
        let mut held = Pieces::from(Bytes::from_static(b"x"));
        for length in 1..1000u64 {
            let range = |first, last| ByteRange { first, last };
            let join = join(range(0, length - 1), range(length, length)).expect("they touch");
            held = joined(&held, &[Bytes::from_static(b"x")], &join, &account());
            assert!(held.len() <= MOST_PIECES);
        }
        assert_eq!(held.concat(), vec![b'x'; 1000]);
    }

    #[test]
    fn a_range_goes_over_the_pieces_of_a_body() {
        let chunks =
            [Bytes::from_static(b"abc"), Bytes::from_static(b""), Bytes::from_static(b"defg")];
        for first in 0..7u64 {
            for last in first..7 {
                let text: Vec<u8> = slice(&chunks, ByteRange { first, last }).concat();
                assert_eq!(text, &b"abcdefg"[first as usize..=last as usize]);
            }
        }
    }
}
