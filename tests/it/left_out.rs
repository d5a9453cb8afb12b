//! What the operator says makes no difference is left out of requests: neither keyed nor
//! seen by the app. Parameters that track, and cookies where files are.

use crate::glance::{app, sent, short, written};
use crate::harness::{House, Larder, Origin, get, reply, request};
use crate::reload::Configured;
use larder::config::Preset;

const OPTIONS: [(&str, &str); 3] = [
    ("LARDER_CACHE__IGNORED_PARAMETERS", "utm_*,gclid"),
    ("LARDER_CACHE__STATIC_PATHS", "/static/"),
    ("LARDER_CACHE__STATUS_KEY", "true"),
];

/// An app that says what it was asked for, and by whom.
fn echo() -> Origin {
    Origin::answering(|seen| {
        let cookie = seen.field("cookie").unwrap_or("nobody");
        let body = format!("{} {} {cookie}", seen.method, seen.target);
        match seen.target.split('?').next().unwrap_or_default() {
            "/slash" => reply(301, &["Cache-Control: max-age=60", "Location: /slash/"], ""),
            "/own" => reply(
                200,
                &["Cache-Control: max-age=60", &format!("Content-Location: {}", seen.target)],
                &body,
            ),
            _ => reply(200, &["Cache-Control: max-age=60", "Vary: Cookie", "ETag: \"1\""], &body),
        }
    })
}

fn larder(origin: &Origin) -> Larder {
    Larder::with_env(origin.address, &[], &OPTIONS)
}

/// The key that `Cache-Status` tells, without the host.
fn key(status: &str) -> String {
    let (_, rest) = status.split_once("key=\"http://site.test").expect("a key");
    rest.split('"').next().expect("its end").to_string()
}

#[test]
fn one_page_is_for_all_whom_a_campaign_brings() {
    let origin = echo();
    let larder = larder(&origin);
    let first = larder.get("/p?b=2&utm_source=mail&a=%31&gclid=x");
    assert_eq!((first.status, first.text().as_str()), (200, "GET /p?b=2&a=%31 nobody"));
    for path in ["/p?b=2&a=%31", "/p?utm_id=7&b=2&a=%31", "/p?b=2&%75tm_a&a=%31&gclid=&gclid"] {
        let answer = larder.get(path);
        assert!(answer.is_hit(), "{path}: {}", answer.cache_status());
        assert_eq!(answer.text(), first.text());
    }
    for (path, seen) in [
        ("/p?utm_source=x", "/p"),
        ("/p?a=1&b=2&utm_a", "/p?a=1&b=2"),
        ("/p?UTM_source=x", "/p?UTM_source=x"),
        ("/p?gclids=1&utm_=", "/p?gclids=1"),
        ("/utm_a?x", "/utm_a?x"),
    ] {
        assert_eq!(larder.get(path).text(), format!("GET {seen} nobody"), "{path}");
    }
    let head = request(larder.proxy, "HEAD", "/p?a=1&b=2&gclid=9", &[], b"");
    assert!(head.is_hit(), "{}", head.cache_status());
    let query = request(larder.proxy, "QUERY", "/p?gclid=9", &[("Content-Type", "a/b")], b"x");
    assert_eq!(query.text(), "QUERY /p nobody");
    let part = larder.get_with("/p?gclid=3&b=2&a=%31", &[("Range", "bytes=0-2")]);
    assert_eq!((part.status, part.text().as_str()), (206, "GET"));
}

#[test]
fn the_key_is_always_what_the_app_has_seen() {
    let origin = echo();
    let larder = larder(&origin);
    let names = ["a", "utm_a", "gclid", "%67clid", "b%26", "", "utm", "a+b", "%e9"];
    // Every third and fourth name after each of the first two, in many shapes.
    for (at, one) in names.iter().enumerate() {
        for (step, other) in names.iter().enumerate() {
            let third = names[(at + 2 * step) % names.len()];
            for path in [
                format!("/{at}/{step}?{one}=1&{other}&{third}=%2526"),
                format!("/{at}/{step}?&{one};{other}=2&&{third}"),
                format!("/static/{at}/{step}?{one}?{other}&{third}=="),
            ] {
                let answer = larder.get_with(&path, &[("Cookie", "a=b")]);
                assert_eq!(answer.status, 200, "{path}");
                assert_eq!(origin.last().target, key(answer.cache_status()), "{path}");
                assert_eq!(origin.last().field("cookie").is_none(), path.starts_with("/static/"));
            }
        }
    }
}

#[test]
fn what_changes_something_says_all_of_it() {
    let origin = echo();
    let larder = larder(&origin);
    for path in ["/p", "/p?utm_a=1"] {
        larder.get(path);
    }
    assert_eq!(origin.count(), 1);
    let posted = request(larder.proxy, "POST", "/p?utm_a=1", &[("Cookie", "a=b")], b"x");
    assert_eq!(posted.text(), "POST /p?utm_a=1 a=b");
    // The page is the same, whatever brought whoever sent the form.
    assert!(!larder.get("/p").is_hit());
    let posted = request(larder.proxy, "POST", "/static/p", &[("Cookie", "a=b")], b"x");
    assert_eq!(posted.text(), "POST /static/p a=b");
    // An answer that says which page it is, is stored as that one.
    request(larder.proxy, "POST", "/own?gclid=1", &[], b"x");
    assert_eq!(larder.get("/own?gclid=1").text(), "GET /own nobody");
    let moved = larder.get("/slash?utm_a=1");
    assert_eq!(moved.field("location"), Some("/slash/"), "it loses them, as docs/presets.md says");
}

#[test]
fn a_purge_with_such_parameters_meets_the_page() {
    let origin = echo();
    let larder = larder(&origin);
    let stored = || larder.get("/p?a=1&utm_b=2").is_hit();
    let purge = |path: &str| request(larder.proxy, "PURGE", path, &[], b"");
    assert!(!stored() && stored());
    assert_eq!(purge("/p?gclid=3&a=1").field("x-purged-count"), Some("1"));
    assert!(!stored() && stored());
    for (document, counted) in [
        (
            r#"{"urls":["http://site.test/p?a=1&utm_b=2","http://site.test/q?gclid"],"dry_run":true}"#,
            0,
        ),
        (r#"{"urls":["http://site.test/p?a=1&utm_b=2","http://site.test/q?gclid"]}"#, 1),
    ] {
        let answer: serde_json::Value =
            serde_json::from_str(&larder.purge(document).text()).expect("JSON");
        let (name, total) = if counted == 0 {
            ("objects", &answer["objects"])
        } else {
            ("purged", &answer["purged"])
        };
        assert_eq!(total, 1, "{answer}");
        assert_eq!((&answer["urls"][0][name], &answer["urls"][1][name]), (&1.into(), &0.into()));
        assert_eq!(answer["urls"].as_array().expect("a list").len(), 2);
    }
    assert!(!stored());
    let again = r#"{"urls":["http://site.test/p?gclid=9&a=1"],"refresh":true}"#;
    assert!(stored());
    let answer: serde_json::Value =
        serde_json::from_str(&larder.purge(again).text()).expect("JSON");
    assert_eq!(answer["refresh"]["wanted"], 1, "{answer}");
    let refreshed = request(larder.proxy, "REFRESH", "/p?a=1&utm_c=3", &[], b"");
    assert_eq!(refreshed.text(), "GET /p?a=1 nobody");
}

/// What was stored before the parameters were named is not there again, purged, when they
/// are not named any more.
#[test]
fn a_purge_meets_what_was_stored_before_a_reload_too() {
    let origin = echo();
    let tables = |more: &str| format!("[origin]\nto = \"{}\"\n[cache]\n{more}", origin.address);
    let configured = Configured::by(&tables(""));
    let larder = &configured.larder;
    larder.get("/p?gclid=1");
    assert!(larder.get("/p?gclid=1").is_hit());
    configured.reload(&tables("ignored_parameters = [\"gclid\"]"));
    assert!(!larder.get("/p?gclid=1").is_hit(), "it is another page now");
    request(larder.proxy, "PURGE", "/p?gclid=1", &[], b"");
    configured.reload(&tables(""));
    assert!(!larder.get("/p?gclid=1").is_hit());
}

#[test]
fn a_file_is_the_same_for_everybody() {
    let origin = echo();
    let larder = larder(&origin);
    let ask = |path: &str, cookie: &str| larder.get_with(path, &[("Cookie", cookie)]);
    assert_eq!(ask("/static/a.css", "session=1").text(), "GET /static/a.css nobody");
    for cookie in ["session=2", "x", "session=1; session=2"] {
        assert!(ask("/static/a.css?utm_a=1", cookie).is_hit(), "{cookie}");
    }
    // Only what every server reads as such a path.
    for path in ["/statics", "/static/../me", "/static/%2e%2e/me", "//static/a.css", "/static;/a"] {
        let answer = ask(path, "session=1");
        assert_eq!(answer.text(), format!("GET {path} session=1"));
    }
    // Credentials are no cookies.
    let fields = [("Authorization", "Basic YTpi"), ("Cookie", "a=b")];
    larder.get_with("/static/b.css", &fields);
    assert!(!larder.get_with("/static/b.css", &fields).is_hit());
}

#[test]
fn it_is_explained_what_was_left_out_and_the_log_has_it_all() {
    let origin = echo();
    let larder = larder(&origin);
    let fields = [("Larder-Debug", ""), ("Cookie", "a=b")];
    let answer = larder.get_with("/static/a?utm_a=1&b&gclid", &fields);
    assert!(larder.next_line().contains("\"GET /static/a?utm_a=1&b&gclid HTTP/1.1\""));
    let told: serde_json::Value =
        serde_json::from_str(answer.field("larder-explain").expect("it is told")).expect("JSON");
    let left = told["request"]["left_out"].to_string();
    assert!(left.contains("parameters: utm_a, gclid") && left.contains("cookies: all"), "{left}");
    assert_eq!(told["request"]["key"], "http://site.test/static/a?b");
    let path = "/v1/explain?url=http://site.test/static/a?utm_z=1%26b";
    let told = get(larder.admin, path, &[("Host", "localhost")]).text();
    assert!(told.contains("\"token\":\"hit\"") && told.contains("parameters: utm_z"), "{told}");
    let path = "/v1/stored/one?url=http://site.test/static/a?b%26utm_z=1";
    let stored = get(larder.admin, path, &[("Host", "localhost")]);
    assert_eq!(stored.status, 200, "{}", stored.text());
}

#[test]
fn every_preset_leaves_out_what_tracks() {
    for preset in Preset::ALL {
        let origin = echo();
        let larder = Larder::in_front_of(origin.address, &["--preset", preset.name()]);
        for query in ["utm_source=a&utm_medium=b", "fbclid=1", "_ga=2&mtm_campaign=x", "mc_eid=3"] {
            larder.get(&format!("/p?{query}"));
        }
        assert_eq!(origin.seen().iter().map(|seen| &*seen.target).collect::<Vec<_>>(), ["/p"]);
        larder.get("/p?page=2&sort=name&ref=x&source=y&q=utm_source");
        assert_eq!(origin.last().target, "/p?page=2&sort=name&ref=x&source=y&q=utm_source");
    }
}

/// What is left out of requests or goes past the cache is so on the short way too; only what
/// needs no other target is answered there.
#[test]
fn what_is_left_out_is_left_out_on_the_short_way() {
    let origin = app();
    let house = House::in_front_of(&origin, |cache| {
        cache.ignored_parameters = vec!["utm_*".into()];
        cache.static_paths = vec!["/static/".into()];
        cache.bypass_paths = vec!["/admin/".into()];
    });
    let proxy = house.proxy();
    for (path, lines, is_short) in [
        ("/static/cookie", &["Cookie: sessionid=a"][..], true),
        ("/static/cookie", &["Cookie: sessionid=b; x"], true),
        ("/static/cookie?utm_id=1", &["Cookie: sessionid=b"], false),
        ("/cookie", &["Cookie: sessionid=a"], true),
        ("/?b=c", &[], true),
        ("/?b=c&utm_id=1", &[], false),
        ("/admin/", &[], false),
        ("/%61dmin/", &[], false),
    ] {
        sent(proxy, &written(path, lines));
        let before = short(&house);
        let answer = sent(proxy, &written(path, lines));
        assert_eq!(short(&house) > before, is_short, "{path} {lines:?}");
        let is_hit = answer.contains("cache-status: larder; hit");
        assert_eq!(is_hit, !path.ends_with("dmin/"), "{path} {lines:?}: {answer}");
        assert!(!path.starts_with("/static/") || answer.ends_with("nobody"), "{answer}");
    }
}
