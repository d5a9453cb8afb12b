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
