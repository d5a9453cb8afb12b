//! How a line is written, into memory that is there.

use super::Entry;
use crate::semantics::reason::Reason;
use http::Version;
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::io::Write;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

/// The second in which a line was written last, as both formats write it.
#[derive(Debug, Default)]
pub(super) struct Stamp {
    /// Seconds since the epoch and one; zero for none.
    second: u64,
    /// `21/Nov/2026:05:00:00 +0000`.
    common: String,
    /// `2026-11-21T05:00:00`.
    rfc3339: String,
}

impl Stamp {
    /// The same for this moment, which comes with what it is past its second.
    fn at(&mut self, at: SystemTime) -> (&Stamp, Duration) {
        let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let second = since.as_secs().saturating_add(1);
        if self.second != second {
            let (common, rfc3339) = written(at);
            *self = Stamp { second, common, rfc3339 };
        }
        (self, Duration::from_nanos(since.subsec_nanos().into()))
    }
}

/// The two ways to write a second, from the parts of an HTTP-date.
fn written(at: SystemTime) -> (String, String) {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let date = httpdate::fmt_http_date(at);
    let parts: Vec<&str> = date.split(' ').collect();
    match parts.as_slice() {
        [_, day, month, year, time, _] => {
            let number = MONTHS.iter().position(|m| m == month).map_or(0, |at| at + 1);
            let common = format!("{day}/{month}/{year}:{time} +0000");
            (common, format!("{year}-{number:02}-{day}T{time}"))
        }
        _ => (date.clone(), date),
    }
}

/// `2026-11-21T05:00:00.123Z` (RFC 3339).
pub fn rfc3339(at: SystemTime) -> String {
    let mut stamp = Stamp::default();
    let (stamp, past) = stamp.at(at);
    format!("{}.{:03}Z", stamp.rfc3339, past.subsec_millis())
}

/// Appends the line of an entry, without its end.
pub(super) fn combined(line: &mut Vec<u8>, stamp: &mut Stamp, entry: &Entry<'_>) {
    put_address(line, entry.client);
    put(line, &[" - - [", &stamp.at(entry.at).0.common, "] \"", entry.method, " "]);
    escape(line, entry.target);
    put(line, &[" ", version(entry.version), "\" "]);
    put_number(line, entry.status.into(), 1);
    put(line, &[" "]);
    put_number(line, entry.bytes, 1);
    for field in [entry.referer, entry.agent] {
        put(line, &[" \""]);
        escape(line, field.unwrap_or(b"-"));
        put(line, &["\""]);
    }
    put(line, &[" ", entry.cache.outcome.token(), " "]);
    put_number(line, entry.took.as_secs(), 1);
    put(line, &["."]);
    put_number(line, entry.took.subsec_millis().into(), 3);
    if let Some(detail) = entry.cache.detail {
        put(line, &[" ", detail.code()]);
    }
}

fn put(line: &mut Vec<u8>, pieces: &[&str]) {
    for piece in pieces {
        line.extend_from_slice(piece.as_bytes());
    }
}

/// Writes a number, with zeros before it if it has fewer digits than that.
fn put_number(line: &mut Vec<u8>, mut number: u64, least: usize) {
    let mut digits = [b'0'; 20];
    let mut begins = digits.len();
    while number > 0 || digits.len() - begins < least {
        begins -= 1;
        digits[begins] += (number % 10) as u8;
        number /= 10;
    }
    line.extend_from_slice(&digits[begins..]);
}

fn put_address(line: &mut Vec<u8>, address: IpAddr) {
    match address {
        IpAddr::V4(address) => {
            for (at, octet) in address.octets().into_iter().enumerate() {
                put(line, if at == 0 { &[] } else { &["."] });
                put_number(line, octet.into(), 1);
            }
        }
        // Writing to memory can't fail.
        IpAddr::V6(address) => drop(write!(line, "{address}")),
    }
}

fn version(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_11 => "HTTP/1.1",
        _ => "HTTP/?",
    }
}

/// What could end the field or the line, or speak to a terminal, is written as
/// `\xNN`.
fn escape(line: &mut Vec<u8>, text: &[u8]) {
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    if text.iter().all(is_plain) {
        return line.extend_from_slice(text);
    }
    for c in String::from_utf8_lossy(text).chars() {
        // Writing to memory can't fail.
        let _ = match c {
            '"' | '\\' => write!(line, "\\{c}"),
            c if c.is_control() => write!(line, "\\x{:02x}", u32::from(c)),
            c => write!(line, "{c}"),
        };
    }
}

/// The members of a line, in the order of their names.
#[derive(Serialize)]
struct Members<'a> {
    agent: Option<Cow<'a, str>>,
    broken: bool,
    bytes: u64,
    cache: &'static str,
    client: IpAddr,
    collapsed: bool,
    detail: Option<&'static str>,
    host: Option<Cow<'a, str>>,
    method: &'a str,
    referer: Option<Cow<'a, str>>,
    seconds: f64,
    status: u16,
    stored: bool,
    target: Cow<'a, str>,
    time: Time<'a>,
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
pub(super) fn json(line: &mut Vec<u8>, stamp: &mut Stamp, entry: &Entry<'_>) {
    let (stamp, past) = stamp.at(entry.at);
    let members = Members {
        agent: entry.agent.map(String::from_utf8_lossy),
        broken: entry.broken,
        bytes: entry.bytes,
        cache: entry.cache.outcome.token(),
        client: entry.client,
        collapsed: entry.cache.collapsed,
        detail: entry.cache.detail.map(Reason::code),
        host: entry.host.map(String::from_utf8_lossy),
        method: entry.method,
        referer: entry.referer.map(String::from_utf8_lossy),
        seconds: entry.took.as_secs_f64(),
        status: entry.status,
        stored: entry.cache.stored,
        target: String::from_utf8_lossy(entry.target),
        time: Time(&stamp.rfc3339, past),
        ttl: entry.cache.ttl,
        version: version(entry.version),
    };
    // Nothing of it can't be written as JSON, and writing to memory can't fail.
    let _ = serde_json::to_writer(line, &members);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantics::cache_status::{CacheStatus, Outcome};

    fn entry(cache: &CacheStatus) -> Entry<'_> {
        Entry {
            at: SystemTime::UNIX_EPOCH + Duration::from_millis(1_800_000_000_123),
            took: Duration::from_millis(12),
            client: "192.0.2.1".parse().expect("an address"),
            method: "GET",
            target: b"/a\"b\n",
            version: Version::HTTP_11,
            host: Some(b"a.example"),
            referer: None,
            agent: Some(b"curl\x1b[31m"),
            status: 200,
            bytes: 5,
            broken: false,
            cache,
        }
    }

    fn line(write: fn(&mut Vec<u8>, &mut Stamp, &Entry<'_>), entry: &Entry<'_>) -> String {
        let mut line = Vec::new();
        write(&mut line, &mut Stamp::default(), entry);
        String::from_utf8(line).expect("text")
    }

    #[test]
    fn a_combined_line_can_not_be_split_by_what_a_client_sends() {
        let mut status = CacheStatus::new(Outcome::Hit);
        status.detail = Some(Reason::SetCookie);
        assert_eq!(
            line(combined, &entry(&status)),
            "192.0.2.1 - - [15/Jan/2027:08:00:00 +0000] \"GET /a\\\"b\\x0a HTTP/1.1\" 200 5 \
             \"-\" \"curl\\x1b[31m\" hit 0.012 set-cookie"
        );
        let odd = Entry {
            agent: Some("\u{e4}\u{85}".as_bytes()),
            referer: Some(b"\xff"),
            ..entry(&status)
        };
        let odd = line(combined, &odd);
        assert!(odd.contains(" \"\u{fffd}\" \"\u{e4}\\x85\" hit"), "{odd}");
    }

    #[test]
    fn a_json_line_is_json() {
        let status = CacheStatus::new(Outcome::Hit);
        let line: serde_json::Value =
            serde_json::from_str(&line(json, &entry(&status))).expect("one JSON object");
        assert_eq!(line["time"], "2027-01-15T08:00:00.123Z");
        assert_eq!(line["target"], "/a\"b\n");
        assert_eq!(line["cache"], "hit");
        assert_eq!(line["seconds"], 0.012);
        assert_eq!(line["agent"], "curl\u{1b}[31m");
        assert_eq!(line["referer"], serde_json::Value::Null);
    }

    #[test]
    fn numbers_and_addresses_are_written_as_they_are_elsewhere() {
        let written = |put: &dyn Fn(&mut Vec<u8>)| {
            let mut line = Vec::new();
            put(&mut line);
            String::from_utf8(line).expect("text")
        };
        for number in [0, 1, 9, 10, 99, 100, 999, 1000, 12_345_678, u64::MAX] {
            assert_eq!(written(&|line| put_number(line, number, 1)), number.to_string());
            assert_eq!(written(&|line| put_number(line, number, 3)), format!("{number:03}"));
        }
        for address in ["0.0.0.0", "192.0.2.10", "255.255.255.255", "::", "2001:db8::1"] {
            let parsed = address.parse().expect("an address");
            assert_eq!(written(&|line| put_address(line, parsed)), address);
        }
    }

    #[test]
    fn the_second_is_written_anew_when_it_is_over() {
        let (mut stamp, epoch) = (Stamp::default(), SystemTime::UNIX_EPOCH);
        for (millis, common, past) in [
            (0, "01/Jan/1970:00:00:00 +0000", 0),
            (999, "01/Jan/1970:00:00:00 +0000", 999),
            (1000, "01/Jan/1970:00:00:01 +0000", 0),
            (999, "01/Jan/1970:00:00:00 +0000", 999),
        ] {
            let (stamp, rest) = stamp.at(epoch + Duration::from_millis(millis));
            assert_eq!((stamp.common.as_str(), rest.subsec_millis()), (common, past));
        }
        assert_eq!(rfc3339(epoch + Duration::from_millis(7)), "1970-01-01T00:00:00.007Z");
    }
}
