//! Asking the origin whether a stored response still holds (RFC 9111 section
//! 4.3), and taking over what it answers (sections 3.2 and 4.3.4).

use super::fields::members;
use super::vary::NominatedFields;
use http::StatusCode;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// Makes a request conditional on the *stored* validators: what the client had
/// in mind is answered by the cache later, and must not leak into this one.
///
/// Returns whether there was a validator to use.
pub fn make_conditional(request: &mut HeaderMap, stored: &HeaderMap) -> bool {
    remove_conditions(request);
    let mut conditional = false;
    for (validator, condition) in
        [(header::ETAG, header::IF_NONE_MATCH), (header::LAST_MODIFIED, header::IF_MODIFIED_SINCE)]
    {
        if let Some(value) = stored.get(validator) {
            request.insert(condition, value.clone());
            conditional = true;
        }
    }
    conditional
}

/// The most entity tags that are offered at once: the newest.
pub const MOST_OFFERED: usize = 16;

/// Whether a response is told apart from others of its target by the coding of its body
/// alone: with or without, it says the same to everybody.
pub fn is_told_apart_by_coding(nominated: &NominatedFields) -> bool {
    let by_coding =
        |names: &[HeaderName]| names.iter().all(|name| *name == header::ACCEPT_ENCODING);
    matches!(nominated, NominatedFields::Named(names) if by_coding(names))
}

/// Whether a stored response that this request does not select may be offered to
/// the origin all the same: it may say that it would choose that one (section
/// 4.1, last paragraph). All that is stored has to be [told apart by its
/// coding](is_told_apart_by_coding).
///
/// Only one with a strong tag, which stands for these bytes and no others; in a
/// coding that the client takes.
pub fn may_be_offered(request: &HeaderMap, status: StatusCode, stored: &HeaderMap) -> bool {
    let strong = stored.get(header::ETAG).is_some_and(|tag| tag.as_bytes().starts_with(b"\""));
    // Asked for each variant: whoever names a hundred codings has to go without.
    let accepted = || members(request, &header::ACCEPT_ENCODING).take(100);
    let taken = || {
        members(stored, &header::CONTENT_ENCODING)
            .all(|coding| accepted().any(|taken| taken == coding))
    };
    status == StatusCode::OK && strong && taken()
}

/// Makes a request conditional on several stored entity tags at once (section
/// 4.3.1).
pub fn offer<'a>(request: &mut HeaderMap, stored: impl Iterator<Item = &'a HeaderMap>) {
    remove_conditions(request);
    let mut tags: Vec<&[u8]> = Vec::new();
    for tag in stored.filter_map(|fields| fields.get(header::ETAG)) {
        if !tags.contains(&tag.as_bytes()) && tags.len() < MOST_OFFERED {
            tags.push(tag.as_bytes());
        }
    }
    if let Ok(value) = HeaderValue::from_bytes(&tags.join(&b", "[..]))
        && !tags.is_empty()
    {
        request.insert(header::IF_NONE_MATCH, value);
    }
}

/// Whether a 304 names this stored response among several (section 4.3.4): by
/// its strong tag.
pub fn is_named(stored: &HeaderMap, not_modified: &HeaderMap) -> bool {
    match (stored.get(header::ETAG), not_modified.get(header::ETAG)) {
        (Some(own), Some(named)) => strongly_equal(own.as_bytes(), named.as_bytes()),
        _ => false,
    }
}

/// What a 200 to a HEAD means for a stored response to GET (section 4.3.5).
#[derive(Clone, Debug, PartialEq)]
pub enum AfterHead {
    /// It holds, with these fields from now on.
    Freshened(Box<HeaderMap>),
    /// It is another one by now.
    Outdated,
    /// Nothing: no validator says that it is the same, and nothing that it is not.
    Unknown,
}

/// Compares a stored response of `length` bytes with the head that the origin
/// sends now. The RFC would let a head without any validator freshen; here one
/// has to match, because a page of the same length is not the same page.
pub fn after_head(stored: &HeaderMap, length: u64, head: &HeaderMap) -> AfterHead {
    let mut confirmed = false;
    for name in [header::ETAG, header::LAST_MODIFIED] {
        match (head.get(&name), stored.get(&name)) {
            (Some(new), Some(old)) if new == old => confirmed = true,
            (Some(_), _) => return AfterHead::Outdated,
            (None, _) => {}
        }
    }
    if head.get(header::CONTENT_LENGTH).is_some_and(|l| *l != HeaderValue::from(length)) {
        return AfterHead::Outdated;
    }
    match freshen(stored, head) {
        Validated::Freshened(fields) if confirmed => AfterHead::Freshened(fields),
        _ => AfterHead::Unknown,
    }
}

/// Removes a client's preconditions and range, so that the origin sends the
/// whole response.
pub fn remove_conditions(request: &mut HeaderMap) {
    for name in [header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE, header::IF_RANGE, header::RANGE]
    {
        request.remove(name);
    }
}

/// Whether a request makes a condition that a 304 may answer (RFC 9110 section
/// 15.4.5).
pub fn may_be_not_modified(request: &HeaderMap) -> bool {
    [header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE].iter().any(|name| request.contains_key(name))
}

/// What a 304 means for the stored response that was offered.
#[derive(Clone, Debug, PartialEq)]
pub enum Validated {
    /// It holds, with these fields from now on.
    Freshened(Box<HeaderMap>),
    /// The 304 speaks of another representation: ask again, unconditionally.
    Other,
}

/// Fields that describe the stored bytes, or speak to one client: a 304's own
/// are not taken over.
const KEPT: [HeaderName; 6] = [
    header::CONTENT_LENGTH,
    header::CONTENT_ENCODING,
    header::CONTENT_RANGE,
    header::TRANSFER_ENCODING,
    header::ETAG,
    header::SET_COOKIE,
];

/// Freshens a stored response with the 304 that confirmed it: every field of
/// the 304 replaces the stored one, repeated lines whole (section 3.2).
///
/// `Vary` is the exception: it only grows. What the stored bytes depended on,
/// they still depend on, and a 304 may say less: Django's leaves out what its
/// compression would have added.
///
/// Both maps have to be without hop-by-hop fields.
pub fn freshen(stored: &HeaderMap, not_modified: &HeaderMap) -> Validated {
    if !may_be_the_same(stored, not_modified) {
        return Validated::Other;
    }
    let mut fields = stored.clone();
    // What a hit computes is not a stored field's business.
    fields.remove(header::AGE);
    for name in not_modified.keys().filter(|name| !KEPT.contains(name)) {
        if *name == header::VARY {
            widen_vary(&mut fields, not_modified);
            continue;
        }
        fields.remove(name);
        for value in not_modified.get_all(name) {
            fields.append(name.clone(), value.clone());
        }
    }
    Validated::Freshened(Box::new(fields))
}

/// Whether no validator contradicts: the tags where both have one, else the
/// dates (section 4.3.4). An origin may well answer 304 for a file older than
/// the one it was asked about, after a deployment was taken back.
fn may_be_the_same(stored: &HeaderMap, not_modified: &HeaderMap) -> bool {
    let both = |name| Some((stored.get(&name)?.as_bytes(), not_modified.get(&name)?.as_bytes()));
    match (both(header::ETAG), both(header::LAST_MODIFIED)) {
        (Some((old, new)), _) => weakly_equal(old, new),
        (None, Some((old, new))) => old == new,
        (None, None) => true,
    }
}

/// Adds what the 304 nominates and the stored response does not.
fn widen_vary(fields: &mut HeaderMap, not_modified: &HeaderMap) {
    let new: Vec<&[u8]> = members(not_modified, &header::VARY)
        .filter(|new| !members(fields, &header::VARY).any(|old| old.eq_ignore_ascii_case(new)))
        .collect();
    if let Ok(value) = HeaderValue::from_bytes(&new.join(&b", "[..]))
        && !new.is_empty()
    {
        fields.append(header::VARY, value);
    }
}

/// Whether this is an entity tag as the grammar has it (RFC 9110 section 8.8.3).
///
/// ```
/// use larder::semantics::validation::is_entity_tag;
/// assert!(is_entity_tag(b"\"a\"") && is_entity_tag(b"W/\"\""));
/// assert!(!is_entity_tag(b"a") && !is_entity_tag(b"w/\"a\"") && !is_entity_tag(b"\"a\"b\""));
/// ```
pub fn is_entity_tag(text: &[u8]) -> bool {
    let is_inside = |byte: &u8| matches!(byte, 0x21 | 0x23..=0x7e | 0x80..=0xff);
    matches!(opaque(text), [b'"', inside @ .., b'"'] if inside.iter().all(is_inside))
}

/// The weak comparison of entity tags (RFC 9110 section 8.8.3.2).
pub fn weakly_equal(one: &[u8], other: &[u8]) -> bool {
    opaque(one) == opaque(other)
}

/// The strong comparison: equal, and neither is weak.
pub fn strongly_equal(one: &[u8], other: &[u8]) -> bool {
    one == other && !one.starts_with(b"W/")
}

/// An entity tag without the mark of a weak one.
pub(super) fn opaque(tag: &[u8]) -> &[u8] {
    tag.strip_prefix(b"W/").unwrap_or(tag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantics::testing::fields as map;
    use proptest::prelude::*;

    #[test]
    fn conditions_come_from_the_store_not_from_the_client() {
        let mut request = map(&[
            ("if-none-match", "\"client\""),
            ("if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ("range", "bytes=0-1"),
            ("if-range", "\"client\""),
            ("accept", "*/*"),
        ]);
        assert!(make_conditional(&mut request, &map(&[("etag", "W/\"stored\"")])));
        assert_eq!(request, map(&[("accept", "*/*"), ("if-none-match", "W/\"stored\"")]));
        assert!(!make_conditional(&mut request, &HeaderMap::new()));
        assert_eq!(request, map(&[("accept", "*/*")]));
    }

    #[test]
    fn a_304_replaces_every_field_but_those_of_the_bytes() {
        let stored = map(&[
            ("etag", "\"a\""),
            ("content-length", "10"),
            ("content-encoding", "gzip"),
            ("content-type", "text/html"),
            ("link", "<old>"),
            ("age", "7"),
            ("x-kept", "1"),
        ]);
        let answer = map(&[
            ("etag", "W/\"a\""),
            ("content-length", "0"),
            ("content-type", "text/plain"),
            ("link", "<one>"),
            ("link", "<two>"),
            ("set-cookie", "a=b"),
            ("x-new", "2"),
        ]);
        let expected = map(&[
            ("etag", "\"a\""),
            ("content-length", "10"),
            ("content-encoding", "gzip"),
            ("content-type", "text/plain"),
            ("link", "<one>"),
            ("link", "<two>"),
            ("x-kept", "1"),
            ("x-new", "2"),
        ]);
        assert_eq!(freshen(&stored, &answer), Validated::Freshened(Box::new(expected)));
    }

    #[test]
    fn vary_only_grows() {
        let stored = map(&[("vary", "Cookie, Accept-Encoding")]);
        let freshened = freshen(&stored, &map(&[("vary", "cookie")]));
        assert_eq!(freshened, Validated::Freshened(Box::new(stored.clone())));
        let more = freshen(&stored, &map(&[("vary", "Cookie, Origin"), ("vary", "DNT")]));
        let expected = map(&[("vary", "Cookie, Accept-Encoding"), ("vary", "Origin, DNT")]);
        assert_eq!(more, Validated::Freshened(Box::new(expected)));
    }

    #[test]
    fn a_304_about_another_representation_confirms_nothing() {
        let stored = map(&[("etag", "\"a\"")]);
        assert_eq!(freshen(&stored, &map(&[("etag", "\"b\"")])), Validated::Other);
        assert_ne!(freshen(&stored, &HeaderMap::new()), Validated::Other);
        let (old, new) = ("Sun, 06 Nov 1994 08:49:37 GMT", "Sat, 05 Nov 1994 08:49:37 GMT");
        let dated = map(&[("last-modified", old)]);
        assert_eq!(freshen(&dated, &map(&[("last-modified", new)])), Validated::Other);
        assert_ne!(freshen(&dated, &map(&[("last-modified", old)])), Validated::Other);
        // A tag goes before the date.
        let both = map(&[("etag", "\"a\""), ("last-modified", old)]);
        let tagged = map(&[("etag", "\"a\""), ("last-modified", new)]);
        assert_ne!(freshen(&both, &tagged), Validated::Other);
    }

    #[test]
    fn which_variants_are_offered_and_which_is_named() {
        let request = map(&[("accept-encoding", "gzip"), ("if-none-match", "\"client\"")]);
        for (stored, expected) in [
            (&[("etag", "\"a\"")][..], true),
            (&[("etag", "\"a\""), ("content-encoding", "gzip")], true),
            (&[("etag", "\"a\""), ("content-encoding", "br")], false),
            (&[("etag", "W/\"a\"")], false),
            (&[], false),
        ] {
            let offered = may_be_offered(&request, StatusCode::OK, &map(stored));
            assert_eq!(offered, expected, "{stored:?}");
        }
        for (names, expected) in [
            ("accept-encoding", true),
            ("Accept-Encoding, accept-encoding", true),
            ("accept-encoding, accept-language", false),
            ("accept", false),
            ("cookie", false),
            ("x-api-key", false),
            ("*", false),
        ] {
            let nominated = NominatedFields::of(&map(&[("vary", names)]));
            assert_eq!(is_told_apart_by_coding(&nominated), expected, "{names}");
        }
        let stored = ["\"a\"", "\"b\"", "\"a\""].map(|tag| map(&[("etag", tag)]));
        let mut asked = request.clone();
        offer(&mut asked, stored.iter());
        assert_eq!(asked[header::IF_NONE_MATCH], "\"a\", \"b\"");
        assert!(is_named(&stored[1], &map(&[("etag", "\"b\"")])));
        assert!(!is_named(&stored[1], &map(&[("etag", "W/\"b\"")])));
        assert!(!is_named(&stored[1], &HeaderMap::new()));
    }

    #[test]
    fn a_head_freshens_outdates_or_says_nothing() {
        let stored = map(&[("etag", "\"a\""), ("x", "1"), ("content-length", "5")]);
        let judged = |head: &[(&str, &str)]| after_head(&stored, 5, &map(head));
        let fresh = judged(&[("etag", "\"a\""), ("x", "2"), ("content-length", "5")]);
        let expected = map(&[("etag", "\"a\""), ("x", "2"), ("content-length", "5")]);
        assert_eq!(fresh, AfterHead::Freshened(Box::new(expected)));
        for outdating in [
            &[("etag", "\"b\"")][..],
            &[("etag", "\"a\""), ("content-length", "6")],
            &[("etag", "\"a\""), ("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT")],
            &[("content-length", "6")],
        ] {
            assert_eq!(judged(outdating), AfterHead::Outdated, "{outdating:?}");
        }
        assert_eq!(judged(&[("content-length", "5"), ("x", "2")]), AfterHead::Unknown);
    }

    proptest! {
        #[test]
        fn freshening_loses_no_line_of_a_repeated_field(
            stored in prop::collection::vec(("[ab]", "[0-9]"), 0..6),
            newer in prop::collection::vec(("[abc]", "[0-9]"), 0..6),
        ) {
            let fields = |lines: &[(String, String)]| {
                map(&lines.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect::<Vec<_>>())
            };
            let (stored, newer) = (fields(&stored), fields(&newer));
            let Validated::Freshened(merged) = freshen(&stored, &newer) else {
                panic!("nothing speaks against it");
            };
            // Section 3.2: all lines of the newer one, or else all of the stored one.
            for name in ["a", "b", "c"] {
                let from = if newer.contains_key(name) { &newer } else { &stored };
                let lines = |fields: &HeaderMap| {
                    fields.get_all(name).iter().cloned().collect::<Vec<_>>()
                };
                prop_assert_eq!(lines(&merged), lines(from));
            }
        }
    }

    #[test]
    fn comparing_tags() {
        // RFC 9110 section 8.8.3.2, the table.
        for (one, other, strong, weak) in [
            ("W/\"1\"", "W/\"1\"", false, true),
            ("W/\"1\"", "W/\"2\"", false, false),
            ("W/\"1\"", "\"1\"", false, true),
            ("\"1\"", "\"1\"", true, true),
        ] {
            assert_eq!(strongly_equal(one.as_bytes(), other.as_bytes()), strong);
            assert_eq!(weakly_equal(one.as_bytes(), other.as_bytes()), weak);
        }
    }
}
