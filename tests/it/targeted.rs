//! Fields that speak to larder alone, and fields that are for one visitor alone.

use crate::harness::{Connection, Larder, Origin, reply};
use std::io::Write;

/// Answers each path with the fields that are given for it.
fn with_fields(cases: &'static [(&'static str, &'static [&'static str])]) -> Origin {
    Origin::answering(move |seen| {
        let fields = cases.iter().find(|(path, _)| *path == seen.target).map(|(_, fields)| *fields);
        reply(200, fields.expect("a case"), "page")
    })
}

#[test]
fn a_targeted_field_replaces_cache_control_and_is_handed_on() {
    let origin = with_fields(&[
        ("/cdn", &["Cache-Control: no-store", "CDN-Cache-Control: max-age=60"]),
        (
            "/own",
            &["CDN-Cache-Control: no-store", "Larder-Cache-Control: max-age=60", "Expires: 0"],
        ),
        ("/no", &["Cache-Control: max-age=60", "CDN-Cache-Control: no-store"]),
        ("/bad", &["Cache-Control: max-age=60", "CDN-Cache-Control: no-store, &"]),
    ]);
    let larder = Larder::in_front_of(origin.address, &[]);
    for (path, hit) in [("/cdn", true), ("/own", true), ("/no", false), ("/bad", true)] {
        let (first, second) = (larder.get(path), larder.get(path));
        assert_eq!(second.is_hit(), hit, "{path}: {}", second.cache_status());
        for answer in [first, second] {
            assert!(answer.field("cdn-cache-control").is_some(), "{path}");
        }
    }
}

#[test]
fn older_fields_are_read_if_they_are_listed_and_not_handed_on() {
    let origin = with_fields(&[
        ("/surrogate", &["Cache-Control: private", "Surrogate-Control: max-age=60"]),
        ("/accel", &["Cache-Control: private", "X-Accel-Expires: 60"]),
        ("/accel-0", &["Cache-Control: max-age=60", "X-Accel-Expires: 0"]),
    ]);
    let names = "Surrogate-Control,X-Accel-Expires";
    let listed = Larder::with_env(origin.address, &[], &[("LARDER_CACHE__TARGETED_FIELDS", names)]);
    for (path, hit) in [("/surrogate", true), ("/accel", true), ("/accel-0", false)] {
        let (first, second) = (listed.get(path), listed.get(path));
        assert_eq!(second.is_hit(), hit, "{path}: {}", second.cache_status());
        for answer in [first, second] {
            assert_eq!(answer.field("surrogate-control"), None);
            assert_eq!(answer.field("x-accel-expires"), None);
        }
    }
    let plain = Larder::in_front_of(origin.address, &[]);
    plain.get("/surrogate");
    let answer = plain.get("/surrogate");
    assert!(!answer.is_hit());
    assert_eq!(answer.field("surrogate-control"), Some("max-age=60"));
}

#[test]
fn a_304_without_the_field_does_not_take_back_what_it_said() {
    // Django's 304 bears few fields, and this is not among them.
    let origin = Origin::answering(|seen| match seen.field("if-none-match") {
        Some(_) => reply(304, &["ETag: \"a\"", "Cache-Control: private"], ""),
        None => {
            let fields = ["ETag: \"a\"", "Cache-Control: private", "Surrogate-Control: max-age=60"];
            reply(200, &fields, "page")
        }
    });
    let names = [
        ("LARDER_CACHE__TARGETED_FIELDS", "Surrogate-Control"),
        ("LARDER_REFRESH__NETWORKS", "127.0.0.1"),
    ];
    let larder = Larder::with_env(origin.address, &[], &names);
    larder.get("/");
    let validated = larder.get_with("/", &[("Cache-Control", "no-cache")]);
    assert_eq!(validated.cache_status(), "larder; fwd=request; fwd-status=304; stored");
    assert!(larder.get("/").is_hit());
}

#[test]
fn fields_that_are_for_one_visitor_reach_nobody_else() {
    let origin = with_fields(&[
        ("/private", &["Cache-Control: max-age=60, private=\"X-User\"", "X-User: ada"]),
        ("/no-cache", &["Cache-Control: max-age=60, no-cache=\"x-user, x-b\"", "X-User: ada"]),
        ("/cookie", &["Cache-Control: max-age=60, private=\"set-cookie\"", "Set-Cookie: id=1"]),
        ("/whole", &["Cache-Control: max-age=60, private=\"etag\"", "ETag: \"1\""]),
    ]);
    let larder = Larder::in_front_of(origin.address, &[]);
    for (path, name) in [("/private", "x-user"), ("/no-cache", "x-user"), ("/cookie", "set-cookie")]
    {
        assert!(larder.get(path).field(name).is_some(), "{path}: for whoever asked");
        let next = larder.get(path);
        assert!(next.is_hit(), "{path}: {}", next.cache_status());
        assert_eq!(next.field(name), None, "{path}");
    }
    // Nor by a 304 that says so of what an earlier answer brought.
    let origin = Origin::answering(|seen| match seen.field("if-none-match") {
        Some(_) => reply(304, &["Cache-Control: max-age=60, private=\"x-user\""], ""),
        None => reply(200, &["Cache-Control: max-age=0", "ETag: \"1\"", "X-User: ada"], "page"),
    });
    let stale = Larder::in_front_of(origin.address, &[]);
    stale.get("/");
    let confirmed = stale.get("/");
    assert!(confirmed.cache_status().contains("fwd-status=304"), "{}", confirmed.cache_status());
    assert_eq!(confirmed.field("x-user"), None);
    // Nor among the trailers, which are for all who wait for the same.
    let origin = Origin::scripted(|_, stream| {
        let head = "HTTP/1.1 200 OK\r\nCache-Control: max-age=60, private=\"x-user\"\r\n\
            Trailer: X-User, X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n";
        let body = "4\r\npage\r\n0\r\nX-User: ada\r\nX-Sum: 1\r\n\r\n";
        stream.write_all(format!("{head}{body}").as_bytes()).is_ok()
    });
    let trailing = Larder::in_front_of(origin.address, &[]);
    let mut client = Connection::open(trailing.proxy);
    client.ask("/", "TE: trailers\r\nConnection: te\r\n");
    let trailers = client.answer("GET").expect("an answer").trailers;
    assert_eq!(trailers, [("x-sum".to_string(), "1".to_string())]);
    // A field that caching rests on cannot be left out: then all is private.
    larder.get("/whole");
    assert_eq!(larder.get("/whole").cache_status(), "larder; fwd=uri-miss; detail=private");
}
