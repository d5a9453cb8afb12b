//! A page that is asked for often is refreshed before it is stale.

use crate::harness::{Gate, House, Origin, get, reply, wait_until};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts its answers in the body, and waits at the gate from the second on.
fn counting(gate: &Gate, fields: &'static [&'static str]) -> Origin {
    let (gate, count) = (gate.clone(), AtomicUsize::new(0));
    Origin::answering(move |_| {
        let number = count.fetch_add(1, Ordering::SeqCst) + 1;
        if number > 1 {
            gate.pass();
        }
        reply(200, fields, &number.to_string())
    })
}

fn house(origin: &Origin) -> House {
    House::in_front_of(origin, |cache| {
        cache.early_refresh = 10;
        cache.cookies = Some(vec!["sessionid".into()]);
    })
}

#[test]
fn a_page_that_is_asked_for_often_is_refreshed_once_before_its_end() {
    let gate = Gate::closed();
    let origin = counting(&gate, &["Cache-Control: max-age=100", "ETag: \"a\""]);
    let house = house(&origin);
    house.get("/");
    house.pass(89);
    for _ in 0..5 {
        assert_eq!(house.status("/"), "larder; hit; ttl=11", "not near its end yet");
    }
    house.pass(5);
    assert_eq!(house.status("/"), "larder; hit; ttl=6", "one request is not often");
    assert_eq!(house.status("/"), "larder; hit; ttl=6; detail=early-refresh");
    wait_until("it is asked for", || origin.count() == 2);
    for _ in 0..5 {
        assert_eq!(house.status("/"), "larder; hit; ttl=6", "a hit stays a hit");
    }
    gate.open();
    wait_until("the new one is there", || house.get("/").text() == "2");
    assert_eq!(house.status("/"), "larder; hit; ttl=100");
    assert_eq!(origin.count(), 2);
    assert_eq!(origin.last().field("if-none-match"), Some("\"a\""));
}

#[test]
fn who_comes_after_the_end_waits_for_the_refresh_that_is_under_way() {
    let gate = Gate::closed();
    let origin = counting(&gate, &["Cache-Control: max-age=100"]);
    let house = house(&origin);
    house.get("/");
    house.pass(95);
    house.get("/");
    house.get("/");
    wait_until("it is asked for", || origin.count() == 2);
    house.pass(10);
    let proxy = house.proxy();
    let late = std::thread::spawn(move || get(proxy, "/", &[]));
    gate.open();
    let late = late.join().expect("an answer");
    assert_eq!(late.text(), "2", "{}", late.cache_status());
    assert_eq!(origin.count(), 2);
}

#[test]
fn visitors_who_say_who_they_are_refresh_nothing() {
    let gate = Gate::closed();
    gate.open();
    let origin = counting(&gate, &["Cache-Control: public, max-age=100"]);
    let house = house(&origin);
    house.get("/");
    house.pass(95);
    for fields in [("Cookie", "sessionid=1"), ("Authorization", "Bearer x")] {
        for _ in 0..5 {
            let answer = get(house.proxy(), "/", &[fields]);
            assert_eq!(answer.cache_status(), "larder; hit; ttl=5");
        }
    }
    assert_eq!(house.status("/"), "larder; hit; ttl=5", "nor do they count");
    assert_eq!(origin.count(), 1);
}
