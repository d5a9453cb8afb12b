//! The thread that writes.

use super::Lines;
use super::place::Out;
use std::io::{ErrorKind, Result, Write};
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;
use std::time::Duration;

/// How long the first line of some waits for others.
const GATHERING: Duration = Duration::from_millis(10);

/// Bytes of room that are kept for the next lines.
const KEPT: usize = 256 << 10;

/// Writes what is gathered until nobody can wake it any more, and the rest.
pub(super) fn write_lines(woken: &Receiver<()>, lines: &Lines, out: impl Out) {
    let mut output = Output { out, text: Vec::new(), well: true, begun: false };
    output.put(lines);
    while woken.recv().is_ok() {
        std::thread::sleep(GATHERING);
        output.put(lines);
    }
    output.put(lines);
}

struct Output<W> {
    out: W,
    /// What is written next.
    text: Vec<u8>,
    /// The last time all could be written.
    well: bool,
    /// The last line that was written is not whole.
    begun: bool,
}

impl<W: Out> Output<W> {
    /// Takes and writes what is gathered.
    fn put(&mut self, lines: &Lines) {
        match self.out.settle(&lines.wanted) {
            Ok(nothing_is_there) => self.begun &= !nothing_is_there,
            Err(error) => {
                tracing::error!(%error, "the access log cannot be opened: its lines are left out");
                self.well = false;
            }
        }
        // A line that was begun is ended before the next one.
        self.text.extend(self.begun.then_some(b'\n'));
        for gathered in lines.gathered.iter() {
            let text = &mut gathered.lock().text;
            self.text.extend_from_slice(text);
            text.clear();
            text.shrink_to(KEPT);
        }
        if self.text.len() > usize::from(self.begun) {
            self.write(lines);
        }
        self.text.clear();
        self.text.shrink_to(KEPT);
    }

    /// A disk that is full or a pipe that nobody empties may be of use again: what
    /// cannot be written is left out, and what comes later is tried.
    fn write(&mut self, lines: &Lines) {
        let (written, result) = write_some(&mut self.out, &self.text);
        let rest = &self.text[written..];
        let ends = rest.iter().filter(|byte| **byte == b'\n').count();
        let left_out = ends - usize::from(self.begun && written == 0);
        lines.lose(left_out as u64);
        self.begun = if written > 0 { self.text[written - 1] != b'\n' } else { self.begun };
        match &result {
            Err(error) if self.well => tracing::error!(%error, "the access log cannot be written"),
            Ok(()) => {
                let count = lines.untold.swap(0, Ordering::Relaxed);
                if count > 0 {
                    tracing::warn!(count, "access-log lines were left out");
                }
            }
            Err(_) => {}
        }
        self.well = result.is_ok();
    }
}

/// Writes as much as can be written; how many bytes that was, and why no more.
fn write_some(out: &mut impl Write, text: &[u8]) -> (usize, Result<()>) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access_log::place::Wanted;

    /// Takes so many bytes at a time; zero stands for an error.
    struct Fitful(Vec<u8>, Vec<usize>);

    impl Out for &mut Fitful {
        fn settle(&mut self, _wanted: &Wanted) -> Result<bool> {
            Ok(false)
        }
    }

    impl Write for &mut Fitful {
        fn write(&mut self, bytes: &[u8]) -> Result<usize> {
            let most = if self.1.is_empty() { usize::MAX } else { self.1.remove(0) };
            let taken = &bytes[..most.min(bytes.len())];
            self.0.extend_from_slice(taken);
            if most == 0 { Err(ErrorKind::StorageFull.into()) } else { Ok(taken.len()) }
        }

        fn flush(&mut self) -> Result<()> {
            Ok(())
        }
    }

    const LONG: usize = 1000;

    #[test]
    fn what_can_not_be_written_is_left_out_and_the_next_lines_are_written() {
        let line = |letter: char| letter.to_string().repeat(LONG);
        for (taken, written, left_out) in [
            (vec![], "a|b|c|", 0),
            (vec![0], "b|c|", 0),
            (vec![1, 2, 0], "aaa|b|c|", 0),
            (vec![LONG + 1, 0, 0], "a|", 2),
            (vec![LONG, 0], "a|b|c|", 0),
            (vec![1, 0, 0], "a|c|", 0),
            (vec![1, 0, 0, 0], "a", 3),
        ] {
            let (mut out, lines) = (Fitful(Vec::new(), taken), Lines::default());
            let mut output = Output { out: &mut out, text: Vec::new(), well: true, begun: false };
            for letter in "abc".chars() {
                let next = line(letter) + "\n";
                lines.gathered.own().lock().text.extend_from_slice(next.as_bytes());
                output.put(&lines);
                assert!(lines.gathered.own().lock().text.is_empty(), "it was taken");
            }
            let text = String::from_utf8(out.0).expect("text");
            let text = text.replace('\n', "|");
            let short = "abc".chars().fold(text, |text, c| text.replace(&line(c), &c.to_string()));
            assert_eq!((short.as_str(), lines.untold.into_inner()), (written, left_out));
        }
    }
}
