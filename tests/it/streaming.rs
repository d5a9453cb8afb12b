//! Bodies go through as they come, in both directions, with back-pressure: a
//! large one costs no memory, and a side that does not read holds the other up.

use crate::harness::{Connection, Gate, Larder, Origin, read_head, reply, wait_until};
use std::io::{BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// What fits into socket buffers on the way, and then some.
const ON_THE_WAY: u64 = 48 * MIB;

/// How long a write has to be stuck until it counts as held up.
const STUCK: Duration = Duration::from_millis(500);

/// Writes until so many bytes have gone or the other side takes no more;
/// how many went is told all the while.
fn pour(stream: &mut TcpStream, count: u64, poured: &AtomicU64) -> std::io::Result<()> {
    let block = vec![b'x'; 256 * 1024];
    while poured.load(Ordering::SeqCst) < count {
        let left = count - poured.load(Ordering::SeqCst);
        let most = block.len().min(usize::try_from(left).expect("a length"));
        let written = stream.write(&block[..most])?;
        poured.fetch_add(written as u64, Ordering::SeqCst);
    }
    Ok(())
}

/// Reads so many bytes and forgets them.
fn drain(stream: &mut impl Read, count: u64) -> u64 {
    std::io::copy(&mut stream.take(count), &mut std::io::sink()).expect("the bytes come")
}

#[test]
fn a_download_of_1_gib_costs_no_memory() {
    let origin = Origin::scripted(move |seen, stream| {
        let length = if seen.target == "/large" { GIB } else { 1 };
        let head = format!(
            "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).is_ok()
            && pour(stream, length, &AtomicU64::default()).is_ok()
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    larder.get("/small");
    let before = larder.resident();
    let mut client = Connection::open(larder.proxy);
    client.ask("/large", "");
    let head = client.head().expect("a head");
    assert_eq!(head.cache_status(), "larder; fwd=uri-miss; detail=too-large");
    let mut highest = before;
    for _ in 0..16 {
        assert_eq!(drain(client.reader(), GIB / 16), GIB / 16);
        highest = highest.max(larder.resident());
    }
    assert!(highest - before < 64 * MIB, "{before} -> {highest}");
    client.ask("/small", "");
    assert!(client.answer("GET").expect("an answer").is_hit(), "the connection goes on");
}

/// Of unknown length: that it outgrows what may be stored is known too late for the first
/// answer, and said by the next.
#[test]
fn what_outgrew_the_store_is_said_to_next_time() {
    let origin = Origin::scripted(move |seen, stream| {
        let length = if seen.target == "/large" { MIB } else { 1 };
        let head = "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nConnection: close\r\n\r\n";
        let _ = stream.write_all(head.as_bytes());
        let _ = pour(stream, length, &AtomicU64::default());
        false
    });
    let larder = Larder::with_env(origin.address, &[], &[("LARDER_CACHE__MAX_OBJECT", "64KiB")]);
    assert_eq!(larder.get("/large").cache_status(), "larder; fwd=uri-miss; stored");
    for _ in 0..3 {
        let answer = larder.get("/large");
        assert_eq!(answer.cache_status(), "larder; fwd=uri-miss; detail=too-large");
        assert_eq!(answer.body.len() as u64, MIB);
    }
    assert_eq!((larder.stat("/memory/responses"), larder.stat("/requests/collapsed")), (0, 0));
}

/// It may have become shorter: then it is stored, and nothing of that is left.
#[test]
fn what_was_too_large_and_is_so_no_more_is_stored() {
    let large = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let is_large = Arc::clone(&large);
    let origin = Origin::scripted(move |_, stream| {
        let length = if is_large.load(Ordering::SeqCst) { MIB } else { 10 };
        let head = "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nConnection: close\r\n\r\n";
        let _ = stream.write_all(head.as_bytes());
        let _ = pour(stream, length, &AtomicU64::default());
        false
    });
    let larder = Larder::with_env(origin.address, &[], &[("LARDER_CACHE__MAX_OBJECT", "64KiB")]);
    larder.get("/");
    large.store(false, Ordering::SeqCst);
    assert_eq!(larder.get("/").cache_status(), "larder; fwd=uri-miss; detail=too-large");
    wait_until("it is stored", || larder.stat("/memory/responses") == 1);
    assert!(larder.get("/").is_hit());
    larder.purge(r#"{"all":true}"#);
    assert_eq!(larder.get("/").cache_status(), "larder; fwd=uri-miss; stored");
}

#[test]
fn a_client_that_does_not_read_holds_the_origin_up() {
    let heads = [
        // Too large by its length; of unknown length, which may be stored at first; never stored.
        "Cache-Control: max-age=60\r\nContent-Length: 1073741824\r\n",
        "Cache-Control: max-age=60\r\n",
        "Cache-Control: no-store\r\n",
    ];
    for head in heads {
        let (poured, stuck) = (Arc::new(AtomicU64::new(0)), Gate::closed());
        let (count, told) = (Arc::clone(&poured), stuck.clone());
        let origin = Origin::scripted(move |seen, stream| {
            if seen.target == "/small" {
                return stream.write_all(reply(200, &[], "x").as_bytes()).is_ok();
            }
            stream.set_write_timeout(Some(STUCK)).expect("a time-out");
            stream
                .write_all(format!("HTTP/1.1 200 OK\r\n{head}\r\n").as_bytes())
                .expect("the head");
            let poured = pour(stream, GIB, &count).expect_err("larder stops reading");
            assert!(matches!(poured.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut));
            told.open();
            false
        });
        let larder = Larder::in_front_of(origin.address, &[]);
        larder.get("/small");
        let before = larder.resident();
        let mut client = Connection::open(larder.proxy);
        client.ask("/large", "");
        assert_eq!(client.head().expect("a head").status, 200);
        stuck.pass();
        let (poured, after) = (poured.load(Ordering::SeqCst), larder.resident());
        assert!(poured < ON_THE_WAY, "{head:?}: {poured} bytes were taken");
        assert!(after - before < 16 * MIB, "{head:?}: {before} -> {after}");
    }
}

#[test]
fn an_upload_costs_no_memory_and_waits_for_the_origin() {
    const SIZE: u64 = 512 * MIB;
    let gate = Gate::closed();
    let waits = gate.clone();
    let origin = Origin::raw(move |_, stream| {
        let mut reader = BufReader::new(stream);
        let seen = read_head(&mut reader).expect("a request");
        assert_eq!(seen.field("content-length"), Some(SIZE.to_string().as_str()));
        waits.pass();
        let got = drain(&mut reader, SIZE);
        let text = reply(200, &[], &got.to_string());
        reader.get_mut().write_all(text.as_bytes()).expect("an answer");
    });
    let larder = Larder::with_env(origin.address, &[], &[("LARDER_LIMITS__REQUEST_BODY", "1GiB")]);
    let before = larder.resident();
    let mut client = Connection::open(larder.proxy);
    client
        .send(format!("PUT /up HTTP/1.1\r\nHost: x\r\nContent-Length: {SIZE}\r\n\r\n").as_bytes());
    let mut stream = client.stream().try_clone().expect("the same stream");
    stream.set_write_timeout(Some(STUCK)).expect("a time-out");
    let poured = AtomicU64::new(0);
    pour(&mut stream, SIZE, &poured).expect_err("the origin does not read yet");
    assert!(poured.load(Ordering::SeqCst) < ON_THE_WAY, "{poured:?}");
    assert!(larder.resident() - before < 16 * MIB);
    gate.open();
    stream.set_write_timeout(None).expect("no time-out");
    pour(&mut stream, SIZE, &poured).expect("the rest goes");
    assert_eq!(client.answer("PUT").expect("an answer").text(), SIZE.to_string());
    assert!(larder.resident() - before < 64 * MIB);
}

#[test]
fn a_response_reaches_the_client_before_it_is_whole() {
    for cache in ["max-age=60", "no-store"] {
        let gate = Gate::closed();
        let waits = gate.clone();
        let origin = Origin::scripted(move |_, stream| {
            let head = format!(
                "HTTP/1.1 200 OK\r\nCache-Control: {cache}\r\nContent-Length: 10\r\n\r\nfirst"
            );
            stream.write_all(head.as_bytes()).expect("the first half");
            waits.pass();
            stream.write_all(b"after").is_ok()
        });
        let larder = Larder::in_front_of(origin.address, &[]);
        let mut client = Connection::open(larder.proxy);
        client.ask("/", "");
        client.head().expect("a head");
        assert_eq!(client.read_exact(5), b"first");
        gate.open();
        assert_eq!(client.read_exact(5), b"after");
    }
}

#[test]
fn a_request_reaches_the_origin_before_it_is_whole() {
    let gate = Gate::closed();
    let told = gate.clone();
    let origin = Origin::raw(move |_, stream| {
        let mut reader = BufReader::new(stream);
        read_head(&mut reader).expect("a request");
        let mut half = [0; 5];
        reader.read_exact(&mut half).expect("the first half");
        assert_eq!(&half, b"first");
        told.open();
        reader.read_exact(&mut half).expect("the second half");
        reader.get_mut().write_all(reply(200, &[], "thanks").as_bytes()).expect("an answer");
    });
    let env = [("LARDER_LIMITS__REQUEST_AHEAD", "0")];
    let larder = Larder::with_env(origin.address, &[], &env);
    let mut client = Connection::open(larder.proxy);
    client.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nfirst");
    gate.pass();
    client.send(b"after");
    assert_eq!(client.answer("POST").expect("an answer").text(), "thanks");
}

#[test]
fn a_client_that_leaves_stops_what_would_not_be_stored() {
    let stopped = Gate::closed();
    let told = stopped.clone();
    let origin = Origin::scripted(move |_, stream| {
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n\r\n")
            .expect("the head");
        pour(stream, u64::MAX, &AtomicU64::default()).expect_err("larder closes");
        told.open();
        false
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    let mut client = Connection::open(larder.proxy);
    client.ask("/endless", "");
    client.head().expect("a head");
    drain(client.reader(), 16 * MIB);
    client.stream().shutdown(Shutdown::Both).expect("it leaves");
    drop(client);
    stopped.pass();
}

#[test]
fn a_slow_body_without_end_stops_when_its_last_client_has_left() {
    let stopped = Gate::closed();
    let told = stopped.clone();
    let origin = Origin::scripted(move |_, stream| {
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n\r\nx")
            .expect("the head");
        // A byte now and then, for far longer than the test lasts, unless larder closes.
        stream.set_read_timeout(Some(Duration::from_millis(20))).expect("a time-out");
        while stream.read(&mut [0]).is_err() && stream.write_all(b"x").is_ok() {}
        told.open();
        false
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    let mut clients: Vec<Connection> = (0..2).map(|_| Connection::open(larder.proxy)).collect();
    for client in &mut clients {
        client.ask("/endless", "");
        client.head().expect("a head");
        assert!(client.chunk().expect("a chunk").starts_with(b"x"));
    }
    for client in clients {
        client.stream().shutdown(Shutdown::Both).expect("it leaves");
    }
    stopped.pass();
    assert_eq!((origin.count(), larder.stat("/stored")), (1, 0));
}

#[test]
fn an_object_over_the_limit_passes_and_is_not_stored() {
    let body = "x".repeat(3000);
    let answers = [
        ("/length", format!("Content-Length: 3000\r\n\r\n{body}")),
        ("/chunked", format!("Transfer-Encoding: chunked\r\n\r\nbb8\r\n{body}\r\n0\r\n\r\n")),
        ("/to-the-end", format!("Connection: close\r\n\r\n{body}")),
    ];
    let origin = Origin::scripted(move |seen, stream| {
        let (_, rest) = answers.iter().find(|(path, _)| *path == seen.target).expect("a path");
        let head = "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n";
        stream.write_all(format!("{head}{rest}").as_bytes()).is_ok() && seen.target != "/to-the-end"
    });
    let env = [("LARDER_CACHE__MAX_OBJECT", "2999")];
    let larder = Larder::with_env(origin.address, &[], &env);
    for path in ["/length", "/chunked", "/to-the-end"] {
        for _ in 0..2 {
            let answer = larder.get(path);
            assert_eq!((answer.body.len(), answer.complete, answer.is_hit()), (3000, true, false));
        }
        assert_eq!(origin.asked_for(path), 2);
    }
    assert_eq!(larder.stat("/stored"), 0);
    let env = [("LARDER_CACHE__MAX_OBJECT", "3000")];
    let larder = Larder::with_env(origin.address, &[], &env);
    for path in ["/length", "/chunked", "/to-the-end"] {
        larder.get(path);
        assert!(larder.get(path).is_hit(), "{path}");
    }
}

#[test]
fn a_truncated_body_is_passed_on_as_broken_and_never_stored() {
    let halves = [
        ("/length", "Cache-Control: max-age=60\r\nContent-Length: 10\r\n\r\nhalf"),
        (
            "/chunked",
            "Cache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        ),
        ("/chunk", "Cache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf"),
        (
            "/garbage",
            "Cache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nxyz\r\n",
        ),
        ("/unstored", "Cache-Control: no-store\r\nContent-Length: 10\r\n\r\nhalf"),
    ];
    let origin = Origin::scripted(move |seen, stream| {
        let (_, rest) = halves.iter().find(|(path, _)| *path == seen.target).expect("a path");
        stream.write_all(format!("HTTP/1.1 200 OK\r\n{rest}").as_bytes()).expect("half of it");
        false
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    for (path, _) in halves {
        for count in 1..=2 {
            let answer = larder.get(path);
            assert_eq!((answer.status, answer.complete), (200, false), "{path}: {answer:?}");
            assert_eq!(origin.asked_for(path), count, "{path}");
        }
    }
    assert_eq!(larder.stat("/memory/targets"), 0);
    larder.says("a response broke off");
}
