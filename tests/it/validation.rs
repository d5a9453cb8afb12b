//! Validation with the origin, conditions and ranges of clients.

use crate::harness::{Larder, Origin, Response, date, reply};

/// Says 304 to whoever has `"v1"`, with a counter that is new each time.
fn versioned(cache: &'static str) -> Origin {
    let count = std::sync::atomic::AtomicU64::new(0);
    Origin::answering(move |seen| {
        let number = count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1;
        let number = format!("X-Count: {number}");
        let fields = ["ETag: \"v1\"", cache, &number];
        if seen.field("if-none-match") == Some("\"v1\"") {
            reply(304, &fields, "")
        } else {
            reply(200, &[&fields[..], &["X-Old: stays"]].concat(), "the body")
        }
    })
}

#[test]
fn a_stale_response_is_validated_by_its_own_validators() {
    let modified = date(-100_000);
    let last_modified = format!("Last-Modified: {modified}");
    let origin = Origin::answering(move |seen| {
        let both = ["Cache-Control: max-age=0", "ETag: \"v1\"", &last_modified];
        let fields = if seen.target == "/etag" { &both[..2] } else { &both };
        let fields = if seen.target == "/date" { &[both[0], both[2]] } else { fields };
        let conditional = seen.field("if-none-match").or(seen.field("if-modified-since"));
        reply(if conditional.is_some() { 304 } else { 200 }, fields, "page")
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    let theirs = [("If-None-Match", "\"theirs\""), ("If-Modified-Since", &date(-5))];
    for (path, etag, since) in [
        ("/etag", Some("\"v1\""), None),
        ("/date", None, Some(modified.as_str())),
        ("/both", Some("\"v1\""), Some(modified.as_str())),
    ] {
        let first = larder.get_with(path, &theirs[..1]);
        assert_eq!((first.status, first.text().as_str()), (200, "page"), "{path}");
        let seen = origin.last();
        assert_eq!((seen.field("if-none-match"), seen.field("if-modified-since")), (None, None));
        for fields in [&[][..], &theirs[..1]] {
            let answer = larder.get_with(path, fields);
            assert_eq!((answer.status, answer.text().as_str()), (200, "page"), "{path}");
            assert_eq!(answer.cache_status(), "larder; fwd=stale; fwd-status=304; stored");
            let seen = origin.last();
            assert_eq!(seen.field("if-none-match"), etag, "{path}");
            assert_eq!(seen.field("if-modified-since"), since, "{path}");
        }
    }
}

#[test]
fn a_304_keeps_the_body_and_brings_new_fields() {
    let origin = versioned("Cache-Control: no-cache");
    let larder = Larder::in_front_of(origin.address, &[]);
    assert_eq!(larder.get("/").field("x-count"), Some("1"));
    for count in ["2", "3"] {
        let answer = larder.get("/");
        assert_eq!((answer.status, answer.text().as_str()), (200, "the body"));
        assert_eq!(answer.all("x-count"), [count]);
        assert_eq!(answer.field("x-old"), Some("stays"));
        assert_eq!(answer.field("content-length"), Some("8"));
    }
}

#[test]
fn a_304_makes_fresh_again() {
    let origin = Origin::answering(|seen| match seen.field("if-none-match") {
        Some(_) => reply(304, &["ETag: \"v1\"", "Cache-Control: max-age=60"], ""),
        None => reply(200, &["ETag: \"v1\"", "Cache-Control: max-age=0", "Age: 50"], "page"),
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    larder.get("/");
    assert!(!larder.get("/").is_hit());
    let hit = larder.get("/");
    assert_eq!((hit.is_hit(), hit.text().as_str()), (true, "page"));
    assert_eq!(hit.field("cache-control"), Some("max-age=60"));
    assert!(hit.field("age").expect("an age").parse::<u64>().expect("seconds") < 5);
    assert_eq!(origin.count(), 2);
}

#[test]
fn a_304_about_something_else_is_asked_again_without_conditions() {
    let origin = Origin::answering(|seen| match seen.field("if-none-match") {
        Some(_) => reply(304, &["ETag: \"other\""], ""),
        None => reply(200, &["ETag: \"v1\"", "Cache-Control: max-age=0"], "page"),
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    larder.get("/");
    let again = larder.get("/");
    assert_eq!((again.status, again.text().as_str()), (200, "page"));
    assert_eq!(origin.count(), 3);
}

#[test]
fn a_304_for_a_file_with_another_date_confirms_nothing() {
    // An older file, put back: Werkzeug and WhiteNoise find it old enough for a 304.
    let origin = Origin::answering(|seen| match seen.field("if-modified-since") {
        Some(_) => reply(304, &["Last-Modified: Sat, 05 Nov 1994 08:49:37 GMT"], ""),
        None => {
            let date = "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT";
            reply(200, &[date, "Cache-Control: max-age=0"], "page")
        }
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    larder.get("/");
    assert_eq!(larder.get("/").cache_status(), "larder; fwd=stale; stored");
    assert_eq!(origin.last().field("if-modified-since"), None);
    assert_eq!(origin.count(), 3);
}

#[test]
fn a_new_response_takes_the_place_of_a_stale_one() {
    let version = std::sync::atomic::AtomicU64::new(1);
    let origin = Origin::answering(move |_| {
        let version = version.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let etag = format!("ETag: \"v{version}\"");
        let cache = format!("Cache-Control: max-age={}", (version - 1) * 60);
        reply(200, &[&etag, &cache], &format!("version {version}"))
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    assert_eq!(larder.get("/").text(), "version 1");
    let second = larder.get("/");
    assert_eq!(second.text(), "version 2");
    assert_eq!(second.cache_status(), "larder; fwd=stale; stored");
    assert_eq!(larder.get("/").text(), "version 2");
    assert_eq!(origin.last().field("if-none-match"), Some("\"v1\""));
    assert_eq!(origin.count(), 2);
}

#[test]
fn conditions_of_clients_are_answered_from_the_store() {
    let modified = date(-1000);
    let last_modified = format!("Last-Modified: {modified}");
    let fields = ["Cache-Control: max-age=60", "ETag: \"v1\"", "Vary: Accept"];
    let origin = Origin::answering(move |seen| match seen.target.as_str() {
        "/etag" => reply(200, &fields, "page"),
        _ => reply(200, &["Cache-Control: max-age=60", &last_modified], "page"),
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    larder.get("/etag");
    larder.get("/date");
    let (older, newer) = (date(-2000), date(-10));
    for (path, name, value, status) in [
        ("/etag", "If-None-Match", "\"v1\"", 304),
        ("/etag", "If-None-Match", "W/\"v1\"", 304),
        ("/etag", "If-None-Match", "\"x\", \"v1\"", 304),
        ("/etag", "If-None-Match", "*", 304),
        ("/etag", "If-None-Match", "\"v2\"", 200),
        ("/date", "If-Modified-Since", &modified, 304),
        ("/date", "If-Modified-Since", &newer, 304),
        ("/date", "If-Modified-Since", &older, 200),
        ("/date", "If-Modified-Since", "yesterday", 200),
    ] {
        let answer = larder.get_with(path, &[(name, value)]);
        assert_eq!(answer.status, status, "{path} {name}: {value}");
        assert!(answer.is_hit());
        assert_eq!(answer.text(), if status == 304 { "" } else { "page" });
        if path == "/etag" {
            assert_eq!(answer.field("etag"), Some("\"v1\""));
            assert_eq!(answer.field("vary"), Some("Accept"));
        }
        assert_eq!(answer.field("cache-control"), Some("max-age=60"));
        assert!(answer.field("date").is_some());
    }
    assert_eq!(origin.count(), 2);
}

#[test]
fn a_condition_on_a_miss_brings_the_whole_response_for_everybody() {
    let origin = versioned("Cache-Control: max-age=60");
    let larder = Larder::in_front_of(origin.address, &[]);
    let mine = larder.get_with("/", &[("If-None-Match", "\"v1\"")]);
    assert_eq!((mine.status, mine.text().as_str()), (304, ""));
    assert_eq!(mine.cache_status(), "larder; fwd=uri-miss; stored");
    let other = larder.get("/");
    assert_eq!((other.is_hit(), other.text().as_str()), (true, "the body"));
    assert_eq!(origin.count(), 1);
}

#[test]
fn preconditions_that_only_the_origin_can_judge_go_there() {
    let origin = Origin::answering(|seen| match seen.field("if-match") {
        Some(_) => reply(412, &[], "changed"),
        None => reply(200, &["Cache-Control: max-age=60", "ETag: \"v1\""], "page"),
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    larder.get("/");
    let answer = larder.get_with("/", &[("If-Match", "\"v0\"")]);
    assert_eq!((answer.status, answer.text().as_str()), (412, "changed"));
    assert_eq!(answer.cache_status(), "larder; fwd=bypass; detail=precondition");
    assert!(larder.get("/").is_hit());
}

fn digits() -> (Origin, Larder) {
    let fields = ["Cache-Control: max-age=60", "ETag: \"v1\"", "Content-Type: text/plain"];
    let origin = Origin::answering(move |seen| match seen.field("range") {
        Some(_) => {
            let more = [&fields[..], &["Content-Range: bytes 2-4/10"]].concat();
            reply(206, &more, "234")
        }
        None => reply(200, &fields, "0123456789"),
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    (origin, larder)
}

#[test]
fn a_range_is_cut_from_the_store() {
    let (origin, larder) = digits();
    larder.get("/");
    for (range, status, text, place) in [
        ("bytes=2-4", 206, "234", Some("bytes 2-4/10")),
        ("bytes=-3", 206, "789", Some("bytes 7-9/10")),
        ("bytes=8-", 206, "89", Some("bytes 8-9/10")),
        ("bytes=5-99", 206, "56789", Some("bytes 5-9/10")),
        ("bytes=10-", 416, "", Some("bytes */10")),
        ("bytes=-0", 416, "", Some("bytes */10")),
        ("bytes=4-2", 200, "0123456789", None),
        ("lines=1-2", 200, "0123456789", None),
    ] {
        let answer = larder.get_with("/", &[("Range", range)]);
        assert_eq!((answer.status, answer.text().as_str()), (status, text), "{range}");
        assert_eq!(answer.field("content-range"), place, "{range}");
        assert_eq!(answer.field("content-length"), Some(text.len().to_string().as_str()));
        assert!(answer.is_hit());
    }
    assert_eq!(origin.count(), 1);
}

/// The parts of a `multipart/byteranges`: place and bytes.
fn parts(answer: &Response) -> Vec<(String, String)> {
    let content_type = answer.field("content-type").expect("a type");
    let boundary =
        content_type.strip_prefix("multipart/byteranges; boundary=").expect("byteranges");
    let text = answer.text();
    let body = text.strip_suffix(&format!("\r\n--{boundary}--\r\n")).expect("an end");
    body.split(&format!("\r\n--{boundary}\r\n"))
        .skip(1)
        .map(|part| {
            let (head, bytes) = part.split_once("\r\n\r\n").expect("a head");
            assert!(head.contains("Content-Type: text/plain"), "{head}");
            let place = head.split("Content-Range: ").nth(1).expect("a place");
            (place.lines().next().unwrap_or_default().to_string(), bytes.to_string())
        })
        .collect()
}

#[test]
fn several_ranges_come_in_one_answer() {
    let (origin, larder) = digits();
    larder.get("/");
    let answer = larder.get_with("/", &[("Range", "bytes=0-1, 4-5,-1")]);
    assert_eq!((answer.status, answer.is_hit(), answer.complete), (206, true, true));
    let part = |place: &str, bytes: &str| (format!("bytes {place}/10"), bytes.to_string());
    assert_eq!(parts(&answer), [part("0-1", "01"), part("4-5", "45"), part("9-9", "9")]);
    // Seventeen are more than anybody needs.
    let many = vec!["0-0"; 17].join(",");
    let answer = larder.get_with("/", &[("Range", &format!("bytes={many}"))]);
    assert_eq!((answer.status, answer.text().as_str()), (200, "0123456789"));
    assert_eq!(origin.count(), 1);
}

#[test]
fn if_range_asks_for_the_part_of_what_the_client_has() {
    let (origin, larder) = digits();
    larder.get("/");
    for (condition, status) in [
        ("\"v1\"", 206),
        ("\"v2\"", 200),
        ("W/\"v1\"", 200),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 200),
    ] {
        let answer = larder.get_with("/", &[("Range", "bytes=2-4"), ("If-Range", condition)]);
        assert_eq!(answer.status, status, "{condition}");
        assert!(answer.is_hit());
    }
    assert_eq!(origin.count(), 1);
}

#[test]
fn several_ranges_and_ranges_on_a_condition_are_handed_on_and_not_stored() {
    let (origin, larder) = digits();
    for fields in [
        &[("Range", "bytes=2-4"), ("If-Range", "\"v1\"")][..],
        &[("Range", "bytes=2-4, 6-7")],
        &[("Range", "lines=2-4")],
    ] {
        let answer = larder.get_with("/", fields);
        assert_eq!((answer.status, answer.text().as_str()), (206, "234"));
        assert_eq!(answer.cache_status(), "larder; fwd=uri-miss; detail=range");
        assert_eq!(origin.last().field("range"), Some(fields[0].1));
    }
    let whole = larder.get("/");
    assert_eq!((whole.status, whole.text().as_str()), (200, "0123456789"));
    assert_eq!(origin.count(), 4);
}
