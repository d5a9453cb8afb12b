//! A client's own preconditions, answered from a complete response in hand
//! (RFC 9111 section 4.3.2, RFC 9110 section 13).

use super::date::{date_in, http_date};
use super::validation::opaque;
use http::StatusCode;
use http::header::{self, HeaderMap, HeaderName};
use std::time::SystemTime;

/// Whether the client's copy will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// Send the response.
    Send,
    /// The client has it: 304.
    NotModified,
}

/// Evaluates `If-None-Match` or, without it, `If-Modified-Since` (RFC 9110
/// section 13.2.2) of a GET or HEAD against a response. Only a 200 is subject
/// to preconditions, and a 206, which is a 200 until `Range` is looked at.
///
/// `response` tells the value of its first field of a name; `received_at` stands in
/// for a missing `Date`.
pub fn evaluate<'a>(
    request: &HeaderMap,
    status: StatusCode,
    response: impl Fn(&HeaderName) -> Option<&'a [u8]>,
    received_at: SystemTime,
) -> Precondition {
    if !matches!(status, StatusCode::OK | StatusCode::PARTIAL_CONTENT) {
        return Precondition::Send;
    }
    let holds = if request.contains_key(header::IF_NONE_MATCH) {
        if_none_match(request, response)
    } else {
        if_modified_since(request, response, received_at)
    };
    if holds { Precondition::NotModified } else { Precondition::Send }
}

/// Whether the request has preconditions that only an origin can evaluate
/// (RFC 9111 section 4.3.2): such a request is passed on whole.
pub fn for_the_origin(request: &HeaderMap) -> bool {
    request.contains_key(header::IF_MATCH) || request.contains_key(header::IF_UNMODIFIED_SINCE)
}

/// The most entity tags of a request that are compared: more than anybody keeps of one
/// page. Who has them all the same is sent it whole, which is always right.
const MOST_TAGS: usize = 256;

fn if_none_match<'a>(
    request: &HeaderMap,
    response: impl Fn(&HeaderName) -> Option<&'a [u8]>,
) -> bool {
    let lines = request.get_all(header::IF_NONE_MATCH);
    if lines.iter().any(|line| line.as_bytes().trim_ascii() == b"*") {
        return true;
    }
    let Some(etag) = response(&header::ETAG) else {
        return false;
    };
    // The weak comparison (RFC 9110 section 8.8.3.2).
    let etag = opaque(etag);
    let tags = lines.iter().flat_map(|line| entity_tags(line.as_bytes()));
    tags.take(MOST_TAGS).any(|tag| opaque(tag) == etag)
}

fn if_modified_since<'a>(
    request: &HeaderMap,
    response: impl Fn(&HeaderName) -> Option<&'a [u8]>,
    received_at: SystemTime,
) -> bool {
    let Some(since) = date_in(request, &header::IF_MODIFIED_SINCE, received_at) else {
        return false;
    };
    let date = |name| http_date(response(&name)?, received_at);
    let modified = date(header::LAST_MODIFIED).or_else(|| date(header::DATE));
    let modified = modified.unwrap_or(received_at);
    modified <= since
}

/// The members of an entity-tag list; commas inside quotes do not separate.
fn entity_tags(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut quoted = false;
    line.split(move |byte| {
        quoted ^= *byte == b'"';
        *byte == b',' && !quoted
    })
    .map(<[u8]>::trim_ascii)
    .filter(|tag| !tag.is_empty())
}

/// The fields of a 304 to a client: what guides its cache, and not what
/// describes a body that is not there (RFC 9110 section 15.4.5).
pub fn not_modified_fields(fields: &mut HeaderMap) {
    let has_etag = fields.contains_key(header::ETAG);
    let is_left_out = |name: &&HeaderName| is_left_out_of_304(name.as_str().as_bytes(), has_etag);
    let left_out: Vec<HeaderName> = fields.keys().filter(is_left_out).cloned().collect();
    for name in left_out {
        fields.remove(name);
    }
}

/// Whether a 304 leaves out the field of this name, in lower case, of a response with or
/// without an entity tag.
pub fn is_left_out_of_304(name: &[u8], has_etag: bool) -> bool {
    match name {
        b"content-length" | b"content-type" | b"content-encoding" | b"content-language"
        | b"content-range" | b"trailer" => true,
        b"last-modified" => has_etag,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantics::testing::fields;
    use http::HeaderValue;
    use std::time::Duration;

    const OLD: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const NEW: &str = "Mon, 07 Nov 1994 08:49:37 GMT";

    fn judged(request: &[(&'static str, &str)], response: &[(&'static str, &str)]) -> bool {
        let received = SystemTime::UNIX_EPOCH + Duration::from_secs(2_000_000_000);
        let response = fields(response);
        let value = |name: &HeaderName| response.get(name).map(|value| value.as_bytes());
        evaluate(&fields(request), StatusCode::OK, value, received) == Precondition::NotModified
    }

    #[test]
    fn so_many_entity_tags_are_compared_and_no_more() {
        let tag = &[("etag", "\"e\"")][..];
        for (before, holds) in [(MOST_TAGS - 1, true), (MOST_TAGS, false)] {
            let (other, last) = ("\"a\",".repeat(before), "\"e\"");
            assert_eq!(judged(&[("if-none-match", &(other.clone() + last))], tag), holds);
            assert_eq!(judged(&[("if-none-match", &other), ("if-none-match", last)], tag), holds);
        }
    }

    #[test]
    fn if_none_match_compares_weakly_and_goes_first() {
        let tag = &[("etag", "\"a,b\"")][..];
        for (wanted, holds) in [
            ("\"a,b\"", true),
            ("W/\"a,b\"", true),
            ("\"x\", \"a,b\"", true),
            ("\"x\",W/\"a,b\" ,\"y\"", true),
            ("*", true),
            ("\"a\"", false),
            ("\"b\"", false),
            ("a,b", false),
            ("", false),
        ] {
            assert_eq!(judged(&[("if-none-match", wanted)], tag), holds, "{wanted}");
        }
        assert!(judged(&[("if-none-match", "\"x\""), ("if-none-match", "\"a,b\"")], tag));
        // Section 13.1.3: If-Modified-Since is ignored beside If-None-Match.
        assert!(!judged(
            &[("if-none-match", "\"x\""), ("if-modified-since", NEW)],
            &[("etag", "\"a\""), ("last-modified", OLD)],
        ));
        assert!(!judged(&[("if-none-match", "\"x\"")], &[]));
    }

    #[test]
    fn if_modified_since_compares_with_last_modified_then_date() {
        let since = |date| vec![("if-modified-since", date)];
        assert!(judged(&since(OLD), &[("last-modified", OLD), ("date", NEW)]));
        assert!(judged(&since(NEW), &[("last-modified", OLD)]));
        assert!(!judged(&since(OLD), &[("last-modified", NEW)]));
        // RFC 9111 section 4.3.2: without Last-Modified, Date; without Date, now.
        assert!(judged(&since(NEW), &[("date", NEW)]));
        assert!(!judged(&since(OLD), &[("date", NEW)]));
        assert!(!judged(&since(NEW), &[]));
        assert!(!judged(&since("yesterday"), &[("last-modified", OLD)]));
    }

    #[test]
    fn only_a_200_or_a_part_of_it_is_subject_to_preconditions() {
        let mut any = HeaderMap::new();
        any.insert(header::IF_NONE_MATCH, HeaderValue::from_static("*"));
        for (status, expected) in [
            (StatusCode::NOT_FOUND, Precondition::Send),
            (StatusCode::PARTIAL_CONTENT, Precondition::NotModified),
        ] {
            let answer = evaluate(&any, status, |_: &HeaderName| None, SystemTime::UNIX_EPOCH);
            assert_eq!(answer, expected, "{status}");
        }
    }
}
