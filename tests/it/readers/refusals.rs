//! What the readers refuse although it is right, or harmless. Who refuses a request
//! reads it in no other way.

use crate::fuzz::reference::Message;

/// Methods that every reader takes.
const USUAL: &[&str] = &["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];

/// What may stand there once, to nginx.
const ONCE: &[&str] = &[
    "authorization",
    "content-range",
    "content-type",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "range",
];

/// Whether a reader is known to refuse such a request, in this way.
pub fn known(reader: &str, why: &str, request: &Message) -> bool {
    let Message { method, target, fields, .. } = request;
    let unusual = !USUAL.contains(&&**method);
    let count = |once: &str| fields.iter().filter(|(name, _)| name == once).count();
    let host = fields.iter().find(|(name, _)| name == "host").map(|(_, value)| value.as_slice());
    let host = String::from_utf8_lossy(host.unwrap_or_default()).into_owned();
    let path = target.split('?').next().unwrap_or_default().to_ascii_lowercase();
    match (reader, why.split([':', ' ']).next().unwrap_or_default()) {
        ("h11", "illegal") => !target.is_ascii(),
        ("waitress" | "uvicorn-h11", "400") => !target.is_ascii(),
        ("uvicorn-httptools", "400") => !target.is_ascii() || unusual,
        ("hypercorn", "400") => !target.is_ascii() || is_half_an_upgrade(request),
        ("gunicorn", "InvalidRequestLine") => !target.is_ascii(),
        // From three to twenty capitals and the like.
        ("gunicorn", "InvalidRequestMethod") => unusual,
        ("gunicorn", "InvalidHeader") => count("content-type") > 1,
        ("Node", "HPE_INVALID_URL") => !target.is_ascii(),
        ("Node", "HPE_INVALID_METHOD") => unusual,
        ("nginx", "400") => {
            let twice = ONCE.iter().any(|once| count(once) > 1);
            unusual || twice || target == "*" || is_no_plain_path(&path) || host.contains("..")
        }
        ("Apache", "400" | "404") => is_no_plain_path(&path) || is_no_plain_host(&host),
        // It answers for itself.
        ("Apache", "200") => target == "*",
        _ => false,
    }
}

/// One for a WebSocket, without all that belongs to it (RFC 6455 section 4.1).
fn is_half_an_upgrade(request: &Message) -> bool {
    let count = |name: &str| request.fields.iter().filter(|(n, _)| n == name).count();
    let whole = ["sec-websocket-key", "sec-websocket-version"].iter().all(|n| count(n) == 1);
    count("upgrade") > 0 && !whole
}

/// One that is no name as they usually are, or seems to be half an address.
fn is_no_plain_host(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let plain = |label: &str| {
        let in_names = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        label.starts_with(|c: char| c.is_ascii_alphanumeric()) && label.chars().all(in_names)
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    !name.split('.').all(plain) || last.starts_with(|c: char| c.is_ascii_digit())
}

/// One that goes up, or has percent signs that nobody can decode, or would rather not.
fn is_no_plain_path(path: &str) -> bool {
    let wrong = |rest: &str| {
        let digits = rest.get(..2).filter(|two| two.bytes().all(|b| b.is_ascii_hexdigit()));
        digits.is_none_or(|two| two == "00")
    };
    path.replace("%2e", ".").contains("..") || path.split('%').skip(1).any(wrong)
}
