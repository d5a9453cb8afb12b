//! Streams that never end, such as server-sent events: each piece arrives before
//! the next is sent.

use crate::harness::{Connection, Larder, Origin, wait_until};
use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};

/// Sends a head, then an event whenever it is told to; and tells when larder does
/// not listen any more.
fn endless(head: &'static str) -> (Origin, Sender<&'static str>, Arc<AtomicBool>) {
    let (sender, events) = channel::<&str>();
    let (events, left) = (Mutex::new(events), Arc::new(AtomicBool::new(false)));
    let told = Arc::clone(&left);
    let origin = Origin::scripted(move |_, stream| {
        let head = format!("HTTP/1.1 200 OK\r\n{head}\r\nTransfer-Encoding: chunked\r\n\r\n");
        stream.write_all(head.as_bytes()).expect("the head");
        for event in events.lock().expect("the events").iter() {
            let chunk = format!("{:x}\r\n{event}\r\n", event.len());
            if stream.write_all(chunk.as_bytes()).is_err() {
                told.store(true, Ordering::SeqCst);
                break;
            }
        }
        false
    });
    (origin, sender, left)
}

#[test]
fn each_event_arrives_before_the_next_is_sent() {
    for head in [
        "Content-Type: text/event-stream\r\nCache-Control: no-store",
        "Content-Type: text/event-stream\r\nCache-Control: max-age=60",
        "Content-Type: application/x-ndjson\r\nCache-Control: max-age=60",
    ] {
        let (origin, sender, left) = endless(head);
        let larder = Larder::in_front_of(origin.address, &[]);
        let mut client = Connection::open(larder.proxy);
        client.ask("/events", "Accept: text/event-stream\r\n");
        let answer = client.head().expect("a head before there is an event");
        assert_eq!((answer.status, answer.field("content-length")), (200, None));
        for event in ["data: one\n\n", "data: two\n\n", ": still here\n\n", "data: 4\n\n"] {
            sender.send(event).expect("the origin listens");
            assert_eq!(client.chunk().expect("an event"), event.as_bytes(), "{head}");
        }
        if head.contains("event-stream") {
            drop(client);
            wait_until("the app can know that nobody listens", || {
                sender.send("data: more\n\n").expect("the origin is there");
                left.load(Ordering::SeqCst)
            });
        }
    }
}

#[test]
fn each_listener_has_a_stream_of_its_own_from_where_it_joins() {
    let origin = Origin::scripted(|seen, stream| {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
        let event = format!("{head}data: {}\n\n", seen.connection);
        stream.write_all(event.as_bytes()).expect("an event");
        // Until larder leaves.
        let _ = stream.read(&mut [0]);
        false
    });
    let larder = Larder::in_front_of(origin.address, &["--default-ttl", "60s"]);
    let listen = || {
        let mut client = Connection::open(larder.proxy);
        client.ask("/events", "");
        let answer = client.head().expect("a head");
        assert_eq!(answer.cache_status(), "larder; fwd=uri-miss; detail=event-stream");
        (client.chunk().expect("an event"), client)
    };
    let (first, _one) = listen();
    let (second, _two) = listen();
    assert_eq!((&first[..], &second[..]), (&b"data: 0\n\n"[..], &b"data: 1\n\n"[..]));
}
