//! How each refusal is told: a status, a counter, a line in the log.

use super::{MIB, Slow, holding, is_refused, origin_of_large_bodies};
use crate::harness::{Connection, Gate, Larder, get, nobody, wait_until};
use std::net::SocketAddr;

#[test]
fn a_failing_origin_writes_a_line_a_second_and_counts_each() {
    let (_socket, origin) = nobody();
    let larder = Larder::with_env(origin, &[], &[("LARDER_ORIGIN__HOLD", "0s")]);
    #[expect(clippy::disallowed_methods, reason = "lines a second are counted in real time")]
    let begun = std::time::Instant::now();
    for number in 0..200 {
        assert_eq!(larder.get(&format!("/{number}")).status, 502);
    }
    let seconds = begun.elapsed().as_secs() as usize;
    assert_eq!(larder.stat("/troubles/origin"), 200);
    larder.says("the origin failed");
    let lines = larder.events().matches("the origin failed").count();
    assert!((1..=seconds + 1).contains(&lines), "{lines} lines in {seconds} s");
    // The next one says how many there were.
    wait_until("a line tells of the others", || {
        larder.get("/more");
        larder.events().contains("unlogged=")
    });
}

/// Sends this, and waits for the status of the answer.
fn status_of(address: SocketAddr, bytes: &[u8]) -> u16 {
    let mut connection = Connection::open(address);
    connection.send(bytes);
    connection.head().map_or(0, |head| head.status)
}

#[test]
fn each_limit_has_a_status_and_a_count() {
    let gate = Gate::closed();
    let origin = holding(&gate);
    let larder = Larder::with_env(
        origin.address,
        &[],
        &[
            ("LARDER_LIMITS__REQUEST_BODY", "10"),
            ("LARDER_TIMEOUTS__HEADER", "100ms"),
            ("LARDER_TIMEOUTS__BODY_STALL", "100ms"),
            ("LARDER_ORIGIN__MAX_CONNECTIONS", "1"),
            ("LARDER_ORIGIN__QUEUE_TIMEOUT", "50ms"),
            ("LARDER_PURGE__NETWORKS", "192.0.2.0/24"),
        ],
    );
    let field = format!("X: {}\r\n", "x".repeat(9000));
    let fields = "X: x\r\n".repeat(101);
    let target = "/".repeat(9000);
    let get = |target: &str, fields: &str| {
        format!("GET {target} HTTP/1.1\r\nHost: x\r\n{fields}\r\n").into_bytes()
    };
    let put = |fields: &str| format!("PUT / HTTP/1.1\r\nHost: x\r\n{fields}\r\n").into_bytes();
    let count = |name: &str| larder.stat(&format!("/troubles/{name}"));
    for (name, status, bytes) in [
        ("head", 431, get("/", &field)),
        ("head", 431, get("/", &fields)),
        ("head", 431, get("/", &"X: xxxxxxxxxx\r\n".repeat(4000))),
        ("target", 414, get(&target, "")),
        ("body", 413, put("Content-Length: 11\r\n")),
        ("refused", 400, get("/", "Host: x\r\n")),
        ("refused", 501, put("Transfer-Encoding: gzip, chunked\r\n")),
        ("slow_head", 408, b"GET / HTTP/1.1\r\n".to_vec()),
        ("slow_body", 408, put("Content-Length: 10\r\n")),
        ("purge", 403, b"PURGE / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec()),
    ] {
        let before = count(name);
        assert_eq!(status_of(larder.proxy, &bytes), status, "{name}");
        wait_until(&format!("{name} is counted"), || count(name) == before + 1);
    }
    let mut held = Connection::open(larder.proxy);
    held.ask("/held", "");
    wait_until("it is there", || origin.asked_for("/held") == 1);
    is_refused(&larder.get("/queued"), "origin-busy");
    assert_eq!(count("queue"), 1);
    gate.open();
}

#[test]
fn a_client_that_is_cut_off_is_counted() {
    let origin = origin_of_large_bodies(8 * MIB);
    let larder = Larder::with_env(
        origin.address,
        &[],
        &[("LARDER_TIMEOUTS__WRITE_STALL", "200ms"), ("LARDER_CACHE__MAX_OBJECT", "8MiB")],
    );
    let _reader = Slow::ask(larder.proxy, "/large");
    wait_until("it is counted", || larder.stat("/troubles/slow_reader") == 1);
}

#[test]
fn a_connection_that_is_turned_away_is_counted_and_written_down() {
    let origin = origin_of_large_bodies(1);
    let larder = Larder::with_env(origin.address, &[], &[("LARDER_LIMITS__CONNECTIONS", "1")]);
    let mut first = Connection::open(larder.proxy);
    first.ask("/", "");
    assert_eq!(first.answer("GET").expect("an answer").status, 200);
    for _ in 0..5 {
        assert_eq!(get(larder.proxy, "/", &[]).status, 503);
    }
    assert_eq!(larder.stat("/troubles/connections"), 5);
    larder.says("why=\"connections\"");
}
