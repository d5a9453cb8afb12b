//! Where the lines go: standard output, or a file that somebody may have moved away.

use parking_lot::Mutex;
use std::fs::{File, OpenOptions};
use std::io::{Error, Result, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

/// What the writer is told of where to write.
#[derive(Debug, Default)]
pub(super) struct Wanted(Mutex<Wish>);

#[derive(Debug, Default)]
struct Wish {
    file: Option<PathBuf>,
    /// It is to be opened anew.
    anew: bool,
}

impl Wanted {
    /// Lines go to this file from now on, or to standard output.
    pub fn set(&self, file: Option<PathBuf>) {
        let mut wish = self.0.lock();
        if wish.file != file {
            *wish = Wish { file, anew: true };
        }
    }

    /// The file is opened again by its name.
    pub fn open_again(&self) {
        self.0.lock().anew = true;
    }

    /// The wish, if there is a new one.
    fn take(&self) -> Option<Option<PathBuf>> {
        let mut wish = self.0.lock();
        std::mem::take(&mut wish.anew).then(|| wish.file.clone())
    }
}

/// Where lines are written.
#[derive(Debug)]
pub(super) struct Place {
    standard: File,
    file: Option<PathBuf>,
    /// The file, if it could be opened.
    opened: Option<File>,
}

impl Place {
    /// Standard output.
    pub fn new(standard: File) -> Place {
        Place { standard, file: None, opened: None }
    }

    fn open(&mut self) -> Result<&mut File> {
        let Some(path) = &self.file else { return Ok(&mut self.standard) };
        if self.opened.is_none() {
            // Others have no business with who asked for what.
            let opened = OpenOptions::new().append(true).create(true).mode(0o640).open(path);
            let named =
                |error: Error| Error::new(error.kind(), format!("{}: {error}", path.display()));
            self.opened = Some(opened.map_err(named)?);
        }
        self.opened.as_mut().ok_or_else(|| Error::other("there is no file"))
    }
}

/// What the writer writes to.
pub(super) trait Out: Write {
    /// Goes where it is wanted now, and says why that can't be. Whether nothing is there yet.
    fn settle(&mut self, wanted: &Wanted) -> Result<bool>;
}

impl Out for Place {
    fn settle(&mut self, wanted: &Wanted) -> Result<bool> {
        let Some(file) = wanted.take() else { return Ok(false) };
        (self.file, self.opened) = (file, None);
        let opened = self.open()?.metadata()?;
        Ok(opened.is_file() && opened.len() == 0)
    }
}

impl Write for Place {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.open()?.write(bytes)
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}
