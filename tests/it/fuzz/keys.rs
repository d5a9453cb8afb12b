//! Keys: equal exactly for what no server tells apart.

use super::reference::lines;
use http::Uri;
use larder::key::{CacheKey, Target};

/// Scheme, host, port, path and query, by another reading of the URL.
fn parts(url: &str) -> Option<(String, String, u32, String)> {
    let uri: Uri = url.parse().ok()?;
    let scheme = uri.scheme_str()?.to_ascii_lowercase();
    let own = if scheme == "http" { 80 } else { 443 };
    let port = match uri.authority()?.as_str().rsplit_once(':') {
        Some((_, digits)) if !digits.contains(']') => digits.parse().ok()?,
        _ => own,
    };
    let path = uri.path_and_query().map_or("", |path| path.as_str());
    let slash = if path.starts_with('/') { "" } else { "/" };
    Some((scheme, uri.host()?.to_ascii_lowercase(), port, format!("{slash}{path}")))
}

/// Two URLs, one a line.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut targets = Vec::new();
    for url in lines(text.as_bytes()).take(4).map(|line| std::str::from_utf8(line).unwrap()) {
        let Ok(target) = Target::from_url(url) else { continue };
        let parts = parts(url).expect("http reads it too");
        let host = target.host();
        assert!(!host.is_empty() && host.bytes().all(|b| b.is_ascii_graphic() && b != b'@'));
        assert_eq!(host, host.to_ascii_lowercase());
        assert!(target.path_and_query().starts_with('/') && !target.path_and_query().contains('#'));
        assert_eq!(target.path_and_query(), parts.3);
        assert_eq!(target.path(), parts.3.split('?').next().unwrap());
        let written = target.to_string();
        assert!(!written.chars().any(char::is_control));
        if target.path_and_query().is_ascii() {
            assert_eq!(Target::from_url(&written).as_ref(), Ok(&target), "{written}");
        }
        targets.push((CacheKey::new(target), parts));
    }
    for (one, parts) in &targets {
        for (other, others) in &targets {
            if one == other {
                assert_eq!(parts, others);
            } else if parts == others {
                // Only a port may be written in two ways, which is one key too many.
                let zeros = |key: &CacheKey| key.target().host().contains(":0");
                assert!(zeros(one) || zeros(other), "{one:?} {other:?}");
            }
        }
        let both = one.in_both_schemes();
        assert!(
            both.iter().all(|key| key.target().path_and_query() == one.target().path_and_query())
        );
    }
}
