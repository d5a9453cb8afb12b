//! Writes `docs/conformance.md`.

use super::case::{Case, Holds};
use super::{Outcome, public};
use crate::harness;
use std::fmt::Write;

const PATH: &str = "docs/conformance.md";

/// Fails if the file is not what is written here; writes it if `UPDATE_DOCS` is set.
pub fn compare(written: &str) {
    harness::compare(PATH, written, "conformance");
}

/// The whole page, for results that are all as they should be.
pub fn write(results: &[(&str, Vec<Outcome>)]) -> String {
    let mut page = String::new();
    summary(&mut page, results).expect("a text grows");
    for (title, outcomes) in results {
        group(&mut page, title, outcomes).expect("a text grows");
    }
    public::write(&mut page).expect("a text grows");
    page
}

fn summary(page: &mut String, results: &[(&str, Vec<Outcome>)]) -> std::fmt::Result {
    let all = || results.iter().flat_map(|(_, outcomes)| outcomes);
    let count = |wanted: fn(&Holds) -> bool| all().filter(|o| wanted(&o.case.holds)).count();
    writeln!(page, "# Conformance\n")?;
    writeln!(
        page,
        "What larder does about each clause of the RFCs on HTTP caching. This page is written by \
         the tests\nfrom what they have seen: do not edit it.\n"
    )?;
    writeln!(page, "| of {} behaviours | |\n|---|--:|", all().count())?;
    writeln!(page, "| hold with any configuration | {} |", count(|h| *h == Holds::Everywhere))?;
    writeln!(
        page,
        "| hold by default, not with the profile | {} |",
        count(|h| *h == Holds::ByDefault)
    )?;
    writeln!(page, "| hold with the profile only | {} |", count(|h| *h == Holds::InProfile))?;
    writeln!(page, "| hold if a key is set | {} |\n", count(|h| matches!(h, Holds::When(..))))?;
    writeln!(page, "{}", include_str!("introduction.md"))?;
    writeln!(page, "## Clause by clause")
}

fn group(page: &mut String, title: &str, outcomes: &[Outcome]) -> std::fmt::Result {
    writeln!(page, "\n### {title}\n")?;
    writeln!(page, "| behaviour | clause | holds | case |\n|---|---|---|---|")?;
    for Outcome { case, .. } in outcomes {
        let Case { id, behaviour, clause, .. } = case;
        let holds = match &case.holds {
            Holds::Everywhere => "yes".to_string(),
            Holds::ByDefault => "by default".to_string(),
            Holds::InProfile => "in the profile".to_string(),
            Holds::When(key, value) => format!("with `{key} = {value}`"),
        };
        let behaviour = behaviour.replace('|', "\\|");
        writeln!(page, "| {behaviour} | {} | {holds} | `{id}` |", clause.replace(" s", " § "))?;
    }
    Ok(())
}
