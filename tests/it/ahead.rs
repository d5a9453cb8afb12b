//! What is read before it can be handed on: answers, while their client takes nothing; the
//! beginning of a request's body, before the app is asked.

use crate::harness::{Connection, Gate, Larder, Origin, get, read_head, reply};
use std::io::{BufReader, Read, Write};
use std::net::Shutdown;
use std::sync::mpsc::channel;

/// One request at a time, so that whoever holds the place of another is noticed.
const ONE: (&str, &str) = ("LARDER_ORIGIN__MAX_CONNECTIONS", "1");

/// As much is read ahead as the pages here have.
const AHEAD: (&str, &str) = ("LARDER_ORIGIN__READ_AHEAD", "256KiB");

/// What each framing brings in so many pieces of 1 KiB, and whether it can have trailers.
fn framed(framing: &str, pieces: usize) -> String {
    let piece = "x".repeat(1024);
    match framing {
        "length" => format!("Content-Length: {}\r\n\r\n{}", 1024 * pieces, piece.repeat(pieces)),
        "chunks" => {
            let chunk = format!("400\r\n{piece}\r\n");
            let head = "Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n";
            format!("{head}{}0\r\nX-Sum: 7\r\n\r\n", chunk.repeat(pieces))
        }
        _ => format!("\r\n{}", piece.repeat(pieces)),
    }
}

const FRAMINGS: [&str; 3] = ["length", "chunks", "end"];

/// Answers `/FRAMING` with 200 KiB in that framing, `/mebibyte` with more, and anything else
/// with a word.
fn pages() -> Origin {
    Origin::scripted(|seen, stream| {
        let (framing, pieces) = match &seen.target[1..] {
            "mebibyte" => ("chunks", 1024),
            framing => (framing, 200),
        };
        if !FRAMINGS.contains(&framing) {
            return stream.write_all(reply(200, &[], "page").as_bytes()).is_ok();
        }
        let head = "HTTP/1.1 200 OK\r\nCache-Control: no-store\r\n";
        let answer = format!("{head}{}", framed(framing, pieces));
        stream.write_all(answer.as_bytes()).is_ok() && framing != "end"
    })
}

#[test]
fn an_answer_that_its_client_does_not_take_holds_no_place_at_the_origin() {
    let origin = pages();
    let larder = Larder::with_env(origin.address, &[], &[ONE, AHEAD]);
    for framing in FRAMINGS {
        let mut slow = Connection::from_afar(larder.proxy);
        slow.ask(&format!("/{framing}"), "TE: trailers\r\nConnection: te\r\n");
        let head = slow.head().expect("a head");
        for _ in 0..3 {
            assert_eq!(get(larder.proxy, "/other", &[]).status, 200, "{framing}");
        }
        let answer = slow.with_body("GET", head).expect("a body");
        assert!(answer.complete && answer.body == vec![b'x'; 200 * 1024], "{framing}");
        let trailers = [("x-sum".to_string(), "7".to_string())];
        assert_eq!(answer.trailers, if framing == "chunks" { &trailers[..] } else { &[] });
    }
}

#[test]
fn what_is_not_read_ahead_holds_its_place() {
    let origin = pages();
    let env =
        [ONE, ("LARDER_ORIGIN__READ_AHEAD", "64KiB"), ("LARDER_ORIGIN__QUEUE_TIMEOUT", "100ms")];
    let larder = Larder::with_env(origin.address, &[], &env);
    let mut slow = Connection::from_afar(larder.proxy);
    slow.ask("/mebibyte", "");
    let head = slow.head().expect("a head");
    let busy = get(larder.proxy, "/other", &[]);
    assert_eq!(busy.cache_status(), "larder; fwd=uri-miss; detail=origin-busy");
    assert!(slow.with_body("GET", head).expect("a body").complete);
    assert_eq!(get(larder.proxy, "/other", &[]).status, 200);
}

#[test]
fn what_breaks_behind_what_is_read_ahead_is_broken_for_the_client() {
    let origin = Origin::scripted(|seen, stream| {
        if seen.target == "/other" {
            return stream.write_all(reply(200, &[], "page").as_bytes()).is_ok();
        }
        let head = "HTTP/1.1 200 OK\r\nCache-Control: no-store\r\n";
        let whole = format!("{head}{}", framed(&seen.target[1..], 200));
        stream.write_all(&whole.as_bytes()[..whole.len() - 100]).is_err()
    });
    let larder = Larder::with_env(origin.address, &[], &[ONE, AHEAD]);
    for framing in ["length", "chunks"] {
        let mut slow = Connection::from_afar(larder.proxy);
        slow.ask(&format!("/{framing}"), "");
        let head = slow.head().expect("a head");
        // It has been read to where it breaks off: its place is free.
        assert_eq!(get(larder.proxy, "/other", &[]).status, 200);
        let answer = slow.with_body("GET", head).expect("what there is of a body");
        assert!(!answer.complete && answer.body.iter().all(|byte| *byte == b'x'), "{framing}");
    }
}

#[test]
fn a_client_that_leaves_ends_what_is_read_ahead_of_it() {
    let left = Gate::closed();
    let told = left.clone();
    let origin = Origin::scripted(move |_, stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nCache-Control: no-store\r\n\r\n").expect("a head");
        while stream.write_all(&[b'x'; 65_536]).is_ok() {}
        told.open();
        false
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    let mut slow = Connection::from_afar(larder.proxy);
    slow.ask("/endless", "");
    slow.head().expect("a head");
    drop(slow);
    left.pass();
}

#[test]
fn an_upload_that_breaks_off_at_its_beginning_never_reaches_the_origin() {
    let origin = Origin::answering(|_| reply(200, &[], "page"));
    let env = [("LARDER_TIMEOUTS__BODY_STALL", "300ms"), ("LARDER_LIMITS__REQUEST_BODY", "2KiB")];
    let larder = Larder::with_env(origin.address, &[], &env);
    let head = "POST / HTTP/1.1\r\nHost: site.test\r\n";
    let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n");
    let half = [format!("{head}Content-Length: 10\r\n\r\nhalf"), format!("{chunked}4\r\nhalf\r\n")];
    for sent in &half {
        let mut stalls = Connection::open(larder.proxy);
        stalls.send(sent.as_bytes());
        assert_eq!(stalls.answer("POST").expect("an answer").status, 408);
        assert!(stalls.is_closed());
        let mut leaves = Connection::open(larder.proxy);
        leaves.send(sent.as_bytes());
        leaves.stream().shutdown(Shutdown::Write).expect("it leaves");
        assert_eq!(leaves.answer("POST").expect("an answer").status, 400);
    }
    let mut large = Connection::open(larder.proxy);
    large.send(format!("{chunked}801\r\n{}", "x".repeat(0x801)).as_bytes());
    assert_eq!(large.answer("POST").expect("an answer").status, 413);
    assert_eq!(larder.get("/").status, 200);
    assert_eq!((origin.count(), origin.last().method.as_str()), (1, "GET"));
    assert_eq!(larder.stat("/origin/failures"), 0);
}

#[test]
fn a_client_that_leaves_in_the_middle_of_its_body_breaks_it_for_the_origin() {
    let (sender, seen) = channel();
    let asked = Gate::closed();
    let told = asked.clone();
    let origin = Origin::raw(move |_, stream| {
        let mut reader = BufReader::new(stream);
        let head = read_head(&mut reader).expect("a request");
        told.open();
        let mut body = Vec::new();
        let _ = reader.read_to_end(&mut body);
        sender.send((head, body)).expect("the test listens");
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    let mut client = Connection::open(larder.proxy);
    let head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    client.send(format!("{head}10000\r\n{}\r\n", "x".repeat(65_536)).as_bytes());
    asked.pass();
    client.send(b"5\r\nafter\r\n");
    client.stream().shutdown(Shutdown::Both).expect("it leaves");
    let (head, body) = seen.recv_timeout(crate::harness::DEADLINE).expect("what has come");
    assert_eq!(head.field("transfer-encoding"), Some("chunked"));
    assert!(body.len() > 65_536 && !body.ends_with(b"0\r\n\r\n"), "a cut body must not look whole");
}

#[test]
fn what_is_read_first_is_sent_with_its_length_and_what_can_be_sent_twice_is() {
    let origin = Origin::scripted(|seen, stream| {
        // The second one on each connection is left without an answer.
        seen.target == "/warm" && stream.write_all(reply(200, &[], "ok").as_bytes()).is_ok()
            || seen.connection > 0 && stream.write_all(reply(200, &[], "ok").as_bytes()).is_ok()
    });
    let larder = Larder::with_env(origin.address, &[], &[("LARDER_THREADS", "1")]);
    assert_eq!(larder.get("/warm").status, 200);
    let chunked = "HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut client = Connection::open(larder.proxy);
    client.send(format!("PUT /put {chunked}2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n").as_bytes());
    assert_eq!(client.answer("PUT").expect("an answer").text(), "ok");
    let seen = origin.last();
    assert_eq!((seen.body.as_slice(), seen.field("content-length")), (&b"abcde"[..], Some("5")));
    assert_eq!((seen.field("transfer-encoding"), origin.asked_for("/put")), (None, 2));
}
