//! `larder top`: the numbers of a running larder, once a second.

mod frame;
mod screen;

use super::args::TopArgs;
use super::client::Admin;
use super::failed;
use super::numbers::Numbers;
use crate::clock::{Clock, SystemClock};
use frame::{Frame, Paint};
use screen::Screen;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

/// From one frame to the next.
const PERIOD: Duration = Duration::from_secs(1);

pub(super) fn run(args: &TopArgs) -> ExitCode {
    let watched = Admin::at(&args.place).and_then(|admin| {
        let watch = Watch::begin(admin).map_err(|error| format!("error: {error}"))?;
        match args.once || !std::io::stdout().is_terminal() {
            true => watch.print(args.once),
            false => watch.show(),
        }
    });
    match watched {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

/// A larder that is looked at again and again.
struct Watch {
    admin: Admin,
    clock: SystemClock,
    /// The numbers that there were last, and when.
    last: (Numbers, Duration),
}

impl Watch {
    fn begin(admin: Admin) -> Result<Watch, String> {
        let clock = SystemClock::start();
        let last = (Numbers::ask(&admin)?, clock.precise());
        Ok(Watch { admin, clock, last })
    }

    /// The next frame.
    fn frame(&mut self, paint: Paint) -> Vec<String> {
        let (before, at) = &self.last;
        let now = self.clock.precise();
        let asked = Numbers::ask(&self.admin);
        let numbers = asked.as_ref().unwrap_or(before);
        let frame = Frame {
            place: self.admin.client().to_string(),
            since_start: numbers,
            recent: &numbers.since(before),
            seconds: now.saturating_sub(*at).as_secs_f64().max(0.001),
            trouble: asked.as_ref().err().map(String::as_str),
        };
        let (lines, columns) = Screen::size();
        let lines = frame.lines(lines, columns, paint);
        if let Ok(numbers) = asked {
            self.last = (numbers, now);
        }
        lines
    }

    /// Prints frames one below the other.
    fn print(mut self, once: bool) -> Result<(), String> {
        loop {
            std::thread::sleep(PERIOD);
            let lines = self.frame(Paint::Plain);
            // That nobody reads it any more is no failure.
            if writeln!(std::io::stdout(), "{}", lines.join("\n")).is_err() || once {
                return Ok(());
            }
        }
    }

    /// Shows frames on the terminal until a key or a signal ends it.
    fn show(mut self) -> Result<(), String> {
        let paint = match std::env::var_os("NO_COLOR") {
            Some(_) => Paint::Plain,
            None => Paint::Colored,
        };
        let screen = Screen::take().map_err(|error| format!("error: the terminal: {error}"))?;
        loop {
            // That nobody sees it any more is no failure.
            if screen.show(&self.frame(paint)).is_err() || !screen.goes_on_after(PERIOD) {
                return Ok(());
            }
        }
    }
}
