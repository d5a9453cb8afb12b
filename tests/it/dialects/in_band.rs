//! Purges that the app's own answers bear, and the fields of frameworks that
//! visitors never see.

use super::site::{Page, Site};
use crate::harness::{Larder, Origin, get, reply, request};

#[test]
fn litespeeds_field_purges_before_the_answer_is_handed_on() {
    let origin = Origin::answering(|seen| {
        let mut lines = vec!["Cache-Control: max-age=60"];
        lines.push(match (seen.method.as_str(), seen.target.as_str()) {
            ("GET", "/news") => "X-LiteSpeed-Tag: news,public:all",
            ("GET", "/shop") => "X-LiteSpeed-Tag: shop",
            ("GET", "/fetch") => "X-LiteSpeed-Purge: stale=off,tag=shop",
            ("POST", "/tag") => "X-LiteSpeed-Purge: stale=off,tag=news",
            ("POST", "/url") => "X-LiteSpeed-Purge: public,/shop; private,*",
            ("POST", "/stale") => "X-LiteSpeed-Purge: stale=on, tag=all",
            ("POST", "/all") => "X-LiteSpeed-Purge: *",
            ("POST", "/private") => "X-LiteSpeed-Purge: private,*",
            _ => "X-None: 1",
        });
        // A failure purges too: LiteSpeed goes by the field alone.
        let status = if seen.target == "/url" { 404 } else { 200 };
        reply(status, &lines, "page")
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    let state = |path| match larder.get(path) {
        answer if answer.cache_status().contains("soft-purge") => "stale",
        answer if answer.is_hit() => "fresh",
        _ => "gone",
    };
    for (method, path, news, shop) in [
        ("POST", "/tag", "gone", "fresh"),
        ("POST", "/url", "fresh", "gone"),
        ("POST", "/stale", "stale", "fresh"),
        ("POST", "/private", "fresh", "fresh"),
        ("GET", "/fetch", "fresh", "gone"),
        ("POST", "/all", "gone", "gone"),
    ] {
        larder.purge(r#"{"all":true}"#);
        for page in ["/news", "/shop"] {
            larder.get(page);
        }
        let answer = request(larder.proxy, method, path, &[], b"");
        assert_eq!(answer.field("x-litespeed-purge"), None, "{path}");
        assert_eq!((state("/news"), state("/shop")), (news, shop), "{method} {path}");
    }
    let list = get(larder.admin, "/v1/purges", &[("Host", "localhost")]).text();
    assert!(list.contains("\"via\":\"in-band\"") && list.contains("shop"), "{list}");
    // Stored or not, visitors see none of it.
    for _ in 0..2 {
        assert_eq!(larder.get("/fetch").field("x-litespeed-purge"), None);
        assert_eq!(larder.get("/news").field("x-litespeed-tag"), None);
    }
}

#[test]
fn litespeeds_field_is_any_other_where_the_dialect_is_off() {
    let origin = Origin::answering(|seen| match seen.method.as_str() {
        "GET" => reply(200, &["Cache-Control: max-age=60"], "page"),
        _ => reply(200, &["X-LiteSpeed-Purge: *"], "done"),
    });
    let env = [("LARDER_PURGE__DIALECTS", "url")];
    let larder = Larder::with_env(origin.address, &[], &env);
    larder.get("/a");
    let answer = request(larder.proxy, "POST", "/b", &[], b"");
    assert_eq!(answer.field("x-litespeed-purge"), Some("*"));
    assert!(larder.get("/a").is_hit());
}

#[test]
fn litespeeds_cache_control_where_it_is_listed() {
    let origin = Origin::answering(|seen| {
        let own = match seen.target.as_str() {
            "/public" => "X-LiteSpeed-Cache-Control: max-age=300,public,esi=on",
            "/private" => "X-LiteSpeed-Cache-Control: private,max-age=300",
            _ => "X-LiteSpeed-Cache-Control: no-cache",
        };
        reply(200, &["Cache-Control: max-age=0", own], "page")
    });
    let env = [("LARDER_CACHE__TARGETED_FIELDS", "X-LiteSpeed-Cache-Control")];
    let larder = Larder::with_env(origin.address, &[], &env);
    for (path, stored) in [("/public", true), ("/private", false), ("/no", false)] {
        larder.get(path);
        let again = larder.get(path);
        assert_eq!(again.is_hit(), stored, "{path}");
        assert_eq!(again.field("x-litespeed-cache-control"), None, "{path}");
    }
}

#[test]
fn every_field_of_tags_is_read_and_taken_off() {
    let pages: &[Page] = &[
        ("a.test", "/1", "xkey: t one"),
        ("a.test", "/2", "Surrogate-Key: t two"),
        ("a.test", "/3", "Purge-Cache-Tags: t three"),
        ("a.test", "/4", "Cache-Tag: t,four"),
        ("a.test", "/5", "Cache-Tags: t,five"),
        ("a.test", "/6", "X-Cache-Tags: t,six"),
        ("a.test", "/7", "X-Magento-Tags: t,seven"),
        ("a.test", "/8", "X-LiteSpeed-Tag: t,eight"),
        ("a.test", "/9", "Edge-Cache-Tag: t,nine"),
        ("a.test", "/10", "X-Drupal-Cache-Tags: t ten"),
        ("a.test", "/11", "Cache-Groups: \"t\", \"eleven\""),
        ("a.test", "/12", "xkey: t, twelve"),
    ];
    let site = Site::with(&[]);
    site.store(pages);
    for (host, path, line) in pages {
        let name = line.split(':').next().expect("a name").to_ascii_lowercase();
        let seen = get(site.larder.proxy, path, &[("Host", host)]);
        assert_eq!(seen.field(&name).is_some(), name == "cache-groups", "{line}");
    }
    assert_eq!(site.larder.purge(r#"{"tags":["t"]}"#).text().matches("\"purged\":12").count(), 2);
}
