//! What RFC 9111 asks of a cache, over real sockets: what is fresh for how long,
//! and what is said about it.

use crate::harness::{Larder, Origin, date, reply, request};

#[test]
fn a_page_is_computed_once_and_served_many_times() {
    let origin = Origin::answering(|_| reply(200, &["Cache-Control: max-age=60"], "hello"));
    let larder = Larder::in_front_of(origin.address, &[]);
    let first = larder.get("/page");
    assert_eq!((first.status, first.text().as_str()), (200, "hello"));
    assert_eq!(first.cache_status(), "larder; fwd=uri-miss; stored");
    for _ in 0..5 {
        let again = larder.get("/page");
        assert_eq!((again.status, again.text().as_str()), (200, "hello"));
        assert!(again.is_hit(), "{again:?}");
        assert_eq!(again.field("content-length"), Some("5"));
        assert!(again.field("age").is_some());
    }
    assert_eq!(origin.count(), 1);
}

/// Whether a value is a number of seconds, or up to three less: a test takes time.
fn is_about(value: &str, seconds: u64) -> bool {
    value.parse::<u64>().is_ok_and(|value| (seconds.saturating_sub(3)..=seconds).contains(&value))
}

#[test]
fn the_lifetime_is_what_the_response_states_then_a_guess_then_the_default() {
    let cases: &[(&str, Vec<String>, u64)] = &[
        ("/s-maxage", vec!["Cache-Control: max-age=5, s-maxage=100".into()], 100),
        (
            "/max-age",
            vec!["Cache-Control: max-age=50".into(), format!("Expires: {}", date(10))],
            50,
        ),
        ("/expires", vec![format!("Expires: {}", date(40)), format!("Date: {}", date(0))], 40),
        (
            "/heuristic",
            vec![format!("Last-Modified: {}", date(-7000)), format!("Date: {}", date(0))],
            700,
        ),
        ("/default", vec![], 33),
        ("/public", vec!["Cache-Control: public".into()], 33),
    ];
    let answers = cases.to_vec();
    let origin = Origin::answering(move |seen| {
        let (_, fields, _) = answers.iter().find(|c| c.0 == seen.target).expect("a case");
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        reply(200, &fields, "page")
    });
    let larder = Larder::in_front_of(origin.address, &["--default-ttl", "33s"]);
    for (path, _, seconds) in cases {
        assert_eq!(larder.get(path).cache_status(), "larder; fwd=uri-miss; stored", "{path}");
        let hit = larder.get(path);
        let ttl = hit.cache_status().strip_prefix("larder; hit; ttl=").expect("a hit");
        assert!(is_about(ttl, *seconds), "{path}: {ttl}");
        assert!(is_about("0", hit.field("age").expect("an age").parse().expect("seconds")));
    }
    assert_eq!(origin.count(), cases.len());
}

#[test]
fn what_states_no_lifetime_has_none_unless_someone_says_so() {
    let origin = Origin::answering(|seen| match seen.target.as_str() {
        "/zero" => reply(200, &["Cache-Control: max-age=0"], "page"),
        "/past" => reply(200, &[&format!("Expires: {}", date(-60))], "page"),
        "/wrong" => reply(200, &["Expires: 0"], "page"),
        "/no-cache" => reply(200, &["Cache-Control: no-cache"], "page"),
        "/missing" => reply(404, &[], "nothing here"),
        "/error" => reply(500, &[], "oh"),
        _ => reply(200, &[], "page"),
    });
    let plain = Larder::in_front_of(origin.address, &[]);
    for count in 1..=2 {
        assert_eq!(plain.get("/").cache_status(), "larder; fwd=uri-miss; detail=no-lifetime");
        assert_eq!(origin.asked_for("/"), count);
    }
    // The default is for responses that state nothing, and not for errors.
    let larder = Larder::in_front_of(origin.address, &["--default-ttl", "60s"]);
    for path in ["/zero", "/past", "/wrong", "/no-cache", "/missing", "/error"] {
        for count in 1..=2 {
            assert_eq!(larder.get(path).cache_status(), "larder; fwd=uri-miss; detail=no-lifetime");
            assert_eq!(origin.asked_for(path), count, "{path}");
        }
    }
}

#[test]
fn errors_are_stored_if_they_say_for_how_long() {
    let origin = Origin::answering(|seen| {
        let status = seen.target[1..].parse().expect("a status");
        reply(status, &["Cache-Control: max-age=60", "Location: /x"], "body")
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    for status in [203, 301, 302, 404, 410, 503] {
        let path = format!("/{status}");
        assert_eq!(larder.get(&path).status, status);
        let hit = larder.get(&path);
        assert_eq!((hit.status, hit.is_hit(), hit.text().as_str()), (status, true, "body"));
    }
}

#[test]
fn age_counts_from_when_the_origin_made_it() {
    let origin = Origin::answering(|seen| {
        let (old, new) = (format!("Date: {}", date(-20)), format!("Date: {}", date(0)));
        match seen.target.as_str() {
            "/aged" => reply(200, &["Cache-Control: max-age=60", "Age: 30", &new], "page"),
            "/dated" => reply(200, &["Cache-Control: max-age=60", &old], "page"),
            _ => reply(200, &["Cache-Control: max-age=60", "Age: 70"], "page"),
        }
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    let first = larder.get("/aged");
    assert!(is_about("30", first.field("age").expect("an age").parse().expect("seconds")));
    for (path, age) in [("/aged", 30), ("/dated", 20)] {
        larder.get(path);
        let hit = larder.get(path);
        let seconds = hit.field("age").expect("an age").parse().expect("seconds");
        assert!(is_about(&age.to_string(), seconds), "{path}: {seconds}");
        let ttl = hit.cache_status().strip_prefix("larder; hit; ttl=").expect("a hit");
        assert!(is_about(ttl, 60 - age), "{path}: {ttl}");
    }
    // Too old when it comes.
    larder.get("/old");
    assert!(!larder.get("/old").is_hit());
}

#[test]
fn a_chain_of_caches_adds_up_and_says_so() {
    let origin =
        Origin::answering(|_| reply(200, &["Cache-Control: max-age=60", "Age: 10"], "page"));
    let inner = Larder::in_front_of(origin.address, &[]);
    let outer = Larder::in_front_of(inner.proxy, &[]);
    assert_eq!(inner.get("/").cache_status(), "larder; fwd=uri-miss; stored");
    let through = outer.get("/");
    let ages: Vec<u64> = through.all("age").iter().map(|a| a.parse().expect("seconds")).collect();
    assert!(ages.len() == 1 && is_about("10", ages[0]), "{ages:?}");
    let said = through.all("cache-status").join(", ");
    assert!(said.starts_with("larder; hit; ttl="), "{said}");
    assert!(said.ends_with(", larder; fwd=uri-miss; stored"), "{said}");
    assert_eq!(through.all("via").join(", "), "1.1 larder, 1.1 larder");
    let hit = outer.get("/");
    assert!(is_about("10", hit.field("age").expect("an age").parse().expect("seconds")));
    let ttl = hit.cache_status().strip_prefix("larder; hit; ttl=").expect("a hit");
    assert!(is_about(ttl, 50), "{ttl}");
    assert_eq!(origin.last().field("via"), Some("1.1 larder"));
    assert_eq!(origin.count(), 1);
}

#[test]
fn tag_fields_are_for_the_cache_alone_but_for_groups() {
    let tags = [
        "Cache-Tag: a, b",
        "Surrogate-Key: c d",
        "xkey: e",
        "X-Cache-Tags: f",
        "Cache-Groups: \"g\"",
    ];
    let origin = Origin::answering(move |seen| {
        let cache = match seen.target.as_str() {
            "/stored" => "Cache-Control: max-age=60",
            "/stale" => "Cache-Control: max-age=0",
            _ => "Cache-Control: no-store",
        };
        let status = if seen.field("if-none-match").is_some() { 304 } else { 200 };
        reply(status, &[&tags[..], &[cache, "ETag: \"1\"", "X-Other: stays"]].concat(), "page")
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    for (method, path) in [
        ("GET", "/stored"),
        ("GET", "/stored"),
        ("GET", "/stale"),
        ("GET", "/stale"),
        ("GET", "/passed"),
        ("POST", "/passed"),
        ("OPTIONS", "/passed"),
    ] {
        let answer = request(larder.proxy, method, path, &[], b"");
        assert_eq!(answer.status, 200);
        for name in ["cache-tag", "surrogate-key", "xkey", "x-cache-tags"] {
            assert_eq!(answer.field(name), None, "{method} {path}");
        }
        assert_eq!(answer.field("cache-groups"), Some("\"g\""), "{method} {path}");
        assert_eq!(answer.field("x-other"), Some("stays"));
    }
}

#[test]
fn the_fields_that_hold_tags_can_be_named() {
    let fields = ["Cache-Control: max-age=60", "X-My-Tags: a,b", "Cache-Tag: kept"];
    let origin = Origin::answering(move |_| reply(200, &fields, "page"));
    let env = [("LARDER_CACHE__TAG_FIELDS", "X-My-Tags")];
    let larder = Larder::with_env(origin.address, &[], &env);
    let answer = larder.get("/");
    assert_eq!((answer.field("x-my-tags"), answer.field("cache-tag")), (None, Some("kept")));
    assert!(larder.purge(r#"{"tags":["kept"]}"#).text().contains("\"purged\":0"));
    assert!(larder.purge(r#"{"tags":["b"]}"#).text().contains("\"purged\":1"));
}

#[test]
fn a_target_is_scheme_host_path_and_query() {
    let origin = Origin::answering(|seen| {
        let host = seen.field("host").expect("a host");
        reply(200, &["Cache-Control: max-age=60"], &format!("{host}{}", seen.target))
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    let ask = |host: &str, path: &str| larder.get_with(path, &[("Host", host)]);
    for (host, path) in [
        ("a.test", "/p"),
        ("b.test", "/p"),
        ("a.test:8080", "/p"),
        ("a.test", "/p?"),
        ("a.test", "/p?x=1"),
        ("a.test", "/p?x=2"),
        ("a.test", "/P"),
        ("a.test", "/%70"),
        ("a.test", "//p"),
    ] {
        let answer = ask(host, path);
        assert_eq!(answer.cache_status(), "larder; fwd=uri-miss; stored", "{host}{path}");
        assert_eq!(answer.text(), format!("{host}{path}"), "byte for byte");
        assert!(ask(host, path).is_hit());
    }
    assert!(ask("A.TEST", "/p").is_hit(), "hosts have no case");
    assert!(ask("a.test:80", "/p").is_hit(), "the default port is no other port");
    // The host of an absolute target goes before that of the field.
    let absolute = ask("b.test", "http://a.test/p");
    assert_eq!((absolute.is_hit(), absolute.text().as_str()), (true, "a.test/p"));
}
