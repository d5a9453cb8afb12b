//! A line as a JSON object.

use super::Entry;
use super::format::{Stamp, version};
use crate::semantics::reason::Reason;
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::net::IpAddr;
use std::time::Duration;

/// The members of a line, in the order of their names. `docs/logs.md` tells of each.
#[derive(Serialize)]
struct Members<'a> {
    age: Option<u32>,
    agent: Option<Cow<'a, str>>,
    broken: bool,
    bytes: u64,
    client: IpAddr,
    collapsed: bool,
    host: Option<Cow<'a, str>>,
    id: Option<Cow<'a, str>>,
    method: &'a str,
    origin_seconds: Option<f64>,
    outcome: &'static str,
    purged_tags: &'a [Box<str>],
    reason: Option<&'static str>,
    referer: Option<Cow<'a, str>>,
    seconds: f64,
    status: u16,
    stored: bool,
    target: Cow<'a, str>,
    time: Time<'a>,
    trace: Option<&'a str>,
    ttl: Option<i64>,
    version: &'static str,
}

/// A second, and what is past it.
struct Time<'a>(&'a str, Duration);

impl fmt::Display for Time<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)?;
        write!(f, ".{:03}", self.1.subsec_millis())?;
        f.write_char('Z')
    }
}

impl Serialize for Time<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Appends the object of an entry.
pub(super) fn write(line: &mut Vec<u8>, stamp: &mut Stamp, entry: &Entry<'_>) {
    let (stamp, past) = stamp.at(entry.at);
    let members = Members {
        age: entry.age,
        agent: entry.agent.map(String::from_utf8_lossy),
        broken: entry.broken,
        bytes: entry.bytes,
        client: entry.client,
        collapsed: entry.cache.collapsed,
        host: entry.host.map(String::from_utf8_lossy),
        id: entry.id.map(String::from_utf8_lossy),
        method: entry.method,
        origin_seconds: entry.origin.map(|took| took.as_secs_f64()),
        outcome: entry.cache.outcome.token(),
        purged_tags: entry.purged,
        reason: entry.cache.detail.map(Reason::code),
        referer: entry.referer.map(String::from_utf8_lossy),
        seconds: entry.took.as_secs_f64(),
        status: entry.status,
        stored: entry.cache.stored,
        target: String::from_utf8_lossy(entry.target),
        time: Time(&stamp.rfc3339, past),
        trace: entry.trace,
        ttl: entry.cache.ttl,
        version: version(entry.version),
    };
    // Nothing of it can't be written as JSON, and writing to memory can't fail.
    let _ = serde_json::to_writer(line, &members);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access_log::format::tests::entry;
    use crate::semantics::cache_status::{CacheStatus, Outcome};
    use serde_json::{Value, json};

    #[test]
    fn a_json_line_is_json() {
        let mut status = CacheStatus::new(Outcome::Hit);
        status.detail = Some(Reason::SoftPurge);
        let entry = Entry {
            age: Some(7),
            origin: Some(Duration::from_millis(250)),
            id: Some(b"a-1"),
            trace: Some("0af7"),
            purged: &["home".into()],
            ..entry(&status)
        };
        let mut line = Vec::new();
        write(&mut line, &mut Stamp::default(), &entry);
        let line: Value = serde_json::from_slice(&line).expect("one JSON object");
        for (name, value) in [
            ("time", json!("2027-01-15T08:00:00.123Z")),
            ("target", json!("/a\"b\n")),
            ("outcome", json!("hit")),
            ("reason", json!("soft-purge")),
            ("seconds", json!(0.012)),
            ("agent", json!("curl\u{1b}[31m")),
            ("referer", Value::Null),
            ("age", json!(7)),
            ("origin_seconds", json!(0.25)),
            ("id", json!("a-1")),
            ("trace", json!("0af7")),
            ("purged_tags", json!(["home"])),
        ] {
            assert_eq!(line[name], value, "{name}");
        }
    }
}
