//! How far it has come: a bar on a terminal, and lines elsewhere, both on
//! standard error.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

/// Between two lines.
const EVERY: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) enum Progress {
    Bar(ProgressBar),
    Lines { all: usize, next: Duration },
    Silent,
}

impl Progress {
    pub fn of(requests: usize, silent: bool) -> Progress {
        if silent {
            return Progress::Silent;
        }
        if !io::stderr().is_terminal() {
            return Progress::Lines { all: requests, next: EVERY };
        }
        let bar =
            ProgressBar::with_draw_target(Some(requests as u64), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:40} {pos}/{len}  {per_sec}  {eta} left");
        // A template that isn't one would show at the first try.
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Progress::Bar(bar)
    }

    pub fn show(&mut self, done: usize, took: Duration) {
        match self {
            Progress::Bar(bar) => bar.set_position(done as u64),
            Progress::Lines { all, next } if took >= *next => {
                *next = took + EVERY;
                let _ = writeln!(io::stderr(), "{}", line(done, *all, took));
            }
            Progress::Lines { .. } | Progress::Silent => {}
        }
    }

    pub fn end(&self) {
        if let Progress::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

fn line(done: usize, all: usize, took: Duration) -> String {
    let rate = done as f64 / took.as_secs_f64().max(0.001);
    let left = all.saturating_sub(done) as f64 / rate.max(0.001);
    format!("{done} of {all}, {rate:.1} a second, {left:.0} s left")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_rate_and_the_time_left() {
        let said = line(50, 200, Duration::from_secs(5));
        assert_eq!(said, "50 of 200, 10.0 a second, 15 s left");
        assert_eq!(line(0, 10, Duration::ZERO), "0 of 10, 0.0 a second, 10000 s left");
    }
}
