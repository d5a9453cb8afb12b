//! Purges that are swept at the same time, fetches that cross them, and responses
//! that somebody holds though they are not stored any more.

use super::tests::{House, key, response_sent, tagged};
use super::*;
use crate::semantics::time::Moment;
use std::sync::Arc;

/// More than is swept before a purge is answered.
const MANY: usize = 1_000;
const BOTH: &str = "http://b.example/";

fn url(tag: &str, number: usize) -> String {
    format!("http://{tag}.example/{number}")
}

/// As many that bear `t` as that bear `u`.
fn house_of_two_tags() -> House {
    let house = House::new();
    for number in 0..MANY {
        ["t", "u"].iter().for_each(|tag| house.store(&url(tag, number), &[tag]));
    }
    house
}

#[test]
fn two_large_purges_and_fetches_that_cross_them() {
    let house = house_of_two_tags();
    let hard = |number| Verdict::Hard { number };
    let before = house.purger.depart();
    assert_eq!(house.purge(&tagged("t")), MANY);
    let between = house.purger.depart();
    assert_eq!(house.purge(&tagged("u")), MANY);
    let after = house.purger.depart();
    assert!(house.purger.sweep_a_little(), "the first has begun to sweep");
    drop(before);
    // A small one forgets what may be forgotten: nothing, for none of both is swept.
    house.purge(&tagged("other"));
    let last = MANY - 1;
    assert_eq!(house.verdict(&url("t", last)), Some(hard(1)));
    assert_eq!(house.verdict(&url("u", last)), Some(hard(2)));
    // What left between the two is met by the second alone, and stays away.
    assert_eq!(house.land("http://b.example/t", &["t"], &between), Verdict::Stands);
    assert_eq!(house.land(BOTH, &["t", "u"], &between), hard(2));
    assert_eq!(house.land(BOTH, &["t", "u"], &after), Verdict::Stands);
    drop((between, after));
    while house.purger.sweep_a_little() {}
    house.purge(&tagged("other"));
    assert_eq!((house.purger.marks(), house.purger.unswept()), (0, 0));
    assert_eq!(house.memory.usage().targets, 2, "what has landed since, and nothing else");
    assert_eq!(house.verdict(BOTH), Some(Verdict::Stands));
}

#[test]
fn no_room_is_so_short_that_what_is_being_swept_is_forgotten() {
    let house = house_of_two_tags();
    house.purge(&tagged("t"));
    for number in 0..3_000 {
        house.purge(&Selectors::target(&key(&format!("http://other.example/{number}"))));
    }
    assert!(house.purger.marks() > 3_000, "there is room for fewer");
    assert_eq!(house.verdict(&url("t", 0)), Some(Verdict::Hard { number: 1 }));
    while house.purger.sweep_a_little() {}
    assert_eq!((house.purger.marks(), house.purger.unswept()), (0, 0));
    assert_eq!(house.memory.usage().targets, MANY as u64, "the others have stayed");
}

/// As a validation holds it, or whoever waits for one.
#[test]
fn what_is_not_stored_any_more_is_met_all_the_same() {
    for settled_first in [true, false] {
        for validating in [true, false] {
            let house = House::new();
            let (key, purger) = (key(BOTH), &house.purger);
            let departure = purger.depart();
            let held = response_sent(&["t"], departure.fence(), Moment(0));
            assert!(house.memory.put(&key, Arc::clone(&held)));
            let evict = || assert_eq!(house.memory.remove(&key), 1);
            if settled_first {
                assert_eq!(purger.settle(&key, &held), Verdict::Stands);
                evict();
            } else {
                evict();
                assert_eq!(purger.settle(&key, &held), Verdict::Stands);
            }
            drop(departure);
            assert_eq!(purger.judge_stored(&key, &held), Verdict::Stands);
            // A mark is there only as long as a fetch is that left before.
            let validation = validating.then(|| purger.depart());
            assert_eq!(house.purge(&tagged("t")), 0, "it is not found");
            assert_eq!(purger.marks(), usize::from(validating));
            assert_eq!(purger.judge_stored(&key, &held), Verdict::Hard { number: 1 });
            // Put back, it comes to nothing.
            house.memory.put(&key, Arc::clone(&held));
            assert_eq!(purger.settle(&key, &held), Verdict::Hard { number: 1 });
            drop(validation);
        }
    }
}

#[test]
fn what_is_not_stored_any_more_stands_as_long_as_nothing_is_purged() {
    let house = house_of_two_tags();
    let slot = house.memory.get(&key(&url("t", 0))).expect("a slot");
    house.memory.remove(&key(&url("t", 0)));
    let judged = || house.purger.judge_stored(&key(&url("t", 0)), &slot.variants()[0]);
    assert_eq!(judged(), Verdict::Stands);
    // While the marks are there, they tell whom they mean.
    let _under_way = house.purger.depart();
    house.purge(&tagged("other"));
    assert_eq!(judged(), Verdict::Stands);
    house.purge(&tagged("t"));
    assert_eq!(judged(), Verdict::Hard { number: 2 });
}
