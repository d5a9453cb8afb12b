//! An origin that takes its time, and a stale page that need not wait for it.

use crate::harness::{Connection, Gate, House, Origin, get, reply, together, wait_until};
use larder::config::Cache;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Answers `1` at once, and from then on when the gate is open.
fn slow_after_the_first(gate: &Gate, fields: &'static [&'static str]) -> Origin {
    let (gate, count) = (gate.clone(), AtomicUsize::new(0));
    Origin::answering(move |_| {
        let number = count.fetch_add(1, Ordering::SeqCst) + 1;
        if number > 1 {
            gate.pass();
        }
        reply(200, fields, &number.to_string())
    })
}

fn impatient(cache: &mut Cache) {
    cache.stale_if_slow = Duration::from_millis(50);
}

#[test]
fn a_stale_page_is_answered_when_the_origin_is_slow_and_the_fetch_goes_on() {
    let gate = Gate::closed();
    let origin = slow_after_the_first(&gate, &["Cache-Control: max-age=10"]);
    let house = House::in_front_of(&origin, impatient);
    house.get("/");
    house.pass(12);
    let proxy = house.proxy();
    for stale in together(20, move |_| get(proxy, "/", &[])) {
        assert_eq!((stale.status, stale.text().as_str()), (200, "1"));
        assert_eq!(stale.cache_status(), "larder; fwd=stale; ttl=-2; detail=stale-if-slow");
        assert_eq!(stale.field("age"), Some("12"));
    }
    assert_eq!(origin.count(), 2, "one fetch for all of them");
    gate.open();
    wait_until("the new one is stored", || house.get("/").text() == "2");
    assert_eq!(house.status("/"), "larder; hit; ttl=10");
    assert_eq!(origin.count(), 2);
}

#[test]
fn an_origin_that_answers_in_time_is_waited_for() {
    let gate = Gate::closed();
    let origin = slow_after_the_first(&gate, &["Cache-Control: max-age=10"]);
    let house =
        House::in_front_of(&origin, |cache| cache.stale_if_slow = Duration::from_secs(3600));
    house.get("/");
    house.pass(12);
    let mut client = Connection::open(house.proxy());
    client.ask("/", "");
    wait_until("it is at the origin", || origin.count() == 2);
    gate.open();
    let answer = client.answer("GET").expect("an answer");
    assert_eq!((answer.text().as_str(), answer.cache_status()), ("2", "larder; fwd=stale; stored"));
}

/// A visitor who has to wait for the origin gets the new page. Somebody who comes
/// after them, and is answered with a stale one, shows that their own patience
/// would be over by then.
fn waits(fields: &'static [&'static str], before: impl FnOnce(&House), lines: &str) {
    let (gate, count) = (Gate::closed(), AtomicUsize::new(0));
    let held = gate.clone();
    let origin = Origin::answering(move |seen| {
        let number = count.fetch_add(1, Ordering::SeqCst) + 1;
        if number > 2 {
            held.pass();
        }
        let plain = &["Cache-Control: max-age=10"][..];
        let fields = if seen.target == "/other" { plain } else { fields };
        reply(200, fields, &number.to_string())
    });
    let house = House::in_front_of(&origin, |cache| {
        impatient(cache);
        cache.default_ttl = Duration::from_secs(10);
        cache.cookies = Some(vec!["sessionid".into()]);
    });
    house.get("/strict");
    before(&house);
    house.get("/other");
    house.pass(11);
    let mut client = Connection::open(house.proxy());
    client.ask("/strict", lines);
    wait_until("it is at the origin", || origin.count() == 3);
    assert!(house.status("/other").ends_with("detail=stale-if-slow"));
    gate.open();
    assert_eq!(client.answer("GET").expect("an answer").text(), "3", "{fields:?} {lines}");
}

#[test]
fn what_may_not_be_used_stale_waits_for_a_slow_origin() {
    for line in ["must-revalidate", "proxy-revalidate", "no-cache"] {
        let line: &'static str = format!("Cache-Control: max-age=10, {line}").leak();
        waits(vec![line].leak(), |_| {}, "");
    }
    waits(&["Cache-Control: s-maxage=10"], |_| {}, "");
    // Past the window that `stale_when_down` opens.
    waits(&["Cache-Control: max-age=10"], |house| house.pass(86_400), "");
    // The lifetime is assumed, and not for visitors who say who they are.
    waits(&["X-States: nothing"], |_| {}, "Cookie: sessionid=me\r\n");
}
