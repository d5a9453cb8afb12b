//! Parts of a representation that are stored: which 206 is one, which requests
//! it answers, and what becomes of two (RFC 9111 sections 3.3 and 3.4, RFC 9110
//! sections 14.4 and 15.3.7).

use super::range::{self, ByteRange, Wanted, strong_date};
use super::validation::{self, strongly_equal, weakly_equal};
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, StatusCode};

/// Where a 206 says that its body lies (`Content-Range`, RFC 9110 section 14.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The bytes of the complete representation that it has.
    pub range: ByteRange,
    /// The length of the complete representation in bytes.
    pub complete: u64,
}

/// Reads the place of a 206 with one part. `None` if it has several, or if the
/// complete length isn't known, or the field is not in the grammar.
///
/// ```
/// use http::{HeaderMap, HeaderValue, header::CONTENT_RANGE};
/// use larder::semantics::partial::place;
///
/// let mut fields = HeaderMap::new();
/// fields.insert(CONTENT_RANGE, HeaderValue::from_static("bytes 4-9/10"));
/// assert_eq!(place(&fields).map(|place| place.range.first), Some(4));
/// fields.insert(CONTENT_RANGE, HeaderValue::from_static("bytes 4-9/*"));
/// assert_eq!(place(&fields), None);
/// ```
pub fn place(fields: &HeaderMap) -> Option<Place> {
    let mut lines = fields.get_all(header::CONTENT_RANGE).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else { return None };
    let several = b"multipart/byteranges";
    let start =
        fields.get(header::CONTENT_TYPE).and_then(|kind| kind.as_bytes().get(..several.len()));
    if start.is_some_and(|start| start.eq_ignore_ascii_case(several)) {
        return None;
    }
    let (unit, rest) = line.to_str().ok()?.trim().split_once(' ')?;
    let (range, complete) = rest.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let number = |text: &str| {
        text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten()
    };
    let (first, last, complete) = (number(first)?, number(last)?, number(complete)?);
    let valid = unit.eq_ignore_ascii_case("bytes") && first <= last && last < complete;
    valid.then_some(Place { range: ByteRange { first, last }, complete })
}

/// What a stored part is a part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The position of its first byte.
    pub first: u64,
    /// The length of the complete representation in bytes.
    pub complete: u64,
    /// Its body was shorter than its place: it is used as far as it goes, and
    /// never combined.
    pub short: bool,
}

impl Part {
    /// What may be kept of a 206 at this place whose body is `length` bytes
    /// long. One that is shorter than its place is kept if `lenient`; it is
    /// taken to begin where it says, and to be followed by what it says.
    pub fn of(place: Place, length: u64, lenient: bool) -> Option<Part> {
        let Place { range: ByteRange { first, last }, complete } = place;
        if length == place.range.length() {
            return Some(Part { first, complete, short: false });
        }
        let short = lenient && 0 < length && length < place.range.length();
        let to_the_end = last + 1 == complete;
        let complete = if to_the_end { first + length } else { complete };
        short.then_some(Part { first, complete, short })
    }

    /// The bytes that it has, if its body is `length` bytes long.
    pub fn range(&self, length: u64) -> ByteRange {
        ByteRange { first: self.first, last: self.first + length.max(1) - 1 }
    }

    /// The ranges that a request wants, if a part of `length` bytes with these
    /// fields has them all. Suffixes and open ends are counted by the complete
    /// length, and `If-Range` has to hold (RFC 9110 sections 14.1.2 and 13.1.5).
    pub fn wanted(
        &self,
        length: u64,
        method: &Method,
        request: &HeaderMap,
        response: &HeaderMap,
        most: usize,
    ) -> Option<Vec<ByteRange>> {
        let held = self.range(length);
        match range::wanted(method, request, StatusCode::OK, response, self.complete, most) {
            Wanted::Parts(ranges) if ranges.iter().all(|range| held.covers(*range)) => Some(ranges),
            Wanted::Parts(_) | Wanted::Whole | Wanted::Unsatisfiable => None,
        }
    }
}

/// Whether two responses have the same representation, by their validators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Same {
    /// They share a strong validator (RFC 9110 section 15.3.7.3): combine them.
    Yes,
    /// Their validators differ: the older one is outdated.
    No,
    /// Nothing that is strong enough tells.
    Unknown,
}

/// Compares the representations of two responses, byte for byte. Two codings
/// of one page share its date, and with some servers its tag, so these have to be
/// equal too.
pub fn same_representation(stored: &HeaderMap, new: &HeaderMap) -> Same {
    let same = match (stored.get(header::ETAG), new.get(header::ETAG)) {
        (Some(old), Some(new)) => match (old.as_bytes(), new.as_bytes()) {
            (old, new) if strongly_equal(old, new) => Same::Yes,
            (old, new) if weakly_equal(old, new) => Same::Unknown,
            _ => Same::No,
        },
        (None, None) => match (strong_date(stored), strong_date(new)) {
            (Some(old), Some(new)) if old != new => Same::No,
            (Some(_), Some(_)) => Same::Yes,
            _ => Same::Unknown,
        },
        _ => Same::Unknown,
    };
    match same {
        Same::Yes if !coding(stored).eq(coding(new)) => Same::Unknown,
        same => same,
    }
}

fn coding(fields: &HeaderMap) -> impl Iterator<Item = &HeaderValue> {
    fields.get_all(header::CONTENT_ENCODING).iter()
}

/// The strong validator of a response, as `If-Range` has it (RFC 9110 section
/// 13.1.5).
pub fn strong_validator(fields: &HeaderMap) -> Option<&HeaderValue> {
    match fields.get(header::ETAG) {
        Some(etag) => Some(etag).filter(|etag| etag.as_bytes().starts_with(b"\"")),
        None => strong_date(fields).and_then(|_| fields.get(header::LAST_MODIFIED)),
    }
}

/// Makes a request ask for what follows the first `length` bytes of a stored
/// response with these fields, and for all of it if that has changed.
pub fn ask_for_rest(request: &mut HeaderMap, stored: &HeaderMap, length: u64) {
    validation::remove_conditions(request);
    if let Ok(range) = HeaderValue::from_str(&format!("bytes={length}-")) {
        request.insert(header::RANGE, range);
    }
    if let Some(validator) = strong_validator(stored) {
        request.insert(header::IF_RANGE, validator.clone());
    }
}

/// Two stretches of one body, the newer over the older.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Join {
    /// What they cover together.
    pub range: ByteRange,
    /// How many bytes at the older one's beginning lie before the newer one.
    pub before: u64,
    /// How many bytes at the older one's end lie behind the newer one.
    pub after: u64,
}

/// Joins two stretches that overlap or touch; `None` if there is a gap.
pub fn join(old: ByteRange, new: ByteRange) -> Option<Join> {
    old.touches(new).then(|| Join {
        range: old.and(new),
        before: new.first.saturating_sub(old.first),
        after: old.last.saturating_sub(new.last),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantics::testing::fields;
    use proptest::prelude::*;

    fn at(first: u64, last: u64, complete: u64) -> Place {
        Place { range: ByteRange { first, last }, complete }
    }

    #[test]
    fn section_14_4() {
        for (text, expected) in [
            ("bytes 0-4/10", Some(at(0, 4, 10))),
            ("BYTES 9-9/10", Some(at(9, 9, 10))),
            ("bytes 0-4/*", None),
            ("bytes */10", None),
            ("bytes 5-4/10", None),
            ("bytes 0-10/10", None),
            ("bytes 0-4/+10", None),
            ("bytes -4/10", None),
            ("bytes 0-/10", None),
            ("bytes 0-4", None),
            ("bytes=0-4/10", None),
            ("lines 0-4/10", None),
            ("bytes 0-4/99999999999999999999999", None),
        ] {
            assert_eq!(place(&fields(&[("content-range", text)])), expected, "{text}");
        }
        let twice = [("content-range", "bytes 0-4/10"), ("content-range", "bytes 5-9/10")];
        assert_eq!(place(&fields(&twice)), None);
        // Section 14.6: several parts are not one.
        let several = ("content-type", "Multipart/Byteranges; boundary=x");
        assert_eq!(place(&fields(&[several])), None);
        assert_eq!(place(&fields(&[several, ("content-range", "bytes 0-4/10")])), None);
    }

    #[test]
    fn a_body_has_to_be_as_long_as_its_place() {
        let part = |first, complete, short| Some(Part { first, complete, short });
        for (place, length, strict, lenient) in [
            (at(4, 9, 10), 6, part(4, 10, false), part(4, 10, false)),
            (at(4, 9, 10), 5, None, part(4, 9, true)),
            (at(0, 5, 10), 5, None, part(0, 10, true)),
            (at(4, 9, 10), 7, None, None),
            (at(4, 9, 10), 0, None, None),
        ] {
            assert_eq!(Part::of(place, length, false), strict, "{place:?} {length}");
            assert_eq!(Part::of(place, length, true), lenient, "{place:?} {length}");
        }
    }

    #[test]
    fn a_part_answers_what_lies_inside() {
        let exact = Part { first: 4, complete: 10, short: false };
        let end = Part { first: 4, complete: 9, short: true };
        let stored = fields(&[("etag", "\"a\"")]);
        let wanted = |part: Part, length, range: &str, condition: Option<&str>| {
            let mut request = fields(&[("range", range)]);
            if let Some(condition) = condition {
                request.extend(fields(&[("if-range", condition)]));
            }
            let ranges = part.wanted(length, &Method::GET, &request, &stored, 4)?;
            Some(ranges.iter().map(|range| (range.first, range.last)).collect::<Vec<_>>())
        };
        for (part, length, range, expected) in [
            (exact, 6, "bytes=4-9", Some(vec![(4, 9)])),
            (exact, 6, "bytes=-6", Some(vec![(4, 9)])),
            (exact, 6, "bytes=5-", Some(vec![(5, 9)])),
            (exact, 6, "bytes=5-99", Some(vec![(5, 9)])),
            (exact, 6, "bytes=4-4,9-9", Some(vec![(4, 4), (9, 9)])),
            (exact, 6, "bytes=3-5", None),
            (exact, 6, "bytes=-7", None),
            (exact, 6, "bytes=0-0,9-9", None),
            (exact, 6, "bytes=10-", None),
            (exact, 3, "bytes=4-6", Some(vec![(4, 6)])),
            (exact, 3, "bytes=4-7", None),
            (exact, 3, "bytes=-3", None),
            // The public suite's: `bytes 4-9/10` with five bytes.
            (end, 5, "bytes=-5", Some(vec![(4, 8)])),
            (end, 5, "bytes=6-8", Some(vec![(6, 8)])),
            (end, 5, "bytes=6-", Some(vec![(6, 8)])),
            (end, 5, "bytes=-1", Some(vec![(8, 8)])),
        ] {
            assert_eq!(wanted(part, length, range, None), expected, "{range} of {part:?}");
        }
        // RFC 9110 section 13.1.5.
        assert!(wanted(exact, 6, "bytes=4-9", Some("\"a\"")).is_some());
        assert_eq!(wanted(exact, 6, "bytes=4-9", Some("\"b\"")), None);
        let whole = exact.wanted(6, &Method::GET, &HeaderMap::new(), &stored, 4);
        assert_eq!(whole, None);
    }

    #[test]
    fn only_a_strong_validator_makes_one_of_two() {
        let (old, later) = ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:50:37 GMT");
        let dated = &[("last-modified", old), ("date", later)][..];
        let gzip = [dated, &[("content-encoding", "gzip")]].concat();
        let tagged = &[("etag", "\"a\""), ("last-modified", old), ("date", later)][..];
        type Lines<'a> = &'a [(&'a str, &'a str)];
        let cases: &[(Lines<'_>, Lines<'_>, Same)] = &[
            // RFC 9110 section 15.3.7.3 with section 8.8.3.2.
            (&[("etag", "\"a\"")], &[("etag", "\"a\"")], Same::Yes),
            // Some servers compress without another tag.
            (
                &[("etag", "\"a\"")],
                &[("etag", "\"a\""), ("content-encoding", "gzip")],
                Same::Unknown,
            ),
            (&[("etag", "\"a\"")], &[("etag", "\"b\"")], Same::No),
            (&[("etag", "W/\"a\"")], &[("etag", "W/\"a\"")], Same::Unknown),
            (&[("etag", "W/\"a\"")], &[("etag", "\"a\"")], Same::Unknown),
            // A tag goes before the date.
            (tagged, dated, Same::Unknown),
            // Section 8.8.2.2: strong only with a second to spare.
            (dated, dated, Same::Yes),
            (dated, &[("last-modified", old), ("date", old)], Same::Unknown),
            (dated, &[("last-modified", old)], Same::Unknown),
            (
                dated,
                &[("last-modified", later), ("date", "Sun, 06 Nov 1994 09:00:00 GMT")],
                Same::No,
            ),
            (dated, &gzip, Same::Unknown),
            (&[], &[], Same::Unknown),
        ];
        for (stored, new, expected) in cases {
            let same = same_representation(&fields(stored), &fields(new));
            assert_eq!(same, *expected, "{stored:?} {new:?}");
        }
    }

    #[test]
    fn the_rest_is_asked_for_if_it_is_the_same() {
        let (old, later) = ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:50:37 GMT");
        for (stored, condition) in [
            (vec![("etag", "\"a\""), ("last-modified", old), ("date", later)], Some("\"a\"")),
            (vec![("etag", "W/\"a\""), ("last-modified", old), ("date", later)], None),
            (vec![("last-modified", old), ("date", later)], Some(old)),
            (vec![("last-modified", old), ("date", old)], None),
            (vec![], None),
        ] {
            let mut request = fields(&[("if-none-match", "\"theirs\""), ("accept", "*/*")]);
            ask_for_rest(&mut request, &fields(&stored), 5);
            let mut expected = vec![("accept", "*/*"), ("range", "bytes=5-")];
            expected.extend(condition.map(|condition| ("if-range", condition)));
            assert_eq!(request, fields(&expected), "{stored:?}");
        }
    }

    proptest! {
        #[test]
        fn joining_never_loses_or_invents_a_byte(
            parts in prop::collection::vec((0u64..40, 1u64..20), 1..12)
        ) {
            let body: Vec<u8> = (0..60).collect();
            let bytes = |range: ByteRange| &body[range.first as usize..=range.last as usize];
            let mut held: Option<(ByteRange, Vec<u8>)> = None;
            for (first, length) in parts {
                let new = ByteRange { first, last: first + length - 1 };
                let joined = held.take().and_then(|(old, has)| {
                    let join = join(old, new)?;
                    let (before, after) = (join.before as usize, has.len() - join.after as usize);
                    Some((old, join.range, [&has[..before], bytes(new), &has[after..]].concat()))
                });
                held = Some(match joined {
                    Some((old, range, text)) => {
                        prop_assert!(range.covers(old) && range.covers(new));
                        prop_assert!(range.length() <= old.length() + new.length());
                        (range, text)
                    }
                    None => (new, bytes(new).to_vec()),
                });
                let (range, text) = held.as_ref().expect("just set");
                prop_assert_eq!(text.as_slice(), bytes(*range));
            }
        }
    }
}
