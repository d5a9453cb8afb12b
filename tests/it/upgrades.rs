//! Upgrades: a WebSocket is let through once the origin has agreed, and nothing
//! else is.

use crate::harness::{Connection, Larder, Origin, exchange, read_head, reply};
use std::io::{BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};

const ASK: &str = "Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
const AGREED: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
                      Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// Agrees, says hello, and gives back what comes, in capitals.
fn echo(mut reader: BufReader<TcpStream>) {
    let text = format!("{AGREED}hello");
    reader.get_mut().write_all(text.as_bytes()).expect("agreed");
    let mut bytes = [0; 1024];
    while let Ok(count @ 1..) = reader.read(&mut bytes) {
        let loud = bytes[..count].to_ascii_uppercase();
        reader.get_mut().write_all(&loud).expect("echoed");
    }
    let _ = reader.get_mut().write_all(b"bye");
    let _ = reader.get_mut().shutdown(Shutdown::Both);
}

#[test]
fn a_websocket_is_a_tunnel_both_ways() {
    let origin = Origin::raw(|_, stream| {
        let mut reader = BufReader::new(stream);
        let seen = read_head(&mut reader).expect("a request");
        assert_eq!(seen.field("connection"), Some("upgrade"));
        assert_eq!(seen.field("upgrade"), Some("websocket"));
        assert_eq!(seen.field("sec-websocket-key"), Some("dGhlIHNhbXBsZSBub25jZQ=="));
        assert_eq!(seen.field("x-forwarded-for"), Some("127.0.0.1"));
        echo(reader);
    });
    let larder = Larder::in_front_of(origin.address, &["--access-log", "json"]);
    let mut client = Connection::open(larder.proxy);
    client.ask("/socket", ASK);
    let answer = client.head().expect("an answer");
    assert_eq!(answer.status, 101);
    assert_eq!(answer.field("upgrade"), Some("websocket"));
    assert_eq!(answer.field("connection"), Some("upgrade"));
    assert_eq!(answer.field("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    assert_eq!(answer.cache_status(), "larder; fwd=bypass; detail=upgrade");
    assert_eq!(client.read_exact(5), b"hello");
    for text in ["ping", "pong", "\r\n\r\nget / http/1.1\r\n"] {
        client.send(text.as_bytes());
        assert_eq!(client.read_exact(text.len()), text.to_ascii_uppercase().as_bytes());
    }
    // One side may end and still listen.
    client.stream().shutdown(Shutdown::Write).expect("the client is done");
    assert_eq!(client.read_exact(3), b"bye");
    assert!(client.is_closed());
    let line: serde_json::Value = serde_json::from_str(&larder.next_line()).expect("JSON");
    assert_eq!((&line["status"], &line["target"]), (&101.into(), &"/socket".into()));
}

#[test]
fn a_silent_websocket_is_not_timed_out_like_a_request() {
    let origin = Origin::raw(|_, stream| {
        let mut reader = BufReader::new(stream);
        read_head(&mut reader).expect("a request");
        echo(reader);
    });
    let env = [("LARDER_TIMEOUTS__HEADER", "200ms"), ("LARDER_TIMEOUTS__KEEP_ALIVE", "200ms")];
    let larder = Larder::with_env(origin.address, &[], &env);
    let mut client = Connection::open(larder.proxy);
    client.ask("/socket", ASK);
    assert_eq!(client.head().expect("an answer").status, 101);
    assert_eq!(client.read_exact(5), b"hello");
    for _ in 0..3 {
        // By the time that others have been timed out, so would this one be.
        let other = exchange(larder.proxy, b"GET / HT");
        assert!(other.starts_with(b"HTTP/1.1 408 "));
        client.send(b"still here");
        assert_eq!(client.read_exact(10), b"STILL HERE");
    }
}

#[test]
fn a_refused_upgrade_passes_as_what_it_is() {
    let origin = Origin::answering(|seen| match seen.target.as_str() {
        "/no" => reply(403, &[], "no sockets here"),
        _ => reply(200, &["Cache-Control: max-age=60"], "a page"),
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    let mut client = Connection::open(larder.proxy);
    for (path, status, text) in [("/no", 403, "no sockets here"), ("/page", 200, "a page")] {
        client.ask(path, ASK);
        let answer = client.answer("GET").expect("an answer");
        assert_eq!((answer.status, answer.text().as_str()), (status, text));
        assert_eq!(answer.field("upgrade"), None);
    }
    // What follows is HTTP still, and the answer to an upgrade was not stored.
    client.ask("/page", "");
    assert_eq!(
        client.answer("GET").expect("an answer").cache_status(),
        "larder; fwd=uri-miss; stored"
    );
}

#[test]
fn no_other_upgrade_is_asked_for() {
    let origin = Origin::answering(|_| reply(200, &["Cache-Control: max-age=60"], "a page"));
    let larder = Larder::in_front_of(origin.address, &[]);
    for (path, lines) in [
        (
            "/h2c",
            "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n",
        ),
        ("/tls", "Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n"),
        ("/not-named", "Upgrade: websocket\r\n"),
    ] {
        let mut client = Connection::open(larder.proxy);
        client.ask(path, lines);
        let answer = client.answer("GET").expect("an answer");
        assert_eq!((answer.status, answer.field("upgrade")), (200, None), "{path}");
        let seen = origin.last();
        for name in ["upgrade", "http2-settings", "connection"] {
            assert_eq!(seen.field(name), None, "{path}");
        }
        client.ask(path, "");
        assert!(client.answer("GET").expect("an answer").is_hit(), "an ordinary request: {path}");
    }
    let mut client = Connection::open(larder.proxy);
    client.send(
        format!("POST /post HTTP/1.1\r\nHost: x\r\n{ASK}Content-Length: 0\r\n\r\n").as_bytes(),
    );
    assert_eq!(client.answer("POST").expect("an answer").status, 200);
    assert_eq!(origin.last().field("upgrade"), None, "only GET opens a WebSocket");
}

#[test]
fn an_origin_that_switches_without_being_asked_has_failed() {
    let origin = Origin::scripted(|_, stream| stream.write_all(AGREED.as_bytes()).is_ok());
    let larder = Larder::in_front_of(origin.address, &[]);
    for method in ["GET", "HEAD", "POST"] {
        let mut client = Connection::open(larder.proxy);
        client.send(
            format!("{method} / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n").as_bytes(),
        );
        let answer = client.answer(method).expect("an answer");
        assert_eq!(answer.status, 502, "{method}");
    }
}

#[test]
fn a_connection_that_has_borne_an_upgrade_bears_no_other_request() {
    let origin = Origin::answering(|seen| match seen.target.as_str() {
        "/426" => reply(426, &["Upgrade: websocket", "Connection: upgrade"], "not so"),
        "/204" => reply(204, &[], ""),
        _ => reply(200, &[], "a page"),
    });
    let larder = Larder::with_env(origin.address, &[], &[("LARDER_THREADS", "1")]);
    let mut client = Connection::open(larder.proxy);
    for path in ["/426", "/204", "/200"] {
        for (path, lines) in [("/before", ""), (path, ASK), ("/behind", ""), ("/behind", "")] {
            client.ask(path, lines);
            client.answer("GET").expect("an answer");
        }
        let seen = origin.seen();
        let [.., upgrade, behind, again] = seen.as_slice() else { panic!("{seen:?}") };
        assert_eq!((&*upgrade.target, &*behind.target), (path, "/behind"));
        assert_ne!(behind.connection, upgrade.connection, "{path}");
        assert_eq!(again.connection, behind.connection, "others are kept: {path}");
    }
}
