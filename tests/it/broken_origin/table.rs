//! What an origin can do wrong, and what comes of it.

use super::framing;
use crate::harness::{Gate, reply};
use socket2::SockRef;
use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

/// One way in which an origin goes wrong.
pub struct Fault {
    /// The path under which it does.
    pub id: &'static str,
    /// What the origin does.
    pub what: &'static str,
    /// How.
    pub does: Does,
    /// What comes of it.
    pub then: Then,
}

/// How an origin goes wrong.
pub enum Does {
    /// It sends this, and closes.
    Ends(String),
    /// It sends this, and neither more nor the end.
    Hangs(String),
    /// It sends this, and keeps the connection for more requests.
    Keeps(String),
    /// It sends this, and breaks the connection by a reset.
    Resets(String),
    /// It sends the first, and the second again and again.
    Repeats(&'static str, String),
}

/// What comes of it.
#[derive(Clone, Copy)]
pub enum Then {
    /// larder's own page with this status, and this `detail`.
    Fails(u16, &'static str),
    /// The answer begins, and ends early.
    BreaksOff,
    /// A whole answer, "page", which is stored.
    Stored,
    /// The head, which is whole by itself, and is not stored.
    HeadAlone,
}

use Does::{Ends, Hangs, Keeps, Repeats, Resets};
use Then::{BreaksOff, Fails, HeadAlone, Stored};

pub(super) const BROKEN: Then = Fails(502, "broken-response");
pub(super) const CODED: Then = Fails(502, "unasked-coding");
const LATE: Then = Fails(504, "first-byte-timeout");
const OK: &str = "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n";
pub(super) const CHUNKED: &str = "Transfer-Encoding: chunked\r\n";

impl Does {
    /// Does it; tells whether the connection is kept.
    pub fn act(&self, stream: &mut TcpStream, end: &Gate) -> bool {
        match self {
            Ends(text) => {
                let _ = stream.write_all(text.as_bytes());
                false
            }
            Hangs(text) => {
                let _ = stream.write_all(text.as_bytes());
                end.pass();
                false
            }
            Keeps(text) => stream.write_all(text.as_bytes()).is_ok(),
            Resets(text) => {
                let _ = stream.write_all(text.as_bytes());
                SockRef::from(&*stream).set_linger(Some(Duration::ZERO)).expect("a linger");
                false
            }
            Repeats(first, more) => {
                let mut sent = stream.write_all(first.as_bytes()).is_ok();
                while sent {
                    sent = stream.write_all(more.as_bytes()).is_ok();
                }
                false
            }
        }
    }
}

pub(super) fn fault(id: &'static str, what: &'static str, does: Does, then: Then) -> Fault {
    Fault { id, what, does, then }
}

pub(super) fn ok(rest: &str) -> String {
    format!("{OK}{rest}")
}

fn chunks(rest: &str) -> String {
    format!("{OK}{CHUNKED}\r\n{rest}")
}

/// Everything that is tried.
pub fn faults() -> Vec<Fault> {
    let groups = [
        connections(),
        heads(),
        interims(),
        framing::lengths(),
        framing::lengths_alike(),
        framing::shorter_and_longer(),
        framing::lengths_beside(),
        framing::codings(),
        chunked(),
        ends(),
        strangers(),
    ];
    groups.into_iter().flatten().collect()
}

fn connections() -> Vec<Fault> {
    vec![
        fault("closes", "It closes without a word.", Ends(String::new()), BROKEN),
        fault("resets", "It resets the connection without a word.", Resets(String::new()), BROKEN),
        fault("silent", "It says nothing.", Hangs(String::new()), LATE),
        fault("half-head-close", "It closes within the head.", Ends(ok("X: y")), BROKEN),
        fault(
            "half-head-reset",
            "It resets the connection within the head.",
            Resets(ok("X: y")),
            BROKEN,
        ),
        fault("half-head-silent", "It begins a head, and says no more.", Hangs(ok("X: y")), LATE),
    ]
}

fn heads() -> Vec<Fault> {
    let head = |lines: &str| Keeps(ok(&format!("{lines}Content-Length: 4\r\n\r\npage")));
    let many: String = (0..300).map(|number| format!("X-{number}: y\r\n")).collect();
    let huge = format!("X: {}\r\n", "y".repeat(70_000));
    let line = |line: &str| Keeps(format!("{line}\r\nContent-Length: 4\r\n\r\npage"));
    vec![
        fault("garbage", "It sends no HTTP.", Keeps("\0\x01 hello\r\n\r\n".into()), BROKEN),
        fault("ftp", "It speaks another protocol.", Keeps("220 ready\r\n\r\n".into()), BROKEN),
        fault("version-2", "It states HTTP/2.0.", line("HTTP/2.0 200 OK"), BROKEN),
        fault("version-3", "It states HTTP/1.2.", line("HTTP/1.2 200 OK"), BROKEN),
        fault("status-text", "The status is no number.", line("HTTP/1.1 abc OK"), BROKEN),
        fault("status-short", "The status has two digits.", line("HTTP/1.1 20 OK"), BROKEN),
        fault("status-long", "The status has four digits.", line("HTTP/1.1 2000 OK"), BROKEN),
        fault("reason-cr", "A bare CR in the reason.", line("HTTP/1.1 200 O\rK"), BROKEN),
        fault("status-0", "The status is 099.", line("HTTP/1.1 099 OK"), BROKEN),
        fault(
            "fields-endless",
            "A head that never ends, of more and more fields.",
            Repeats(OK, "X: y\r\n".repeat(50)),
            BROKEN,
        ),
        fault(
            "field-endless",
            "A head that never ends, of one field.",
            Repeats(OK, "X: y".repeat(100)),
            BROKEN,
        ),
        fault("fields-many", "More fields than `limits.response_fields`.", head(&many), BROKEN),
        fault("fields-huge", "A head larger than `limits.response_head`.", head(&huge), BROKEN),
        fault("field-space", "A space in a field's name.", head("X Y: z\r\n"), BROKEN),
        fault("field-space-colon", "A space before the colon.", head("X : z\r\n"), BROKEN),
        fault("field-no-colon", "A line without a colon.", head("Xyz\r\n"), BROKEN),
        fault("field-no-name", "A field without a name.", head(": z\r\n"), BROKEN),
        fault("field-nul", "A NUL in a field's value.", head("X: a\0b\r\n"), BROKEN),
        fault("field-cr", "A bare CR in a field's value.", head("X: a\rb\r\n"), BROKEN),
        fault(
            "field-folded",
            "A field that goes on in the next line.",
            head("X: a\r\n b\r\n"),
            BROKEN,
        ),
        fault("field-tabbed", "The same with a tab.", head("X: a\r\n\tb\r\n"), BROKEN),
        fault("fields-folded", "The first field goes on the status.", head(" X: a\r\n"), BROKEN),
        fault("field-crs", "Two CR at the end of a line.", head("X: a\r\r\n"), BROKEN),
    ]
}

fn interims() -> Vec<Fault> {
    let page = reply(200, &["Cache-Control: max-age=60"], "page");
    let hint = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n";
    vec![
        fault("interim-close", "Early hints, and then the end.", Ends(hint.into()), BROKEN),
        fault(
            "interim-storm",
            "Interim responses without end.",
            Repeats("", hint.repeat(20)),
            BROKEN,
        ),
        fault(
            "interim-body",
            "Early hints with a length, and so many bytes.",
            Keeps(hint.replace("\r\n\r\n", "\r\nContent-Length: 4\r\n\r\npage") + &page),
            BROKEN,
        ),
        fault("interim-silent", "Early hints, and then nothing.", Hangs(hint.into()), LATE),
    ]
}

fn chunked() -> Vec<Fault> {
    vec![
        fault(
            "chunk-size",
            "A chunk's size is no number.",
            Keeps(chunks("4\r\npage\r\nxyz\r\n")),
            BreaksOff,
        ),
        fault(
            "chunk-minus",
            "A chunk's size is negative.",
            Keeps(chunks("4\r\npage\r\n-1\r\n")),
            BreaksOff,
        ),
        fault(
            "chunk-prefix",
            "A chunk's size is `0x4`.",
            Keeps(chunks("4\r\npage\r\n0x4\r\npage\r\n0\r\n\r\n")),
            BreaksOff,
        ),
        fault(
            "chunk-beyond",
            "A chunk's size is 2^64.",
            Keeps(chunks("4\r\npage\r\n10000000000000000\r\n")),
            BreaksOff,
        ),
        fault(
            "chunk-end",
            "A chunk is longer than its size.",
            Keeps(chunks("4\r\npagepoison\r\n0\r\n\r\n")),
            BreaksOff,
        ),
        fault(
            "chunk-line",
            "A chunk's size ends with LF alone.",
            Keeps(chunks("4\r\npage\r\n4\npage\r\n0\r\n\r\n")),
            BreaksOff,
        ),
        fault(
            "chunk-extension",
            "A chunk's extension never ends.",
            Repeats(CHUNK_EXTENSION, "y".repeat(1000)),
            BreaksOff,
        ),
    ]
}

fn ends() -> Vec<Fault> {
    vec![
        fault(
            "chunk-close",
            "It closes within a chunk.",
            Ends(chunks("4\r\npage\r\n9\r\n")),
            BreaksOff,
        ),
        fault(
            "chunk-between",
            "It closes between chunks.",
            Ends(chunks("4\r\npage\r\n")),
            BreaksOff,
        ),
        fault(
            "chunk-last",
            "It closes within the last chunk.",
            Ends(chunks("4\r\npage\r\n0\r\n")),
            BreaksOff,
        ),
        fault(
            "chunk-reset",
            "A reset within a chunk.",
            Resets(chunks("4\r\npage\r\n9\r\n")),
            BreaksOff,
        ),
        fault(
            "chunk-silent",
            "Silence within a chunk.",
            Hangs(chunks("4\r\npage\r\n9\r\n")),
            BreaksOff,
        ),
        fault(
            "trailers-endless",
            "Trailers without end.",
            Repeats(TRAILERS, "X: y\r\n".repeat(50)),
            BreaksOff,
        ),
        fault(
            "trailers-broken",
            "A trailer that is no field.",
            Keeps(chunks("4\r\npage\r\n0\r\nX Y\r\n\r\n")),
            BreaksOff,
        ),
        fault(
            "to-the-end-reset",
            "A reset where the end of the connection is the body's.",
            Resets(ok("\r\npage")),
            BreaksOff,
        ),
    ]
}

const CHUNK_EXTENSION: &str = "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npage\r\n4;";
const TRAILERS: &str = "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npage\r\n0\r\n";

fn strangers() -> Vec<Fault> {
    let page = reply(200, &["Cache-Control: max-age=60"], "page");
    let poison = reply(200, &["Cache-Control: max-age=60"], "poison");
    let part = |place: &str| Keeps(reply(206, &["Cache-Control: max-age=60", place], "page"));
    vec![
        fault("unasked-304", "A 304 that nobody asked for.", Keeps("HTTP/1.1 304 Not Modified\r\nETag: \"b\"\r\nCache-Control: max-age=60\r\n\r\n".into()), Fails(502, "unasked-304")),
        fault("unasked-101", "A 101 that nobody asked for.", Keeps("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n".into()), Fails(502, "unasked-upgrade")),
        fault("unasked-206", "A 206 that nobody asked for.", part("Content-Range: bytes 0-3/9"), Fails(502, "unasked-206")),
        fault("unplaced-206", "A 206 that says not of what.", part("X: y"), Fails(502, "unasked-206")),
        fault("two-answers", "Two answers to one request.", Keeps(format!("{page}{poison}")), Stored),
        fault("answer-and-more", "Bytes after the answer.", Keeps(format!("{page}\r\n\r\nmore")), Stored),
        fault("length-of-204", "A 204 with a length that is none.", Keeps("HTTP/1.1 204 No Content\r\nContent-Length: 4x\r\n\r\n".into()), HeadAlone),
        fault("chunks-of-204", "A 204 with chunks.", Keeps("HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".into()), HeadAlone),
        fault("body-of-204", "A 204 with a body.", Keeps("HTTP/1.1 204 No Content\r\nContent-Length: 6\r\n\r\npoison".into()), HeadAlone),
    ]
}
