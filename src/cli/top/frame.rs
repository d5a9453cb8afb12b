//! What `larder top` shows: lines, no more than fit.

use crate::cli::follow::{duration, plain};
use crate::cli::numbers::{Numbers, bytes, count, percent, rate};
use crate::cli::stats::upstreams;

/// How lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paint {
    /// As text.
    Plain,
    /// With colours, which say nothing that the text doesn't.
    Colored,
}

/// The numbers of one moment.
pub(super) struct Frame<'a> {
    /// Where they are from.
    pub place: String,
    /// Since larder was started.
    pub since_start: &'a Numbers,
    /// Since the last frame, in so many seconds.
    pub recent: &'a Numbers,
    pub seconds: f64,
    /// Why there are no newer ones.
    pub trouble: Option<&'a str>,
}

/// How many reasons, upstreams and troubles are shown where there is room for no more.
const LEAST: usize = 3;

/// Lines of which the number is always the same, with the titles of the lists.
const OTHERS: usize = 15;

impl Frame<'_> {
    /// The lines, cut to the size of the screen.
    pub fn lines(&self, lines: usize, columns: usize, paint: Paint) -> Vec<String> {
        let each = (lines.saturating_sub(OTHERS) / 3).max(LEAST);
        let mut shown = vec![self.title()];
        shown.extend(self.rates());
        shown.extend(self.memory());
        let reasons = self.recent.largest("/requests/reasons");
        shown.extend(self.list("reasons", "/requests/reasons", &reasons, each));
        shown.extend(self.upstreams(each));
        let troubles = self.since_start.largest("/troubles");
        shown.extend(self.list("troubles", "/troubles", &troubles, each));
        shown.truncate(lines.saturating_sub(1));
        shown.push(self.foot());
        shown.truncate(lines);
        shown.iter().map(|line| painted(&cut(line, columns), paint)).collect()
    }

    fn title(&self) -> String {
        let version = plain(self.since_start.text("/version"));
        let started = plain(self.since_start.text("/started"));
        format!("larder {version} at {}, since {started}", self.place)
    }

    fn a_second(&self, pointer: &str) -> String {
        rate(self.recent.at(pointer) / self.seconds)
    }

    fn rates(&self) -> Vec<String> {
        let (recent, all) = (self.recent, self.since_start);
        let asked = rate((recent.asked() + recent.at("/requests/own")) / self.seconds);
        let sent = bytes(recent.at("/bytes_sent") / self.seconds);
        let time = |pointer: &str| all.known(pointer).map_or("-".to_string(), duration);
        let ratio = recent.hit_ratio();
        vec![
            String::new(),
            format!(
                "  requests/s {asked:>8}   hits/s {:>8}   origin/s {:>8}   {sent}/s",
                self.a_second("/requests/hit"),
                self.a_second("/origin/requests"),
            ),
            format!(
                "  hit ratio  {:>8}   {}   since the start {}",
                percent(ratio),
                bar(ratio.unwrap_or(0.0)),
                percent(all.hit_ratio()),
            ),
            format!(
                "  hit   p50  {:>8}   p99 {:>8}      miss  p50 {:>8}   p99 {:>8}",
                time("/latency/hit/p50"),
                time("/latency/hit/p99"),
                time("/latency/miss/p50"),
                time("/latency/miss/p99"),
            ),
            format!(
                "  saved      {:>8}   of the origin's work a second, an estimate",
                duration(recent.at("/saved_seconds") / self.seconds),
            ),
        ]
    }

    fn memory(&self) -> Vec<String> {
        let all = self.since_start;
        let (taken, limit) = (all.at("/memory/bytes"), all.at("/memory/limit"));
        let part = if limit > 0.0 { taken / limit } else { 0.0 };
        vec![
            format!(
                "  memory   {:>10}   {}   of {}, {} responses",
                bytes(taken),
                bar(part),
                bytes(limit),
                count(all.at("/memory/responses")),
            ),
            format!(
                "  stored/s   {:>8}   evicted/s {}   purges {}   connections {} of {}",
                self.a_second("/stored"),
                self.a_second("/evicted"),
                count(all.at("/purges")),
                count(all.at("/connections/open")),
                count(all.at("/connections/limit")),
            ),
        ]
    }

    /// Names with what they are a second, and since the start. The most of recent times
    /// come first; if there was nothing, those since the start.
    fn list(&self, title: &str, of: &str, found: &[(String, f64)], most: usize) -> Vec<String> {
        let all = self.since_start.largest(of);
        let found = if found.is_empty() { &all } else { found };
        let mut lines = vec![format!("\n  {title:<28} {:>8} {:>14}", "/s", "since start")];
        if found.is_empty() {
            lines.push("  none".to_string());
        }
        for (name, _) in found.iter().take(most) {
            let pointer = format!("{of}/{name}");
            lines.push(format!(
                "  {:<28} {:>8} {:>14}",
                plain(name),
                self.a_second(&pointer),
                count(self.since_start.at(&pointer)),
            ));
        }
        lines.iter().flat_map(|line| line.split('\n')).map(str::to_string).collect()
    }

    fn upstreams(&self, most: usize) -> Vec<String> {
        let title =
            format!("  {:<28} {:>9} {:>13} {:>8}", "upstreams", "state", "in flight", "idle");
        let mut lines = vec![String::new(), title];
        for upstream in upstreams(self.since_start).take(most) {
            let text = |name: &str| plain(upstream[name].as_str().unwrap_or("-"));
            lines.push(format!(
                "  {:<28} {:>9} {:>13} {:>8}",
                text("address"),
                text("state"),
                upstream["in_flight"].to_string(),
                upstream["idle"].to_string(),
            ));
        }
        lines
    }

    fn foot(&self) -> String {
        match self.trouble {
            Some(trouble) => format!("  ! {}", plain(trouble)),
            None => "  q ends".to_string(),
        }
    }
}

/// A bar of twenty characters for a part of the whole.
fn bar(part: f64) -> String {
    let full = (part.clamp(0.0, 1.0) * 20.0).round() as usize;
    format!("[{}{}]", "#".repeat(full), ".".repeat(20 - full))
}

fn cut(line: &str, columns: usize) -> String {
    line.chars().take(columns).collect()
}

fn painted(line: &str, paint: Paint) -> String {
    if paint == Paint::Plain {
        return line.trim_end().to_string();
    }
    let hue = match line {
        _ if line.starts_with("larder ") => "1",
        _ if line.starts_with("  ! ") || line.contains(" ejected ") => "31",
        _ if line.contains(" since start") || line.contains("in flight") => "1",
        _ if line == "  q ends" => "2",
        _ => return line.to_string(),
    };
    format!("\u{1b}[{hue}m{line}\u{1b}[0m")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn numbers(hits: u64) -> Value {
        let reasons: Value = (0..20).map(|n| (format!("reason-{n:02}"), json!(n * hits))).collect();
        json!({
            "version": "1.0.0", "started": "2027-01-15T08:00:00.000Z",
            "requests": { "hit": hits, "forwarded": { "uri-miss": hits / 3 }, "own": 0, "reasons": reasons },
            "origin": {
                "requests": hits / 3,
                "upstreams": (0..9).map(|n| json!({
                    "address": format!("10.0.0.{n}:8000"), "state": "well", "in_flight": n, "idle": 0,
                })).collect::<Vec<Value>>(),
            },
            "latency": { "hit": { "p50": 0.000_003, "p99": 0.00004 }, "miss": { "p50": 0.12, "p99": null } },
            "memory": { "bytes": 128 << 20, "limit": 256 << 20, "responses": 3210 },
            "saved_seconds": hits, "bytes_sent": hits * 1024,
            "connections": { "open": 12, "limit": 10000 },
            "troubles": { "queue": 7, "memory": 0, "admin": 1, "head": 2, "body": 3 },
        })
    }

    fn frame(lines: usize, columns: usize, trouble: Option<&str>) -> Vec<String> {
        let (before, now) = (Numbers(numbers(600)), Numbers(numbers(3600)));
        let recent = now.since(&before);
        let place = "http://127.0.0.1:6082".to_string();
        Frame { place, since_start: &now, recent: &recent, seconds: 2.0, trouble }.lines(
            lines,
            columns,
            Paint::Plain,
        )
    }

    #[test]
    fn a_small_screen_has_all_that_matters() {
        let frame = frame(24, 80, None);
        assert_eq!(frame.len(), 24, "{frame:#?}");
        assert!(frame.iter().all(|line| line.chars().count() <= 80), "{frame:#?}");
        for line in [
            "larder 1.0.0 at http://127.0.0.1:6082, since 2027-01-15T08:00:00.000Z",
            "  requests/s    2,000   hits/s    1,500   origin/s      500   1.5 MiB/s",
            "  hit ratio    75.0 %   [###############.....]   since the start 75.0 %",
            "  hit   p50      3 µs   p99    40 µs      miss  p50   120 ms   p99        -",
            "  memory    128.0 MiB   [##########..........]   of 256.0 MiB, 3,210 responses",
            "  reason-19                      28,500         68,400",
            "  10.0.0.0:8000                     well             0        0",
            "  queue                               0              7",
            "  q ends",
        ] {
            assert!(frame.iter().any(|shown| shown == line), "{line}\n{frame:#?}");
        }
        assert!(!frame.iter().any(|line| line.contains("10.0.0.3:8000")));
    }

    #[test]
    fn a_larger_screen_has_more_and_a_tiny_one_what_fits() {
        let large = frame(60, 120, None);
        assert!(large.iter().any(|line| line.contains("10.0.0.8:8000")), "{large:#?}");
        let tiny = frame(5, 20, Some("no larder answers"));
        assert_eq!(tiny.len(), 5);
        assert_eq!(tiny[4], "  ! no larder answer");
    }

    #[test]
    fn colours_change_no_text() {
        assert_eq!(painted("  q ends", Paint::Colored), "\u{1b}[2m  q ends\u{1b}[0m");
        assert_eq!(painted("  memory", Paint::Colored), "  memory");
        assert_eq!([bar(0.0), bar(1.5)], ["[....................]", "[####################]"]);
    }
}
