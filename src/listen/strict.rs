//! Reads along before hyper, and lets through only what can be read in one way.
//!
//! hyper is kinder than a shared cache may be: it settles doubts instead of
//! refusing them, and what it refuses it answers without a word. So the bytes of
//! each message are judged here first. Of a head that is refused hyper sees
//! nothing: it is given a harmless one in its place, whose answer is the refusal.
//! What is let through stays as it is, but for chunked bodies.
//! `docs/adr/0026-read-before-hyper.md` says why, and what it costs.

use super::anew::{Anew, Given};
use crate::error::Refusal;
use crate::message::{Framing, Head, HeadLimits, HeadReader, Misplaced};
use std::io::{Error, ErrorKind, Result};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use tokio::io::ReadBuf;

/// What hyper reads in place of a head that is refused.
const STAND_IN: &[u8] = b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n";
const STAND_IN_FOR_HEAD: &[u8] = b"HEAD / HTTP/1.1\r\nConnection: close\r\n\r\n";

/// The most of a refused request's first line that is written down, in bytes.
const MOST_OF_A_LINE: usize = 1024;

/// What has come of reading a head: none yet, one, or a refusal.
type HeadRead = std::result::Result<Option<Head>, Refusal>;

/// A head that isn't let in.
#[derive(Clone, Debug)]
pub(super) struct Refused {
    /// Why.
    pub refusal: Refusal,
    /// Its first line, or the beginning of that.
    pub line: String,
}

/// What a connection's service has to know of what was read before hyper.
#[derive(Clone, Debug, Default)]
pub(super) struct Refusals(Arc<Heads>);

#[derive(Debug, Default)]
struct Heads {
    /// How many requests have reached the service.
    served: AtomicU64,
    /// The first that was refused, and how many came before it.
    refused: OnceLock<(u64, Refused)>,
}

impl Refusals {
    /// The next request has reached the service: is it the stand-in for a refused
    /// one? To be asked once for each.
    pub fn next(&self) -> Option<&Refused> {
        let number = self.0.served.fetch_add(1, Ordering::Relaxed);
        self.refused().filter(|(at, _)| *at == number).map(|(_, refused)| refused)
    }

    /// The first that was refused, and how many came before it.
    pub fn refused(&self) -> Option<&(u64, Refused)> {
        self.0.refused.get()
    }
}

/// The reader of one connection's bytes.
pub(super) struct Strict {
    limits: HeadLimits,
    at: At,
    /// The message under way asks for another protocol.
    upgrade: bool,
    /// Heads that were let through.
    heads: u64,
    refusals: Refusals,
    /// Judged, and not given on yet.
    ready: Vec<u8>,
    /// The beginning of a head, or what can't be judged yet.
    held: Vec<u8>,
}

/// What the next byte is a part of.
enum At {
    Head(HeadReader),
    /// So many bytes.
    Body(u64),
    Chunks(Anew),
    /// HTTP, or another protocol: the answer decides.
    Undecided,
    /// Another protocol.
    Tunnel,
    /// Nothing any more: a head was refused.
    Over,
    /// The same: a chunk was broken.
    Broken,
}

impl At {
    fn head() -> At {
        At::Head(HeadReader::default())
    }
}

impl Strict {
    pub fn new(limits: HeadLimits, refusals: Refusals) -> Strict {
        let (ready, held) = (Vec::new(), Vec::new());
        Strict { limits, at: At::head(), upgrade: false, heads: 0, refusals, ready, held }
    }

    /// A part of a head has come, and not all of it.
    pub fn is_in_head(&self) -> bool {
        matches!(self.at, At::Head(_)) && !self.held.is_empty()
    }

    /// A part of a body has come, and not all of it.
    pub fn is_in_body(&self) -> bool {
        matches!(self.at, At::Body(_) | At::Chunks(_))
    }

    /// Bytes of memory for what is not given on yet.
    pub fn held(&self) -> usize {
        self.held.capacity() + self.ready.capacity()
    }

    /// Gives on what there is before more is read; whether there was anything,
    /// the end too. `is_tunnel`: the last answer agreed to another protocol.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidData`] when a chunk was broken.
    pub fn give(&mut self, buf: &mut ReadBuf<'_>, is_tunnel: impl Fn() -> bool) -> Result<bool> {
        if self.ready.is_empty() && matches!(self.at, At::Undecided) {
            self.at = if is_tunnel() { At::Tunnel } else { At::head() };
            self.judge_held();
        }
        let count = self.ready.len().min(buf.remaining());
        if count > 0 {
            buf.put_slice(&self.ready[..count]);
            self.ready.drain(..count);
            if self.ready.is_empty() {
                // Most connections never need it again.
                self.ready = Vec::new();
            }
            return Ok(true);
        }
        match self.at {
            At::Broken => Err(Error::new(ErrorKind::InvalidData, "a chunk is broken")),
            At::Over => Ok(true),
            _ => Ok(false),
        }
    }

    /// Takes back what was let through, to be given on before anything else.
    pub fn put_back(&mut self, bytes: &[u8]) {
        self.ready.splice(0..0, bytes.iter().copied());
    }

    /// Judges what has just been read into the buffer, from `before` on, and
    /// takes out what may not be given on, not yet, or not as it stands. A whole head
    /// that is let in, and is all there is, may be answered here and now: then nothing
    /// of it is given on.
    pub fn judge(
        &mut self,
        buf: &mut ReadBuf<'_>,
        before: usize,
        answers: impl FnOnce(&[u8]) -> bool,
    ) {
        let bytes = &buf.filled()[before..];
        let mut kept = 0;
        if self.held.is_empty() {
            let first = match &mut self.at {
                At::Head(reader) => Some(reader.read(bytes, &self.limits)),
                _ => None,
            };
            if matches!(&first, Some(Ok(Some(head))) if head.is_all_of(bytes)) && answers(bytes) {
                self.at = At::head();
                buf.set_filled(before);
                return;
            }
            // Most messages come whole: what is good stays where it is.
            let given = self.judge_bytes(bytes, first);
            if self.goes_on() {
                self.held.extend_from_slice(&bytes[given.read..]);
            }
            (kept, self.ready) = (given.kept, given.written);
        } else {
            self.held.extend_from_slice(bytes);
            self.judge_held();
        }
        buf.set_filled(before + kept);
    }

    fn judge_held(&mut self) {
        let mut held = std::mem::take(&mut self.held);
        let mut given = self.judge_bytes(&held, None);
        self.ready.extend_from_slice(&held[..given.kept]);
        self.ready.append(&mut given.written);
        if self.goes_on() && given.read < held.len() {
            held.drain(..given.read);
            self.held = held;
        }
    }

    /// There may be something behind what has been judged.
    fn goes_on(&self) -> bool {
        !matches!(self.at, At::Over | At::Broken)
    }

    /// What of these bytes may be given on; `first` is what has been read of a head that
    /// they begin with.
    fn judge_bytes(&mut self, bytes: &[u8], mut first: Option<HeadRead>) -> Given {
        let mut given = Given::default();
        while given.read < bytes.len() {
            let rest = &bytes[given.read..];
            match &mut self.at {
                At::Head(reader) => {
                    match first.take().unwrap_or_else(|| reader.read(rest, &self.limits)) {
                        Ok(None) => break,
                        Ok(Some(head)) => {
                            given.keep(&rest[..head.length]);
                            self.heads += 1;
                            self.upgrade = head.upgrade;
                            self.at = match head.framing {
                                Framing::Length(length) => At::Body(length),
                                Framing::Chunked => At::Chunks(Anew::default()),
                            };
                            self.end_of_body();
                        }
                        Err(refusal) => self.refuse(refusal, rest, &mut given),
                    }
                }
                At::Body(left) => {
                    let taken = rest.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                    *left -= taken as u64;
                    given.keep(&rest[..taken]);
                    self.end_of_body();
                }
                At::Chunks(body) => match body.read(rest, &mut given) {
                    Ok(false) => {}
                    Ok(true) => {
                        self.at = At::Body(0);
                        self.end_of_body();
                    }
                    Err(Misplaced) => self.at = At::Broken,
                },
                At::Tunnel => given.keep(rest),
                At::Undecided | At::Over | At::Broken => break,
            }
        }
        given
    }

    fn end_of_body(&mut self) {
        if matches!(self.at, At::Body(0)) {
            self.at = if self.upgrade { At::Undecided } else { At::head() };
        }
    }

    fn refuse(&mut self, refusal: Refusal, bytes: &[u8], given: &mut Given) {
        let begun = bytes.iter().position(|b| !matches!(b, b'\r' | b'\n')).unwrap_or(bytes.len());
        let line = bytes[begun..].split(|b| matches!(b, b'\r' | b'\n')).next().unwrap_or_default();
        let stand_in = if line.starts_with(b"HEAD ") { STAND_IN_FOR_HEAD } else { STAND_IN };
        let line = String::from_utf8_lossy(&line[..line.len().min(MOST_OF_A_LINE)]).into_owned();
        // Nothing is read after the first.
        let _ = self.refusals.0.refused.set((self.heads, Refused { refusal, line }));
        given.written.extend_from_slice(stand_in);
        self.at = At::Over;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listen::through::read_all;
    use proptest::prelude::*;

    const GET: &str = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
    const POST: &str = "POST /b HTTP/1.1\r\nContent-Length: 8\r\n\r\nGET /\n\r\n";
    const CHUNKED: &str = "PUT /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTrailer: Y\r\n\r\n\
        1;x\r\na\r\n2\r\nbc\r\n0\r\nZ: z\r\n\r\n";
    const ODD: &str = "\r\nGET http://a.test?b HTTP/1.0\r\n\r\n";
    const UPGRADE: &str = "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n";
    const WRONG: &str = "HEAD /d HTTP/1.1\nHost: x\r\n\r\n";

    /// The same of text.
    fn through(
        text: &str,
        size: usize,
        room: usize,
        is_tunnel: bool,
        refusals: &Refusals,
    ) -> (String, Result<bool>) {
        let limits = HeadLimits { bytes: 1000, fields: 10 };
        let (given, end) = read_all(text.as_bytes(), (size, room), limits, is_tunnel, refusals);
        (String::from_utf8(given).expect("text"), end)
    }

    /// The same with what lies together in a chunked body as one chunk, and without an
    /// extension and a trailer; nothing else looks like them.
    fn joined(text: &str) -> String {
        let mut text = text.replace(";x", "").replace("Z: z\r\n", "");
        for cut in ["1\r\na\r\n1\r\nb\r\n1\r\nc", "1\r\na\r\n2\r\nbc", "2\r\nab\r\n1\r\nc"] {
            text = text.replace(cut, "3\r\nabc");
        }
        text
    }

    proptest! {
        #[test]
        fn messages_go_through_in_whatever_pieces_they_come(
            messages in prop::collection::vec(prop::sample::select(&[GET, POST, CHUNKED, ODD, UPGRADE][..]), 1..6),
            size in 1usize..90, room in 1usize..90,
        ) {
            let (text, refusals) = (messages.concat(), Refusals::default());
            let (given, end) = through(&text, size, room, false, &refusals);
            prop_assert_eq!(joined(&given), joined(&text));
            // Byte for byte, but for chunks.
            let whole = size.min(room) >= text.len();
            prop_assert!(text.contains("PUT") && !whole || given == joined(&text));
            prop_assert!(matches!(end, Ok(false)));
            prop_assert!(refusals.0.refused.get().is_none());
        }

        #[test]
        fn of_what_is_refused_and_comes_behind_it_nothing_goes_through(
            messages in prop::collection::vec(prop::sample::select(&[GET, POST, CHUNKED, ODD, UPGRADE][..]), 0..4),
            size in 1usize..90, room in 1usize..90,
        ) {
            let refusals = Refusals::default();
            let text = messages.concat() + WRONG + GET;
            let (given, end) = through(&text, size, room, false, &refusals);
            let expected = messages.concat() + "HEAD / HTTP/1.1\r\nConnection: close\r\n\r\n";
            prop_assert_eq!(joined(&given), joined(&expected));
            prop_assert!(matches!(end, Ok(true)));
            // It is the one behind those that were let through.
            for _ in &messages {
                prop_assert!(refusals.next().is_none());
            }
            let refused = refusals.next().expect("the refused one");
            prop_assert_eq!(refused.line.as_str(), "HEAD /d HTTP/1.1");
            prop_assert!(refusals.next().is_none());
        }

        #[test]
        fn a_tunnel_is_not_read(
            noise in "[ -~\r\n]{0,60}", size in 1usize..90, room in 1usize..90,
        ) {
            let text = UPGRADE.to_string() + &noise;
            let (given, end) = through(&text, size, room, true, &Refusals::default());
            prop_assert_eq!(given, text);
            prop_assert!(matches!(end, Ok(false)));
        }

        #[test]
        fn behind_a_broken_chunk_there_is_nothing(size in 1usize..90, room in 1usize..90) {
            let text = CHUNKED.replace("bc\r\n", "bc\n") + GET;
            let (given, end) = through(&text, size, room, false, &Refusals::default());
            prop_assert!(!given.contains("0\r\n") && !given.contains("GET"));
            let body = given.split_once("\r\n\r\n").map_or("", |(_, body)| body);
            let data: String = body.chars().filter(char::is_ascii_lowercase).collect();
            prop_assert!("abc".starts_with(&data));
            prop_assert!(end.is_err());
        }
    }
}
