//! The terminal while `larder top` has it, and as it was before.

use crate::app::Signals;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use std::io::{IsTerminal, Read, Result, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// Another screen, without a cursor; and back.
const ENTER: &str = "\u{1b}[?1049h\u{1b}[?25l";
const LEAVE: &str = "\u{1b}[?25h\u{1b}[?1049l";

/// What a key that ends it sends: q, Q, Ctrl-C.
const ENDS: [u8; 3] = [b'q', b'Q', 3];

/// Lines and columns, where nobody tells.
const USUAL: (usize, usize) = (24, 80);

/// The terminal; as it was before once this is dropped.
pub(super) struct Screen {
    before: Option<Termios>,
    told: Receiver<()>,
}

impl Screen {
    /// Takes the terminal.
    ///
    /// # Errors
    /// If it can't be written to, or nobody can tell when to end.
    pub fn take() -> Result<Screen> {
        let (tell, told) = channel();
        let signals = tell.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut listening = runtime.block_on(async { Signals::listen() })?;
        std::thread::spawn(move || {
            runtime.block_on(listening.told());
            let _ = signals.send(());
        });
        let stdin = std::io::stdin();
        let before = stdin.is_terminal().then(|| tcgetattr(&stdin)).transpose()?;
        if let Some(before) = &before {
            let mut raw = before.clone();
            // Keys come one by one, and are not shown.
            raw.local_modes -= LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
            tcsetattr(&stdin, OptionalActions::Now, &raw)?;
            std::thread::spawn(move || wait_for_the_key(&tell));
        }
        // From here on it is put right again.
        let screen = Screen { before, told };
        put(ENTER)?;
        Ok(screen)
    }

    /// Shows these lines, which are no more than there is room for.
    ///
    /// # Errors
    /// If nobody sees them.
    pub fn show(&self, lines: &[String]) -> Result<()> {
        let text: Vec<String> = lines.iter().map(|line| format!("{line}\u{1b}[K")).collect();
        put(&format!("\u{1b}[H{}\u{1b}[J", text.join("\r\n")))
    }

    /// Waits for so long. Whether it goes on then.
    pub fn goes_on_after(&self, time: Duration) -> bool {
        matches!(self.told.recv_timeout(time), Err(RecvTimeoutError::Timeout))
    }

    /// Lines and columns.
    pub fn size() -> (usize, usize) {
        match tcgetwinsize(std::io::stdout()) {
            Ok(size) if size.ws_row > 0 && size.ws_col > 0 => {
                (size.ws_row.into(), size.ws_col.into())
            }
            _ => USUAL,
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // Whoever has closed the terminal needs none of this.
        let _ = put(LEAVE);
        if let Some(before) = &self.before {
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, before);
        }
    }
}

fn put(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

fn wait_for_the_key(tell: &Sender<()>) {
    let mut key = [0];
    while std::io::stdin().read(&mut key).is_ok_and(|count| count > 0) {
        if ENDS.contains(&key[0]) {
            break;
        }
    }
    let _ = tell.send(());
}
