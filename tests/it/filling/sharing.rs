//! One page for many visitors, each with a token of their own.

use super::{
    FILL, NONCE, TOKEN, answer, assert_filled_for, between, cookie, filling, minted, of_a_page,
    page,
};
use crate::harness::{Connection, Gate, Larder, Origin, get, reply, wait_until};
use std::collections::BTreeSet;
use std::io::Write;

const STORED: &[&str] = &["Cache-Control: public, max-age=60", "Vary: Larder-Fill"];

#[test]
fn a_page_is_stored_once_and_every_visitor_is_given_their_own_token() {
    let origin = of_a_page(STORED);
    let larder = filling(&origin, &[]);
    let (mut tokens, mut cookies) = (BTreeSet::new(), BTreeSet::new());
    for number in 0..10 {
        let page = larder.get("/");
        assert_eq!(page.is_hit(), number > 0, "{}", page.cache_status());
        let given = minted(&page);
        assert!(tokens.insert(assert_filled_for(&page, &given)));
        assert!(cookies.insert(given));
        assert_eq!(page.field("content-length"), Some(&*page.body.len().to_string()));
    }
    for letter in ['a', 'b', 'a', 'b'] {
        let page = larder.get_with("/", &[("Cookie", &format!("x=1; {}", cookie(letter)))]);
        assert!(page.is_hit());
        assert_eq!(page.all("set-cookie").len(), 0, "who has a cookie keeps it");
        assert!(
            tokens.insert(assert_filled_for(&page, &cookie(letter))),
            "each under its own mask"
        );
    }
    assert_eq!(origin.count(), 1);
    assert_eq!(larder.stat("/requests/filled"), 14);
    assert_eq!(larder.stat("/memory/responses"), 1);
}

#[test]
fn a_nonce_is_the_same_in_one_answer_and_another_in_the_next() {
    let policy = format!("Content-Security-Policy: script-src 'nonce-{NONCE}' 'self'");
    let only = format!("Content-Security-Policy-Report-Only: style-src 'nonce-{NONCE}'");
    let origin = Origin::answering(move |_| {
        answer(&["Cache-Control: max-age=60", &policy, &only, "X-Frame-Options: DENY"])
    });
    let larder = filling(&origin, &[]);
    let mut nonces = BTreeSet::new();
    for _ in 0..5 {
        let page = larder.get_with("/", &[("Cookie", &cookie('a'))]);
        assert_filled_for(&page, &cookie('a'));
        let nonce = between(&page.text(), "nonce=\"", "\"").to_string();
        assert!(nonce.len() == 32 && nonce.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        let policy = page.field("content-security-policy").expect("a policy");
        assert_eq!(policy, format!("script-src 'nonce-{nonce}' 'self'"));
        let only = page.field("content-security-policy-report-only").expect("a policy");
        assert_eq!(only, format!("style-src 'nonce-{nonce}'"));
        assert_eq!(page.field("x-frame-options"), Some("DENY"));
        assert!(nonces.insert(nonce));
    }
    assert_eq!(origin.count(), 1);
}

#[test]
fn who_waits_for_another_ones_fetch_is_given_their_own_token() {
    let (begin, end) = (Gate::closed(), Gate::closed());
    let (begun, ended) = (begin.clone(), end.clone());
    // The page is torn in the middle of the token.
    let half = page().find(TOKEN).expect("a token") + 20;
    let origin = Origin::scripted(move |_, stream| {
        let page = page();
        let head = format!("HTTP/1.1 200 OK\r\n{FILL}\r\nCache-Control: max-age=60\r\n\r\n");
        begun.pass();
        stream
            .write_all([head.as_bytes(), &page.as_bytes()[..half]].concat().as_slice())
            .expect("half");
        ended.pass();
        let _ = stream.write_all(&page.as_bytes()[half..]);
        false
    });
    let larder = filling(&origin, &[]);
    let letters: Vec<char> = ('a'..='t').collect();
    let clients: Vec<(char, Connection)> = letters
        .into_iter()
        .map(|letter| {
            let mut client = Connection::open(larder.proxy);
            client.ask("/", &format!("Cookie: {}\r\n", cookie(letter)));
            (letter, client)
        })
        .collect();
    wait_until("a request is at the origin", || origin.count() == 1);
    begin.open();
    let mut collapsed = 0;
    let mut heads = Vec::new();
    for (letter, mut client) in clients {
        let head = client.head().expect("a head");
        collapsed += usize::from(head.cache_status().contains("; collapsed; filled"));
        heads.push((letter, client, head));
    }
    assert_eq!((origin.count(), collapsed), (1, 19));
    end.open();
    let mut tokens = BTreeSet::new();
    for (letter, mut client, head) in heads {
        let page = client.with_body("GET", head).expect("a body");
        assert!(page.complete);
        assert!(tokens.insert(assert_filled_for(&page, &cookie(letter))));
    }
    wait_until("it is stored", || larder.stat("/stored") == 1);
    let hit = get(larder.proxy, "/", &[("Cookie", &cookie('z'))]);
    assert!(hit.is_hit());
    assert_filled_for(&hit, &cookie('z'));
}

#[test]
fn such_a_page_never_goes_the_short_way_and_others_do() {
    let origin = Origin::answering(|seen| match seen.target.as_str() {
        "/form" => answer(STORED),
        _ => reply(200, &["Cache-Control: max-age=60"], "page"),
    });
    let larder = filling(&origin, &[]);
    for (path, short) in [("/form", 0), ("/page", 3), ("/form", 3)] {
        larder.get(path);
        let mut client = Connection::open(larder.proxy);
        for _ in 0..3 {
            client.ask(path, "");
            let page = client.answer("GET").expect("an answer");
            assert!(page.is_hit());
            if path == "/form" {
                assert_filled_for(&page, &minted(&page));
            }
        }
        let counted = larder.stat("/requests/short_way");
        assert!(counted >= short, "{counted}");
        assert!(path == "/page" || counted <= short + 1, "{path}: {counted}");
    }
}

#[test]
fn the_app_is_told_what_is_offered_and_clients_can_not_tell_it() {
    let origin = Origin::answering(|_| reply(200, &[], "page"));
    let asked = |larder: &Larder| {
        let fields = [
            ("Larder-Fill", "csrf, nonce, everything"),
            ("LARDER_FILL", "csrf"),
            ("Accept-Encoding", "br, gzip;q=0.5, zstd"),
        ];
        larder.get_with("/", &fields);
        let seen = origin.last();
        let all: Vec<_> = seen.fields.iter().filter(|(name, _)| name.contains("fill")).collect();
        assert!(all.len() <= 1, "{all:?}");
        let told = seen.field("larder-fill").map(str::to_string);
        (told, seen.field("accept-encoding").expect("codings").to_string())
    };
    let off = Larder::in_front_of(origin.address, &[]);
    assert_eq!(asked(&off), (None, "br, gzip;q=0.5, zstd".into()));
    for (on, told) in
        [(&super::ON[..1], "csrf"), (&super::ON[1..2], "nonce"), (&super::ON[..2], "csrf, nonce")]
    {
        let larder = Larder::with_env(origin.address, &[], on);
        assert_eq!(asked(&larder), (Some(told.into()), "gzip;q=0.5".into()));
        // A POST is told as well: it may answer with the form again.
        crate::harness::request(larder.proxy, "POST", "/", &[], b"a=b");
        assert_eq!(origin.last().field("larder-fill"), Some(told));
    }
}

#[test]
fn a_purge_and_a_post_have_it_forgotten_as_any_page() {
    let origin = Origin::answering(|seen| match seen.method.as_str() {
        "POST" => reply(303, &["Location: /"], ""),
        _ => answer(&["Cache-Control: max-age=60", "Cache-Tag: forms"]),
    });
    let larder = filling(&origin, &[]);
    larder.get("/");
    assert!(larder.get("/").is_hit());
    assert_eq!(larder.purge("{\"tags\": [\"forms\"]}").status, 200);
    assert!(!larder.get("/").is_hit());
    crate::harness::request(larder.proxy, "POST", "/", &[], b"a=b");
    assert!(!larder.get("/").is_hit());
    assert_eq!(origin.count(), 4);
}
