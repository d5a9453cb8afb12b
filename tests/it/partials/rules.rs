//! What holds for parts as for all that is stored, and for whom they are.

use super::*;

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
