//! Answers that a guess must not keep: what a request has provoked by its own
//! oddities (denial of service by poisoned errors), and pages whose path
//! pretends to be a file (web cache deception).

use crate::harness::{House, Origin, get, reply, together};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// What the target says: `/STATUS/TYPE/...`, a lifetime if it says `fresh`, and no
/// date if it says `dateless`.
fn obedient() -> Origin {
    Origin::answering(|seen| {
        let mut words = seen.target.split('/').skip(1);
        let status = words.next().and_then(|word| word.parse().ok()).unwrap_or(200);
        let kind = format!("Content-Type: text/{}", words.next().unwrap_or("html"));
        let mut fields = vec!["ETag: \"a\"", &kind];
        if !seen.target.contains("dateless") {
            fields.push("Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT");
        }
        if seen.target.contains("fresh") {
            fields.push("Cache-Control: public, max-age=60");
        }
        reply(status, &fields, "page")
    })
}

/// With every rule that guesses.
fn guessing(origin: &Origin) -> House {
    House::in_front_of(origin, |cache| {
        cache.default_ttl = Duration::from_secs(60);
        cache.negative_ttl = Duration::from_secs(60);
        cache.heuristics = true;
    })
}

#[test]
fn what_a_request_provokes_is_not_kept_by_a_guess() {
    let origin = obedient();
    let house = guessing(&origin);
    for status in
        [400, 405, 408, 411, 413, 414, 415, 417, 421, 425, 426, 428, 429, 431, 501, 505, 511]
    {
        let path = format!("/{status}/html/dateless");
        for times in 1..=2 {
            let answer = house.get(&path);
            assert_eq!(answer.status, status);
            assert_eq!(answer.cache_status(), "larder; fwd=uri-miss; detail=provoked", "{status}");
            assert_eq!(origin.asked_for(&path), times);
        }
    }
    // As old as a page, and about the target: method and target are part of the key.
    for status in [405, 414, 501] {
        let path = format!("/{status}/html");
        house.get(&path);
        assert!(house.get(&path).is_hit(), "{status}");
    }
    let path = "/400/html";
    house.get(path);
    assert_eq!(house.status(path), "larder; fwd=uri-miss; detail=provoked");
    for status in [404, 410] {
        house.get(&format!("/{status}/html"));
        assert!(house.get(&format!("/{status}/html")).is_hit(), "{status} is about the page");
    }
}

#[test]
fn what_is_about_the_request_is_not_kept_whatever_it_says() {
    let origin = obedient();
    let house = guessing(&origin);
    for status in [408, 411, 413, 417, 421, 425, 426, 428, 429, 431, 505, 511] {
        let path = format!("/{status}/html/fresh");
        house.get(&path);
        assert_eq!(house.status(&path), "larder; fwd=uri-miss; detail=provoked", "{status}");
    }
    for status in [400, 405, 414, 415, 501] {
        let path = format!("/{status}/html/fresh");
        house.get(&path);
        assert!(house.get(&path).is_hit(), "{status}: the application says for how long");
    }
}

/// Errors that somebody can provoke on a page that is well.
const PROVOKED: [u16; 6] = [400, 401, 403, 406, 500, 503];

#[test]
fn an_error_that_somebody_provokes_does_not_spoil_sharing_for_others() {
    for status in PROVOKED {
        let origin = Origin::answering(move |seen| match seen.field("x-odd") {
            Some(_) => reply(status, &[], "odd"),
            None => {
                std::thread::sleep(Duration::from_millis(300));
                reply(200, &["Cache-Control: max-age=60"], "page")
            }
        });
        let house = guessing(&origin);
        let proxy = house.proxy();
        assert_eq!(get(proxy, "/page", &[("X-Odd", "1")]).status, status);
        for answer in together(5, move |_| get(proxy, "/page", &[])) {
            assert_eq!((answer.status, answer.text().as_str()), (200, "page"));
        }
        assert_eq!(origin.count(), 2, "{status}: one error, one page for five");
    }
}

/// A page that may stand in once it is stale, and for who is odd an error that says this.
fn well_for_others(status: u16, says: &'static str) -> Origin {
    let asked = AtomicUsize::new(0);
    Origin::answering(move |seen| match seen.field("x-odd") {
        Some(_) => reply(status, &[says], "odd"),
        None if asked.fetch_add(1, Ordering::SeqCst) == 0 => {
            reply(200, &["Cache-Control: max-age=10, stale-if-error=600"], "page")
        }
        None => reply(500, &[], "trouble"),
    })
}

#[test]
fn an_error_that_somebody_provokes_does_not_take_the_stale_page_from_others() {
    let left = |status, says| {
        let origin = well_for_others(status, says);
        let house = House::in_front_of(&origin, |_| {});
        house.get("/");
        house.pass(11);
        let odd = get(house.proxy(), "/", &[("X-Odd", "1")]);
        // In trouble it has the stale page stand in at once.
        assert_eq!(odd.status, if status < 500 { status } else { 200 });
        house.get("/").text()
    };
    for status in PROVOKED {
        assert_eq!(left(status, "X-Nothing: 1"), "page", "{status}");
    }
    for (status, says) in [
        (404, "X-Nothing: 1"),
        (410, "X-Nothing: 1"),
        (403, "Cache-Control: private"),
        (401, "Cache-Control: no-store"),
    ] {
        assert_eq!(left(status, says), "trouble", "{status} {says}: it is not there any more");
    }
}

#[test]
fn a_page_that_pretends_to_be_a_file_is_not_kept_by_a_guess() {
    let origin = obedient();
    let house = guessing(&origin);
    for path in [
        "/200/html/account.css",
        "/200/html/account.JS",
        "/200/html/account/x.png",
        "/200/html/account.css?v=1",
        "/200/html/account;x.css",
        "/200/html/account;v=1",
        "/200/html/account%2fx",
        "/200/html/account%3fx.css",
        "/200/html/account%23x",
        "/200/html/static/..%2faccount",
        "/200/html/static/%2e%2e/account",
        "/200/css/x.js",
        "/404/html/account.css",
    ] {
        house.get(path);
        assert_eq!(house.status(path), "larder; fwd=uri-miss; detail=pretence", "{path}");
        assert_eq!(origin.asked_for(path), 2, "{path}");
    }
    for path in [
        "/200/html/account",
        "/200/html/account?x.css",
        "/200/html/account.html",
        "/200/css/x.css",
        "/200/plain/robots.txt",
        // The application says for how long: it is believed.
        "/200/html/fresh/account.css",
        "/200/html/fresh;x",
        "/200/html/fresh%2fx",
    ] {
        house.get(path);
        assert!(house.get(path).is_hit(), "{path}");
    }
}
