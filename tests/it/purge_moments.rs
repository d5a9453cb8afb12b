//! A purge at any moment of a fetch: what the application made before it is never
//! served as fresh after it. By every selector, hard and soft, before the head of
//! the answer under way has come, behind it, and when it has just been stored.
//!
//! `LARDER_RACES=4000 cargo test --test it purge_moments` tries that often with each
//! selector; `LARDER_RACE_SEED` tries other moments.

use crate::harness::{Connection, Larder, Origin, Response, reply, wait_until};
use crate::simulation::random::Random;
use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::Duration;

/// Races of an ordinary run, with each selector.
const RACES: u64 = 120;

fn given(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}

/// What the application does with one page.
#[derive(Clone, Copy)]
struct Page {
    version: u64,
    before_head: Duration,
    before_end: Duration,
    /// It has to be validated each time.
    stale: bool,
}

type Pages = Arc<Mutex<HashMap<String, Page>>>;

/// Answers with the version that a page has when it is asked for, after a while;
/// with 304 if that is known.
fn site(pages: &Pages) -> Origin {
    let pages = Arc::clone(pages);
    Origin::scripted(move |seen, stream| {
        let page = pages.lock().expect("no panic")[&seen.target];
        let tag = format!("\"{}\"", page.version);
        let etag = format!("ETag: {tag}");
        let tags = format!("Cache-Tag: t{}", seen.target.replace('/', "."));
        let age = if page.stale { "max-age=0" } else { "max-age=3600" };
        let lifetime = format!("Cache-Control: public, {age}");
        let fields = [&etag, &tags, &lifetime].map(String::as_str);
        stream.set_nodelay(true).expect("set");
        sleep(page.before_head);
        if seen.field("if-none-match") == Some(&tag) {
            return stream.write_all(reply(304, &fields, "").as_bytes()).is_ok();
        }
        let text = reply(200, &fields, &format!("version {}", page.version));
        let (head, rest) = text.as_bytes().split_at(text.len() - 3);
        stream.write_all(head).expect("the first part");
        sleep(page.before_end);
        stream.write_all(rest).is_ok()
    })
}

/// The document of a purge that meets a page.
fn document(selector: &str, path: &str, soft: bool) -> String {
    let named = path.replace('/', ".");
    let url = format!("http://site.test{path}");
    let said = match selector {
        "url" => format!(r#""urls":["{url}"]"#),
        "path" => format!(r#""paths":["{url}?any"]"#),
        "tag" => format!(r#""tags":["t{named}"]"#),
        "prefix" => format!(r#""prefixes":["{url}"]"#),
        "host" => r#""hosts":["site.test"]"#.to_string(),
        "pattern" => format!(r#""patterns":[{{"url":"^{path}$"}}]"#),
        "all" => r#""all":true"#.to_string(),
        other => panic!("no selector {other}"),
    };
    format!(r#"{{{said},"soft":{soft}}}"#)
}

/// Where the race was when the purge came.
fn phase(connection: &Connection) -> &'static str {
    let stream = connection.stream();
    stream.set_nonblocking(true).expect("set");
    let mut seen = [0; 4096];
    let count = stream.peek(&mut seen);
    stream.set_nonblocking(false).expect("set");
    match count {
        Ok(count) if seen[..count].ends_with(b"version 1") => "ended",
        Ok(_) => "the head has come",
        Err(_) => "nothing has come",
    }
}

struct Race<'a> {
    larder: &'a Larder,
    reader: Connection,
    late: Connection,
    random: Random,
    seen: BTreeMap<&'static str, u64>,
}

impl Race<'_> {
    fn moment(&mut self) -> Duration {
        Duration::from_micros(self.random.below(1_200))
    }

    fn get(&mut self, path: &str) -> Response {
        self.late.ask(path, "");
        self.late.answer("GET").expect("an answer")
    }

    fn run(&mut self, pages: &Pages, selector: &str, path: &str) {
        let soft = self.random.percent(50);
        let (before_head, before_end) = (self.moment(), self.moment());
        let stale = self.random.percent(40);
        let page = Page { version: 1, before_head, before_end, stale };
        pages.lock().expect("no panic").insert(path.to_string(), page);
        if stale {
            // So that the race is one of a validation.
            self.get(path);
        }
        self.reader.ask(path, "");
        sleep(self.moment() * 2);
        *self.seen.entry(phase(&self.reader)).or_default() += 1;
        pages.lock().expect("no panic").get_mut(path).expect("the page").version = 2;
        let purged = self.larder.purge(&document(selector, path, soft));
        assert_eq!(purged.status, 200, "{}", purged.text());
        let what = format!("{selector}, soft: {soft}, stale: {stale}, {path}");
        let first = self.get(path);
        self.is_good(&first, soft, &what);
        assert_eq!(self.reader.answer("GET").expect("an answer").status, 200);
        for _ in 0..2 {
            let next = self.get(path);
            self.is_good(&next, soft, &what);
        }
        wait_until("it is new", || self.get(path).text() == "version 2");
    }

    /// New, or said to be stale because of a soft purge.
    fn is_good(&self, answer: &Response, soft: bool, what: &str) {
        let said = answer.cache_status();
        let stale = soft && said.contains("hit; ttl=0") && said.contains("detail=soft-purge");
        assert!(answer.text() == "version 2" || stale, "{what}: {} {said}", answer.text());
    }
}

fn whenever_it_comes(selector: &str) {
    let pages = Pages::default();
    let origin = site(&pages);
    let larder = Larder::in_front_of(origin.address, &[]);
    let seed = given("LARDER_RACE_SEED", 1);
    let (reader, late) = (Connection::open(larder.proxy), Connection::open(larder.proxy));
    let random = Random::new(seed);
    let mut race = Race { larder: &larder, reader, late, random, seen: BTreeMap::new() };
    for number in 0..given("LARDER_RACES", RACES) {
        race.run(&pages, selector, &format!("/pages/{number}"));
    }
    println!("{selector}: {:?}", race.seen);
    assert!(race.seen.len() > 1, "purges came before and after the head: {:?}", race.seen);
}

macro_rules! selectors {
    ($($name:ident: $selector:literal,)*) => {
        $(#[test]
        fn $name() {
            whenever_it_comes($selector);
        })*
    };
}

selectors! {
    by_url: "url",
    by_path: "path",
    by_tag: "tag",
    by_prefix: "prefix",
    by_host: "host",
    by_pattern: "pattern",
    of_everything: "all",
}
