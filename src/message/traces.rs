//! By what a request is found again in the logs of all who have handled it: its
//! `X-Request-Id`, and the `traceparent` of W3C Trace Context.

use super::sender::written;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The field that bears the id of a request.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The field that says which trace a request belongs to.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The longest id that is taken over.
const LONGEST: usize = 128;

/// Whether a field says only by what its request is found again.
pub(super) fn is_trace(name: &str) -> bool {
    matches!(name, "x-request-id" | "traceparent" | "tracestate")
}

/// Gives a request an id if it has none: what anybody but a trusted proxy says is
/// replaced, for the app may write it into a page that others are given. And a trace,
/// if there is to be one.
pub(super) fn settle(fields: &mut HeaderMap, is_proxy: bool, makes_traces: bool) {
    let is_kept = is_proxy && {
        let mut given = fields.get_all(&REQUEST_ID).iter();
        matches!((given.next(), given.next()), (Some(id), None) if is_id(id.as_bytes()))
    };
    if !is_kept {
        fields.insert(REQUEST_ID, new_request_id());
    }
    if makes_traces && !fields.contains_key(&TRACEPARENT) {
        fields.insert(TRACEPARENT, new_traceparent());
    }
}

/// Whether it may stand for a request: in a log, and in whatever the app does with it.
pub(super) fn is_id(id: &[u8]) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~:/+=@".contains(byte);
    (1..=LONGEST).contains(&id.len()) && id.iter().all(is_plain)
}

/// An id that no other request has: 32 hexadecimal digits.
pub fn new_request_id() -> HeaderValue {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let [high, low] = unheard_of();
    let number = u128::from(high) << 64 | u128::from(low);
    // Each request has one: by hand it takes a part of what formatting takes.
    let digits: [u8; 32] =
        std::array::from_fn(|at| DIGITS[(number >> (124 - 4 * at)) as usize & 15]);
    HeaderValue::from_bytes(&digits).unwrap_or_else(|_| HeaderValue::from_static("-"))
}

/// The beginning of a trace, as if the request began here. It says that the trace is
/// recorded: an app that records what it is asked without a trace goes on doing so.
fn new_traceparent() -> HeaderValue {
    let ([high, low], [parent, _]) = (unheard_of(), unheard_of());
    // None of the two may be zero.
    written(format!("00-{high:016x}{:016x}-{:016x}-01", low | 1, parent | 1))
}

/// The trace that a `traceparent` names; `None` if it isn't one (W3C Trace Context,
/// section 3.2).
pub fn trace_id(traceparent: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(traceparent).ok()?;
    let is_hex = |part: &str| part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let is_zero = |part: &str| part.bytes().all(|byte| byte == b'0');
    let mut parts = text.split('-');
    let [version, trace, parent, flags] = [(); 4].map(|()| parts.next().unwrap_or_default());
    let lengths = [version, trace, parent, flags].map(str::len);
    let is_one = lengths == [2, 32, 16, 2]
        && [version, trace, parent, flags].into_iter().all(is_hex)
        && version != "ff"
        && (version != "00" || parts.next().is_none())
        && !is_zero(trace)
        && !is_zero(parent);
    is_one.then_some(trace)
}

/// Numbers that have not been given before, and that nobody can tell beforehand.
fn unheard_of() -> [u64; 2] {
    static KEYS: LazyLock<[RandomState; 2]> = LazyLock::new(Default::default);
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    [KEYS[0].hash_one(next), KEYS[1].hash_one(next)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn settled(fields: &[(HeaderName, &str)], is_proxy: bool, traces: bool) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in fields {
            map.append(name, HeaderValue::from_str(value).expect("a value"));
        }
        settle(&mut map, is_proxy, traces);
        map
    }

    #[test]
    fn only_a_proxy_gives_an_id_and_only_a_plain_one() {
        let long = "x".repeat(LONGEST + 1);
        for (given, is_proxy, is_kept) in [
            ("8f14e45f-ceea-467f", true, true),
            ("Root=1-5759e988/a", true, true),
            ("8f14e45f-ceea-467f", false, false),
            ("<script>", true, false),
            ("a b", true, false),
            ("", true, false),
            (&long, true, false),
        ] {
            let fields = settled(&[(REQUEST_ID, given)], is_proxy, false);
            let id = fields[REQUEST_ID].to_str().expect("text");
            assert_eq!(id == given, is_kept, "{given}");
            assert!(is_kept || id.len() == 32 && is_id(id.as_bytes()), "{id}");
        }
        let twice = settled(&[(REQUEST_ID, "a"), (REQUEST_ID, "b")], true, false);
        assert_eq!(twice.get_all(REQUEST_ID).iter().count(), 1);
        assert_eq!(twice[REQUEST_ID].len(), 32);
        let ids: BTreeSet<Vec<u8>> =
            (0..1000).map(|_| new_request_id().as_bytes().to_vec()).collect();
        assert_eq!(ids.len(), 1000);
    }

    #[test]
    fn a_trace_begins_here_only_if_it_is_to_and_there_is_none() {
        const GIVEN: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
        assert!(!settled(&[], false, false).contains_key(TRACEPARENT));
        assert_eq!(settled(&[(TRACEPARENT, GIVEN)], false, true)[TRACEPARENT], GIVEN);
        let made = settled(&[], false, true);
        let made = made[TRACEPARENT].as_bytes();
        assert!(trace_id(made).is_some_and(|id| id.len() == 32), "{made:?}");
        assert_ne!(settled(&[], false, true)[TRACEPARENT].as_bytes(), made);
    }

    #[test]
    fn which_trace_a_traceparent_names() {
        const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
        for (given, is_one) in [
            (format!("00-{TRACE}-b7ad6b7169203331-01"), true),
            (format!("01-{TRACE}-b7ad6b7169203331-01-more"), true),
            (format!("00-{TRACE}-b7ad6b7169203331-01-more"), false),
            (format!("ff-{TRACE}-b7ad6b7169203331-01"), false),
            (format!("00-{TRACE}-b7ad6b7169203331"), false),
            (format!("00-{TRACE}-0000000000000000-01"), false),
            (format!("00-{}-b7ad6b7169203331-01", "0".repeat(32)), false),
            (format!("00-{}-b7ad6b7169203331-01", TRACE.to_uppercase()), false),
            (format!("00-{TRACE}0-b7ad6b7169203331-01"), false),
            ("\u{e4}".to_string(), false),
            (String::new(), false),
        ] {
            assert_eq!(trace_id(given.as_bytes()), is_one.then_some(TRACE), "{given}");
        }
    }
}
