//! Parts that are stale, and ranges of what is.

use super::*;

#[test]
fn a_stale_part_is_validated() {
    let changed = Arc::new(AtomicUsize::new(0));
    let is_changed = Arc::clone(&changed);
    let origin = Origin::answering(move |seen| match is_changed.load(Ordering::SeqCst) {
        0 => served(seen, &[FRESH, "ETag: \"a\""], BODY),
        _ => served(seen, &[FRESH, "ETag: \"b\""], "abcdefghij"),
    });
    let house = House::in_front_of(&origin, |_| {});
    house.part("2-5");
    house.pass(61);
    let confirmed = house.part("3-4");
    assert_part(&confirmed, "34", "3-4/10", "fwd=stale; fwd-status=304; stored");
    let seen = origin.last();
    assert_eq!(
        (seen.field("range"), seen.field("if-none-match")),
        (Some("bytes=3-4"), Some("\"a\""))
    );
    assert_part(&house.part("2-5"), "2345", "2-5/10", "hit; ttl=60");
    house.pass(61);
    changed.store(1, Ordering::SeqCst);
    assert_part(&house.part("3-4"), "de", "3-4/10", "fwd=stale; stored");
    assert_part(&house.part("3-3"), "d", "3-3/10", "hit; ttl=60");
    assert_part(&house.part("2-2"), "c", "2-2/10", MORE);
    assert_eq!(origin.count(), 4);
}

#[test]
fn a_stale_part_stands_in_for_an_origin_that_is_away() {
    let gone = Arc::new(AtomicUsize::new(0));
    let is_gone = Arc::clone(&gone);
    let origin = Origin::scripted(move |seen, stream| {
        use std::io::Write;
        let answer = served(seen, &[FRESH, "ETag: \"a\""], BODY);
        is_gone.load(Ordering::SeqCst) == 0 && stream.write_all(answer.as_bytes()).is_ok()
    });
    let house = House::in_front_of(&origin, |_| {});
    house.part("0-5");
    house.pass(61);
    gone.store(1, Ordering::SeqCst);
    assert_part(&house.part("3-4"), "34", "3-4/10", "fwd=stale; ttl=-1; detail=stale-when-down");
    for answer in [house.part("5-6"), house.ask(&[])] {
        assert_eq!(answer.cache_status(), "larder; fwd=partial; detail=broken-response");
        assert_eq!(answer.status, 502);
    }
}

#[test]
fn a_range_validates_what_is_stale_and_complete() {
    let changed = Arc::new(AtomicUsize::new(0));
    let is_changed = Arc::clone(&changed);
    let origin = Origin::answering(move |seen| match is_changed.load(Ordering::SeqCst) {
        0 => served(seen, &[FRESH, "ETag: \"a\""], BODY),
        _ => served(seen, &[FRESH, "ETag: \"b\""], "abcdefghij"),
    });
    let house = House::in_front_of(&origin, |_| {});
    house.ask(&[]);
    house.pass(61);
    assert_part(&house.part("3-4"), "34", "3-4/10", "fwd=stale; fwd-status=304; stored");
    assert_whole(&house.ask(&[]), "hit; ttl=60");
    house.pass(61);
    // Beyond the end: that is about the range, and takes nothing back.
    let beyond = house.part("20-");
    assert_eq!(beyond.cache_status(), "larder; fwd=stale; fwd-status=304; stored");
    assert_eq!((beyond.status, beyond.field("content-range")), (416, Some("bytes */10")));
    house.pass(61);
    changed.store(1, Ordering::SeqCst);
    assert_part(&house.part("3-4"), "de", "3-4/10", "fwd=stale; stored");
    assert_part(&house.part("4-4"), "e", "4-4/10", "hit; ttl=60");
    assert_eq!(house.ask(&[]).text(), "abcdefghij");
}

#[test]
fn a_range_beyond_the_end_is_not_stored() {
    let origin = serving(&[FRESH, "ETag: \"a\""]);
    let house = House::in_front_of(&origin, |_| {});
    for forward in ["uri-miss", "uri-miss"] {
        let answer = house.part("20-");
        assert_eq!((answer.status, answer.field("content-range")), (416, Some("bytes */10")));
        assert_eq!(answer.cache_status(), format!("larder; fwd={forward}; detail=part"));
    }
    assert_whole(&house.ask(&[]), STORED);
}
