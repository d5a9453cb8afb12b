//! What the tests of this room share.

use super::time::{Exchange, Moment};
use http::header::{HeaderMap, HeaderName, HeaderValue};
use std::time::{Duration, SystemTime};

/// The second of the wall clock at which responses are received.
pub(super) const NOON: u64 = 1_800_000_000;

/// Fields from lines, in order.
pub(super) fn fields<V: AsRef<str>>(lines: &[(&str, V)]) -> HeaderMap {
    let mut fields = HeaderMap::new();
    for (name, value) in lines {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
        fields.append(name, HeaderValue::from_str(value.as_ref()).expect("a value"));
    }
    fields
}

/// A second of the wall clock.
pub(super) fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// The same as an HTTP-date.
pub(super) fn date(seconds: u64) -> String {
    httpdate::fmt_http_date(at(seconds))
}

/// A response that came at once, at noon.
pub(super) fn exchange() -> Exchange {
    Exchange { sent: Moment(1_000), received: Moment(1_000), received_at: at(NOON) }
}
