//! Writes `docs/lint.md`.

use crate::harness;
use larder::observe::lint::{Rule, Severity};
use std::fmt::Write;

const PATH: &str = "docs/lint.md";

/// Fails if the file is not what the rules say; writes it if `UPDATE_DOCS` is set.
pub fn compare(rules: &[Rule]) {
    harness::compare(PATH, &write(rules), "lint");
}

fn write(rules: &[Rule]) -> String {
    let mut page = include_str!("introduction.md").to_string();
    for severity in [Severity::Bad, Severity::Warning, Severity::Info] {
        for rule in rules.iter().filter(|rule| rule.severity == severity) {
            let (code, severity, sentence) = (rule.code, severity.token(), rule.sentence);
            let mut fix = rule.fix.0.to_string();
            for (app, words) in [("Django", rule.fix.1), ("Flask", rule.fix.2)] {
                if let Some(words) = words {
                    write!(fix, "<br>{app}: {words}").expect("a text grows");
                }
            }
            writeln!(page, "| `{code}` | {severity} | {sentence} | {fix} |").expect("it grows");
        }
    }
    page
}
