//! Whole lives of a proxy, each made by a seed: clients that come and leave, an
//! origin that fails in every way it can, time, purges, and too little memory.
//! Everything is on one thread and by one clock, so that a seed can be repeated.
//!
//! `LARDER_SEEDS=2000` runs more of them, `LARDER_SEED=7` one, and prints what
//! happens in it.

mod client;
mod judge;
mod operator;
mod origin;
pub mod random;
mod site;
mod steps;
mod wire;
mod world;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// The steps of a life.
const STEPS: usize = 60;
/// The seeds of an ordinary run.
const SEEDS: u64 = 150;

/// What is seen in so many lives, or the simulation doesn't show what it is for.
const TO_BE_SEEN: &[&str] = &[
    "200 hit ",
    "200 collapsed ",
    "200 validated ",
    "200 hit soft-purge",
    "200 hit stale-while-revalidate",
    "200 hit early-refresh",
    "200 forwarded stale-if-error",
    "200 forwarded stale-if-slow",
    "200 forwarded stale-when-down",
    "206 hit ",
    "304 hit ",
    "404 hit ",
    "504 forwarded first-byte-timeout",
    "broken off",
    "left",
    "purge during a fetch",
];

fn given(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text:?}")))
}

/// Runs seeds on all cores. Gives back which went wrong, and how often each
/// thing was seen.
fn run(seeds: std::ops::Range<u64>, folder: &Path) -> (Vec<u64>, BTreeMap<String, u64>) {
    let next = AtomicU64::new(seeds.start);
    let result = Mutex::new((Vec::new(), BTreeMap::new()));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return;
            }
            let told = steps::run(seed, STEPS, folder);
            let mut result = result.lock().expect("no panic");
            result.0.extend(told.wrong.map(|_| seed));
            for (what, count) in told.seen {
                *result.1.entry(what).or_default() += count;
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    let (mut wrong, seen) = result.into_inner().expect("no panic");
    wrong.sort_unstable();
    (wrong, seen)
}

/// Shows what goes wrong with a seed, with the fewest steps that it takes.
fn show(seed: u64, folder: &Path) -> String {
    let wrong = |steps: &usize| steps::run(seed, *steps, folder).wrong.is_some();
    let steps = (1..STEPS).find(wrong).unwrap_or(STEPS);
    let told = steps::run(seed, steps, folder);
    let what = told.wrong.unwrap_or_else(|| "gone when repeated".into());
    let diary = told.diary.join("\n");
    format!("seed {seed}, {steps} steps: {what}\n{diary}\nagain: LARDER_SEED={seed}")
}

#[test]
fn the_invariants_hold_whatever_happens() {
    let folder = tempfile::tempdir().expect("a folder");
    if let Some(seed) = given("LARDER_SEED") {
        let told = steps::run(seed, STEPS, folder.path());
        assert!(told.wrong.is_none(), "{}", show(seed, folder.path()));
        println!("{}", told.diary.join("\n"));
        return;
    }
    let many = given("LARDER_SEEDS").unwrap_or(SEEDS);
    let (wrong, seen) = run(0..many, folder.path());
    if let Some(first) = wrong.first() {
        let few = &wrong[..wrong.len().min(20)];
        let shown = show(*first, folder.path());
        panic!("{} of {many} seeds go wrong: {few:?}\n{shown}", wrong.len());
    }
    println!("{many} seeds hold: {seen:#?}");
    let unseen: Vec<_> = TO_BE_SEEN.iter().filter(|what| !seen.contains_key(**what)).collect();
    assert!(many < SEEDS || unseen.is_empty(), "never seen: {unseen:?}");
}

#[test]
fn a_seed_is_repeated_exactly() {
    let folder = tempfile::tempdir().expect("a folder");
    for seed in 0..5 {
        let [one, other] = [0, 1].map(|_| steps::run(seed, STEPS, folder.path()).diary);
        assert_eq!(one, other, "seed {seed}");
    }
}

#[test]
fn a_seed_is_repeated_exactly_by_another_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let seed = 6;
    let diary = steps::run(seed, STEPS, folder.path()).diary.join("\n");
    let other = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "simulation::the_invariants_hold_whatever_happens", "--nocapture"])
        .env("LARDER_SEED", seed.to_string())
        .output()
        .expect("it runs");
    let text = String::from_utf8_lossy(&other.stdout);
    assert!(text.contains(&diary), "seed {seed} here:\n{diary}\nthere:\n{text}");
}
