//! Who is let in: the dashboard's own requests, and those of no other page.

use super::{ask, site};
use crate::harness::{Larder, request};

/// Who asks, and what their browser says of it.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], u16);

#[test]
fn requests_of_the_dashboard_are_let_in_and_those_of_other_pages_are_not() {
    let origin = site();
    let larder = Larder::in_front_of(origin.address, &[]);
    let here = larder.admin.to_string();
    let own = format!("http://{here}");
    let proxy = format!("http://{}", larder.proxy);
    let rebound = format!("evil.test:{}", larder.admin.port());
    let of_rebound = format!("http://{rebound}");
    let cases: [Case<'_>; 9] = [
        ("no page", &[("Host", &here)], 200),
        ("an address that was typed", &[("Host", &here), ("Sec-Fetch-Site", "none")], 200),
        (
            "the dashboard",
            &[("Host", &here), ("Origin", &own), ("Sec-Fetch-Site", "same-origin")],
            200,
        ),
        ("another site", &[("Host", &here), ("Origin", "http://evil.test")], 403),
        ("an image of another site", &[("Host", &here), ("Sec-Fetch-Site", "cross-site")], 403),
        ("another port", &[("Host", &here), ("Origin", &proxy)], 403),
        ("same site, another port", &[("Host", &here), ("Sec-Fetch-Site", "same-site")], 403),
        ("a page of no origin", &[("Host", &here), ("Origin", "null")], 403),
        (
            "a name that points here",
            &[("Host", &rebound), ("Origin", &of_rebound), ("Sec-Fetch-Site", "same-origin")],
            403,
        ),
    ];
    larder.get("/a");
    for (who, fields, expected) in cases {
        for path in ["/v1/stats", "/v1/stored", "/v1/purges"] {
            assert_eq!(ask(&larder, path, fields).status, expected, "{who}: {path}");
        }
        // The form of a page of another site needs no answer to do harm.
        let purge = br#"{"all":true}"#;
        let fields = [fields, &[("Content-Type", "text/plain")]].concat();
        let answer = request(larder.admin, "POST", "/v1/purge", &fields, purge);
        assert_eq!(answer.status, expected, "{who}: a purge");
        assert_eq!(larder.get("/a").is_hit(), expected == 403, "{who}");
    }
}

#[test]
fn the_page_is_for_everybody_and_what_it_shows_is_not() {
    let origin = site();
    let larder = Larder::with_env(origin.address, &[], &[("LARDER_ADMIN__TOKEN", "secret")]);
    // From a link of another site, too.
    let page = ask(&larder, "/", &[("Host", "cache.test"), ("Sec-Fetch-Site", "cross-site")]);
    assert_eq!((page.status, page.field("content-type")), (200, Some("text/html; charset=utf-8")));
    for path in ["/v1/stats", "/v1/events", "/v1/stored", "/v1/stored/one?url=http://a/"] {
        let answer = ask(&larder, path, &[]);
        assert_eq!(answer.status, 401, "{path}");
        let wrong = ask(&larder, path, &[("Authorization", "Bearer guess")]);
        assert_eq!(wrong.status, 401, "{path}");
    }
    let right = ask(&larder, "/v1/stored", &[("Authorization", "Bearer secret")]);
    assert_eq!(right.status, 200);
}

#[test]
fn the_page_and_its_files_can_be_nothing_else() {
    let origin = site();
    let larder = Larder::in_front_of(origin.address, &[]);
    for (path, media_type) in [
        ("/", "text/html; charset=utf-8"),
        ("/dashboard/main.js", "text/javascript; charset=utf-8"),
        ("/dashboard/base.css", "text/css; charset=utf-8"),
        ("/dashboard/icon.svg", "image/svg+xml"),
    ] {
        let answer = ask(&larder, path, &[]);
        assert_eq!(answer.status, 200, "{path}");
        let policy = answer.field("content-security-policy").expect("a policy");
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "connect-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'none'",
        ] {
            assert!(policy.split("; ").any(|own| own == part), "{path}: {part}: {policy}");
        }
        for (name, value) in [
            ("content-type", media_type),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.field(name), Some(value), "{path}");
        }
    }
    for path in ["/dashboard/mod.rs", "/dashboard/index.html", "/dashboard/..%2fmod.rs"] {
        assert_eq!(ask(&larder, path, &[]).status, 404, "{path}");
    }
    let stats = ask(&larder, "/v1/stats", &[]);
    assert_eq!(stats.field("x-content-type-options"), Some("nosniff"));
}
