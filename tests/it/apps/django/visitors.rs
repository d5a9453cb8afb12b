//! Sessions: what one visitor got because of who they are is never given to
//! another.

use super::{BY_SESSION, LOGIN};
use crate::apps::{Site, Visitor, assert_hit, blog};
use std::thread;

const ROUNDS: usize = 8;

/// A visitor, and how to know what is theirs.
#[derive(Clone)]
struct Known {
    name: &'static str,
    secret: String,
    visitor: Visitor,
}

impl Known {
    fn log_in(site: &Site, name: &'static str) -> Known {
        let visitor = site.visitor().log_in(LOGIN, name);
        // Past larder: what is true.
        let account = visitor.clone().at(site.app.address).get("/account/").text();
        let (_, rest) = account.split_once("Your secret: ").expect("a secret");
        Known { name, secret: rest[..32].to_string(), visitor }
    }
}

fn assert_not_of(text: &str, others: &[&Known]) {
    for other in others {
        assert!(!text.contains(other.name), "{}'s page went elsewhere:\n{text}", other.name);
        assert!(!text.contains(&other.secret), "{}'s secret went elsewhere", other.name);
    }
}

fn logged_in_reads(mut known: Known, other: &Known) {
    let greeting = format!("Hello, {}", known.name);
    for _ in 0..ROUNDS {
        for path in ["/", "/articles/1/", "/account/", "/articles/2/"] {
            let answer = known.visitor.get(path);
            let text = answer.text();
            assert_eq!(answer.status, 200, "{path}");
            assert!(text.contains(&greeting), "{path}:\n{text}");
            assert_not_of(&text, &[other]);
            if path == "/account/" {
                assert!(text.contains(&known.secret));
            } else {
                assert!(answer.all("set-cookie").is_empty(), "{path}");
            }
        }
    }
}

fn nobody_reads(mut nobody: Visitor, others: &[&Known]) {
    for _ in 0..ROUNDS {
        for path in ["/", "/articles/1/", "/articles/2/"] {
            let answer = nobody.get(path);
            assert_eq!(answer.status, 200, "{path}");
            assert!(answer.text().contains(">Log in<"), "{path}");
            assert_not_of(&answer.text(), others);
            assert!(answer.all("set-cookie").is_empty(), "{path}");
        }
        let account = nobody.get("/account/");
        assert_eq!((account.status, account.is_hit()), (302, false));
        assert!(account.field("location").expect("a place").starts_with(LOGIN));
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
fn greetings_and_accounts_stay_with_their_visitors() {
    let site = blog().with(&BY_SESSION).open();
    read_all_at_once(&site);
    for path in ["/", "/articles/1/", "/articles/2/"] {
        assert_hit(&site.get(path));
    }
}

#[test]
fn they_stay_where_no_cookie_is_named() {
    let site = blog().with(&["--default-ttl", "60s"]).open();
    read_all_at_once(&site);
    assert_hit(&site.get("/"));
}

#[test]
fn a_visitor_becomes_somebody_and_nobody_again() {
    let site = blog().with(&BY_SESSION).open();
    // Not the index: who logs out is sent there, which makes it new.
    let page = "/articles/1/";
    let mut alice = site.visitor();
    let before = alice.get(page);
    assert_hit(&alice.get(page));
    let mut alice = alice.log_in(LOGIN, "alice");
    assert!(alice.cookie("sessionid").is_some());
    assert!(alice.get(page).text().contains("Hello, alice"));
    assert_eq!(site.get(page).body, before.body);
    assert_eq!(alice.fill_in_to("/account/", "/accounts/logout/", &[]).status, 302);
    assert_eq!(alice.cookie("sessionid"), None);
    let after = alice.get(page);
    assert_hit(&after);
    assert_eq!(after.body, before.body);
    assert_eq!(alice.get("/account/").status, 302);
}

/// Django strips white space from a cookie's name that is not ASCII, and so
/// finds a session where none seems to be.
#[test]
fn a_session_in_disguise_makes_no_page_for_everybody() {
    let site = blog().with(&BY_SESSION).open();
    let alice = site.visitor().log_in(LOGIN, "alice");
    let session = alice.cookie("sessionid").expect("a session");
    for disguise in ["\u{a0}sessionid", "sessionid\u{2003}", "  sessionid  ", "a=b;\u{85}sessionid"]
    {
        let cookies = format!("_ga=1; {disguise}={session}");
        let own = site.get_with("/", &[("Cookie", &cookies)]);
        assert!(own.text().contains("Hello, alice"), "{disguise:?}: {}", own.text());
        assert!(!site.get("/").text().contains("alice"), "{disguise:?}");
        assert!(!site.get_with("/", &[("Cookie", "_ga=2")]).text().contains("alice"));
        assert_eq!(site.larder.purge("{\"all\": true}").status, 200);
    }
}
