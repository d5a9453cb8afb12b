use super::*;
use crate::key::Target;
use crate::semantics::directives::ResponseDirectives;
use crate::semantics::freshness::Freshness;
use crate::semantics::partial::Part;
use crate::semantics::policy::Policy;
use crate::semantics::tags::Tags;
use crate::semantics::time::{Exchange, Moment};
use crate::semantics::vary::NominatedFields;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};
use std::time::SystemTime;

fn key(path: &str) -> CacheKey {
    CacheKey::new(Target::from_url(&format!("http://a.example{path}")).expect("a URL"))
}

fn response(size: usize, language: &str) -> Arc<StoredResponse> {
    Arc::new(StoredResponse::new(content(size, language)))
}

fn content(size: usize, language: &str) -> Content {
    let fields = HeaderMap::new();
    let mut request = HeaderMap::new();
    request.insert("x", HeaderValue::from_str(language).expect("a value"));
    let mut vary = HeaderMap::new();
    vary.insert("vary", HeaderValue::from_static("x"));
    let nominated = NominatedFields::of(&vary);
    let exchange =
        Exchange { sent: Moment(0), received: Moment(0), received_at: SystemTime::UNIX_EPOCH };
    let directives = ResponseDirectives::default();
    let (status, policy) = (StatusCode::OK, Policy::default());
    Content {
        status,
        freshness: Freshness::of(status, &fields, &directives, &exchange, &policy, false),
        fields,
        own_fields: HeaderMap::new(),
        chunks: [Bytes::from(vec![b'x'; size])].into(),
        length: size as u64,
        part: None,
        variant: nominated.select(&request, &policy).expect("a variant"),
        nominated,
        received_at: exchange.received_at,
        sent: exchange.sent,
        fence: 0,
        tags: Tags::default(),
        query: None,
        variance: None,
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
    assert_eq!(slot.variants()[0].content().variant, response(1, "d").content().variant);
    assert!(
        slot.variants().iter().all(|s| s.content().variant != response(1, "b").content().variant)
    );
    assert_eq!(memory.remove(&key), 3);
    assert_eq!(memory.usage().bytes, 0);
}

#[test]
fn a_part_is_replaced_by_the_whole_and_never_the_other_way_round() {
    let memory = Memory::new(Limits { bytes: 1 << 20, variants: 3 });
    let key = key("/");
    let part = |size, language| {
        let part = Some(Part { first: 0, complete: 100, short: false });
        Arc::new(StoredResponse::new(Content { part, ..content(size, language) }))
    };
    let lengths = || {
        let slot = memory.get(&key).expect("a slot");
        slot.variants().iter().map(|stored| stored.content().length).collect::<Vec<_>>()
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
        let bytes = memory.bytes.load(Ordering::Relaxed);
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
fn bytes_below_a_unit_add_up_to_nothing() {
    for size in 0..UNIT as usize {
        let limit = 100_000;
        let memory = Memory::new(Limits { bytes: limit, variants: 1 });
        for number in 0..300 {
            memory.put(&key(&format!("/{number:03}")), response(size, "a"));
        }
        let usage = memory.usage();
        assert!(usage.bytes <= Memory::capacity(memory.limits), "{size}: {usage:?}");
    }
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
    assert!(slot.weight() <= 50_000);
    assert!(memory.usage().bytes <= 100_000);
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
        let old = response(1, "old").content().variant.clone();
        let back = memory.get(&key).is_some_and(|slot| {
            slot.variants().iter().any(|stored| stored.content().variant == old)
        });
        assert!(!back, "round {round}");
        memory.remove(&key);
    }
}

#[test]
fn a_sweep_removes_single_variants() {
    let memory = Memory::new(Limits { bytes: 1 << 20, variants: 64 });
    memory.put(&key("/x"), response(1, "a"));
    memory.put(&key("/x"), response(2, "b"));
    memory.put(&key("/y"), response(1, "a"));
    memory.sweep(|_, stored| match stored.content().length {
        1 => Fate::Remove,
        _ => Fate::Keep,
    });
    assert_eq!(memory.get(&key("/x")).expect("a slot").variants().len(), 1);
    assert!(memory.get(&key("/y")).is_none());
    assert_eq!(memory.usage().targets, 1);
}
