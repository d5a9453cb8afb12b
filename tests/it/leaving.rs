//! Clients that leave, and clients that have only nothing more to say: while the
//! origin is silent, nothing is written that would tell them apart.

use crate::harness::{Connection, Gate, Larder, Origin, reply};
use socket2::SockRef;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

/// How a client goes away.
#[derive(Clone, Copy, Debug)]
enum Leaving {
    /// It closes, having read all.
    Closes,
    /// Its machine says that there is nobody.
    Resets,
}

impl Leaving {
    fn of(self, client: Connection) {
        if matches!(self, Leaving::Resets) {
            SockRef::from(client.stream()).set_linger(Some(Duration::ZERO)).expect("a linger");
        }
        drop(client);
    }
}

/// Waits until larder closes; when that was.
#[expect(clippy::disallowed_methods, reason = "what is measured is real time")]
fn closed(stream: &mut TcpStream) -> Instant {
    assert!(matches!(stream.read(&mut [0]), Ok(0) | Err(_)), "nothing more is asked for");
    Instant::now()
}

#[test]
#[expect(clippy::disallowed_methods, reason = "what is measured is real time")]
fn a_silent_answer_without_end_stops_when_its_last_client_has_left() {
    for leaving in [Leaving::Closes, Leaving::Resets] {
        for cache in ["max-age=60", "no-store"] {
            let (sender, when_closed) = std::sync::mpsc::channel();
            let origin = Origin::scripted(move |_, stream| {
                let head = format!("HTTP/1.1 200 OK\r\nCache-Control: {cache}\r\n\r\nx");
                stream.write_all(head.as_bytes()).expect("the beginning");
                sender.send(closed(stream)).is_err()
            });
            let larder = Larder::in_front_of(origin.address, &[]);
            let mut client = Connection::open(larder.proxy);
            client.ask("/endless", "");
            client.head().expect("a head");
            assert_eq!(client.chunk().expect("a chunk"), b"x");
            let left = Instant::now();
            leaving.of(client);
            let closed = when_closed.recv_timeout(crate::harness::DEADLINE).expect("it stops");
            let took = closed.duration_since(left);
            // Within a second, and what a busy machine adds.
            assert!(took < Duration::from_millis(1500), "{leaving:?}, {cache}: {took:?}");
            assert_eq!(larder.stat("/memory/targets"), 0);
        }
    }
}

/// Who half-closes has said all, and waits for the answer: for its head as long as
/// it takes, and for the rest if it has an end.
#[test]
fn a_client_that_has_only_nothing_more_to_say_is_answered() {
    let (begin, end) = (Gate::closed(), Gate::closed());
    let (head, body) = (begin.clone(), end.clone());
    let origin = Origin::scripted(move |_, stream| {
        head.pass();
        let text = "HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Length: 10\r\n\r\nfirst";
        stream.write_all(text.as_bytes()).expect("the first half");
        body.pass();
        stream.write_all(b"after").is_ok()
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    let mut client = Connection::open(larder.proxy);
    client.ask("/", "");
    client.stream().shutdown(Shutdown::Write).expect("half of it is closed");
    // Longer than a silent answer without end has.
    std::thread::sleep(Duration::from_millis(1200));
    begin.open();
    let response = client.head().expect("a head");
    assert_eq!(client.read_exact(5), b"first");
    std::thread::sleep(Duration::from_millis(1200));
    end.open();
    assert_eq!((response.status, client.read_exact(5)), (200, b"after".to_vec()));
}

/// Without end, too, while there is something to read.
#[test]
fn a_client_that_has_only_nothing_more_to_say_is_given_what_comes() {
    let origin = Origin::scripted(|_, stream| {
        let head = "HTTP/1.1 200 OK\r\nCache-Control: no-store\r\n\r\n";
        stream.write_all(head.as_bytes()).expect("the head");
        for _ in 0..20 {
            std::thread::sleep(Duration::from_millis(100));
            if stream.write_all(b"x").is_err() {
                return false;
            }
        }
        false
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    let mut client = Connection::open(larder.proxy);
    client.ask("/", "");
    client.stream().shutdown(Shutdown::Write).expect("half of it is closed");
    let answer = client.answer("GET").expect("an answer");
    assert_eq!((answer.text(), answer.complete), ("x".repeat(20), true));
}

/// A request that waits its turn behind a silent answer is no sign of leaving.
#[test]
fn a_request_that_waits_behind_a_silent_answer_is_answered() {
    let gate = Gate::closed();
    let waits = gate.clone();
    let origin = Origin::scripted(move |seen, stream| {
        if seen.target == "/next" {
            return stream.write_all(reply(200, &[], "next").as_bytes()).is_ok();
        }
        let text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n";
        stream.write_all(text.as_bytes()).expect("the first half");
        waits.pass();
        stream.write_all(b"5\r\nafter\r\n0\r\n\r\n").is_ok()
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    let mut client = Connection::open(larder.proxy);
    client.ask("/first", "");
    let head = client.head().expect("a head");
    assert_eq!(client.chunk().expect("a chunk"), b"first");
    client.ask("/next", "");
    std::thread::sleep(Duration::from_millis(1200));
    gate.open();
    assert_eq!(client.with_body("GET", head).expect("the rest").text(), "after");
    assert_eq!(client.answer("GET").expect("an answer").text(), "next");
}
