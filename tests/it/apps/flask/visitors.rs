//! What one visitor got because of who they are is never given to another.

use super::BY_SESSION;
use crate::apps::{Site, Visitor, assert_forwarded, assert_hit, shop};
use crate::harness::Response;
use std::thread;

const ROUNDS: usize = 12;

/// A visitor, and how to know what is theirs.
#[derive(Clone)]
struct Known {
    name: &'static str,
    secret: String,
    visitor: Visitor,
}

impl Known {
    fn log_in(site: &Site, name: &'static str) -> Known {
        let visitor = site.visitor().log_in("/login", name);
        // Past larder: what is true.
        let account = visitor.clone().at(site.app.address).get("/account").text();
        let (_, rest) = account.split_once("Your secret: ").expect("a secret");
        Known { name, secret: rest[..32].to_string(), visitor }
    }
}

/// Nothing of the others' is in an answer.
fn assert_not_of(answer: &Response, others: &[&Known]) {
    let text = answer.text();
    for other in others {
        assert!(!text.contains(other.name), "{}'s page went elsewhere:\n{text}", other.name);
        assert!(!text.contains(&other.secret), "{}'s secret went elsewhere", other.name);
    }
    assert_eq!(answer.all("set-cookie"), Vec::<&str>::new(), "{:?}", answer.fields);
}

fn logged_in_reads(mut known: Known, other: &Known) {
    let name = known.name;
    for round in 0..ROUNDS {
        for path in ["/account", "/", "/products/1", "/products", "/static-content", "/whoami"] {
            let answer = known.visitor.get(path);
            assert_eq!(answer.status, 200, "{path}");
            assert_not_of(&answer, &[other]);
            let text = answer.text();
            match path {
                "/whoami" => assert_eq!(text, format!("{name}\n")),
                "/account" => assert!(text.contains(&known.secret)),
                _ => assert!(text.contains(&format!("Hello, {name}")), "{round} {path}:\n{text}"),
            }
        }
    }
}

fn nobody_reads(mut nobody: Visitor, others: &[&Known]) {
    for _ in 0..ROUNDS {
        for path in ["/whoami", "/", "/products/1", "/products", "/static-content"] {
            let answer = nobody.get(path);
            assert_eq!(answer.status, 200, "{path}");
            assert_not_of(&answer, others);
            match path {
                "/whoami" => assert_eq!(answer.text(), "nobody\n"),
                _ => assert!(answer.text().contains(">Log in<"), "{path}"),
            }
        }
        let account = nobody.clone().get("/account");
        assert_eq!((account.status, account.is_hit()), (302, false));
        assert!(account.field("location").expect("a place").starts_with("/login"));
        // The message that it takes along is for this visitor.
        assert_eq!(account.all("set-cookie").len(), 1);
    }
}

fn read_all_at_once(site: &Site) {
    let (alice, bob) = (Known::log_in(site, "alice"), Known::log_in(site, "bob"));
    thread::scope(|scope| {
        for number in 0..2 {
            let (alice, bob) = (&alice, &bob);
            scope.spawn(move || logged_in_reads(alice.clone(), bob));
            scope.spawn(move || logged_in_reads(bob.clone(), alice));
            let fresh = site.visitor();
            scope.spawn(move || nobody_reads(fresh, &[alice, bob]));
            let tracked = site.visitor().with_cookie("_ga", &format!("GA1.{number}"));
            scope.spawn(move || nobody_reads(tracked, &[alice, bob]));
        }
    });
}

#[test]
fn alice_bob_and_nobody_never_see_each_others_pages() {
    let site = shop().with(&BY_SESSION).open();
    read_all_at_once(&site);
    // And yet nobody's pages were kept.
    for path in ["/", "/products", "/products/1", "/whoami"] {
        assert_hit(&site.get(path));
    }
    assert!(site.larder.stat("/memory/targets") > 0);
}

#[test]
fn nor_do_they_where_no_cookie_is_named() {
    let site = shop().with(&["--default-ttl", "60s"]).open();
    read_all_at_once(&site);
    assert_hit(&site.get("/"));
}

#[test]
fn a_visitor_who_logs_out_gets_everybodys_pages_and_leaves_nothing_behind() {
    let site = shop().with(&BY_SESSION).open();
    let mut alice = site.visitor().log_in("/login", "alice");
    assert_forwarded(&site.get("/"));
    assert!(alice.get("/").text().contains("Hello, alice"));
    let account = alice.get("/account");
    assert_forwarded(&account);
    assert_eq!(alice.post("/logout", &[]).status, 302);
    assert_eq!(alice.cookie("session"), None);
    let page = alice.get("/");
    assert!(!page.text().contains("alice"));
    assert_eq!(alice.get("/account").status, 302);
    assert_eq!(site.get("/whoami").text(), "nobody\n");
}

#[test]
fn a_login_that_fails_tells_only_who_tried() {
    let site = shop().with(&BY_SESSION).open();
    let mut guesser = site.visitor();
    let answer = guesser.post("/login", &[("username", "alice"), ("password", "guess")]);
    assert!(answer.text().contains("Wrong name or password."));
    for _ in 0..2 {
        let page = site.get("/login");
        assert_eq!(page.status, 200);
        assert!(!page.text().contains("Wrong name"));
        assert!(page.all("set-cookie").is_empty());
    }
}

#[test]
fn the_message_for_who_was_sent_to_the_login_page_is_for_them_alone() {
    let site = shop().with(&BY_SESSION).open();
    // Somebody has filled the store with the page that has no message.
    site.get("/login");
    assert_hit(&site.get("/login"));
    let mut sent = site.visitor();
    assert_eq!(sent.get("/account").status, 302);
    assert!(sent.cookie("session").is_some());
    let page = sent.get("/login");
    assert!(page.text().contains("Please log in to access this page."), "{}", page.text());
    let after = sent.get("/login");
    assert!(!after.text().contains("Please log in"), "{}", after.text());
    assert!(!site.get("/login").text().contains("Please log in"));
}
