//! What larder does about each clause of the RFCs on caching, over real sockets: the cases, their
//! run, and `docs/conformance.md`, which is written from their results.
//!
//! A group of cases is a file here. [`case`] has the words that cases are written in; [`run`]
//! plays them; [`document`] writes the page.

mod case;
mod document;
mod public;
mod run;

mod age;
mod authorization;
mod cache_groups;
mod cache_status;
mod conditional;
mod dates;
mod directives;
mod fields;
mod freshness;
mod head;
mod heuristics;
mod interim;
mod invalidation;
mod query;
mod ranges;
mod request_directives;
mod stale;
mod status_codes;
mod storing;
mod targeted;
mod validation;
mod vary;

use crate::harness::House;
use case::{Case, Holds};
use larder::config::{self, Overrides, Settings, Source};
use run::Stage;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Cases that belong together.
struct Group {
    title: &'static str,
    cases: fn() -> Vec<Case>,
}

const GROUPS: &[Group] = &[
    Group { title: "Freshness", cases: freshness::cases },
    Group { title: "Dates", cases: dates::cases },
    Group { title: "Age", cases: age::cases },
    Group { title: "Heuristic freshness", cases: heuristics::cases },
    Group { title: "Cache-Control", cases: directives::cases },
    Group { title: "Targeted fields", cases: targeted::cases },
    Group { title: "Storing", cases: storing::cases },
    Group { title: "Status codes", cases: status_codes::cases },
    Group { title: "Authorization", cases: authorization::cases },
    Group { title: "Fields", cases: fields::cases },
    Group { title: "Directives of requests", cases: request_directives::cases },
    Group { title: "Vary", cases: vary::cases },
    Group { title: "Conditions of clients", cases: conditional::cases },
    Group { title: "Validation", cases: validation::cases },
    Group { title: "HEAD", cases: head::cases },
    Group { title: "Ranges", cases: ranges::cases },
    Group { title: "Stale responses", cases: stale::cases },
    Group { title: "Invalidation", cases: invalidation::cases },
    Group { title: "Cache groups", cases: cache_groups::cases },
    Group { title: "QUERY and No-Vary-Search", cases: query::cases },
    Group { title: "Interim responses", cases: interim::cases },
    Group { title: "Cache-Status", cases: cache_status::cases },
];

/// What a case came to.
struct Outcome {
    case: Case,
    /// Why it failed, first where it did.
    failed: Option<String>,
}

impl Outcome {
    fn complaint(&self) -> Option<String> {
        let Case { id, behaviour, clause, .. } = &self.case;
        let why = self.failed.as_ref()?;
        Some(format!("{id} ({clause}): {behaviour}\n    {why}"))
    }
}

/// Where a case is run: the name of the place, and the configuration.
fn places(holds: &Holds) -> Vec<(&'static str, Option<(&'static str, &'static str)>)> {
    match holds {
        Holds::Everywhere => vec![("default", None), ("profile", None)],
        Holds::ByDefault => vec![("default", None)],
        Holds::InProfile => vec![("profile", None)],
        Holds::When(key, value) => vec![("default", Some((key, value)))],
    }
}

fn at_root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The configuration of a place, as the program reads it.
fn settings(place: &str, set: Option<(&str, &str)>) -> Result<Settings, String> {
    let profile = at_root("config/conformance.toml");
    let source = match place {
        "profile" => Source::File(&profile),
        _ => Source::None,
    };
    let variable = set.map(|(key, value)| {
        (format!("LARDER_{}", key.to_ascii_uppercase().replace('.', "__")), value.to_string())
    });
    let origin = Overrides { to: Some("127.0.0.1:8000".to_string()), ..Overrides::default() };
    config::load(source, variable, &origin).map_err(|why| why.to_string())
}

/// Runs the cases of a group one after the other: a house for each configuration.
fn run_group(group: &Group) -> Vec<Outcome> {
    let stage = Stage::start();
    let mut houses = BTreeMap::new();
    let mut outcomes = Vec::new();
    for case in (group.cases)() {
        let mut failed = None;
        for (place, set) in places(&case.holds) {
            let house = houses.entry((place, set)).or_insert_with(|| house(&stage, place, set));
            let result = match house {
                Ok(house) => stage.run(house, &case),
                Err(why) => Err(why.clone()),
            };
            failed = failed.or(result.err().map(|why| format!("{place}: {why}")));
        }
        outcomes.push(Outcome { case, failed });
    }
    for house in houses.into_values().flatten() {
        house.running.stop();
    }
    outcomes
}

fn house(stage: &Stage, place: &str, set: Option<(&str, &str)>) -> Result<House, String> {
    let mut settings = settings(place, set)?;
    let address = stage.origin.address;
    let (host, port) = (address.ip().to_string(), address.port());
    settings.origin.to = vec![config::Target::Tcp { host, port }];
    // Lifetimes are measured to the second here.
    settings.cache.jitter = 0;
    Ok(House::with(settings))
}

/// Runs all groups, several at a time.
fn run_all() -> Vec<(&'static str, Vec<Outcome>)> {
    let next = AtomicUsize::new(0);
    let mut results: Vec<(usize, Vec<Outcome>)> = std::thread::scope(|scope| {
        let work = || {
            let mut done = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::SeqCst);
                match GROUPS.get(number) {
                    Some(group) => done.push((number, run_group(group))),
                    None => return done,
                }
            }
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("the groups' run")).collect()
    });
    results.sort_by_key(|(number, _)| *number);
    results.into_iter().map(|(number, done)| (GROUPS[number].title, done)).collect()
}

#[test]
fn every_clause_holds_and_the_document_says_so() {
    let results = run_all();
    let complaints: Vec<String> = results
        .iter()
        .flat_map(|(title, outcomes)| {
            let complaints = outcomes.iter().filter_map(Outcome::complaint);
            complaints.map(move |complaint| format!("{title}: {complaint}"))
        })
        .collect();
    let count = complaints.len();
    assert!(count == 0, "{count} cases are not as they should be:\n{}", complaints.join("\n"));
    document::compare(&document::write(&results));
}

#[test]
fn no_two_cases_have_the_same_name() {
    let mut names = BTreeSet::new();
    for case in GROUPS.iter().flat_map(|group| (group.cases)()) {
        let plain =
            case.id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        assert!(plain, "{} is not in kebab-case", case.id);
        assert!(
            case.clause.starts_with("RFC ") || case.clause.starts_with("draft-"),
            "{}",
            case.id
        );
        assert!(names.insert(case.id.clone()), "{} is there twice", case.id);
    }
}

#[test]
fn the_profile_is_a_configuration() {
    let profile = settings("profile", None).expect("config/conformance.toml is read");
    assert_ne!(Ok(profile), settings("default", None));
}
