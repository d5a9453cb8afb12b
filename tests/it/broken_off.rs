//! Answers of which a part comes: each is counted, once, if that is the application's doing.

use crate::harness::{Connection, Gate, Larder, Origin, read_head, wait_until};
use std::io::{BufReader, Read, Write};
use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Answers of which a half comes: to which method, with which fields, and to how many
/// requests when three ask.
const HALVES: [(&str, &str, usize); 5] = [
    ("GET", "Cache-Control: max-age=60\r\nContent-Length: 10\r\n\r\nhalf", 1),
    ("GET", "Cache-Control: no-store\r\nContent-Length: 10\r\n\r\nhalf", 3),
    ("GET", "Cache-Control: no-store\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", 3),
    ("POST", "Cache-Control: max-age=60\r\nContent-Length: 10\r\n\r\nhalf", 3),
    (
        "POST",
        "Cache-Control: max-age=60\r\nContent-Location: /\r\nContent-Length: 10\r\n\r\nhalf",
        3,
    ),
];

#[test]
fn an_answer_that_breaks_off_is_counted_once_whoever_it_is_for() {
    for (method, half, answers) in HALVES {
        let gate = Gate::closed();
        let waits = gate.clone();
        let origin = Origin::scripted(move |_, stream| {
            stream.write_all(format!("HTTP/1.1 200 OK\r\n{half}").as_bytes()).expect("a half");
            waits.pass();
            false
        });
        let larder = Larder::in_front_of(origin.address, &[]);
        let mut clients: Vec<Connection> = (0..3)
            .map(|_| {
                let mut client = Connection::open(larder.proxy);
                let head = format!("{method} / HTTP/1.1\r\nHost: site.test\r\n\r\n");
                client.send(head.as_bytes());
                let chunked = client.head().expect("a head").field("content-length").is_none();
                let first =
                    if chunked { client.chunk().expect("a chunk") } else { client.read_exact(4) };
                assert_eq!(first, b"half");
                client
            })
            .collect();
        assert_eq!(larder.stat("/troubles/broken_answer"), 0);
        gate.open();
        assert!(clients.iter_mut().all(Connection::is_closed), "{half}");
        let counted = larder.stat("/troubles/broken_answer");
        assert_eq!((origin.count(), counted), (answers, answers as u64), "{half}");
        larder.says("a response broke off");
    }
}

#[test]
fn an_answer_whose_client_leaves_is_not_counted_as_broken_off() {
    let left = Arc::<AtomicUsize>::default();
    let count = Arc::clone(&left);
    let origin = Origin::scripted(move |seen, stream| {
        let fields = if seen.target == "/stored" { "max-age=60" } else { "no-store" };
        let head = format!("HTTP/1.1 200 OK\r\nCache-Control: {fields}\r\n\r\n");
        let mut sent = stream.write_all(head.as_bytes()).is_ok();
        while sent {
            sent = stream.write_all(&[b'x'; 10_000]).is_ok();
        }
        count.fetch_add(1, Ordering::SeqCst);
        false
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    for (number, path) in ["/unstored", "/stored"].into_iter().enumerate() {
        let mut client = Connection::open(larder.proxy);
        client.ask(path, "");
        assert_eq!(client.head().expect("a head").status, 200);
        drop(client);
        wait_until("it is let go", || left.load(Ordering::SeqCst) == number + 1);
        assert_eq!(larder.stat("/troubles/broken_answer"), 0, "{path}");
    }
}

#[test]
fn an_answer_that_ends_with_its_requests_body_is_not_counted_as_broken_off() {
    let origin = Origin::raw(|_, mut stream| {
        let mut reader = BufReader::new(stream.try_clone().expect("the other half"));
        if read_head(&mut reader).is_some() {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nhalf").expect("a half");
            // It goes on for as long as larder is there.
            let _ = reader.read_to_end(&mut Vec::new());
        }
    });
    // The app is asked before there is anything of the body.
    let larder = Larder::with_env(origin.address, &[], &[("LARDER_LIMITS__REQUEST_AHEAD", "0")]);
    let broken: [&[u8]; 2] = [b"xyz\r\n", b""];
    for rest in broken {
        let mut client = Connection::open(larder.proxy);
        client.send(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n");
        assert_eq!(client.head().expect("a head").status, 200);
        assert_eq!(client.chunk().expect("a chunk"), b"half");
        client.send(rest);
        client.stream().shutdown(Shutdown::Write).expect("half closed");
        assert!(client.chunk().is_none_or(|chunk| chunk.is_empty()));
        assert_eq!(larder.stat("/troubles/broken_answer"), 0);
    }
}
