//! One line a request, on standard output: combined or JSON.
//!
//! A thread of its own writes, so that a slow terminal or pipe holds nobody up.
//! If it cannot follow, or cannot write, lines are left out, and how many is said.
//!
//! Each thread that serves gathers its lines in memory of its own, which the writer
//! takes together: to be woken for each line would cost more than the line.

mod format;
mod writer;

pub use format::rfc3339;

use crate::lanes::Lanes;
use crate::semantics::cache_status::CacheStatus;
use format::Stamp;
use http::Version;
use parking_lot::Mutex;
use std::fs::File;
use std::net::IpAddr;
use std::os::fd::AsFd;
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
    /// How many were left out, and not spoken of yet.
    lost: AtomicU64,
}

#[derive(Debug, Default)]
struct Gathered {
    text: Vec<u8>,
    stamp: Stamp,
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
        let (wake, woken) = sync_channel(1);
        let lines = Arc::new(Lines::default());
        let waiting = Arc::clone(&lines);
        let thread = std::thread::Builder::new()
            .name("access-log".into())
            .spawn(move || writer::write_lines(&woken, &waiting, out))?;
        Ok((AccessLog { format, lines, wake }, thread))
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

    /// Writes a line, or leaves it out if too much is waiting.
    pub fn write(&self, entry: &Entry<'_>) {
        let Some(format) = self.format else { return };
        let is_first = {
            let mut gathered = self.lines.gathered.own().lock();
            let Gathered { text, stamp } = &mut *gathered;
            if text.len() >= BACKLOG {
                self.lines.lost.fetch_add(1, Ordering::Relaxed);
                return;
            }
            let is_first = text.is_empty();
            match format {
                Format::Combined => format::combined(text, stamp, entry),
                Format::Json => format::json(text, stamp, entry),
            }
            text.push(b'\n');
            is_first
        };
        if is_first {
            // If there is no room, the writer is going to look anyway.
            let _ = self.wake.try_send(());
        }
    }
}
