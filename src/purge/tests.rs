use super::*;
use crate::key::{CacheKey, Host, Target};
use crate::semantics::tags::Tags;
use crate::semantics::time::Moment;
use crate::storage::{Content, Limits, Memory, Softening, Special, StoredResponse};
use bytes::Bytes;
use http::HeaderMap;
use std::sync::Arc;

pub(super) fn key(url: &str) -> CacheKey {
    CacheKey::new(Target::from_url(url).expect("a URL"))
}

fn prefix(url: &str) -> Prefix {
    Prefix::from_url(url).expect("a URL")
}

/// Tags and groups of the same names.
pub(super) fn bearing(names: &[&str]) -> Tags {
    let all: Arc<[Box<str>]> = names.iter().map(|name| Box::from(*name)).collect();
    Tags { global: Arc::clone(&all), groups: all }
}

fn response(tags: &[&str], fence: u64) -> Arc<StoredResponse> {
    response_sent(tags, fence, Moment(0))
}

/// One whose request left then.
pub(super) fn response_sent(tags: &[&str], fence: u64, sent: Moment) -> Arc<StoredResponse> {
    let plain = Content::plain(HeaderMap::new(), Bytes::new());
    let rare = Special { tags: bearing(tags), ..Special::default() }.into();
    Arc::new(StoredResponse::new(Content { sent, fence, rare, ..plain }))
}

pub(super) struct House {
    pub memory: Arc<Memory>,
    pub purger: Arc<Purger>,
}

impl House {
    pub fn new() -> House {
        let memory = Arc::new(Memory::new(Limits { bytes: 16 << 20, variants: 8 }));
        House { purger: Arc::new(Purger::new(Arc::clone(&memory))), memory }
    }

    /// Fetches and stores, all at once.
    pub fn store(&self, url: &str, tags: &[&str]) {
        let departure = self.purger.depart();
        self.land(url, tags, &departure);
    }

    /// Stores what was fetched.
    pub fn land(&self, url: &str, tags: &[&str], departure: &Departure) -> Verdict {
        let (key, stored) = (key(url), response(tags, departure.fence()));
        self.memory.put(&key, Arc::clone(&stored));
        let verdict = self.purger.settle(&key, &stored);
        if let Verdict::Hard { .. } = verdict {
            self.memory.remove_one(&key, &stored);
        }
        verdict
    }

    pub fn purge(&self, selectors: &Selectors) -> usize {
        self.purger.purge(selectors, Softness::Hard, Moment(1)).counts.total
    }

    pub fn verdict(&self, url: &str) -> Option<Verdict> {
        let slot = self.memory.get(&key(url))?;
        Some(self.purger.judge_stored(&key(url), &slot.variants()[0]))
    }
}

#[test]
fn marks_that_are_forgotten_too_soon_hold_for_what_is_in_flight_and_for_nothing_else() {
    let house = House::new();
    let early = house.purger.depart();
    house.store("http://a/stored", &[]);
    let mut later = None;
    for number in 0..5_000 {
        house.purge(&Selectors::target(&key(&format!("http://a/{number}"))));
        if number == 4_600 {
            later = Some(house.purger.depart());
        }
    }
    assert!(house.purger.marks() < 6_000, "{}", house.purger.marks());
    let judge = |url, fence| house.purger.judge(&key(url), &Tags::default(), fence);
    for url in ["http://a/0", "http://a/4999", "http://a/never"] {
        assert!(matches!(judge(url, early.fence()), Verdict::Hard { .. }), "{url}");
    }
    assert_eq!(house.verdict("http://a/stored"), Some(Verdict::Stands));
    // The oldest are forgotten first: who left after those were purged is not hit.
    let later = later.expect("a departure");
    assert_eq!(judge("http://a/0", later.fence()), Verdict::Stands);
    assert_eq!(judge("http://a/4999", later.fence()), Verdict::Hard { number: 5_000 });
    let late = house.purger.depart();
    assert_eq!(judge("http://a/0", late.fence()), Verdict::Stands);
}

pub(super) fn tagged(tag: &str) -> Selectors {
    Selectors { tags: vec![tag.into()], ..Selectors::default() }
}

fn grouped(url: &str, group: &str) -> Selectors {
    let target = Target::from_url(url).expect("a URL");
    Selectors { groups: vec![Group::at(&target, group)], ..Selectors::default() }
}

fn below(url: &str) -> Selectors {
    Selectors { prefixes: vec![prefix(url)], ..Selectors::default() }
}

fn of_host(host: &str) -> Selectors {
    let host = Host::parse(host).expect("a host").of_any_scheme();
    Selectors { hosts: vec![host], ..Selectors::default() }
}

fn at_path(url: &str) -> Selectors {
    let path = Path::from_url(url).expect("a URL");
    Selectors { paths: vec![path], ..Selectors::default() }
}

fn matching(url: &str) -> Selectors {
    let given = Expressions { url: Some(url), ..Expressions::default() };
    let pattern = Pattern::new(&given).expect("a pattern");
    Selectors { patterns: vec![pattern], ..Selectors::default() }
}

#[test]
fn each_selector_meets_what_it_should_and_nothing_else() {
    let everything = Selectors { everything: true, ..Selectors::default() };
    let cases: &[(Selectors, &[&str])] = &[
        (Selectors::target(&key("https://a.example/blog/1")), &["http://a.example/blog/1"]),
        (tagged("t"), &["http://a.example/blog/1", "http://b.example/"]),
        (grouped("https://b.example/y", "t"), &["http://b.example/"]),
        (
            below("https://a.example/blog"),
            &["http://a.example/blog", "http://a.example/blog/1", "http://a.example/blog?p=2"],
        ),
        (below("http://b.example/"), &["http://b.example/", "http://b.example/x"]),
        (of_host("B.example:80"), &["http://b.example/", "http://b.example/x"]),
        (of_host("b.example:81"), &[]),
        (
            at_path("https://a.example/blog?x"),
            &["http://a.example/blog", "http://a.example/blog?p=2"],
        ),
        (matching("/blog[/?]"), &["http://a.example/blog/1", "http://a.example/blog?p=2"]),
        (everything.clone(), &[]),
    ];
    let pages = [
        ("http://a.example/blog", &[][..]),
        ("http://a.example/blog/1", &["t", "u"]),
        ("http://a.example/blog?p=2", &[]),
        ("http://a.example/blogger", &["tt"]),
        ("http://b.example/", &["t"]),
        ("http://b.example/x", &[]),
    ];
    for (selectors, met) in cases {
        let house = House::new();
        pages.iter().for_each(|(url, tags)| house.store(url, tags));
        let expected = if selectors.everything { pages.len() } else { met.len() };
        let preview = house.purger.preview(selectors);
        let marks = house.purger.marks();
        assert_eq!((preview.counts.total, marks), (expected, 0), "{selectors:?}");
        assert_eq!(preview.bytes > 0, expected > 0, "{selectors:?}");
        assert_eq!(house.purge(selectors), expected, "{selectors:?}");
        for (url, _) in pages {
            let gone = selectors.everything || met.contains(&url);
            assert_eq!(house.verdict(url).is_none(), gone, "{selectors:?} and {url}");
        }
        assert_eq!(house.purge(selectors), 0, "there is nothing left to purge");
    }
}

#[test]
fn a_fetch_under_way_can_not_bring_back_what_was_purged() {
    for selectors in [
        Selectors::target(&key("http://a.example/x")),
        tagged("t"),
        grouped("http://a.example/", "t"),
        below("http://a.example/"),
        of_host("a.example"),
        at_path("http://a.example/x"),
        matching("x"),
        matching(".*"),
        Selectors { everything: true, ..Selectors::default() },
    ] {
        let house = House::new();
        let departure = house.purger.depart();
        assert_eq!(house.purge(&selectors), 0);
        // The old body lands; another fetch, sent after the purge, too.
        let (key, old) = (key("http://a.example/x"), response(&["t"], departure.fence()));
        house.memory.put(&key, Arc::clone(&old));
        assert_eq!(house.purger.settle(&key, &old), Verdict::Hard { number: 1 });
        let tags = bearing(&["t"]);
        let judged = house.purger.judge(&key, &tags, departure.fence());
        assert_eq!(judged, Verdict::Hard { number: 1 });
        drop(departure);
        house.store("http://a.example/x", &["t"]);
        assert_eq!(house.verdict("http://a.example/x"), Some(Verdict::Stands));
    }
}

#[test]
fn a_soft_purge_keeps_and_a_hard_one_after_it_removes() {
    let house = House::new();
    house.store("http://a.example/x", &["t"]);
    let soft = |selectors: &Selectors| {
        house.purger.purge(selectors, Softness::Soft, Moment(9)).counts.total
    };
    assert_eq!(soft(&tagged("t")), 1);
    assert!(matches!(
        house.verdict("http://a.example/x"),
        Some(Verdict::Soft(Softening { at: Moment(9), .. }))
    ));
    assert_eq!(soft(&Selectors::target(&key("http://a.example/x"))), 1);
    assert_eq!(house.purge(&tagged("t")), 1);
    assert_eq!(house.verdict("http://a.example/x"), None);
}

#[test]
fn a_soft_purge_is_taken_back_and_no_other_purge_is() {
    let house = House::new();
    for (url, tags) in [("x", &["t"][..]), ("y", &["t", "u"])] {
        house.store(&format!("http://a.example/{url}"), tags);
    }
    let under_way = house.purger.depart();
    let soft =
        |selectors: &Selectors| house.purger.purge(selectors, Softness::Soft, Moment(9)).number;
    let (by_tag, by_pattern) = (soft(&tagged("t")), soft(&matching("y")));
    assert_eq!(house.purger.undo(by_tag + by_pattern + 1), 0, "there was no such purge");
    assert_eq!(house.purger.undo(by_tag), 1);
    assert_eq!(house.verdict("http://a.example/x"), Some(Verdict::Stands));
    let Some(Verdict::Soft(softening)) = house.verdict("http://a.example/y") else {
        panic!("another purge has met it");
    };
    assert_eq!((softening.number, softening.purge), (by_pattern, None));
    // What was under way is met by the one, and by the other not any more.
    let judged = |url: &str| house.purger.judge(&key(url), &bearing(&["t"]), under_way.fence());
    assert_eq!(judged("http://a.example/x"), Verdict::Stands);
    assert!(matches!(judged("http://a.example/y"), Verdict::Soft(_)));
    assert_eq!(house.purger.undo(by_tag), 0, "it has been taken back");
    let hard = house.purger.purge(&tagged("t"), Softness::Hard, Moment(10));
    assert_eq!((hard.counts.total, house.purger.undo(hard.number)), (2, 0));
    assert_eq!(house.verdict("http://a.example/x"), None);
}

#[test]
fn marks_are_forgotten_once_nothing_older_can_come() {
    let house = House::new();
    let departure = house.purger.depart();
    house.purge(&tagged("t"));
    house.purge(&below("http://a.example/"));
    assert_eq!(house.purger.marks(), 2, "a fetch is still under way");
    drop(departure);
    house.purge(&tagged("u"));
    assert_eq!(house.purger.marks(), 0);
    for number in 0..5000 {
        house.purge(&Selectors::target(&key(&format!("http://a.example/{number}"))));
    }
    assert!(house.purger.marks() <= 1100, "{}", house.purger.marks());
}

#[test]
fn a_large_purge_holds_before_it_is_swept_and_then_gives_back_the_space() {
    let house = House::new();
    for number in 0..2_000 {
        house.store(&format!("http://a.example/{number}"), &["t", "u"]);
    }
    house.store("http://b.example/", &["u"]);
    let stored = house.memory.usage();
    assert_eq!(house.purge(&tagged("t")), 2_000);
    let first = house.memory.get(&key("http://a.example/0")).expect("a slot");
    let gone = house.purger.judge_stored(&key("http://a.example/0"), &first.variants()[0]);
    assert_eq!((gone, house.purger.unswept()), (Verdict::Hard { number: 1 }, 1));
    assert!(house.purger.marks() > 0);
    // What is stored meanwhile stays.
    house.store("http://a.example/new", &["t"]);
    while house.purger.sweep_a_little() {}
    let left = house.memory.usage();
    assert_eq!((left.targets, house.purger.marks(), house.purger.unswept()), (2, 0, 0));
    assert!(left.bytes < stored.bytes / 500, "{left:?} of {stored:?}");
    // Who holds what was removed is told, though there is no mark any more.
    let gone = house.purger.judge_stored(&key("http://a.example/0"), &first.variants()[0]);
    assert_eq!(gone, Verdict::Hard { number: 1 });
    assert_eq!(house.purge(&tagged("u")), 1);
    assert_eq!(house.purge(&Selectors { everything: true, ..Selectors::default() }), 1);
}

#[test]
fn the_sweeper_sweeps_by_itself_and_ends_with_the_purger() {
    let house = House::new();
    let sweeper = house.purger.sweeper();
    let thread = std::thread::spawn(move || sweeper.run());
    for number in 0..2_000 {
        house.store(&format!("http://a.example/{number}"), &["t"]);
    }
    house.purge(&of_host("a.example"));
    let deadline = std::time::Duration::from_secs(20);
    let begun = crate::clock::SystemClock::start();
    while house.purger.unswept() > 0 {
        let waited = crate::clock::Clock::now(&begun).since(Moment(0));
        assert!(waited < deadline, "it is not swept");
        std::thread::yield_now();
    }
    assert_eq!(house.memory.usage().targets, 0);
    drop(house);
    thread.join().expect("the sweeper ends");
}

#[test]
fn counts_are_for_each_selector_and_in_all() {
    let house = House::new();
    house.store("http://a.example/x", &["t", "u"]);
    house.store("http://a.example/y", &["t"]);
    let selectors = Selectors {
        tags: vec!["t".into(), "u".into(), "none".into()],
        prefixes: vec![prefix("http://a.example/x/")],
        ..Selectors::default()
    };
    let counts = house.purger.purge(&selectors, Softness::Hard, Moment(1)).counts;
    assert_eq!((counts.total, counts.tags, counts.prefixes), (2, vec![2, 1, 0], vec![1]));
}
