//! What commands that ask for pages share: fields, and where to connect.

use crate::key::{Scheme, Target};
use http::{HeaderName, HeaderValue};

/// A field of a request.
pub(super) type Field = (HeaderName, HeaderValue);

/// Reads `Name: value`.
pub(super) fn field(line: &str) -> Result<Field, String> {
    let read = || {
        let (name, value) = line.split_once(':')?;
        let name = HeaderName::from_bytes(name.trim().as_bytes()).ok()?;
        Some((name, HeaderValue::from_str(value.trim()).ok()?))
    };
    read().ok_or_else(|| format!("{line:?} is not a field: \"Name: value\""))
}

/// Where to connect for a target.
pub(super) fn address(target: &Target, via: Option<&str>) -> Result<String, String> {
    let host = target.host();
    match via {
        Some(via) => {
            Ok(via.strip_prefix("http://").unwrap_or(via).trim_end_matches('/').to_string())
        }
        None if target.scheme() == Scheme::Https => {
            Err("for an https URL, say where larder listens: --via HOST:PORT".to_string())
        }
        None if has_port(host) => Ok(host.to_string()),
        None => Ok(format!("{host}:80")),
    }
}

fn has_port(host: &str) -> bool {
    host.rfind(':').is_some_and(|at| !host[at..].contains(']'))
}
