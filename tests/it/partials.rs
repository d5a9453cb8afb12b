//! Parts: stored, answered from, combined and made whole (RFC 9111 sections 3.3
//! and 3.4).

use crate::harness::{
    Gate, House, Larder, Origin, Response, Seen, get, reply, request, together, wait_until,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const BODY: &str = "0123456789";
const FRESH: &str = "Cache-Control: max-age=60";

/// What an origin that knows ranges says of this body. `fields` are those of
/// every answer, validators among them.
fn served(seen: &Seen, fields: &[&str], body: &str) -> String {
    let tag = fields.iter().find_map(|field| field.strip_prefix("ETag: "));
    if tag.is_some() && seen.field("if-none-match") == tag {
        return reply(304, fields, "");
    }
    let unchanged = seen.field("if-range").is_none_or(|condition| tag == Some(condition));
    let range = seen.field("range").filter(|_| unchanged);
    let Some((first, last)) = range.and_then(|r| r.strip_prefix("bytes=")?.split_once('-')) else {
        return reply(200, fields, body);
    };
    let number = |text: &str, default| text.parse::<usize>().unwrap_or(default);
    let end = body.len() - 1;
    let (first, last) = match first {
        "" => (body.len().saturating_sub(number(last, 0)), end),
        first => (number(first, 0), number(last, end).min(end)),
    };
    if first > end {
        let place = format!("Content-Range: bytes */{}", body.len());
        return reply(416, &[fields, &[&place]].concat(), "");
    }
    let place = format!("Content-Range: bytes {first}-{last}/{}", body.len());
    reply(206, &[fields, &[&place]].concat(), &body[first..=last])
}

fn serving(fields: &'static [&'static str]) -> Origin {
    Origin::answering(move |seen| served(seen, fields, BODY))
}

impl House {
    fn ask(&self, fields: &[(&str, &str)]) -> Response {
        get(self.running.addresses()[0], "/", fields)
    }

    fn part(&self, range: &str) -> Response {
        self.ask(&[("Range", &format!("bytes={range}"))])
    }

    fn purge(&self, tag: &str) {
        let admin = self.running.admin().expect("an admin port");
        let document = format!("{{\"tags\": [\"{tag}\"]}}");
        let host = [("Host", "localhost")];
        assert_eq!(request(admin, "POST", "/v1/purge", &host, document.as_bytes()).status, 200);
    }
}

#[track_caller]
fn assert_part(answer: &Response, text: &str, place: &str, status: &str) {
    assert_eq!((answer.status, answer.text().as_str()), (206, text));
    assert_eq!(answer.field("content-range"), Some(format!("bytes {place}").as_str()));
    assert_eq!(answer.field("content-length"), Some(text.len().to_string().as_str()));
    assert_eq!(answer.cache_status(), format!("larder; {status}"));
}

#[track_caller]
fn assert_whole(answer: &Response, status: &str) {
    assert_eq!((answer.status, answer.text().as_str()), (200, BODY));
    assert_eq!(answer.field("content-range"), None);
    assert_eq!(answer.field("content-length"), Some("10"));
    assert_eq!(answer.cache_status(), format!("larder; {status}"));
}

const STORED: &str = "fwd=uri-miss; stored";
const MORE: &str = "fwd=partial; stored";

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

/// So many single bytes, each of which is there.
fn single_bytes(count: usize) -> String {
    let each: Vec<String> = (0..count).map(|at| format!("{0}-{0}", 2 * at)).collect();
    format!("bytes={}", each.join(","))
}

#[test]
fn who_asks_for_too_many_ranges_asks_for_the_whole_together_with_others() {
    const LONG: &str = "0123456789012345678901234567890123456789";
    let gate = Gate::closed();
    let passed = gate.clone();
    let origin = Origin::answering(move |seen| {
        passed.pass();
        match seen.field("if-none-match") {
            Some(_) => reply(304, &[FRESH, "ETag: \"a\""], ""),
            None => reply(200, &[FRESH, "ETag: \"a\""], seen.field("range").unwrap_or(LONG)),
        }
    });
    let house = House::in_front_of(&origin, |_| {});
    let address = house.proxy();
    let ask = move |path: &'static str, count: usize| {
        let range = single_bytes(count);
        get(address, path, &[("Range", &range), ("If-Range", "\"old\"")])
    };
    let crowd = std::thread::spawn(move || together(10, move |_| ask("/", 17)));
    wait_until("it is asked for", || origin.count() > 0);
    gate.open();
    for answer in crowd.join().expect("their answers") {
        assert_eq!((answer.status, answer.text().as_str()), (200, LONG));
    }
    assert_eq!(origin.count(), 1);
    assert_eq!((origin.last().field("range"), origin.last().field("if-range")), (None, None));
    wait_until("it is stored", || house.get("/").is_hit());
    house.pass(61);
    assert_eq!(ask("/", 17).cache_status(), "larder; fwd=stale; fwd-status=304; stored");
    assert_eq!((origin.count(), ask("/", 17).is_hit()), (2, true));
    // So many as are taken are asked for as they are.
    assert_eq!(ask("/few", 16).text(), single_bytes(16));
    assert_eq!(origin.last().field("if-range"), Some("\"old\""));
}

#[test]
fn a_range_that_the_origin_ignores_brings_the_whole_for_all() {
    let origin = Origin::answering(|_| reply(200, &[FRESH], BODY));
    let house = House::in_front_of(&origin, |_| {});
    assert_whole(&house.part("3-4"), STORED);
    assert_part(&house.part("3-4"), "34", "3-4/10", "hit; ttl=60");
    assert_whole(&house.ask(&[]), "hit; ttl=60");
}

#[test]
fn a_part_is_purged_like_any_response() {
    let gate = Gate::closed();
    let held = gate.clone();
    let origin = Origin::answering(move |seen| {
        if seen.field("range") == Some("bytes=8-9") {
            held.pass();
        }
        served(seen, &[FRESH, "ETag: \"a\"", "Cache-Tag: t"], BODY)
    });
    let house = House::in_front_of(&origin, |_| {});
    house.part("0-7");
    house.purge("t");
    assert_part(&house.part("0-7"), "01234567", "0-7/10", STORED);
    house.purge_softly("t");
    assert_part(&house.part("0-1"), "01", "0-1/10", "fwd=stale; fwd-status=304; stored");
    // One that is on its way is neither stored nor combined.
    let address = house.running.addresses()[0];
    let late = std::thread::spawn(move || get(address, "/", &[("Range", "bytes=8-9")]));
    wait_until("it is asked for", || origin.count() == 4);
    house.purge("t");
    gate.open();
    assert_eq!(late.join().expect("the answer").text(), "89");
    for range in ["8-9", "0-7"] {
        assert!(!house.part(range).is_hit(), "{range}");
    }
}

#[test]
fn the_rules_for_storing_hold_for_parts() {
    for (fields, theirs, detail) in [
        (&["Cache-Control: no-store", "ETag: \"a\""][..], None, "no-store"),
        (&["Cache-Control: private, max-age=60"], None, "private"),
        (&[FRESH, "Set-Cookie: a=b"], None, "set-cookie"),
        (&[FRESH, "Vary: *"], None, "vary-any"),
        (&[FRESH], Some(("Authorization", "Bearer x")), "authorization"),
        (&["ETag: \"a\""], Some(("Cookie", "a=b")), "identity-cookie"),
        (&[], None, "no-lifetime"),
    ] {
        let origin = serving(fields);
        let house = House::in_front_of(&origin, |_| {});
        let mut asked = vec![("Range", "bytes=0-3")];
        asked.extend(theirs);
        for _ in 0..2 {
            let answer = house.ask(&asked);
            assert_part(&answer, "0123", "0-3/10", &format!("fwd=uri-miss; detail={detail}"));
        }
    }
}

#[test]
fn the_rest_may_not_be_for_everybody() {
    let origin = Origin::answering(|seen| match seen.field("if-range") {
        Some(_) => served(seen, &[FRESH, "ETag: \"a\"", "Set-Cookie: who=you"], BODY),
        None => served(seen, &[FRESH, "ETag: \"a\""], BODY),
    });
    let house = House::in_front_of(&origin, |_| {});
    house.part("0-3");
    let whole = house.ask(&[]);
    assert_whole(&whole, "fwd=partial; detail=set-cookie");
    assert_eq!(whole.field("set-cookie"), Some("who=you"));
    let next = house.part("0-3");
    assert_eq!((next.is_hit(), next.field("set-cookie")), (false, None));
}

#[test]
fn a_part_is_of_one_variant() {
    let origin = Origin::answering(|seen| {
        let body = if seen.field("x") == Some("b") { "abcdefghij" } else { BODY };
        served(seen, &[FRESH, "ETag: \"a\"", "Vary: X"], body)
    });
    let house = House::in_front_of(&origin, |_| {});
    let ask = |x, range| house.ask(&[("X", x), ("Range", range)]);
    assert_part(&ask("a", "bytes=0-3"), "0123", "0-3/10", STORED);
    assert_part(&ask("b", "bytes=0-3"), "abcd", "0-3/10", "fwd=vary-miss; stored");
    assert_part(&ask("b", "bytes=4-5"), "ef", "4-5/10", MORE);
    assert_part(&ask("a", "bytes=0-3"), "0123", "0-3/10", "hit; ttl=60");
    assert_part(&ask("b", "bytes=0-5"), "abcdef", "0-5/10", "hit; ttl=60");
}

#[test]
fn a_part_that_is_too_large_is_streamed() {
    let origin = serving(&[FRESH, "ETag: \"a\""]);
    let house = House::in_front_of(&origin, |cache| cache.max_object = 4);
    assert_part(&house.part("0-4"), "01234", "0-4/10", "fwd=uri-miss; detail=too-large");
    assert_part(&house.part("0-3"), "0123", "0-3/10", STORED);
    // Together they would be too large: the newer one alone.
    assert_part(&house.part("3-5"), "345", "3-5/10", MORE);
    assert_part(&house.part("3-5"), "345", "3-5/10", "hit; ttl=60");
    assert_part(&house.part("0-3"), "0123", "0-3/10", MORE);
    // The whole is too large, its beginning is not.
    assert_whole(&house.ask(&[]), "fwd=partial; detail=too-large");
    assert_part(&house.part("0-3"), "0123", "0-3/10", "hit; ttl=60");
}

#[test]
fn a_body_that_is_not_as_long_as_its_place_is_not_stored() {
    let (shorter, longer) = ("5\r\n01234\r\n0\r\n\r\n", "7\r\n0123456\r\n0\r\n\r\n");
    for (body, stored) in [("6\r\n012345\r\n0\r\n\r\n", true), (shorter, false), (longer, false)] {
        let origin = Origin::scripted(move |_, stream| {
            use std::io::Write;
            let head = format!("HTTP/1.1 206 Part\r\n{FRESH}\r\nContent-Range: bytes 0-5/10\r\n");
            let all = format!("{head}Transfer-Encoding: chunked\r\n\r\n{body}");
            stream.write_all(all.as_bytes()).is_ok()
        });
        let house = House::in_front_of(&origin, |_| {});
        house.part("0-5");
        assert_eq!(house.part("0-5").is_hit(), stored, "{body:?}");
    }
    // One that breaks off.
    let origin = Origin::scripted(|_, stream| {
        use std::io::Write;
        let head = format!("HTTP/1.1 206 Part\r\n{FRESH}\r\nContent-Range: bytes 0-5/10\r\n");
        let _ = stream.write_all(format!("{head}Content-Length: 6\r\n\r\n012").as_bytes());
        false
    });
    let house = House::in_front_of(&origin, |_| {});
    assert!(!house.part("0-5").complete);
    assert!(!house.part("0-1").is_hit());
}

#[test]
fn a_short_part_is_kept_as_far_as_it_goes_if_that_is_switched_on() {
    let origin = Origin::answering(|seen| match seen.field("range") {
        Some("bytes=-5") => {
            reply(206, &[FRESH, "ETag: \"a\"", "Content-Range: bytes 4-9/10"], "01234")
        }
        Some("bytes=0-9") => {
            reply(206, &[FRESH, "ETag: \"a\"", "Content-Range: bytes 0-9/10"], "01234")
        }
        _ => served(seen, &[FRESH, "ETag: \"a\""], BODY),
    });
    let switch = [("LARDER_SEMANTICS__LENIENT_PARTIALS", "true")];
    let larder = Larder::with_env(origin.address, &[], &switch);
    let part = |range: &str| larder.get_with("/", &[("Range", range)]);
    assert_eq!(part("bytes=-5").text(), "01234");
    for (range, text) in
        [("bytes=-5", "01234"), ("bytes=6-8", "234"), ("bytes=6-", "234"), ("bytes=-1", "4")]
    {
        let answer = part(range);
        assert_eq!((answer.status, answer.is_hit(), answer.text().as_str()), (206, true, text));
    }
    assert_eq!(origin.count(), 1);
    // It is never a beginning, nor combined, nor the whole.
    assert_eq!(part("bytes=0-3").text(), "0123");
    assert!(!part("bytes=4-5").is_hit());
    assert_eq!(part("bytes=0-9").text(), "01234");
    assert_eq!(larder.get("/").text(), BODY);
    assert_eq!(origin.last().field("range"), None);
}

/// The body of a version, each byte told apart from that of another.
fn version(number: usize) -> String {
    (0..40 + number % 3).map(|at| char::from(b'!' + ((at * 7 + number * 13) % 90) as u8)).collect()
}

/// Numbers that look random, and are the same each time.
fn numbers(mut state: u64) -> impl FnMut(usize) -> usize {
    move |below| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    }
}

#[test]
fn whatever_is_asked_for_no_body_is_put_together_of_two_versions() {
    let current = Arc::new(AtomicUsize::new(0));
    let now = Arc::clone(&current);
    let origin = Origin::answering(move |seen| {
        let number = now.load(Ordering::SeqCst);
        let tag = format!("ETag: \"{number}\"");
        served(seen, &["Cache-Control: max-age=20", "Cache-Tag: t", &tag], &version(number))
    });
    let house = House::in_front_of(&origin, |cache| cache.max_object = 41);
    let mut random = numbers(7);
    let (mut hits, mut completed) = (0, 0);
    for step in 0..1500 {
        let (first, length) = (random(40), 1 + random(12));
        let answer = match random(40) {
            0 => {
                current.fetch_add(1, Ordering::SeqCst);
                continue;
            }
            1 => {
                house.purge("t");
                continue;
            }
            2 | 3 => {
                house.pass(9);
                continue;
            }
            4..=6 => house.ask(&[]),
            7 => house.part(&format!("-{length}")),
            8 => house.part(&format!("{first}-")),
            9 => house.part(&format!("0-{length},{}-{}", first + 1, first + length)),
            10..=20 => house.part(&format!("0-{length}")),
            _ => house.part(&format!("{first}-{}", first + length)),
        };
        hits += usize::from(answer.is_hit());
        completed += usize::from(answer.status == 200 && answer.cache_status().contains("partial"));
        let tag = answer.field("etag").expect("a tag").trim_matches('"');
        let body = version(tag.parse().expect("a version"));
        let expected = match answer.field("content-range") {
            None if answer.status == 206 => continue, // several parts
            None => body,
            Some(place) => {
                let (range, length) = place["bytes ".len()..].split_once('/').expect("a place");
                assert_eq!(length, body.len().to_string(), "step {step}");
                let (first, last) = range.split_once('-').expect("a range");
                let number = |text: &str| text.parse::<usize>().expect("a number");
                body[number(first)..=number(last)].to_string()
            }
        };
        assert_eq!(answer.text(), expected, "step {step}: {}", answer.cache_status());
    }
    assert!(hits > 100 && completed > 10, "{hits} hits, {completed} made whole");
}

#[test]
fn fields_for_the_cache_alone_and_for_one_visitor_stay_so() {
    let lists = "Cache-Control: max-age=60, private=\"x-who\"";
    for (said, who_may_know) in [("Surrogate-Control: max-age=60", true), (lists, false)] {
        let origin = Origin::answering(move |seen| {
            let who = format!("X-Who: {}", seen.field("x-me").unwrap_or("nobody"));
            let fields = ["ETag: \"a\"", &who, said];
            // The rest doesn't say it again.
            served(seen, &fields[..2 + usize::from(seen.field("if-range").is_none())], BODY)
        });
        let house = House::in_front_of(&origin, |cache| {
            cache.targeted_fields = vec!["Surrogate-Control".into()];
        });
        let ask = |range: Option<&str>, me| {
            let mut fields = vec![("X-Me", me)];
            fields.extend(range.map(|range| ("Range", range)));
            let answer = house.ask(&fields);
            assert_eq!(answer.field("surrogate-control"), None);
            answer.field("x-who").map(String::from)
        };
        let stored = |who: &str| who_may_know.then(|| who.to_string());
        assert_eq!(ask(Some("bytes=0-3"), "ann"), Some("ann".into()));
        assert_eq!(ask(Some("bytes=0-3"), "bob"), stored("ann"));
        assert_eq!(ask(Some("bytes=4-6"), "bob"), Some("bob".into()));
        assert_eq!(ask(Some("bytes=0-6"), "ann"), stored("bob"));
        assert_eq!(ask(None, "cid"), Some("cid".into()));
        assert_eq!(ask(None, "ann"), stored("cid"));
        assert_whole(&house.ask(&[]), "hit; ttl=60");
    }
}

#[test]
fn a_rest_that_makes_a_field_private_tells_nobody_what_another_was_told() {
    let origin = Origin::answering(|seen| match seen.field("if-range") {
        None => served(seen, &[FRESH, "ETag: \"a\"", "X-Who: ann"], BODY),
        Some(_) => {
            let private = "Cache-Control: max-age=60, private=\"x-who\"";
            served(seen, &[private, "ETag: \"a\""], BODY)
        }
    });
    let house = House::in_front_of(&origin, |_| {});
    assert_eq!(house.part("0-3").field("x-who"), Some("ann"));
    let whole = house.ask(&[]);
    assert_whole(&whole, MORE);
    assert_eq!(whole.field("x-who"), None);
    assert_eq!(house.ask(&[]).field("x-who"), None);
}

#[test]
fn a_part_is_found_by_every_query_that_means_the_same() {
    let origin = serving(&[FRESH, "ETag: \"a\"", "No-Vary-Search: params=(\"utm\")"]);
    let house = House::in_front_of(&origin, |_| {});
    let address = house.running.addresses()[0];
    let ask = |path, range| get(address, path, &[("Range", range)]);
    assert_part(&ask("/?a=1&utm=x", "bytes=0-3"), "0123", "0-3/10", STORED);
    assert_part(&ask("/?a=1&utm=y", "bytes=4-6"), "456", "4-6/10", MORE);
    assert_part(&ask("/?utm=z&a=1", "bytes=2-5"), "2345", "2-5/10", "hit; ttl=60");
    assert_whole(&get(address, "/?a=1", &[]), MORE);
    assert_eq!(origin.last().field("range"), Some("bytes=7-"));
    assert_whole(&get(address, "/?a=1&utm=x", &[]), "hit; ttl=60");
    assert_part(&ask("/?a=2&utm=x", "bytes=2-5"), "2345", "2-5/10", STORED);
}
