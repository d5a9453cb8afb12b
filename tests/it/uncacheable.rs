//! Targets whose last answer was not storable: what is known of them, and for how
//! long.

use crate::harness::{Connection, Gate, House, Larder, Origin, get, reply, wait_until};
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

#[test]
fn what_may_be_stored_after_all_is_though_its_client_leaves() {
    let end = Gate::closed();
    let (last, asked) = (end.clone(), AtomicUsize::new(0));
    let origin = Origin::scripted(move |_, stream| {
        if asked.fetch_add(1, Ordering::SeqCst) == 0 {
            let first = reply(200, &["Cache-Control: no-store"], "");
            return stream.write_all(first.as_bytes()).is_ok();
        }
        let head = "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 12\r\n\r\n";
        stream.write_all(format!("{head}half").as_bytes()).expect("half");
        last.pass();
        stream.write_all(b" and all").is_ok()
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    larder.get("/");
    let mut leaving = Connection::open(larder.proxy);
    leaving.ask("/", "");
    assert_eq!(leaving.head().expect("a head").status, 200);
    assert_eq!(leaving.read_exact(4), b"half");
    drop(leaving);
    end.open();
    wait_until("it is stored", || larder.stat("/stored") == 1);
    let hit = larder.get("/");
    assert!(hit.is_hit());
    assert_eq!((hit.text().as_str(), origin.count()), ("half and all", 2));
}

#[test]
fn what_is_refreshed_behind_and_has_become_too_large_is_not_answered_stale() {
    for stated in [true, false] {
        let asked = AtomicUsize::new(0);
        let origin = Origin::scripted(move |_, stream| {
            let fields = "Cache-Control: max-age=10, stale-while-revalidate=600";
            if asked.fetch_add(1, Ordering::SeqCst) == 0 {
                return stream.write_all(reply(200, &[fields], "old").as_bytes()).is_ok();
            }
            let large = "x".repeat(100_000);
            let answer = match stated {
                true => reply(200, &[fields], &large),
                false => format!(
                    "HTTP/1.1 200 OK\r\n{fields}\r\nTransfer-Encoding: chunked\r\n\r\n\
                     {:x}\r\n{large}\r\n0\r\n\r\n",
                    large.len()
                ),
            };
            // What nobody reads is given up.
            stream.write_all(answer.as_bytes()).is_ok()
        });
        let house = House::in_front_of(&origin, |cache| cache.max_object = 64 << 10);
        house.get("/");
        house.pass(11);
        assert_eq!(house.get("/").text(), "old", "while it is asked for anew");
        wait_until("the old one is gone", || house.get("/").text().len() == 100_000);
    }
}

#[test]
fn it_is_known_for_as_long_as_the_answers_say_so() {
    let origin = Origin::answering(|_| reply(200, &["Cache-Control: no-store"], "page"));
    let lasts = Duration::from_secs(120);
    let house = House::in_front_of(&origin, |cache| cache.uncacheable_ttl = lasts);
    // Only where nothing is going to be stored the client's own condition is asked.
    let is_known = |after| {
        house.pass(after);
        get(house.proxy(), "/", &[("If-None-Match", "\"mine\"")]);
        origin.last().field("if-none-match").is_some()
    };
    assert!(!is_known(0), "not yet");
    for after in [50, 50, 50, 100] {
        assert!(is_known(after), "{after} s later");
    }
    assert!(!is_known(121), "too long ago");
}
