//! Variants: one in the language that a visitor wants, and those that the origin
//! says it would choose.

use crate::harness::{Connection, Gate, Larder, Origin, reply, wait_until};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

#[test]
fn a_page_in_the_language_that_is_wanted_most() {
    let origin = Origin::answering(|seen| {
        let language = if seen.field("accept-language") == Some("en, fr") { "en" } else { "de" };
        let language_line = format!("Content-Language: {language}");
        let fields = ["Cache-Control: max-age=60", "Vary: Accept-Language", &language_line];
        reply(200, &fields, language)
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    let get = |languages| larder.get_with("/", &[("Accept-Language", languages)]);
    assert_eq!(get("de, fr").text(), "de");
    assert_eq!(get("en, fr").text(), "en");
    for (languages, text, hit) in [
        ("de", "de", true),
        ("fr;q=0.5, DE", "de", true),
        ("en;q=0.9, de;q=0.8", "en", true),
        ("fr, de;q=0.5", "de", false),
        ("en, de", "de", false),
    ] {
        let answer = get(languages);
        let outcome = (answer.text(), answer.is_hit());
        assert_eq!(outcome, (text.to_string(), hit), "{languages}: {}", answer.cache_status());
    }
}

/// One representation for everybody, whatever the request says, and the tags it was
/// asked about.
/// RFC 9111 section 4: of those that answer a request, the most recent one is used.
#[test]
fn what_was_asked_for_earlier_is_not_used_in_place_of_what_came_meanwhile() {
    for late in ["Vary: Accept-Encoding", "Vary: Accept-Language", "X: y"] {
        let gate = Gate::closed();
        let (waits, count) = (gate.clone(), AtomicUsize::new(0));
        let origin = Origin::answering(move |_| match count.fetch_add(1, SeqCst) {
            0 => {
                waits.pass();
                reply(200, &["Cache-Control: public, max-age=60", late], "old")
            }
            _ => reply(200, &["Cache-Control: public, max-age=60"], "new"),
        });
        let larder = Larder::in_front_of(origin.address, &["--cookies", "session"]);
        // Who says who they are asks alone: nobody waits for that.
        let mut slow = Connection::open(larder.proxy);
        slow.ask("/", "Cookie: session=x\r\nAccept-Encoding: gzip\r\n");
        wait_until("it is at the origin", || origin.count() == 1);
        assert_eq!(larder.get_with("/", &[("Accept-Encoding", "gzip")]).text(), "new");
        gate.open();
        assert_eq!(slow.answer("GET").expect("an answer").text(), "old");
        for fields in [&[("Accept-Encoding", "gzip")][..], &[]] {
            let answer = larder.get_with("/", fields);
            assert_eq!((answer.text().as_str(), answer.is_hit()), ("new", true), "{late}");
        }
    }
}

fn the_same_for_all(vary: &'static str) -> Origin {
    Origin::answering(move |seen| {
        let fields = ["Cache-Control: max-age=60", "ETag: \"one\"", vary];
        match seen.field("if-none-match") {
            Some(tags) if tags.contains("\"one\"") => reply(304, &fields, ""),
            _ => reply(200, &fields, "the same"),
        }
    })
}

const CODINGS: &str = "Accept-Encoding";

#[test]
fn the_origin_says_that_it_would_choose_a_variant_that_is_stored() {
    let origin = the_same_for_all("Vary: Accept-Encoding");
    let larder = Larder::in_front_of(origin.address, &[]);
    larder.get_with("/", &[(CODINGS, "gzip")]);
    let second = larder.get_with("/", &[(CODINGS, "br")]);
    assert_eq!(second.cache_status(), "larder; fwd=vary-miss; fwd-status=304; stored");
    assert_eq!((second.status, second.text().as_str()), (200, "the same"));
    assert!(larder.get_with("/", &[(CODINGS, "br")]).is_hit());
    assert!(larder.get_with("/", &[(CODINGS, "gzip")]).is_hit());
    // A client that has it is told so all the same.
    let third = larder.get_with("/", &[(CODINGS, "zstd"), ("If-None-Match", "\"one\"")]);
    assert_eq!(third.status, 304);
}

#[test]
fn a_304_that_names_none_of_them_is_asked_again() {
    let origin = Origin::answering(|seen| {
        let tag = format!("ETag: \"{}\"", seen.field("accept-encoding").unwrap_or("none"));
        let fields = ["Cache-Control: max-age=60", "Vary: Accept-Encoding", &tag];
        let confused = seen.field("if-none-match").is_some();
        let text = seen.field("accept-encoding").unwrap_or("none");
        reply(if confused { 304 } else { 200 }, &fields, text)
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    larder.get_with("/", &[(CODINGS, "gzip")]);
    larder.get_with("/", &[(CODINGS, "br")]);
    assert_eq!(larder.get_with("/", &[(CODINGS, "zstd")]).text(), "zstd");
    let offered: Vec<Option<String>> =
        origin.seen().iter().map(|s| s.field("if-none-match").map(String::from)).collect();
    let tags = |text: &str| Some(text.to_string());
    assert_eq!(offered, [None, tags("\"gzip\""), None, tags("\"br\", \"gzip\""), None]);
}

/// Pages whose tag is no more than their version, as Django's `condition` often has it.
#[test]
fn a_tag_that_is_only_a_version_gives_nobody_the_page_of_another() {
    for (vary, name, [one, other]) in [
        ("Vary: Accept-Language", "accept-language", ["de", "en"]),
        ("Vary: X-Api-Key", "x-api-key", ["alice", "bob"]),
        ("Vary: X-Theme", "x-theme", ["dark", "light"]),
        ("Vary: Accept-Encoding, X-Theme", "x-theme", ["dark", "light"]),
        ("Vary: Cookie", "cookie", ["id=ada", "id=bob"]),
    ] {
        let origin = Origin::answering(move |seen| {
            let fields = ["Cache-Control: max-age=60", "ETag: \"v5\"", vary];
            match seen.field("if-none-match") {
                Some("\"v5\"") => reply(304, &fields, ""),
                _ => reply(200, &fields, seen.field(name).unwrap_or("nobody")),
            }
        });
        let larder = Larder::in_front_of(origin.address, &["--cookies", "id"]);
        for value in ["", one, other] {
            let fields = [(name, value)];
            let fields = if value.is_empty() { &[][..] } else { &fields };
            let answer = larder.get_with("/", fields);
            let own = if value.is_empty() { "nobody" } else { value };
            assert_eq!(answer.text(), own, "{vary}: {}", answer.cache_status());
        }
        assert!(origin.seen().iter().all(|s| s.field("if-none-match").is_none()), "{vary}");
    }
}

/// One that is told apart by more than its coding stands beside: nothing is offered.
#[test]
fn what_differs_by_more_than_its_coding_has_no_tag_offered() {
    let origin = Origin::answering(|seen| {
        let vary = match seen.field("x-theme") {
            Some(_) => "Vary: Accept-Encoding, X-Theme",
            None => "Vary: Accept-Encoding",
        };
        reply(200, &["Cache-Control: max-age=60", "ETag: \"v5\"", vary], "page")
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    larder.get_with("/", &[(CODINGS, "gzip")]);
    larder.get_with("/", &[(CODINGS, "br"), ("X-Theme", "dark")]);
    assert_eq!(origin.last().field("if-none-match"), Some("\"v5\""), "only codings, so far");
    larder.get_with("/", &[(CODINGS, "zstd")]);
    assert_eq!(origin.last().field("if-none-match"), None);
}
