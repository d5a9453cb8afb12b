//! What clients that stand still take of memory: of an answer that they don't take, of an
//! upload that nobody takes.

use crate::harness::{Connection, Gate, Larder, Origin, get, read_head, wait_until};
use std::io::{BufReader, Write};
use std::net::SocketAddr;
use std::time::Duration;

/// Clients at a time.
const CLIENTS: u64 = 100;

/// Bytes that each of them may take, with its connection and that to the application.
const EACH: u64 = 256 * 1024;

/// Clients who come before them: what a program takes once it has something to do is
/// not what a client costs.
const FIRST: u64 = 20;

/// What a larder grows by for each of the clients that come, once it takes no more.
fn each(larder: &Larder, come: impl Fn() -> Connection) -> u64 {
    let _ = get(larder.admin, "/v1/stats", &[("Host", "localhost")]);
    let first: Vec<Connection> = (0..FIRST).map(|_| come()).collect();
    let before = at_rest(larder);
    let clients: Vec<Connection> = (0..CLIENTS).map(|_| come()).collect();
    let with_them = at_rest(larder);
    drop((first, clients));
    with_them.saturating_sub(before) / CLIENTS
}

/// What it takes once it takes no more.
fn at_rest(larder: &Larder) -> u64 {
    let mut highest = 0;
    wait_until("it takes no more", || {
        std::thread::sleep(Duration::from_millis(500));
        let now = larder.resident();
        let still = now <= highest;
        highest = highest.max(now);
        still
    });
    highest
}

/// An answer without end.
fn endless() -> Origin {
    Origin::scripted(|seen, stream| {
        let piece = "x".repeat(1 << 16);
        let (field, piece) = match &*seen.target {
            "/length" => ("Content-Length: 1000000000000\r\n", piece),
            "/chunks" => ("Transfer-Encoding: chunked\r\n", format!("10000\r\n{piece}\r\n")),
            "/small-chunks" => {
                let chunk = format!("400\r\n{}\r\n", &piece[..1024]);
                ("Transfer-Encoding: chunked\r\n", chunk.repeat(64))
            }
            _ => ("", piece),
        };
        let head = format!("HTTP/1.1 200 OK\r\nCache-Control: no-store\r\n{field}\r\n");
        stream.write_all(head.as_bytes()).expect("a head");
        while stream.write_all(piece.as_bytes()).is_ok() {}
        false
    })
}

#[test]
fn a_client_that_takes_nothing_costs_a_bounded_amount() {
    for framing in ["length", "chunks", "small-chunks", "end"] {
        let origin = endless();
        let larder = Larder::in_front_of(origin.address, &[]);
        let each = each(&larder, || {
            let mut client = Connection::from_afar(larder.proxy);
            client.ask(&format!("/{framing}"), "");
            client.head().expect("a head");
            client
        });
        println!("{framing}: {} KiB each", each / 1024);
        assert!(each <= EACH, "{framing}: {} KiB each", each / 1024);
    }
}

/// Bytes that the kernel holds of what one socket has sent to another.
fn unsent(from: SocketAddr, to: SocketAddr) -> u64 {
    let address = |address: SocketAddr| format!("0100007F:{:04X}", address.port());
    let ends = format!(" {} {} ", address(from), address(to));
    let table = std::fs::read_to_string("/proc/net/tcp").expect("the sockets");
    let line = table.lines().find(|line| line.contains(&ends)).expect("the socket");
    let queues = line.split_whitespace().nth(4).expect("its queues");
    let (sent, _) = queues.split_once(':').expect("two queues");
    u64::from_str_radix(sent, 16).expect("a number")
}

#[test]
fn a_client_that_takes_nothing_costs_the_kernel_a_bounded_amount() {
    let origin = endless();
    let larder = Larder::in_front_of(origin.address, &[]);
    let mut client = Connection::open(larder.proxy);
    client.ask("/length", "");
    client.head().expect("a head");
    let own = client.stream().local_addr().expect("an address");
    let mut before = 0;
    wait_until("nothing moves any more", || {
        std::thread::sleep(Duration::from_millis(200));
        let now = unsent(larder.proxy, own);
        let still = now == before && now > 0;
        before = now;
        still
    });
    assert!(before <= EACH, "{} KiB", before / 1024);
}

/// The application has the head, and takes nothing of the body.
#[test]
fn an_upload_that_nobody_takes_costs_a_bounded_amount() {
    let body = "x".repeat(1 << 16);
    let small = format!("400\r\n{}\r\n", &body[..1024]);
    for (framing, piece) in [
        ("Content-Length: 100000000", body.clone()),
        ("Transfer-Encoding: chunked", format!("10000\r\n{body}\r\n")),
        ("Transfer-Encoding: chunked", small.repeat(64)),
    ] {
        let gate = Gate::closed();
        let held = gate.clone();
        let origin = Origin::raw(move |_, stream| {
            let mut reader = BufReader::with_capacity(1, stream);
            let _ = read_head(&mut reader);
            held.pass();
        });
        let larder = Larder::in_front_of(origin.address, &[]);
        let each = each(&larder, || {
            let mut client = Connection::open(larder.proxy);
            client.send(
                format!("POST / HTTP/1.1\r\nHost: site.test\r\n{framing}\r\n\r\n").as_bytes(),
            );
            client.stream().set_nonblocking(true).expect("it doesn't wait");
            // As much as larder and the sockets take.
            let whole = |written: std::io::Result<usize>| written.is_ok_and(|n| n == piece.len());
            while whole(client.stream().write(piece.as_bytes())) {}
            client
        });
        println!("{framing}: {} KiB each", each / 1024);
        assert!(each <= EACH, "{framing}: {} KiB each", each / 1024);
        gate.open();
    }
}
