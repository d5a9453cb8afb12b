//! What a page takes in memory, how much stays resident while everything changes, what
//! a lookup costs among few and among many, and for how long a large body holds up
//! others.
//!
//! `cargo bench --bench memory` runs each part in a process of its own, and prints. It
//! never fails by time.

#![allow(clippy::disallowed_methods, reason = "a benchmark measures by the machine's clock")]

use http::{HeaderMap, HeaderName, HeaderValue};
use larder::account::Account;
use larder::key::{CacheKey, Target};
use larder::storage::{Content, Limits, Lines, Memory, StoredResponse};
use rustix::time::{ClockId, clock_gettime};
use std::hint::black_box;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tikv_jemallocator::Jemalloc;

mod real;

/// The program's.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// Names the part that is to be measured in this process.
const PART: &str = "LARDER_BENCH_PART";
const PAGES: usize = 300_000;
const BODY: usize = 1024;
const MIB: usize = 1 << 20;

const FIELDS: [(&str, &str); 6] = [
    ("server", "gunicorn"),
    ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
    ("content-type", "text/html; charset=utf-8"),
    ("cache-control", "public, max-age=3600"),
    ("etag", "\"0123456789abcdef\""),
    ("content-length", "1024"),
];

fn main() {
    let parts: [(&str, fn()); 6] = [
        ("pages", pages),
        ("churn", churn),
        ("lookups", lookups),
        ("waits", waits),
        ("real pages", real::pages),
        ("real churn", real::churn),
    ];
    let wanted = std::env::var(PART).ok();
    if let Some((_, part)) = parts.iter().find(|(name, _)| wanted.as_deref() == Some(*name)) {
        return part();
    }
    let own = std::env::current_exe().expect("this program");
    for (name, _) in parts {
        let ended = Command::new(&own).env(PART, name).status();
        assert!(ended.is_ok_and(|status| status.success()), "{name}");
    }
}

fn key(number: usize) -> CacheKey {
    let url = format!("http://shop.example/page/{number:07}");
    CacheKey::new(Target::from_url(&url).expect("a URL"))
}

fn fields() -> HeaderMap {
    let field = |(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value));
    FIELDS.map(field).into_iter().collect()
}

/// A page with a body of this size, in memory of its own, that counts.
fn page(account: &Arc<Account>, size: usize) -> Arc<StoredResponse> {
    let body = account.own(&[vec![b'x'; size].into()]);
    Arc::new(StoredResponse::new(Content::plain(fields(), body)))
}

fn counted(bytes: usize) -> (Arc<Account>, Memory) {
    let account = Arc::new(Account::unlimited());
    let limits = Limits { bytes: bytes as u64, variants: 8 };
    (Arc::clone(&account), Memory::counted(limits, account))
}

/// Bytes of a process that are resident, by its status.
fn resident(status: &str) -> usize {
    let status = std::fs::read_to_string(status).expect("the status");
    let line = status.lines().find(|line| line.starts_with("VmRSS")).expect("a line");
    let kib: usize = line.split_whitespace().nth(1).expect("a number").parse().expect("a number");
    kib * 1024
}

const OWN: &str = "/proc/self/status";

fn pages() {
    let (account, memory) = counted(8 << 30);
    let before = resident(OWN);
    for number in 0..PAGES {
        assert!(memory.put(&key(number), page(&account, BODY)));
    }
    let taken = (resident(OWN) - before) / PAGES;
    let page = BODY + "HTTP/1.1 200 OK\r\n\r\n".len() + Lines::of(&fields()).as_bytes().len();
    let weighed = memory.usage().bytes as usize / PAGES;
    println!(
        "{PAGES} pages of {BODY} bytes: {taken} bytes each, {} beyond head and body; {weighed} are counted",
        taken - page
    );
}

/// Numbers that look random, the same in each run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        self.0 >> 33
    }

    /// From 200 bytes to 8 MiB, as many between 200 and 400 as between 4 and 8 MiB.
    fn size(&mut self) -> usize {
        let part = self.next() as f64 / (1u64 << 31) as f64;
        (200.0 * (8.0 * MIB as f64 / 200.0).powf(part)) as usize
    }
}

fn churn() {
    const BUDGET: usize = 256 * MIB;
    let (account, memory) = counted(BUDGET);
    let (before, put, most) = (resident(OWN), AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for thread in 0..2 {
            let (account, memory, put, most) = (&account, &memory, &put, &most);
            scope.spawn(move || {
                let (mut random, mut number) = (Random(thread), thread as usize);
                while put.load(Ordering::Relaxed) < 10 * BUDGET {
                    let size = random.size();
                    memory.put(&key(number), page(account, size));
                    put.fetch_add(size, Ordering::Relaxed);
                    number += 2;
                    if number % 64 < 2 {
                        most.fetch_max(resident(OWN), Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let (most, end) = (most.into_inner() - before, resident(OWN) - before);
    let counted = memory.usage().bytes as usize;
    println!(
        "budget of {} MiB, ten times as much put through: resident at most {:.3} of it, {:.3} at the end; {:.3} are counted",
        BUDGET / MIB,
        most as f64 / BUDGET as f64,
        end as f64 / BUDGET as f64,
        counted as f64 / BUDGET as f64
    );
}

/// What this thread has run so far.
fn ran() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

fn middle(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

/// Lookups of a thousand popular pages, and of all, among so many.
fn lookups() {
    const ROUNDS: usize = 11;
    const LOOKUPS: usize = 1_000_000;
    let fill = |count: usize| {
        let (account, memory) = counted(16 << 30);
        (0..count).for_each(|number| assert!(memory.put(&key(number), page(&account, BODY))));
        (count, memory)
    };
    let stores = [fill(10_000), fill(1_000_000)];
    let keys = |count: usize, many: usize| -> Vec<CacheKey> {
        (0..many).map(|at| key(at * 7919 % count)).collect()
    };
    for (name, popular) in [("a thousand popular ones", true), ("all alike", false)] {
        let mut times = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            for (times, (count, memory)) in times.iter_mut().zip(&stores) {
                let keys = keys(*count, if popular { 1_000 } else { *count });
                let before = ran();
                for at in 0..LOOKUPS {
                    let slot = memory.get(black_box(&keys[at % keys.len()])).expect("a slot");
                    slot.variants()[0].count_hit(larder::semantics::time::Moment(0));
                    black_box(slot.variants()[0].content().lines.as_bytes()[0]);
                }
                times.push((ran() - before).as_nanos() as f64 / LOOKUPS as f64);
            }
        }
        let [few, many] = times.map(middle);
        println!(
            "a lookup, {name}: {few:.0} ns of CPU among 10,000, {many:.0} among 1,000,000; ratio {:.2}",
            many / few
        );
    }
}

/// Small pages are stored and looked up while large bodies push out thousands.
fn waits() {
    let (account, memory) = counted(256 * MIB);
    (0..150_000).for_each(|number| assert!(memory.put(&key(number), page(&account, BODY))));
    let ended = AtomicBool::new(false);
    let timed = |work: &dyn Fn()| {
        let (begun, before) = (Instant::now(), ran());
        work();
        (begun.elapsed(), ran() - before)
    };
    std::thread::scope(|scope| {
        let others = scope.spawn(|| {
            let (mut longest, mut number) = ([Duration::ZERO; 2], 1_000_000);
            while !ended.load(Ordering::Relaxed) {
                let page = page(&account, BODY);
                let put = || assert!(memory.put(&key(number), Arc::clone(&page)));
                longest[0] = longest[0].max(timed(&put).0);
                longest[1] = longest[1].max(timed(&|| drop(memory.get(&key(number / 2)))).0);
                number += 1;
            }
            longest
        });
        let mut puts: Vec<(Duration, Duration)> = Vec::new();
        for number in 0..30 {
            let large = page(&account, 8 * MIB);
            let put = || assert!(memory.put(&key(10_000_000 + number), Arc::clone(&large)));
            puts.push(timed(&put));
            for small in 0..8_000 {
                let number = 20_000_000 + number * 10_000 + small;
                memory.put(&key(number), page(&account, BODY));
            }
        }
        ended.store(true, Ordering::Relaxed);
        let [put, get] = others.join().expect("it ends");
        let longest = puts.iter().map(|(_, cpu)| *cpu).max().unwrap_or_default();
        puts.sort();
        println!(
            "8 MiB among small pages: put in {:?} (at most {longest:?} of CPU); meanwhile another thread waited {put:?} at most to put, {get:?} to look up",
            puts[puts.len() / 2].0
        );
    });
}
