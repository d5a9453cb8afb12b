//! An origin that is down, slow, or says what cannot be understood: 502, 503 or
//! 504 with a short plain page, and `Cache-Status` says which.

use crate::harness::{
    Connection, Gate, Larder, Limping, Origin, Response, nobody, read_request, reply, request,
    wait_until,
};
use std::io::{BufReader, Write};

/// It is larder's own page for a failure: short, plain, stored by nobody.
fn assert_page(answer: &Response, status: u16, said: &str) {
    assert_eq!((answer.status, answer.cache_status()), (status, said));
    assert_eq!(answer.field("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(answer.field("cache-control"), Some("no-store"));
    assert_eq!(answer.field("via"), Some("1.1 larder"));
    let text = answer.text();
    assert!(text.starts_with(&status.to_string()), "{text}");
    assert!(text.len() < 200 && text.ends_with(".\n"), "{text}");
    assert!(!text.contains("127.0.0.1"), "no addresses: {text}");
}

#[test]
fn an_origin_that_refuses_connections_is_502() {
    let (_held, address) = nobody();
    let at_once = [("LARDER_ORIGIN__HOLD", "0s")];
    let larder = Larder::with_env(address, &[], &at_once);
    for _ in 0..2 {
        assert_page(&larder.get("/"), 502, "larder; fwd=uri-miss; detail=connect");
        let post = request(larder.proxy, "POST", "/", &[], b"x");
        assert_page(&post, 502, "larder; fwd=method; detail=connect");
        assert_eq!(request(larder.proxy, "HEAD", "/", &[], b"").status, 502);
    }
    assert_eq!(larder.stat("/memory/targets"), 0);
    let missing = Larder::with_env("unix:/nowhere/at/all.sock", &[], &at_once);
    assert_page(&missing.get("/"), 502, "larder; fwd=uri-miss; detail=connect");
}

#[test]
fn an_origin_that_accepts_nobody_is_504() {
    let limping = Limping::start();
    let larder = Larder::in_front_of(limping.address, &["--connect-timeout", "300ms"]);
    assert_page(&larder.get("/"), 504, "larder; fwd=uri-miss; detail=connect-timeout");
}

#[test]
fn an_origin_that_does_not_begin_to_answer_is_504() {
    let gate = Gate::closed();
    let waits = gate.clone();
    let origin = Origin::scripted(move |_, stream| {
        waits.pass();
        stream.write_all(reply(200, &["Cache-Control: max-age=60"], "late").as_bytes()).is_ok()
    });
    let larder = Larder::in_front_of(origin.address, &["--first-byte-timeout", "300ms"]);
    assert_page(&larder.get("/"), 504, "larder; fwd=uri-miss; detail=first-byte-timeout");
    let post = request(larder.proxy, "POST", "/", &[], b"x");
    assert_page(&post, 504, "larder; fwd=method; detail=first-byte-timeout");
    assert_eq!(origin.count(), 2, "who was only slow is not asked twice");
    gate.open();
    assert_eq!(larder.get("/").text(), "late", "and it is not given up for ever");
}

#[test]
fn the_wait_for_the_answer_begins_when_the_request_is_whole() {
    let origin = Origin::answering(|seen| reply(200, &[], &seen.body.len().to_string()));
    let larder = Larder::in_front_of(origin.address, &["--first-byte-timeout", "300ms"]);
    let mut client = Connection::open(larder.proxy);
    client.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\n");
    for _ in 0..8 {
        // Slower in all than the time for the answer.
        std::thread::sleep(std::time::Duration::from_millis(75));
        client.send(b"x");
    }
    assert_eq!(client.answer("POST").expect("an answer").text(), "8");
}

#[test]
fn an_origin_that_pauses_too_long_breaks_the_body() {
    for cache in ["max-age=60", "no-store"] {
        let gate = Gate::closed();
        let waits = gate.clone();
        let origin = Origin::scripted(move |_, stream| {
            let head = format!(
                "HTTP/1.1 200 OK\r\nCache-Control: {cache}\r\nContent-Length: 10\r\n\r\nhalf"
            );
            stream.write_all(head.as_bytes()).expect("half");
            waits.pass();
            false
        });
        let larder = Larder::in_front_of(origin.address, &["--between-bytes-timeout", "300ms"]);
        let answer = larder.get("/");
        assert_eq!((answer.status, answer.text().as_str(), answer.complete), (200, "half", false));
        assert_eq!(larder.stat("/memory/targets"), 0);
        gate.open();
    }
}

#[test]
fn an_answer_that_never_ends_is_bounded_if_so_set() {
    let gate = Gate::closed();
    let waits = gate.clone();
    let origin = Origin::scripted(move |seen, stream| {
        if seen.target == "/silent" {
            waits.pass();
            return false;
        }
        let head = "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n";
        let mut sent = stream.write_all(format!("{head}\r\n").as_bytes()).is_ok();
        while sent {
            sent = stream.write_all(b"1\r\nx\r\n").is_ok();
        }
        false
    });
    let env = [("LARDER_ORIGIN__TOTAL_TIMEOUT", "300ms")];
    let larder = Larder::with_env(origin.address, &[], &env);
    assert!(!larder.get("/endless").complete);
    let post = request(larder.proxy, "POST", "/endless", &[], b"");
    assert_eq!((post.status, post.complete), (200, false));
    assert_page(&larder.get("/silent"), 504, "larder; fwd=uri-miss; detail=total-timeout");
    assert_eq!(larder.stat("/memory/targets"), 0);
    gate.open();
}

#[test]
fn a_length_beside_chunks_is_taken_off() {
    let origin = Origin::scripted(|_, stream| {
        let text = "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 3\r\n\
                    Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
        stream.write_all(text.as_bytes()).is_ok()
    });
    let larder = Larder::with_env(origin.address, &[], &[("LARDER_THREADS", "1")]);
    for (method, path) in [("GET", "/"), ("GET", "/"), ("POST", "/"), ("GET", "/other")] {
        let answer = request(larder.proxy, method, path, &[], b"");
        assert_eq!((answer.text().as_str(), answer.complete), ("hello", true), "{method} {path}");
    }
    // Who means another end of the body than larder does has more to say on it.
    let used: Vec<usize> = origin.seen().iter().map(|seen| seen.connection).collect();
    assert_eq!(used, [0, 1, 2]);
}

#[test]
fn bytes_after_an_answer_are_nobodys_answer() {
    let origin = Origin::scripted(|_, stream| {
        let more = reply(200, &["Cache-Control: max-age=60"], "poison");
        let text = reply(200, &["Cache-Control: no-store"], "page");
        stream.write_all(format!("{text}{more}").as_bytes()).is_ok()
    });
    let larder = Larder::with_env(origin.address, &[], &[("LARDER_THREADS", "1")]);
    for number in 0..10 {
        assert_eq!(larder.get(&format!("/{number}")).text(), "page");
    }
}

#[test]
fn bytes_on_an_idle_connection_are_nobodys_answer() {
    let (idle, noticed) = (Gate::closed(), Gate::closed());
    let (begin, closed) = (idle.clone(), noticed.clone());
    let origin = Origin::raw(move |number, mut stream| {
        let mut reader = BufReader::new(stream.try_clone().expect("the other half"));
        while let Some(seen) = read_request(&mut reader) {
            let text = reply(200, &["Cache-Control: max-age=60"], &seen.target);
            stream.write_all(text.as_bytes()).expect("an answer");
            if number == 0 {
                begin.pass();
                stream.write_all(reply(200, &[], "poison").as_bytes()).expect("poison");
                // The same connection is of no use any more.
                assert!(read_request(&mut reader).is_none(), "it is not used again");
                closed.open();
                return;
            }
        }
    });
    let larder = Larder::with_env(origin.address, &[], &[("LARDER_THREADS", "1")]);
    assert_eq!(larder.get("/one").text(), "/one");
    idle.open();
    noticed.pass();
    for path in ["/two", "/two", "/one"] {
        assert_eq!(larder.get(path).text(), path);
    }
}

#[test]
fn a_busy_origin_is_503_after_the_wait_for_a_place() {
    let gate = Gate::closed();
    let waits = gate.clone();
    let origin = Origin::scripted(move |seen, stream| {
        if seen.target == "/slow" {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n").expect("a head");
            waits.pass();
            return stream.write_all(b"slow").is_ok();
        }
        stream.write_all(reply(200, &["Cache-Control: max-age=60"], "page").as_bytes()).is_ok()
    });
    let env = [("LARDER_ORIGIN__MAX_CONNECTIONS", "1"), ("LARDER_ORIGIN__QUEUE_TIMEOUT", "300ms")];
    let larder = Larder::with_env(origin.address, &[], &env);
    larder.get("/stored");
    let mut slow = Connection::open(larder.proxy);
    slow.ask("/slow", "");
    slow.head().expect("a head");
    // Its place is taken until its body has come.
    let busy = larder.get("/page");
    assert_page(&busy, 503, "larder; fwd=uri-miss; detail=origin-busy");
    assert_eq!(busy.field("retry-after"), Some("1"));
    assert!(larder.get("/stored").is_hit(), "hits need no place");
    assert_eq!(origin.asked_for("/page"), 0);
    gate.open();
    assert_eq!(slow.read_exact(4), b"slow");
    wait_until("there is a place again", || larder.get("/page").status == 200);
}

#[test]
fn who_waits_for_a_place_gets_it_when_it_is_free() {
    let gate = Gate::closed();
    let waits = gate.clone();
    let origin = Origin::answering(move |_| {
        waits.pass();
        reply(200, &["Cache-Control: no-store"], "page")
    });
    let larder = Larder::with_env(origin.address, &[], &[("LARDER_ORIGIN__MAX_CONNECTIONS", "2")]);
    let clients: Vec<Connection> = (0..20)
        .map(|number| {
            let mut client = Connection::open(larder.proxy);
            client.ask(&format!("/{number}"), "");
            client
        })
        .collect();
    wait_until("two are at the origin", || origin.count() == 2);
    gate.open();
    for mut client in clients {
        assert_eq!(client.answer("GET").expect("an answer").text(), "page");
    }
    let connections = origin.seen().iter().map(|seen| seen.connection).max();
    assert!(connections.is_some_and(|most| most < 20), "{connections:?}");
}

#[test]
fn an_origin_that_comes_back_is_used_at_once() {
    let (held, address) = nobody();
    let larder = Larder::with_env(address, &[], &[("LARDER_ORIGIN__HOLD", "0s")]);
    assert_eq!(larder.get("/").status, 502);
    held.listen(16).expect("it listens");
    let _origin = Origin::listening(held.into(), |_, stream| {
        stream.write_all(reply(200, &["Cache-Control: max-age=60"], "back").as_bytes()).is_ok()
    });
    assert_eq!(larder.get("/").text(), "back");
}

#[test]
fn an_origin_that_takes_nothing_holds_nobody_for_ever() {
    let origin = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = origin.local_addr().expect("an address");
    let env = [("LARDER_ORIGIN__MAX_CONNECTIONS", "1")];
    let larder = Larder::with_env(address, &["--first-byte-timeout", "300ms"], &env);
    let body = vec![b'x'; 16 << 20];
    for _ in 0..2 {
        // More than the sockets between hold; the second one needs the place of the first.
        let mut client = Connection::open(larder.proxy);
        let head = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", body.len());
        client.send(head.as_bytes());
        let mut upload = client.stream().try_clone().expect("the other half");
        let body = body.clone();
        let sent = std::thread::spawn(move || upload.write_all(&body).is_ok());
        let answer = client.answer("POST").expect("an answer");
        assert_eq!(
            (answer.status, answer.cache_status()),
            (504, "larder; fwd=method; detail=first-byte-timeout")
        );
        drop(client);
        let _ = sent.join();
    }
}

#[test]
fn a_length_that_is_not_sent_is_not_stated() {
    let origin = Origin::answering(|_| reply(200, &["Cache-Control: max-age=60"], "page"));
    let larder = Larder::with_env(origin.address, &[], &[("LARDER_THREADS", "1")]);
    let fields = [("Connection", "upgrade"), ("Upgrade", "websocket"), ("Content-Length", "44")];
    let refused = larder.get_with("/a", &fields);
    assert_eq!(refused.status, 400);
    assert_eq!(larder.get("/popular").text(), "page");
    assert_eq!(origin.count(), 1);
}
