use super::*;
use crate::key::Target;
use crate::semantics::partial::Part;
use crate::semantics::policy::Policy;
use crate::semantics::tags::Tags;
use crate::semantics::time::Moment;
use crate::semantics::vary::NominatedFields;
use crate::storage::{Content, Name, Special};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue};

pub(super) fn key(path: &str) -> CacheKey {
    CacheKey::new(Target::from_url(&format!("http://a.example{path}")).expect("a URL"))
}

pub(super) fn response(size: usize, language: &str) -> Arc<StoredResponse> {
    Arc::new(StoredResponse::new(content(size, language)))
}

fn content(size: usize, language: &str) -> Content {
    let mut request = HeaderMap::new();
    request.insert("x", HeaderValue::from_str(language).expect("a value"));
    let mut vary = HeaderMap::new();
    vary.insert("vary", HeaderValue::from_static("x"));
    let nominated = NominatedFields::of(&vary);
    let variant = nominated.select(&request, &Policy::default()).expect("a variant");
    Content {
        rare: Special { variant, nominated, ..Special::default() }.into(),
        ..Content::plain(HeaderMap::new(), Bytes::from(vec![b'x'; size]))
    }
}

#[test]
fn a_variant_replaces_its_equal_and_the_oldest_go() {
    let memory = Memory::new(Limits { bytes: 1 << 20, variants: 3 });
    let key = key("/");
    for language in ["a", "b", "a", "c", "d"] {
        memory.put(&key, response(10, language));
    }
    let slot = memory.get(&key).expect("a slot");
    assert_eq!(slot.variants().len(), 3);
    assert_eq!(slot.variants()[0].content().rare.variant, response(1, "d").content().rare.variant);
    assert!(
        slot.variants()
            .iter()
            .all(|s| s.content().rare.variant != response(1, "b").content().rare.variant)
    );
    assert_eq!(memory.usage().displaced, 1, "neither the equal one nor what follows counts");
    memory.put(&key, response(10, "e"));
    assert_eq!(memory.usage().displaced, 2);
    assert_eq!(memory.remove(&key), 3);
    let usage = memory.usage();
    assert_eq!((usage.bytes, usage.displaced, usage.evicted), (0, 2, 0));
}

#[test]
fn a_variant_that_is_used_stays_however_many_come() {
    let memory = Memory::new(Limits { bytes: 1 << 20, variants: 3 });
    let key = key("/");
    let sent = |language: &str, at| {
        let content = Content { sent: Moment(at), ..content(10, language) };
        memory.put(&key, Arc::new(StoredResponse::new(content)));
    };
    let there = || {
        let slot = memory.get(&key).expect("a slot");
        let is_there = |language: &str| {
            let variant = response(1, language).content().rare.variant.clone();
            slot.variants().iter().any(|stored| stored.content().rare.variant == variant)
        };
        ["used", "idle", "a", "b", "c"].map(is_there)
    };
    sent("used", 0);
    sent("idle", 1000);
    let slot = memory.get(&key).expect("a slot");
    // In the same instant in which others come, too.
    for (at, language) in [(2000, "a"), (3000, "b"), (3000, "c")] {
        slot.variants()[1].count_hit(Moment(at));
        sent(language, at);
    }
    assert_eq!(there(), [true, false, false, true, true]);
}

#[test]
fn a_variant_that_is_used_is_not_pushed_out_by_large_ones() {
    let memory = Memory::new(Limits { bytes: 100_000, variants: 64 });
    let key = key("/many");
    memory.put(&key, response(9_000, "used"));
    let used = memory.get(&key).expect("a slot").variants()[0].clone();
    for language in 0..20 {
        used.count_hit(Moment(0));
        assert!(memory.put(&key, response(9_000, &language.to_string())));
    }
    let slot = memory.get(&key).expect("a slot");
    assert!(slot.variants().len() > 3 && slot.has(&used));
}

#[test]
fn a_part_is_replaced_by_the_whole_and_never_the_other_way_round() {
    let memory = Memory::new(Limits { bytes: 1 << 20, variants: 3 });
    let key = key("/");
    let part = |size, language| {
        let part = Some(Part { first: 0, complete: 100, short: false });
        let mut content = content(size, language);
        content.rare.change(|rare| rare.part = part);
        Arc::new(StoredResponse::new(content))
    };
    let lengths = || {
        let slot = memory.get(&key).expect("a slot");
        slot.variants().iter().map(|stored| stored.content().length()).collect::<Vec<_>>()
    };
    assert!(memory.put(&key, part(10, "a")) && memory.put(&key, part(20, "a")));
    assert_eq!(lengths(), [20]);
    assert!(memory.put(&key, response(100, "a")) && !memory.put(&key, part(30, "a")));
    assert_eq!(lengths(), [100]);
    assert!(memory.put(&key, part(30, "b")));
    assert_eq!(lengths(), [30, 100]);
}

#[test]
fn two_hundred_thousand_pages_stay_below_the_limit() {
    let limit = 16 << 20;
    let memory = Memory::new(Limits { bytes: limit, variants: 64 });
    for number in 0..200_000 {
        memory.put(&key(&format!("/{number}")), response(200 + number % 4096, "a"));
        let bytes = memory.usage().bytes;
        assert!(bytes <= limit, "{bytes} bytes after {number} pages");
    }
    let usage = memory.usage();
    assert!(usage.bytes > limit / 2, "the limit is made use of: {usage:?}");
    assert!(usage.targets > 1000, "{usage:?}");
    // The newest are kept, the oldest are gone.
    assert!(memory.get(&key("/199999")).is_some());
    assert!(memory.get(&key("/0")).is_none());
}

#[test]
fn what_is_too_heavy_is_not_kept_and_many_variants_do_not_fill_everything() {
    let memory = Memory::new(Limits { bytes: 100_000, variants: 64 });
    assert!(!memory.put(&key("/big"), response(99_000, "a")));
    assert!(memory.get(&key("/big")).is_none());
    for language in 0..20 {
        assert!(memory.put(&key("/many"), response(9_000, &language.to_string())));
    }
    let slot = memory.get(&key("/many")).expect("a slot");
    let weights = slot.variants().iter().map(|stored| stored.weight());
    assert!(slot.variants().len() > 3 && weights.sum::<usize>() <= 50_000);
    let usage = memory.usage();
    assert_eq!(usage.displaced, 20 - slot.variants().len() as u64, "the oldest went");
    assert!(usage.bytes <= 100_000);
}

#[test]
fn what_is_removed_is_not_written_back_by_a_put_under_way() {
    let memory = Memory::new(Limits { bytes: 1 << 20, variants: 64 });
    let key = key("/race");
    for round in 0..3000 {
        memory.put(&key, response(10, "old"));
        std::thread::scope(|scope| {
            scope.spawn(|| memory.put(&key, response(10, "new")));
            scope.spawn(|| memory.remove(&key));
        });
        let old = response(1, "old").content().rare.variant.clone();
        let back = memory.get(&key).is_some_and(|slot| {
            slot.variants().iter().any(|stored| stored.content().rare.variant == old)
        });
        assert!(!back, "round {round}");
        memory.remove(&key);
    }
}

#[test]
fn what_is_found_is_removed_one_by_one() {
    let memory = Memory::new(Limits { bytes: 1 << 20, variants: 64 });
    memory.put(&key("/x"), response(1, "a"));
    memory.put(&key("/x"), response(2, "b"));
    memory.put(&key("/y"), response(1, "a"));
    let ids = memory.find([Wanted::Key(&key("/x")), Wanted::Key(&key("/y"))].into_iter());
    assert_eq!(ids.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
    for (_, key, stored) in memory.resolve(ids.into_iter().flatten()) {
        if stored.content().length() == 1 {
            memory.remove_one(&key, &stored);
        }
    }
    assert_eq!(memory.get(&key("/x")).expect("a slot").variants().len(), 1);
    assert!(memory.get(&key("/y")).is_none());
    assert_eq!(memory.usage().targets, 1);
}

/// What is stored, by looking at everything.
pub(super) fn everything(memory: &Memory) -> Vec<(CacheKey, Arc<StoredResponse>)> {
    let of = |(key, slot): &(CacheKey, Slot)| {
        slot.variants().iter().map(|stored| (key.clone(), Arc::clone(stored))).collect::<Vec<_>>()
    };
    memory.shards.all().iter().flat_map(of).collect()
}

/// Where the responses are that the index finds.
fn found(memory: &Memory, wanted: Wanted<'_>) -> Vec<*const StoredResponse> {
    let ids = memory.find([wanted].into_iter()).remove(0);
    let found = memory.resolve(ids.into_iter());
    let mut found: Vec<_> = found.iter().map(|(.., stored)| Arc::as_ptr(stored)).collect();
    found.sort_unstable();
    found
}

#[test]
fn the_index_has_what_is_stored_and_nothing_else_after_a_storm() {
    let memory = Memory::new(Limits { bytes: 100_000, variants: 3 });
    let hosts = ["http://a.example", "https://a.example", "http://b.example:80", "https://b:80"];
    let page = |number: usize| {
        let url = format!("{}/{}?{}", hosts[number % 4], number % 5, number % 3);
        CacheKey::new(Target::from_url(&url).expect("a URL"))
    };
    let tag = |number: usize| Box::<str>::from((number % 7).to_string());
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let memory = &memory;
            scope.spawn(move || {
                for round in 0..4_000 {
                    let number = (round * 31 + thread * 17) % 60;
                    let key = page(number);
                    let global = [tag(round), tag(round / 7)].into();
                    let tags = Tags { global, ..Tags::default() };
                    let mut new = content(round % 3_000, &thread.to_string());
                    new.rare.change(|rare| rare.tags = tags);
                    match round % 9 {
                        0 => drop(memory.remove(&page(number + 1))),
                        1 => memory.get(&key).iter().for_each(|slot| {
                            memory.remove_one(&key, &slot.variants()[0]);
                        }),
                        _ => drop(memory.put(&key, Arc::new(StoredResponse::new(new)))),
                    }
                }
            });
        }
    });
    let all = everything(&memory);
    assert!(all.len() > 20 && memory.count() == all.len(), "{} {}", memory.count(), all.len());
    let expected = |meets: &dyn Fn(&Target, &Content) -> bool| {
        let met = all.iter().filter(|(key, stored)| meets(key.target(), stored.content()));
        let mut met: Vec<_> = met.map(|(_, stored)| Arc::as_ptr(stored)).collect();
        met.sort_unstable();
        met
    };
    for number in 0..60 {
        let (key, tag) = (page(number), tag(number));
        let (host, path) = (&key.target().host_alone(), key.target().path());
        assert_eq!(found(&memory, Wanted::Key(&key)), expected(&|t, _| t == key.target()));
        let at_host = expected(&|t, _| t.host() == host.as_str());
        assert_eq!(found(&memory, Wanted::Of(host)), at_host);
        let bearing = expected(&|_, content| content.rare.tags.global.contains(&tag));
        assert_eq!(found(&memory, Wanted::Named(Name::tag(&tag))), bearing);
        let queries = expected(&|t, _| t.host() == host.as_str() && t.path() == path);
        assert_eq!(found(&memory, Wanted::Path(host, path)), queries);
        assert_eq!(found(&memory, Wanted::Below(host, path)), queries);
    }
    for (key, stored) in all {
        memory.remove_one(&key, &stored);
    }
    assert_eq!((memory.count(), memory.usage().bytes), (0, 0));
    let host = key("/").target().host_alone();
    let names = memory.find([Wanted::Of(&host)].into_iter());
    assert_eq!(names, [Vec::<Id>::new()]);
}

#[test]
fn below_a_path_lies_what_its_segments_hold() {
    let memory = Memory::new(Limits { bytes: 1 << 20, variants: 3 });
    let urls =
        ["/blog", "/blog?", "/blog?p=2", "/blog/", "/blog/1?x", "/blog//", "/blogger", "/blog-1"];
    for url in urls {
        memory.put(&key(url), response(1, "a"));
    }
    let host = key("/").target().host_alone();
    let count = |wanted| memory.find([wanted].into_iter())[0].len();
    assert_eq!(count(Wanted::Path(&host, "/blog")), 3);
    assert_eq!(count(Wanted::Below(&host, "/blog")), 6);
    assert_eq!(count(Wanted::Below(&host, "/blog/1")), 1);
    assert_eq!(count(Wanted::Path(&host, "/blo")), 0);
}

#[test]
fn a_long_row_is_found_whole() {
    let memory = Memory::new(Limits { bytes: 16 << 20, variants: 3 });
    let host = key("/").target().host_alone();
    for count in [IN_A_ROW - 1, IN_A_ROW, 2 * IN_A_ROW + 1] {
        (0..count).for_each(|number| {
            assert!(memory.put(&key(&format!("/row/{number}")), response(1, "a")));
        });
        for url in ["/row", "/rox", "/row/0"] {
            assert!(memory.put(&key(url), response(1, "b")));
        }
        let mut ids = memory.find([Wanted::Below(&host, "/row")].into_iter()).remove(0);
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count + 2);
        assert_eq!(memory.find([Wanted::Of(&host)].into_iter())[0].len(), count + 3);
    }
}

/// The same, its body counted by an account.
fn held(account: &Arc<Account>, size: usize) -> Arc<StoredResponse> {
    let mut content = content(size, "x");
    content.chunks = content.chunks.iter().map(|piece| account.hold(piece.clone())).collect();
    Arc::new(StoredResponse::new(content))
}

#[test]
fn all_that_is_stored_counts_until_nobody_holds_it() {
    let account = Arc::new(Account::new(1 << 20));
    let limits = Limits { bytes: 1 << 20, variants: 3 };
    let memory = Memory::counted(limits, Arc::clone(&account));
    let beside = account.taken();
    assert!(beside >= 2 * memory.share(), "marks and variances");
    memory.put(&key("/"), held(&account, 10_000));
    memory.put(&key("/a"), held(&account, 10_000));
    let usage = memory.usage().bytes as usize;
    let taken = account.taken() - beside;
    assert!(usage >= 20_000 && taken >= usage && taken < usage + 1000, "{usage} {taken}");
    // Who reads one while it is replaced and removed holds on to the piece.
    let body = memory.get(&key("/")).expect("a slot").variants()[0].content().chunks[0].clone();
    memory.put(&key("/"), held(&account, 10));
    memory.remove(&key("/"));
    memory.remove(&key("/a"));
    let taken = account.taken() - beside;
    assert!((10_000..11_000).contains(&taken), "{taken}");
    drop(body);
    assert_eq!(account.taken(), beside);
}

#[test]
fn what_is_not_asked_for_gives_way_first_and_never_more_than_half() {
    let memory = Memory::new(Limits { bytes: 1 << 20, variants: 3 });
    let all: Vec<CacheKey> = (0..80).map(|number| key(&format!("/{number}"))).collect();
    all.iter().for_each(|key| assert!(memory.put(key, response(10_000, "x"))));
    let asked_for: Vec<&CacheKey> = all.iter().skip(3).step_by(10).collect();
    let ask = |times: usize| {
        let slots = asked_for.iter().filter_map(|key| memory.get(*key));
        slots.for_each(|slot| (0..times).for_each(|_| slot.variants()[0].count_hit(Moment(0))));
    };
    let there = || all.iter().filter(|key| memory.get(*key).is_some()).count();
    let are_there = || asked_for.iter().filter(|key| memory.get(**key).is_some()).count();
    ask(100);
    memory.shed(10 * 10_000);
    assert!((69..=71).contains(&there()), "{}", there());
    let half = memory.usage().limit / 2;
    for _ in 0..10 {
        memory.shed(usize::MAX);
        assert!(memory.usage().bytes > half - 12_000, "{:?}", memory.usage());
        assert_eq!(are_there(), asked_for.len());
    }
    assert!(memory.usage().bytes <= half, "{:?}", memory.usage());
    // Where nothing else is left, they go too.
    all.iter()
        .filter(|key| !asked_for.contains(key))
        .for_each(|key| assert!(memory.remove(key) < 2));
    let more: Vec<CacheKey> = (80..140).map(|number| key(&format!("/{number}"))).collect();
    more.iter().for_each(|key| assert!(memory.put(key, response(10_000, "x"))));
    for key in &more {
        let slot = memory.get(key).expect("a slot");
        (0..10_000).for_each(|_| slot.variants()[0].count_hit(Moment(0)));
    }
    (0..10).for_each(|_| memory.shed(usize::MAX));
    assert_eq!(are_there(), 0);
}
