//! `/v1/stored`: the list, its order, and one URL with its variants.

use super::{ask, look, site};
use crate::harness::{Larder, Origin, reply};
use serde_json::{Value, json};

fn of<'a>(document: &'a Value, name: &str) -> Vec<&'a Value> {
    document["stored"].as_array().expect("a list").iter().map(|row| &row[name]).collect()
}

/// Three pages: one with two variants, and one that is asked for often.
fn filled() -> (Larder, Origin) {
    let origin = site();
    let larder = Larder::in_front_of(origin.address, &[]);
    larder.get_with("/blog/1", &[("Accept-Language", "de")]);
    larder.get_with("/blog/1", &[("Accept-Language", "fr")]);
    larder.get("/blog/2");
    (0..3).for_each(|_| drop(larder.get("/blog/2")));
    larder.get("/Shop?a=b");
    (larder, origin)
}

#[test]
fn what_is_stored_is_listed_by_url_in_the_order_that_is_asked_for() {
    let (larder, _origin) = filled();
    let all = look(&larder, "/v1/stored");
    assert_eq!(all["matched"], 3);
    let urls = ["http://site.test/blog/2", "http://site.test/Shop?a=b", "http://site.test/blog/1"];
    assert_eq!(of(&all, "url"), urls);
    assert_eq!(of(&all, "hits"), [3, 0, 0]);
    assert_eq!(of(&all, "variants"), [1, 1, 2]);
    assert_eq!(of(&all, "state"), ["fresh"; 3]);
    assert_eq!(all["stored"][0]["tags"], json!(["all", "tblogt2"]));
    let ttl = all["stored"][0]["ttl"].as_i64().expect("a number");
    assert!((50..=60).contains(&ttl), "{ttl}");

    let least = look(&larder, "/v1/stored?sort=hits&order=asc");
    assert_eq!(of(&least, "url"), [urls[1], urls[2], urls[0]]);
    let heaviest = look(&larder, "/v1/stored?sort=bytes&limit=1");
    assert_eq!((of(&heaviest, "url"), &heaviest["matched"]), (vec![&json!(urls[2])], &json!(3)));
    assert_eq!(of(&look(&larder, "/v1/stored?search=BLOG"), "url"), [urls[0], urls[2]]);
    assert_eq!(of(&look(&larder, "/v1/stored?search=shop%3Fa"), "url"), [urls[1]]);
    assert_eq!(of(&look(&larder, "/v1/stored?tag=tblogt1"), "url"), [urls[2]]);
    assert_eq!(of(&look(&larder, "/v1/stored?tag=all&search=blog/2"), "url"), [urls[0]]);
    assert_eq!(look(&larder, "/v1/stored?tag=none")["matched"], 0);
    for query in ["sort=url", "order=up", "limit=0", "limit=201", "tag=%01", "search=%ff", "x=1"] {
        assert_eq!(ask(&larder, &format!("/v1/stored?{query}"), &[]).status, 400, "{query}");
    }
}

#[test]
fn what_was_purged_is_not_listed_or_is_said_to_be_stale() {
    let (larder, _origin) = filled();
    larder.purge(r#"{"tags":["tblogt2"]}"#);
    larder.purge(r#"{"urls":["http://site.test/Shop?a=b"],"soft":true}"#);
    let all = look(&larder, "/v1/stored?sort=age");
    assert_eq!(all["matched"], 2);
    let shop = look(&larder, "/v1/stored?search=shop");
    let shop = &shop["stored"][0];
    assert_eq!(shop["state"], "purged softly");
    assert!(shop["ttl"].as_i64().expect("a number") <= 0, "{shop}");
}

#[test]
fn one_url_is_shown_with_the_heads_of_its_variants_and_no_visitors_cookie() {
    let origin = Origin::answering(|_| {
        let evil = "X-Evil: <img src=x onerror=alert(1)>";
        let fields = ["Cache-Control: max-age=60, public", "Vary: Cookie", "Cache-Tag: t", evil];
        reply(200, &fields, "secret body")
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    larder.get_with("/a", &[("Cookie", "sessionid=secret-alice")]);
    larder.get_with("/a", &[("Cookie", "sessionid=secret-bob")]);
    let answer = ask(&larder, "/v1/stored/one?url=http%3A%2F%2Fsite.test%2Fa", &[]);
    assert!(!answer.text().contains("secret"), "{}", answer.text());
    let one: Value = serde_json::from_slice(&answer.body).expect("JSON");
    assert_eq!((&one["url"], &one["more_variants"]), (&json!("http://site.test/a"), &json!(0)));
    let variants = one["variants"].as_array().expect("a list");
    assert_eq!(variants.len(), 2);
    for variant in variants {
        assert_eq!((&variant["status"], &variant["length"]), (&json!(200), &json!(11)));
        assert_eq!(variant["nominated"], json!(["cookie"]));
        assert_eq!(variant["tags"], json!(["t"]));
        let fields = variant["fields"].as_array().expect("fields");
        assert!(fields.contains(&json!(["x-evil", "<img src=x onerror=alert(1)>"])), "{variant}");
    }
    for (query, expected) in [
        ("url=http://site.test/b", 404),
        ("url=/a", 400),
        ("url=ftp://site.test/a", 400),
        ("", 400),
        ("url=http://site.test/a&x=1", 400),
    ] {
        assert_eq!(ask(&larder, &format!("/v1/stored/one?{query}"), &[]).status, expected);
    }
}

#[test]
fn who_may_only_purge_does_not_see_what_is_stored() {
    let origin = site();
    let dir = tempfile::tempdir().expect("a directory");
    let config = dir.path().join("larder.toml");
    let text = format!(
        "listen = '127.0.0.1:0'\norigin.to = '{}'\nadmin.listen = '127.0.0.1:0'\n\
         [[admin.tokens]]\nname = 'tagger'\ntoken = 'secret-t'\nscope = 'tags'\n\
         [[admin.tokens]]\nname = 'reader'\ntoken = 'secret-r'\nscope = 'read'\n",
        origin.address
    );
    std::fs::write(&config, text).expect("a file");
    let larder = Larder::spawn(&["run", "--config", &config.display().to_string()], &[]);
    larder.get("/a");
    for path in ["/v1/stored", "/v1/stored/one?url=http://site.test/a"] {
        let as_who = |token| ask(&larder, path, &[("Authorization", token)]).status;
        assert_eq!((as_who("Bearer secret-t"), as_who("Bearer secret-r")), (403, 200), "{path}");
    }
    assert_eq!(ask(&larder, "/v1/events", &[("Authorization", "Bearer secret-t")]).status, 403);
}
