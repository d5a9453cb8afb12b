//! Writes `docs/lint.md`.

use larder::observe::lint::{Rule, Severity};
use std::fmt::Write;
use std::path::Path;

const PATH: &str = "docs/lint.md";

/// Fails if the file is not what the rules say; writes it if `UPDATE_DOCS` is set.
pub fn compare(rules: &[Rule]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PATH);
    let written = write(rules);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, written).expect("the document is written");
        return;
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == written,
        "{PATH} is not up to date: run `UPDATE_DOCS=1 cargo test --test it lint`"
    );
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
