//! `docs/metrics.md` is written from what larder says.

use super::{busy, scraped};
use crate::harness;
use std::collections::BTreeSet;
use std::fmt::Write;

const PATH: &str = "docs/metrics.md";

#[test]
fn every_metric_is_in_the_document() {
    let (larder, _origin) = busy();
    harness::compare(PATH, &document(&scraped(&larder).text()), "prometheus");
}

fn document(text: &str) -> String {
    let mut page = include_str!("introduction.md").to_string();
    for line in text.lines() {
        let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|l| l.split_once(' '))
        else {
            continue;
        };
        let kind = format!("# TYPE {name} ");
        let kind = text.lines().find_map(|line| line.strip_prefix(&kind)).expect("a type");
        let labels = labels(text, name).join(", ");
        writeln!(page, "| `{name}` | {kind} | {labels} | {help} |").expect("a text grows");
    }
    page
}

/// The labels of a family, with their values where these are always the same.
fn labels(text: &str, family: &str) -> Vec<String> {
    let mut labels: Vec<(&str, BTreeSet<&str>)> = Vec::new();
    for line in text.lines().filter_map(|line| line.strip_prefix(family)?.strip_prefix('{')) {
        for pair in line.split('}').next().expect("labels").split("\",") {
            let (label, value) = pair.split_once("=\"").expect("a label");
            let value = value.trim_end_matches('"');
            match labels.iter_mut().find(|(known, _)| *known == label) {
                Some((_, values)) => drop(values.insert(value)),
                None => labels.push((label, BTreeSet::from([value]))),
            }
        }
    }
    let written = |(label, values): (&str, BTreeSet<&str>)| match label {
        "version" | "upstream" | "reason" => format!("`{label}`"),
        _ => format!("`{label}`: {}", values.into_iter().collect::<Vec<_>>().join(" ")),
    };
    labels.into_iter().map(written).collect()
}
