//! What `larder stats` and `larder top` read from `/v1/stats`.

use super::client::{Admin, refusal};
use serde_json::Value;

/// The numbers as larder told them at one time.
#[derive(Clone, Debug)]
pub(super) struct Numbers(pub Value);

impl Numbers {
    /// Asks for them.
    ///
    /// # Errors
    /// A sentence that says what failed.
    pub fn ask(admin: &Admin) -> Result<Numbers, String> {
        let answer = admin.get("/v1/stats");
        let answer =
            answer.map_err(|why| format!("no larder answers at {}: {why}", admin.client()))?;
        let said: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
        if answer.status.is_success() && said.is_object() {
            return Ok(Numbers(said));
        }
        Err(format!("{}: {}", answer.status, refusal(&said)))
    }

    /// A number, by its JSON pointer; zero if it isn't there.
    pub fn at(&self, pointer: &str) -> f64 {
        self.0.pointer(pointer).and_then(Value::as_f64).unwrap_or(0.0)
    }

    /// A number that may be unknown.
    pub fn known(&self, pointer: &str) -> Option<f64> {
        self.0.pointer(pointer).and_then(Value::as_f64)
    }

    /// A text.
    pub fn text(&self, pointer: &str) -> &str {
        self.0.pointer(pointer).and_then(Value::as_str).unwrap_or("-")
    }

    /// A text that may be unknown.
    pub fn known_text(&self, pointer: &str) -> Option<&str> {
        self.0.pointer(pointer).and_then(Value::as_str)
    }

    /// The members of an object that are numbers above zero, the largest first.
    pub fn largest(&self, pointer: &str) -> Vec<(String, f64)> {
        let members = self.0.pointer(pointer).and_then(Value::as_object);
        let mut found: Vec<(String, f64)> = (members.into_iter().flatten())
            .filter_map(|(name, value)| Some((name.clone(), value.as_f64()?)))
            .filter(|(_, value)| *value > 0.0)
            .collect();
        found.sort_by(|one, other| other.1.total_cmp(&one.1));
        found
    }

    /// The members of an object together.
    pub fn sum(&self, pointer: &str) -> f64 {
        self.largest(pointer).iter().map(|(_, value)| value).sum()
    }

    /// Requests that were answered from the store or forwarded.
    pub fn asked(&self) -> f64 {
        self.at("/requests/hit") + self.sum("/requests/forwarded")
    }

    /// What part of these were hits.
    pub fn hit_ratio(&self) -> Option<f64> {
        let asked = self.asked();
        (asked > 0.0).then(|| self.at("/requests/hit") / asked)
    }

    /// What part of these were answered by another one's fetch.
    pub fn shared_ratio(&self) -> Option<f64> {
        let asked = self.asked();
        (asked > 0.0).then(|| self.at("/requests/collapsed") / asked)
    }

    /// What has been added to every number since then; what isn't a number that grows is
    /// as it is now.
    pub fn since(&self, before: &Numbers) -> Numbers {
        let mut now = self.0.clone();
        for pointer in GROWING {
            if let (Some(now), Some(before)) = (now.pointer_mut(pointer), before.0.pointer(pointer))
            {
                subtract(now, before);
            }
        }
        Numbers(now)
    }
}

/// What grows, with all below it.
const GROWING: [&str; 11] = [
    "/requests",
    "/origin/requests",
    "/origin/failures",
    "/origin/answers",
    "/origin/seconds",
    "/bytes_sent",
    "/saved_seconds",
    "/stored",
    "/evicted",
    "/variants_displaced",
    "/troubles",
];

fn subtract(now: &mut Value, before: &Value) {
    match now {
        Value::Object(members) => {
            for (name, value) in members {
                subtract(value, &before[name.as_str()]);
            }
        }
        Value::Number(_) => {
            let more = now.as_f64().unwrap_or(0.0) - before.as_f64().unwrap_or(0.0);
            // One that was started anew meanwhile begins again.
            *now = more.max(0.0).into();
        }
        _ => {}
    }
}

/// A count in a few figures: 1234 is 1,234, and 12345678 is 12.3 M.
pub(super) fn count(number: f64) -> String {
    for (unit, name) in [(1e12, "T"), (1e9, "G"), (1e6, "M")] {
        if number >= unit {
            return format!("{:.1} {name}", number / unit);
        }
    }
    let digits = format!("{number:.0}");
    match digits.len() {
        4.. => format!("{},{}", &digits[..digits.len() - 3], &digits[digits.len() - 3..]),
        _ => digits,
    }
}

/// A rate: with a place behind the point if it is small.
pub(super) fn rate(number: f64) -> String {
    if number > 0.0 && number < 9.95 { format!("{number:.1}") } else { count(number) }
}

/// Bytes.
pub(super) fn bytes(number: f64) -> String {
    for (power, name) in [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")] {
        let unit = f64::from(1_u32 << (power / 2)).powi(2);
        if number >= unit {
            return format!("{:.1} {name}", number / unit);
        }
    }
    format!("{number:.0} B")
}

/// A part in hundredths.
pub(super) fn percent(part: Option<f64>) -> String {
    part.map_or_else(|| "-".to_string(), |part| format!("{:.1} %", part * 100.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_have_few_figures() {
        assert_eq!([0.0, 999.0, 1234.0, 12_345_678.0].map(count), ["0", "999", "1,234", "12.3 M"]);
        assert_eq!([0.0, 0.25, 9.9, 250.0].map(rate), ["0", "0.2", "9.9", "250"]);
        assert_eq!(
            [0.0, 1023.0, 1536.0, 268_435_456.0].map(bytes),
            ["0 B", "1023 B", "1.5 KiB", "256.0 MiB"]
        );
        assert_eq!(bytes(2_199_023_255_552.0), "2.0 TiB");
        assert_eq!(percent(Some(0.9876)), "98.8 %");
    }

    #[test]
    fn what_was_added_is_the_difference_and_a_new_start_is_none() {
        let before = Numbers(json!({
            "requests": { "hit": 10, "forwarded": { "miss": 5 } }, "evicted": 9,
            "memory": { "bytes": 100 },
        }));
        let now = Numbers(json!({
            "requests": { "hit": 40, "forwarded": { "miss": 15, "stale": 0 } }, "evicted": 2,
            "memory": { "bytes": 90 },
        }));
        let more = now.since(&before);
        assert_eq!((more.at("/requests/hit"), more.asked()), (30.0, 40.0));
        assert_eq!((more.at("/evicted"), more.at("/memory/bytes")), (0.0, 90.0));
        assert_eq!(more.hit_ratio(), Some(0.75));
        assert_eq!(more.largest("/requests/forwarded"), [("miss".to_string(), 10.0)]);
    }
}
