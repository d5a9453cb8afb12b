//! How a line is written, into memory that is there.

use super::Entry;
use http::Version;
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
    pub rfc3339: String,
}

impl Stamp {
    /// The same for this moment, which comes with what it is past its second.
    pub fn at(&mut self, at: SystemTime) -> (&Stamp, Duration) {
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

pub(super) fn version(version: Version) -> &'static str {
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

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::semantics::cache_status::{CacheStatus, Outcome};
    use crate::semantics::reason::Reason;

    pub fn entry(cache: &CacheStatus) -> Entry<'_> {
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
            age: None,
            origin: None,
            id: None,
            trace: None,
            purged: &[],
        }
    }

    fn line(entry: &Entry<'_>) -> String {
        let mut line = Vec::new();
        combined(&mut line, &mut Stamp::default(), entry);
        String::from_utf8(line).expect("text")
    }

    #[test]
    fn a_combined_line_can_not_be_split_by_what_a_client_sends() {
        let mut status = CacheStatus::new(Outcome::Hit);
        status.detail = Some(Reason::SetCookie);
        assert_eq!(
            line(&entry(&status)),
            "192.0.2.1 - - [15/Jan/2027:08:00:00 +0000] \"GET /a\\\"b\\x0a HTTP/1.1\" 200 5 \
             \"-\" \"curl\\x1b[31m\" hit 0.012 set-cookie"
        );
        let odd = Entry {
            agent: Some("\u{e4}\u{85}".as_bytes()),
            referer: Some(b"\xff"),
            ..entry(&status)
        };
        let odd = line(&odd);
        assert!(odd.contains(" \"\u{fffd}\" \"\u{e4}\\x85\" hit"), "{odd}");
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
