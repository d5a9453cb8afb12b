//! Clients who mean harm: one thread for each kind, until they are told to stop.

use crate::harness::{DEADLINE, request};
use crate::raw;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// The beginning of TLS, and of HTTP/2.
const HELLO: &[u8] = b"\x16\x03\x01\x00\xf8\x01\x00\x00\xf4\x03\x03";
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00";

/// What one of them does, again and again; the number tells which time it is.
type Deed = fn(&Targets, u64);

#[derive(Clone, Copy)]
struct Targets {
    proxy: SocketAddr,
    admin: SocketAddr,
}

const DEEDS: &[(&str, Deed)] = &[
    ("smuggled", |at, time| {
        let cases = raw::requests();
        let case = &cases[time as usize % cases.len()];
        say(at.proxy, case, 512);
    }),
    ("garbage", |at, time| say(at.proxy, &noise(time, 2000), 512)),
    ("tls, h2", |at, time| {
        say(at.proxy, if time.is_multiple_of(2) { HELLO } else { PREFACE }, 512)
    }),
    ("large heads", |at, time| {
        let lines = "X: y\r\n".repeat(time as usize % 20_000);
        let path = "a".repeat(time as usize * 37 % 20_000);
        say(at.proxy, format!("GET /{path} HTTP/1.1\r\nHost: x\r\n{lines}\r\n").as_bytes(), 512);
    }),
    ("aborted downloads", |at, time| {
        let path = if time.is_multiple_of(2) { "/large" } else { "/stored/large" };
        let head = format!("GET {path}?{time} HTTP/1.1\r\nHost: site.test\r\n\r\n");
        say(at.proxy, head.as_bytes(), noise(time, 1)[0] as usize * 100);
    }),
    ("aborted uploads", |at, time| {
        let head = "POST /upload HTTP/1.1\r\nHost: site.test\r\nContent-Length: 200000\r\n\r\n";
        let body = "x".repeat(noise(time, 1)[0] as usize * 700);
        say(at.proxy, format!("{head}{body}").as_bytes(), 0);
    }),
    ("queries", |at, time| {
        let head = format!("GET /stored/1?{time} HTTP/1.1\r\nHost: site.test\r\n\r\n");
        say(at.proxy, head.as_bytes(), 2048);
    }),
    ("hosts", |at, time| {
        let head = format!("GET /stored/1 HTTP/1.1\r\nHost: {time}.test\r\n\r\n");
        say(at.proxy, head.as_bytes(), 2048);
    }),
    ("purges", |at, time| {
        let (purge, body) = match time % 3 {
            0 => ("PURGE", ""),
            1 => ("POST", "{\"tags\": [\"stored\"]}"),
            _ => ("POST", "{\"tags\": [\"stored\"], \"soft\": true}"),
        };
        let (address, path) = match purge {
            "PURGE" => (at.proxy, "/stored/1"),
            _ => (at.admin, "/v1/purge"),
        };
        let answer = request(address, purge, path, &[("Host", "localhost")], body.as_bytes());
        assert_eq!(answer.status, 200, "{}", answer.text());
        std::thread::sleep(Duration::from_millis(20));
    }),
];

/// All kinds of them.
pub struct Hostile {
    leave: Arc<AtomicBool>,
    threads: Vec<(&'static str, Arc<AtomicUsize>, JoinHandle<()>)>,
}

impl Hostile {
    pub fn come(proxy: SocketAddr, admin: SocketAddr) -> Hostile {
        let leave = Arc::<AtomicBool>::default();
        let threads = DEEDS.iter().map(|(name, deed)| {
            let (told, count) = (Arc::clone(&leave), Arc::<AtomicUsize>::default());
            let counted = Arc::clone(&count);
            let thread = std::thread::spawn(move || {
                for time in 0.. {
                    if told.load(Ordering::Relaxed) {
                        return;
                    }
                    deed(&Targets { proxy, admin }, time);
                    counted.fetch_add(1, Ordering::Relaxed);
                    // Else nothing but new connections would be tried.
                    std::thread::sleep(Duration::from_millis(2));
                }
            });
            (*name, count, thread)
        });
        Hostile { threads: threads.collect(), leave }
    }

    /// They leave; how often each has done its deed.
    pub fn leave(self) -> Vec<(&'static str, usize)> {
        self.leave.store(true, Ordering::Relaxed);
        let threads = self.threads.into_iter().map(|(name, count, thread)| {
            thread.join().expect("a hostile client");
            (name, count.load(Ordering::Relaxed))
        });
        threads.collect()
    }
}

/// Sends this, takes so many bytes of what comes if anything does, and leaves.
fn say(proxy: SocketAddr, bytes: &[u8], taken: usize) {
    let mut stream = TcpStream::connect_timeout(&proxy, DEADLINE).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_millis(100))).expect("a time-out");
    // Who is refused early may find the connection closed while still sending.
    let _ = stream.write_all(bytes);
    let mut answer = vec![0; taken];
    let _ = stream.read_exact(&mut answer);
}

/// Bytes that mean nothing, the same for each number.
fn noise(number: u64, count: usize) -> Vec<u8> {
    let mut state = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut bytes = Vec::with_capacity(count);
    while bytes.len() < count {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.push(state.to_be_bytes()[3]);
    }
    bytes
}
