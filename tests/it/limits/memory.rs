//! One account of all memory.

use super::{MIB, Slow, is_refused, origin_of_large_bodies};
use crate::harness::{Connection, Larder, Origin, nobody, reply, wait_until};

/// What a process takes besides what it counts: its code, its threads, and what the
/// allocator keeps of memory that was given back.
const BESIDE: usize = 32 * MIB;

#[test]
fn slow_readers_of_many_large_bodies_can_not_take_all_memory() {
    const LIMIT: usize = 48 * MIB;
    let origin = origin_of_large_bodies(8 * MIB);
    let larder = Larder::with_env(
        origin.address,
        &[],
        &[
            ("LARDER_CACHE__MEMORY", "32MiB"),
            ("LARDER_CACHE__MAX_OBJECT", "8MiB"),
            ("LARDER_LIMITS__IN_FLIGHT", "16MiB"),
        ],
    );
    assert_eq!(larder.stat("/memory/with_in_flight/limit"), LIMIT as u64);
    (0..100).for_each(|_| drop(larder.get("/small")));
    let mut readers = Vec::new();
    let mut refused = 0;
    let mut number = 0;
    while refused < 8 {
        let reader = Slow::ask(larder.proxy, &format!("/large/{number}"));
        match reader.status().as_str() {
            "200" => readers.push(reader),
            "503" => refused += 1,
            other => panic!("{other}"),
        }
        assert!(larder.get("/small").is_hit(), "a hit takes no memory");
        number += 1;
        assert!(number < 500, "nobody is refused");
        assert!(larder.resident() < (LIMIT + BESIDE) as u64, "{}", larder.resident());
    }
    // Without a limit each of these would have all of its body in memory.
    assert!(readers.len() * 8 * MIB > 2 * LIMIT, "{} readers", readers.len());
    is_refused(&larder.get("/new"), "no-memory");
    assert!(larder.stat("/memory/with_in_flight/bytes") < (LIMIT + LIMIT / 20) as u64);
    assert!(larder.stat("/troubles/memory") >= 9);
    larder.says("no-memory");
    drop(readers);
    wait_until("there is room again", || {
        larder.get("/new").status == 200 && larder.get("/new").is_hit()
    });
    let large = larder.get("/large/new");
    assert_eq!((large.status, large.body.len()), (200, 8 * MIB));
    wait_until("it is stored", || larder.get("/large/new").is_hit());
    assert!(larder.resident() < (LIMIT + BESIDE) as u64, "{}", larder.resident());
}

#[test]
fn what_is_purged_while_somebody_reads_it_still_counts() {
    let origin = origin_of_large_bodies(8 * MIB);
    let larder = Larder::with_env(origin.address, &[], &[("LARDER_CACHE__MAX_OBJECT", "8MiB")]);
    let counted = || larder.stat("/memory/with_in_flight/bytes") as usize;
    let before = counted();
    assert_eq!(larder.get("/large").body.len(), 8 * MIB);
    wait_until("it is stored", || larder.stat("/memory/targets") == 1);
    wait_until("it counts once", || (8 * MIB..9 * MIB).contains(&(counted() - before)));
    let readers: Vec<Slow> = (0..20).map(|_| Slow::ask(larder.proxy, "/large")).collect();
    readers.iter().for_each(|reader| assert_eq!(reader.status(), "200"));
    assert!(counted() - before < 10 * MIB, "a hit shares what is stored");
    larder.purge(r#"{"all":true}"#);
    wait_until("nothing is stored", || larder.stat("/memory/bytes") == 0);
    assert!(counted() - before > 8 * MIB, "{}", counted() - before);
    drop(readers);
    wait_until("nobody reads any more", || counted() < before + MIB);
}

#[test]
fn heads_that_do_not_come_whole_count() {
    let (_socket, origin) = nobody();
    let larder = Larder::in_front_of(origin, &[]);
    let counted = || larder.stat("/memory/with_in_flight/bytes") as usize;
    let before = counted();
    let slow: Vec<Connection> = (0..50)
        .map(|_| {
            let mut connection = Connection::open(larder.proxy);
            connection.send(b"GET / HTTP/1.1\r\nHost: x\r\n");
            (0..3).for_each(|number| {
                let value = "x".repeat(8000);
                connection.send(format!("X-{number}: {value}\r\n").as_bytes());
            });
            connection
        })
        .collect();
    wait_until("they count", || counted() - before > 50 * 24_000);
    drop(slow);
    wait_until("they are gone", || counted() < before + 100_000);
}

#[test]
fn heads_that_came_in_pieces_count_no_more_once_they_are_read() {
    let origin = Origin::answering(|_| reply(200, &["Cache-Control: no-store"], "page"));
    let larder = Larder::in_front_of(origin.address, &[]);
    let counted = || larder.stat("/memory/with_in_flight/bytes") as usize;
    let mut client = Connection::open(larder.proxy);
    // The first one makes the connection one that takes more. What the request took
    // itself is given back behind its answer.
    let at_rest = counted();
    client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(client.answer("GET").expect("an answer").text(), "page");
    let (mut before, mut alike) = (0, 0);
    wait_until("it is over, and nothing changes any more", || {
        let now = counted();
        alike = if now == before { alike + 1 } else { 0 };
        before = now;
        alike == 10 && now < at_rest + 100_000
    });
    for _ in 0..10 {
        let value = "x".repeat(8000);
        client
            .send(format!("GET / HTTP/1.1\r\nHost: x\r\nX: {value}\r\nY: {value}\r\n").as_bytes());
        wait_until("they have come", || counted() >= before + 16_000);
        client.send(b"\r\n");
        assert_eq!(client.answer("GET").expect("an answer").text(), "page");
    }
    wait_until("they count no more", || counted() < before + 16_000);
}
