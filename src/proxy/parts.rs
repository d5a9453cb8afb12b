//! The bodies of 206 and 416 (RFC 9110 sections 14.4 to 14.6, 15.3.7, 15.5.17).

use crate::body::Body;
use crate::semantics::range::ByteRange;
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};

/// Parts of a body, with the fields that say which: one part as it is, several
/// in one `multipart/byteranges`.
pub(super) fn partial(
    fields: &mut HeaderMap,
    chunks: &[Bytes],
    length: u64,
    ranges: &[ByteRange],
) -> Body {
    let mut body = VecDeque::new();
    if let [range] = ranges {
        insert(fields, header::CONTENT_RANGE, &content_range(*range, length));
        body.extend(slice(chunks, *range));
    } else {
        // Nobody can know it beforehand and write it into a page.
        let boundary = format!("{:016x}", RandomState::new().hash_one(length));
        let media_type = fields.get(header::CONTENT_TYPE).map(|v| v.as_bytes().to_vec());
        for range in ranges {
            let mut head = format!("\r\n--{boundary}\r\n").into_bytes();
            if let Some(media_type) = &media_type {
                head.extend_from_slice(b"Content-Type: ");
                head.extend_from_slice(media_type);
                head.extend_from_slice(b"\r\n");
            }
            let place = content_range(*range, length);
            head.extend_from_slice(format!("Content-Range: {place}\r\n\r\n").as_bytes());
            body.push_back(Bytes::from(head));
            body.extend(slice(chunks, *range));
        }
        body.push_back(Bytes::from(format!("\r\n--{boundary}--\r\n")));
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

fn content_range(range: ByteRange, length: u64) -> String {
    format!("bytes {}-{}/{length}", range.first, range.last)
}

fn insert(fields: &mut HeaderMap, name: header::HeaderName, value: &str) {
    // Digits, a fixed word and a boundary of hexadecimal digits: always a value.
    if let Ok(value) = HeaderValue::from_str(value) {
        fields.insert(name, value);
    }
}

/// The bytes of a range, without copying them.
fn slice(chunks: &[Bytes], range: ByteRange) -> Vec<Bytes> {
    let mut taken = Vec::new();
    let mut start = 0u64;
    for chunk in chunks {
        let end = start + chunk.len() as u64;
        let (from, to) = (range.first.max(start), (range.last + 1).min(end));
        if from < to {
            let within = |at: u64| usize::try_from(at - start).unwrap_or(usize::MAX);
            taken.push(chunk.slice(within(from)..within(to)));
        }
        start = end;
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

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
