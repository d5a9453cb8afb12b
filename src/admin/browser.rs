//! What a browser says of where a request is from. The dashboard's own requests are let
//! in; those of any other page are not, though a browser on this machine sends them.

use http::HeaderMap;
use http::header::{HOST, HeaderName, HeaderValue, ORIGIN};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether somebody else's page has sent this, or may have. A browser can't help saying
/// so: `Sec-Fetch-Site` stands in all that it sends to loopback or over TLS, `Origin` in all
/// whose answer a script may read, or that changes something.
pub(super) fn is_of_another_site(fields: &HeaderMap) -> bool {
    let is_own = |site: &HeaderValue| matches!(site.as_bytes(), b"same-origin" | b"none");
    if !fields.get_all(SEC_FETCH_SITE).iter().all(is_own) {
        return true;
    }
    let mut origins = fields.get_all(ORIGIN).iter();
    match (origins.next(), origins.next()) {
        (None, _) => false,
        (Some(origin), None) => !is_our_own(origin, fields),
        (Some(_), Some(_)) => true,
    }
}

/// Whether an `Origin` (RFC 6454 section 7) is what the request calls us: scheme and
/// authority, which never is `null`. A terminator of TLS in front is of the same authority.
fn is_our_own(origin: &HeaderValue, fields: &HeaderMap) -> bool {
    let mut hosts = fields.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let origin = origin.as_bytes();
    let authority = origin.strip_prefix(b"http://").or_else(|| origin.strip_prefix(b"https://"));
    authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut fields = HeaderMap::new();
        for (name, value) in lines {
            let name = HeaderName::from_static(name);
            fields.append(name, HeaderValue::from_static(value));
        }
        fields
    }

    #[test]
    fn only_what_is_of_the_same_origin_or_of_no_page_is_let_in() {
        let own = ("host", "127.0.0.1:6082");
        for lines in [
            vec![own],
            vec![own, ("sec-fetch-site", "none")],
            vec![own, ("sec-fetch-site", "same-origin")],
            vec![own, ("origin", "http://127.0.0.1:6082")],
            vec![own, ("origin", "http://127.0.0.1:6082"), ("sec-fetch-site", "same-origin")],
            vec![("host", "cache.Example.org"), ("origin", "https://cache.example.org")],
            vec![("host", "[::1]:6082"), ("origin", "http://[::1]:6082")],
        ] {
            assert!(!is_of_another_site(&fields(&lines)), "{lines:?}");
        }
        for lines in [
            vec![own, ("origin", "null")],
            vec![own, ("origin", "")],
            vec![own, ("origin", "127.0.0.1:6082")],
            vec![own, ("origin", "http://127.0.0.1:6081")],
            vec![own, ("origin", "http://127.0.0.1")],
            vec![own, ("origin", "http://localhost:6082")],
            vec![own, ("origin", "http://evil.test")],
            vec![own, ("origin", "http://127.0.0.1:6082.evil.test")],
            vec![own, ("origin", "file://127.0.0.1:6082")],
            vec![own, ("origin", "http://127.0.0.1:6082"), ("origin", "http://evil.test")],
            vec![own, ("origin", "http://127.0.0.1:6082"), ("sec-fetch-site", "cross-site")],
            vec![own, ("sec-fetch-site", "cross-site")],
            vec![own, ("sec-fetch-site", "same-site")],
            vec![own, ("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")],
            vec![("origin", "http://127.0.0.1:6082")],
            vec![own, ("host", "evil.test"), ("origin", "http://127.0.0.1:6082")],
        ] {
            assert!(is_of_another_site(&fields(&lines)), "{lines:?}");
        }
    }
}
