//! What is said about it.

use super::judge::Change;
use crate::cli::lines::{Record, Unread};
use crate::semantics::reason::Reason;
use crate::storage::Count;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

/// Requests of a kind, and the first of them.
#[derive(Debug, Default)]
pub(super) struct Group {
    why: &'static str,
    count: u64,
    example: String,
}

impl Group {
    pub fn about(why: &'static str) -> Group {
        Group { why, ..Group::default() }
    }

    pub fn count(&mut self, record: &Record<'_>) {
        if self.count == 0 {
            let host = record.host.as_deref().unwrap_or_default();
            self.example = format!("{} {host}{}", record.method, shortened(&record.target));
        }
        self.count += 1;
    }
}

/// A target that fits into a line.
fn shortened(target: &str) -> String {
    const MOST: usize = 200;
    let shown: String = target.chars().filter(|c| !c.is_control()).take(MOST).collect();
    if shown.len() < target.len() { format!("{shown}...") } else { shown }
}

/// One size that was tried.
#[derive(Debug)]
pub(super) struct Size {
    pub memory: u64,
    pub answered: Count,
    /// Bytes in use at the end.
    pub used: u64,
    pub targets: u64,
}

#[derive(Debug)]
pub(super) struct Report {
    pub all: Count,
    pub cacheable: Count,
    pub sizes: Vec<Size>,
    pub span: Duration,
    pub lifetime: Option<Duration>,
    pub timeless: u64,
    pub is_larders: bool,
    pub hits_in_log: u64,
    pub passed: BTreeMap<&'static str, Group>,
    pub changes: BTreeMap<Change, Group>,
    pub unread: Vec<Unread>,
}

/// What is not in a log, whoever wrote it.
const UNTOLD: [&str; 5] = [
    "cookies and other fields of requests: who is identified, bypass_cookies, variants (one is counted)",
    "fields of responses: the lifetimes that they state, validators, No-Vary-Search, tags",
    "purges and restarts, and what was stored before the log begins",
    "answers while stale, and fetches that many shared: both count as asked of the app",
    "how larger bodies are as the app sends them, where a terminator compressed what was logged",
];

impl Report {
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut put = |line: String| {
            // Writing to memory can't fail.
            let _ = writeln!(text, "{line}");
        };
        put(format!("{} requests in {}", self.all.requests, long(self.span)));
        self.notes().into_iter().for_each(&mut put);
        put(format!("\n{} of them may come from the cache:", self.cacheable.requests));
        put("  cache.memory    requests       bytes    in use at the end".to_string());
        for size in &self.sizes {
            put(format!(
                "  {:>12}  {:>8.1} %  {:>8.1} %    {}, {} pages",
                shown(size.memory),
                percent(size.answered.requests, self.all.requests),
                percent(size.answered.bytes, self.all.bytes),
                shown(size.used),
                size.targets
            ));
        }
        if self.is_larders {
            let part = percent(self.hits_in_log, self.all.requests);
            put(format!("  in the log    {part:>8.1} %"));
        }
        if !self.passed.is_empty() {
            put("\nThe others go to the app:".to_string());
        }
        for (code, group) in &self.passed {
            put(format!("{:>10}  {code}: {}", group.count, group.why));
            put(format!("            such as {}", group.example));
        }
        put(String::new());
        self.put_changes(&mut put);
        put("\nA log can't tell:".to_string());
        UNTOLD.iter().for_each(|line| put(format!("  {line}")));
        text
    }

    fn put_changes(&self, put: &mut impl FnMut(String)) {
        match (self.is_larders, self.changes.is_empty()) {
            (false, _) => {
                put("What would change can't be told: the log doesn't say what was decided. larder's \
                     own does."
                    .to_string());
            }
            (true, true) => {
                put("Nothing that the log tells of would be decided otherwise.".to_string())
            }
            (true, false) => put("What would be decided otherwise:".to_string()),
        }
        for (change, group) in &self.changes {
            put(format!("{:>10}  {}", group.count, change.sentence()));
            put(format!("            such as {}", group.example));
        }
    }

    /// What was assumed, and what was left out.
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        notes.push(match self.lifetime {
            Some(lifetime) => {
                format!("Pages are taken to be fresh for {} s.", lifetime.as_secs_f64())
            }
            None => "Pages are taken to be fresh for ever: default_ttl is 0. --ttl says else."
                .to_string(),
        });
        if self.timeless > 0 {
            notes.push(format!("{} lines have no time that could be read.", self.timeless));
        }
        for unread in &self.unread {
            if let Some(first) = &unread.first {
                let count = unread.count;
                notes.push(format!("{count} lines were not understood; the first is {first}."));
            }
        }
        notes
    }

    pub fn document(&self) -> Value {
        let group = |group: &Group| json!({ "count": group.count, "example": group.example });
        let sizes = self.sizes.iter().map(|size| {
            json!({
                "memory": size.memory,
                "hits": size.answered.requests,
                "hit_bytes": size.answered.bytes,
                "hit_ratio": percent(size.answered.requests, self.all.requests) / 100.0,
                "byte_hit_ratio": percent(size.answered.bytes, self.all.bytes) / 100.0,
                "used": size.used,
                "pages": size.targets,
            })
        });
        let passed = self.passed.iter().map(|(code, of)| {
            let mut document = group(of);
            (document["code"], document["why"]) = (json!(code), json!(of.why));
            document
        });
        let changes = self.changes.iter().map(|(change, of)| {
            let mut document = group(of);
            document["change"] = json!(change.sentence());
            document
        });
        json!({
            "requests": self.all.requests,
            "bytes": self.all.bytes,
            "cacheable": self.cacheable.requests,
            "seconds": self.span.as_secs(),
            "ttl": self.lifetime.map(|lifetime| lifetime.as_secs_f64()),
            "sizes": sizes.collect::<Vec<Value>>(),
            "hits_in_log": self.is_larders.then_some(self.hits_in_log),
            "passed": passed.collect::<Vec<Value>>(),
            "changes": changes.collect::<Vec<Value>>(),
            "notes": self.notes(),
            "untold": UNTOLD,
        })
    }
}

impl Change {
    fn sentence(self) -> String {
        let because = |code: &str| {
            Reason::from_code(code).map_or(code.to_string(), |reason| reason.sentence().to_string())
        };
        match self {
            Change::Stored(code) => format!("stored, and was not ({code}: {})", because(code)),
            Change::NotStored(code) => format!("not stored any more ({code}: {})", because(code)),
            Change::Refused => "refused with 414: longer than limits.target".to_string(),
            Change::LetIn => "let in, and was refused with 414".to_string(),
        }
    }
}

/// A time in words.
fn long(span: Duration) -> String {
    match span.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} minutes", seconds / 60),
        seconds => format!("{:.1} hours", seconds as f64 / 3600.0),
    }
}

fn percent(part: u64, whole: u64) -> f64 {
    part as f64 * 100.0 / whole.max(1) as f64
}

fn shown(bytes: u64) -> String {
    let bytes = bytes as f64;
    match bytes {
        large if large >= 1024.0 * 1024.0 * 1024.0 => {
            format!("{:.1} GiB", large / 1024.0 / 1024.0 / 1024.0)
        }
        large if large >= 1024.0 * 1024.0 => format!("{:.1} MiB", large / 1024.0 / 1024.0),
        _ => format!("{:.1} KiB", bytes / 1024.0),
    }
}
