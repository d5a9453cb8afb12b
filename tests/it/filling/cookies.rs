//! Which cookie a token goes with.

use super::{answer, assert_filled_for, cookie, filling, minted, of_a_page, page};
use crate::harness::{Origin, reply};
use larder::semantics::csrf::Secret;
use std::collections::BTreeSet;

const STORED: &[&str] = &["Cache-Control: max-age=60"];

#[test]
fn the_last_of_several_cookies_counts_as_for_django() {
    let origin = of_a_page(STORED);
    let larder = filling(&origin, &[]);
    let both = format!("{}; x=1; {}", cookie('a'), cookie('b'));
    for _ in 0..2 {
        let page = larder.get_with("/", &[("Cookie", &both)]);
        assert_filled_for(&page, &cookie('b'));
        // On two lines as well.
        let page = larder.get_with("/", &[("Cookie", &cookie('b')), ("Cookie", &cookie('a'))]);
        assert_filled_for(&page, &cookie('a'));
        assert_eq!(page.all("set-cookie").len(), 0);
    }
}

#[test]
fn a_form_on_an_error_page_among_files_leaves_its_visitor_their_cookie() {
    let origin = Origin::answering(|_| reply(404, &[super::FILL, STORED[0]], &page()));
    let larder = filling(&origin, &[("LARDER_CACHE__STATIC_PATHS", "/static/")]);
    let both = format!("{}; {}; sessionid=1", cookie('b'), cookie('a'));
    for (is_hit, bears, own) in [
        (false, cookie('a'), cookie('a')),
        (true, cookie('b'), cookie('b')),
        (true, both, cookie('a')),
    ] {
        let page = larder.get_with("/static/x", &[("Cookie", &bears)]);
        assert_eq!((page.status, page.is_hit(), page.all("set-cookie").len()), (404, is_hit, 0));
        assert_filled_for(&page, &own);
    }
    let new = larder.get("/static/x");
    assert_filled_for(&new, &minted(&new));
    assert_eq!((origin.count(), origin.last().field("cookie")), (1, None));
}

#[test]
fn a_masked_cookie_is_the_secret_under_its_mask() {
    let origin = of_a_page(STORED);
    let larder = filling(&origin, &[]);
    let secret = Secret::read("s".repeat(32).as_bytes()).expect("a secret");
    let masked = String::from_utf8(secret.masked([b'M'; 32]).to_vec()).expect("text");
    for _ in 0..2 {
        let page = larder.get_with("/", &[("Cookie", &format!("csrftoken={masked}"))]);
        assert_eq!(page.all("set-cookie").len(), 0);
        let token = assert_filled_for(&page, &format!("csrftoken={}", "s".repeat(32)));
        assert_ne!(token, masked);
    }
}

#[test]
fn a_cookie_that_is_no_secret_is_replaced() {
    let origin = of_a_page(STORED);
    let larder = filling(&origin, &[]);
    let long = "a".repeat(33);
    let mut given = BTreeSet::new();
    for value in
        ["", "x", &long, &"a".repeat(63), &"<".repeat(32), "\"><script>", &"a b".repeat(11)]
    {
        let page = larder.get_with("/", &[("Cookie", &format!("csrftoken={value}"))]);
        let new = minted(&page);
        assert_filled_for(&page, &new);
        assert!(given.insert(new), "{value}");
    }
}

#[test]
fn the_apps_own_cookie_goes_first_and_is_shared_with_nobody() {
    for more in [&[][..], &[("LARDER_SEMANTICS__STORE_SET_COOKIE", "true")]] {
        let origin = Origin::answering(|_| {
            let set = format!("Set-Cookie: {}; Path=/; Secure", cookie('n'));
            answer(&["Cache-Control: max-age=60", "Set-Cookie: other=1", &set])
        });
        let larder = filling(&origin, more);
        for _ in 0..2 {
            for fields in [&[][..], &[("Cookie", &*cookie('o'))]] {
                let page = larder.get_with("/", fields);
                assert_filled_for(&page, &cookie('n'));
                assert_eq!(page.all("set-cookie").len(), 2, "the app's own");
                assert!(page.cache_status().ends_with("; filled; detail=set-cookie"));
            }
        }
        assert_eq!(larder.stat("/memory/responses"), 0);
    }
}

#[test]
fn a_cookie_that_the_app_takes_away_is_given_anew() {
    let gone = "Set-Cookie: csrftoken=; Max-Age=0; Path=/";
    let origin = of_a_page(&["Set-Cookie: csrftoken=; Max-Age=0; Path=/"]);
    let larder = filling(&origin, &[]);
    let page = larder.get("/");
    let set = page.all("set-cookie");
    assert_eq!((set.len(), format!("Set-Cookie: {}", set[0])), (2, gone.to_string()));
    assert_filled_for(&page, set[1]);
}

#[test]
fn a_cookie_for_whoever_asked_is_for_nobody_else() {
    let origin = Origin::answering(|_| {
        let set = format!("Set-Cookie: {}", cookie('n'));
        answer(&["Cache-Control: max-age=60, no-cache=\"Set-Cookie\"", &set])
    });
    let larder = filling(&origin, &[]);
    let first = larder.get("/");
    assert_filled_for(&first, &cookie('n'));
    let second = larder.get("/");
    assert_filled_for(&second, &minted(&second));
    assert!(!second.all("set-cookie")[0].contains("nnnn"));
}

#[test]
fn the_cookie_is_set_as_the_app_says() {
    for (parameters, attributes) in [
        (";cookie=\"xsrf\"", ""),
        (";cookie=\"__Host-c\";path=\"/\";secure;httponly", "; Path=/; Secure; HttpOnly"),
        (
            ";cookie=\"xsrf\";domain=\".site.test\";samesite=\"None\";max-age=60;secure",
            "; Domain=.site.test; SameSite=None; Max-Age=60; Secure",
        ),
    ] {
        let field = format!("Larder-Fill: csrf=\"{}\"{parameters}", super::TOKEN);
        let origin = Origin::answering(move |_| {
            reply(200, &[&field, "Cache-Control: max-age=60"], &page().replace(super::NONCE, "n"))
        });
        let larder = filling(&origin, &[]);
        for _ in 0..2 {
            let answer = larder.get_with("/", &[("Cookie", &cookie('a'))]);
            let set = answer.all("set-cookie");
            assert!(set[0].ends_with(attributes), "{set:?}");
            assert!(!set[0].contains("Path") || attributes.contains("Path"), "{set:?}");
        }
    }
}

#[test]
fn a_page_with_a_nonce_alone_sets_no_cookie() {
    let field = format!("Larder-Fill: nonce=\"{}\"", super::NONCE);
    let origin = Origin::answering(move |_| {
        reply(
            200,
            &[&field, "Cache-Control: max-age=60"],
            &format!("<script nonce={}>", super::NONCE),
        )
    });
    let larder = filling(&origin, &[]);
    let mut nonces = BTreeSet::new();
    for _ in 0..3 {
        let answer = larder.get("/");
        assert_eq!((answer.all("set-cookie").len(), answer.body.len()), (0, 47));
        assert!(!answer.text().contains("NonceNonce"));
        assert!(nonces.insert(answer.text()));
    }
}
