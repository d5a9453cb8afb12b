//! What time does to a stored response: the proxy in this process, over real
//! sockets, by a clock that the test turns.

use crate::harness::{House, Origin, get, reply, wait_until};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// Counts its answers in the body: `1`, `2`, ...
fn counting(fields: &'static [&'static str]) -> Origin {
    let count = AtomicUsize::new(0);
    Origin::answering(move |_| {
        reply(200, fields, &(count.fetch_add(1, Ordering::SeqCst) + 1).to_string())
    })
}

#[test]
fn a_response_ages_second_by_second_until_it_is_stale() {
    let origin = counting(&["Cache-Control: max-age=60"]);
    let house = House::in_front_of(&origin, |_| {});
    assert_eq!(house.status("/"), "larder; fwd=uri-miss; stored");
    for (pass, age, ttl) in [(0, "0", 60), (10, "10", 50), (49, "59", 1)] {
        house.pass(pass);
        let answer = house.get("/");
        assert_eq!(answer.field("age"), Some(age));
        assert_eq!(answer.cache_status(), format!("larder; hit; ttl={ttl}"));
    }
    house.pass(1);
    let answer = house.get("/");
    assert_eq!((answer.cache_status(), answer.text().as_str()), ("larder; fwd=stale; stored", "2"));
}

#[test]
fn age_of_the_way_here_counts_too() {
    let origin = counting(&["Cache-Control: max-age=60", "Age: 45"]);
    let house = House::in_front_of(&origin, |_| {});
    assert_eq!(house.get("/").field("age"), Some("45"));
    house.pass(14);
    assert_eq!(house.get("/").field("age"), Some("59"));
    assert_eq!(house.status("/"), "larder; hit; ttl=1");
    house.pass(1);
    assert_eq!(house.status("/"), "larder; fwd=stale; stored");
}

#[test]
fn a_304_makes_fresh_again_and_keeps_the_body() {
    let origin = Origin::answering(|seen| match seen.field("if-none-match") {
        Some("\"a\"") => reply(304, &["ETag: \"a\"", "Cache-Control: max-age=20", "X-New: 1"], ""),
        Some(other) => panic!("not ours: {other}"),
        None => reply(200, &["ETag: \"a\"", "Cache-Control: max-age=10", "X-Old: 1"], "body"),
    });
    let house = House::in_front_of(&origin, |_| {});
    house.get("/");
    house.pass(11);
    let validated = house.get("/");
    assert_eq!(validated.cache_status(), "larder; fwd=stale; fwd-status=304; stored");
    house.pass(19);
    let hit = house.get("/");
    assert_eq!(hit.cache_status(), "larder; hit; ttl=1");
    for answer in [validated, hit] {
        assert_eq!((answer.status, answer.text().as_str()), (200, "body"));
        assert_eq!((answer.field("x-new"), answer.field("x-old")), (Some("1"), Some("1")));
    }
    assert_eq!(origin.count(), 2);
}

#[test]
fn stale_while_revalidate_answers_at_once_and_validates_behind_once() {
    let origin = counting(&["Cache-Control: max-age=10, stale-while-revalidate=5"]);
    let house = House::in_front_of(&origin, |_| {});
    house.get("/");
    house.pass(12);
    let stale = house.get("/");
    assert_eq!(stale.text(), "1");
    assert_eq!(stale.cache_status(), "larder; hit; ttl=-2; detail=stale-while-revalidate");
    wait_until("the new one is stored", || house.get("/").text() == "2");
    assert_eq!(origin.count(), 2);
    house.pass(15);
    let too_late = house.get("/");
    assert_eq!(
        (too_late.text().as_str(), too_late.cache_status()),
        ("3", "larder; fwd=stale; stored")
    );
}

#[test]
fn errors_are_covered_by_stale_within_the_window() {
    let broken = Arc::new(AtomicBool::new(false));
    let is_broken = Arc::clone(&broken);
    let origin = Origin::answering(move |_| match is_broken.load(Ordering::SeqCst) {
        false => reply(200, &["Cache-Control: max-age=10, stale-if-error=30"], "good"),
        true => reply(503, &[], "bad"),
    });
    let house = House::in_front_of(&origin, |_| {});
    house.get("/");
    broken.store(true, Ordering::SeqCst);
    house.pass(39);
    let covered = house.get("/");
    assert_eq!((covered.status, covered.text().as_str()), (200, "good"));
    assert_eq!(
        covered.cache_status(),
        "larder; fwd=stale; fwd-status=503; ttl=-29; detail=stale-if-error"
    );
    house.pass(1);
    assert_eq!(house.get("/").status, 503);
}

#[test]
fn an_origin_that_is_away_is_covered_for_a_day_unless_that_is_forbidden() {
    let gone = Arc::new(AtomicBool::new(false));
    let is_gone = Arc::clone(&gone);
    let origin = Origin::scripted(move |seen, stream| {
        use std::io::Write;
        let line = match seen.target.as_str() {
            "/strict" => "Cache-Control: max-age=10, must-revalidate",
            _ => "Cache-Control: max-age=10",
        };
        !is_gone.load(Ordering::SeqCst)
            && stream.write_all(reply(200, &[line], "good").as_bytes()).is_ok()
    });
    let house = House::in_front_of(&origin, |_| {});
    house.get("/");
    house.get("/strict");
    gone.store(true, Ordering::SeqCst);
    house.pass(10 + 86_399);
    assert_eq!(house.get("/").text(), "good");
    let strict = house.get("/strict");
    assert_eq!(strict.status, 502);
    assert_eq!(strict.cache_status(), "larder; fwd=stale; detail=broken-response");
    house.pass(1);
    assert_eq!(house.get("/").status, 502);
}

#[test]
fn a_stale_page_is_kept_for_its_validator_so_long_and_no_longer() {
    let origin = Origin::answering(|seen| match seen.field("if-none-match") {
        Some(_) => reply(304, &["ETag: \"a\""], ""),
        None => reply(200, &["ETag: \"a\"", "Cache-Control: max-age=10"], "body"),
    });
    let keep = |keep, down| {
        House::in_front_of(&origin, |cache| {
            cache.keep = Duration::from_secs(keep);
            cache.stale_when_down = Duration::from_secs(down);
        })
    };
    for (keep_for, down, last) in [(60, 0, 69), (0, 60, 69), (60, 120, 129)] {
        let house = keep(keep_for, down);
        house.get("/");
        house.pass(last);
        assert_eq!(house.status("/"), "larder; fwd=stale; fwd-status=304; stored");
        house.pass(last + 1);
        assert_eq!(house.status("/"), "larder; fwd=uri-miss; stored", "{keep_for} {down}");
    }
    let none = keep(0, 0);
    none.get("/");
    none.pass(10);
    assert_eq!(none.status("/"), "larder; fwd=uri-miss; stored");
}

#[test]
fn pages_that_are_stored_together_do_not_expire_together() {
    let origin = counting(&["Cache-Control: max-age=1000", "ETag: \"a\""]);
    let house = House::in_front_of(&origin, |cache| cache.jitter = 10);
    let paths: Vec<String> = (0..40).map(|number| format!("/{number}")).collect();
    let ttl = |path: &String| -> u64 {
        let status = house.status(path);
        let (_, ttl) = status.split_once("hit; ttl=").expect("a hit");
        ttl.parse().expect("seconds")
    };
    paths.iter().for_each(|path| drop(house.get(path)));
    let before: Vec<u64> = paths.iter().map(ttl).collect();
    let (first, last) = (before.iter().min().expect("some"), before.iter().max().expect("some"));
    assert!((900..=1000).contains(first) && *last <= 1000, "{before:?}");
    assert!(last - first > 50, "{before:?}");
    // What is told, in whole seconds, is what will be done.
    house.pass(first + 1);
    for (path, told) in paths.iter().zip(&before).filter(|(_, told)| **told != first + 1) {
        assert_eq!(house.get(path).is_hit(), told > first, "{path}: {told}");
    }
    // A page has the same share each time.
    house.pass(1000);
    paths.iter().for_each(|path| drop(house.get(path)));
    assert_eq!(paths.iter().map(ttl).collect::<Vec<_>>(), before);
}

#[test]
fn the_default_lifetime_is_for_responses_that_state_none() {
    let origin = Origin::answering(|seen| match seen.target.as_str() {
        "/states" => reply(200, &["Cache-Control: max-age=5"], ""),
        "/missing" => reply(404, &[], ""),
        _ => reply(200, &[], ""),
    });
    let house = House::in_front_of(&origin, |cache| cache.default_ttl = Duration::from_secs(30));
    for path in ["/", "/states", "/missing"] {
        house.get(path);
    }
    house.pass(4);
    assert_eq!(house.status("/"), "larder; hit; ttl=26");
    assert_eq!(house.status("/states"), "larder; hit; ttl=1");
    assert_eq!(house.status("/missing"), "larder; fwd=uri-miss; detail=no-lifetime");
    house.pass(26);
    assert_eq!(house.status("/"), "larder; fwd=stale; stored");
}

#[test]
fn a_page_that_is_not_there_is_remembered_until_it_is_published() {
    let published = Arc::new(AtomicBool::new(false));
    let is_published = Arc::clone(&published);
    let origin = Origin::answering(move |seen| match seen.target.as_str() {
        "/article" if is_published.load(Ordering::SeqCst) => {
            reply(200, &["Cache-Control: max-age=60", "Cache-Tag: article:1"], "at last")
        }
        "/article" => reply(404, &["Cache-Tag: article:1"], "not yet"),
        "/gone" => reply(410, &[], ""),
        "/broken" => reply(500, &[], ""),
        _ => reply(501, &[], ""),
    });
    let house = House::in_front_of(&origin, |cache| {
        cache.negative_ttl = Duration::from_secs(30);
        cache.cookies = Some(vec!["sessionid".into()]);
    });
    for path in ["/article", "/gone", "/broken", "/never"] {
        house.get(path);
    }
    house.pass(10);
    assert_eq!(house.status("/article"), "larder; hit; ttl=20");
    assert_eq!(house.status("/gone"), "larder; hit; ttl=20");
    assert_eq!(house.status("/broken"), "larder; fwd=uri-miss; detail=no-lifetime");
    assert_eq!(house.status("/never"), "larder; fwd=uri-miss; detail=provoked");
    // The editor, who is logged in, sees what there is.
    published.store(true, Ordering::SeqCst);
    let session = [("Cookie", "sessionid=editor")];
    assert_eq!(get(house.proxy(), "/article", &session).text(), "at last");
    house.purge_all_of("{\"tags\": [\"article:1\"]}");
    assert_eq!(house.get("/article").text(), "at last");
    house.pass(20);
    assert_eq!(house.status("/gone"), "larder; fwd=stale; stored");
}

#[test]
fn a_stale_404_does_not_stand_in_for_an_origin_that_is_away() {
    let gone = Arc::new(AtomicBool::new(false));
    let is_gone = Arc::clone(&gone);
    let origin = Origin::scripted(move |seen, stream| {
        use std::io::Write;
        let line = match seen.target.as_str() {
            "/says-so" => "Cache-Control: max-age=10, stale-if-error=60",
            _ => "Cache-Control: max-age=10",
        };
        !is_gone.load(Ordering::SeqCst)
            && stream.write_all(reply(404, &[line], "nothing").as_bytes()).is_ok()
    });
    let house = House::in_front_of(&origin, |_| {});
    for (path, expected) in [("/", 502), ("/says-so", 404)] {
        gone.store(false, Ordering::SeqCst);
        house.get(path);
        house.pass(9);
        gone.store(true, Ordering::SeqCst);
        assert_eq!(house.get(path).status, 404);
        house.pass(1);
        assert_eq!(house.get(path).status, expected, "{path}");
    }
}

#[test]
fn last_modified_gives_a_tenth_unless_that_is_switched_off() {
    // Both dates stand in the response, so that no clock matters.
    let fields = &[
        "Date: Sat, 21 Nov 2026 12:00:00 GMT",
        "Last-Modified: Sat, 21 Nov 2026 11:50:00 GMT",
        "Age: 0",
    ];
    let origin = counting(fields);
    let house = House::in_front_of(&origin, |_| {});
    house.get("/");
    // The manual clock began after that Date: the response is as old as that.
    let off = House::in_front_of(&origin, |cache| cache.heuristics = false);
    off.get("/");
    assert_eq!(off.status("/"), "larder; fwd=stale; stored");
}

#[test]
fn a_soft_purge_is_served_for_a_window_while_it_is_validated() {
    let slow = Arc::new(AtomicBool::new(false));
    let is_slow = Arc::clone(&slow);
    let count = AtomicUsize::new(0);
    let origin = Origin::answering(move |_| {
        wait_until("the origin may answer", || !is_slow.load(Ordering::SeqCst));
        let body = (count.fetch_add(1, Ordering::SeqCst) + 1).to_string();
        reply(200, &["Cache-Control: max-age=600", "Cache-Tag: t"], &body)
    });
    let house = House::in_front_of(&origin, |_| {});
    house.get("/");
    house.pass(5);
    house.purge_softly("t");
    slow.store(true, Ordering::SeqCst);
    house.pass(3);
    let stale = house.get("/");
    assert_eq!(stale.text(), "1");
    assert_eq!(stale.cache_status(), "larder; hit; ttl=-3; detail=soft-purge");
    slow.store(false, Ordering::SeqCst);
    wait_until("the new one is stored", || house.get("/").text() == "2");
    assert_eq!(house.status("/"), "larder; hit; ttl=600");
}

#[test]
fn a_page_that_the_origin_takes_back_does_not_stand_in_any_more() {
    let phase = Arc::new(AtomicUsize::new(0));
    let now = Arc::clone(&phase);
    let origin = Origin::scripted(move |_, stream| {
        use std::io::Write;
        let answer = match now.load(Ordering::SeqCst) {
            0 => reply(200, &["Cache-Control: max-age=10", "ETag: \"a\""], "public"),
            1 => reply(403, &["Cache-Control: private"], "not any more"),
            _ => return false,
        };
        stream.write_all(answer.as_bytes()).is_ok()
    });
    let house = House::in_front_of(&origin, |_| {});
    house.get("/");
    house.pass(11);
    phase.store(1, Ordering::SeqCst);
    let taken_back = house.get("/");
    assert_eq!(taken_back.cache_status(), "larder; fwd=stale; detail=private");
    phase.store(2, Ordering::SeqCst);
    let answer = house.get("/");
    assert_eq!((answer.status, answer.text().contains("public")), (502, false));
}

#[test]
fn an_error_of_the_origin_takes_nothing_back() {
    let phase = Arc::new(AtomicUsize::new(0));
    let now = Arc::clone(&phase);
    let origin = Origin::scripted(move |_, stream| {
        use std::io::Write;
        let answer = match now.load(Ordering::SeqCst) {
            0 => reply(200, &["Cache-Control: max-age=10"], "good"),
            1 => reply(500, &[], "bad"),
            _ => return false,
        };
        stream.write_all(answer.as_bytes()).is_ok()
    });
    let house = House::in_front_of(&origin, |_| {});
    house.get("/");
    house.pass(11);
    phase.store(1, Ordering::SeqCst);
    assert_eq!(house.get("/").status, 500);
    phase.store(2, Ordering::SeqCst);
    assert_eq!(house.get("/").text(), "good");
}

#[test]
fn who_asks_can_not_have_a_page_dropped_or_collapsing_switched_off() {
    let origin = Origin::answering(|seen| match seen.field("if-none-match") {
        Some(_) => reply(304, &["ETag: \"a\"", "Cache-Control: max-age=10"], ""),
        None => reply(200, &["ETag: \"a\"", "Cache-Control: max-age=10"], "body"),
    });
    let house = House::in_front_of(&origin, |_| {});
    let ask = |fields: &[(&str, &str)]| {
        let answer = get(house.running.addresses()[0], "/", fields);
        assert_eq!(answer.text(), "body");
        answer.cache_status().to_string()
    };
    ask(&[]);
    house.pass(11);
    let authorized = ask(&[("Authorization", "Bearer x")]);
    assert_eq!(authorized, "larder; fwd=stale; fwd-status=304; detail=authorization");
    assert_eq!(ask(&[]), "larder; fwd=stale; fwd-status=304; stored");
}

#[test]
fn a_304_adds_tags_and_takes_none_away() {
    let origin = Origin::answering(|seen| match seen.field("if-none-match") {
        Some(_) => reply(304, &["ETag: \"a\"", "Surrogate-Key: site"], ""),
        None => reply(
            200,
            &["Cache-Control: max-age=10", "ETag: \"a\"", "Cache-Tag: article:1"],
            "body",
        ),
    });
    let house = House::in_front_of(&origin, |_| {});
    house.get("/");
    house.pass(11);
    assert_eq!(house.status("/"), "larder; fwd=stale; fwd-status=304; stored");
    house.purge_softly("article:1");
    assert!(house.status("/").contains("soft-purge"));
}

#[test]
fn a_304_that_nobody_asked_for_confirms_nothing() {
    // RFC 9110 section 15.4.5: 304 answers a condition. What is stored here has
    // no validator to make one with.
    let count = AtomicUsize::new(0);
    let origin = Origin::answering(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 => reply(200, &["Cache-Control: max-age=10"], "old"),
        _ => reply(304, &["Cache-Control: max-age=10"], ""),
    });
    let house = House::in_front_of(&origin, |_| {});
    house.get("/");
    house.pass(11);
    for _ in 0..2 {
        assert_eq!(house.status("/"), "larder; fwd=stale; ttl=-1; detail=stale-when-down");
    }
    let other = house.get("/other");
    assert_eq!(
        (other.status, other.cache_status()),
        (502, "larder; fwd=uri-miss; detail=unasked-304")
    );
}
