//! Variants: one in the language that a visitor wants, and those that the origin
//! says it would choose.

use crate::harness::{Larder, Origin, reply};

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

/// One representation for everybody, whatever `X` says, and the tags it was
/// asked about.
fn the_same_for_all(vary: &'static str) -> Origin {
    Origin::answering(move |seen| {
        let fields = ["Cache-Control: max-age=60", "ETag: \"one\"", vary];
        match seen.field("if-none-match") {
            Some(tags) if tags.contains("\"one\"") => reply(304, &fields, ""),
            _ => reply(200, &fields, "the same"),
        }
    })
}

#[test]
fn the_origin_says_that_it_would_choose_a_variant_that_is_stored() {
    let origin = the_same_for_all("Vary: X");
    let larder = Larder::in_front_of(origin.address, &[]);
    larder.get_with("/", &[("X", "1")]);
    let second = larder.get_with("/", &[("X", "2")]);
    assert_eq!(second.cache_status(), "larder; fwd=vary-miss; fwd-status=304; stored");
    assert_eq!((second.status, second.text().as_str()), (200, "the same"));
    assert!(larder.get_with("/", &[("X", "2")]).is_hit());
    assert!(larder.get_with("/", &[("X", "1")]).is_hit());
    // A client that has it is told so all the same.
    let third = larder.get_with("/", &[("X", "3"), ("If-None-Match", "\"one\"")]);
    assert_eq!(third.status, 304);
}

#[test]
fn a_304_that_names_none_of_them_is_asked_again() {
    let origin = Origin::answering(|seen| {
        let tag = format!("ETag: \"{}\"", seen.field("x").unwrap_or("none"));
        let fields = ["Cache-Control: max-age=60", "Vary: X", &tag];
        let confused = seen.field("if-none-match").is_some();
        reply(if confused { 304 } else { 200 }, &fields, seen.field("x").unwrap_or("none"))
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    larder.get_with("/", &[("X", "1")]);
    larder.get_with("/", &[("X", "2")]);
    assert_eq!(larder.get_with("/", &[("X", "3")]).text(), "3");
    let offered: Vec<Option<String>> =
        origin.seen().iter().map(|s| s.field("if-none-match").map(String::from)).collect();
    let tags = |text: &str| Some(text.to_string());
    assert_eq!(offered, [None, tags("\"1\""), None, tags("\"2\", \"1\""), None]);
}

#[test]
fn what_says_who_a_visitor_is_is_never_offered_to_another() {
    let origin = the_same_for_all("Vary: Cookie");
    let larder = Larder::in_front_of(origin.address, &["--cookies", "id"]);
    larder.get_with("/", &[("Cookie", "id=ada")]);
    larder.get("/");
    larder.get_with("/", &[("Cookie", "id=bob")]);
    assert!(origin.seen().iter().all(|seen| seen.field("if-none-match").is_none()));
}
