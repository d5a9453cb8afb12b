//! Requests that are not let in, and clients who take their time: each is told
//! what is wrong, and the connection is closed.

use crate::harness::{Connection, Larder, Origin, exchange, reply, request, together, wait_until};
use std::io::{Read, Write};
use std::net::TcpStream;

fn echo() -> Origin {
    Origin::answering(|_| reply(200, &["Cache-Control: max-age=60"], "page"))
}

/// The status of the first answer to these bytes, and that nothing follows it.
fn refused(larder: &Larder, bytes: &[u8]) -> u16 {
    let smuggled = b"GET /smuggled HTTP/1.1\r\nHost: site.test\r\n\r\n";
    let text = exchange(larder.proxy, &[bytes, smuggled].concat());
    let text = String::from_utf8_lossy(&text).into_owned();
    assert_eq!(
        text.matches("HTTP/1.1 ").count(),
        1,
        "{:?}: {text}",
        String::from_utf8_lossy(bytes)
    );
    text.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status")
}

#[test]
fn malformed_requests_get_400_and_a_closed_connection() {
    let origin = echo();
    let larder = Larder::in_front_of(origin.address, &[]);
    let cases: &[&[u8]] = &[
        // The request line.
        b"GET\r\n\r\n",
        b"GET /\r\nHost: site.test\r\n\r\n",
        b"GET / HTTP/1.1 x\r\nHost: site.test\r\n\r\n",
        b"GET / HTTP/3.1\r\nHost: site.test\r\n\r\n",
        b"GET / ICY/1.1\r\nHost: site.test\r\n\r\n",
        b"G ET / HTTP/1.1\r\nHost: site.test\r\n\r\n",
        b"G(T / HTTP/1.1\r\nHost: site.test\r\n\r\n",
        b"GET /a b HTTP/1.1\r\nHost: site.test\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: site.test\r\n\r\n",
        b"GET /\x7f HTTP/1.1\r\nHost: site.test\r\n\r\n",
        b"GET page HTTP/1.1\r\nHost: site.test\r\n\r\n",
        b"GET * HTTP/1.1\r\nHost: site.test\r\n\r\n",
        b"GET /a#b HTTP/1.1\r\nHost: site.test\r\n\r\n",
        b"GET http://user@site.test/ HTTP/1.1\r\nHost: site.test\r\n\r\n",
        b"GET ftp://site.test/ HTTP/1.1\r\nHost: site.test\r\n\r\n",
        b"GET http:///a HTTP/1.1\r\nHost: site.test\r\n\r\n",
        // Fields.
        b"GET / HTTP/1.1\r\nHost: site.test\r\nX A: 1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: site.test\r\nX-A : 1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: site.test\r\nnocolon\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: site.test\r\n: 1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: site.test\r\nX-A: 1\r\n 2\r\n\r\n",
        b"GET / HTTP/1.1\r\n Host: site.test\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: site.test\r\nX-A: a\x00b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: site.test\r\nX-A: a\rb\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: site.test\r\nX-A: a\x01b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: site.test\r\nX\x00A: b\r\n\r\n",
        // Host.
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: site.test\r\nHost: site.test\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a.test, b.test\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: site.test/path\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: user@site.test\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: site.test:http\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: site.test:99999\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost:\r\n\r\n",
        // The length of the body.
        b"POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        b"POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 1, 1\r\n\r\nx",
        b"POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: +1\r\n\r\nx",
        b"POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: -1\r\n\r\nx",
        b"POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 0x1\r\n\r\nx",
        b"POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 1 1\r\n\r\nx",
        b"POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length:\r\n\r\nx",
        b"POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 9223372036854775808\r\n\r\nx",
        b"POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 18446744073709551616\r\n\r\nx",
        b"POST / HTTP/1.0\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        // Garbage, and other protocols.
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x00\x00\x00\x00\r\n\r\n",
    ];
    for bytes in cases {
        assert_eq!(refused(&larder, bytes), 400, "{:?}", String::from_utf8_lossy(bytes));
    }
    assert_eq!(origin.count(), 0, "{:?}", origin.seen());
    // None of them took a place for ever.
    assert_eq!(larder.get("/").status, 200);
}

#[test]
fn codings_that_are_not_understood_are_refused() {
    let origin = echo();
    let larder = Larder::in_front_of(origin.address, &[]);
    for coding in
        ["gzip", "chunked, gzip", "xchunked", "chunked, chunked", "identity", "\"chunked\""]
    {
        let head = format!(
            "POST / HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: {coding}\r\n\r\n0\r\n\r\n"
        );
        let status = refused(&larder, head.as_bytes());
        assert!([400, 501].contains(&status), "{coding}: {status}");
    }
    let twice = b"POST / HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\n\
                  Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    assert!([400, 501].contains(&refused(&larder, twice)));
    assert_eq!(origin.count(), 0);
}

#[test]
fn a_chunked_body_that_is_broken_gets_400_and_breaks_for_the_origin() {
    let origin = echo();
    let larder = Larder::with_env(origin.address, &[], &[("LARDER_THREADS", "1")]);
    let chunks: &[&[u8]] = &[
        b"x\r\nabc\r\n0\r\n\r\n",
        b"-1\r\nabc\r\n0\r\n\r\n",
        b"3\nabc\r\n0\r\n\r\n",
        b"3\r\nabcd\r\n0\r\n\r\n",
        b"3 3\r\nabc\r\n0\r\n\r\n",
        b"fffffffffffffffff\r\nabc\r\n0\r\n\r\n",
        b"3\r\nabc\r\n0\r\nbad trailer\r\n\r\n",
    ];
    for kept_alive in [false, true] {
        for chunk in chunks {
            if kept_alive {
                // The same over a connection to the origin that was used before.
                assert_eq!(request(larder.proxy, "POST", "/warm", &[], b"x").status, 200);
            }
            let head =
                b"POST /up HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\n\r\n";
            let bytes = [&head[..], chunk].concat();
            let text = String::from_utf8_lossy(chunk);
            assert_eq!(refused(&larder, &bytes), 400, "{text:?} {kept_alive}");
        }
    }
    wait_until("the origin is done", || origin.asked_for("/up") <= chunks.len() * 2);
    assert!(origin.seen().iter().all(|seen| seen.target != "/up" || !seen.complete));
    assert_eq!(origin.asked_for("/smuggled"), 0);
}

#[test]
fn what_is_too_large_is_refused() {
    let origin = echo();
    let larder = Larder::in_front_of(origin.address, &[]);
    let target =
        |length: usize| format!("GET /{} HTTP/1.1\r\nHost: site.test\r\n", "a".repeat(length - 1));
    let field = |length: usize| {
        format!("GET / HTTP/1.1\r\nHost: site.test\r\nX: {}\r\n", "a".repeat(length - 1))
    };
    let fields = |count: usize, size: usize| {
        let line = |number: usize| format!("X-{number}: {}\r\n", "a".repeat(size));
        let lines: String = (0..count).map(line).collect();
        format!("GET / HTTP/1.1\r\nHost: site.test\r\n{lines}")
    };
    for (head, status) in [
        (target(8192), 200),
        (target(8193), 414),
        (target(40_000), 431),
        (field(8190), 200),
        (field(8191), 431),
        (fields(98, 1), 200),
        (fields(100, 1), 431),
        (fields(5, 8000), 431),
    ] {
        let text = exchange(larder.proxy, format!("{head}Connection: close\r\n\r\n").as_bytes());
        let text = String::from_utf8_lossy(&text);
        let line = text.lines().next().unwrap_or_default().to_string();
        assert!(
            line.starts_with(&format!("HTTP/1.1 {status} ")),
            "{}: {line}",
            &head[..60.min(head.len())]
        );
    }
    assert_eq!(origin.count(), 2, "the last one is a hit");
}

#[test]
fn a_body_that_is_too_large_is_refused() {
    let origin = echo();
    let env = [("LARDER_LIMITS__REQUEST_BODY", "1000"), ("LARDER_THREADS", "1")];
    let larder = Larder::with_env(origin.address, &[], &env);
    assert_eq!(request(larder.proxy, "POST", "/", &[], &[b'x'; 1000]).status, 200);
    let answer = request(larder.proxy, "POST", "/", &[], &[b'x'; 1001]);
    assert_eq!((answer.status, answer.field("connection")), (413, Some("close")));
    assert_eq!(answer.cache_status(), "larder");
    assert_eq!(origin.count(), 1);
    // Over a new connection to the origin, and over one that was used before.
    for _ in 0..2 {
        let mut client = Connection::open(larder.proxy);
        client.send(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
        client.send(format!("1f4\r\n{0}\r\n1f5\r\n{0}x\r\n0\r\n\r\n", "x".repeat(500)).as_bytes());
        let answer = client.answer("POST").expect("an answer");
        assert_eq!((answer.status, answer.field("connection")), (413, Some("close")));
        assert_eq!(answer.cache_status(), "larder; fwd=method; detail=request-body");
        assert!(!origin.last().complete);
    }
}

#[test]
fn methods_and_circles_that_are_refused() {
    let origin = echo();
    let larder = Larder::in_front_of(origin.address, &[]);
    for (head, status) in [
        ("CONNECT site.test:443 HTTP/1.1\r\nHost: site.test:443\r\n", 405),
        ("TRACE / HTTP/1.1\r\nHost: site.test\r\n", 405),
        (
            "GET / HTTP/1.1\r\nHost: site.test\r\nVia: 1.1 larder, 1.1 larder, 1.1 larder, 1.1 larder\r\n",
            508,
        ),
    ] {
        let mut client = Connection::open(larder.proxy);
        client.send(format!("{head}\r\n").as_bytes());
        let answer = client.answer("GET").expect("an answer");
        assert_eq!((answer.status, answer.field("connection")), (status, Some("close")), "{head}");
        assert_eq!(answer.field("content-type"), Some("text/plain; charset=utf-8"));
        assert_eq!(answer.field("cache-control"), Some("no-store"));
        assert_eq!(answer.cache_status(), "larder");
        assert!(answer.text().starts_with(&status.to_string()) && answer.text().len() < 200);
        assert!(client.is_closed());
    }
    assert_eq!(origin.count(), 0);
}

#[test]
fn a_request_that_goes_in_circles_is_ended() {
    let own = std::sync::Arc::new(std::sync::OnceLock::new());
    let back = std::sync::Arc::clone(&own);
    let origin = Origin::raw(move |_, outside| {
        let inside = TcpStream::connect(*back.get().expect("an address")).expect("larder");
        let (mut from, mut to) =
            (outside.try_clone().expect("a half"), inside.try_clone().expect("a half"));
        std::thread::spawn(move || std::io::copy(&mut from, &mut to));
        let (mut from, mut to) = (inside, outside);
        let _ = std::io::copy(&mut from, &mut to);
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    own.set(larder.proxy).expect("set once");
    assert_eq!(request(larder.proxy, "POST", "/", &[], b"x").status, 508);
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
    for bytes in [&b""[..], b"GET / HT", b"GET / HTTP/1.1\r\nHost: site.test\r\n"] {
        let text = String::from_utf8_lossy(&exchange(larder.proxy, bytes)).into_owned();
        assert!(text.starts_with("HTTP/1.1 408 "), "{bytes:?}: {text}");
        assert!(text.contains("Connection: close"));
    }
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
        std::thread::sleep(std::time::Duration::from_millis(10));
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
}

#[test]
fn a_slow_answer_is_not_taken_for_an_idle_connection() {
    let origin = Origin::scripted(|_, stream| {
        // Longer than every time-out for clients; the answer is what is waited for.
        std::thread::sleep(std::time::Duration::from_millis(700));
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

#[test]
fn a_client_that_leaves_in_the_middle_of_its_body_breaks_it_for_the_origin() {
    let origin = echo();
    let larder = Larder::in_front_of(origin.address, &[]);
    let mut client = Connection::open(larder.proxy);
    client.send(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n");
    client.stream().shutdown(std::net::Shutdown::Both).expect("it leaves");
    wait_until("the origin has what there was", || origin.count() == 1);
    assert!(!origin.last().complete, "a cut body must not look whole");
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
    assert_eq!(larder.stat("/turned_away"), 3);
    inside.pop();
    wait_until("there is room again", || {
        let mut client = Connection::open(proxy);
        client.ask("/", "");
        client.answer("GET").is_some_and(|answer| answer.status == 200)
    });
}
