//! Requests that are not let in, and clients who take their time: each is told
//! what is wrong, and the connection is closed.

use crate::harness::{Connection, Larder, Origin, exchange, nobody, reply, request, wait_until};
use std::net::TcpStream;

fn echo() -> Origin {
    Origin::answering(|_| reply(200, &["Cache-Control: max-age=60"], "page"))
}

/// The status of the first answer to these bytes, if none follows it.
fn refused(larder: &Larder, bytes: &[u8]) -> Result<u16, String> {
    let smuggled = b"GET /smuggled HTTP/1.1\r\nHost: site.test\r\n\r\n";
    let mut client = Connection::open(larder.proxy);
    client.send(&[bytes, smuggled].concat());
    let first = client.answer("GET").ok_or("no answer")?;
    match client.answer("GET") {
        None => Ok(first.status),
        Some(second) => Err(format!("{} and then {}", first.status, second.status)),
    }
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
        b"GET / ICY/1.1\r\nHost: site.test\r\n\r\n",
        b"G ET / HTTP/1.1\r\nHost: site.test\r\n\r\n",
        b"G(T / HTTP/1.1\r\nHost: site.test\r\n\r\n",
        b"GET /a b HTTP/1.1\r\nHost: site.test\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: site.test\r\n\r\n",
        b"GET /\x7f HTTP/1.1\r\nHost: site.test\r\n\r\n",
        b"GET page HTTP/1.1\r\nHost: site.test\r\n\r\n",
        b"GET * HTTP/1.1\r\nHost: site.test\r\n\r\n",
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
        b"\x00\x00\x00\x00\r\n\r\n",
    ];
    let wrong: Vec<(String, Result<u16, String>)> = cases
        .iter()
        .map(|bytes| (String::from_utf8_lossy(bytes).into_owned(), refused(&larder, bytes)))
        .filter(|(_, status)| *status != Ok(400))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(origin.count(), 0, "{:?}", origin.seen());
    // None of them took a place for ever.
    assert_eq!(larder.get("/").status, 200);
}

#[test]
fn what_is_refused_before_it_is_read_is_answered_and_written_down_like_the_rest() {
    let origin = echo();
    let larder = Larder::in_front_of(origin.address, &["--access-log", "json"]);
    let unread: &[(&[u8], u16, &str, &str)] = &[
        (b"GET /a#b HTTP/1.1\r\nHost: site.test\r\n\r\n", 400, "GET", "/a#b"),
        (b"HEAD /a HTTP/1.1\r\nX : y\r\n\r\n", 400, "HEAD", "/a"),
        (b"GET / HTTP/2.0\r\n\r\n", 505, "GET", "/"),
        (b"\x16\x03\x01 \r\n\r\n", 400, "-", "\x16\x03\x01 "),
        (b"nonsense\r\n\r\n", 400, "-", "nonsense"),
    ];
    for (bytes, status, method, target) in unread {
        let mut client = Connection::open(larder.proxy);
        client.send(bytes);
        let answer = client.answer(method).expect("an answer");
        assert_eq!((answer.status, answer.field("connection")), (*status, Some("close")));
        assert_eq!(answer.field("cache-control"), Some("no-store"));
        assert_eq!((answer.cache_status(), answer.field("via")), ("larder", Some("1.1 larder")));
        assert!(client.is_closed());
        let line: serde_json::Value = serde_json::from_str(&larder.next_line()).expect("JSON");
        assert_eq!((&line["method"], &line["target"]), (&(*method).into(), &(*target).into()));
        assert_eq!((&line["status"], &line["client"]), (&(*status).into(), &"127.0.0.1".into()));
    }
    assert_eq!(origin.count(), 0);
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
        assert!([Ok(400), Ok(501)].contains(&status), "{coding}: {status:?}");
    }
    let twice = b"POST / HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\n\
                  Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    assert!([Ok(400), Ok(501)].contains(&refused(&larder, twice)));
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
            assert_eq!(refused(&larder, &bytes), Ok(400), "{text:?} {kept_alive}");
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
        let value = "a".repeat(length - "X: \r\n".len());
        format!("GET / HTTP/1.1\r\nHost: site.test\r\nX: {value}\r\n")
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
        (fields(88, 1), 200),
        (fields(90, 1), 431),
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
    let env = [("LARDER_LIMITS__REQUEST_BODY", "10000"), ("LARDER_THREADS", "1")];
    let larder = Larder::with_env(origin.address, &[], &env);
    assert_eq!(request(larder.proxy, "POST", "/", &[], &[b'x'; 10_000]).status, 200);
    let answer = request(larder.proxy, "POST", "/", &[], &[b'x'; 10_001]);
    assert_eq!((answer.status, answer.field("connection")), (413, Some("close")));
    assert_eq!(answer.cache_status(), "larder");
    assert_eq!(origin.count(), 1);
    // It is noticed before the origin is asked, or while it is read there: over a new
    // connection, and over one that was used before.
    let env = [env[0], env[1], ("LARDER_LIMITS__REQUEST_AHEAD", "0")];
    let passing = Larder::with_env(origin.address, &[], &env);
    for (larder, count) in [(&larder, 1), (&passing, 2), (&passing, 3)] {
        let mut client = Connection::open(larder.proxy);
        client.send(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
        let half = "x".repeat(5000);
        client.send(format!("1388\r\n{half}\r\n1389\r\n{half}x\r\n0\r\n\r\n").as_bytes());
        let answer = client.answer("POST").expect("an answer");
        assert_eq!((answer.status, answer.field("connection")), (413, Some("close")));
        assert_eq!(answer.cache_status(), "larder; fwd=method; detail=broken-upload");
        wait_until("the origin has what there was", || origin.count() == count);
        assert_eq!(origin.last().complete, count == 1);
    }
}

#[test]
fn chunk_extensions_and_trailers_have_bounds() {
    let origin = echo();
    let larder = Larder::in_front_of(origin.address, &[]);
    let head = "POST / HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\n\r\n";
    let long = "x".repeat(33_000);
    for body in
        [format!("3;a={long}\r\nabc\r\n0\r\n\r\n"), format!("3\r\nabc\r\n0\r\nX: {long}\r\n\r\n")]
    {
        let answer = refused(&larder, format!("{head}{body}").as_bytes());
        assert_eq!(answer, Ok(400), "{}", &body[..20]);
    }
    let short = format!("{head}3;a=b\r\nabc\r\n0\r\nX: y\r\n\r\n");
    assert!(refused(&larder, short.as_bytes()).is_err(), "200, and the next one is answered");
}

#[test]
fn methods_and_circles_that_are_refused() {
    let origin = echo();
    let larder = Larder::in_front_of(origin.address, &[]);
    let far =
        |hops| format!("GET / HTTP/1.1\r\nHost: site.test\r\nVia: {}\r\n", "1 a,".repeat(hops));
    let too_far = far(129);
    for (head, status) in [
        (too_far.as_str(), 508),
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
        assert_eq!(answer.field("allow").is_some(), status == 405);
        assert_eq!(answer.cache_status(), "larder");
        assert!(answer.text().starts_with(&status.to_string()) && answer.text().len() < 200);
        assert!(client.is_closed());
    }
    assert_eq!(origin.count(), 0);
    let mut client = Connection::open(larder.proxy);
    client.send(format!("{}\r\n", far(128)).as_bytes());
    assert_eq!(client.answer("GET").expect("an answer").status, 200);
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

#[test]
fn what_larder_answers_itself_says_that_it_closes_if_the_body_is_not_there() {
    let (_socket, away) = nobody();
    let env = [("LARDER_ORIGIN__HOLD", "0s"), ("LARDER_PURGE__NETWORKS", "127.0.0.0/8")];
    let larder = Larder::with_env(away, &[], &env);
    let stranger = ("LARDER_PURGE__NETWORKS", "192.0.2.0/24");
    let strict = Larder::with_env(away, &[], &[env[0], stranger]);
    let half = "x".repeat(64 << 10);
    for (larder, head, body, status, closes) in [
        (&larder, "PURGE / HTTP/1.1\r\nContent-Length: 10", "0123456789", 200, false),
        (&larder, "PURGE / HTTP/1.1\r\nContent-Length: 10", "01234", 200, true),
        (&larder, "PURGE / HTTP/1.1\r\nContent-Length: 100000", &*half, 200, true),
        (&larder, "PURGE / HTTP/1.1\r\nTransfer-Encoding: chunked", "5\r\n01234", 200, true),
        (&larder, "REFRESH / HTTP/1.1\r\nContent-Length: 10", "", 502, true),
        (&larder, "BAN / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 9", "", 200, true),
        (&strict, "PURGE / HTTP/1.1\r\nContent-Length: 10", "0123456789", 403, false),
        (&strict, "PURGE / HTTP/1.1\r\nContent-Length: 10", "", 403, true),
        (&larder, "POST / HTTP/1.1\r\nContent-Length: 10", "0123456789", 502, false),
        (&larder, "POST / HTTP/1.1\r\nContent-Length: 100000", &*half, 502, true),
    ] {
        let mut client = Connection::open(larder.proxy);
        client.send(format!("{head}\r\nHost: site.test\r\n\r\n{body}").as_bytes());
        let answer = client.answer("GET").expect("an answer");
        assert_eq!(answer.status, status, "{head}");
        let says = answer.field("connection").map(str::to_string);
        assert_eq!(says.as_deref() == Some("close"), closes, "{head} {says:?}");
        if closes {
            assert!(client.is_closed(), "{head}");
        } else {
            client.ask("/next", "");
            assert_eq!(client.answer("GET").expect("the next answer").status, 502, "{head}");
        }
    }
}
