//! What a successful unsafe request makes outdated (RFC 9111 section 4.4, RFC
//! 9875 section 3).

use super::tags;
use http::header::{self, HeaderMap, HeaderName};
use http::uri::Uri;
use http::{Method, StatusCode};
use std::sync::Arc;

const CACHE_GROUP_INVALIDATION: HeaderName = HeaderName::from_static("cache-group-invalidation");

/// Whether this method, answered like this, outdates its target: any method
/// that is not known to be safe, unless it failed.
pub fn invalidates(method: &Method, status: StatusCode) -> bool {
    !method.is_safe() && (status.is_success() || status.is_redirection())
}

/// The other URIs that the answer names, in `Location` and `Content-Location`,
/// as origin-form targets (path and query). Those of another origin are left
/// out: an app may not outdate its neighbour's pages.
///
/// `authority` is the request's host, with the port unless it is the default.
pub fn also_named(response: &HeaderMap, authority: &str, base_path: &str) -> Vec<String> {
    [header::LOCATION, header::CONTENT_LOCATION]
        .iter()
        .filter_map(|name| response.get(name)?.to_str().ok())
        .filter_map(|reference| same_origin_target(reference, authority, base_path))
        .collect()
}

/// Whether `Content-Location` is the request's own target, so that the response
/// is what a GET of it would be given (RFC 9110 section 8.7).
pub fn speaks_of_itself(response: &HeaderMap, authority: &str, target: &str) -> bool {
    let base_path = target.split('?').next().unwrap_or_default();
    let mut lines = response.get_all(header::CONTENT_LOCATION).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return false;
    };
    let named = line.to_str().ok().and_then(|uri| same_origin_target(uri, authority, base_path));
    named.as_deref() == Some(target)
}

/// The groups that the answer outdates, of its own origin: the members of
/// `Cache-Group-Invalidation` (RFC 9875 section 3), which counts only where
/// [`invalidates`] says so. What is no list of strings names none.
///
/// ```
/// use http::{HeaderMap, HeaderValue};
/// use larder::semantics::invalidation::groups;
///
/// let line = HeaderValue::from_static("\"articles\", \"start page\"");
/// let response = HeaderMap::from_iter([("cache-group-invalidation".parse().unwrap(), line)]);
/// assert_eq!(groups(&response).join("|"), "articles|start page");
/// ```
pub fn groups(response: &HeaderMap) -> Arc<[Box<str>]> {
    tags::strict_strings(response, &CACHE_GROUP_INVALIDATION)
}

fn same_origin_target(reference: &str, authority: &str, base_path: &str) -> Option<String> {
    let reference = reference.split('#').next().unwrap_or_default();
    if let Some(rest) = reference.strip_prefix("//") {
        return same_origin_target(&format!("http://{rest}"), authority, base_path);
    }
    if reference.starts_with('/') {
        return Some(reference.to_string());
    }
    if reference.is_empty() {
        return None;
    }
    match reference.parse::<Uri>() {
        Ok(uri) if uri.scheme().is_some() => {
            let same = uri.authority()?.as_str().eq_ignore_ascii_case(authority);
            same.then(|| uri.path_and_query().map_or("/".into(), ToString::to_string))
        }
        // A relative path (RFC 3986 section 5.2.3), as long as it has no dots.
        _ if reference.contains("./") || reference.contains(':') => None,
        _ if reference.starts_with('?') => Some(format!("{base_path}{reference}")),
        _ => {
            let directory = &base_path[..=base_path.rfind('/')?];
            Some(format!("{directory}{reference}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn unsafe_and_unknown_methods_that_did_not_fail() {
        let cases = [
            ("POST", 200, true),
            ("PUT", 204, true),
            ("DELETE", 302, true),
            ("M-SEARCH", 200, true),
            ("POST", 404, false),
            ("POST", 500, false),
            ("GET", 200, false),
            ("HEAD", 200, false),
            ("OPTIONS", 200, false),
            ("QUERY", 200, false),
            ("TRACE", 200, false),
        ];
        for (method, status, expected) in cases {
            let method = Method::from_bytes(method.as_bytes()).expect("a method");
            let status = StatusCode::from_u16(status).expect("a status");
            assert_eq!(invalidates(&method, status), expected, "{method} {status}");
        }
    }

    #[test]
    fn a_response_that_is_its_targets_own() {
        for (location, expected) in [
            ("/dir/page?a=1", true),
            ("http://shop.example/dir/page?a=1", true),
            ("?a=1", true),
            ("page?a=1", true),
            ("/dir/page", false),
            ("http://other.example/dir/page?a=1", false),
        ] {
            let mut fields = HeaderMap::new();
            fields.insert(header::CONTENT_LOCATION, HeaderValue::from_static(location));
            let own = speaks_of_itself(&fields, "shop.example", "/dir/page?a=1");
            assert_eq!(own, expected, "{location}");
            fields.append(header::CONTENT_LOCATION, HeaderValue::from_static("/other"));
            assert!(!speaks_of_itself(&fields, "shop.example", "/dir/page?a=1"));
        }
        assert!(!speaks_of_itself(&HeaderMap::new(), "shop.example", "/"));
    }

    #[test]
    fn locations_of_the_same_origin_only() {
        for (location, expected) in [
            ("/a?b", Some("/a?b")),
            ("http://shop.example/a", Some("/a")),
            ("https://SHOP.example/a?x#frag", Some("/a?x")),
            ("http://shop.example", Some("/")),
            ("//shop.example/a", Some("/a")),
            ("other", Some("/dir/other")),
            ("?page=2", Some("/dir/page?page=2")),
            ("http://other.example/a", None),
            ("http://shop.example:8080/a", None),
            ("//other.example/a", None),
            ("../up", None),
            ("", None),
            ("javascript:alert(1)", None),
        ] {
            let mut fields = HeaderMap::new();
            let value = HeaderValue::from_static(location);
            fields.insert(HeaderName::from_static("location"), value);
            let named = also_named(&fields, "shop.example", "/dir/page");
            assert_eq!(named.first().map(String::as_str), expected, "{location}");
        }
    }
}
