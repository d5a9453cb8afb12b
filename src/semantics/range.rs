//! Parts of a complete response (RFC 9110 section 14).

use super::date::{date_in, http_date};
use super::validation::strongly_equal;
use http::header::{self, HeaderMap};
use http::{Method, StatusCode};
use std::time::SystemTime;

/// A part of a body: first and last byte, both inside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteRange {
    /// Position of the first byte.
    pub first: u64,
    /// Position of the last byte, at least `first`.
    pub last: u64,
}

impl ByteRange {
    /// The number of bytes.
    pub fn length(self) -> u64 {
        self.last - self.first + 1
    }

    /// Whether the other lies inside.
    pub fn covers(self, other: ByteRange) -> bool {
        self.first <= other.first && other.last <= self.last
    }

    /// Whether the two overlap, or one begins where the other ends.
    pub fn touches(self, other: ByteRange) -> bool {
        other.first <= self.last.saturating_add(1) && self.first <= other.last.saturating_add(1)
    }

    /// From the first byte of both to the last.
    pub fn and(self, other: ByteRange) -> ByteRange {
        ByteRange { first: self.first.min(other.first), last: self.last.max(other.last) }
    }
}

/// What part of the body a request is to be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// All of it.
    Whole,
    /// These parts, at least one: 206.
    Parts(Vec<ByteRange>),
    /// Parts, but none inside the body: 416.
    Unsatisfiable,
}

/// Decides what a request for a complete response of `length` bytes is given.
///
/// A `Range` that is not in the grammar, is about other units, names more than
/// `most` parts, or whose `If-Range` does not hold, is ignored (RFC 9110
/// sections 14.2 and 13.1.5). Parts that overlap or touch are joined.
pub fn wanted(
    method: &Method,
    request: &HeaderMap,
    status: StatusCode,
    response: &HeaderMap,
    length: u64,
    most: usize,
) -> Wanted {
    if method != Method::GET || status != StatusCode::OK || !if_range_holds(request, response) {
        return Wanted::Whole;
    }
    let mut lines = request.get_all(header::RANGE).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return Wanted::Whole;
    };
    let Some(specs) = parse(line.as_bytes(), most).filter(|specs| specs.len() <= most) else {
        return Wanted::Whole;
    };
    let parts: Vec<ByteRange> = specs.iter().filter_map(|spec| spec.inside(length)).collect();
    if parts.is_empty() { Wanted::Unsatisfiable } else { Wanted::Parts(joined(parts)) }
}

/// `If-Range` (RFC 9110 section 13.1.5): a strong entity tag that is equal, or
/// a date that is exactly the response's, which then is a strong validator.
fn if_range_holds(request: &HeaderMap, response: &HeaderMap) -> bool {
    let Some(condition) = request.get(header::IF_RANGE) else {
        return true;
    };
    if condition.as_bytes().ends_with(b"\"") {
        return response
            .get(header::ETAG)
            .is_some_and(|etag| strongly_equal(etag.as_bytes(), condition.as_bytes()));
    }
    let theirs = |modified| http_date(condition.as_bytes(), modified) == Some(modified);
    strong_date(response).is_some_and(theirs)
}

/// `Last-Modified`, if it is a strong validator: the origin had a second to
/// spare when it dated the response (section 8.8.2.2).
pub(super) fn strong_date(response: &HeaderMap) -> Option<SystemTime> {
    let date = date_in(response, &header::DATE, SystemTime::UNIX_EPOCH)?;
    let modified = date_in(response, &header::LAST_MODIFIED, date)?;
    let gap = date.duration_since(modified).ok()?;
    (gap.as_secs() >= 1).then_some(modified)
}

/// Whether a request asks for one part that may be there, on no condition:
/// what the origin answers to it may be stored as a part.
pub fn asks_for_one(request: &HeaderMap) -> bool {
    let mut lines = request.get_all(header::RANGE).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return false;
    };
    let specs = parse(line.as_bytes(), 1).unwrap_or_default();
    matches!(&specs[..], [Spec::From(_) | Spec::FromTo(..) | Spec::Suffix(1..)])
        && !request.contains_key(header::IF_RANGE)
}

/// Whether a request names more than `most` parts, so that [`wanted`] gives it the
/// whole. What stands behind them isn't looked at.
pub fn asks_for_more_than(request: &HeaderMap, most: usize) -> bool {
    let mut lines = request.get_all(header::RANGE).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return false;
    };
    parse(line.as_bytes(), most).is_some_and(|specs| specs.len() > most)
}

#[derive(Clone, Copy)]
enum Spec {
    From(u64),
    FromTo(u64, u64),
    Suffix(u64),
}

impl Spec {
    fn inside(self, length: u64) -> Option<ByteRange> {
        let end = length.checked_sub(1)?;
        let (first, last) = match self {
            Spec::From(first) => (first, end),
            Spec::FromTo(first, last) => (first, last.min(end)),
            Spec::Suffix(0) => return None,
            Spec::Suffix(count) => (length.saturating_sub(count), end),
        };
        (first <= end).then_some(ByteRange { first, last })
    }
}

/// Reads `bytes=...`, up to one part more than `most`: however many follow, they are too
/// many. `None` if it is not in the grammar, as far as it is read.
fn parse(value: &[u8], most: usize) -> Option<Vec<Spec>> {
    let at = value.iter().position(|b| *b == b'=')?;
    let (unit, list) = (&value[..at], &value[at + 1..]);
    if !unit.trim_ascii().eq_ignore_ascii_case(b"bytes") {
        return None;
    }
    let specs: Option<Vec<Spec>> = list
        .split(|b| *b == b',')
        .map(<[u8]>::trim_ascii)
        .filter(|spec| !spec.is_empty())
        .take(most.saturating_add(1))
        .map(parse_spec)
        .collect();
    specs.filter(|specs| !specs.is_empty())
}

fn parse_spec(spec: &[u8]) -> Option<Spec> {
    let at = spec.iter().position(|b| *b == b'-')?;
    match (&spec[..at], &spec[at + 1..]) {
        ([], count) => number(count).map(Spec::Suffix),
        (first, []) => number(first).map(Spec::From),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some(Spec::FromTo(first, last))
        }
    }
}

fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    // A number too large for a body is beyond the end of any.
    Some(std::str::from_utf8(digits).ok()?.parse().unwrap_or(u64::MAX))
}

/// Joins parts that overlap or touch; the order of the first ones stays.
fn joined(parts: Vec<ByteRange>) -> Vec<ByteRange> {
    let mut kept: Vec<ByteRange> = Vec::with_capacity(parts.len());
    for mut part in parts {
        let mut at = kept.len();
        while let Some(found) = kept.iter().position(|other| other.touches(part)) {
            part = part.and(kept.remove(found));
            at = found.min(kept.len());
        }
        kept.insert(at.min(kept.len()), part);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantics::testing::fields;
    use http::HeaderValue;
    use proptest::prelude::*;

    fn asked(
        range: &str,
        more: &[(&'static str, &str)],
        response: &[(&'static str, &str)],
    ) -> Wanted {
        let mut request = fields(more);
        request.insert(header::RANGE, HeaderValue::from_str(range).expect("a value"));
        wanted(&Method::GET, &request, StatusCode::OK, &fields(response), 10, 4)
    }

    fn parts(list: &[(u64, u64)]) -> Wanted {
        Wanted::Parts(
            list.iter().map(|(first, last)| ByteRange { first: *first, last: *last }).collect(),
        )
    }

    #[test]
    fn too_many_are_too_many_whatever_follows() {
        let asks = |range: &'static str| {
            let request = HeaderMap::from_iter([(header::RANGE, HeaderValue::from_static(range))]);
            asks_for_more_than(&request, 2)
        };
        assert!(asks("bytes=0-1,2-3,4-5") && asks("bytes=0-1,,2-3,4-5,x"));
        assert!(!asks("bytes=0-1,2-3,") && !asks("bytes=0-1,x,2-3,4-5"));
        assert_eq!(asked("bytes=0-1,2-3,4-5,6-7,8-9,x", &[], &[]), Wanted::Whole);
    }

    #[test]
    fn section_14_of_a_body_of_ten_bytes() {
        for (range, expected) in [
            ("bytes=0-4", parts(&[(0, 4)])),
            ("bytes=5-", parts(&[(5, 9)])),
            ("bytes=-3", parts(&[(7, 9)])),
            ("bytes=-30", parts(&[(0, 9)])),
            ("bytes=8-99", parts(&[(8, 9)])),
            ("BYTES=0-0", parts(&[(0, 0)])),
            ("bytes=0-1, 5-6", parts(&[(0, 1), (5, 6)])),
            ("bytes=5-6,0-1", parts(&[(5, 6), (0, 1)])),
            ("bytes=0-1,2-3", parts(&[(0, 3)])),
            ("bytes=0-2,1-8,9-9", parts(&[(0, 9)])),
            ("bytes=0-1,20-30", parts(&[(0, 1)])),
            ("bytes=0-99999999999999999999999", parts(&[(0, 9)])),
            ("bytes=10-", Wanted::Unsatisfiable),
            ("bytes=-0", Wanted::Unsatisfiable),
            ("bytes=5-4", Wanted::Whole),
            ("bytes=", Wanted::Whole),
            ("bytes=a-b", Wanted::Whole),
            ("bytes=1", Wanted::Whole),
            ("lines=0-1", Wanted::Whole),
            ("bytes=0-0,2-2,4-4,6-6,8-8", Wanted::Whole), // more than four
        ] {
            assert_eq!(asked(range, &[], &[]), expected, "{range}");
        }
    }

    #[test]
    fn if_range_needs_a_strong_match() {
        let old = "Sun, 06 Nov 1994 08:49:37 GMT";
        let later = "Sun, 06 Nov 1994 08:50:37 GMT";
        let response = &[("etag", "\"a\""), ("last-modified", old), ("date", later)][..];
        let given = |condition| asked("bytes=0-1", &[("if-range", condition)], response);
        assert_eq!(given("\"a\""), parts(&[(0, 1)]));
        assert_eq!(given(old), parts(&[(0, 1)]));
        assert_eq!(given("\"b\""), Wanted::Whole);
        assert_eq!(given("W/\"a\""), Wanted::Whole);
        assert_eq!(given(later), Wanted::Whole);
        assert_eq!(
            asked("bytes=0-1", &[("if-range", old)], &[("last-modified", old), ("date", old)]),
            Wanted::Whole
        );
    }

    #[test]
    fn one_part_on_no_condition_may_be_fetched_and_stored() {
        for (range, expected) in [
            ("bytes=0-4", true),
            ("bytes=5-", true),
            ("bytes=-3", true),
            ("bytes=-0", false),
            ("bytes=0-1,4-5", false),
            ("bytes=5-4", false),
            ("lines=0-1", false),
        ] {
            assert_eq!(asks_for_one(&fields(&[("range", range)])), expected, "{range}");
        }
        assert!(!asks_for_one(&fields(&[("range", "bytes=0-1"), ("if-range", "\"a\"")])));
        assert!(!asks_for_one(&fields(&[("range", "bytes=0-1"), ("range", "bytes=0-1")])));
        assert!(!asks_for_one(&HeaderMap::new()));
    }

    #[test]
    fn more_parts_than_are_taken_can_be_told_without_a_response() {
        for (range, expected) in [
            ("bytes=0-0,2-2,4-4,6-6", false),
            ("bytes=0-0,2-2,4-4,6-6,8-8", true),
            ("bytes=0-,0-,0-,0-,-1", true),
            ("bytes=0-0,2-2,4-4,6-6,8", false), // not in the grammar
            ("lines=0-0,2-2,4-4,6-6,8-8", false),
        ] {
            let given = fields(&[("range", range)]);
            assert_eq!(asks_for_more_than(&given, 4), expected, "{range}");
            assert!(!expected || asked(range, &[], &[]) == Wanted::Whole, "{range}");
        }
        assert!(!asks_for_more_than(&HeaderMap::new(), 4));
    }

    #[test]
    fn only_get_of_a_200_has_parts() {
        let mut request = HeaderMap::new();
        request.insert(header::RANGE, HeaderValue::from_static("bytes=0-1"));
        let none = HeaderMap::new();
        assert_eq!(wanted(&Method::HEAD, &request, StatusCode::OK, &none, 10, 4), Wanted::Whole);
        assert_eq!(
            wanted(&Method::GET, &request, StatusCode::NOT_FOUND, &none, 10, 4),
            Wanted::Whole
        );
        assert_eq!(
            wanted(&Method::GET, &request, StatusCode::OK, &none, 0, 4),
            Wanted::Unsatisfiable
        );
    }

    proptest! {
        #[test]
        fn a_part_lies_inside_and_no_two_overlap(range in "bytes=([0-9]{0,2}-[0-9]{0,2},?){1,4}") {
            if let Wanted::Parts(parts) = asked(&range, &[], &[]) {
                let mut seen = [false; 10];
                for part in parts {
                    prop_assert!(part.first <= part.last && part.last < 10);
                    for at in part.first..=part.last {
                        prop_assert!(!std::mem::replace(&mut seen[at as usize], true));
                    }
                }
            }
        }
    }
}
