//! POST and HEAD: what their answers mean for the responses to GET.

use crate::harness::{Gate, Larder, Origin, reply, request};

const FRESH: &str = "Cache-Control: max-age=60";

fn posted(larder: &Larder, path: &str, fields: &[(&str, &str)]) -> String {
    request(larder.proxy, "POST", path, fields, b"x=1").cache_status().to_string()
}

#[test]
fn the_answer_to_a_post_that_speaks_of_its_own_target_is_stored_for_get() {
    let origin = Origin::answering(|seen| {
        let own = format!("Content-Location: {}", seen.target);
        let fields: &[&str] = match seen.target.as_str() {
            "/own" | "/own?a=1" | "/created" => &[FRESH, &own],
            "/other" => &[FRESH, "Content-Location: /own"],
            "/assumed" => &[&own, "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT"],
            "/private" => &["Cache-Control: max-age=60, private", &own],
            "/cookie" => &[FRESH, &own, "Set-Cookie: id=1"],
            _ => &[FRESH],
        };
        let status = if seen.method == "POST" && seen.target == "/created" { 201 } else { 200 };
        reply(status, fields, &seen.method)
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    for (path, stored) in [
        ("/own", true),
        ("/own?a=1", true),
        ("/other", false),
        ("/assumed", false),
        ("/private", false),
        ("/cookie", false),
        ("/plain", false),
        ("/created", false),
    ] {
        let status = posted(&larder, path, &[]);
        let expected = if stored { "larder; fwd=method; stored" } else { "larder; fwd=method" };
        assert_eq!(status, expected, "{path}");
        let next = larder.get(path);
        let expected = if stored { "POST" } else { "GET" };
        assert_eq!(next.text(), expected, "{path}: {}", next.cache_status());
    }
    // Every POST still reaches the app, and outdates what is stored.
    assert_eq!(larder.get("/plain").text(), "GET");
    let before = origin.count();
    posted(&larder, "/plain", &[]);
    assert!(!larder.get("/plain").is_hit());
    assert_eq!(origin.count(), before + 2);
}

#[test]
fn only_a_purge_that_meets_it_keeps_the_answer_to_a_post_from_being_stored() {
    for (document, stored) in [
        ("{\"tags\": [\"other\"]}", true),
        ("{\"tags\": [\"own\"]}", false),
        ("{\"all\": true}", false),
    ] {
        let (arrived, answer) = (Gate::closed(), Gate::closed());
        let gates = (arrived.clone(), answer.clone());
        let origin = Origin::answering(move |seen| {
            if seen.method == "POST" {
                gates.0.open();
                gates.1.pass();
            }
            reply(200, &[FRESH, "Content-Location: /", "Cache-Tag: own"], &seen.method)
        });
        let larder = Larder::in_front_of(origin.address, &[]);
        let proxy = larder.proxy;
        let posting = std::thread::spawn(move || request(proxy, "POST", "/", &[], b"x=1"));
        arrived.pass();
        larder.purge(document);
        answer.open();
        assert_eq!(posting.join().expect("no panic").text(), "POST");
        assert_eq!(larder.get("/").is_hit(), stored, "{document}");
    }
}

#[test]
fn a_post_is_not_stored_if_that_is_switched_off() {
    let origin = Origin::answering(|seen| {
        let own = format!("Content-Location: {}", seen.target);
        reply(200, &[FRESH, &own], &seen.method)
    });
    let off = [("LARDER_SEMANTICS__STORE_POST", "false")];
    let larder = Larder::with_env(origin.address, &[], &off);
    assert_eq!(posted(&larder, "/", &[]), "larder; fwd=method");
    assert_eq!(larder.get("/").text(), "GET");
}

/// A page that is stale at once, and whose HEAD says that it is fresh, with these
/// fields.
fn stale_then(head: &'static [&'static str]) -> Origin {
    Origin::answering(move |seen| match seen.method.as_str() {
        "HEAD" => reply(200, &[&[FRESH, "X-New: 1"], head].concat(), "")
            .replace("Content-Length: 0\r\n", ""),
        _ => reply(200, &["Cache-Control: max-age=0", "ETag: \"a\"", "X-Old: 1"], "page"),
    })
}

#[test]
fn a_head_freshens_what_it_confirms() {
    let origin = stale_then(&["ETag: \"a\"", "Content-Length: 4"]);
    let larder = Larder::in_front_of(origin.address, &[]);
    larder.get("/");
    let head = request(larder.proxy, "HEAD", "/", &[], b"");
    assert_eq!(head.cache_status(), "larder; fwd=stale; detail=head");
    let hit = larder.get("/");
    assert!(hit.is_hit(), "{}", hit.cache_status());
    assert_eq!(
        (hit.text().as_str(), hit.field("x-old"), hit.field("x-new")),
        ("page", Some("1"), Some("1"))
    );
    assert_eq!(origin.count(), 2);
}

#[test]
fn a_head_outdates_what_it_contradicts_and_says_nothing_without_a_validator() {
    for (head, conditional) in [
        (&["ETag: \"b\""][..], false),
        (&["ETag: \"a\"", "Content-Length: 5"], false),
        (&["Content-Length: 4"], true),
    ] {
        let origin = stale_then(head);
        let larder = Larder::in_front_of(origin.address, &[]);
        larder.get("/");
        request(larder.proxy, "HEAD", "/", &[], b"");
        assert!(!larder.get("/").is_hit());
        // What is outdated is not offered for validation any more.
        assert_eq!(origin.last().field("if-none-match").is_some(), conditional, "{head:?}");
    }
}

#[test]
fn a_head_that_may_not_be_stored_outdates_what_is() {
    let origin = Origin::answering(|seen| match seen.method.as_str() {
        "HEAD" => reply(200, &["Cache-Control: no-store", "ETag: \"a\""], "")
            .replace("Content-Length: 0\r\n", ""),
        _ => reply(200, &["Cache-Control: max-age=0", "ETag: \"a\""], "page"),
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    larder.get("/");
    request(larder.proxy, "HEAD", "/", &[], b"");
    assert_eq!(larder.get("/").cache_status(), "larder; fwd=uri-miss; stored");
}

#[test]
fn cache_status_tells_the_key_if_it_is_asked_to() {
    let origin = Origin::answering(|_| reply(200, &[FRESH], "page"));
    let larder = Larder::with_env(origin.address, &[], &[("LARDER_CACHE__STATUS_KEY", "true")]);
    let fields = [("Host", "Shop.Example:80")];
    let first = larder.get_with("/a?b=1", &fields);
    let key = "key=\"http://shop.example/a?b=1\"";
    assert_eq!(first.cache_status(), format!("larder; fwd=uri-miss; stored; {key}"));
}
