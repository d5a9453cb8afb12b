//! Ranges: parts lie inside, add up to what was asked for, and to no more.

use super::reference::{lines, value};
use http::header::{CONTENT_RANGE, RANGE};
use http::{HeaderMap, Method, StatusCode};
use larder::semantics::partial::{Part, join, place};
use larder::semantics::range::{ByteRange, Wanted, asks_for_one, wanted};
use std::collections::BTreeSet;

const MOST: usize = 8;

/// The bytes that a `Range` asks for of so many, by RFC 9110 section 14.1; `None` if
/// it says nothing.
fn asked(text: &str, length: u128) -> Option<BTreeSet<u128>> {
    let (unit, list) = text.split_once('=')?;
    unit.trim_ascii().eq_ignore_ascii_case("bytes").then_some(())?;
    let specs: Vec<&str> = list.split(',').map(str::trim_ascii).filter(|s| !s.is_empty()).collect();
    (!specs.is_empty() && specs.len() <= MOST).then_some(())?;
    let number = |text: &str| -> Option<u128> {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse().unwrap_or(u128::MAX))
    };
    let mut all = BTreeSet::new();
    for spec in specs {
        let (first, last) = spec.split_once('-')?;
        let (first, last) = match (first, last) {
            ("", count) => (length.saturating_sub(number(count)?), u128::MAX),
            (first, "") => (number(first)?, u128::MAX),
            (first, last) => (number(first)?, number(last)?),
        };
        // Numbers beyond 64 bits are all one.
        if first.min(u64::MAX.into()) > last.min(u64::MAX.into()) {
            return None;
        }
        all.extend(first.min(length)..last.saturating_add(1).min(length));
    }
    Some(all)
}

/// A length, and how many bytes a part has, in the first two bytes; then `Range`,
/// and on a second line `Content-Range`.
pub fn check(data: &[u8]) {
    let [length, held, data @ ..] = data else { return };
    let length = u64::from(*length);
    let mut lines = lines(data);
    let mut request = HeaderMap::new();
    let Some(line) = lines.next().and_then(value) else { return };
    request.insert(RANGE, line.clone());
    let none = HeaderMap::new();
    let read = wanted(&Method::GET, &request, StatusCode::OK, &none, length, MOST);
    let text = String::from_utf8_lossy(line.as_bytes()).into_owned();
    match (&read, asked(&text, length.into())) {
        (Wanted::Whole, expected) => assert_eq!(expected, None, "{text}"),
        (Wanted::Unsatisfiable, expected) => assert_eq!(expected, Some(BTreeSet::new()), "{text}"),
        (Wanted::Parts(parts), expected) => {
            assert!(!parts.is_empty() && parts.len() <= MOST);
            let mut given = BTreeSet::new();
            for (at, part) in parts.iter().enumerate() {
                assert!(part.first <= part.last && part.last < length);
                assert!(parts[at + 1..].iter().all(|other| !other.touches(*part)), "{parts:?}");
                given.extend(u128::from(part.first)..=u128::from(part.last));
            }
            assert_eq!(Some(given), expected, "{text}");
        }
    }
    let _ = asks_for_one(&request);
    if let Some(line) = lines.next().and_then(value) {
        parts_are_where_they_say(&line, u64::from(*held), &request);
    }
}

fn parts_are_where_they_say(line: &http::HeaderValue, held: u64, request: &HeaderMap) {
    let fields = HeaderMap::from_iter([(CONTENT_RANGE, line.clone())]);
    let Some(place) = place(&fields) else { return };
    let ByteRange { first, last } = place.range;
    assert!(first <= last && last < place.complete);
    for lenient in [false, true] {
        let Some(part) = Part::of(place, held, lenient) else { continue };
        assert!(lenient || held == place.range.length());
        let range = part.range(held);
        assert!(place.range.covers(range) && range.last < part.complete, "{part:?}");
        let none = HeaderMap::new();
        let wanted = part.wanted(held, &Method::GET, request, &none, MOST);
        assert!(wanted.iter().flatten().all(|wanted| range.covers(*wanted)));
        let other = ByteRange { first: held, last: held.saturating_mul(2) };
        if let Some(joined) = join(range, other) {
            assert!(joined.range.covers(range) && joined.range.covers(other));
            assert!(range.touches(other));
        }
    }
}
