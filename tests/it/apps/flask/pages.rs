//! Pages for everybody: computed once, served many times.

use super::BY_SESSION;
use crate::apps::{assert_forwarded, assert_hit, shop};
use crate::harness::Response;
use std::thread;

#[test]
fn a_slow_page_that_says_nothing_is_computed_once_and_served_many_times() {
    let site = shop().slow("0.2").with(&BY_SESSION).open();
    // All at once, while it is being computed ...
    thread::scope(|scope| {
        for _ in 0..20 {
            let mut visitor = site.visitor();
            scope.spawn(move || {
                let page = visitor.get("/");
                assert_eq!(page.status, 200);
                assert!(page.text().contains("Flour: 125 cents"));
            });
        }
    });
    // ... and later, one after the other.
    for _ in 0..20 {
        let page = site.get("/");
        assert_hit(&page);
        assert!(page.text().contains("Flour: 125 cents"));
        assert_eq!(page.field("x-computed"), Some("1"));
    }
    assert_eq!(site.computed("/"), 1);
}

#[test]
fn a_page_that_says_nothing_is_computed_each_time_unless_someone_says_so() {
    let site = shop().open();
    for _ in 0..3 {
        assert_forwarded(&site.get("/"));
    }
    assert_eq!(site.computed("/"), 3);
}

#[test]
fn a_form_that_says_no_store_is_never_stored() {
    let site = shop().with(&BY_SESSION).open();
    for count in 1..=3 {
        let form = site.get("/products/1/edit");
        assert_forwarded(&form);
        assert_eq!(form.field("cache-control"), Some("no-store"));
        assert_eq!(site.computed("/products/1/edit"), count);
    }
    assert_eq!(site.larder.stat("/memory/targets"), 0);
}

#[test]
fn slow_data_is_computed_once_for_its_minute() {
    let site = shop().slow("0.2").open();
    let first = site.get("/api/data");
    assert_forwarded(&first);
    let second = site.get("/api/data");
    assert_hit(&second);
    assert_eq!(first.body, second.body);
    assert_eq!(second.field("content-type"), Some("application/json"));
    assert_eq!(site.computed("/api/data"), 1);
}

#[test]
fn the_tutorials_static_page_is_served_from_the_store() {
    let site = shop().open();
    let first = site.get("/static-content");
    assert_eq!(first.cache_status(), "larder; fwd=uri-miss; stored");
    let second = site.get("/static-content");
    assert_hit(&second);
    assert_eq!(first.body, second.body);
    assert_eq!(first.field("expires"), second.field("expires"));
    let age: u32 = second.field("age").expect("an age").parse().expect("a number");
    let ttl = second.cache_status().split_once("ttl=").expect("a ttl").1;
    // Both are whole seconds, rounded down.
    assert!((3599..=3600).contains(&(age + ttl.parse::<u32>().expect("a number"))), "{age} {ttl}");
    assert_eq!(site.computed("/static-content"), 1);
}

#[test]
fn the_tutorials_dynamic_page_is_validated_each_time_by_its_date() {
    let site = shop().open();
    let first = site.get("/dynamic-content");
    assert_forwarded(&first);
    for count in 1..=3 {
        let again = site.get("/dynamic-content");
        assert_eq!((again.status, &again.body), (200, &first.body));
        let status = again.cache_status();
        assert!(status.contains("fwd=stale") && status.contains("fwd-status=304"), "{status}");
        assert_eq!(site.computed("304:/dynamic-content"), count);
    }
    let date = first.field("last-modified").expect("a date");
    let fields = [("If-Modified-Since", date)];
    let spared = site.get_with("/dynamic-content", &fields);
    assert_eq!((spared.status, spared.body.len()), (304, 0));
    assert_eq!(spared.field("last-modified"), Some(date));
    assert_eq!(site.computed("/dynamic-content"), 1);

    site.app.sql("UPDATE products SET price_cents = 777, changed = changed + 60 WHERE id = 3");
    let changed = site.get_with("/dynamic-content", &fields);
    assert_eq!(changed.status, 200);
    assert!(changed.text().contains("Salt 777"));
    assert_eq!(site.computed("/dynamic-content"), 2);
}

#[test]
fn the_tutorials_conditional_page_answers_304_without_the_app() {
    let site = shop().open();
    let first = site.get("/conditional-content");
    let tag = first.field("etag").expect("an entity tag").to_string();
    assert_hit(&site.get("/conditional-content"));
    for condition in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".into()] {
        let spared = site.get_with("/conditional-content", &[("If-None-Match", &condition)]);
        assert_eq!((spared.status, spared.body.len()), (304, 0), "{condition}");
        assert_hit(&spared);
        assert_eq!(spared.field("etag"), Some(tag.as_str()));
    }
    let other = site.get_with("/conditional-content", &[("If-None-Match", "\"other\"")]);
    assert_eq!((other.status, &other.body), (200, &first.body));
    assert_hit(&other);
    assert_eq!(site.computed("/conditional-content"), 1);
    assert_eq!(site.computed("304:/conditional-content"), 0);
}

#[test]
fn lists_of_different_queries_are_different_pages() {
    let site = shop().with(&BY_SESSION).open();
    let lists = [
        ("/products", "Flour"),
        ("/products?page=2", "Honey"),
        ("/products?page=3", "Walnuts"),
        ("/products?page=2&per_page=2", "Salt"),
        ("/products?page=2&per_page=3", "Rice"),
    ];
    for (path, product) in lists {
        let list = site.get(path);
        assert_forwarded(&list);
        assert!(list.text().contains(product), "{path}");
    }
    for (path, product) in lists {
        let list = site.get(path);
        assert_hit(&list);
        assert!(list.text().contains(product), "{path}");
        assert_eq!(list.field("cache-tag"), None);
        if path.contains('?') {
            assert_eq!(site.computed(path), 1, "{path}");
        }
    }
}

#[test]
fn analytics_cookies_spoil_no_hit_where_those_that_identify_are_named() {
    let site = shop().with(&BY_SESSION).open();
    for path in ["/", "/products", "/static-content"] {
        assert_forwarded(&site.get(path));
        for visitor in 1..=5 {
            let cookies = format!("_ga=GA1.1.{visitor}.1700; _gid=GA1.1.{visitor}; theme=dark");
            assert_hit(&site.get_with(path, &[("Cookie", &cookies)]));
        }
        assert_eq!(site.computed(path), 1, "{path}");
    }

    // Nothing is known about cookies here: each visitor could be somebody.
    let careful = shop().with(&["--default-ttl", "60s"]).open();
    for path in ["/", "/static-content"] {
        assert_forwarded(&careful.get(path));
        assert_hit(&careful.get(path));
        for visitor in 1..=3 {
            let cookies = format!("_ga=GA1.1.{visitor}.1700");
            assert_forwarded(&careful.get_with(path, &[("Cookie", &cookies)]));
        }
        assert_eq!(careful.computed(path), 4, "{path}");
    }
}

#[test]
fn each_language_is_a_variant_of_its_own() {
    let site = shop().open();
    let greetings = [("en", "Good morning\n"), ("fr", "Bonjour\n"), ("de", "Guten Morgen\n")];
    let ask = |language| site.get_with("/vary", &[("Accept-Language", language)]);
    for (language, _) in greetings {
        assert_forwarded(&ask(language));
    }
    for (language, greeting) in greetings {
        let answer = ask(language);
        assert_hit(&answer);
        assert_eq!(answer.text(), greeting);
        assert_eq!(answer.field("content-language"), Some(language));
    }
    assert_eq!(site.computed("/vary"), 3);
}

#[test]
fn head_is_answered_from_the_store_and_never_fills_it() {
    let site = shop().open();
    let head = |path| crate::harness::request(site.larder.proxy, "HEAD", path, &[], b"");
    let unknown = head("/conditional-content");
    assert_eq!((unknown.status, unknown.body.len()), (200, 0));
    assert_forwarded(&unknown);
    let page = site.get("/conditional-content");
    assert_forwarded(&page);
    assert!(!page.body.is_empty());
    let known = head("/conditional-content");
    assert_hit(&known);
    assert_eq!((known.status, known.body.len()), (200, 0));
    for name in ["etag", "content-length", "content-type", "cache-control"] {
        assert_eq!(known.field(name), page.field(name), "{name}");
        assert_eq!(unknown.field(name), page.field(name), "{name}");
    }
    assert_eq!(site.computed("HEAD:/conditional-content"), 1);
}

/// gunicorn takes 4,094 bytes for a request line, larder 8 KiB for a target; of a
/// field gunicorn counts the whole line, and it counts what larder adds. What one
/// lets through and the other refuses is kept by nobody.
#[test]
fn what_gunicorn_refuses_is_not_kept() {
    let site = shop().with(&BY_SESSION).open();
    let provoked = |status: u16, answer: &Response| {
        assert_eq!(answer.status, status, "{}", answer.text());
        assert_eq!(answer.cache_status(), "larder; fwd=uri-miss; detail=provoked");
    };
    let long = format!("/products?x={}", "x".repeat(5000));
    provoked(414, &site.get(&long));
    provoked(414, &site.get(&long));
    let page = "/products";
    // Of longer fields than gunicorn takes, and of more, it hears nothing: see `bounds`.
    assert_eq!(site.get_with(page, &[("X", &"x".repeat(8190))]).cache_status(), "larder");
    assert_eq!(site.get(page).status, 200);
    assert_hit(&site.get(page));
}
