//! What slow and hostile clients do to everybody else: nothing.
//!
//! `scripts/siege` runs this at its full size, and prints what it measures. As plain tests both
//! are small, and judge counts, contents and memory, never time.

mod cost;
pub mod crowd;
mod hostile;
mod visitors;

use crate::harness::{Larder, wait_until};
use crowd::{Crowd, Manner};
use hostile::Hostile;
use std::sync::atomic::Ordering;
use std::time::Duration;
use visitors::{Visitors, Visits, app};

const MIB: u64 = 1 << 20;

/// How far memory may be from where it began.
const MEMORY: u64 = 64 * MIB;

/// A number that `scripts/siege` sets.
fn told(name: &str) -> Option<u64> {
    std::env::var(format!("SIEGE_{name}")).ok().and_then(|text| text.parse().ok())
}

fn descriptors(larder: &Larder) -> usize {
    let folder = format!("/proc/{}/fd", larder.pid());
    std::fs::read_dir(folder).expect("its descriptors").count()
}

/// slowhttptest's four modes, and the slow read of a page that isn't stored.
fn modes() -> Vec<(&'static str, Manner)> {
    let (head, second) = ("Host: site.test\r\n", Duration::from_secs(1));
    let get =
        |path: &str, lines: &str| format!("GET {path} HTTP/1.1\r\n{head}{lines}\r\n").into_bytes();
    let ranges: Vec<String> = (0..1300).map(|last| format!("5-{last}")).collect();
    let ranges = format!("Range: bytes=0-,{}", ranges.join(","));
    let sips = |request| Manner::Sips { request, bytes: 32, pause: second };
    vec![
        (
            "slow headers",
            Manner::Drips {
                beginning: format!("GET / HTTP/1.1\r\n{head}").into_bytes(),
                piece: b"X-a: b\r\n",
                times: 1000,
                pause: second,
            },
        ),
        (
            "slow body",
            Manner::Drips {
                beginning: format!("POST /upload HTTP/1.1\r\n{head}Content-Length: 8192\r\n\r\n")
                    .into_bytes(),
                piece: b"x",
                times: 8192,
                pause: second,
            },
        ),
        (
            "ranges",
            Manner::Sips {
                request: get("/stored/large", &format!("{}\r\n", &ranges[..8000])),
                bytes: 1 << 20,
                pause: 5 * second,
            },
        ),
        ("slow read", sips(get("/stored/large", ""))),
        ("slow read, not stored", sips(get("/large", ""))),
    ]
}

/// What visitors see while this is so for a while.
fn visited(larder: &Larder, seconds: u64) -> std::sync::Arc<Visits> {
    let visitors = Visitors::come(2, larder.proxy);
    wait_until("they have had some answers", || visitors.answers() > 200);
    std::thread::sleep(Duration::from_secs(seconds));
    let visits = visitors.leave();
    assert_eq!(*visits.wrong.lock().expect("what was wrong"), Vec::<String>::new());
    visits
}

#[test]
fn crowds_of_slow_clients_cost_others_nothing() {
    let clients = told("CLIENTS").unwrap_or(200);
    let seconds = told("SECONDS").unwrap_or(1);
    let origin = app();
    println!("| {clients} clients | cut off | p99 of others before, meanwhile | memory |");
    println!("|---|---|---|---|");
    let mut missed = Vec::new();
    for (mode, manner) in modes() {
        // More than can wait at the application are turned away, whoever else comes.
        let clients = if mode.ends_with("not stored") { clients.min(1000) } else { clients };
        let larder = Larder::in_front_of(origin.address, &["--access-log", "off"]);
        let open = descriptors(&larder);
        assert_eq!(larder.get("/stored/large").status, 200);
        let usual = visited(&larder, seconds).p99();
        let before = larder.resident();
        let crowd = Crowd::of(clients as usize, larder.proxy, &manner);
        wait_until("all are there", || crowd.engaged() as u64 == clients);
        let meanwhile = visited(&larder, seconds).p99();
        let memory = larder.resident().saturating_sub(before);
        let cut_off = crowd.ended();
        assert!(cut_off as u64 + crowd.engaged() as u64 >= clients, "they stay");
        drop(crowd);
        println!("| {mode} | {cut_off} | {usual:.1?}, {meanwhile:.1?} | {} KiB |", memory / 1024);
        // Each of these may have so much of a page for itself.
        let own = if mode.ends_with("not stored") { clients * 512 * 1024 } else { 0 };
        if memory > MEMORY + own {
            missed.push(format!("{mode}: {} KiB", memory / 1024));
        }
        if told("CLIENTS").is_some() && meanwhile > 2 * usual {
            missed.push(format!("{mode}: {usual:?} became {meanwhile:?}"));
        }
        quiet(&larder, open);
    }
    assert_eq!(missed, Vec::<String>::new());
}

/// It closes what clients have left, and never panicked.
fn quiet(larder: &Larder, open: usize) {
    wait_until("what was opened is closed", || descriptors(larder) <= open + 4);
    assert!(!larder.events().contains("panicked"), "{}", larder.events());
}

#[test]
fn mixed_load_leaves_nothing_behind_and_spoils_nobodys_answer() {
    let seconds = told("MINUTES").map_or(20, |minutes| 60 * minutes);
    let origin = app();
    let env = [("LARDER_CACHE__MEMORY", "16MiB"), ("LARDER_CACHE__MAX_OBJECT", "1MiB")];
    let larder = Larder::with_env(origin.address, &["--access-log", "off"], &env);
    let open = descriptors(&larder);
    visited(&larder, 1);
    let memory = larder.resident();
    let hostile = Hostile::come(larder.proxy, larder.admin);
    let crowds: Vec<Crowd> =
        modes().iter().map(|(_, manner)| Crowd::of(50, larder.proxy, manner)).collect();
    let visits = visited(&larder, seconds);
    let deeds = hostile.leave();
    let slow: usize = crowds.iter().map(|crowd| crowd.engaged() + crowd.ended()).sum();
    let highest = larder.resident();
    drop(crowds);
    quiet(&larder, open);
    let (after, still) = (larder.resident(), descriptors(&larder));
    println!("{seconds} s: {} right answers to visitors", visits.right.load(Ordering::Relaxed));
    println!("hostile: {deeds:?}, slow connections: {slow}");
    println!(
        "memory: {} KiB before, {} KiB at the end, {} KiB after; descriptors: {open}, {still}",
        memory / 1024,
        highest / 1024,
        after / 1024
    );
    assert!(deeds.iter().all(|(_, count)| *count > 0), "{deeds:?}");
    assert!(after.saturating_sub(memory) <= MEMORY, "{memory} -> {after}");
    assert_eq!(larder.get("/page?last").status, 200);
}
