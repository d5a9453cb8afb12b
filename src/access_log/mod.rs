//! One line a request, combined or JSON, on standard output or in a file; and for
//! whoever follows.
//!
//! A thread of its own writes, so that a slow terminal, pipe or disk holds nobody up.
//! If it cannot follow, or cannot write, lines are left out, and how many is said.
//!
//! Each thread that serves gathers its lines in memory of its own, which the writer
//! takes together: to be woken for each line would cost more than the line.

mod filter;
mod format;
mod json;
mod onlookers;
mod place;
mod writer;

pub use filter::{Filter, Mistake};
pub use format::rfc3339;
pub use onlookers::{MOST_ONLOOKERS, Onlooker, TooMany};

use crate::lanes::Lanes;
use crate::semantics::cache_status::CacheStatus;
use format::Stamp;
use http::Version;
use onlookers::Onlookers;
use parking_lot::Mutex;
use place::{Place, Wanted};
use std::fs::File;
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
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

/// What is written, and where.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How; without, nothing is.
    pub format: Option<Format>,
    /// To which file; without, to standard output.
    pub file: Option<PathBuf>,
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
    pub target: &'a [u8],
    /// The version of the request.
    pub version: Version,
    /// The `Host` field.
    pub host: Option<&'a [u8]>,
    /// The `Referer` field.
    pub referer: Option<&'a [u8]>,
    /// The `User-Agent` field.
    pub agent: Option<&'a [u8]>,
    /// The status of the response.
    pub status: u16,
    /// Bytes of its body that were sent.
    pub bytes: u64,
    /// The body broke off.
    pub broken: bool,
    /// What the cache did.
    pub cache: &'a CacheStatus,
    /// The `Age` that the response had, in seconds.
    pub age: Option<u32>,
    /// How long the origin took, if it was asked.
    pub origin: Option<Duration>,
    /// The id of the request.
    pub id: Option<&'a [u8]>,
    /// The trace that it belongs to.
    pub trace: Option<&'a str>,
    /// Tags and groups that it, or the answer to it, has purged.
    pub purged: &'a [Box<str>],
}

/// Bytes of lines that may wait to be written, of one thread.
const BACKLOG: usize = 2 << 20;

/// Where requests are written down.
#[derive(Clone, Debug)]
pub struct AccessLog {
    format: Option<Format>,
    lines: Arc<Lines>,
    /// Wakes the writer when a line waits; it ends when the last of these has gone.
    wake: SyncSender<()>,
}

/// What waits to be written.
#[derive(Debug, Default)]
struct Lines {
    /// Those of each thread, in their order.
    gathered: Lanes<Mutex<Gathered>>,
    /// Where to write.
    wanted: Wanted,
    /// How many were left out.
    lost: AtomicU64,
    /// How many of these were not spoken of yet.
    untold: AtomicU64,
    onlookers: Arc<Onlookers>,
}

impl Lines {
    fn lose(&self, count: u64) {
        self.lost.fetch_add(count, Ordering::Relaxed);
        self.untold.fetch_add(count, Ordering::Relaxed);
    }

    fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

#[derive(Debug, Default)]
struct Gathered {
    text: Vec<u8>,
    stamp: Stamp,
}

impl AccessLog {
    /// A log. The handle ends when every log made from this one has been dropped and
    /// all lines have been written.
    ///
    /// # Errors
    /// If there is no descriptor left, or the thread cannot be started. A file that can't
    /// be opened is none: that is said, and tried again.
    pub fn start(options: Options) -> std::io::Result<(AccessLog, JoinHandle<()>)> {
        // A descriptor of its own: what was written is known to the byte.
        let place = Place::new(File::from(std::io::stdout().as_fd().try_clone_to_owned()?));
        let (wake, woken) = sync_channel(1);
        let lines = Arc::new(Lines::default());
        lines.wanted.set(options.file);
        let waiting = Arc::clone(&lines);
        let thread = std::thread::Builder::new()
            .name("access-log".into())
            .spawn(move || writer::write_lines(&woken, &waiting, place))?;
        Ok((AccessLog { format: options.format, lines, wake }, thread))
    }

    /// The same log by other options. Lines of both go one after the other through the
    /// same thread.
    #[must_use]
    pub fn with(&self, options: Options) -> AccessLog {
        self.lines.wanted.set(options.file);
        self.wake();
        AccessLog { format: options.format, ..self.clone() }
    }

    /// Opens its file again by its name: somebody has moved it away.
    pub fn open_again(&self) {
        self.lines.wanted.open_again();
        self.wake();
    }

    /// How many lines were left out.
    pub fn lost(&self) -> u64 {
        self.lines.lost()
    }

    /// Whether anybody wants to know of a request.
    pub fn is_on(&self) -> bool {
        self.format.is_some() || self.lines.onlookers.is_any()
    }

    /// Whether anybody wants to know more than the combined format has room for.
    pub fn tells_all(&self) -> bool {
        self.format == Some(Format::Json) || self.lines.onlookers.is_any()
    }

    /// Has whoever holds the onlooker told of each request from now on that the filter
    /// lets through.
    ///
    /// # Errors
    /// [`TooMany`] follow already.
    pub fn follow(&self, filter: Filter) -> Result<Onlooker, TooMany> {
        self.lines.onlookers.add(filter)
    }

    /// Writes a line, or leaves it out if too much is waiting.
    pub fn write(&self, entry: &Entry<'_>) {
        if self.lines.onlookers.is_any() {
            self.lines.onlookers.tell(entry);
        }
        let Some(format) = self.format else { return };
        let is_first = {
            let mut gathered = self.lines.gathered.own().lock();
            let Gathered { text, stamp } = &mut *gathered;
            if text.len() >= BACKLOG {
                return self.lines.lose(1);
            }
            let is_first = text.is_empty();
            match format {
                Format::Combined => format::combined(text, stamp, entry),
                Format::Json => json::write(text, stamp, entry),
            }
            text.push(b'\n');
            is_first
        };
        if is_first {
            self.wake();
        }
    }

    fn wake(&self) {
        // If there is no room, the writer is going to look anyway.
        let _ = self.wake.try_send(());
    }
}
