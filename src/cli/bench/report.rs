//! The table.

use super::load::{Load, Outcome, Until};
use crate::cli::decision::Decision;
use serde_json::{Value, json};
use std::fmt::Write;
use std::time::Duration;

#[derive(Debug)]
pub(super) struct Report {
    /// Where it is, and what came of it.
    pub app: (String, Outcome),
    pub larder: (String, Outcome),
    /// What larder decided for each URL once it had seen them all.
    pub decided: Vec<Option<Decision>>,
    pub urls: Vec<String>,
    pub load: Load,
}

impl Report {
    /// Whether both answered, and everything.
    pub fn is_good(&self) -> bool {
        [&self.app, &self.larder]
            .iter()
            .all(|(_, outcome)| outcome.errors == 0 && outcome.answers > 0)
    }

    fn hits(&self) -> usize {
        self.decided.iter().flatten().filter(|decision| decision.hit).count()
    }

    pub fn table(&self) -> String {
        let mut text = String::new();
        let mut put = |line: &str| {
            // Writing to memory can't fail.
            let _ = writeln!(text, "{line}");
        };
        let each = match self.load.until {
            Until::Requests(requests) => format!("{requests} requests"),
            Until::Passed(time) => format!("{} s", time.as_secs()),
        };
        put(&format!(
            "{} URLs, {} connections kept alive, {each} for each after both were asked for every URL",
            self.urls.len(),
            self.load.connections
        ));
        put(&format!("From the cache after that: {} of {}", self.hits(), self.urls.len()));
        for (url, decision) in self.urls.iter().zip(&self.decided) {
            if let Some(why) = why_not(*decision) {
                put(&format!("  {url}: {why}"));
            }
        }
        put("");
        put("                  requests/s       p50       p99    errors  connections");
        for (name, (_, outcome)) in [("the app", &self.app), ("through larder", &self.larder)] {
            put(&format!(
                "{name:<16}{:>12.1}{:>10}{:>10}{:>10}{:>13}",
                outcome.rate(),
                shown(outcome.times.quantile(0.5)),
                shown(outcome.times.quantile(0.99)),
                outcome.errors,
                outcome.opened
            ));
        }
        put(&format!(
            "{:<16}{:>12}{:>10}{:>10}",
            "ratio",
            factor(Some(self.larder.1.rate()), Some(self.app.1.rate())),
            self.faster(0.5),
            self.faster(0.99)
        ));
        for (place, outcome) in [&self.app, &self.larder] {
            if let Some(error) = &outcome.error {
                put(&format!("\nThe first error, at {place}: {error}"));
            }
        }
        put("\nThe client runs on this machine too, on one core: what is behind it may be faster.");
        text
    }

    fn faster(&self, part: f64) -> String {
        let seconds =
            |outcome: &Outcome| outcome.times.quantile(part).map(|time| time.as_secs_f64());
        factor(seconds(&self.app.1), seconds(&self.larder.1))
    }

    pub fn document(&self) -> Value {
        let side = |(place, outcome): &(String, Outcome)| {
            let millis =
                |part| outcome.times.quantile(part).map(|time| time.as_secs_f64() * 1000.0);
            json!({
                "place": place,
                "answers": outcome.answers,
                "bytes": outcome.bytes,
                "errors": outcome.errors,
                "error": outcome.error,
                "connections": outcome.opened,
                "seconds": outcome.took.as_secs_f64(),
                "requests_per_second": outcome.rate(),
                "p50_ms": millis(0.5),
                "p99_ms": millis(0.99),
            })
        };
        json!({
            "urls": self.urls,
            "connections": self.load.connections,
            "hits": self.hits(),
            "app": side(&self.app),
            "larder": side(&self.larder),
        })
    }
}

/// Why a URL is not answered from the cache.
fn why_not(decision: Option<Decision>) -> Option<String> {
    let Some(decision) = decision else {
        return Some("there is no Cache-Status: it did not come through larder".to_string());
    };
    if decision.hit {
        return None;
    }
    Some(match (decision.reason, decision.forward) {
        (Some(reason), _) => format!("{} ({})", reason.sentence(), reason.code()),
        (None, Some(forward)) => forward.sentence().to_string(),
        (None, None) => "larder answered by itself".to_string(),
    })
}

fn shown(time: Option<Duration>) -> String {
    match time {
        Some(time) if time >= Duration::from_secs(1) => format!("{:.2} s", time.as_secs_f64()),
        Some(time) => format!("{:.2} ms", time.as_secs_f64() * 1000.0),
        None => "-".to_string(),
    }
}

fn factor(large: Option<f64>, small: Option<f64>) -> String {
    match (large, small) {
        (Some(large), Some(small)) if large > 0.0 && small > 0.0 => {
            format!("{:.1} x", large / small)
        }
        _ => "-".to_string(),
    }
}
