//! Who may make larder ask the application again, by `Cache-Control` in a request.

use crate::harness::{Connection, Gate, Larder, Origin, reply, request, wait_until};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

fn counting() -> Origin {
    let count = AtomicUsize::new(0);
    Origin::answering(move |_| {
        let number = count.fetch_add(1, SeqCst) + 1;
        reply(200, &["Cache-Control: max-age=60"], &number.to_string())
    })
}

const DEMANDS: [(&str, &str); 5] = [
    ("Cache-Control", "no-cache"),
    ("Cache-Control", "no-store"),
    ("Cache-Control", "max-age=0"),
    ("Cache-Control", "min-fresh=3600"),
    ("Pragma", "no-cache"),
];

#[test]
fn nobody_outside_makes_larder_ask_again() {
    let origin = counting();
    let larder = Larder::in_front_of(origin.address, &[]);
    larder.get("/");
    for demand in DEMANDS {
        assert!(larder.get_with("/", &[demand]).is_hit(), "{demand:?}");
    }
    assert_eq!(origin.count(), 1);
}

#[test]
fn a_trusted_network_does_and_everybody_has_the_new_page() {
    let origin = counting();
    let trusted = [("LARDER_REFRESH__NETWORKS", "127.0.0.0/8")];
    let larder = Larder::with_env(origin.address, &[], &trusted);
    larder.get("/");
    for (at, demand) in DEMANDS.into_iter().enumerate() {
        let answer = larder.get_with("/", &[demand]);
        assert_eq!(answer.text(), (at + 2).to_string(), "{demand:?}");
        assert!(answer.cache_status().contains("fwd=request"), "{}", answer.cache_status());
        // What no-store fetched is for that one alone.
        let next = larder.get("/").text();
        let expected = if demand.1 == "no-store" { at + 1 } else { at + 2 };
        assert_eq!(next, expected.to_string(), "{demand:?}");
    }
    let origin = Origin::answering(|_| {
        reply(200, &["Cache-Control: max-age=60", "Content-Location: /"], "posted")
    });
    let posted = Larder::with_env(origin.address, &[], &trusted);
    let fields = [("Cache-Control", "no-store")];
    assert_eq!(request(posted.proxy, "POST", "/", &fields, b"x").text(), "posted");
    assert!(!posted.get("/").is_hit());
    // A proxy in front speaks for strangers too.
    let forwarded = [DEMANDS[0], ("X-Forwarded-For", "192.0.2.1")];
    assert!(larder.get_with("/", &forwarded).is_hit());
}

#[test]
fn who_wants_what_is_now_does_not_wait_for_what_was_asked_before() {
    for (demand, anew) in
        [("no-cache", true), ("max-age=0", true), ("max-age=60", false), ("min-fresh=1", false)]
    {
        let gate = Gate::closed();
        let (waits, count) = (gate.clone(), AtomicUsize::new(0));
        let origin = Origin::answering(move |_| {
            let number = count.fetch_add(1, SeqCst);
            if number == 0 {
                waits.pass();
            }
            reply(200, &["Cache-Control: max-age=60"], &number.to_string())
        });
        let trusted = [("LARDER_REFRESH__NETWORKS", "127.0.0.0/8")];
        let larder = Larder::with_env(origin.address, &[], &trusted);
        let (mut first, mut second) =
            (Connection::open(larder.proxy), Connection::open(larder.proxy));
        first.ask("/", "");
        wait_until("it is at the origin", || origin.count() == 1);
        second.ask("/", &format!("Cache-Control: {demand}\r\n"));
        if anew {
            assert_eq!(second.answer("GET").expect("an answer").text(), "1", "{demand}");
            assert_eq!(larder.get("/").text(), "1");
        }
        gate.open();
        assert_eq!(first.answer("GET").expect("an answer").text(), "0");
        if anew {
            assert_eq!(larder.get("/").text(), "1", "the older one does not take its place");
        } else {
            assert_eq!(second.answer("GET").expect("an answer").text(), "0", "{demand}");
        }
    }
}

#[test]
fn a_token_is_heeded_from_anywhere_and_never_handed_on() {
    let origin = counting();
    let larder =
        Larder::with_env(origin.address, &[], &[("LARDER_REFRESH__TOKEN", "correct-horse")]);
    larder.get("/");
    let with = |token| [("Cache-Control", "no-cache"), ("Larder-Refresh", token)];
    assert!(larder.get_with("/", &with("wrong")).is_hit());
    assert_eq!(larder.get_with("/", &with("correct-horse")).text(), "2");
    assert_eq!(origin.last().field("larder-refresh"), None);
    assert_eq!(larder.get("/").text(), "2");
}
