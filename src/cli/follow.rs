//! `larder log`.

use super::args::LogArgs;
use super::client::Admin;
use super::{failed, senseless};
use crate::access_log::Filter;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

/// How long it is tried to follow again when the stream has ended, and how often.
const AGAIN: Duration = Duration::from_millis(500);
const TRIES: usize = 20;

pub(super) fn run(args: &LogArgs) -> ExitCode {
    // What is wrong with the filter is known without a larder.
    if let Err(mistake) = Filter::parse(&args.filter) {
        let (filter, blank) = (&args.filter, blank(mistake.at));
        return senseless(&format!("error: {mistake}\n  {filter}\n  {blank}^"));
    }
    let admin = match Admin::at(&args.place) {
        Ok(admin) => admin,
        Err(error) => return failed(&error),
    };
    match follow(&admin, args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&format!("error: {error}")),
    }
}

fn blank(at: usize) -> String {
    " ".repeat(at - 1)
}

/// Until nobody reads what is printed, or larder is gone. It ends the stream when it reads
/// its configuration again: then it is followed again.
fn follow(admin: &Admin, args: &LogArgs) -> Result<(), String> {
    let filter = utf8_percent_encode(&args.filter, NON_ALPHANUMERIC);
    let path = format!("/v1/log?filter={filter}");
    let color = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let mut tries = 0;
    loop {
        let mut line = |bytes: &[u8]| {
            if bytes.is_empty() {
                return true;
            }
            match args.json {
                true => say_line(&String::from_utf8_lossy(bytes)),
                false => match serde_json::from_slice(bytes) {
                    Ok(entry) => say_line(&readable(&entry, color)),
                    Err(_) => true,
                },
            }
        };
        match admin.follow(&path, &mut line) {
            Ok(true) => return Ok(()),
            // It has ended, having been there.
            Ok(false) => tries = 1,
            Err(error) if tries == 0 || tries == TRIES => return Err(error),
            Err(_) => tries += 1,
        }
        std::thread::sleep(AGAIN);
    }
}

/// Says a line. Whether somebody reads it.
fn say_line(line: &str) -> bool {
    use std::io::Write;
    writeln!(std::io::stdout(), "{line}").is_ok()
}

/// A request in a line that people read.
fn readable(entry: &Value, color: bool) -> String {
    if let Some(lost) = entry["lost"].as_u64() {
        return paint(color, "33", &format!("({lost} requests were left out: they came too fast)"));
    }
    let text = |name: &str| plain(entry[name].as_str().unwrap_or("-"));
    let outcome = text("outcome");
    let hue = match outcome.as_str() {
        "hit" => "32",
        "bypass" | "method" | "none" => "2",
        _ => "33",
    };
    let status = entry["status"].as_u64().unwrap_or(0);
    let status_hue = if status >= 500 { "31" } else { "0" };
    let time = text("time");
    let time = time.get(11..19).unwrap_or("-");
    let mut line = format!(
        "{time} {} {} {:>9}  {} {}{}",
        paint(color, hue, &format!("{outcome:<9}")),
        paint(color, status_hue, &status.to_string()),
        duration(entry["seconds"].as_f64().unwrap_or(0.0)),
        text("method"),
        text("host"),
        text("target"),
    );
    if let Some(reason) = entry["reason"].as_str() {
        line.push_str(&paint(color, "2", &format!("  ({})", plain(reason))));
    }
    if entry["broken"] == true {
        line.push_str(&paint(color, "31", "  broken off"));
    }
    line
}

fn paint(color: bool, hue: &str, text: &str) -> String {
    if color { format!("\u{1b}[{hue}m{text}\u{1b}[0m") } else { text.to_string() }
}

/// What a client sent must not speak to the terminal.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c.is_control() {
            true => plain.push_str(&format!("\\x{:02x}", u32::from(c))),
            false => plain.push(c),
        }
    }
    plain
}

/// A time in a unit that suits it.
pub(super) fn duration(seconds: f64) -> String {
    if seconds >= 10.0 {
        format!("{seconds:.0} s")
    } else if seconds >= 1.0 {
        format!("{seconds:.1} s")
    } else if seconds >= 0.01 {
        format!("{:.0} ms", seconds * 1e3)
    } else if seconds >= 0.001 {
        format!("{:.1} ms", seconds * 1e3)
    } else {
        format!("{:.0} µs", seconds * 1e6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_line_tells_the_most_important_things_and_nothing_to_the_terminal() {
        let entry = json!({
            "time": "2027-01-15T08:00:00.123Z", "outcome": "uri-miss", "status": 502,
            "seconds": 0.0123, "method": "GET", "host": "a.test", "target": "/\u{1b}[31m\u{9b}",
            "reason": "connect", "broken": false,
        });
        assert_eq!(
            readable(&entry, false),
            "08:00:00 uri-miss  502     12 ms  GET a.test/\\x1b[31m\\x9b  (connect)"
        );
        assert!(readable(&entry, true).contains("\u{1b}[31m502\u{1b}[0m"));
        assert_eq!(
            readable(&json!({ "lost": 7 }), false),
            "(7 requests were left out: they came too fast)"
        );
    }

    #[test]
    fn a_time_is_told_in_a_unit_that_suits_it() {
        for (seconds, expected) in [
            (0.0, "0 µs"),
            (0.000_012_4, "12 µs"),
            (0.0015, "1.5 ms"),
            (0.25, "250 ms"),
            (1.25, "1.2 s"),
            (75.0, "75 s"),
        ] {
            assert_eq!(duration(seconds), expected);
        }
    }
}
