//! What a purge costs in a full cache, and what it costs those who are served
//! meanwhile.
//!
//! `cargo bench --bench purge` fills a store with 1,000,000 responses, or as many
//! as `LARDER_BENCH_RESPONSES` says, and prints medians. It never fails by time.
//!
//! Two clocks: what passes until an answer, and what the thread itself has run
//! ("of CPU"). Where there are fewer cores than threads the first one measures
//! the waiting for a core too; lookups beside purges are compared by the second.

#![allow(clippy::disallowed_methods, reason = "a benchmark measures by the machine's clock")]

use bytes::Bytes;
use http::HeaderMap;
use larder::key::{CacheKey, Target};
use larder::purge::{Path, Prefix, Purger, Selectors, Softness};
use larder::semantics::tags::Tags;
use larder::semantics::time::Moment;
use larder::storage::{Content, Limits, Memory, Special, StoredResponse};
use rustix::time::{ClockId, clock_gettime};
use std::hint::black_box;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

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
    let plain = Content::plain(HeaderMap::new(), Bytes::from_static(b"a page"));
    let rare = Special { tags: tags(number), ..Special::default() }.into();
    let content = Content { fence: departure.fence(), rare, ..plain };
    let (key, stored) = (key(number), Arc::new(StoredResponse::new(content)));
    assert!(memory.put(&key, Arc::clone(&stored)));
    purger.settle(&key, &stored);
}

/// What this thread has run so far.
fn ran() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

/// What passed, and what this thread ran.
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration, Duration) {
    let (begun, before) = (Instant::now(), ran());
    let done = work();
    (done, begun.elapsed(), ran() - before)
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

/// Nanoseconds that this thread runs for a lookup and its judgement, over so many
/// lookups.
fn lookups(memory: &Memory, purger: &Purger, keys: &[CacheKey], rounds: usize) -> f64 {
    let before = ran();
    for at in 0..rounds {
        let key = &keys[at * 7919 % keys.len()];
        if let Some(slot) = memory.get(black_box(key)) {
            for stored in slot.variants() {
                black_box(purger.judge_stored(key, stored));
            }
        }
    }
    (ran() - before).as_nanos() as f64 / rounds as f64
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
    one_by_one(&purger);
    drop(purger);
    thread.join().expect("the sweeper ends");
    by_api();
}

fn large_tag(memory: &Memory, purger: &Purger, count: usize) {
    let (mut answered, mut cpu, mut swept, mut met) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for round in 0..ROUNDS {
        let tag = format!("tenth-{round}").into();
        let selectors = Selectors { tags: vec![tag], ..Selectors::default() };
        let begun = Instant::now();
        let (purged, time, own) = timed(|| purger.purge(&selectors, Softness::Hard, Moment(1)));
        met = purged.counts.total;
        answered.push(time);
        cpu.push(own);
        while purger.unswept() > 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
        swept.push(begun.elapsed());
        (round..count).step_by(10).for_each(|number| store(memory, purger, number));
    }
    println!(
        "one tag of {met} among {count}: answered with its count in {:?} ({:?} of CPU), space back in {:?}",
        median(answered),
        median(cpu),
        median(swept)
    );
}

fn batch(memory: &Memory, purger: &Purger, count: usize) {
    let (mut answered, mut cpu, mut met) = (Vec::new(), Vec::new(), 0);
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
        let (purged, time, own) = timed(|| purger.purge(&selectors, Softness::Hard, Moment(1)));
        met = purged.counts.total;
        answered.push(time);
        cpu.push(own);
        while purger.unswept() > 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
        numbers(0, 10_000).for_each(|number| store(memory, purger, number));
    }
    println!(
        "4000 URLs, 4000 tags, 1000 paths and 1000 prefixes, {met} met: answered in {:?} ({:?} of CPU)",
        median(answered),
        median(cpu)
    );
}

/// URLs and tags that nothing bears, in turn.
fn nobodys(number: usize) -> Selectors {
    match number % 2 {
        0 => Selectors::target(&key(50_000_000 + number)),
        _ => Selectors { tags: vec![format!("nobody-{number}").into()], ..Selectors::default() },
    }
}

const A_SECOND: u64 = 10_000;

/// Lookups alone, and while 10,000 purges a second arrive, in turn.
fn hits(memory: &Memory, purger: &Arc<Purger>) {
    let keys: Vec<CacheKey> = (0..1_000).map(|number| key(number * 10 + 9)).collect();
    let (purging, ended) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let made = Arc::new(AtomicU64::new(0));
    let thread = {
        let (purger, purging, ended, made) =
            (Arc::clone(purger), Arc::clone(&purging), Arc::clone(&ended), Arc::clone(&made));
        std::thread::spawn(move || {
            let (mut number, mut last, mut due) = (0, Instant::now(), 0.0);
            while !ended.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_micros(500));
                // What is due since then, however long the sleep was.
                due += last.elapsed().as_secs_f64() * A_SECOND as f64;
                last = Instant::now();
                if !purging.load(Ordering::Relaxed) {
                    due = 0.0;
                }
                while due >= 1.0 {
                    (number, due) = (number + 1, due - 1.0);
                    purger.purge(&nobodys(number), Softness::Hard, Moment(1));
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
        "a lookup: {:.0} ns of CPU alone, {:.0} ns while {:.0} purges a second arrive; ratio {:.2}",
        middle(alone),
        middle(beside),
        purged as f64 / time.as_secs_f64(),
        middle(ratios)
    );
}

/// Purges of one selector each, one after the other, by one thread.
fn one_by_one(purger: &Purger) {
    const PURGES: usize = 100_000;
    let all: Vec<Selectors> = (0..PURGES).map(|number| nobodys(PURGES + number)).collect();
    let ((), time, cpu) = timed(|| {
        for selectors in &all {
            purger.purge(selectors, Softness::Hard, Moment(1));
        }
    });
    println!(
        "one selector at a time: {:.0} purges a second, {:?} of CPU each",
        PURGES as f64 / time.as_secs_f64(),
        cpu / PURGES as u32
    );
}

/// `POST /v1/purge` of the real program, in front of nothing and empty, over one
/// connection.
fn by_api() {
    const BATCHES: usize = 1_000;
    let mut larder = Command::new(env!("CARGO_BIN_EXE_larder"))
        .args(["proxy", "--to", "127.0.0.1:9", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("larder starts");
    let mut events = BufReader::new(larder.stderr.take().expect("its standard error")).lines();
    let admin = events.find_map(|line| {
        let line = line.expect("a line");
        let (_, rest) = line.split_once("admin on http://")?;
        rest.split_whitespace().next().map(str::to_string)
    });
    let admin = admin.expect("larder says where it listens");
    // It goes on telling; nobody has to listen, but the pipe has to be emptied.
    std::thread::spawn(move || events.for_each(drop));
    let mut socket = BufReader::new(TcpStream::connect(&admin).expect("a connection"));
    socket.get_ref().set_nodelay(true).expect("no delay");
    let begun = Instant::now();
    for batch in 0..BATCHES {
        let each = |at: usize| format!("\"http://shop.example/{}/{batch}\"", at);
        let urls: Vec<String> = (0..50).map(each).collect();
        let tags: Vec<String> = (0..50).map(|at| format!("\"tag-{at}-{batch}\"")).collect();
        let body = format!("{{\"urls\":[{}],\"tags\":[{}]}}", urls.join(","), tags.join(","));
        let length = body.len();
        let request = format!(
            "POST /v1/purge HTTP/1.1\r\nHost: {admin}\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        );
        socket.get_mut().write_all(request.as_bytes()).expect("it is sent");
        answered(&mut socket);
    }
    let time = begun.elapsed();
    println!(
        "POST /v1/purge with 100 selectors: {:.0} selectors a second, {:?} a batch",
        (BATCHES * 100) as f64 / time.as_secs_f64(),
        time / BATCHES as u32
    );
    larder.kill().expect("it is there");
    larder.wait().expect("it ends");
}

/// Reads an answer, which has to be a good one.
fn answered(socket: &mut BufReader<TcpStream>) {
    let (mut status, mut length) = (None, 0);
    loop {
        let mut line = String::new();
        assert!(socket.read_line(&mut line).expect("a line") > 0, "larder has closed");
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse().expect("a length");
        }
        status.get_or_insert(line);
    }
    let mut body = vec![0; length];
    socket.read_exact(&mut body).expect("a body");
    let status = status.unwrap_or_default();
    assert!(status.contains(" 200"), "{status}: {}", String::from_utf8_lossy(&body));
}
