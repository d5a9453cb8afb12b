//! `larder stats`.

use super::args::StatsArgs;
use super::client::Admin;
use super::follow::{duration, plain};
use super::numbers::{Numbers, bytes, count, percent};
use super::{failed, say};
use crate::semantics::reason::Reason;
use serde_json::Value;
use std::process::ExitCode;

pub(super) fn run(args: &StatsArgs) -> ExitCode {
    let numbers = Admin::at(&args.place)
        .and_then(|admin| Numbers::ask(&admin).map_err(|error| format!("error: {error}")));
    match numbers {
        Ok(numbers) if args.json => say(&numbers.0.to_string()),
        Ok(numbers) => table(&numbers).iter().for_each(|line| say(line)),
        Err(error) => return failed(&error),
    }
    ExitCode::SUCCESS
}

fn row(name: &str, value: &str, more: &str) -> String {
    let more = if more.is_empty() { String::new() } else { format!("   {more}") };
    format!("  {name:<22} {value:>12}{more}").trim_end().to_string()
}

fn table(numbers: &Numbers) -> Vec<String> {
    let version = plain(numbers.text("/version"));
    let mut lines = vec![format!("larder {version}, since {}", plain(numbers.text("/started")))];
    requests(numbers, &mut lines);
    origin(numbers, &mut lines);
    stored(numbers, &mut lines);
    let reasons = numbers.largest("/requests/reasons");
    listed("reasons", &reasons, 10, &mut lines, |code| {
        Reason::from_code(code).map_or("", Reason::sentence)
    });
    listed("troubles", &numbers.largest("/troubles"), 20, &mut lines, |_| "");
    lines
}

fn requests(numbers: &Numbers, lines: &mut Vec<String>) {
    let at = |pointer: &str| count(numbers.at(pointer));
    let time = |pointer: &str| numbers.known(pointer).map_or("-".to_string(), duration);
    let times = |of: &str| {
        let (half, most) = (format!("/latency/{of}/p50"), format!("/latency/{of}/p99"));
        format!("p50 {}, p99 {} in the last minute", time(&half), time(&most))
    };
    lines.push("\nrequests".to_string());
    lines.push(row("hits", &at("/requests/hit"), &times("hit")));
    let of = "hits, of these and what was forwarded";
    lines.push(row("hit ratio", &percent(numbers.hit_ratio()), of));
    let forwarded = numbers.largest("/requests/forwarded");
    let why: Vec<String> = forwarded
        .iter()
        .map(|(name, number)| format!("{} {}", plain(name), count(*number)))
        .collect();
    lines.push(row("forwarded", &count(numbers.sum("/requests/forwarded")), &why.join(", ")));
    lines.push(row("", "", &times("miss")));
    let part = percent(numbers.shared_ratio());
    let of = format!("{part}: forwarded too, but another one's request brought the answer");
    lines.push(row("shared a fetch", &at("/requests/collapsed"), &of));
    lines.push(row("answered by larder", &at("/requests/own"), "refusals, purges"));
    lines.push(row("bodies sent", &bytes(numbers.at("/bytes_sent")), ""));
    let (open, limit) = (at("/connections/open"), at("/connections/limit"));
    lines.push(row("connections", &open, &format!("of at most {limit}")));
}

fn origin(numbers: &Numbers, lines: &mut Vec<String>) {
    let at = |pointer: &str| count(numbers.at(pointer));
    lines.push("\norigin".to_string());
    let answers = numbers.largest("/origin/answers");
    let answers: Vec<String> = answers
        .iter()
        .map(|(name, number)| format!("{} {}", plain(name), count(*number)))
        .collect();
    lines.push(row("requests", &at("/origin/requests"), &answers.join(", ")));
    lines.push(row("failures", &at("/origin/failures"), ""));
    lines.push(row("its time", &duration(numbers.at("/origin/seconds")), ""));
    let saved = duration(numbers.at("/saved_seconds"));
    lines.push(row("saved by hits", &saved, "an estimate"));
    let held = format!("and {} wait for an upstream to come back", at("/origin/held"));
    lines.push(row("waiting for a place", &at("/origin/queued"), &held));
    for upstream in upstreams(numbers) {
        let (in_flight, idle) = (&upstream["in_flight"], &upstream["idle"]);
        let name = plain(upstream["address"].as_str().unwrap_or("-"));
        let state = plain(upstream["state"].as_str().unwrap_or("-"));
        lines.push(row(&name, &state, &format!("{in_flight} in flight, {idle} idle")));
    }
}

/// The upstreams, as they are told.
pub(super) fn upstreams(numbers: &Numbers) -> impl Iterator<Item = &Value> {
    numbers.0["origin"]["upstreams"].as_array().into_iter().flatten()
}

fn stored(numbers: &Numbers, lines: &mut Vec<String>) {
    let at = |pointer: &str| count(numbers.at(pointer));
    let part = |of: &str, limit: &str| {
        let (of, limit) = (numbers.at(of), numbers.at(limit));
        format!("{} of {}", percent((limit > 0.0).then(|| of / limit)), bytes(limit))
    };
    lines.push("\nmemory".to_string());
    let targets = format!("of {} URLs", at("/memory/targets"));
    lines.push(row("stored responses", &at("/memory/responses"), &targets));
    let stored = bytes(numbers.at("/memory/bytes"));
    lines.push(row("they take", &stored, &part("/memory/bytes", "/memory/limit")));
    let (taken, limit) = ("/memory/with_in_flight/bytes", "/memory/with_in_flight/limit");
    lines.push(row("with what is under way", &bytes(numbers.at(taken)), &part(taken, limit)));
    lines.push(row("stored so far", &at("/stored"), ""));
    lines.push(row("evicted", &at("/evicted"), "there was no room"));
    lines.push(row("variants displaced", &at("/variants_displaced"), "newer ones came"));
    lines.push(row("purges", &at("/purges"), ""));
    if let Some(advice) = numbers.known_text("/memory_advice") {
        lines.push(format!("  {}", plain(advice)));
    }
}

fn listed(
    title: &str,
    all: &[(String, f64)],
    most: usize,
    lines: &mut Vec<String>,
    about: fn(&str) -> &'static str,
) {
    if all.is_empty() {
        return;
    }
    lines.push(format!("\n{title}"));
    for (name, number) in all.iter().take(most) {
        lines.push(row(&plain(name), &count(*number), about(name)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_table_has_what_matters_in_words() {
        let numbers = Numbers(json!({
            "version": "1.0.0", "started": "2027-01-15T08:00:00.000Z",
            "requests": {
                "hit": 3000, "forwarded": { "uri-miss": 900, "bypass": 100, "miss": 0 },
                "reasons": { "set-cookie": 40, "private": 0 }, "collapsed": 200, "own": 1,
            },
            "latency": { "hit": { "p50": 0.000_003, "p99": 0.0001 }, "miss": { "p50": null } },
            "origin": {
                "requests": 1000, "answers": { "2xx": 990, "5xx": 10 }, "seconds": 250.0,
                "upstreams": [{ "address": "app:80", "state": "well", "in_flight": 2, "idle": 3 }],
            },
            "memory": { "bytes": 1024, "limit": 4096 },
            "memory_advice": "256 MiB more would give +3.1 % hits",
            "saved_seconds": 750.0,
            "troubles": { "queue": 7, "memory": 0 },
        }));
        let table = table(&numbers).join("\n");
        for line in [
            "larder 1.0.0, since 2027-01-15T08:00:00.000Z",
            "  hits                          3,000   p50 3 µs, p99 100 µs in the last minute",
            "  hit ratio                    75.0 %   hits, of these and what was forwarded",
            "  shared a fetch                  200   5.0 %: forwarded too, but another one's request \
             brought the answer",
            "  256 MiB more would give +3.1 % hits",
            "  forwarded                     1,000   uri-miss 900, bypass 100",
            "  requests                      1,000   2xx 990, 5xx 10",
            "  saved by hits                 750 s   an estimate",
            "  app:80                         well   2 in flight, 3 idle",
            "  they take                   1.0 KiB   25.0 % of 4.0 KiB",
            "  queue                             7",
        ] {
            assert!(table.lines().any(|written| written == line), "{line}\n--\n{table}");
        }
        let reason = table.lines().find(|line| line.contains("set-cookie")).expect("a reason");
        assert!(reason.ends_with("sets a cookie, which is for one visitor"), "{reason}");
        assert!(!table.contains("private"));
    }
}
