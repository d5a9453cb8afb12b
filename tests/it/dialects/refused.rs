//! Who may not, what makes no sense, and what is a page of the app after all.

use super::site::{Case, Page, Site, replay, with_document};

const PAGES: &[Page] = &[("a.test", "/1", "xkey: one"), ("a.test", "/2", "xkey: two")];

fn states(site: &Site) -> Vec<&'static str> {
    PAGES.iter().map(|page| site.state(page)).collect()
}

#[test]
fn who_may_not_purge_changes_nothing_and_is_written_down() {
    let site = Site::with(&[("LARDER_PURGE__NETWORKS", "192.0.2.0/24")]);
    site.store(PAGES);
    let before = site.origin.count();
    for sent in [
        "PURGE /1 HTTP/1.1\nHost: a.test\n\n",
        "PURGE /1 HTTP/1.1\nHost: a.test\nFastly-Key: wrong\n\n",
        "PURGE / HTTP/1.1\nHost: a.test\nkey: one\nx-invalidate-token: wrong\n\n",
        "PURGE / HTTP/1.1\nHost: a.test\nxkey: one\n\n",
        "PURGEKEYS / HTTP/1.1\nHost: a.test\nxkey-purge: one\n\n",
        "PURGEKEYS / HTTP/1.1\nHost: a.test\n\n",
        "PURGETAGS / HTTP/1.1\nHost: a.test\nX-Cache-Tags: one\n\n",
        "PURGETAG / HTTP/1.1\nHost: a.test\npurgetag-list: one\nauthorization: bearer no\n\n",
        "PURGEALL / HTTP/1.1\nHost: a.test\n\n",
        "BAN / HTTP/1.1\nHost: a.test\nX-Host: .*\nX-Url: .*\nX-Content-Type: .*\n\n",
        "BAN / HTTP/1.1\nHost: a.test\n\n",
        "BANDIR / HTTP/1.1\nHost: a.test\n\n",
        "FULLBAN / HTTP/1.1\nHost: a.test\n\n",
        "URIBAN /1 HTTP/1.1\nHost: a.test\n\n",
        "REFRESH /1 HTTP/1.1\nHost: a.test\n\n",
    ] {
        let answer = replay(site.larder.proxy, sent);
        assert!(answer.starts_with("HTTP/1.1 403 "), "{sent}\n{answer}");
    }
    assert_eq!(site.origin.count(), before, "the app never sees them");
    assert_eq!(states(&site), ["fresh", "fresh"]);
    site.larder.says("a purge was refused");
    assert!(!site.larder.events().contains("wrong"), "no token is written down");
}

/// A ban's own X-Host is no claim to have been forwarded; another field is.
#[test]
fn who_was_forwarded_is_not_loopback_for_bans_either() {
    let site = Site::with(&[]);
    site.store(PAGES);
    for field in ["X-Forwarded-For: 127.0.0.1", "Via: 1.1 nginx", "X-Real-IP: 127.0.0.1"] {
        let ban = format!("BAN / HTTP/1.1\nHost: a.test\nX-Host: .*\nX-Url: .*\n{field}\n\n");
        assert!(replay(site.larder.proxy, &ban).starts_with("HTTP/1.1 403 "), "{field}");
    }
    let purge = "PURGE /1 HTTP/1.1\nHost: a.test\nX-Host: a.test\n\n";
    assert!(replay(site.larder.proxy, purge).starts_with("HTTP/1.1 403 "));
    assert_eq!(states(&site), ["fresh", "fresh"]);
}

/// A name that somebody points at this machine makes his web pages larder's own.
#[test]
fn a_web_page_purges_nothing_without_a_token() {
    let site = Site::with(&[("LARDER_PURGE__DIALECTS", "url,varnish,nginx")]);
    site.store(PAGES);
    let page = "Host: a.test\nOrigin: http://a.test\nSec-Fetch-Site: same-origin";
    for line in ["PURGEALL /", "PURGE /1", "BAN /", "REFRESH /1"] {
        let answer = replay(site.larder.proxy, &format!("{line} HTTP/1.1\n{page}\n\n"));
        assert!(answer.starts_with("HTTP/1.1 403 "), "{line}\n{answer}");
    }
    let image = "GET /purge/1 HTTP/1.1\nHost: a.test\nAccept-Language: en\n\n";
    assert!(replay(site.larder.proxy, image).starts_with("HTTP/1.1 200 OK"), "the app's own");
    assert_eq!(states(&site), ["fresh", "fresh"]);
    let purge = format!("PURGE /1 HTTP/1.1\n{page}\nAuthorization: Bearer s3cret\n\n");
    assert!(replay(site.larder.proxy, &purge).starts_with("HTTP/1.1 200 "));
    assert_eq!(states(&site), ["gone", "fresh"]);
}

#[test]
fn what_looks_like_a_page_goes_to_the_app_unless_a_token_proves_right() {
    let site = Site::with(&[]);
    let document = r#"{"surrogate_keys":["one"]}"#;
    for (line, fields, document) in [
        ("POST /service/S/purge_all", "", ""),
        ("POST /service/S/purge_all", "Fastly-Key: wrong\n", ""),
        ("POST /service/S/purge", "Fastly-Key: wrong\n", document),
        ("POST /service/S/purge", "", document),
        ("POST /purge/a.test/1", "", ""),
        ("POST /client/v4/zones/Z/purge_cache", "", r#"{"purge_everything":true}"#),
        ("POST /client/v4/zones/Z/purge_cache", "X-Auth-Key: wrong\n", r#"{"tags":["one"]}"#),
        ("POST /souin-api/souin", "", r#"{"type":"group","groups":["one"]}"#),
        ("GET /purge/1", "", ""),
        ("POST /service/S/other", "Fastly-Key: s3cret\n", ""),
    ] {
        site.store(PAGES);
        let head = format!("{line} HTTP/1.1\nHost: a.test\n{fields}");
        let request = match document {
            "" => format!("{head}\n"),
            document => with_document(&head, document),
        };
        let before = site.origin.count();
        let answer = replay(site.larder.proxy, &request);
        assert!(answer.starts_with("HTTP/1.1 200 "), "{request}\n{answer}");
        assert_eq!(site.origin.count(), before + 1, "{request}");
        let seen = site.origin.last();
        assert_eq!(line, format!("{} {}", seen.method, seen.target));
        assert_eq!(seen.body, document.as_bytes(), "the app has the body whole");
        assert_eq!(states(&site), ["fresh", "fresh"], "{request}");
    }
}

#[test]
fn what_is_named_needs_no_token_from_the_network() {
    let site = Site::with(&[("LARDER_PURGE__DIALECTS", "fastly,nginx")]);
    let case = |sent, answer, gone| Case {
        client: "named",
        pages: PAGES,
        sent,
        answer,
        says: "",
        gone,
        stale: &[],
    };
    let key = "POST /service/S/purge/two HTTP/1.1\nHost: a.test\n\n";
    site.play(&case(key, "200 OK", &[1]));
    site.play(&case("GET /purge/1 HTTP/1.1\nHost: a.test\n\n", "200 Purged", &[0]));
    // What is not named is off: refused, and no page of the app.
    let ban = "BAN / HTTP/1.1\nHost: a.test\n\n";
    site.play(&case(ban, "405 Method Not Allowed", &[]));
}

#[test]
fn what_makes_no_sense_is_refused_with_its_place() {
    let site = Site::with(&[]);
    site.store(PAGES);
    let token = "Fastly-Key: s3cret\nAuthorization: Bearer s3cret\n";
    let post = |path: &str, document: &str| {
        with_document(&format!("POST {path} HTTP/1.1\nHost: a.test\n{token}"), document)
    };
    let long = "x".repeat(8200);
    let cloudflare = "/client/v4/zones/Z/purge_cache";
    for (sent, says) in [
        (format!("BAN / HTTP/1.1\nHost: a.test\nX-Url: {long}\n\n"), "x-url: 8200 bytes; 8190"),
        (format!("PURGE / HTTP/1.1\nHost: a.test\nxkey: {long}\n\n"), "xkey: 8200 bytes; 8190"),
        ("BAN / HTTP/1.1\nHost: a.test\nX-Url: ^/(1\n\n".into(), "x-url: at byte"),
        ("BAN / HTTP/1.1\nHost: a.test\nX-Url: (x{1000}){1000}\nX-Host: .*\n\n".into(), "x-url: "),
        ("PURGEKEYS / HTTP/1.1\nHost: a.test\n\n".into(), "xkey-purge or xkey-softpurge"),
        ("PURGETAG / HTTP/1.1\nHost: a.test\n\n".into(), "purgetag-list: it names no tag"),
        (post("/service/S/purge", r#"{"keys":["one"]}"#), "\"detail\":\"the body: unknown field"),
        (post("/service/S/purge", r#"{"surrogate_keys":["one","\u0000"]}"#), "surrogate_keys[1]"),
        (post(cloudflare, r#"{"tags":["one"],"file":[]}"#), "\"success\":false"),
        (post(cloudflare, r#"{"tags":["one"],"files":["/1"]}"#), "files[0]"),
        (post("/souin-api/souin", r#"{"type":"tag","groups":["one"]}"#), "unknown variant `tag`"),
        (post("/souin-api/souin", &" ".repeat((1 << 20) + 1)), "larger than 1 MiB"),
    ] {
        let answer = replay(site.larder.proxy, &sent);
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains(says), "{sent}\n{answer}");
        assert_eq!(states(&site), ["fresh", "fresh"], "all or nothing: {sent}");
    }
}
