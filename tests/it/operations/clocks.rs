//! The machine's clock is set: by a day, by ten years, forwards and back.

use super::preloaded;
use crate::harness::{Larder, Origin, reply};
use std::path::Path;
use std::time::{Duration, SystemTime};

const DAY: i64 = 24 * 60 * 60;
const TEN_YEARS: i64 = 3_652 * DAY;

/// Time that a loaded machine may take between two looks at the clock.
const SLACK: u64 = 120;

fn set(file: &Path, seconds: i64) {
    let next = file.with_extension("next");
    std::fs::write(&next, format!("{seconds:+}\n")).expect("a file");
    std::fs::rename(next, file).expect("it is in place");
}

#[expect(clippy::disallowed_methods, reason = "the clock of the test is not set")]
fn real_now() -> SystemTime {
    SystemTime::now()
}

/// What a clock shows that is wrong by so much.
fn shown(seconds: i64) -> SystemTime {
    let by = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 { real_now() - by } else { real_now() + by }
}

fn apart(one: SystemTime, other: SystemTime) -> u64 {
    let between = one.duration_since(other).or_else(|_| other.duration_since(one));
    between.expect("a duration").as_secs()
}

fn date_of(text: &str) -> SystemTime {
    httpdate::parse_http_date(text).unwrap_or_else(|_| panic!("no date: {text:?}"))
}

/// Two ways to say an hour.
fn pages() -> Origin {
    Origin::answering(|seen| match seen.target.as_str() {
        "/expires" => {
            let date = httpdate::fmt_http_date(real_now());
            let expires = httpdate::fmt_http_date(real_now() + Duration::from_secs(3_600));
            reply(200, &[&format!("Date: {date}"), &format!("Expires: {expires}")], "page")
        }
        _ => reply(200, &["Cache-Control: max-age=3600"], "page"),
    })
}

#[test]
fn whatever_the_clock_shows_nothing_expires_and_no_age_is_odd() {
    let origin = pages();
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("clock");
    set(&file, 0);
    let env = [
        ("LD_PRELOAD", &*preloaded("faketime/libfaketimeMT.so.1")),
        ("FAKETIME_TIMESTAMP_FILE", file.to_str().expect("a path")),
        ("FAKETIME_NO_CACHE", "1"),
        ("DONT_FAKE_MONOTONIC", "1"),
        ("LARDER_LOG__ACCESS", "json"),
    ];
    let larder = Larder::with_env(origin.address, &[], &env);
    let stored = ["/expires", "/0", "/1", "/2"];
    for path in stored {
        assert!(!larder.get(path).is_hit());
        larder.next_line();
    }
    let jumps = [DAY, -DAY, TEN_YEARS, -TEN_YEARS, 0];
    for (number, jump) in jumps.into_iter().enumerate() {
        set(&file, jump);
        let mut fields = Vec::new();
        for path in stored {
            let answer = larder.get(path);
            assert!(answer.is_hit(), "{path} at {jump}: {}", answer.cache_status());
            fields.push(answer);
        }
        // What is fetched now is as good for as long.
        let new = format!("/new/{number}");
        let fetched = larder.get(&new);
        assert_eq!(fetched.cache_status(), "larder; fwd=uri-miss; stored");
        let date = date_of(fetched.field("date").expect("a Date"));
        assert!(apart(date, shown(jump)) < SLACK, "{jump}: {date:?}");
        fields.push(larder.get(&new));
        assert!(fields.iter().all(|answer| answer.is_hit()));
        for answer in &fields {
            let age: u64 = answer.field("age").expect("an Age").parse().expect("a number");
            assert!(age < SLACK, "{jump}: {age}");
            let ttl = answer.cache_status().rsplit_once("ttl=").expect("a ttl").1;
            let ttl: u64 = ttl.parse().expect("it is fresh");
            assert!((3_600 - SLACK..=3_600).contains(&ttl), "{jump}: {ttl}");
        }
        // And each is written down, by the clock as it is.
        for _ in 0..=fields.len() {
            let line: serde_json::Value = serde_json::from_str(&larder.next_line()).expect("JSON");
            let time = line["time"].as_str().expect("a time");
            let year = httpdate::fmt_http_date(shown(jump));
            assert!(year.contains(&format!(" {} ", &time[..4])), "{time} at {jump}");
        }
    }
    assert!(!larder.events().contains("panicked"), "{}", larder.events());
    assert_eq!(origin.count(), stored.len() + jumps.len());
}
