//! A stored page keeps its validators for larder's own questions, and what is confirmed,
//! stale or refreshed behind is filled as when it was fresh.

use super::{FILL, NONCE, answer, assert_filled_for, between, cookie, page};
use crate::harness::{House, Origin, get, reply, request, wait_until};
use larder::config::{Forms, Settings, Target};

/// A proxy that fills, by a clock that the test turns.
fn house(origin: &Origin) -> House {
    let (host, port) = (origin.address.ip().to_string(), origin.address.port());
    let mut settings = Settings::new(Target::Tcp { host, port });
    (settings.cache.jitter, settings.cache.early_refresh) = (0, 0);
    settings.cache.cookies = Some(vec!["sessionid".into()]);
    settings.forms = Forms { csrf: true, nonce: true };
    House::with(settings)
}

/// Asks as the visitor with this letter in their cookie; `Cache-Status`.
#[track_caller]
fn asked(house: &House, letter: char) -> String {
    let answer = get(house.proxy(), "/", &[("Cookie", &cookie(letter))]);
    assert_filled_for(&answer, &cookie(letter));
    answer.cache_status().to_string()
}

#[test]
fn larder_asks_with_the_stored_validator_and_what_is_confirmed_is_filled() {
    // Of a 304, Django leaves most fields out; and what it did not render it says nothing of.
    let fields = ["Cache-Control: max-age=60", "ETag: \"a\"", "Vary: Larder-Fill, Cookie"];
    let of_nonce = format!("Larder-Fill: nonce=\"{NONCE}\"");
    let policy = format!("Content-Security-Policy: script-src 'nonce-{NONCE}'");
    let origin =
        Origin::answering(move |seen| match (seen.field("if-none-match"), seen.field("x-say")) {
            (Some("\"a\""), None) => reply(304, &["ETag: \"a\""], ""),
            (Some("\"a\""), Some("nonce")) => reply(304, &[&of_nonce, &policy, "ETag: \"a\""], ""),
            (Some("\"a\""), _) => reply(304, &[FILL, &policy, "ETag: \"a\""], ""),
            _ => answer(&fields),
        });
    let house = house(&origin);
    assert_eq!(asked(&house, 'a'), "larder; fwd=uri-miss; stored; filled");
    for (says, letter) in [(None, 'b'), (Some("nonce"), 'c'), (Some("all"), 'd')] {
        house.pass(61);
        let own = cookie(letter);
        let mut fields = vec![("Cookie", &*own)];
        fields.extend(says.map(|says| ("X-Say", says)));
        let page = get(house.proxy(), "/", &fields);
        assert_eq!(page.cache_status(), "larder; fwd=stale; fwd-status=304; stored; filled");
        assert_filled_for(&page, &own);
        assert_eq!(page.field("content-security-policy").is_some(), says.is_some());
        assert!(asked(&house, 'e').starts_with("larder; hit; ttl="));
    }
    assert_eq!(origin.count(), 4);
}

/// Says that another nonce, and another token, stand in the page.
fn other() -> String {
    FILL.replace("Token", "Other").replace("Nonce", "Ecnon")
}

#[test]
fn what_is_confirmed_with_other_placeholders_is_asked_for_anew() {
    let lines = |lines: &[&str]| lines.iter().map(ToString::to_string).collect::<Vec<_>>();
    let policy = format!("Content-Security-Policy: script-src 'nonce-{NONCE}'");
    let changed = policy.replace("Nonce", "Ecnon");
    let own = policy.replace(NONCE, "ItsOwn");
    let of_nonce = format!("Larder-Fill: nonce=\"{NONCE}\"");
    let secure = FILL.replace(";path=", ";secure;path=");
    // What the stored page says, and what a 304 says.
    for (stored, confirms) in [
        (lines(&[]), lines(&[FILL, &policy])),
        (lines(&[]), lines(&[&of_nonce, &policy])),
        (lines(&[FILL, &policy]), lines(&[&other(), &changed])),
        (lines(&[FILL, &policy]), lines(&[&secure])),
        (lines(&[FILL, &policy]), lines(&[&FILL.replace("Nonce", "Ecnon")])),
        (lines(&[FILL, &policy]), lines(&["Larder-Fill: nonsense"])),
        (lines(&[&of_nonce, &policy]), lines(&[FILL, &policy])),
        (lines(&[FILL, &policy]), lines(&[&own])),
    ] {
        let case = format!("{stored:?} {confirms:?}");
        let is_changed = confirms.contains(&changed);
        let policy = policy.clone();
        let origin = Origin::answering(move |seen| {
            let fields = ["Cache-Control: max-age=60", "ETag: \"a\""];
            let with = |lines: &[String]| {
                let lines = lines.iter().map(String::as_str);
                lines.chain(fields).collect::<Vec<_>>().join("\r\n")
            };
            match (seen.field("if-none-match"), seen.field("x-first")) {
                (_, Some(_)) => reply(200, &[&with(&stored)], "before"),
                (Some(_), None) => reply(304, &[&with(&confirms)], ""),
                (None, None) if is_changed => {
                    let page = page().replace("Token", "Other").replace("Nonce", "Ecnon");
                    reply(200, &[&with(&confirms)], &page)
                }
                (None, None) => answer(&[&[&*policy], &fields[..]].concat()),
            }
        });
        let house = house(&origin);
        let before = get(house.proxy(), "/", &[("X-First", "1")]);
        assert_eq!(before.text(), "before");
        house.pass(61);
        for (letter, status) in
            [('a', "larder; fwd=stale; stored; filled"), ('b', "larder; hit; ttl=60; filled")]
        {
            let page = get(house.proxy(), "/", &[("Cookie", &cookie(letter))]);
            assert_eq!(page.cache_status(), status, "{case}");
            assert_filled_for(&page, &cookie(letter));
            let shown = format!("{:?}{}", page.fields, page.text());
            assert!(!shown.contains("Ecnon") && !shown.contains("Other"), "{shown}");
            let policy = page.field("content-security-policy").expect("a policy");
            assert!(page.text().contains(between(policy, "'nonce-", "'")), "{shown}");
        }
        assert_eq!(origin.count(), 3, "{case}");
        assert_eq!(origin.last().field("if-none-match"), None);
    }
}

#[test]
fn a_stale_page_is_filled_while_it_is_refreshed_behind_and_when_the_app_is_in_trouble() {
    let origin = Origin::answering(|seen| match seen.field("if-none-match") {
        Some(_) => reply(503, &[], "oh"),
        None => answer(&["Cache-Control: max-age=10, stale-while-revalidate=60", "ETag: \"a\""]),
    });
    let house = house(&origin);
    asked(&house, 'a');
    house.pass(20);
    let status = asked(&house, 'b');
    assert!(status.ends_with("; filled; detail=stale-while-revalidate"), "{status}");
    wait_until("it is asked for behind", || origin.count() == 2);
    assert_eq!(asked(&house, 'c').matches("filled").count(), 1);
}

#[test]
fn an_app_that_is_away_leaves_what_is_stored_and_it_is_filled() {
    let origin = Origin::scripted(|seen, stream| {
        use std::io::Write;
        let first = seen.connection == 0;
        first && stream.write_all(answer(&["Cache-Control: max-age=10"]).as_bytes()).is_err()
    });
    let house = house(&origin);
    asked(&house, 'a');
    house.pass(20);
    for letter in ['b', 'c'] {
        let status = asked(&house, letter);
        assert!(status.contains("; filled; detail=stale-when-down"), "{status}");
    }
}

#[test]
fn a_head_that_speaks_of_other_placeholders_outdates_what_is_stored() {
    for (says, outdates) in [
        (FILL.to_string(), false),
        (String::new(), false),
        (other(), true),
        (FILL.replace("csrftoken", "another"), true),
    ] {
        let says = says.clone();
        let origin = Origin::scripted(move |seen, stream| {
            use std::io::Write;
            let fields = ["Cache-Control: max-age=60", "ETag: \"a\""];
            let mut text = match seen.method.as_str() {
                "HEAD" if says.is_empty() => reply(200, &fields, &page()),
                "HEAD" => reply(200, &[&[&*says], &fields[..]].concat(), &page()),
                _ => answer(&fields),
            };
            if seen.method == "HEAD" {
                text.truncate(text.find("\r\n\r\n").expect("the end") + 4);
            }
            stream.write_all(text.as_bytes()).is_ok()
        });
        let house = house(&origin);
        asked(&house, 'a');
        house.pass(61);
        request(house.proxy(), "HEAD", "/", &[], b"");
        let next = if outdates {
            "larder; fwd=uri-miss; stored; filled"
        } else {
            "larder; hit; ttl=60; filled"
        };
        assert_eq!(asked(&house, 'b'), next);
        assert_eq!(origin.count(), 2 + usize::from(outdates));
    }
}

#[test]
fn no_part_is_asked_for_of_a_page_that_is_known_to_be_filled() {
    // An app that says nothing of placeholders in its parts.
    let origin =
        Origin::answering(|seen| match (seen.field("range"), seen.field("if-none-match")) {
            (Some(_), _) => {
                let place = format!("Content-Range: bytes 0-99/{}", page().len());
                let fields = ["ETag: \"a\"", "Cache-Control: max-age=60", &place];
                reply(206, &fields, &page()[..100])
            }
            (None, Some("\"a\"")) => reply(304, &["ETag: \"a\""], ""),
            _ => answer(&["Cache-Control: max-age=60", "ETag: \"a\""]),
        });
    let house = house(&origin);
    asked(&house, 'a');
    for (letter, condition) in [('b', "\"a\""), ('c', "\"other\"")] {
        house.pass(61);
        let fields =
            [("Cookie", &*cookie(letter)), ("Range", "bytes=0-99"), ("If-None-Match", condition)];
        let whole = get(house.proxy(), "/", &fields);
        assert_eq!(whole.status, 200);
        assert_filled_for(&whole, &cookie(letter));
        assert_eq!(origin.last().field("range"), None);
    }
}
