//! One line a request, on standard output: combined or JSON.
//!
//! A thread of its own writes, so that a slow terminal or pipe holds nobody up.
//! If it cannot follow, or cannot write, lines are left out, and how many is said.

use crate::semantics::cache_status::CacheStatus;
use http::Version;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

/// How a line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The combined format of Apache and nginx, with the outcome behind it.
    Combined,
    /// One JSON object a line.
    Json,
}

/// What a line is about.
#[derive(Debug)]
pub struct Entry<'a> {
    /// When the response was done.
    pub at: SystemTime,
    /// How long it took, from the request's head to the last byte.
    pub took: Duration,
    /// Who asked.
    pub client: IpAddr,
    /// The method.
    pub method: &'a str,
    /// The request target, as it came.
    pub target: &'a str,
    /// The version of the request.
    pub version: Version,
    /// The `Host` field.
    pub host: Option<String>,
    /// The `Referer` field.
    pub referer: Option<String>,
    /// The `User-Agent` field.
    pub agent: Option<String>,
    /// The status of the response.
    pub status: u16,
    /// Bytes of its body that were sent.
    pub bytes: u64,
    /// The body broke off.
    pub broken: bool,
    /// What the cache did.
    pub cache: &'a CacheStatus,
}

/// Lines that may wait to be written.
const BACKLOG: usize = 16_384;

/// Where requests are written down.
#[derive(Clone, Debug)]
pub struct AccessLog {
    format: Option<Format>,
    lines: SyncSender<String>,
    lost: Arc<AtomicU64>,
}

impl AccessLog {
    /// A log on standard output; without a format nothing is written. The handle
    /// ends when every log made from this one has been dropped and all lines
    /// have been written.
    ///
    /// # Errors
    /// If there is no descriptor left, or the thread cannot be started.
    pub fn start(format: Option<Format>) -> std::io::Result<(AccessLog, JoinHandle<()>)> {
        // A descriptor of its own: what was written is known to the byte.
        let out = File::from(std::io::stdout().as_fd().try_clone_to_owned()?);
        let (sender, receiver) = sync_channel(BACKLOG);
        let lost = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&lost);
        let thread = std::thread::Builder::new()
            .name("access-log".into())
            .spawn(move || write_lines(&receiver, out, &counted))?;
        Ok((AccessLog { format, lines: sender, lost }, thread))
    }

    /// The same log in another format. Lines of both go one after the other
    /// through the same thread.
    pub fn with(&self, format: Option<Format>) -> AccessLog {
        AccessLog { format, ..self.clone() }
    }

    /// Whether anything is written.
    pub fn is_on(&self) -> bool {
        self.format.is_some()
    }

    /// Writes a line, or leaves it out if too many are waiting.
    pub fn write(&self, entry: Entry<'_>) {
        let Some(format) = self.format else { return };
        let line = match format {
            Format::Combined => combined(&entry),
            Format::Json => json(&entry),
        };
        if self.lines.try_send(line).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Bytes that are written together, at least as long as lines are waiting.
const TOGETHER: usize = 64 << 10;

/// A disk that is full or a pipe that nobody empties may be of use again: what
/// cannot be written is left out, and what comes later is tried.
fn write_lines(lines: &Receiver<String>, mut out: impl Write, lost: &AtomicU64) {
    let mut text = String::new();
    let (mut well, mut begun) = (true, false);
    while let Ok(line) = lines.recv() {
        let mut next = Ok(line);
        while let Ok(line) = next {
            text.push_str(&line);
            text.push('\n');
            next = if text.len() < TOGETHER { lines.try_recv() } else { Err(TryRecvError::Empty) };
        }
        let (written, result) = write_some(&mut out, text.as_bytes());
        let rest = &text.as_bytes()[written..];
        let ends = rest.iter().filter(|byte| **byte == b'\n').count();
        let left_out = ends - usize::from(begun && written == 0);
        lost.fetch_add(left_out as u64, Ordering::Relaxed);
        // A line that was begun is ended before the next one.
        begun = if written > 0 { text.as_bytes()[written - 1] != b'\n' } else { begun };
        match &result {
            Err(error) if well => tracing::error!(%error, "the access log cannot be written"),
            Ok(()) => {
                let count = lost.swap(0, Ordering::Relaxed);
                if count > 0 {
                    tracing::warn!(count, "access-log lines were left out");
                }
            }
            Err(_) => {}
        }
        well = result.is_ok();
        text.clear();
        if begun {
            text.push('\n');
        }
    }
}

/// Writes as much as can be written; how many bytes that was, and why no more.
fn write_some(out: &mut impl Write, text: &[u8]) -> (usize, std::io::Result<()>) {
    let mut written = 0;
    while written < text.len() {
        match out.write(&text[written..]) {
            Ok(0) => return (written, Err(ErrorKind::WriteZero.into())),
            Ok(count) => written += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return (written, Err(error)),
        }
    }
    (written, Ok(()))
}

fn combined(entry: &Entry<'_>) -> String {
    let mut line = format!("{} - - [", entry.client);
    let _ = write!(
        line,
        "{}] \"{} {} {:?}\" {} {}",
        common_time(entry.at),
        entry.method,
        escaped(entry.target),
        entry.version,
        entry.status,
        entry.bytes
    );
    for field in [&entry.referer, &entry.agent] {
        let _ = write!(line, " \"{}\"", field.as_deref().map_or("-".into(), escaped));
    }
    let _ = write!(line, " {} {:.3}", entry.cache.outcome.token(), entry.took.as_secs_f64());
    if let Some(detail) = entry.cache.detail {
        let _ = write!(line, " {detail}");
    }
    line
}

fn json(entry: &Entry<'_>) -> String {
    serde_json::json!({
        "time": rfc3339(entry.at),
        "client": entry.client.to_string(),
        "method": entry.method,
        "host": entry.host,
        "target": entry.target,
        "version": format!("{:?}", entry.version),
        "status": entry.status,
        "bytes": entry.bytes,
        "broken": entry.broken,
        "seconds": entry.took.as_secs_f64(),
        "cache": entry.cache.outcome.token(),
        "ttl": entry.cache.ttl,
        "stored": entry.cache.stored,
        "collapsed": entry.cache.collapsed,
        "detail": entry.cache.detail,
        "referer": entry.referer,
        "agent": entry.agent,
    })
    .to_string()
}

/// What could end the field or the line, or speak to a terminal, is written as
/// `\xNN`.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                safe.push('\\');
                safe.push(c);
            }
            c if c.is_control() => {
                let _ = write!(safe, "\\x{:02x}", u32::from(c));
            }
            c => safe.push(c),
        }
    }
    safe
}

/// `21/Nov/2026:05:00:00 +0000`, from the parts of an HTTP-date.
fn common_time(at: SystemTime) -> String {
    let date = httpdate::fmt_http_date(at);
    let parts: Vec<&str> = date.split(' ').collect();
    match parts.as_slice() {
        [_, day, month, year, time, _] => format!("{day}/{month}/{year}:{time} +0000"),
        _ => date,
    }
}

/// `2026-11-21T05:00:00.123Z` (RFC 3339).
pub fn rfc3339(at: SystemTime) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let date = httpdate::fmt_http_date(at);
    let millis = at.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.subsec_millis());
    let parts: Vec<&str> = date.split(' ').collect();
    match parts.as_slice() {
        [_, day, month, year, time, _] => {
            let month = MONTHS.iter().position(|m| m == month).map_or(0, |at| at + 1);
            format!("{year}-{month:02}-{day}T{time}.{millis:03}Z")
        }
        _ => date,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantics::cache_status::Outcome;

    fn entry(cache: &CacheStatus) -> Entry<'_> {
        Entry {
            at: SystemTime::UNIX_EPOCH + Duration::from_millis(1_800_000_000_123),
            took: Duration::from_millis(12),
            client: "192.0.2.1".parse().expect("an address"),
            method: "GET",
            target: "/a\"b\n",
            version: Version::HTTP_11,
            host: Some("a.example".into()),
            referer: None,
            agent: Some("curl\u{1b}[31m".into()),
            status: 200,
            bytes: 5,
            broken: false,
            cache,
        }
    }

    #[test]
    fn a_combined_line_can_not_be_split_by_what_a_client_sends() {
        let mut status = CacheStatus::new(Outcome::Hit);
        status.detail = Some("why");
        assert_eq!(
            combined(&entry(&status)),
            "192.0.2.1 - - [15/Jan/2027:08:00:00 +0000] \"GET /a\\\"b\\x0a HTTP/1.1\" 200 5 \
             \"-\" \"curl\\x1b[31m\" hit 0.012 why"
        );
    }

    /// Takes so many bytes at a time; zero stands for an error.
    struct Fitful(Vec<u8>, Vec<usize>);

    impl Write for &mut Fitful {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let most = if self.1.is_empty() { usize::MAX } else { self.1.remove(0) };
            let taken = &bytes[..most.min(bytes.len())];
            self.0.extend_from_slice(taken);
            if most == 0 { Err(ErrorKind::StorageFull.into()) } else { Ok(taken.len()) }
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_can_not_be_written_is_left_out_and_the_next_lines_are_written() {
        // Each line is longer than what is written together.
        let line = |letter: char| letter.to_string().repeat(TOGETHER);
        for (taken, written, left_out) in [
            (vec![], "a|b|c|", 0),
            (vec![0], "b|c|", 0),
            (vec![1, 2, 0], "aaa|b|c|", 0),
            (vec![TOGETHER + 1, 0, 0], "a|", 2),
            (vec![TOGETHER, 0], "a|b|c|", 0),
            (vec![1, 0, 0], "a|c|", 0),
            (vec![1, 0, 0, 0], "a", 3),
        ] {
            let (sender, receiver) = sync_channel(3);
            "abc".chars().for_each(|letter| sender.send(line(letter)).expect("room"));
            drop(sender);
            let (mut out, lost) = (Fitful(Vec::new(), taken), AtomicU64::new(0));
            write_lines(&receiver, &mut out, &lost);
            let text = String::from_utf8(out.0).expect("text");
            let text = text.replace('\n', "|");
            let short = "abc".chars().fold(text, |text, c| text.replace(&line(c), &c.to_string()));
            assert_eq!((short.as_str(), lost.into_inner()), (written, left_out));
        }
    }

    #[test]
    fn a_json_line_is_json() {
        let status = CacheStatus::new(Outcome::Hit);
        let line: serde_json::Value =
            serde_json::from_str(&json(&entry(&status))).expect("one JSON object");
        assert_eq!(line["time"], "2027-01-15T08:00:00.123Z");
        assert_eq!(line["target"], "/a\"b\n");
        assert_eq!(line["cache"], "hit");
    }
}
