//! Everybody else: clients who do nothing unusual, and look at every byte of what they get.

use crate::harness::{Connection, Origin, Response, Seen, read_request, reply};
use std::io::{BufReader, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The app, with an answer to everything by which one sees what it is the answer to.
pub fn app() -> Origin {
    Origin::raw(|_, stream| {
        // As gunicorn keeps idle connections.
        stream.set_read_timeout(Some(Duration::from_secs(2))).expect("a time-out");
        let mut writer = stream.try_clone().expect("the other half");
        let mut reader = BufReader::new(stream);
        while let Some(seen) = read_request(&mut reader).filter(|seen| seen.complete) {
            if writer.write_all(answer(&seen).as_bytes()).is_err() {
                return;
            }
        }
    })
}

fn answer(seen: &Seen) -> String {
    let path = seen.target.split('?').next().unwrap_or_default();
    let cookie = seen.field("cookie").unwrap_or_default();
    let fields: &[&str] = match path {
        "/stored/large" => &["Cache-Control: max-age=3600", "Cache-Tag: stored"],
        path if path.starts_with("/stored/") => &["Cache-Control: max-age=5", "Cache-Tag: stored"],
        "/account" => &["Cache-Control: private", "Vary: Cookie"],
        _ => &["Cache-Control: no-store"],
    };
    let body = content(&seen.method, &seen.target, cookie, &seen.body);
    reply(200, fields, if seen.method == "HEAD" { "" } else { &body })
}

/// What the answer to such a request is.
fn content(method: &str, target: &str, cookie: &str, body: &[u8]) -> String {
    let sum = body.iter().fold(0_u64, |sum, byte| sum.wrapping_mul(31) + u64::from(*byte));
    let line = format!("{method} {target} {cookie} {} {sum}\n", body.len());
    let path = target.split('?').next().unwrap_or_default();
    let length = match path {
        "/large" | "/stored/large" => 100 * 1024,
        _ => 2048,
    };
    line.repeat(length / line.len())
}

/// Some of them, each with a thread, until this is asked for what they saw.
pub struct Visitors {
    seen: Arc<Visits>,
    threads: Vec<JoinHandle<()>>,
}

/// What they saw.
#[derive(Default)]
pub struct Visits {
    leave: AtomicBool,
    /// Answers that were as they should be.
    pub right: AtomicUsize,
    /// The others, as far as there is any use in looking at them.
    pub wrong: Mutex<Vec<String>>,
    times: Mutex<Vec<Duration>>,
}

impl Visits {
    /// What 99 of 100 answers did not take longer than.
    pub fn p99(&self) -> Duration {
        let mut times = self.times.lock().expect("the times").clone();
        times.sort_unstable();
        times.get(times.len() * 99 / 100).copied().unwrap_or_default()
    }
}

impl Visitors {
    /// So many.
    pub fn come(count: usize, proxy: SocketAddr) -> Visitors {
        let seen = Arc::<Visits>::default();
        let threads = (0..count).map(|number| {
            let seen = Arc::clone(&seen);
            std::thread::spawn(move || visit(proxy, number, &seen))
        });
        Visitors { threads: threads.collect(), seen }
    }

    /// How many answers they have had.
    pub fn answers(&self) -> usize {
        self.seen.right.load(Ordering::Relaxed)
    }

    /// They leave.
    pub fn leave(self) -> Arc<Visits> {
        self.seen.leave.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().expect("a visitor");
        }
        self.seen
    }
}

fn visit(proxy: SocketAddr, number: usize, visits: &Visits) {
    let mut client = Connection::open(proxy);
    for step in 0.. {
        if visits.leave.load(Ordering::Relaxed) {
            return;
        }
        let Err(wrong) = ask(&mut client, number, step, visits) else {
            // A person reads what came.
            std::thread::sleep(Duration::from_millis(1));
            continue;
        };
        let mut all = visits.wrong.lock().expect("what was wrong");
        all.truncate(20);
        all.push(wrong);
        drop(all);
        client = Connection::open(proxy);
    }
}

/// One request; what was wrong with its answer.
#[expect(clippy::disallowed_methods, reason = "what is measured is real time")]
fn ask(client: &mut Connection, number: usize, step: usize, visits: &Visits) -> Result<(), String> {
    let (method, target, cookie, body) = match step % 5 {
        0 | 1 => ("GET", format!("/stored/{}", step % 50), String::new(), String::new()),
        2 => ("GET", format!("/page?{number}-{step}"), String::new(), String::new()),
        3 => ("GET", "/account".to_string(), format!("sessionid={number}"), String::new()),
        _ => ("POST", "/upload".to_string(), String::new(), format!("{number}-").repeat(1000)),
    };
    let mut head = format!("{method} {target} HTTP/1.1\r\nHost: site.test\r\n");
    if !cookie.is_empty() {
        head.push_str(&format!("Cookie: {cookie}\r\n"));
    }
    if !body.is_empty() {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    let begun = Instant::now();
    client.send(format!("{head}\r\n{body}").as_bytes());
    let answer = client.answer(method);
    let took = begun.elapsed();
    let expected = content(method, &target, &cookie, body.as_bytes());
    match answer {
        Some(Response { status: 200, complete: true, body, .. }) if body == expected.as_bytes() => {
            visits.right.fetch_add(1, Ordering::Relaxed);
            visits.times.lock().expect("the times").push(took);
            Ok(())
        }
        other => Err(format!("{method} {target}: {:?}", other.map(|a| (a.status, a.text())))),
    }
}
