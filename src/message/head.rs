//! The strict reading of a request's head, byte for byte (RFC 9112 sections 2 to
//! 5), before anybody kinder sees it. What is in it is for
//! [`Presented`](super::Presented) to judge; here only its form counts.

use super::Framing;
use crate::error::Refusal;
use http::{StatusCode, Uri, Version};

/// How much a head may be.
#[derive(Clone, Copy, Debug)]
pub struct HeadLimits {
    /// Bytes of the whole.
    pub bytes: usize,
    /// Field lines.
    pub fields: usize,
}

/// Reads one head, line by line as they come.
#[derive(Clone, Debug, Default)]
pub struct HeadReader {
    /// Where the line begins that isn't whole yet.
    line: usize,
    /// How far no end of it has been found.
    searched: usize,
    /// Where the first field begins, and the version, once there is a request line.
    begun: Option<(usize, Version)>,
    fields: usize,
    /// A field speaks of the body's length.
    framed: bool,
    upgrade: bool,
}

/// A whole head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its length in bytes, the empty line included.
    pub length: usize,
    /// How long the body behind it is.
    pub framing: Framing,
    /// It bears `Upgrade`: what follows may not be HTTP.
    pub upgrade: bool,
}

impl Head {
    /// Whether these bytes, which begin with it, are it and nothing else: no body, no
    /// other protocol, no next request.
    pub fn is_all_of(&self, bytes: &[u8]) -> bool {
        self.length == bytes.len() && self.framing == Framing::Length(0) && !self.upgrade
    }
}

impl HeadReader {
    /// Reads on. `bytes` begins with the head's first byte, each time, and may
    /// go on behind its last one. `None` if it isn't whole yet.
    ///
    /// # Errors
    /// A [`Refusal`] as soon as nothing that comes could make it right.
    pub fn read(&mut self, bytes: &[u8], limits: &HeadLimits) -> Result<Option<Head>, Refusal> {
        while let Some(at) = memchr::memchr(b'\n', &bytes[self.searched..]) {
            let end = self.searched + at;
            let line = &bytes[self.line..end];
            let line = line.strip_suffix(b"\r").ok_or(BARE_LINE_FEED)?;
            if end >= limits.bytes {
                return Err(TOO_LARGE);
            }
            let first = self.line;
            (self.line, self.searched) = (end + 1, end + 1);
            match self.begun {
                // Before the request line, empty lines are skipped (section 2.2).
                None if line.is_empty() => {}
                None => self.begun = Some((end + 1, request_line(line)?)),
                Some((fields, version)) if line.is_empty() => {
                    let framing = match self.framed {
                        true => framing(version, &bytes[fields..first])?,
                        false => Framing::Length(0),
                    };
                    let (length, upgrade) = (end + 1, self.upgrade);
                    return Ok(Some(Head { length, framing, upgrade }));
                }
                Some(_) => self.field(line, limits)?,
            }
        }
        if bytes.len() >= limits.bytes {
            return Err(TOO_LARGE);
        }
        // A return may still be followed by its line feed.
        let begun = &bytes[self.searched..];
        if has_control(begun.strip_suffix(b"\r").unwrap_or(begun)) {
            return Err(CONTROL);
        }
        self.searched = bytes.len() - usize::from(begun.ends_with(b"\r"));
        Ok(None)
    }

    fn field(&mut self, line: &[u8], limits: &HeadLimits) -> Result<(), Refusal> {
        self.fields += 1;
        if self.fields > limits.fields {
            let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
            return Err(Refusal::new(status, "there are too many header fields"));
        }
        match field_name(line)?.len() {
            7 => self.upgrade |= is_named(line, b"upgrade"),
            14 => self.framed |= is_named(line, b"content-length"),
            17 => self.framed |= is_named(line, b"transfer-encoding"),
            _ => {}
        }
        Ok(())
    }
}

const BARE_LINE_FEED: Refusal =
    Refusal { status: StatusCode::BAD_REQUEST, message: "a line ends without a carriage return" };
const CONTROL: Refusal = Refusal {
    status: StatusCode::BAD_REQUEST,
    message: "there is a control character in the head",
};
const TOO_LARGE: Refusal = Refusal {
    status: StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
    message: "the head of the request is too large",
};

/// `method SP request-target SP HTTP-version` (section 3); the version.
fn request_line(line: &[u8]) -> Result<Version, Refusal> {
    let malformed = || Refusal::bad_request("the request line is malformed");
    let method = memchr::memchr(b' ', line).ok_or_else(malformed)?;
    let (method, rest) = (&line[..method], &line[method + 1..]);
    let target = memchr::memchr(b' ', rest).ok_or_else(malformed)?;
    let (target, version) = (&rest[..target], &rest[target + 1..]);
    if !is_token(method) {
        return Err(malformed());
    }
    let version = match version {
        b"HTTP/1.1" => Version::HTTP_11,
        b"HTTP/1.0" => Version::HTTP_10,
        [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9'] => {
            let status = StatusCode::HTTP_VERSION_NOT_SUPPORTED;
            return Err(Refusal::new(status, "the versions here are HTTP/1.1 and HTTP/1.0"));
        }
        _ => return Err(malformed()),
    };
    if target.contains(&b'#') {
        return Err(Refusal::bad_request("a request target has no fragment"));
    }
    let plain = target.first() == Some(&b'/') && target.iter().all(|b| is_in_targets(*b));
    if !plain && (has_control(target) || Uri::try_from(target).is_err()) {
        return Err(Refusal::bad_request("the request target is malformed"));
    }
    Ok(version)
}

/// The name of a `field-name ":" OWS field-value OWS` (section 5).
fn field_name(line: &[u8]) -> Result<&[u8], Refusal> {
    if matches!(line.first(), Some(b' ' | b'\t')) {
        return Err(Refusal::bad_request("a header field goes on over a second line"));
    }
    let colon = line.iter().position(|b| !is_in_tokens(*b));
    let name = match colon.filter(|at| *at > 0 && line[*at] == b':') {
        Some(at) => &line[..at],
        None => return Err(Refusal::bad_request("the name of a header field is malformed")),
    };
    match has_control(&line[name.len()..]) {
        true => Err(CONTROL),
        false => Ok(name),
    }
}

fn is_named(line: &[u8], name: &[u8]) -> bool {
    line.len() > name.len()
        && line[name.len()] == b':'
        && line[..name.len()].eq_ignore_ascii_case(name)
}

/// What whole and well-formed field lines say of the body's length.
fn framing(version: Version, lines: &[u8]) -> Result<Framing, Refusal> {
    let values = |name: &'static [u8]| {
        let lines = lines.split(|b| *b == b'\n').filter(move |line| is_named(line, name));
        lines.map(move |line| trimmed(&line[name.len() + 1..]))
    };
    Framing::of(version, values(b"transfer-encoding"), values(b"content-length"))
}

/// Without the white space around a value, and the end of its line.
pub(super) fn trimmed(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t' | b'\r'] = value {
        value = rest;
    }
    value
}

/// A control character, but for tabs. Looks at all of it: a loop without a way
/// out is done many bytes at a time.
pub(super) fn has_control(bytes: &[u8]) -> bool {
    bytes.iter().fold(false, |found, b| found | ((*b < b' ') & (*b != b'\t')) | (*b == 0x7f))
}

fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|b| is_in_tokens(*b))
}

pub(super) fn is_in_tokens(byte: u8) -> bool {
    IN_TOKENS[byte as usize]
}

/// A byte of a path and a query, as they are usually written.
pub(super) fn is_in_targets(byte: u8) -> bool {
    IN_TARGETS[byte as usize]
}

const fn table(others: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut at = 0;
    while at < 256 {
        table[at] = (at as u8).is_ascii_alphanumeric();
        at += 1;
    }
    at = 0;
    while at < others.len() {
        table[others[at] as usize] = true;
        at += 1;
    }
    table
}

/// `tchar` (RFC 9110 section 5.6.2).
const IN_TOKENS: [bool; 256] = table(b"!#$%&'*+-.^_`|~");

/// `pchar`, `/` and `?` (RFC 3986 sections 3.3 and 3.4).
const IN_TARGETS: [bool; 256] = table(b"-._~%!$&'()*+,;=:@/?");

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMITS: HeadLimits = HeadLimits { bytes: 200, fields: 4 };

    fn read(bytes: &[u8]) -> Result<Option<Head>, u16> {
        HeadReader::default().read(bytes, &LIMITS).map_err(|refusal| refusal.status.as_u16())
    }

    #[test]
    fn a_head_is_whole_with_its_empty_line() {
        let text = b"\r\nPOST /a?b HTTP/1.1\r\nHost: x\r\ncontent-LENGTH: \t7 \r\n\r\nbody";
        let length = text.len() - 4;
        let framing = Framing::Length(7);
        let head = Head { length, framing, upgrade: false };
        assert_eq!(read(text), Ok(Some(head)));
        for end in 0..text.len() - 4 {
            assert_eq!(read(&text[..end]), Ok(None), "{end}");
        }
        let text = b"GET * HTTP/1.0\r\nUpgrade:x\r\n\r\n";
        let (length, framing) = (text.len(), Framing::Length(0));
        let head = Head { length, framing, upgrade: true };
        assert_eq!(read(text), Ok(Some(head)));
    }

    #[test]
    fn what_can_not_become_right_is_refused_before_it_is_whole() {
        for bytes in [
            &b"\x16\x03\x01"[..],
            b"GET /\x00",
            b"GET / HTTP/1.1\n",
            b"GET / HTTP/1.1\rX",
            b"GET / HTTP/1.1\r\nA: \x7f",
            b"GET / HTTP/1.1\r\nA : b\r\n",
        ] {
            assert_eq!(read(bytes), Err(400), "{:?}", String::from_utf8_lossy(bytes));
        }
        assert_eq!(read(&[b'a'; 199]), Ok(None));
        assert_eq!(read(&[b'a'; 200]), Err(431));
        assert_eq!(read(b"GET / HTTP/1.1\r\nA:\r\nB:\r\nC:\r\nD:\r\nE:\r\n"), Err(431));
    }

    /// hyper's own reading of a head.
    fn kinder(bytes: &[u8]) -> bool {
        let mut fields = [httparse::EMPTY_HEADER; 64];
        let mut request = httparse::Request::new(&mut fields);
        request.parse(bytes).is_ok_and(|status| status.is_complete())
            && request.path.is_some_and(|path| Uri::try_from(path).is_ok())
    }

    proptest! {
        #[test]
        fn it_does_not_matter_in_which_pieces_a_head_comes(
            bytes in prop::collection::vec(
                prop::sample::select(&b"GET / HTTP/1.1\r\n\r\nA: b\tHost\x00#"[..]), 0..120),
            cuts in prop::collection::vec(0usize..120, 0..6),
        ) {
            let whole = read(&bytes);
            let mut reader = HeadReader::default();
            let mut cuts: Vec<usize> = cuts.into_iter().filter(|at| *at < bytes.len()).collect();
            cuts.sort_unstable();
            cuts.push(bytes.len());
            let mut read = Ok(None);
            for end in cuts {
                read = reader.read(&bytes[..end], &LIMITS).map_err(|r| r.status.as_u16());
                if read != Ok(None) {
                    break;
                }
            }
            prop_assert_eq!(read, whole);
        }

        #[test]
        fn what_is_let_in_hyper_lets_in_too(
            method in "[!-~]{1,8}", target in "/[ -~]{0,9}|[!-~\u{7f}-\u{100}]{1,9}",
            version in "HTTP/1.[01]|HTTP/[0-9].[0-9]", name in "[!-~ ]{1,9}", value in "[ -~\t\u{7f}-\u{ff}]{0,9}",
        ) {
            let text = format!("{method} {target} {version}\r\n{name}:{value}\r\n\r\n");
            if matches!(read(text.as_bytes()), Ok(Some(_))) {
                prop_assert!(kinder(text.as_bytes()), "{text:?}");
            }
        }
    }
}
