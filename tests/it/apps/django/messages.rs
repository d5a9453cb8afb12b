//! `django.contrib.messages`: shown once, to whom it is for, with the
//! configuration that is shipped for Django.

use super::LOGIN;
use crate::apps::{Site, assert_forwarded, assert_hit, blog};

const SAVED: &str = "is saved.";

/// The views state no lifetime, and the file leaves that to who knows the cookies.
const MINUTE: [&str; 2] = ["--default-ttl", "60s"];

fn edit_and_read(site: &Site) {
    for path in ["/", "/articles/1/"] {
        site.get(path);
        assert_hit(&site.get(path));
    }
    let mut alice = site.visitor().log_in(LOGIN, "alice");
    let form = [("title", "On rye bread"), ("text", "Rye and patience.")];
    let saved = alice.fill_in("/articles/1/edit/", &form);
    assert_eq!(saved.status, 302);
    assert_eq!(saved.field("location"), Some("/articles/1/"));
    assert!(alice.cookie("messages").is_some());

    // Others read it first, and again.
    for _ in 0..2 {
        let page = site.get("/articles/1/");
        assert!(page.text().contains("Rye and patience."), "{}", page.text());
        assert!(!page.text().contains(SAVED), "{}", page.text());
        assert!(page.all("set-cookie").is_empty());
    }
    let own = alice.get("/articles/1/");
    assert_forwarded(&own);
    assert!(own.text().contains("On rye bread") && own.text().contains(SAVED), "{}", own.text());
    assert_eq!(alice.cookie("messages"), None);
    for _ in 0..2 {
        let page = site.get("/articles/1/");
        assert_hit(&page);
        assert!(!page.text().contains(SAVED), "{}", page.text());
        let own = alice.get("/articles/1/");
        assert!(own.text().contains("Hello, alice") && !own.text().contains(SAVED));
        assert!(!site.get("/").text().contains(SAVED));
    }
}

#[test]
fn a_message_is_shown_once_to_its_owner_and_never_to_others() {
    let site = blog().config("django.toml").with(&MINUTE).open_purging();
    edit_and_read(&site);
}

#[test]
fn the_same_where_the_app_does_not_purge() {
    let site = blog().config("django.toml").with(&MINUTE).open();
    edit_and_read(&site);
}

#[test]
fn a_message_for_somebody_unknown_waits_for_no_cached_page() {
    let site = blog().config("django.toml").with(&MINUTE).open();
    site.get("/");
    assert_hit(&site.get("/"));
    let mut eve = site.visitor();
    let sent = eve.fill_in("/contact/", &[("name", "Eve"), ("text", "Good bread!")]);
    assert_eq!(sent.status, 302);
    let mut other = eve.clone();
    let page = eve.get("/");
    assert_forwarded(&page);
    assert!(page.cache_status().contains("bypass"), "{}", page.cache_status());
    assert!(page.text().contains("Thank you, Eve."), "{}", page.text());
    let next = eve.get("/");
    assert_hit(&next);
    assert!(!next.text().contains("Eve"));
    assert!(!site.get("/").text().contains("Eve"));
    // The cookie still says it to whoever has it: only it brings the message.
    assert!(other.get("/").text().contains("Thank you, Eve."));
}
