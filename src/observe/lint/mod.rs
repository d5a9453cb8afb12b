//! What could be better about the answers of an application, by a sample of them.
//!
//! A rule looks at one answer, with what is remembered of the ones before, and says yes
//! or no. What it costs is what goes to the origin with it.

mod contradictions;
mod cookies;
mod costs;
mod lifetimes;
mod rules;
mod sample;
mod static_files;
#[cfg(test)]
mod tests;
mod validators;
mod vary;
mod wording;

use super::costs::{Cost, cut};
use std::time::Duration;

pub use rules::RULES;
pub use sample::Sample;

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Somebody may be given what is another's, or the cache can do nothing.
    Bad,
    /// It costs the origin requests, or visitors time.
    Warning,
    /// It could be said better.
    Info,
}

impl Severity {
    /// In a word.
    pub fn token(self) -> &'static str {
        match self {
            Severity::Bad => "bad",
            Severity::Warning => "warning",
            Severity::Info => "info",
        }
    }
}

/// Something that could be better.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// A short stable name.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What it is, in words that go on after "This answer".
    pub sentence: &'static str,
    /// What to do about it: in any app, in Django, in Flask.
    pub fix: (&'static str, Option<&'static str>, Option<&'static str>),
    /// Whether a sample has it.
    pub has: fn(&Sample<'_>) -> bool,
}

/// A rule that samples have met.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// How many samples, how long they took, and one of them.
    pub cost: Cost,
    /// Requests to the origin in a second, of those that were sampled.
    pub a_second: f64,
}

#[derive(Clone, Debug)]
pub(super) struct Findings(Box<[Cost]>);

impl Default for Findings {
    fn default() -> Findings {
        Findings(vec![Cost::default(); RULES.len()].into())
    }
}

impl Findings {
    /// Goes through all rules.
    pub fn judge(&mut self, sample: &Sample<'_>) {
        for (rule, cost) in RULES.iter().zip(&mut self.0) {
            if (rule.has)(sample) {
                if cost.requests == 0 {
                    cost.example = cut(sample.seen.url).into();
                }
                cost.requests += 1;
                cost.took += sample.seen.took;
            }
        }
    }

    pub fn merge(&mut self, other: &Findings) {
        for (own, theirs) in self.0.iter_mut().zip(&other.0) {
            if own.requests == 0 {
                own.example = theirs.example.clone();
            }
            own.requests += theirs.requests;
            own.took += theirs.took;
        }
    }

    /// Those that were met, the worst first, and of them the dearest.
    pub fn worst(self, seconds: u64) -> Vec<Finding> {
        let met = RULES.iter().zip(self.0).filter(|(_, cost)| cost.requests > 0);
        let mut all: Vec<Finding> = met
            .map(|(rule, cost)| {
                let a_second = cost.requests as f64 / seconds as f64;
                Finding { rule, cost, a_second }
            })
            .collect();
        let order = |finding: &Finding| {
            (finding.rule.severity, std::cmp::Reverse::<Duration>(finding.cost.took))
        };
        all.sort_by_key(order);
        all
    }
}
