//! Lines of text files, which may be compressed, and of access logs.

mod combined;
mod json;
mod record;
mod time;

pub(super) use record::Record;

use flate2::bufread::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

/// The longest line that is read.
const LONGEST: usize = 64 * 1024;

/// Opens a file, or standard input for `-`; what is compressed by gzip is
/// unpacked.
pub(super) fn open(path: &Path) -> Result<Box<dyn BufRead>, String> {
    let wrong = |error: io::Error| format!("{}: {error}", path.display());
    let mut reader: Box<dyn BufRead> = match path.as_os_str() == "-" {
        true => Box::new(io::stdin().lock()),
        false => {
            let file = File::open(path).map_err(wrong)?;
            if file.metadata().map_err(wrong)?.is_dir() {
                return Err(format!("{}: is a folder", path.display()));
            }
            Box::new(BufReader::new(file))
        }
    };
    let is_gzip = reader.fill_buf().map_err(wrong)?.starts_with(&[0x1f, 0x8b]);
    Ok(if is_gzip { Box::new(BufReader::new(MultiGzDecoder::new(reader))) } else { reader })
}

/// A line with its number, from one; `None` if it is no text, or too long.
pub(super) type Line<'a> = (usize, Option<&'a str>);

/// The lines of a reader.
pub(super) struct Lines {
    reader: Box<dyn BufRead>,
    number: usize,
    line: Vec<u8>,
}

impl Lines {
    pub fn of(reader: Box<dyn BufRead>) -> Lines {
        Lines { reader, number: 0, line: Vec::new() }
    }

    /// The next line, if there is one.
    ///
    /// # Errors
    /// The file can't be read on.
    pub fn next(&mut self) -> Result<Option<Line<'_>>, (usize, io::Error)> {
        self.line.clear();
        self.number += 1;
        let number = self.number;
        let mut bounded = self.reader.by_ref().take(LONGEST as u64);
        let read = bounded.read_until(b'\n', &mut self.line).map_err(|error| (number, error))?;
        if read == 0 {
            return Ok(None);
        }
        let whole = self.line.len() < LONGEST || self.line.ends_with(b"\n");
        if !whole {
            self.reader.skip_until(b'\n').map_err(|error| (number, error))?;
        }
        let line = std::str::from_utf8(&self.line).ok().filter(|_| whole);
        Ok(Some((number, line.map(|line| line.trim_end_matches(['\n', '\r'])))))
    }
}

/// Lines that were not understood: how many, and where the first is.
#[derive(Debug, Default)]
pub(super) struct Unread {
    pub count: u64,
    pub first: Option<String>,
}

impl Unread {
    fn note(&mut self, path: &Path, number: usize) {
        self.count += 1;
        self.first.get_or_insert_with(|| format!("{}:{number}", path.display()));
    }
}

/// Gives the requests of an access log to somebody, in their order.
///
/// # Errors
/// The file can't be read, or has no line of an access log.
pub(super) fn each(path: &Path, mut take: impl FnMut(Record<'_>)) -> Result<Unread, String> {
    let mut lines = Lines::of(open(path)?);
    let (mut unread, mut understood) = (Unread::default(), 0_u64);
    loop {
        let next =
            lines.next().map_err(|(at, error)| format!("{}:{at}: {error}", path.display()))?;
        let Some((number, line)) = next else { break };
        if line.is_some_and(|line| line.trim().is_empty()) {
            continue;
        }
        match line.and_then(Record::read) {
            Some(record) => {
                understood += 1;
                take(record);
            }
            None => unread.note(path, number),
        }
    }
    match (&unread.first, understood) {
        (Some(first), 0) => Err(format!(
            "{first}: this is no line of an access log, neither combined nor larder's JSON"
        )),
        (None, 0) => Err(format!("{}: there is no line in it", path.display())),
        _ => Ok(unread),
    }
}
