//! Django's forms: each visitor has a token of their own, and can use it.

use super::{BY_SESSION, LOGIN};
use crate::apps::visitor::csrf_token;
use crate::apps::{assert_forwarded, assert_hit, blog};
use std::collections::BTreeSet;

#[test]
fn every_visitor_of_a_form_gets_a_token_of_their_own_and_can_send_it() {
    for options in [&BY_SESSION[..], &BY_SESSION[..2]] {
        let site = blog().with(options).open();
        let mut cookies = BTreeSet::new();
        for path in ["/contact/", LOGIN] {
            for _ in 0..3 {
                let mut visitor = site.visitor();
                let page = visitor.get(path);
                assert_forwarded(&page);
                assert!(!page.cache_status().contains("stored"), "{}", page.cache_status());
                assert_eq!(page.all("set-cookie").len(), 1);
                cookies.insert(visitor.cookie("csrftoken").expect("a cookie").to_string());
            }
        }
        assert_eq!(cookies.len(), 6, "each has their own");
        assert_eq!(site.larder.stat("/memory/targets"), 0);

        let mut visitor = site.visitor();
        let sent = visitor.fill_in("/contact/", &[("name", "Eve"), ("text", "Good bread!")]);
        assert_eq!(sent.status, 302, "{}", sent.text());
        assert!(visitor.get("/contact/").text().contains("Thank you, Eve."));
        assert!(!visitor.get("/contact/").text().contains("Thank you"));
        assert!(!site.get("/contact/").text().contains("Eve"));
    }
}

#[test]
fn a_token_of_another_visitors_is_refused() {
    let site = blog().with(&BY_SESSION).open();
    let (mut one, mut other) = (site.visitor(), site.visitor());
    let token = csrf_token(&one.get("/contact/"));
    other.get("/contact/");
    let form = [("name", "Eve"), ("text", "Hm."), ("csrfmiddlewaretoken", &token)];
    assert_eq!(other.post("/contact/", &form).status, 403);
    assert_eq!(site.visitor().post("/contact/", &form).status, 403);
    assert_eq!(one.post("/contact/", &form).status, 302);
}

#[test]
fn a_csrf_cookie_alone_does_not_keep_a_visitor_from_everybodys_pages() {
    let site = blog().with(&BY_SESSION).open();
    let mut visitor = site.visitor();
    visitor.get("/contact/");
    assert!(visitor.cookie("csrftoken").is_some());
    assert_forwarded(&site.get("/"));
    assert_hit(&visitor.get("/"));
}

#[test]
fn a_form_that_is_sent_wrongly_changes_and_purges_nothing() {
    let site = blog().with(&BY_SESSION).open_purging();
    let mut alice = site.visitor().log_in(LOGIN, "alice");
    site.get("/articles/1/");
    let answer = alice.fill_in("/articles/1/edit/", &[("title", ""), ("text", "No title.")]);
    assert_eq!(answer.status, 200);
    assert!(answer.text().contains("This field is required."));
    let refused = alice.post("/articles/1/edit/", &[("title", "A"), ("text", "B")]);
    assert_eq!(refused.status, 403);
    assert_hit(&site.get("/articles/1/"));
    // Who is not logged in is sent away, and changes nothing either.
    let sent_away = site.visitor().fill_in_to("/contact/", "/articles/1/edit/", &[("title", "A")]);
    assert_eq!(sent_away.status, 302);
    assert_eq!(site.computed("/articles/1/"), 1);
}
