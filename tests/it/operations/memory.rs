//! Memory is short.

use crate::harness::{Connection, Larder, Origin, together};
use std::io::{Read, Write};
use std::process::Command;

const MIB: u64 = 1 << 20;
/// What the store may take.
const CACHE: u64 = 64 * MIB;
/// What larder takes beside it with two threads and this many streams: its own data
/// and stacks, bodies under way, and what the allocator keeps.
const BESIDE: u64 = 64 * MIB;
/// What a page weighs, and more of them than there is room for.
const PAGE: usize = 100 << 10;
const PAGES: u64 = 3 * CACHE / PAGE as u64;
const STREAMS: usize = 8;
const STREAM: u64 = 64 * MIB;

fn pages_and_streams() -> Origin {
    Origin::scripted(|seen, stream| {
        let length = if seen.target.starts_with("/page") { PAGE as u64 } else { STREAM };
        let head = format!(
            "HTTP/1.1 200 OK\r\nCache-Control: max-age=3600\r\nContent-Length: {length}\r\n\r\n"
        );
        let block = vec![b'x'; 64 << 10];
        let mut left = length as usize;
        let mut sent = stream.write_all(head.as_bytes()).is_ok();
        while sent && left > 0 {
            let most = left.min(block.len());
            sent = stream.write_all(&block[..most]).is_ok();
            left -= most;
        }
        sent
    })
}

#[test]
fn a_fifth_more_than_the_cache_and_its_surroundings_is_enough() {
    let origin = pages_and_streams();
    let env = [("LARDER_THREADS", "2"), ("LARDER_CACHE__MEMORY", "64MiB")];
    let larder = Larder::with_env(origin.address, &["--access-log", "off"], &env);
    // Memory that it can write to; what is merely reserved does not count.
    let most = (CACHE + BESIDE) * 6 / 5;
    let limited = Command::new("prlimit")
        .args(["--pid", &larder.pid().to_string(), &format!("--data={most}")])
        .status();
    assert!(limited.expect("prlimit runs").success());
    let address = larder.proxy;
    let fill = || {
        let mut client = Connection::open(address);
        for number in 0..PAGES {
            client.ask(&format!("/page/{number}"), "");
            let answer = client.answer("GET").expect("an answer");
            assert_eq!((answer.status, answer.body.len()), (200, PAGE));
        }
    };
    fill();
    for round in 0..2 {
        together(STREAMS, move |number| {
            let mut client = Connection::open(address);
            client.ask(&format!("/stream/{round}/{number}"), "");
            assert_eq!(client.head().expect("a head").status, 200);
            let body = client.reader().take(STREAM);
            let read = std::io::copy(&mut { body }, &mut std::io::sink()).expect("the body");
            assert_eq!(read, STREAM);
        });
        // The store is full all the while.
        assert!(larder.stat("/memory/bytes") > CACHE / 2);
    }
    fill();
    assert!(larder.get(&format!("/page/{}", PAGES - 1)).is_hit());
    assert!(larder.resident() < most);
}
