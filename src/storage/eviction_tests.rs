//! What gives way when room is needed, how, and for how long others wait.

use super::tests::{everything, key, response};
use super::*;
use crate::semantics::time::Moment;

/// Stores pages that are never asked for again, as many as fill a megabyte.
fn flood(memory: &Memory, name: &str) {
    for number in 0..100 {
        assert!(memory.put(&key(&format!("/{name}/{number}")), response(10_000, "x")));
    }
}

fn ask(memory: &Memory, path: &str, times: usize) {
    let slot = memory.get(&key(path)).expect("a slot");
    (0..times).for_each(|_| slot.variants()[0].count_hit(Moment(0)));
}

#[test]
fn what_was_asked_for_stays_through_a_flood() {
    let memory = Memory::new(Limits { bytes: 1 << 20, variants: 3 });
    let paths: Vec<String> = (0..30).map(|number| format!("/{number}")).collect();
    for (path, times) in paths.iter().zip([2, 3, 0].into_iter().cycle()) {
        assert!(memory.put(&key(path), response(10_000, "x")));
        ask(&memory, path, times);
    }
    (0..20).for_each(|round| flood(&memory, &round.to_string()));
    let are_there = paths.iter().map(|path| memory.get(&key(path)).is_some());
    assert!(are_there.eq([true, true, false].into_iter().cycle().take(30)));
    // What takes the place of such a page is kept in its stead.
    assert!(memory.put(&key("/0"), response(9_000, "x")));
    (20..40).for_each(|round| flood(&memory, &round.to_string()));
    assert_eq!(memory.get(&key("/0")).expect("a slot").variants()[0].content().length(), 9_000);
}

#[test]
fn a_variant_that_nobody_asks_for_goes_by_itself() {
    let memory = Memory::new(Limits { bytes: 1 << 20, variants: 8 });
    for language in ["a", "b", "c"] {
        assert!(memory.put(&key("/"), response(10_000, language)));
    }
    let slot = memory.get(&key("/")).expect("a slot");
    let asked_for = &slot.variants()[1];
    (0..3).for_each(|_| asked_for.count_hit(Moment(0)));
    flood(&memory, "flood");
    let slot = memory.get(&key("/")).expect("a slot");
    assert!(slot.variants().len() == 1 && slot.has(asked_for));
    // Many variants that nobody asks for are no way to push others out.
    for number in 0..1_000 {
        assert!(memory.put(&key("/many"), response(10_000, &number.to_string())));
    }
    assert!(memory.get(&key("/")).is_some());
}

#[test]
fn what_comes_again_soon_after_it_went_is_kept() {
    let memory = Memory::new(Limits { bytes: 1 << 20, variants: 8 });
    assert!(memory.put(&key("/again"), response(10_000, "x")));
    flood(&memory, "a");
    assert!(memory.get(&key("/again")).is_none());
    assert!(memory.put(&key("/again"), response(10_000, "x")));
    (0..9).for_each(|round| flood(&memory, &round.to_string()));
    assert!(memory.get(&key("/again")).is_some());
}

#[test]
fn however_many_were_asked_for_who_needs_room_looks_at_few() {
    let memory = Memory::new(Limits { bytes: 64 << 20, variants: 8 });
    let fill = |from: usize| {
        for number in from..from + 20_000 {
            assert!(memory.put(&key(&format!("/{number}")), response(10, "x")));
            ask(&memory, &format!("/{number}"), 3);
        }
    };
    fill(0);
    let (mut books, mut eviction, mut slices) = (memory.books.lock(), Eviction::default(), 0);
    while eviction.evicted == 0 {
        memory.evict(&mut books, &mut eviction, 0);
        assert!(eviction.stayed + eviction.evicted <= (slices + 1) * SLICE);
        slices += 1;
    }
    let may_stay = |evicted| MOST_STAY + evicted * MORE_STAY;
    assert!(eviction.stayed <= may_stay(eviction.evicted), "{}", eviction.stayed);
    assert!(slices <= MOST_STAY / SLICE + 1, "{slices}");
    while eviction.evicted < 1_000 {
        memory.evict(&mut books, &mut eviction, 0);
    }
    assert!(eviction.stayed <= may_stay(eviction.evicted), "{}", eviction.stayed);
    assert!(eviction.stayed > may_stay(500), "who was asked for goes last");
}

#[test]
fn a_large_body_among_small_pages_and_threads_leaves_all_in_order() {
    let memory = Memory::new(Limits { bytes: 8 << 20, variants: 8 });
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let memory = &memory;
            scope.spawn(move || {
                for round in 0..5_000 {
                    let size = if round % 500 == thread { 4 << 20 } else { 300 };
                    assert!(memory.put(&key(&format!("/{thread}/{round}")), response(size, "x")));
                    memory.get(&key(&format!("/{}/{round}", (thread + 1) % 4)));
                }
            });
        }
    });
    let all = everything(&memory);
    let bytes: u64 = all.iter().map(|(key, stored)| weigh(key, stored)).sum();
    let usage = memory.usage();
    assert_eq!((usage.bytes, usage.targets), (bytes, all.len() as u64));
    assert!(bytes <= Memory::capacity(memory.limits) && memory.count() == all.len());
    all.iter().for_each(|(key, _)| assert_eq!(memory.remove(key), 1));
    assert_eq!((memory.usage().bytes, memory.usage().targets, memory.count()), (0, 0, 0));
}
