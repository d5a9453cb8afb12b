//! A stored page keeps its validators for larder's own questions, and what is confirmed,
//! stale or refreshed behind is filled as when it was fresh.

use super::{FILL, answer, assert_filled_for, cookie, minted, page};
use crate::harness::{House, Origin, get, reply, wait_until};
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
    let fields = ["Cache-Control: max-age=60", "ETag: \"a\"", "Vary: Larder-Fill, Cookie"];
    // Of a 304, Django leaves most fields out; what another says of placeholders is nothing
    // to what is stored.
    let others = FILL.replace("Token", "Other");
    let origin = Origin::answering(move |seen| match seen.field("if-none-match") {
        Some("\"a\"") if seen.field("x-say").is_some() => reply(304, &[&others, "ETag: \"a\""], ""),
        Some("\"a\"") => reply(304, &["ETag: \"a\""], ""),
        _ => answer(&fields),
    });
    let house = house(&origin);
    assert_eq!(asked(&house, 'a'), "larder; fwd=uri-miss; stored; filled");
    house.pass(61);
    assert_eq!(asked(&house, 'b'), "larder; fwd=stale; fwd-status=304; stored; filled");
    assert!(asked(&house, 'c').starts_with("larder; hit; ttl="));
    house.pass(61);
    let said = get(house.proxy(), "/", &[("Cookie", &cookie('d')), ("X-Say", "1")]);
    assert!(said.cache_status().contains("fwd-status=304"));
    assert_filled_for(&said, &cookie('d'));
    assert!(asked(&house, 'e').starts_with("larder; hit; ttl="));
    assert_eq!(origin.count(), 3);
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
fn a_head_that_confirms_does_not_change_what_is_filled() {
    let origin = Origin::scripted(|seen, stream| {
        use std::io::Write;
        let fields = ["Cache-Control: max-age=60", "ETag: \"a\""];
        let mut text = match seen.method.as_str() {
            "HEAD" => {
                let fill = FILL.replace("Token", "Other").replace("csrftoken", "another");
                reply(200, &[&[&*fill], &fields[..]].concat(), &page())
            }
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
    let head = crate::harness::request(house.proxy(), "HEAD", "/", &[], b"");
    assert!(head.all("set-cookie")[0].starts_with("another="), "{:?}", head.fields);
    assert!(asked(&house, 'b').starts_with("larder; hit; ttl="));
    assert_eq!(origin.count(), 2);
    let new = get(house.proxy(), "/", &[]);
    assert_filled_for(&new, &minted(&new));
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
