//! Asking the origin whether a stored response still holds (RFC 9111 section
//! 4.3), and taking over what it answers (sections 3.2 and 4.3.4).

use super::fields::members;
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

/// Removes a client's preconditions and range, so that the origin sends the
/// whole response.
pub fn remove_conditions(request: &mut HeaderMap) {
    for name in [header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE, header::IF_RANGE, header::RANGE]
    {
        request.remove(name);
    }
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
    if let (Some(new), Some(old)) = (not_modified.get(header::ETAG), stored.get(header::ETAG))
        && !weakly_equal(new.as_bytes(), old.as_bytes())
    {
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

/// The weak comparison of entity tags (RFC 9110 section 8.8.3.2).
pub fn weakly_equal(one: &[u8], other: &[u8]) -> bool {
    opaque(one) == opaque(other)
}

/// The strong comparison: equal, and neither is weak.
pub fn strongly_equal(one: &[u8], other: &[u8]) -> bool {
    one == other && !one.starts_with(b"W/")
}

fn opaque(tag: &[u8]) -> &[u8] {
    tag.strip_prefix(b"W/").unwrap_or(tag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantics::testing::fields as map;

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
