//! The public suite, http-tests/cache-tests: what is missed on purpose, and what its questions
//! are answered. `scripts/public-suite` runs it and compares it with these files.

use super::at_root;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write;

/// `public/missed.toml`.
#[derive(Deserialize)]
struct Missed {
    suite: Suite,
    missed: BTreeMap<String, Miss>,
}

/// Which suite, and how many tests of each kind it has for a proxy.
#[derive(Deserialize)]
struct Suite {
    repository: String,
    commit: String,
    required: usize,
    optimal: usize,
    checks: usize,
}

/// A test that is missed on purpose.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Miss {
    kind: Kind,
    /// The profile misses it too.
    #[serde(default)]
    profile: bool,
    reason: String,
}

#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Required,
    Optimal,
}

/// A question without a right answer, and larder's.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Check {
    answer: Answer,
    /// The profile's, where it is another.
    profile: Option<Answer>,
    reason: String,
}

/// As the suite words it: `setup` and `retry` are said where the question does not arise.
#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Answer {
    Yes,
    No,
    Setup,
    Retry,
    Dependency,
}

impl Answer {
    fn word(self) -> &'static str {
        match self {
            Answer::Yes => "yes",
            Answer::No => "no",
            Answer::Setup => "not asked (setup)",
            Answer::Retry => "not asked (retry)",
            Answer::Dependency => "not asked (dependency)",
        }
    }
}

fn read<T: for<'a> Deserialize<'a>>(name: &str) -> T {
    let path = at_root("tests/it/conformance/public").join(name);
    let text = std::fs::read_to_string(&path).expect("a file");
    toml::from_str(&text).unwrap_or_else(|why| panic!("{name}: {why}"))
}

/// The part of the document about the public suite.
pub fn write(page: &mut String) -> std::fmt::Result {
    let Missed { suite, missed } = read("missed.toml");
    let checks: BTreeMap<String, Check> = read("checks.toml");
    let lost = |kind, profile: bool| {
        missed.values().filter(|m| m.kind == kind && (m.profile || !profile)).count()
    };
    let short = &suite.commit[..7];
    writeln!(page, "\n## The public suite\n")?;
    writeln!(
        page,
        "[{0}](https://github.com/{0}) at commit {short}. What larder is to score; \
         `scripts/public-suite` shows that it does.\n",
        suite.repository
    )?;
    writeln!(
        page,
        "| | required of {} | optimal of {} |\n|---|--:|--:|",
        suite.required, suite.optimal
    )?;
    for (name, profile) in [("default", false), ("profile", true)] {
        let required = suite.required - lost(Kind::Required, profile);
        let optimal = suite.optimal - lost(Kind::Optimal, profile);
        writeln!(page, "| {name} | {required} | {optimal} |")?;
    }
    writeln!(page, "\n### Missed on purpose\n")?;
    writeln!(page, "| test | kind | missed | reason |\n|---|---|---|---|")?;
    for (id, miss) in &missed {
        let kind = if miss.kind == Kind::Required { "required" } else { "optimal" };
        let place = if miss.profile { "always" } else { "by default" };
        writeln!(page, "| `{id}` | {kind} | {place} | {} |", miss.reason)?;
    }
    writeln!(page, "\n### Its {} questions\n", suite.checks)?;
    writeln!(
        page,
        "They have no right answer; yes and no are as the suite counts them, which is not always \
         as one would say it.\n"
    )?;
    writeln!(page, "| question | answer | reason |\n|---|---|---|")?;
    for (id, check) in &checks {
        let answer = match check.profile {
            None => check.answer.word().to_string(),
            Some(other) => format!("{}; profile: {}", check.answer.word(), other.word()),
        };
        writeln!(page, "| `{id}` | {answer} | {} |", check.reason)?;
    }
    Ok(())
}

#[test]
fn every_question_has_an_answer_and_every_miss_a_reason() {
    let Missed { suite, missed } = read("missed.toml");
    let checks: BTreeMap<String, Check> = read("checks.toml");
    assert_eq!(checks.len(), suite.checks);
    let reasons = missed.values().map(|m| &m.reason).chain(checks.values().map(|c| &c.reason));
    assert!(reasons.into_iter().all(|reason| reason.ends_with('.') && !reason.contains('|')));
}
