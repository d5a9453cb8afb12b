//! Where a message ends is not for anybody on the way to say.

use super::Trust;
use crate::harness::{Connection, Origin, Secured, read_head};
use std::io::{BufReader, Read, Write};
use std::net::Shutdown;

const MIB: usize = 1 << 20;

/// RFC 9112 section 9.8: a body that ends with the connection is whole only if
/// its sender has said that the connection ends.
#[test]
fn a_body_that_ends_with_the_connection_is_whole_only_if_the_end_was_said() {
    let head = "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n";
    let origin = Origin::scripted(move |seen, stream| {
        let length = if seen.target == "/length" { "Content-Length: 4\r\n" } else { "" };
        let _ = stream.write_all(format!("{head}{length}\r\nbody").as_bytes());
        false
    });
    let trust = Trust::new();
    for polite in [true, false] {
        let server = if polite { trust.server() } else { trust.server().impolite() };
        let secured = Secured::in_front_of(origin.address, server);
        let larder = trust.larder(&secured.url(), &[]);
        let page = larder.get("/length");
        assert_eq!((page.text().as_str(), page.complete), ("body", true));
        assert!(larder.get("/length").is_hit(), "a length needs no other end");
        let page = larder.get("/close");
        assert_eq!((page.status, page.text().as_str()), (200, "body"));
        assert_eq!(page.complete, polite, "the client is told");
        assert_eq!(larder.get("/close").is_hit(), polite, "and it is kept only then");
        assert_eq!(larder.stat("/memory/targets"), if polite { 2 } else { 1 });
    }
}

#[test]
fn a_large_body_comes_and_another_goes() {
    const LENGTH: usize = 64 * MIB;
    let origin = Origin::scripted(|seen, stream| {
        let right = seen.body.iter().enumerate().all(|(at, byte)| *byte == at as u8);
        let length = if seen.method == "POST" { seen.body.len() } else { LENGTH };
        assert!(right, "what has come is not what was sent");
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
        stream.write_all(head.as_bytes()).is_ok() && stream.write_all(&bytes(length)).is_ok()
    });
    let trust = Trust::new();
    let secured = Secured::in_front_of(origin.address, trust.server());
    let larder = trust.larder(&secured.url(), &[]);
    let page = larder.get("/large");
    assert!(page.complete && page.body == bytes(LENGTH));
    let answer = crate::harness::request(larder.proxy, "POST", "/", &[], &bytes(LENGTH));
    assert_eq!((answer.status, answer.body.len()), (200, LENGTH));
    let resident = larder.resident();
    assert!(resident < LENGTH as u64, "nothing is held whole: {resident}");
}

fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| at as u8).collect()
}

#[test]
fn an_origin_that_takes_nothing_over_tls_holds_nobody_for_ever() {
    let trust = Trust::new();
    // It accepts, and never reads.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let behind = silent.local_addr().expect("an address");
    let secured = Secured::in_front_of(behind, trust.server());
    let env = [("LARDER_ORIGIN__FIRST_BYTE_TIMEOUT", "300ms")];
    let larder = trust.larder(&secured.url(), &env);
    let mut client = Connection::open(larder.proxy);
    let head = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", 64 * MIB);
    client.send(head.as_bytes());
    let mut upload = client.stream().try_clone().expect("the other half");
    let sent = std::thread::spawn(move || upload.write_all(&bytes(64 * MIB)).is_ok());
    let answer = client.answer("POST").expect("an answer");
    assert_eq!(answer.status, 504);
    assert_eq!(answer.cache_status(), "larder; fwd=method; detail=first-byte-timeout");
    drop(client);
    let _ = sent.join();
}

#[test]
fn a_websocket_goes_through_tls() {
    let origin = Origin::raw(|_, stream| {
        let mut reader = BufReader::new(stream);
        assert_eq!(read_head(&mut reader).expect("a request").field("upgrade"), Some("websocket"));
        let agreed = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
                      Connection: Upgrade\r\n\r\nhello";
        reader.get_mut().write_all(agreed.as_bytes()).expect("agreed");
        let mut bytes = [0; 1024];
        while let Ok(count @ 1..) = reader.read(&mut bytes) {
            reader.get_mut().write_all(&bytes[..count].to_ascii_uppercase()).expect("echoed");
        }
        // The client's end has come through.
        let _ = reader.get_mut().write_all(b"bye");
        let _ = reader.get_mut().shutdown(Shutdown::Both);
    });
    let trust = Trust::new();
    let secured = Secured::in_front_of(origin.address, trust.server());
    let larder = trust.larder(&secured.url(), &[]);
    let mut client = Connection::open(larder.proxy);
    client.ask(
        "/socket",
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
    );
    assert_eq!(client.head().expect("an answer").status, 101);
    assert_eq!(client.read_exact(5), b"hello");
    for text in ["ping", "pong"] {
        client.send(text.as_bytes());
        assert_eq!(client.read_exact(4), text.to_ascii_uppercase().as_bytes());
    }
    client.stream().shutdown(Shutdown::Write).expect("the client is done");
    assert_eq!(client.read_exact(3), b"bye");
    assert!(client.is_closed());
}
