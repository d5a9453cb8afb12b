//! Requests that are right, though nobody writes them so; and what the origin is to
//! read of each.

use super::bodies::{Sending, body};
use super::words::{
    COOKIES, HOSTS, METHODS, NAMES, NOT_HANDED_ON, ODD_METHODS, ODD_SEGMENTS, QUERIES, SEGMENTS,
    SINGLE, VALUES,
};
use crate::fuzz::reference::{Fields, Message};
use crate::simulation::random::Random;

/// A request as a client sends it.
pub struct Sent {
    pub bytes: Vec<u8>,
    /// What the origin is to read: without the fields that frame the body.
    pub meant: Message,
    /// It is for a WebSocket.
    pub upgrade: bool,
    /// There is a body, if an empty one.
    pub has_body: bool,
}

/// The most that a field line may have, with all that is around the value.
const FIELD: u64 = 8190;
/// What larder lets fields be in all, less what is always there.
const HEAD: usize = 30_000;
/// Not more lines than there may be, with what is added at the end.
const LINES: usize = 70;

/// One of them; its number is in its target.
pub fn sent(random: &mut Random, number: u64, last: bool) -> Sent {
    let mut draft = Draft::default();
    let methods = if random.percent(10) { ODD_METHODS } else { METHODS };
    let method = random.pick(methods);
    let old = last && random.percent(15);
    let upgrade = method == "GET" && !last && random.percent(8);
    let host = random.pick(HOSTS).to_ascii_lowercase();
    let target = target(random, method, number);
    for _ in 0..lines(random) {
        draft.any(random);
    }
    draft.options(random, upgrade, last && !old);
    if old {
        // It can be sent no trailers.
        draft.meant.retain(|(name, _)| name != "te" && name != "connection");
    }
    draft.cookies();
    let sending = if upgrade { Sending::None } else { body(random, method, old) };
    if let Some(line) = sending.line(random) {
        draft.insert(random, line);
    }
    if matches!(sending, Sending::Chunked { .. }) && random.percent(20) {
        // Those of a request are dropped, whatever they are called.
        draft.insert(random, b"Trailer: X-Trailer, Content-Length, Host".to_vec());
    }
    if !old && sending.is_some() && random.percent(20) {
        draft.insert(random, b"Expect: 100-continue".to_vec());
    }
    // Who asks with an absolute target means the host in it.
    let absolute = random.percent(10) && target != "*";
    // The scheme's own port goes.
    let plain = host.strip_suffix(":80").unwrap_or(&host);
    let shown = if absolute { "other.test" } else { plain };
    let line = format!("Host: {}", cased(random, &host));
    draft.insert(random, line.into_bytes());
    let version = if old { "1.0" } else { "1.1" };
    for (name, value) in [
        ("host", shown),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-host", shown),
        ("x-forwarded-proto", "http"),
        ("via", &format!("{version} larder")),
    ] {
        draft.meant.push((name.into(), value.into()));
    }
    let is_chunked = matches!(sending, Sending::Chunked { .. });
    if matches!(method, "GET" | "HEAD") && !is_chunked && sending.content().is_empty() {
        describe_nothing(&mut draft.meant);
    }
    let written = if absolute { format!("http://{shown}{target}") } else { target.clone() };
    let mut bytes = format!("{method} {written} HTTP/{version}\r\n").into_bytes();
    for line in draft.lines {
        bytes.extend([&line, &b"\r\n"[..]].concat());
    }
    bytes.extend(b"\r\n");
    bytes.extend(sending.bytes());
    let meant = Message {
        method: method.into(),
        target,
        minor: 1,
        fields: draft.meant,
        body: sending.content().to_vec(),
        complete: true,
    };
    Sent { bytes, meant, upgrade, has_body: sending.is_some() }
}

/// Where there is no content, what describes one goes, but for the media type alone.
fn describe_nothing(fields: &mut Fields) {
    fields.retain(|(name, _)| !name.starts_with("content-") || name == "content-type");
    for (_, value) in fields.iter_mut().filter(|(name, _)| name == "content-type") {
        let media_type = value.split(|byte| *byte == b';').next().unwrap_or_default();
        *value = media_type.trim_ascii().to_vec();
    }
}

fn lines(random: &mut Random) -> u64 {
    if random.percent(5) { LINES as u64 } else { random.below(12) }
}

fn target(random: &mut Random, method: &str, number: u64) -> String {
    if method == "OPTIONS" && random.percent(30) {
        return "*".into();
    }
    let count = 1 + random.below(4);
    let mut target = String::new();
    for _ in 0..count {
        let segments = if random.percent(5) { ODD_SEGMENTS } else { SEGMENTS };
        target = format!("{target}/{}", random.pick(segments));
    }
    if random.percent(4) {
        target.push_str(&"long/".repeat(1 + random.below(1500) as usize));
    }
    match random.percent(50) {
        true => format!("{target}/{number}{}", random.pick(QUERIES)),
        false => format!("{target}?{number}{}", random.pick(QUERIES)),
    }
}

fn cased(random: &mut Random, text: &str) -> String {
    match random.below(3) {
        0 => text.to_ascii_uppercase(),
        1 => text.to_ascii_lowercase(),
        _ => text.into(),
    }
}

#[derive(Default)]
struct Draft {
    lines: Vec<Vec<u8>>,
    bytes: usize,
    meant: Fields,
    cookies: Vec<&'static str>,
    /// Names for `Connection`.
    named: Vec<String>,
    single: Vec<&'static str>,
}

impl Draft {
    fn line(&mut self, random: &mut Random, name: &str, value: &[u8]) {
        let space: [&[u8]; 4] = [b"", b" ", b"\t", b" \t "];
        let (before, after) = (random.pick(&space), random.pick(&space));
        let name = cased(random, name);
        let line = [name.as_bytes(), b":", before, value, after].concat();
        self.bytes += line.len() + 2;
        self.lines.push(line);
    }

    /// One that the origin is to read as well.
    fn handed_on(&mut self, random: &mut Random, name: &str, value: &[u8]) {
        self.line(random, name, value);
        self.meant.push((name.to_ascii_lowercase(), value.to_vec()));
    }

    /// Anywhere between the others. The order of those with one name counts, and these
    /// are alone.
    fn insert(&mut self, random: &mut Random, line: Vec<u8>) {
        let at = random.below(self.lines.len() as u64 + 1) as usize;
        self.lines.insert(at, line);
    }

    /// A field, or several lines of it.
    fn any(&mut self, random: &mut Random) {
        if self.bytes > HEAD - 2 * FIELD as usize || self.lines.len() > LINES {
            return;
        }
        let name = random.pick(NAMES);
        let value = random.pick(VALUES);
        match random.below(12) {
            0..5 => self.handed_on(random, name, value),
            5 => {
                for _ in 0..1 + random.below(4) {
                    let value = random.pick(VALUES);
                    self.handed_on(random, name, value);
                }
            }
            6 | 7 => {
                let name = random.pick(NOT_HANDED_ON);
                self.line(random, name, value);
            }
            8 => {
                let name = random.pick(SINGLE);
                if !self.single.contains(&name) {
                    self.single.push(name);
                    self.handed_on(random, name, value);
                }
            }
            9 => {
                let cookie = random.pick(COOKIES);
                self.line(random, "Cookie", cookie.as_bytes());
                self.cookies.push(cookie);
            }
            10 => {
                let name = format!("X-Hop-{}", self.named.len());
                self.line(random, &name, value);
                self.named.push(name);
            }
            _ if random.percent(20) => {
                // Up to the last byte that there may be.
                let room = FIELD - "X-Long: \r\n".len() as u64;
                let length = if random.percent(50) { room } else { random.below(room) };
                self.handed_on(random, "X-Long", &b"l".repeat(length as usize));
            }
            _ => self.handed_on(random, "Via", b"1.0 fred, 1.1 p.example.net"),
        }
    }

    /// What there is of `Connection`, `TE` and `Upgrade`.
    fn options(&mut self, random: &mut Random, upgrade: bool, closes: bool) {
        let mut options = std::mem::take(&mut self.named);
        if upgrade {
            options.push(cased(random, "Upgrade"));
            self.line(random, "Upgrade", b"WebSocket");
            self.handed_on(random, "Sec-WebSocket-Key", b"dGhlIHNhbXBsZSBub25jZQ==");
            self.handed_on(random, "Sec-WebSocket-Version", b"13");
            self.meant.push(("upgrade".into(), b"websocket".to_vec()));
            self.meant.push(("connection".into(), b"upgrade".to_vec()));
        } else if random.percent(15) {
            let value = random.pick(&["trailers", "Trailers", "deflate;q=0.5, trailers"]);
            self.line(random, "TE", value.as_bytes());
            options.push("TE".into());
            self.meant.push(("te".into(), b"trailers".to_vec()));
            self.meant.push(("connection".into(), b"te".to_vec()));
        } else if random.percent(10) {
            self.line(random, "Upgrade", b"h2c");
            options.push("upgrade".into());
        }
        if closes {
            options.push(cased(random, "close"));
        }
        if options.len() < 5 && random.percent(30) {
            // They count over several lines.
            for option in options {
                self.line(random, "Connection", option.as_bytes());
            }
        } else if !options.is_empty() {
            let options = options.join(random.pick(&[",", ", ", " ,	"]));
            self.line(random, "Connection", options.as_bytes());
        }
    }

    /// Several lines of cookies become one.
    fn cookies(&mut self) {
        match self.cookies.as_slice() {
            [] => {}
            [only] => self.meant.push(("cookie".into(), only.as_bytes().to_vec())),
            several => {
                let several: Vec<_> = several.iter().copied().filter(|c| !c.is_empty()).collect();
                self.meant.push(("cookie".into(), several.join("; ").into_bytes()));
            }
        }
    }
}
