//! Purging: who may, what goes, and what is said about it.

use crate::harness::{Larder, Origin, Response, reply, request};
use serde_json::{Value, json};

fn site() -> Origin {
    Origin::answering(|seen| {
        let tag = format!("Cache-Tag: all, {}", seen.target.replace('/', "t"));
        reply(200, &["Cache-Control: max-age=60", "Vary: Accept", &tag], "page")
    })
}

fn said(answer: &Response) -> Value {
    serde_json::from_slice(&answer.body).expect("a JSON document")
}

fn purge(larder: &Larder, path: &str, fields: &[(&str, &str)]) -> Response {
    request(larder.proxy, "PURGE", path, fields, b"")
}

#[test]
fn purge_removes_every_variant_of_both_schemes_and_methods() {
    let origin = site();
    let env = [("LARDER_TRUST__PROXIES", "127.0.0.1/32")];
    let larder = Larder::with_env(origin.address, &[], &env);
    let requests: [&[(&str, &str)]; 4] = [
        &[("Accept", "text/html")],
        &[("Accept", "text/plain")],
        &[("Accept", "text/html"), ("X-Forwarded-Proto", "https")],
        &[],
    ];
    for fields in requests {
        larder.get_with("/a", fields);
        larder.get_with("/b", fields);
    }
    let answer = purge(&larder, "/a", &[]);
    assert_eq!((answer.status, answer.text().as_str()), (200, "{\"purged\":4}\n"));
    assert_eq!(answer.field("content-type"), Some("application/json"));
    for fields in requests {
        assert!(!request(larder.proxy, "HEAD", "/a", fields, b"").is_hit());
        assert!(!larder.get_with("/a", fields).is_hit());
        assert!(larder.get_with("/b", fields).is_hit());
    }
    assert!(origin.seen().iter().all(|seen| seen.method != "PURGE"), "the app never sees it");
}

#[test]
fn a_purge_of_nothing_is_no_error() {
    let origin = site();
    let larder = Larder::in_front_of(origin.address, &[]);
    for _ in 0..2 {
        let answer = purge(&larder, "/nothing", &[]);
        assert_eq!((answer.status, answer.text().as_str()), (200, "{\"purged\":0}\n"));
    }
    // The host is part of the target.
    larder.get("/a");
    assert_eq!(said(&purge(&larder, "/a", &[("Host", "other.test")]))["purged"], 0);
    assert_eq!(said(&purge(&larder, "/a?x", &[]))["purged"], 0);
    assert!(larder.get("/a").is_hit());
    assert_eq!(origin.count(), 1);
}

#[test]
fn who_was_forwarded_is_not_loopback() {
    let origin = site();
    let larder = Larder::in_front_of(origin.address, &[]);
    larder.get("/a");
    for name in [
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "X-Forwarded-Host",
        "Forwarded",
        "X-Real-IP",
        "Via",
    ] {
        let answer = purge(&larder, "/a", &[(name, "1.1 x")]);
        assert_eq!(answer.status, 403, "{name}");
        assert!(answer.text().contains("not allowed"));
        let bearing = purge(&larder, "/a", &[(name, "1"), ("Authorization", "Bearer guess")]);
        assert_eq!(bearing.status, 403, "{name}");
    }
    assert!(larder.get("/a").is_hit());
    assert_eq!(origin.count(), 1);
}

#[test]
fn outside_the_allowed_networks_only_the_token_counts() {
    let origin = site();
    let env = [("LARDER_PURGE__NETWORKS", "192.0.2.0/24"), ("LARDER_PURGE__TOKEN", "s3cret")];
    let larder = Larder::with_env(origin.address, &[], &env);
    larder.get("/a");
    for fields in [
        &[][..],
        &[("Authorization", "Bearer wrong")],
        &[("Authorization", "Bearer s3cre")],
        &[("Authorization", "Basic s3cret")],
        &[("X-Forwarded-For", "192.0.2.1")],
    ] {
        assert_eq!(purge(&larder, "/a", fields).status, 403, "{fields:?}");
        assert!(larder.get("/a").is_hit());
    }
    let bearing = [("Authorization", "Bearer s3cret"), ("X-Forwarded-For", "203.0.113.9")];
    assert_eq!(said(&purge(&larder, "/a", &bearing))["purged"], 1);
    assert_eq!(origin.count(), 1);
    assert!(!larder.events().contains("s3cret"));
}

#[test]
fn a_network_can_be_allowed_and_trusting_it_is_something_else() {
    let origin = site();
    let env = [("LARDER_PURGE__NETWORKS", "127.0.0.1"), ("LARDER_TRUST__PROXIES", "127.0.0.1")];
    let larder = Larder::with_env(origin.address, &[], &env);
    assert_eq!(purge(&larder, "/a", &[]).status, 200);
    // What a trusted proxy forwards comes from somewhere else.
    assert_eq!(purge(&larder, "/a", &[("X-Forwarded-For", "127.0.0.1")]).status, 403);
}

#[test]
fn every_selector_purges_what_it_names_and_is_counted() {
    let origin = site();
    let larder = Larder::in_front_of(origin.address, &[]);
    let paths = ["/a", "/b", "/c/1", "/c/2", "/cc", "/d"];
    let fill = || paths.iter().for_each(|path| drop(larder.get(path)));
    let fresh = || paths.iter().filter(|path| larder.get(path).is_hit()).count();
    let cases = [
        (
            json!({"urls": ["http://site.test/a", "https://SITE.test/b", "http://site.test/no"]}),
            json!({"purged": 2, "soft": false, "urls": [
                {"url": "http://site.test/a", "purged": 1},
                {"url": "https://SITE.test/b", "purged": 1},
                {"url": "http://site.test/no", "purged": 0},
            ]}),
        ),
        (
            json!({"tags": ["td", "none"]}),
            json!({"purged": 1, "soft": false, "tags": [
                {"tag": "td", "purged": 1}, {"tag": "none", "purged": 0}]}),
        ),
        (
            json!({"prefixes": ["http://site.test/c/"]}),
            json!({"purged": 2, "soft": false, "prefixes": [
                {"prefix": "http://site.test/c/", "purged": 2}]}),
        ),
        (
            json!({"urls": ["http://site.test/a"], "tags": ["all"], "soft": true}),
            json!({"purged": 6, "soft": true,
                "urls": [{"url": "http://site.test/a", "purged": 1}],
                "tags": [{"tag": "all", "purged": 6}]}),
        ),
        (json!({"all": true}), json!({"purged": 6, "soft": false})),
        (json!({"urls": []}), json!({"purged": 0, "soft": false, "urls": []})),
    ];
    for (asked, expected) in cases {
        fill();
        let answer = larder.purge(&asked.to_string());
        assert_eq!(answer.status, 200);
        assert_eq!(answer.field("content-type"), Some("application/json"));
        let mut said = said(&answer);
        let number = said.as_object_mut().and_then(|said| said.remove("number"));
        assert!(number.is_some_and(|number| number.is_u64()), "{asked}");
        assert_eq!(said, expected, "{asked}");
        let soft = asked["soft"] == true;
        if !soft {
            let purged = expected["purged"].as_u64().expect("a count");
            assert_eq!(fresh() as u64, 6 - purged, "{asked}");
        }
        larder.purge(r#"{"all":true}"#);
    }
}

#[test]
fn softly_purged_is_served_once_more_while_it_is_fetched_again() {
    let count = std::sync::atomic::AtomicUsize::new(0);
    let origin = Origin::answering(move |_| {
        let number = count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1;
        reply(200, &["Cache-Control: max-age=60"], &format!("version {number}"))
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    larder.get("/");
    assert_eq!(said(&larder.purge(r#"{"urls":["http://site.test/"],"soft":true}"#))["purged"], 1);
    let stale = larder.get("/");
    assert_eq!(stale.text(), "version 1");
    assert_eq!(stale.cache_status(), "larder; hit; ttl=0; detail=soft-purge");
    crate::harness::wait_until("it is fetched again", || larder.get("/").text() == "version 2");
    assert_eq!(origin.count(), 2);
}

#[test]
fn a_purge_that_makes_no_sense_is_refused_and_says_why() {
    let origin = site();
    let larder = Larder::in_front_of(origin.address, &[]);
    larder.get("/a");
    let long = format!(r#"{{"tags":["{}"]}}"#, "x".repeat(1025));
    for (document, reason) in [
        (r#"{"url":["http://site.test/a"]}"#, "unknown field `url`"),
        (r#"{"urls":["http://site.test/a"],"Tags":["a"]}"#, "unknown field `Tags`"),
        (r#"{"urls":["http://site.test/a","/b"]}"#, "urls[1] \"/b\""),
        (r#"{"urls":["http://site.test/a","http://[/"]}"#, "urls[1]"),
        (r#"{"tags":["a",""]}"#, "tags[1]"),
        (long.as_str(), "tags[0]"),
        (r#"{"prefixes":["nonsense"]}"#, "prefixes[0]"),
        (r#"{"urls":"http://site.test/a"}"#, "invalid type"),
        (r#"{"tags":["a\u0007"]}"#, "tags[0]"),
        ("{}", "nothing to purge"),
        (r#"{"all":false}"#, "nothing to purge"),
        (r#"{"soft":true}"#, "nothing to purge"),
        ("", "EOF"),
        ("{", "EOF"),
        ("[]", "an object"),
        (r#"{"all":true} {"all":true}"#, "trailing"),
    ] {
        let answer = larder.purge(document);
        assert_eq!(answer.status, 400, "{document}");
        assert_eq!(answer.field("content-type"), Some("application/problem+json"));
        let detail = said(&answer)["detail"].as_str().expect("a detail").to_string();
        assert!(detail.contains(reason), "{document}: {detail}");
    }
    assert!(larder.get("/a").is_hit(), "all or nothing");
}

#[test]
fn the_admin_port_has_doors_of_its_own() {
    let origin = site();
    let larder = Larder::in_front_of(origin.address, &[]);
    larder.get("/a");
    let ask = |method: &str, path: &str, fields: &[(&str, &str)], body: &str| {
        let fields = [&[("Host", "localhost")], fields].concat();
        request(larder.admin, method, path, &fields, body.as_bytes())
    };
    for method in ["GET", "PUT", "DELETE"] {
        let answer = ask(method, "/v1/purge", &[], "");
        assert_eq!((answer.status, answer.field("allow")), (405, Some("POST")));
    }
    assert_eq!(ask("POST", "/v1/stats", &[], "").status, 405);
    assert_eq!(ask("GET", "/a", &[], "").status, 404);
    assert_eq!(ask("GET", "/livez", &[], "").status, 200);
    assert_eq!(ask("GET", "/readyz", &[], "").status, 200);
    // A web page that a browser shows on this machine.
    let page = [("Origin", "http://evil.test")];
    assert_eq!(ask("POST", "/v1/purge", &page, r#"{"all":true}"#).status, 403);
    // What somebody has forwarded does not come from this machine.
    let forwarded = [("X-Forwarded-For", "127.0.0.1")];
    assert_eq!(ask("POST", "/v1/purge", &forwarded, r#"{"all":true}"#).status, 401);
    assert!(larder.get("/a").is_hit());
    assert_eq!(origin.count(), 1);
}

#[test]
fn with_an_admin_token_nobody_is_let_in_without() {
    let origin = site();
    let env = [("LARDER_ADMIN__TOKEN", "s3cret")];
    let larder = Larder::with_env(origin.address, &[], &env);
    larder.get("/a");
    let all = br#"{"all":true}"#;
    let ask = |fields: &[(&str, &str)]| request(larder.admin, "POST", "/v1/purge", fields, all);
    for fields in [&[][..], &[("Authorization", "Bearer nope")]] {
        let answer = ask(fields);
        assert_eq!((answer.status, answer.field("www-authenticate")), (401, Some("Bearer")));
    }
    assert_eq!(request(larder.admin, "GET", "/v1/stats", &[], b"").status, 401);
    assert_eq!(request(larder.admin, "GET", "/livez", &[], b"").status, 200);
    assert!(larder.get("/a").is_hit());
    assert_eq!(said(&ask(&[("Authorization", "Bearer s3cret")]))["purged"], 1);
}
