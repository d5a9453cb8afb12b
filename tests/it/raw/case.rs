//! One request, and what has to come of it.

use crate::harness::{Connection, House, Origin, Seen, reply};
use larder::config::{Settings, Target};
use std::fmt::Write as _;
use std::io::Write as _;

/// Bytes that are sent, and what has to come of them.
pub struct Case {
    pub sent: Vec<u8>,
    /// The statuses that the client gets, in order.
    gets: Vec<u16>,
    /// The connection is closed behind the last of them.
    closes: bool,
    /// What the application sees, as [`shown`].
    sees: Vec<String>,
    /// It may see the beginning of a request, and no end.
    breaks: bool,
}

/// Refused, the connection closed, and the application hears nothing of it.
pub fn refused(status: u16, sent: impl AsRef<[u8]>) -> Case {
    let (sent, gets) = (sent.as_ref().to_vec(), vec![status]);
    Case { sent, gets, closes: true, sees: Vec::new(), breaks: false }
}

/// Answered with 200; the application sees one request, and the next one on the
/// connection is answered too.
pub fn taken(sent: impl AsRef<[u8]>, sees: &str) -> Case {
    answered(&[200], sent, &[sees])
}

/// Answered in turn.
pub fn answered(gets: &[u16], sent: impl AsRef<[u8]>, sees: &[&str]) -> Case {
    let sees = sees.iter().map(|text| text.to_string()).collect();
    Case { sent: sent.as_ref().to_vec(), gets: gets.to_vec(), closes: false, sees, breaks: false }
}

impl Case {
    /// And the connection is closed.
    pub fn and_closed(self) -> Case {
        Case { closes: true, ..self }
    }

    /// And the application may see a beginning of it that has no end.
    pub fn broken_off(self) -> Case {
        Case { breaks: true, ..self }
    }
}

/// A request of the application as one line: method, target, the fields that
/// larder doesn't write itself, body. `...` behind a body that broke off.
fn shown(seen: &Seen) -> String {
    let mut text = format!("{} {}", seen.method, seen.target);
    let own = |name: &str, value: &str| match name {
        "host" | "x-forwarded-host" => value == "site.test",
        "x-forwarded-for" => value == "127.0.0.1",
        "x-forwarded-proto" => value == "http",
        "via" => value == "1.1 larder",
        "x-request-id" => value.len() == 32,
        _ => false,
    };
    for (name, value) in seen.fields.iter().filter(|(name, value)| !own(name, value)) {
        let _ = write!(text, " | {name}: {value}");
    }
    let once = ["host", "x-forwarded-host", "x-forwarded-for", "x-forwarded-proto", "via"];
    for name in once.into_iter().chain(["x-request-id"]) {
        assert_eq!(seen.fields.iter().filter(|(n, _)| n == name).count(), 1, "{name}: {seen:?}");
    }
    if !seen.body.is_empty() {
        let _ = write!(text, " | {}", String::from_utf8_lossy(&seen.body));
    }
    if !seen.trailers.is_empty() {
        let _ = write!(text, " | trailers: {:?}", seen.trailers);
    }
    text + if seen.complete { "" } else { "..." }
}

/// A beginning without an end, of an upload or of one that came before.
fn is_cut(seen: &Seen) -> bool {
    seen.target == "/up" && !seen.complete
}

const NEXT: &[u8] = b"GET /next HTTP/1.1\r\nHost: site.test\r\n\r\n";

/// Sends each on a connection of its own, with another request right behind it.
pub fn check(cases: Vec<Case>) {
    check_with(cases, |_| {});
}

/// The same to a larder with other settings.
pub fn check_with(cases: Vec<Case>, set: impl FnOnce(&mut Settings)) {
    let origin = Origin::scripted(|seen, stream| {
        let cacheable = ["Cache-Control: max-age=60"];
        let fields = if seen.target.starts_with("/cached") { &cacheable[..] } else { &[] };
        let body = if seen.method == "HEAD" { "" } else { "page" };
        stream.write_all(reply(200, fields, body).as_bytes()).is_ok()
    });
    let (host, port) = (origin.address.ip().to_string(), origin.address.port());
    let mut settings = Settings::new(Target::Tcp { host, port });
    (settings.cache.jitter, settings.cache.early_refresh) = (0, 0);
    set(&mut settings);
    let house = House::with(settings);
    let mut other = Connection::open(house.proxy());
    let mut wrong = String::new();
    for (number, case) in cases.iter().enumerate() {
        let before = origin.count();
        let got = statuses(&house, case);
        let clean = format!("/clean/{number}");
        other.ask(&clean, "");
        let answer = other.answer("GET").map(|answer| (answer.status, answer.text()));
        let saw = origin.seen();
        let saw = saw[before..].iter().filter(|seen| !(case.breaks && is_cut(seen)));
        let saw: Vec<String> = saw.map(shown).collect();
        let mut expected = case.gets.clone();
        let mut sees = case.sees.clone();
        if !case.closes {
            expected.push(200);
            sees.push("GET /next".to_string());
        }
        sees.push(format!("GET {clean}"));
        let fine = got == expected && saw == sees && answer == Some((200, "page".to_string()));
        if !fine {
            let sent = String::from_utf8_lossy(&case.sent[..case.sent.len().min(300)]).into_owned();
            let _ = writeln!(
                wrong,
                "{sent:?}\n  expected {expected:?} {sees:?}\n  but got  {got:?} {saw:?}, others {answer:?}"
            );
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// The statuses of all answers until the connection is closed; where it is to
/// stay open, until one more than there are requests.
fn statuses(house: &House, case: &Case) -> Vec<u16> {
    let mut client = Connection::open(house.proxy());
    // Who is refused early may find the connection closed while still sending.
    let _ = client.stream().write_all(&[&case.sent, NEXT].concat());
    let most = case.gets.len() + 1;
    let mut got = Vec::new();
    let head = case.sent.starts_with(b"HEAD ");
    while let Some(answer) = client.answer(if head && got.is_empty() { "HEAD" } else { "GET" }) {
        got.push(answer.status);
        if answer.status >= 400 {
            let text = answer.text();
            let told = text.starts_with(&answer.status.to_string()) || (head && text.is_empty());
            assert!(told && answer.cache_status().starts_with("larder"), "{text:?} {answer:?}");
        }
        if !case.closes && got.len() == most {
            break;
        }
    }
    got
}
