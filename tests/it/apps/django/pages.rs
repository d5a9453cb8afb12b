//! Pages for everybody, by Django's own means for caching.

use super::BY_SESSION;
use crate::apps::{assert_forwarded, assert_hit, blog};
use crate::harness::{request, wait_until};

#[test]
fn an_unmodified_page_is_a_hit_the_second_time() {
    let site = blog().with(&BY_SESSION).open();
    for path in ["/", "/articles/1/", "/articles/2/"] {
        let first = site.get(path);
        assert_eq!(first.cache_status(), "larder; fwd=uri-miss; stored");
        let second = site.get_with(path, &[("Cookie", "_ga=GA1.1; csrftoken=x")]);
        assert_hit(&second);
        assert_eq!(first.body, second.body);
        assert_eq!(second.field("vary"), Some("Cookie, Accept-Encoding"));
        assert_eq!((first.field("cache-tag"), second.field("cache-tag")), (None, None));
        assert_eq!(site.computed(path), 1);
    }
    let tag = site.get("/articles/1/").field("etag").expect("an entity tag").to_string();
    let spared = site.get_with("/articles/1/", &[("If-None-Match", &tag)]);
    assert_eq!((spared.status, spared.body.len()), (304, 0));
    assert_hit(&spared);
    assert_eq!(site.computed("/articles/1/"), 1);
}

#[test]
fn without_a_default_the_page_is_validated_by_its_entity_tag() {
    let site = blog().with(&["--cookies", "sessionid"]).open();
    let first = site.get("/articles/1/");
    let again = site.get("/articles/1/");
    assert_eq!((again.status, &again.body), (200, &first.body));
    assert!(again.cache_status().contains("fwd-status=304"), "{}", again.cache_status());
    // ConditionalGetMiddleware computes the page to know that it is the same.
    assert_eq!(site.computed("/articles/1/"), 2);
    site.app.sql("UPDATE blog_article SET text = 'Rye and patience.' WHERE id = 1");
    let changed = site.get("/articles/1/");
    assert!(changed.text().contains("Rye and patience."));
}

#[test]
fn cache_page_tells_larder_its_minute_and_its_age() {
    let site = blog().workers(1).open();
    let first = site.get("/cached/");
    assert_forwarded(&first);
    assert_eq!(first.field("cache-control"), Some("max-age=60"));
    let age = |answer: &crate::harness::Response| -> u32 {
        answer.field("age").map_or(0, |age| age.parse().expect("a number"))
    };
    wait_until("the page grows older in the store", || {
        let page = site.get("/cached/");
        assert_hit(&page);
        assert_eq!(page.body, first.body);
        age(&page) >= 1
    });
    // Now from Django's own store, where it has grown older too.
    let mut elder = first.clone();
    // How long the app took counts as age to larder, and not to Django.
    wait_until("it is a second old there too", || {
        assert_eq!(site.larder.purge("{\"all\": true}").status, 200);
        elder = site.get("/cached/");
        assert_forwarded(&elder);
        assert_eq!(elder.body, first.body);
        age(&elder) >= 1
    });
    let hit = site.get("/cached/");
    assert_hit(&hit);
    assert!(age(&hit) >= age(&elder), "{:?}", hit.fields);
    let ttl = hit.cache_status().split_once("ttl=").expect("a ttl").1;
    assert!(ttl.parse::<u32>().expect("a number") <= 59, "{ttl}");
    assert_eq!(site.computed("/cached/"), 1);
}

#[test]
fn never_cache_is_never_stored() {
    let site = blog().with(&BY_SESSION).open();
    let mut bodies = Vec::new();
    for _ in 0..3 {
        let answer = site.get("/never/");
        assert_forwarded(&answer);
        bodies.push(answer.body);
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 3);
    assert_eq!(site.computed("/never/"), 3);
    assert_eq!(site.larder.stat("/memory/targets"), 0);
}

#[test]
fn the_api_is_answered_from_the_store_and_with_304_too() {
    let site = blog().open();
    let path = "/api/articles/1/";
    let first = site.get(path);
    let tag = first.field("etag").expect("an entity tag").to_string();
    for (condition, status) in [(tag.as_str(), 304), ("\"other\"", 200), ("*", 304)] {
        let answer = site.get_with(path, &[("If-None-Match", condition)]);
        assert_eq!(answer.status, status, "{condition}");
        assert_hit(&answer);
        assert_eq!(answer.field("etag"), Some(tag.as_str()));
    }
    // What the app refuses has changed nothing.
    for method in ["PUT", "POST", "DELETE"] {
        let refused = request(site.larder.proxy, method, path, &[], b"{}");
        assert!(matches!(refused.status, 403 | 405), "{method}: {}", refused.status);
        assert_hit(&site.get(path));
    }
    assert_eq!(site.computed(path), 1);
}

#[test]
fn static_files_are_hits_with_conditions_and_parts() {
    let site = blog().open();
    let path = "/static/blog/blog.css";
    let first = site.get(path);
    assert_forwarded(&first);
    assert!(first.text().starts_with("body {"));
    let second = site.get(path);
    assert_hit(&second);
    assert_eq!(first.body, second.body);
    let (tag, date) = (first.field("etag").expect("a tag"), first.field("last-modified"));
    let date = date.expect("a date");
    for condition in [("If-None-Match", tag), ("If-Modified-Since", date)] {
        let spared = site.get_with(path, &[condition]);
        assert_eq!((spared.status, spared.body.len()), (304, 0), "{condition:?}");
        assert_hit(&spared);
    }
    let part = site.get_with(path, &[("Range", "bytes=0-5")]);
    assert_eq!((part.status, part.text().as_str()), (206, "body {"));
    assert_hit(&part);
}

#[test]
fn a_page_that_is_not_there_and_a_way_to_the_login_are_left_to_the_app() {
    let site = blog().with(&BY_SESSION).open();
    // What CommonMiddleware says of a forgotten slash is said for good.
    assert_eq!(site.get("/articles/1").field("location"), Some("/articles/1/"));
    let moved = site.get("/articles/1");
    assert_hit(&moved);
    assert_eq!((moved.status, moved.field("location")), (301, Some("/articles/1/")));
    for (path, status) in [("/articles/99/", 404), ("/account/", 302)] {
        for _ in 0..2 {
            let answer = site.get(path);
            assert_forwarded(&answer);
            assert_eq!(answer.status, status, "{path}");
        }
    }
}
