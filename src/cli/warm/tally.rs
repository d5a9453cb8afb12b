//! What came of the requests.

use crate::cli::connection::Seen;
use crate::cli::decision::Decision;
use crate::semantics::identity;
use crate::semantics::reason::Kind;
use http::header::{self, HeaderName};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::time::Duration;

/// The most kinds of failures that are told apart, and the most fields of `Vary`.
const MOST_FAILURES: usize = 50;
const MOST_VARIED: usize = 20;

/// The fields by which an answer differs from others (`Vary`), in lower case.
pub(super) fn varied(answer: &Result<Seen, String>) -> Vec<String> {
    let Ok(seen) = answer else { return Vec::new() };
    let lines = seen.fields.get_all(header::VARY).iter().filter_map(|value| value.to_str().ok());
    let names = lines.flat_map(|line| line.split(',')).map(|name| name.trim().to_ascii_lowercase());
    // What identifies a visitor is not for everybody, and anything is no field.
    let is_personal = |name: &str| {
        HeaderName::from_bytes(name.as_bytes()).is_ok_and(|name| identity::is_one_of(&name, &[]))
    };
    names
        .filter(|name| !["", "*", "cookie", "authorization"].contains(&name.as_str()))
        .filter(|name| !is_personal(name))
        .collect()
}

/// What came of one request.
#[derive(Debug)]
pub(super) struct Came {
    pub how: How,
    /// The fields by which the answer differs from others.
    pub varied: Vec<String>,
}

/// What larder did with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// It is stored now.
    Stored,
    /// It was, and is fresh.
    Fresh,
    /// It was, and is stale; it is fetched again behind, or not even that.
    Stale,
    /// It was handed on: a code, and why.
    Passed(&'static str, &'static str),
    /// It came from elsewhere: larder had no part in it.
    Outside,
    /// There is no good answer, for this reason.
    Failed(String),
}

impl How {
    pub fn of(answer: Result<Seen, String>) -> How {
        let seen = match answer {
            Ok(seen) => seen,
            Err(error) => return How::Failed(error),
        };
        let field = seen.fields.get_all("cache-status").iter().next_back();
        let decision = field.and_then(|value| value.to_str().ok()).map(Decision::read);
        let status = seen.status.as_u16();
        let reason = decision.and_then(|decision| decision.reason);
        if status >= 500 {
            return How::Failed(match (reason, decision) {
                (Some(reason), _) if reason.kind() == Kind::Failed => {
                    format!("{status}: {} ({})", reason.sentence(), reason.code())
                }
                (_, Some(Decision { forward: Some(_), .. })) => {
                    format!("{}: the app failed", seen.status)
                }
                _ => seen.status.to_string(),
            });
        }
        let Some(decision) = decision else { return How::Outside };
        match (decision.hit, reason, decision.forward) {
            (true, ..) if decision.ttl.is_none_or(|ttl| ttl >= 0) => How::Fresh,
            (true, ..) => How::Stale,
            _ if decision.stored || decision.forward_status == Some(304) => How::Stored,
            (false, Some(reason), _) => How::Passed(reason.code(), reason.sentence()),
            (false, None, Some(_)) if decision.collapsed => How::Stored,
            (false, None, Some(forward)) => How::Passed(forward.token(), forward.sentence()),
            (false, None, None) => How::Failed(format!("{}, from larder itself", seen.status)),
        }
    }
}

/// So many requests of a kind, and the first of them.
#[derive(Debug)]
struct Group {
    why: String,
    count: u64,
    example: String,
}

#[derive(Debug, Default)]
pub(super) struct Tally {
    urls: usize,
    /// Requests that were meant to be sent.
    planned: usize,
    /// Those that were answered, or failed.
    pub requests: usize,
    stored: u64,
    fresh: u64,
    stale: u64,
    passed: BTreeMap<&'static str, Group>,
    outside: Option<Group>,
    failed: BTreeMap<String, Group>,
    pub interrupted: bool,
    pub took: Duration,
    /// What is to be said of how the URLs were found.
    pub notes: Vec<String>,
    /// Fields by which answers differ, in lower case.
    varied: BTreeSet<String>,
}

fn count<'a>(group: &'a mut Group, url: &str) -> &'a mut Group {
    if group.count == 0 {
        group.example = url.to_string();
    }
    group.count += 1;
    group
}

fn new(why: &str) -> Group {
    Group { why: why.to_string(), count: 0, example: String::new() }
}

impl Tally {
    pub fn of(urls: usize, planned: usize) -> Tally {
        Tally { urls, planned, ..Tally::default() }
    }

    pub fn take(&mut self, url: &str, came: Came) {
        self.requests += 1;
        for name in came.varied {
            if self.varied.len() < MOST_VARIED {
                self.varied.insert(name);
            }
        }
        match came.how {
            How::Stored => self.stored += 1,
            How::Fresh => self.fresh += 1,
            How::Stale => self.stale += 1,
            How::Passed(code, why) => {
                count(self.passed.entry(code).or_insert_with(|| new(why)), url);
            }
            How::Outside => {
                let why = "there is no Cache-Status: it did not come through larder";
                count(self.outside.get_or_insert_with(|| new(why)), url);
            }
            How::Failed(why) => {
                let known = self.failed.len() < MOST_FAILURES || self.failed.contains_key(&why);
                let why = if known { why } else { "other failures".to_string() };
                count(self.failed.entry(why.clone()).or_insert_with(|| new(&why)), url);
            }
        }
    }

    fn sum<'a>(groups: impl Iterator<Item = &'a Group>) -> u64 {
        groups.map(|group| group.count).sum()
    }

    fn not_stored(&self) -> u64 {
        Tally::sum(self.passed.values().chain(&self.outside))
    }

    /// Notes by which fields answers differ that no request has sent.
    pub fn note_varied(&mut self, sent: impl Fn(&str) -> bool) {
        let unsent: Vec<&str> =
            self.varied.iter().map(String::as_str).filter(|name| !sent(name)).collect();
        if !unsent.is_empty() {
            self.notes.push(format!(
                "answers differ by {} (Vary), which no request has sent: a browser's value is a \
                 variant of its own, which --variant asks for",
                unsent.join(", ")
            ));
        }
    }

    /// Whether all were answered.
    pub fn is_good(&self) -> bool {
        self.failed.is_empty() && !self.interrupted
    }

    pub fn summary(&self) -> String {
        let mut text = String::new();
        let mut put = |line: String| {
            // Writing to memory can't fail.
            let _ = writeln!(text, "{line}");
        };
        if self.interrupted {
            put(format!(
                "Interrupted: {} of {} requests were answered.",
                self.requests, self.planned
            ));
        }
        let seconds = self.took.as_secs_f64();
        put(format!("{} requests for {} URLs in {seconds:.1} s", self.requests, self.urls));
        for (count, what) in [
            (self.stored, "stored now"),
            (self.fresh, "fresh in the cache already"),
            (self.stale, "answered stale"),
            (self.not_stored(), "not stored"),
            (Tally::sum(self.failed.values()), "failed"),
        ] {
            if count > 0 {
                put(format!("{count:>8}  {what}"));
            }
        }
        if self.not_stored() > 0 {
            put("\nNot stored:".to_string());
            let passed = self.passed.iter().map(|(code, group)| (*code, group));
            for (code, group) in passed.chain(self.outside.iter().map(|group| ("", group))) {
                let code = if code.is_empty() { String::new() } else { format!("{code}: ") };
                put(format!("{:>8}  {code}{}", group.count, group.why));
                put(format!("          such as {}", group.example));
            }
        }
        if !self.failed.is_empty() {
            put("\nFailed:".to_string());
            for group in self.failed.values() {
                put(format!("{:>8}  {}", group.count, group.why));
                put(format!("          such as {}", group.example));
            }
        }
        if !self.notes.is_empty() {
            put(String::new());
        }
        self.notes.iter().for_each(|note| put(format!("Note: {note}.")));
        text
    }

    pub fn document(&self) -> Value {
        let group = |(code, group): (Option<&str>, &Group)| {
            let (why, count, example) = (&group.why, group.count, &group.example);
            json!({ "code": code, "why": why, "count": count, "example": example })
        };
        let passed = self.passed.iter().map(|(code, group)| (Some(*code), group));
        let passed = passed.chain(self.outside.iter().map(|group| (None, group)));
        let failed = self.failed.values().map(|group| (None, group));
        json!({
            "urls": self.urls,
            "planned": self.planned,
            "requests": self.requests,
            "seconds": self.took.as_secs_f64(),
            "interrupted": self.interrupted,
            "stored": self.stored,
            "fresh": self.fresh,
            "stale": self.stale,
            "not_stored": passed.map(group).collect::<Vec<Value>>(),
            "failed": failed.map(group).collect::<Vec<Value>>(),
            "notes": self.notes,
        })
    }
}
