//! A form on a page that all visitors share: Django's own middleware accepts what larder
//! has filled in, and nobody else's.

use super::BY_SESSION;
use crate::apps::visitor::{Visitor, csrf_token};
use crate::apps::{Site, assert_forwarded, assert_hit, blog};
use crate::harness::Response;
use std::collections::BTreeSet;

const PAGE: &str = "/newsletter/";

const FORM: [(&str, &str); 2] = [("name", "Eve"), ("text", "Good bread!")];

fn site() -> Site {
    let plan = blog().with(&BY_SESSION).larder_env("LARDER_FORMS__CSRF", "true");
    plan.larder_env("LARDER_FORMS__NONCE", "true").open()
}

/// The nonce of a page's policy, which its script bears too.
fn nonce(page: &Response) -> String {
    let policy = page.field("content-security-policy").expect("a policy");
    let nonce = policy.strip_prefix("script-src 'nonce-").expect("a nonce");
    let nonce = nonce.strip_suffix('\'').expect("its end").to_string();
    assert!(page.text().contains(&format!("<script nonce=\"{nonce}\">")), "{}", page.text());
    assert_eq!(nonce.len(), 32);
    nonce
}

/// Sends the form with this token.
fn send(visitor: &mut Visitor, token: &str) -> Response {
    visitor.post(PAGE, &[&FORM[..], &[("csrfmiddlewaretoken", token)]].concat())
}

#[test]
fn a_form_on_a_stored_page_can_be_sent_by_everybody_with_their_own_token() {
    let site = site();
    let (mut tokens, mut cookies, mut nonces) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut visitors = Vec::new();
    for number in 0..5 {
        let mut visitor = site.visitor();
        let page = visitor.get(PAGE);
        assert_eq!(page.status, 200);
        match number {
            0 => assert_eq!(page.cache_status(), "larder; fwd=uri-miss; stored; filled"),
            _ => assert!(page.is_hit() && page.cache_status().ends_with("; filled")),
        }
        assert_eq!(page.field("cache-control"), Some("private, no-cache"));
        for gone in ["etag", "last-modified", "expires", "larder-fill"] {
            assert_eq!(page.field(gone), None, "{gone}");
        }
        let set = page.all("set-cookie");
        let [set] = set.as_slice() else { panic!("{set:?}") };
        assert!(set.ends_with("; Path=/; Max-Age=31449600; SameSite=Lax"), "{set}");
        let cookie = visitor.cookie("csrftoken").expect("a cookie");
        assert!(tokens.insert(csrf_token(&page)) && cookies.insert(cookie.to_string()));
        assert!(nonces.insert(nonce(&page)));
        visitors.push((visitor, csrf_token(&page)));
    }
    assert_eq!(site.computed(PAGE), 1);
    for (mut visitor, token) in visitors {
        let sent = send(&mut visitor, &token);
        assert_eq!((sent.status, sent.text().as_str()), (200, "Thank you, Eve.\n"));
        // The POST has had the page forgotten. Whoever has a cookie keeps it, and is given
        // another token each time.
        assert_forwarded(&site.get(PAGE));
        let cookie = visitor.cookie("csrftoken").map(str::to_string);
        let page = visitor.get(PAGE);
        assert_hit(&page);
        assert_eq!(page.all("set-cookie").len(), 0);
        assert!(tokens.insert(csrf_token(&page)) && nonces.insert(nonce(&page)));
        assert_eq!(send(&mut visitor, &csrf_token(&page)).status, 200);
        assert_eq!(visitor.cookie("csrftoken").map(str::to_string), cookie);
    }
}

#[test]
fn a_token_that_was_filled_in_for_somebody_else_is_refused() {
    let site = site();
    assert_forwarded(&site.get(PAGE));
    let (mut one, mut other) = (site.visitor(), site.visitor());
    let (own, others) = (one.get(PAGE), other.get(PAGE));
    assert_hit(&own);
    assert_hit(&others);
    for (visitor, token) in [(&mut one, &others), (&mut other, &own)] {
        assert_eq!(send(visitor, &csrf_token(token)).status, 403);
    }
    assert_eq!(send(&mut site.visitor(), &csrf_token(&own)).status, 403);
    assert_eq!(send(&mut one, &"x".repeat(64)).status, 403);
    // Refused, they have changed nothing, and nothing was forgotten.
    assert_hit(&site.get(PAGE));
    assert_eq!(send(&mut one, &csrf_token(&own)).status, 200);
    assert_eq!(send(&mut other, &csrf_token(&others)).status, 200);
}

#[test]
fn a_cookie_that_django_has_set_is_filled_in_and_one_it_would_not_take_is_replaced() {
    let site = site();
    assert_forwarded(&site.get(PAGE));
    let mut visitor = site.visitor();
    visitor.get("/contact/");
    let cookie = visitor.cookie("csrftoken").expect("Django's cookie").to_string();
    let page = visitor.get(PAGE);
    assert_hit(&page);
    assert_eq!((page.all("set-cookie").len(), visitor.cookie("csrftoken")), (0, Some(&*cookie)));
    assert_eq!(send(&mut visitor, &csrf_token(&page)).status, 200);
    site.get(PAGE);
    // Before 4.0 Django masked the cookie as well.
    let masked = csrf_token(&page);
    for (value, is_kept) in [(&*masked, true), ("nonsense", false), (&masked[1..], false)] {
        let mut visitor = site.visitor().with_cookie("csrftoken", value);
        let page = visitor.get(PAGE);
        assert_eq!(visitor.cookie("csrftoken") == Some(value), is_kept, "{value}");
        assert_eq!(send(&mut visitor, &csrf_token(&page)).status, 200, "{value}");
    }
}

#[test]
fn a_form_that_comes_back_with_its_faults_is_filled_too() {
    let site = site();
    let mut visitor = site.visitor();
    let page = visitor.get(PAGE);
    let form = [("name", "Eve"), ("text", ""), ("csrfmiddlewaretoken", &csrf_token(&page))];
    let back = visitor.post(PAGE, &form);
    assert_eq!(back.status, 200);
    assert!(back.text().contains("This field is required."), "{}", back.text());
    assert_eq!(back.cache_status(), "larder; fwd=method; filled");
    nonce(&back);
    assert_eq!(send(&mut visitor, &csrf_token(&back)).status, 200);
}

#[test]
fn what_django_compresses_is_filled_and_head_agrees() {
    let site = site();
    let fields = [("Accept-Encoding", "gzip, br, zstd")];
    for _ in 0..2 {
        let page = site.get_with(PAGE, &fields);
        assert_eq!((page.field("content-encoding"), page.complete), (None, true));
        assert!(csrf_token(&page).len() == 64 && page.text().ends_with("</html>\n"));
        nonce(&page);
    }
    let page = site.get_with(PAGE, &fields);
    assert_hit(&page);
    let head = crate::harness::request(site.larder.proxy, "HEAD", PAGE, &fields, b"");
    assert_eq!(head.status, 200);
    for name in ["content-length", "content-type", "cache-control", "content-encoding", "etag"] {
        assert_eq!(head.field(name), page.field(name), "{name}");
    }
    assert_eq!(page.field("content-length"), Some(&*page.body.len().to_string()));
}

#[test]
fn without_the_offer_django_does_what_it_always_does() {
    let site = blog().with(&BY_SESSION).open();
    let mut visitor = site.visitor();
    let page = visitor.get(PAGE);
    assert_eq!(page.cache_status(), "larder; fwd=uri-miss; detail=set-cookie");
    assert_eq!(send(&mut visitor, &csrf_token(&page)).status, 200);
    // Nobody outside can ask for placeholders.
    let asked = site.get_with(PAGE, &[("Larder-Fill", "csrf, nonce")]);
    assert_eq!(asked.all("set-cookie").len(), 1);
}
