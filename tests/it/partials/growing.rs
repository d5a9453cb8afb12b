//! Parts that answer, and that grow together until they are the whole.

use super::*;

#[test]
fn a_part_answers_what_lies_inside() {
    let origin = serving(&[FRESH, "ETag: \"a\"", "X-Kept: 1"]);
    let house = House::in_front_of(&origin, |_| {});
    let theirs = [("Range", "bytes=-8"), ("If-None-Match", "\"theirs\"")];
    assert_part(&house.ask(&theirs), "23456789", "2-9/10", STORED);
    assert_eq!(origin.last().field("range"), Some("bytes=-8"));
    assert_eq!(origin.last().field("if-none-match"), None);
    house.pass(7);
    for (range, text, place) in [
        ("2-9", "23456789", "2-9/10"),
        ("3-4", "34", "3-4/10"),
        ("7-", "789", "7-9/10"),
        ("8-99", "89", "8-9/10"),
        ("-1", "9", "9-9/10"),
    ] {
        let answer = house.part(range);
        assert_part(&answer, text, place, "hit; ttl=53");
        assert_eq!((answer.field("age"), answer.field("x-kept")), (Some("7"), Some("1")));
    }
    let several = house.part("2-3,-2");
    assert_eq!((several.status, several.is_hit()), (206, true));
    assert_eq!(several.field("content-range"), None);
    assert!(several.text().contains("Content-Range: bytes 8-9/10\r\n\r\n89"));
    // The client's own conditions, by what is stored (RFC 9111 section 4.3.2).
    let known = house.ask(&[("Range", "bytes=2-4"), ("If-None-Match", "\"a\"")]);
    assert_eq!((known.status, known.is_hit()), (304, true));
    let same = house.ask(&[("Range", "bytes=2-4"), ("If-Range", "\"a\"")]);
    assert_part(&same, "234", "2-4/10", "hit; ttl=53");
    assert_eq!(origin.count(), 1);
    let other = house.ask(&[("Range", "bytes=2-4"), ("If-Range", "\"b\"")]);
    assert_whole(&other, "fwd=partial; detail=range");
    assert_eq!(house.ask(&[("Cache-Control", "only-if-cached")]).status, 504);
    assert_eq!(origin.count(), 2);
}

#[test]
fn a_part_is_never_the_answer_to_a_get_of_the_whole_or_a_head() {
    let origin = serving(&[FRESH, "ETag: \"a\""]);
    let house = House::in_front_of(&origin, |_| {});
    house.part("2-9");
    let head = request(house.running.addresses()[0], "HEAD", "/", &[], b"");
    assert_eq!((head.status, head.field("content-length")), (200, Some("10")));
    assert_eq!(head.cache_status(), "larder; fwd=partial; detail=head");
    // It doesn't begin at the beginning: all is asked for.
    assert_whole(&house.ask(&[]), MORE);
    assert_eq!(origin.last().field("range"), None);
    assert_whole(&house.ask(&[]), "hit; ttl=60");
    assert_part(&house.part("0-1"), "01", "0-1/10", "hit; ttl=60");
}

#[test]
fn parts_with_one_strong_tag_grow_together_until_they_are_the_whole() {
    let count = AtomicUsize::new(0);
    let origin = Origin::answering(move |seen| {
        let number = format!("X-Count: {}", count.fetch_add(1, Ordering::SeqCst) + 1);
        served(seen, &[FRESH, "ETag: \"a\"", &number], BODY)
    });
    let house = House::in_front_of(&origin, |_| {});
    assert_part(&house.part("6-7"), "67", "6-7/10", STORED);
    house.pass(10);
    assert_part(&house.part("2-5"), "2345", "2-5/10", MORE); // touches
    let both = house.part("2-7");
    assert_part(&both, "234567", "2-7/10", "hit; ttl=60");
    assert_eq!((both.field("x-count"), both.field("age")), (Some("2"), Some("0")));
    assert_part(&house.part("7-9"), "789", "7-9/10", MORE); // overlaps
    assert_part(&house.part("0-9"), BODY, "0-9/10", MORE); // covers
    let whole = house.ask(&[]);
    assert_whole(&whole, "hit; ttl=60");
    assert_eq!(whole.field("x-count"), Some("4"));
    assert_eq!(origin.count(), 4);
}

#[test]
fn parts_that_can_not_be_combined_replace_each_other() {
    for tags in [
        ["ETag: \"a\"", "ETag: \"b\""],
        ["ETag: W/\"a\"", "ETag: W/\"a\""],
        ["X-None: 1", "X-None: 2"],
    ] {
        let origin = Origin::answering(move |seen| {
            let tag = tags[usize::from(seen.field("range") == Some("bytes=4-6"))];
            served(seen, &[FRESH, tag], BODY)
        });
        let house = House::in_front_of(&origin, |_| {});
        assert_part(&house.part("0-3"), "0123", "0-3/10", STORED);
        assert_part(&house.part("4-6"), "456", "4-6/10", MORE);
        assert_part(&house.part("5-6"), "56", "5-6/10", "hit; ttl=60");
        assert_part(&house.part("0-0"), "0", "0-0/10", MORE);
    }
    // A gap between them, and another length of the whole.
    let origin = Origin::answering(|seen| {
        let body = if seen.field("range") == Some("bytes=8-8") { "0123456789a" } else { BODY };
        served(seen, &[FRESH, "ETag: \"a\""], body)
    });
    let house = House::in_front_of(&origin, |_| {});
    for (range, status) in [("0-3", STORED), ("6-7", MORE), ("0-1", MORE), ("6-7", MORE)] {
        assert_eq!(house.part(range).cache_status(), format!("larder; {status}"), "{range}");
    }
    assert_part(&house.part("8-8"), "8", "8-8/11", MORE);
    assert_part(&house.part("6-7"), "67", "6-7/10", MORE);
}

#[test]
fn a_get_of_the_whole_asks_for_what_is_missing() {
    let origin = Origin::answering(|seen| {
        let of_range = [FRESH, "ETag: \"a\"", "Cache-Tag: one", "X-Old: 1", "X-New: 1"];
        let of_rest = ["Cache-Control: max-age=90", "ETag: \"a\"", "Cache-Tag: two", "X-New: 2"];
        served(seen, if seen.field("if-range").is_some() { &of_rest } else { &of_range }, BODY)
    });
    let house = House::in_front_of(&origin, |_| {});
    for tag in ["one", "two"] {
        house.part("0-3");
        house.pass(70); // A stale beginning is as good: the tag tells.
        let whole = house.ask(&[("If-None-Match", "\"theirs\"")]);
        assert_whole(&whole, MORE);
        assert_eq!((whole.field("x-old"), whole.field("x-new")), (Some("1"), Some("2")));
        let seen = origin.last();
        assert_eq!(
            (seen.field("range"), seen.field("if-range")),
            (Some("bytes=4-"), Some("\"a\""))
        );
        assert_eq!(seen.field("if-none-match"), None);
        assert_whole(&house.ask(&[]), "hit; ttl=90");
        // It bears the tags of both.
        house.purge(tag);
    }
    assert_eq!(origin.count(), 4);
}

#[test]
fn what_does_not_continue_the_stored_beginning_is_asked_for_as_a_whole() {
    let part = |tag: &str, place: &str, body: &str| {
        reply(
            206,
            &[FRESH, &format!("ETag: {tag}"), &format!("Content-Range: bytes {place}")],
            body,
        )
    };
    for rest in [
        part("\"b\"", "4-9/10", "456789"),
        part("W/\"a\"", "4-9/10", "456789"),
        part("\"a\"", "4-9/11", "456789"),
        part("\"a\"", "5-9/10", "56789"),
        part("\"a\"", "4-8/10", "45678"),
        part("\"a\"", "4-9/10", "45678"),
        part("\"a\"", "4-9/*", "456789"),
        reply(416, &[FRESH, "Content-Range: bytes */3"], ""),
    ] {
        let origin = Origin::answering(move |seen| match seen.field("if-range") {
            Some(_) => rest.clone(),
            None => served(seen, &[FRESH, "ETag: \"a\""], BODY),
        });
        let house = House::in_front_of(&origin, |_| {});
        house.part("0-3");
        assert_whole(&house.ask(&[]), MORE);
        assert_eq!((origin.count(), origin.last().field("range")), (3, None));
        assert_whole(&house.ask(&[]), "hit; ttl=60");
    }
}

#[test]
fn a_beginning_that_has_changed_is_replaced() {
    let origin = Origin::answering(|seen| match seen.field("range") {
        Some("bytes=0-3") => served(seen, &[FRESH, "ETag: \"a\""], "abcdefghij"),
        _ => served(seen, &[FRESH, "ETag: \"b\""], BODY),
    });
    let house = House::in_front_of(&origin, |_| {});
    house.part("0-3");
    assert_whole(&house.ask(&[]), MORE);
    assert_eq!(origin.last().field("if-range"), Some("\"a\""));
    assert_part(&house.part("0-3"), "0123", "0-3/10", "hit; ttl=60");
    assert_eq!(origin.count(), 2);
}

#[test]
fn without_a_strong_validator_the_rest_is_no_use_and_stale_it_is_not_asked_for() {
    let origin = serving(&[FRESH, "ETag: W/\"a\""]);
    let house = House::in_front_of(&origin, |_| {});
    house.part("0-3");
    assert_whole(&house.ask(&[]), MORE);
    let asked: Vec<_> =
        origin.seen().iter().map(|seen| seen.field("range").map(String::from)).collect();
    assert_eq!(asked, [Some("bytes=0-3".into()), Some("bytes=4-".into()), None]);
    let house = House::in_front_of(&origin, |_| {});
    house.part("0-3");
    house.pass(61);
    assert_whole(&house.ask(&[]), MORE);
    assert_eq!((origin.count(), origin.last().field("range")), (5, None));
}

#[test]
fn many_who_want_the_whole_share_what_completes_it() {
    let gate = Gate::closed();
    let held = gate.clone();
    let origin = Origin::answering(move |seen| {
        if seen.field("if-range").is_some() {
            held.pass();
        }
        served(seen, &[FRESH, "ETag: \"a\""], BODY)
    });
    let house = House::in_front_of(&origin, |_| {});
    house.part("0-3");
    let address = house.running.addresses()[0];
    let opener = std::thread::spawn(move || {
        wait_until("the rest is asked for", || origin.count() == 2);
        gate.open();
        origin
    });
    for answer in together(10, move |_| get(address, "/", &[])) {
        assert_eq!((answer.status, answer.text().as_str()), (200, BODY));
    }
    assert_eq!(opener.join().expect("the opener").count(), 2);
}

#[test]
fn a_part_that_nobody_asked_for_is_no_answer_and_never_becomes_a_whole() {
    let place = "Content-Range: bytes 0-3/10";
    let origin = Origin::answering(move |_| reply(206, &[FRESH, "ETag: \"a\"", place], "0123"));
    let house = House::in_front_of(&origin, |_| {});
    for _ in 0..2 {
        let answer = house.ask(&[]);
        let said = (answer.status, answer.cache_status());
        assert_eq!(said, (502, "larder; fwd=uri-miss; detail=unasked-206"));
    }
    assert_eq!(origin.count(), 2);
}
