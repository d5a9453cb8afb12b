//! How long a request's body is (RFC 9112 section 6): one reading, for the bytes
//! before hyper and for the fields behind it.

use crate::error::Refusal;
use http::{StatusCode, Version};

/// Codings that are registered, and not taken here.
const OTHER_CODINGS: [&[u8]; 5] = [b"gzip", b"x-gzip", b"deflate", b"compress", b"x-compress"];

/// Where a request's body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// After so many bytes; zero if none are announced.
    Length(u64),
    /// After its last chunk.
    Chunked,
}

impl Framing {
    /// Reads the values of all `Transfer-Encoding` and all `Content-Length`
    /// lines.
    ///
    /// # Errors
    /// 400 if two parties could read them differently: both fields, either of
    /// them twice, a coding in HTTP/1.0, anything but one decimal number below
    /// 2^63. 501 for registered codings beneath `chunked` (section 6.1).
    pub fn of<'a>(
        version: Version,
        codings: impl IntoIterator<Item = &'a [u8]>,
        lengths: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Framing, Refusal> {
        let refuse = |message| Err(Refusal::bad_request(message));
        let (mut codings, mut lengths) = (codings.into_iter(), lengths.into_iter());
        let (coding, length) = (codings.next(), lengths.next());
        if codings.next().is_some() || lengths.next().is_some() {
            return refuse("the length of the body is given twice");
        }
        match (coding, length) {
            (None, None) => Ok(Framing::Length(0)),
            (Some(_), Some(_)) => refuse("Content-Length and Transfer-Encoding exclude each other"),
            (Some(_), None) if version == Version::HTTP_10 => {
                refuse("HTTP/1.0 has no Transfer-Encoding")
            }
            (Some(coding), None) if coding.eq_ignore_ascii_case(b"chunked") => Ok(Framing::Chunked),
            (Some(coding), None) if is_more_than_chunked(coding) => {
                let status = StatusCode::NOT_IMPLEMENTED;
                Err(Refusal::new(status, "the only transfer coding here is \"chunked\""))
            }
            (Some(_), None) => refuse("the only transfer coding here is \"chunked\""),
            (None, Some(digits)) => match stated_length(digits) {
                Some(length) => Ok(Framing::Length(length)),
                None => refuse("Content-Length must be one number"),
            },
        }
    }
}

/// A list of registered codings that ends with `chunked`.
fn is_more_than_chunked(coding: &[u8]) -> bool {
    let mut names = coding.rsplit(|b| *b == b',').map(<[u8]>::trim_ascii);
    names.next().is_some_and(|last| last.eq_ignore_ascii_case(b"chunked"))
        && names.all(|name| OTHER_CODINGS.iter().any(|other| name.eq_ignore_ascii_case(other)))
}

/// `1*DIGIT`, below 2^63.
pub fn stated_length(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    i64::try_from(number).is_ok().then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_has_one_length_or_the_request_is_refused() {
        type Case<'a> = (&'a [&'a str], &'a [&'a str], Result<Framing, u16>);
        let cases: &[Case<'_>] = &[
            (&[], &[], Ok(Framing::Length(0))),
            (&[], &["0"], Ok(Framing::Length(0))),
            (&[], &["007"], Ok(Framing::Length(7))),
            (&[], &["9223372036854775807"], Ok(Framing::Length(i64::MAX as u64))),
            (&[], &["9223372036854775808"], Err(400)),
            (&[], &["18446744073709551617"], Err(400)),
            (&[], &[""], Err(400)),
            (&[], &["+1"], Err(400)),
            (&[], &["1, 1"], Err(400)),
            (&[], &["1", "1"], Err(400)),
            (&["chunked"], &[], Ok(Framing::Chunked)),
            (&["Chunked"], &[], Ok(Framing::Chunked)),
            (&["chunked"], &["1"], Err(400)),
            (&["chunked", "chunked"], &[], Err(400)),
            (&["chunked, chunked"], &[], Err(400)),
            (&[",chunked"], &[], Err(400)),
            (&["identity"], &[], Err(400)),
            (&["chunked, gzip"], &[], Err(400)),
            (&["gzip,chunked"], &[], Err(501)),
        ];
        for (codings, lengths, expected) in cases {
            let codings_of = codings.iter().map(|line| line.as_bytes());
            let lengths_of = lengths.iter().map(|line| line.as_bytes());
            let read = Framing::of(Version::HTTP_11, codings_of, lengths_of);
            assert_eq!(read.map_err(|r| r.status.as_u16()), *expected, "{codings:?} {lengths:?}");
        }
        let old = Framing::of(Version::HTTP_10, [&b"chunked"[..]], []);
        assert_eq!(old.map_err(|r| r.status.as_u16()), Err(400));
    }
}
