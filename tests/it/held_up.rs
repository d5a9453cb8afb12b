//! What larder itself holds of bodies that are too large to store.

use crate::harness::{Connection, Larder, Origin, reply, wait_until};
use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const MIB: u64 = 1 << 20;

/// An origin of bodies as long as their path says, in MiB; how much it has poured.
fn pouring(cache: &'static str) -> (Origin, Arc<AtomicU64>) {
    let poured = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&poured);
    let origin = Origin::scripted(move |seen, stream| {
        let Ok(length) = seen.target[1..].split('?').next().unwrap_or_default().parse::<u64>()
        else {
            return stream.write_all(reply(200, &[], "x").as_bytes()).is_ok();
        };
        let length = length * MIB;
        let head = format!("HTTP/1.1 200 OK\r\n{cache}\r\nContent-Length: {length}\r\n\r\n");
        let mut sent = stream.write_all(head.as_bytes()).is_ok();
        let block = vec![b'x'; 64 * 1024];
        for _ in 0..length / block.len() as u64 {
            sent = sent && stream.write_all(&block).is_ok();
            count.fetch_add(block.len() as u64, Ordering::SeqCst);
        }
        sent
    });
    (origin, poured)
}

#[test]
fn what_is_handed_on_costs_4_mib_and_clients_that_never_read_8() {
    for cache in ["Cache-Control: no-store", "Cache-Control: max-age=60"] {
        let (origin, poured) = pouring(cache);
        let larder = Larder::in_front_of(origin.address, &[]);
        assert_eq!(larder.get("/small").status, 200);
        let before = larder.resident();
        let mut client = Connection::open(larder.proxy);
        client.ask("/64", "");
        client.head().expect("a head");
        let mut highest = before;
        for _ in 0..64 {
            let read = std::io::copy(&mut client.reader().take(MIB), &mut std::io::sink());
            assert_eq!(read.expect("the bytes come"), MIB);
            highest = highest.max(larder.resident());
        }
        assert!(highest - before <= 4 * MIB, "{cache}: {} KiB", (highest - before) / 1024);

        let before = larder.resident();
        let idle: Vec<Connection> = (0..4)
            .map(|number| {
                let mut client = Connection::open(larder.proxy);
                client.ask(&format!("/256?{number}"), "");
                client
            })
            .collect();
        let mut last = 0;
        wait_until("nothing moves any more", || {
            let now = poured.load(Ordering::SeqCst);
            // As long as the sockets on the way take more, a look changes it.
            std::thread::sleep(std::time::Duration::from_millis(300));
            let still = now > 64 * MIB && now == std::mem::replace(&mut last, now);
            still && poured.load(Ordering::SeqCst) == now
        });
        let after = larder.resident();
        assert!(after - before <= 8 * MIB, "{cache}: {} KiB", (after - before) / 1024);
        drop(idle);
    }
}
