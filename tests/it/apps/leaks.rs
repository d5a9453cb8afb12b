//! Visitors who come, log in, read, write and leave in any order, at the same
//! time, while pages are fetched for several, served stale and purged: nobody
//! ever gets another's page, cookie or token.
//!
//! `LARDER_LEAK_STEPS` is how many steps each visitor takes, `LARDER_LEAK_SEED`
//! which; a failure names the seed.

use super::{Plan, Site, Visitor, blog, shop};
use crate::harness::{Response, request};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

const STEPS: u64 = 100;

/// Always the same numbers from the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        // xorshift64*, whose high bits are good.
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % most
    }

    fn one_of<'a>(&mut self, texts: &[&'a str]) -> &'a str {
        texts[self.below(texts.len() as u64) as usize]
    }
}

/// What is different about the sites.
struct Terms {
    login: &'static str,
    account: &'static str,
    logout: &'static str,
    pages: &'static [&'static str],
    /// A form for anybody, that is thanked for on the next page.
    contact: Option<&'static str>,
}

const SHOP: Terms = Terms {
    login: "/login",
    account: "/account",
    logout: "/logout",
    pages: &[
        "/",
        "/products",
        "/products/1",
        "/products/2",
        "/static-content",
        "/whoami",
        "/login",
    ],
    contact: None,
};

const BLOG: Terms = Terms {
    login: "/accounts/login/",
    account: "/account/",
    logout: "/accounts/logout/",
    pages: &[
        "/",
        "/articles/1/",
        "/articles/2/",
        "/api/articles/1/",
        "/contact/",
        "/accounts/login/",
    ],
    contact: Some("/contact/"),
};

/// The same blog, where the form is on a page that all visitors share.
const FILLED: Terms = Terms {
    pages: &["/", "/articles/1/", "/contact/", "/newsletter/", "/newsletter/"],
    contact: Some("/newsletter/"),
    ..BLOG
};

/// Who has what: secrets from the beginning, cookies and tokens as they come.
struct Book {
    /// Of alice and bob: name and secret.
    known: Vec<(&'static str, String)>,
    owners: Mutex<HashMap<String, String>>,
    hits: AtomicUsize,
    asked: AtomicUsize,
}

impl Book {
    fn of(site: &Site, terms: &Terms) -> Book {
        let secret = |name| {
            let mut visitor = site.visitor().log_in(terms.login, name).at(site.app.address);
            let page = visitor.get(terms.account).text();
            let (_, rest) = page.split_once("Your secret: ").expect("a secret");
            (name, rest[..32].to_string())
        };
        let (owners, known) = (Mutex::default(), vec![secret("alice"), secret("bob")]);
        Book { known, owners, hits: AtomicUsize::new(0), asked: AtomicUsize::new(0) }
    }

    /// Nothing in this answer is another's.
    fn check(&self, answer: &Response, who: &str, step: &str) {
        assert!(answer.status < 400, "{step}: {} {}", answer.status, answer.text());
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.hits.fetch_add(usize::from(answer.is_hit()), Ordering::Relaxed);
        let text = answer.text();
        for (name, secret) in self.known.iter().filter(|(name, _)| *name != who) {
            // As a word: a random token may have a name's letters in it.
            let mut words = text.split(|c: char| !c.is_alphanumeric());
            assert!(words.all(|word| word != *name), "{step}: {name}'s page:\n{text}");
            assert!(!text.contains(secret.as_str()), "{step}: {name}'s secret");
        }
        for thanks in text.split("Thank you, ").skip(1) {
            let owner = thanks.split('.').next().expect("a name");
            assert_eq!(owner, who, "{step}: the thanks are another's");
        }
        // What is filled in goes into a stored page, and is its visitor's all the same.
        let is_everybodys = answer.is_hit() && !answer.cache_status().contains("; filled");
        for set in answer.all("set-cookie") {
            assert!(!is_everybodys, "{step}: {set}");
            let cookie = set.split(';').next().expect("a cookie");
            let (name, value) = cookie.split_once('=').expect("a cookie");
            // Flask signs what is said to anybody, at the same second in the same way.
            if value.len() > 2 && (name != "session" || !who.starts_with("nobody")) {
                self.claim(cookie, who, step);
            }
        }
        for form in text.split("name=\"csrfmiddlewaretoken\" value=\"").skip(1) {
            assert!(!is_everybodys, "{step}: a token from the store");
            self.claim(form.split('"').next().expect("a token"), who, step);
        }
    }

    fn claim(&self, token: &str, who: &str, step: &str) {
        let mut owners = self.owners.lock().expect("the owners");
        let owner = owners.entry(token.to_string()).or_insert_with(|| who.to_string());
        assert_eq!(owner, who, "{step}: {token} is another's");
    }
}

/// What every actor knows.
#[derive(Clone, Copy)]
struct Stage<'a> {
    terms: &'a Terms,
    book: &'a Book,
    admin: SocketAddr,
    seed: u64,
    steps: u64,
}

fn act(stage: Stage<'_>, number: u64, known: Option<&'static str>, fresh: Visitor) {
    let Stage { terms, book, admin, seed, steps } = stage;
    let who = known.map_or(format!("nobody-{number}"), String::from);
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (number + 1));
    let log_in = |visitor: Visitor| match known {
        Some(name) => visitor.log_in(terms.login, name),
        None => visitor,
    };
    let mut visitor = log_in(fresh.clone());
    for count in 0..steps {
        let step = format!("seed {seed}, {who} ({number}), step {count}");
        match dice.below(40) {
            0 => {
                let soft = dice.below(3) > 0;
                let purge = format!("{{\"all\": true, \"soft\": {soft}}}");
                let host = [("Host", "localhost")];
                let answer = request(admin, "POST", "/v1/purge", &host, purge.as_bytes());
                assert_eq!(answer.status, 200, "{step}");
            }
            1 if known.is_some() => {
                let left = match terms.contact {
                    Some(_) => visitor.fill_in_to(terms.account, terms.logout, &[]),
                    None => visitor.post(terms.logout, &[]),
                };
                assert_eq!(left.status, 302, "{step}");
                let page = visitor.get(dice.one_of(terms.pages));
                book.check(&page, &who, &step);
                assert!(!page.text().contains("Hello, "), "{step}: {}", page.text());
                visitor = log_in(fresh.clone());
            }
            1 => visitor = fresh.clone(),
            2 if let Some(page) = terms.contact => {
                let form = [("name", who.as_str()), ("text", "Good bread!")];
                book.check(&visitor.fill_in(page, &form), &who, &step);
            }
            2..8 => {
                let answer = visitor.get(terms.account);
                book.check(&answer, &who, &step);
                assert_eq!(answer.status, if known.is_some() { 200 } else { 302 }, "{step}");
            }
            _ => {
                let page = dice.one_of(terms.pages);
                let answer = visitor.get(page);
                book.check(&answer, &who, &format!("{step} {page}"));
                let greeting = format!("Hello, {who}");
                let greets = !["/api/articles/1/", "/whoami", "/newsletter/"].contains(&page);
                let greeted = answer.text().contains(&greeting);
                assert_eq!(greeted, known.is_some() && greets, "{step} {page}: {}", answer.text());
            }
        }
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

fn interleave(plan: Plan, terms: &Terms) {
    let site = plan.open();
    let book = Book::of(&site, terms);
    let seed = number("LARDER_LEAK_SEED", 20_261_121);
    let steps = number("LARDER_LEAK_STEPS", STEPS);
    let stage = Stage { terms, book: &book, admin: site.larder.admin, seed, steps };
    let actors = [Some("alice"), Some("bob"), None, None, Some("alice"), Some("bob"), None];
    thread::scope(|scope| {
        for (number, known) in (0..).zip(actors) {
            let fresh = site.visitor();
            scope.spawn(move || act(stage, number, known, fresh));
        }
    });
    // It was worth the trouble: much came from the store.
    let (asked, hits) = (book.asked.into_inner(), book.hits.into_inner());
    assert!(hits * 20 > asked, "{hits} hits of {asked}");
}

#[test]
fn flask_visitors_in_any_order() {
    let options = ["--default-ttl", "1s", "--cookies", "session"];
    interleave(shop().with(&options), &SHOP);
}

#[test]
fn flask_visitors_whose_cookies_nobody_named() {
    interleave(shop().with(&["--default-ttl", "1s"]), &SHOP);
}

#[test]
fn django_visitors_in_any_order() {
    interleave(blog().config("django.toml").with(&["--default-ttl", "60s"]), &BLOG);
}

#[test]
fn django_visitors_whose_cookies_nobody_named() {
    interleave(blog().with(&["--default-ttl", "1s"]), &BLOG);
}

#[test]
fn django_visitors_of_a_form_that_is_filled_in() {
    let plan = blog()
        .config("django.toml")
        .with(&["--default-ttl", "60s"])
        .larder_env("LARDER_FORMS__CSRF", "true");
    interleave(plan.larder_env("LARDER_FORMS__NONCE", "true"), &FILLED);
}
