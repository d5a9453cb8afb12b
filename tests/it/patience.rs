//! Clients who take their time: each is waited for, but not for ever.

use crate::harness::{
    Connection, Larder, Origin, exchange, read_head, reply, request, together, wait_until,
};
use std::io::{BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

fn echo() -> Origin {
    Origin::answering(|_| reply(200, &["Cache-Control: max-age=60"], "page"))
}

const QUICK: &[(&str, &str)] = &[
    ("LARDER_THREADS", "1"),
    ("LARDER_TIMEOUTS__HEADER", "300ms"),
    ("LARDER_TIMEOUTS__KEEP_ALIVE", "300ms"),
    ("LARDER_TIMEOUTS__BODY_STALL", "300ms"),
    ("LARDER_TIMEOUTS__WRITE_STALL", "300ms"),
];

#[test]
fn a_head_that_does_not_come_whole_gets_408() {
    let origin = echo();
    let larder = Larder::with_env(origin.address, &[], QUICK);
    for bytes in [&b"GET / HT"[..], b"GET / HTTP/1.1\r\nHost: site.test\r\n"] {
        let text = String::from_utf8_lossy(&exchange(larder.proxy, bytes)).into_owned();
        assert!(text.starts_with("HTTP/1.1 408 "), "{bytes:?}: {text}");
        assert!(text.contains("Connection: close"));
    }
    // Who says nothing at all is left without a word: browsers connect ahead of need.
    assert_eq!(exchange(larder.proxy, b""), b"");
    // Byte by byte is no way round it: the time is for the whole head.
    let mut slow = TcpStream::connect(larder.proxy).expect("a connection");
    let mut reader = slow.try_clone().expect("the other half");
    let told = std::thread::spawn(move || {
        let mut text = String::new();
        let _ = reader.read_to_string(&mut text);
        text
    });
    slow.write_all(b"GET / HTTP/1.1\r\nX: ").expect("a beginning");
    while !told.is_finished() && slow.write_all(b"a").is_ok() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let text = told.join().expect("the answer");
    assert!(text.is_empty() || text.starts_with("HTTP/1.1 408 "), "{text}");
    assert_eq!(origin.count(), 0);
}

#[test]
fn a_connection_without_a_next_request_is_closed_without_a_word() {
    let origin = echo();
    let larder = Larder::with_env(origin.address, &[], QUICK);
    let mut client = Connection::open(larder.proxy);
    for _ in 0..2 {
        client.ask("/", "");
        assert_eq!(client.answer("GET").expect("an answer").status, 200);
    }
    assert!(client.answer("GET").is_none());
    // What has begun of the next one counts as a head.
    let mut client = Connection::open(larder.proxy);
    client.ask("/", "");
    client.answer("GET").expect("an answer");
    client.send(b"GET / HT");
    assert_eq!(client.answer("GET").expect("an answer").status, 408);
    // So it does if it came together with a whole one.
    for first in ["GET / HTTP/1.1\r\n", "POST / HTTP/1.1\r\nContent-Length: 1\r\n"] {
        let mut client = Connection::open(larder.proxy);
        let body = if first.starts_with("POST") { "x" } else { "" };
        client.send(format!("{first}Host: site.test\r\n\r\n{body}GET / HT").as_bytes());
        assert_eq!(client.answer("GET").expect("an answer").status, 200, "{first}");
        assert_eq!(client.answer("GET").expect("an answer").status, 408, "{first}");
    }
}

/// An application may answer before it has read all of an upload, and go on reading.
#[test]
fn the_rest_of_an_upload_that_is_answered_already_is_no_head() {
    const LENGTH: usize = 20;
    let received = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&received);
    let origin = Origin::raw(move |_, mut stream| {
        let copy = stream.try_clone().expect("the same socket");
        let _ = read_head(&mut BufReader::with_capacity(1, copy));
        stream.write_all(reply(200, &[], "early").as_bytes()).expect("an answer");
        let mut space = [0; 64];
        while let Ok(more @ 1..) = stream.read(&mut space) {
            count.fetch_add(more, Ordering::SeqCst);
        }
    });
    let larder = Larder::with_env(
        origin.address,
        &[],
        &[&[("LARDER_LIMITS__REQUEST_AHEAD", "0"), ("LARDER_LIMITS__BODY_RATE", "0")], QUICK]
            .concat(),
    );
    let mut client = Connection::open(larder.proxy);
    let head = format!("POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: {LENGTH}\r\n\r\n");
    client.send(head.as_bytes());
    assert_eq!(client.answer("POST").expect("an answer").text(), "early");
    // Longer in all than a head may take, and each byte sooner than a body may stall.
    for _ in 0..LENGTH {
        std::thread::sleep(Duration::from_millis(50));
        client.send(b"x");
    }
    wait_until("all of it is there", || received.load(Ordering::SeqCst) == LENGTH);
}

#[test]
fn a_slow_answer_is_not_taken_for_an_idle_connection() {
    let origin = Origin::scripted(|_, stream| {
        // Longer than every time-out for clients; the answer is what is waited for.
        std::thread::sleep(Duration::from_millis(700));
        stream.write_all(reply(200, &[], "at last").as_bytes()).is_ok()
    });
    let larder = Larder::with_env(origin.address, &[], QUICK);
    assert_eq!(larder.get("/").text(), "at last");
    assert_eq!(request(larder.proxy, "POST", "/", &[], b"x").text(), "at last");
}

#[test]
fn a_body_that_stalls_gets_408() {
    let origin = echo();
    let larder = Larder::with_env(origin.address, &[], QUICK);
    for kept_alive in [false, true] {
        if kept_alive {
            assert_eq!(request(larder.proxy, "POST", "/warm", &[], b"x").status, 200);
        }
        for head in
            ["Content-Length: 10\r\n\r\nhalf", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"]
        {
            let mut client = Connection::open(larder.proxy);
            client.send(format!("POST / HTTP/1.1\r\nHost: x\r\n{head}").as_bytes());
            let answer = client.answer("POST").expect("an answer");
            assert_eq!(
                (answer.status, answer.field("connection")),
                (408, Some("close")),
                "{kept_alive}"
            );
            assert!(client.is_closed());
        }
    }
}

/// A byte before each pause is over would hold a worker for as long as its client likes.
#[test]
fn a_body_that_drips_gets_408_though_it_never_stands_still() {
    const LENGTH: usize = 400;
    let origin = echo();
    for ahead in ["0", "1KiB"] {
        let larder = Larder::with_env(
            origin.address,
            &[],
            &[&[("LARDER_LIMITS__REQUEST_AHEAD", ahead)], QUICK].concat(),
        );
        let mut slow = TcpStream::connect(larder.proxy).expect("a connection");
        let head = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {LENGTH}\r\n\r\n");
        slow.write_all(head.as_bytes()).expect("a head");
        let mut reader = slow.try_clone().expect("the other half");
        let told = std::thread::spawn(move || {
            let mut text = String::new();
            let _ = reader.read_to_string(&mut text);
            text
        });
        let mut sent = 0;
        while sent < LENGTH && !told.is_finished() && slow.write_all(b"x").is_ok() {
            sent += 1;
            std::thread::sleep(Duration::from_millis(50));
        }
        let text = told.join().expect("the answer");
        assert!(text.starts_with("HTTP/1.1 408 "), "{ahead}: {sent} bytes, {text}");
        assert!(sent < LENGTH / 4, "{ahead}: {sent} bytes");
    }
}

#[test]
fn a_client_that_takes_nothing_is_let_go() {
    let origin = Origin::scripted(|_, stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nCache-Control: no-store\r\n\r\n").expect("a head");
        while stream.write_all(&[b'x'; 65536]).is_ok() {}
        false
    });
    let larder = Larder::with_env(origin.address, &["--access-log", "json"], QUICK);
    let mut client = Connection::open(larder.proxy);
    client.ask("/", "");
    client.head().expect("a head");
    // The line is written when the response is over, though nothing was read.
    let line: serde_json::Value = serde_json::from_str(&larder.next_line()).expect("JSON");
    assert_eq!(line["target"], "/");
    // What it hasn't taken is not kept for it.
    let read = std::io::copy(client.reader(), &mut std::io::sink());
    assert_eq!(read.expect_err("a reset").kind(), ErrorKind::ConnectionReset);
}

#[test]
fn connections_beyond_the_limit_are_turned_away() {
    let origin = echo();
    let larder = Larder::with_env(origin.address, &[], &[("LARDER_LIMITS__CONNECTIONS", "3")]);
    let mut inside: Vec<Connection> = (0..3)
        .map(|_| {
            let mut client = Connection::open(larder.proxy);
            client.ask("/", "");
            assert_eq!(client.answer("GET").expect("an answer").status, 200);
            client
        })
        .collect();
    let proxy = larder.proxy;
    for text in together(3, move |_| exchange(proxy, b"")) {
        let text = String::from_utf8_lossy(&text).into_owned();
        assert!(text.starts_with("HTTP/1.1 503 ") && text.contains("Retry-After: 1"), "{text}");
    }
    assert_eq!(larder.stat("/troubles/connections"), 3);
    inside.pop();
    wait_until("there is room again", || {
        let mut client = Connection::open(proxy);
        client.ask("/", "");
        client.answer("GET").is_some_and(|answer| answer.status == 200)
    });
}

#[test]
fn a_connection_that_is_used_is_not_closed_for_having_been_idle_before() {
    let origin = echo();
    let larder = Larder::with_env(origin.address, &[], QUICK);
    let mut client = Connection::open(larder.proxy);
    // Others are waited for and given up meanwhile, one after the other.
    let given_up = std::thread::scope(|scope| {
        let proxy = larder.proxy;
        let others = scope.spawn(move || [(); 3].map(|()| exchange(proxy, b"GET / HT")));
        while !others.is_finished() {
            client.ask("/", "");
            assert_eq!(client.answer("GET").expect("an answer").status, 200);
        }
        others.join().expect("no panic")
    });
    assert!(given_up.iter().all(|answer| answer.starts_with(b"HTTP/1.1 408 ")));
}
