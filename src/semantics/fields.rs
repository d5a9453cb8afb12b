//! Fields as lists and hops: the reading that the other modules share.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// Whether a field speaks to the next hop only (RFC 9110 section 7.6.1), though
/// `Connection` does not name it.
fn is_hop_by_hop(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "connection"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authentication-info"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "transfer-encoding"
            | "upgrade"
    )
}

/// Fields that a sender may not have dropped by naming them in `Connection`:
/// routing, framing, identity and caching rest on them.
const NOT_DROPPED_BY_NAME: [HeaderName; 20] = [
    header::HOST,
    header::CONTENT_LENGTH,
    header::CONTENT_ENCODING,
    header::CONTENT_RANGE,
    header::CONTENT_TYPE,
    header::CACHE_CONTROL,
    HeaderName::from_static("cdn-cache-control"),
    HeaderName::from_static("larder-cache-control"),
    header::COOKIE,
    header::SET_COOKIE,
    header::AUTHORIZATION,
    header::VARY,
    header::DATE,
    header::AGE,
    header::EXPIRES,
    header::ETAG,
    header::LAST_MODIFIED,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-proto"),
];

/// Removes what is meant for this hop: the fixed list and what `Connection`
/// names, but for the fields that caching itself rests on.
pub fn remove_hop_by_hop(fields: &mut HeaderMap) {
    let lines: Vec<HeaderValue> = fields.get_all(header::CONNECTION).iter().cloned().collect();
    let named = lines.iter().flat_map(|line| list(line.as_bytes()));
    for name in named.filter_map(|token| HeaderName::from_bytes(token).ok()) {
        if !NOT_DROPPED_BY_NAME.contains(&name) {
            fields.remove(name);
        }
    }
    remove_if(fields, is_hop_by_hop);
}

/// Removes every line of the fields whose names are unwanted.
pub fn remove_if(fields: &mut HeaderMap, unwanted: impl Fn(&HeaderName) -> bool) {
    let names: Vec<HeaderName> = fields.keys().filter(|name| unwanted(name)).cloned().collect();
    for name in names {
        fields.remove(name);
    }
}

/// Whether a field is there. Heads are short: to compare a few names with each of
/// theirs costs less than to hash them.
pub(super) fn is_there(fields: &HeaderMap, name: &HeaderName) -> bool {
    fields.keys().any(|own| own == name)
}

/// Moves every line of a field from one map to another.
pub(super) fn move_lines(from: &mut HeaderMap, name: &HeaderName, to: &mut HeaderMap) {
    if let header::Entry::Occupied(lines) = from.entry(name) {
        let (name, values) = lines.remove_entry_mult();
        for value in values {
            to.append(name.clone(), value);
        }
    }
}

/// Adds every line of a field from one map to another.
pub fn copy_lines(from: &HeaderMap, name: &HeaderName, to: &mut HeaderMap) {
    for value in from.get_all(name) {
        to.append(name.clone(), value.clone());
    }
}

/// Whether `Connection` (or another list field) has this member, in any case.
pub fn has_member(fields: &HeaderMap, name: &HeaderName, member: &str) -> bool {
    members(fields, name).any(|m| m.eq_ignore_ascii_case(member.as_bytes()))
}

/// The members of a comma-separated field over all its lines, trimmed, empty
/// ones left out (RFC 9110 section 5.6.1). Not for fields with quoted commas.
pub fn members<'a>(
    fields: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = &'a [u8]> + use<'a> {
    fields.get_all(name).iter().flat_map(|line| list(line.as_bytes()))
}

/// The media type, without parameters (RFC 9110 section 8.3.1); empty if none is stated.
pub fn media_type(fields: &HeaderMap) -> &[u8] {
    let value = fields.get(header::CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
    value.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii()
}

/// The members of one line of such a field.
pub fn list(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|b| *b == b',').map(<[u8]>::trim_ascii).filter(|member| !member.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connection_names_what_to_drop_but_not_what_caching_rests_on() {
        let mut fields = HeaderMap::new();
        for (name, value) in [
            ("connection", "X-Hop, Cache-Control, close"),
            ("connection", "cookie, x-forwarded-proto, CDN-Cache-Control, content-encoding"),
            ("cdn-cache-control", "no-store"),
            ("content-encoding", "gzip"),
            ("x-forwarded-proto", "https"),
            ("x-hop", "1"),
            ("keep-alive", "timeout=5"),
            ("cache-control", "private"),
            ("cookie", "a=b"),
            ("x-stays", "1"),
            ("te", "trailers"),
        ] {
            fields.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        remove_hop_by_hop(&mut fields);
        let mut left: Vec<&str> = fields.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(
            left,
            [
                "cache-control",
                "cdn-cache-control",
                "content-encoding",
                "cookie",
                "x-forwarded-proto",
                "x-stays",
            ]
        );
    }
}
