//! A line of an access log in the common or combined form, as nginx, Apache and
//! larder write it.

use super::{Record, time};
use std::borrow::Cow;

/// The outcomes that larder writes behind the combined form.
const OUTCOMES: [&str; 10] = [
    "hit",
    "bypass",
    "method",
    "uri-miss",
    "vary-miss",
    "miss",
    "request",
    "stale",
    "partial",
    "none",
];

/// `client - user [time] "request" status bytes "referer" "agent" ...`
pub(super) fn read(line: &str) -> Option<Record<'_>> {
    let (before, rest) = line.split_once(" [")?;
    let (date, rest) = rest.split_once("] ")?;
    let (request, rest) = quoted(rest)?;
    let mut words = rest.split_ascii_whitespace();
    let status = words.next()?.parse().ok().filter(|status| (100..=599).contains(status))?;
    let bytes = match words.next()? {
        "-" => 0,
        number => number.parse().ok()?,
    };
    let mut record = Record { status, bytes, time: time::common(date), ..asked(request)? };
    // Apache's vhost_combined has the host in front; a user's name may have spaces.
    let names: Vec<&str> = before.split(' ').collect();
    if let [host, _, "-", _] = names.as_slice()
        && names[1] != "-"
    {
        let bare = host.strip_suffix(":80").or(host.strip_suffix(":443")).unwrap_or(host);
        record.host = Some(Cow::Borrowed(bare));
    }
    let tail = after_agent(rest);
    let mut tail = tail.unwrap_or_default().split_ascii_whitespace();
    if let Some(outcome) = tail.next().filter(|word| OUTCOMES.contains(word))
        && tail.next().is_some_and(|word| word.parse::<f64>().is_ok())
    {
        record.cache = Some(Cow::Borrowed(outcome));
        record.detail = tail.next().map(Cow::Borrowed);
    }
    Some(record)
}

/// `GET /path HTTP/1.1`, with its escapes.
fn asked(request: &str) -> Option<Record<'_>> {
    let mut words = request.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    let is_method =
        !method.is_empty() && method.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-');
    if !is_method || target.is_empty() || !version.starts_with("HTTP/") || words.next().is_some() {
        return None;
    }
    let (method, target) = (Cow::Borrowed(method), unescaped(target));
    Some(Record { method, target, ..Record::default() })
}

/// What stands in quotes at the beginning, and the rest.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix('"')?;
    let mut escaped = false;
    let end = text.find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    })?;
    Some((&text[..end], &text[end + 1..]))
}

/// `\"`, `\\` and `\xNN`, as all three write them.
fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after) {
            (b'\\', [b'x', high, low, more @ ..]) if let Some(byte) = hex(*high, *low) => {
                bytes.push(byte);
                rest = more;
            }
            (b'\\', [escaped @ (b'"' | b'\\'), more @ ..]) => {
                bytes.push(*escaped);
                rest = more;
            }
            _ => bytes.push(*first),
        }
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

/// What follows the two quoted fields, if they are there.
fn after_agent(rest: &str) -> Option<&str> {
    let (_, rest) = quoted(&rest[rest.find('"')?..])?;
    let (_, rest) = quoted(rest.trim_start())?;
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_write_is_read() {
        for (line, target, host, bytes, cache) in [
            (
                "192.0.2.1 - - [15/Jan/2027:08:00:00 +0000] \"GET /a\\\"b\\x20 HTTP/1.1\" 200 5 \
                 \"-\" \"curl\\x1b[31m\" uri-miss 0.012 private",
                "/a\"b ",
                None,
                5,
                Some("uri-miss"),
            ),
            (
                "::1 - jo doe [15/Jan/2027:08:00:00 +0000] \"GET /?a=b HTTP/2.0\" 200 - \"-\" \"x\"",
                "/?a=b",
                None,
                0,
                None,
            ),
            ("h - - [t] \"GET / HTTP/1.0\" 304 0", "/", None, 0, None),
            (
                "a.test:443 192.0.2.1 - - [t] \"GET / HTTP/1.1\" 200 7 \"-\" \"hit 0.1\" 0.002",
                "/",
                Some("a.test"),
                7,
                None,
            ),
        ] {
            let record = read(line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!((&*record.target, record.host.as_deref()), (target, host), "{line}");
            assert_eq!((record.bytes, record.cache.as_deref()), (bytes, cache), "{line}");
        }
    }

    #[test]
    fn what_is_no_request_is_none() {
        for line in [
            "",
            "nonsense",
            "h - - [t] \"-\" 400 0 \"-\" \"-\"",
            "h - - [t] \"\\x16\\x03\\x01\" 400 0",
            "h - - [t] \"GET / HTTP/1.1\" 99 0",
            "h - - [t] \"GET / HTTP/1.1\" 200 x",
            "h - - [t] \"GET / HTTP/1.1",
            "h - - [t] \"GET / HTTP/1.1\"",
            "2026-01-01 INFO listening [::]:80] \"x\"",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_line_breaks_it(line in "[a -]{0,4} \\[[a]?\\] \"[A-Z /\\\\x\"0-9\u{e4}]{0,20}\"? 200 [0-9]\"?[\" a]{0,9}") {
            let _ = read(&line);
        }
    }
}
