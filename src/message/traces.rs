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
/// What others have noted of that trace.
pub const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// The longest id that is taken over.
const LONGEST: usize = 128;

/// Whether a field says only by what its request is found again.
pub(super) fn is_trace(name: &str) -> bool {
    matches!(name, "x-request-id" | "traceparent" | "tracestate")
}

/// What becomes of a request that belongs to no trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewTraces {
    /// It goes on without one.
    None,
    /// It begins one, and says that it is recorded: an app that records what it is asked
    /// without a trace goes on doing so.
    Recorded,
    /// It begins one that says that it is not recorded: whoever was to decide has decided.
    Unrecorded,
}

/// Gives a request an id if it has none: what anybody but a trusted proxy says is
/// replaced, for the app may write it into a page that others are given. And a trace,
/// if there is to be one.
pub(super) fn settle(fields: &mut HeaderMap, is_proxy: bool, new_traces: NewTraces) {
    let is_kept = is_proxy && {
        let mut given = fields.get_all(&REQUEST_ID).iter();
        matches!((given.next(), given.next()), (Some(id), None) if is_id(id.as_bytes()))
    };
    if !is_kept {
        fields.insert(REQUEST_ID, new_request_id());
    }
    if new_traces != NewTraces::None && !fields.contains_key(&TRACEPARENT) {
        let begun = TraceContext::begin(new_traces == NewTraces::Recorded);
        fields.insert(TRACEPARENT, begun.traceparent());
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

/// A place in a trace: what a `traceparent` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace; never zero.
    pub trace: u128,
    /// Whatever of it causes what comes next; never zero.
    pub span: u64,
    /// Whoever caused it may have recorded it.
    pub is_sampled: bool,
}

impl TraceContext {
    /// The beginning of a trace, as if the request began here.
    pub fn begin(is_sampled: bool) -> TraceContext {
        let ([high, low], [span, _]) = (unheard_of(), unheard_of());
        // None of the two may be zero.
        let trace = u128::from(high) << 64 | u128::from(low) | 1;
        TraceContext { trace, span: span | 1, is_sampled }
    }

    /// What a `traceparent` says; `None` if it isn't one.
    pub fn read(traceparent: &[u8]) -> Option<TraceContext> {
        let trace = u128::from_str_radix(trace_id(traceparent)?, 16).ok()?;
        let mut parts = std::str::from_utf8(traceparent).ok()?.split('-').skip(2);
        let span = u64::from_str_radix(parts.next()?, 16).ok()?;
        let flags = u8::from_str_radix(parts.next()?, 16).ok()?;
        Some(TraceContext { trace, span, is_sampled: flags & 1 == 1 })
    }

    /// The next place in the same trace.
    #[must_use]
    pub fn next(self) -> TraceContext {
        TraceContext { span: unheard_of()[0] | 1, ..self }
    }

    /// As a `traceparent` says it.
    pub fn traceparent(self) -> HeaderValue {
        let TraceContext { trace, span, is_sampled } = self;
        written(format!("00-{trace:032x}-{span:016x}-{:02x}", u8::from(is_sampled)))
    }
}

/// Whether chance has it, of a million times in so many.
pub fn by_chance(in_a_million: u32) -> bool {
    const MILLION: u64 = 1_000_000;
    in_a_million > 0 && unheard_of()[0] % MILLION < u64::from(in_a_million)
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

    fn settled(fields: &[(HeaderName, &str)], is_proxy: bool, traces: NewTraces) -> HeaderMap {
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
            let fields = settled(&[(REQUEST_ID, given)], is_proxy, NewTraces::None);
            let id = fields[REQUEST_ID].to_str().expect("text");
            assert_eq!(id == given, is_kept, "{given}");
            assert!(is_kept || id.len() == 32 && is_id(id.as_bytes()), "{id}");
        }
        let twice = settled(&[(REQUEST_ID, "a"), (REQUEST_ID, "b")], true, NewTraces::None);
        assert_eq!(twice.get_all(REQUEST_ID).iter().count(), 1);
        assert_eq!(twice[REQUEST_ID].len(), 32);
        let ids: BTreeSet<Vec<u8>> =
            (0..1000).map(|_| new_request_id().as_bytes().to_vec()).collect();
        assert_eq!(ids.len(), 1000);
    }

    #[test]
    fn a_trace_begins_here_only_if_it_is_to_and_there_is_none() {
        const GIVEN: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
        assert!(!settled(&[], false, NewTraces::None).contains_key(TRACEPARENT));
        for (traces, is_sampled) in [(NewTraces::Recorded, true), (NewTraces::Unrecorded, false)] {
            assert_eq!(settled(&[(TRACEPARENT, GIVEN)], false, traces)[TRACEPARENT], GIVEN);
            let made = settled(&[], false, traces);
            let made = TraceContext::read(made[TRACEPARENT].as_bytes()).expect("a traceparent");
            assert_eq!(made.is_sampled, is_sampled);
            assert_ne!(settled(&[], false, traces)[TRACEPARENT], made.traceparent());
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for given in [
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000001-0000000000000001-00",
        ] {
            let read = TraceContext::read(given.as_bytes()).expect("a traceparent");
            assert_eq!(read.traceparent(), given);
            let next = read.next();
            assert_eq!((next.trace, next.is_sampled), (read.trace, read.is_sampled));
            assert_ne!(next.span, read.span);
        }
        let of_level_2 = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03";
        assert!(TraceContext::read(of_level_2).is_some_and(|read| read.is_sampled));
        assert_eq!(TraceContext::read(b"00-1-2-01"), None);
    }

    #[test]
    fn chance_is_about_right() {
        let chosen = |of| (0..10_000).filter(|_| by_chance(of)).count();
        assert_eq!((chosen(0), chosen(1_000_000)), (0, 10_000));
        // Eight standard deviations.
        assert!((800..1200).contains(&chosen(100_000)));
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
