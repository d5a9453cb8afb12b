//! A page whose placeholders can't be filled is shown to nobody.

use super::{FILL, NONCE, ON, TOKEN, answer, assert_filled_for, cookie, filling, minted, page};
use crate::harness::{Larder, Origin, Response, reply, request};
use crate::reload::Configured;

#[track_caller]
fn assert_not_shown(answer: &Response) {
    assert_eq!(answer.status, 502, "{}", answer.text());
    assert!(answer.cache_status().ends_with("detail=unfillable"), "{}", answer.cache_status());
    assert!(!answer.cache_status().contains("filled"));
    assert_eq!(answer.field("cache-control"), Some("no-store"));
    let shown = format!("{:?}{}", answer.fields, answer.text());
    for secret in [TOKEN, NONCE, "larder-fill"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn a_field_that_is_malformed_has_the_page_not_shown_and_not_stored() {
    for field in [
        "Larder-Fill:",
        "Larder-Fill: csrf",
        "Larder-Fill: nonsense",
        "Larder-Fill: csrf=\"short\";cookie=\"csrftoken\"",
        &format!("Larder-Fill: csrf=\"{TOKEN}\""),
        &format!("Larder-Fill: csrf=\"{TOKEN}\";cookie=\"a;b\""),
        &format!("Larder-Fill: nonce=\"{NONCE}\", more=\"x\""),
        &format!("{FILL}\r\n{FILL}"),
    ] {
        let line = field.to_string();
        let origin =
            Origin::answering(move |_| reply(200, &[&line, "Cache-Control: max-age=60"], &page()));
        let larder = filling(&origin, &[]);
        for _ in 0..2 {
            assert_not_shown(&larder.get("/"));
        }
        assert_not_shown(&request(larder.proxy, "POST", "/", &[], b"a="));
        assert_eq!((origin.count(), larder.stat("/memory/responses")), (3, 0), "{field}");
        larder.says("a page can't be shown: its Larder-Fill field can't be understood");
        assert_eq!(larder.stat("/requests/reasons/unfillable"), 3);
    }
}

#[test]
fn what_was_not_offered_is_not_shown() {
    let origin = Origin::answering(|_| answer(&["Cache-Control: max-age=60"]));
    for on in [&[][..], &ON[..1], &ON[1..2]] {
        let larder = Larder::with_env(origin.address, &[], on);
        for _ in 0..2 {
            assert_not_shown(&larder.get("/"));
        }
        larder.says("asks for what [forms] doesn't offer");
    }
}

#[test]
fn a_part_is_not_shown() {
    let origin = Origin::answering(|seen| match seen.field("range") {
        Some(_) => {
            let place = format!("Content-Range: bytes 0-9/{}", page().len());
            reply(206, &[FILL, "ETag: \"a\"", "Cache-Control: max-age=60", &place], &page()[..10])
        }
        None => answer(&["Cache-Control: max-age=60", "ETag: \"a\""]),
    });
    let larder = filling(&origin, &[]);
    assert_not_shown(&larder.get_with("/", &[("Range", "bytes=0-9")]));
    assert_not_shown(&larder.get_with("/", &[("Range", "bytes=0-1, 4-5")]));
    let whole = larder.get("/");
    assert_filled_for(&whole, &minted(&whole));
    let again = larder.get_with("/", &[("Range", "bytes=0-9")]);
    assert_eq!((again.status, again.is_hit()), (200, true));
}

#[test]
fn a_post_has_been_done_though_its_answer_is_not_shown() {
    let origin = Origin::answering(|seen| match seen.method.as_str() {
        "POST" => reply(200, &["Larder-Fill: nonsense"], &page()),
        _ => answer(&["Cache-Control: max-age=60"]),
    });
    for more in [&[][..], &[("LARDER_SEMANTICS__STORE_POST", "false")]] {
        let larder = filling(&origin, more);
        let before = origin.asked_for("/");
        larder.get("/");
        assert!(larder.get("/").is_hit());
        assert_not_shown(&request(larder.proxy, "POST", "/", &[], b"a="));
        assert!(!larder.get("/").is_hit(), "what it changed is forgotten");
        assert_eq!(origin.asked_for("/"), before + 3);
    }
}

#[test]
fn a_stale_page_that_can_be_filled_stands_in() {
    let origin = Origin::answering(|seen| match seen.field("if-none-match") {
        Some(_) => reply(200, &["Larder-Fill: nonsense"], &page()),
        None => answer(&["Cache-Control: max-age=0", "ETag: \"a\""]),
    });
    let larder = filling(&origin, &[]);
    larder.get("/");
    let page = larder.get_with("/", &[("Cookie", &cookie('a'))]);
    assert!(page.cache_status().ends_with("; filled; detail=stale-when-down"));
    assert_filled_for(&page, &cookie('a'));
}

#[test]
fn what_was_stored_when_it_could_be_filled_is_not_shown_when_it_can_not_any_more() {
    let origin = Origin::answering(|seen| match seen.field("larder-fill") {
        Some("csrf, nonce") => answer(&["Cache-Control: max-age=60"]),
        Some(_) => reply(200, &["Cache-Control: max-age=60"], "only a token"),
        None => reply(200, &["Cache-Control: max-age=60"], "plain"),
    });
    let tables = |csrf: bool, nonce: bool| {
        let to = origin.address;
        format!("[origin]\nto = \"{to}\"\n[forms]\ncsrf = {csrf}\nnonce = {nonce}\n")
    };
    let larder = Configured::by(&tables(true, true));
    larder.larder.get("/");
    let page = larder.larder.get("/");
    assert!(page.is_hit());
    assert_filled_for(&page, &minted(&page));
    let (changed, _) = Configured::told(&larder.reload(&tables(true, false)));
    assert!(changed.contains("forms.nonce"), "{changed}");
    let fewer = larder.larder.get("/");
    assert_eq!((fewer.is_hit(), fewer.text()), (false, "only a token".to_string()));
    Configured::told(&larder.reload(&tables(false, false)));
    assert_eq!(larder.larder.purge("{\"all\": true}").status, 200);
    assert_eq!(larder.larder.get("/").text(), "plain");
}
