//! What a purge costs in a full cache, and what it costs those who are served
//! meanwhile.
//!
//! `cargo bench --bench purge` fills a store with 1,000,000 responses, or as many
//! as `LARDER_BENCH_RESPONSES` says, and prints medians. It never fails by time.

#![allow(clippy::disallowed_methods, reason = "a benchmark measures by the machine's clock")]

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use larder::key::{CacheKey, Target};
use larder::purge::{Path, Prefix, Purger, Selectors, Softness};
use larder::semantics::directives::ResponseDirectives;
use larder::semantics::freshness::Freshness;
use larder::semantics::policy::Policy;
use larder::semantics::tags::Tags;
use larder::semantics::time::{Exchange, Moment};
use larder::semantics::vary::NominatedFields;
use larder::storage::{Content, Limits, Memory, StoredResponse};
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

const ROUNDS: usize = 5;

fn key(number: usize) -> CacheKey {
    let url = format!("http://shop.example/page/{}/{number}", number % 1000);
    CacheKey::new(Target::from_url(&url).expect("a URL"))
}

/// A tag for every tenth response, one for every thousand in a row, and one of
/// its own.
fn tags(number: usize) -> Tags {
    let tenth = format!("tenth-{}", number % 10);
    let mut global = [tenth, format!("list-{}", number / 1000), format!("page-{number}")]
        .map(String::into_boxed_str);
    global.sort();
    Tags { global: global.into(), ..Tags::default() }
}

fn store(memory: &Memory, purger: &Purger, number: usize) {
    let departure = purger.depart();
    let fields = HeaderMap::new();
    let (status, policy) = (StatusCode::OK, Policy::default());
    let exchange =
        Exchange { sent: Moment(0), received: Moment(0), received_at: SystemTime::UNIX_EPOCH };
    let directives = ResponseDirectives::default();
    let nominated = NominatedFields::of(&fields);
    let content = Content {
        status,
        freshness: Freshness::of(status, &fields, &directives, &exchange, &policy, false),
        variant: nominated.select(&fields, &policy).expect("a variant"),
        nominated,
        fields,
        own_fields: HeaderMap::new(),
        chunks: [Bytes::from_static(b"a page")].into(),
        length: 6,
        part: None,
        received_at: exchange.received_at,
        sent: exchange.sent,
        fence: departure.fence(),
        tags: tags(number),
        query: None,
        variance: None,
    };
    let (key, stored) = (key(number), Arc::new(StoredResponse::new(content)));
    assert!(memory.put(&key, Arc::clone(&stored)));
    purger.settle(&key, &stored);
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn resident() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS"));
    let kib: u64 = line
        .and_then(|line| line.split_whitespace().nth(1))
        .and_then(|kib| kib.parse().ok())
        .unwrap_or(0);
    format!("{} MiB", kib / 1024)
}

/// Nanoseconds of a lookup and its judgement, over so many lookups.
fn lookups(memory: &Memory, purger: &Purger, keys: &[CacheKey], rounds: usize) -> f64 {
    let begun = Instant::now();
    for at in 0..rounds {
        let key = &keys[at * 7919 % keys.len()];
        if let Some(slot) = memory.get(black_box(key)) {
            for stored in slot.variants() {
                black_box(purger.judge_stored(key, stored));
            }
        }
    }
    begun.elapsed().as_nanos() as f64 / rounds as f64
}

fn main() {
    let count = std::env::var("LARDER_BENCH_RESPONSES").ok().and_then(|n| n.parse().ok());
    let count: usize = count.unwrap_or(1_000_000);
    let memory = Arc::new(Memory::new(Limits { bytes: 8 << 30, variants: 8 }));
    let purger = Arc::new(Purger::new(Arc::clone(&memory)));
    let sweeper = purger.sweeper();
    let thread = std::thread::spawn(move || sweeper.run());
    let begun = Instant::now();
    (0..count).for_each(|number| store(&memory, &purger, number));
    let each = begun.elapsed() / count as u32;
    println!("{count} responses stored, {each:?} each; resident {}", resident());

    large_tag(&memory, &purger, count);
    batch(&memory, &purger, count);
    hits(&memory, &purger);
    drop(purger);
    thread.join().expect("the sweeper ends");
}

fn large_tag(memory: &Memory, purger: &Purger, count: usize) {
    let (mut answered, mut swept, mut met) = (Vec::new(), Vec::new(), 0);
    for round in 0..ROUNDS {
        let tag = format!("tenth-{round}").into();
        let selectors = Selectors { tags: vec![tag], ..Selectors::default() };
        let begun = Instant::now();
        met = purger.purge(&selectors, Softness::Hard, Moment(1)).counts.total;
        answered.push(begun.elapsed());
        while purger.unswept() > 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
        swept.push(begun.elapsed());
        (round..count).step_by(10).for_each(|number| store(memory, purger, number));
    }
    println!(
        "one tag of {met} among {count}: answered with its count in {:?}, space back in {:?}",
        median(answered),
        median(swept)
    );
}

fn batch(memory: &Memory, purger: &Purger, count: usize) {
    let mut answered = Vec::new();
    let mut met = 0;
    for round in 0..ROUNDS {
        let numbers = |from: usize, many: usize| {
            (from..from + many).map(move |at| (at * 97 + round * 13) % count)
        };
        let url = |number| key(number).target().to_string();
        let selectors = Selectors {
            keys: numbers(0, 4_000).flat_map(|number| key(number).in_both_schemes()).collect(),
            tags: numbers(4_000, 4_000).map(|number| format!("page-{number}").into()).collect(),
            paths: numbers(8_000, 1_000).filter_map(|n| Path::from_url(&url(n)).ok()).collect(),
            prefixes: numbers(9_000, 1_000)
                .filter_map(|n| Prefix::from_url(&url(n)).ok())
                .collect(),
            ..Selectors::default()
        };
        let begun = Instant::now();
        met = purger.purge(&selectors, Softness::Hard, Moment(1)).counts.total;
        answered.push(begun.elapsed());
        while purger.unswept() > 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
        numbers(0, 10_000).for_each(|number| store(memory, purger, number));
    }
    println!(
        "4000 URLs, 4000 tags, 1000 paths and 1000 prefixes, {met} met: answered in {:?}",
        median(answered)
    );
}

/// Lookups alone, and while 10,000 purges a second arrive, in turn.
fn hits(memory: &Memory, purger: &Arc<Purger>) {
    let keys: Vec<CacheKey> = (0..1_000).map(|number| key(number * 10 + 9)).collect();
    let (purging, ended) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let made = Arc::new(AtomicU64::new(0));
    let thread = {
        let (purger, purging, ended, made) =
            (Arc::clone(purger), Arc::clone(&purging), Arc::clone(&ended), Arc::clone(&made));
        std::thread::spawn(move || {
            let mut number = 0;
            while !ended.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(1));
                // A millisecond's share; URLs and tags that nothing bears.
                for _ in 0..if purging.load(Ordering::Relaxed) { 10 } else { 0 } {
                    number += 1;
                    let selectors = match number % 2 {
                        0 => Selectors::target(&key(50_000_000 + number)),
                        _ => {
                            let tag = format!("nobody-{number}").into();
                            Selectors { tags: vec![tag], ..Selectors::default() }
                        }
                    };
                    purger.purge(&selectors, Softness::Hard, Moment(1));
                    made.fetch_add(1, Ordering::Relaxed);
                }
            }
        })
    };
    let (mut alone, mut beside, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    let (mut purged, mut time) = (0, Duration::ZERO);
    for _ in 0..2 * ROUNDS + 1 {
        alone.push(lookups(memory, purger, &keys, 1_000_000));
        purging.store(true, Ordering::Relaxed);
        let (before, begun) = (made.load(Ordering::Relaxed), Instant::now());
        beside.push(lookups(memory, purger, &keys, 1_000_000));
        purged += made.load(Ordering::Relaxed) - before;
        time += begun.elapsed();
        purging.store(false, Ordering::Relaxed);
        ratios.push(beside[beside.len() - 1] / alone[alone.len() - 1]);
    }
    ended.store(true, Ordering::Relaxed);
    thread.join().expect("the purging ends");
    let middle = |mut all: Vec<f64>| {
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    println!(
        "a lookup: {:.0} ns alone, {:.0} ns while {:.0} purges a second arrive; ratio {:.2}",
        middle(alone),
        middle(beside),
        purged as f64 / time.as_secs_f64(),
        middle(ratios)
    );
}
