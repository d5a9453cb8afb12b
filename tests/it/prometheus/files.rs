//! The dashboard and the alerts ask for what there is.

use super::{busy, scraped};
use regex::Regex;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(file)
}

/// The metrics that a text names.
fn named(text: &str) -> BTreeSet<String> {
    let metric = Regex::new(r"\b(larder|process)_[a-z_]+\b").expect("an expression");
    metric.find_iter(text).map(|found| found.as_str().to_string()).collect()
}

/// The queries of a dashboard, wherever they stand.
fn queries(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value.as_str().filter(|_| name == "expr" || name == "query") {
                    Some(query) => found.push(query.to_string()),
                    None => queries(value, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| queries(value, found)),
        _ => {}
    }
}

/// The dashboard's, but for those that only Grafana understands.
pub fn dashboard_queries() -> Vec<String> {
    let dashboard = std::fs::read_to_string(path("grafana/dashboard.json")).expect("a file");
    let mut found = Vec::new();
    queries(&serde_json::from_str(&dashboard).expect("JSON"), &mut found);
    found.retain(|query| query.contains("larder_") && !query.starts_with("label_values("));
    found
}

#[test]
fn the_dashboard_and_the_alerts_name_metrics_that_there_are() {
    let (larder, _origin) = busy();
    let text = scraped(&larder).text();
    let samples: BTreeSet<&str> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split(['{', ' ']).next().expect("a name"))
        .collect();
    let asked = dashboard_queries();
    let alerts = std::fs::read_to_string(path("prometheus/alerts.yml")).expect("a file");
    for text in [asked.join("\n"), alerts] {
        let named = named(&text);
        assert!(named.len() >= 8, "{named:?}");
        let missing: Vec<_> =
            named.iter().filter(|name| !samples.contains(name.as_str())).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}

#[test]
fn the_panels_of_the_dashboard_have_places_of_their_own() {
    let dashboard = std::fs::read_to_string(path("grafana/dashboard.json")).expect("a file");
    let dashboard: Value = serde_json::from_str(&dashboard).expect("JSON");
    let (mut taken, mut ids) = (BTreeSet::new(), BTreeSet::new());
    for panel in dashboard["panels"].as_array().expect("panels") {
        assert!(ids.insert(panel["id"].as_u64()), "{panel}");
        let at = |name: &str| panel["gridPos"][name].as_u64().expect("a number");
        assert!(at("x") + at("w") <= 24, "{panel}");
        for y in at("y")..at("y") + at("h") {
            for x in at("x")..at("x") + at("w") {
                assert!(taken.insert((x, y)), "{} is on another one", panel["title"]);
            }
        }
    }
}

#[test]
fn promtool_takes_the_alerts() {
    let checked = Command::new("promtool")
        .args(["check", "rules"])
        .arg(path("prometheus/alerts.yml"))
        .output()
        .unwrap_or_else(|why| panic!("promtool: {why}: run scripts/setup-tests"));
    let said = String::from_utf8_lossy(&checked.stdout);
    assert!(checked.status.success() && said.contains("SUCCESS: "), "{said}");
}
