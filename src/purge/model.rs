//! Every order in which the steps of fetches, purges, an eviction and sweeps can
//! follow each other, on a real store, with the promise checked after each: for
//! what is stored, and for what somebody holds that was.

use super::*;
use crate::purge::tests::{House, key, response_sent};
use crate::semantics::time::Moment;

const URL: &str = "http://a.example/x";
const TAG: &str = "t";

/// One that takes its steps in order, whatever others do between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Actor {
    /// Leaves; lands in the store; is settled, and over.
    Fetch,
    /// Leaves marks; finds what it meets, and is answered unless that waits for the
    /// sweep; sweeps.
    Purge { by_tag: bool, softness: Softness, swept_first: bool },
    /// Takes the target out of the store.
    Evict,
}

impl Actor {
    fn steps(self) -> usize {
        if self == Actor::Evict { 1 } else { 3 }
    }
}

/// How far an actor is.
#[derive(Default)]
struct Progress {
    steps: usize,
    departure: Option<Departure>,
    landed: Option<Arc<StoredResponse>>,
    number: u64,
    work: Option<Work>,
    /// When its first step, and the one by which it is answered, were taken.
    begun: u64,
    answered: Option<u64>,
}

struct World<'a> {
    house: House,
    actors: &'a [Actor],
    progress: Vec<Progress>,
    now: u64,
}

impl World<'_> {
    fn new(actors: &[Actor]) -> World<'_> {
        let progress = actors.iter().map(|_| Progress::default()).collect();
        World { house: House::new(), actors, progress, now: 1 }
    }

    fn step(&mut self, which: usize) {
        self.now += 1;
        let (memory, purger, key) = (&self.house.memory, &self.house.purger, key(URL));
        let own = &mut self.progress[which];
        own.steps += 1;
        match (self.actors[which], own.steps) {
            (Actor::Fetch, 1) => {
                own.begun = self.now;
                own.departure = Some(purger.depart());
            }
            (Actor::Fetch, 2) => {
                let fence = own.departure.as_ref().expect("it has left").fence();
                let stored = response_sent(&[TAG], fence, Moment(own.begun));
                if memory.put(&key, Arc::clone(&stored)) {
                    own.landed = Some(stored);
                }
            }
            (Actor::Fetch, _) => {
                if let Some(stored) = &own.landed
                    && matches!(purger.settle(&key, stored), Verdict::Hard { .. })
                {
                    memory.remove_one(&key, stored);
                }
                own.departure = None;
                own.answered = Some(self.now);
            }
            (Actor::Purge { by_tag, softness, swept_first }, step) => {
                let selectors = match by_tag {
                    true => Selectors { tags: vec![TAG.into()], ..Selectors::default() },
                    false => Selectors { keys: vec![key], ..Selectors::default() },
                };
                let reach = Reach::new(&selectors);
                match step {
                    1 => {
                        own.begun = self.now;
                        (own.number, _) =
                            purger.mark(&reach, &selectors, softness, Moment(self.now), None);
                    }
                    2 => {
                        let ids: Vec<Id> =
                            purger.find(&reach, &[]).flat_map(|(_, ids)| ids).collect();
                        let left = Left::Found(ids.into_iter());
                        own.work = Some(Work { number: own.number, left });
                        if !swept_first {
                            purger.fall_behind();
                            own.answered = Some(self.now);
                        }
                    }
                    _ => {
                        while !purger.sweep(own.work.as_mut().expect("it has found")) {}
                        own.answered.get_or_insert(self.now);
                    }
                }
            }
            (Actor::Evict, _) => drop(memory.remove(&key)),
        }
    }

    /// Looks the target up: nothing that left before a purge was begun stands once
    /// that has been answered. Nor does what was stored and is not any more: who
    /// has found it may hold it for as long as a validation takes.
    fn look(&self, trace: &[usize]) {
        let slot = self.house.memory.get(&key(URL));
        let found = slot.iter().flat_map(|slot| slot.variants());
        let held = self.progress.iter().filter_map(|own| own.landed.as_ref());
        for stored in found.chain(held) {
            let verdict = self.house.purger.judge_stored(&key(URL), stored);
            let left = stored.content().sent.0;
            for (actor, own) in self.actors.iter().zip(&self.progress) {
                let Actor::Purge { softness, .. } = actor else { continue };
                if own.answered.is_none() || left > own.begun {
                    continue;
                }
                let kept = match softness {
                    Softness::Hard => matches!(verdict, Verdict::Hard { .. }),
                    Softness::Soft => verdict != Verdict::Stands,
                };
                assert!(kept, "{verdict:?} in {:?} after {trace:?}", self.actors);
            }
        }
    }

    /// At the end nothing is left to be done, and every mark is forgotten when the
    /// next purge comes; what left after every purge stands.
    fn end(&self, trace: &[usize]) {
        self.look(trace);
        let purger = &self.house.purger;
        let other = Selectors { tags: vec!["other".into()], ..Selectors::default() };
        purger.purge(&other, Softness::Hard, Moment(self.now));
        self.look(trace);
        let context = || format!("{:?} after {trace:?}", self.actors);
        assert_eq!((purger.marks(), purger.unswept()), (0, 0), "{}", context());
        let of = |is_fetch| {
            let all = self.actors.iter().zip(&self.progress);
            all.filter(move |(actor, _)| (**actor == Actor::Fetch) == is_fetch)
        };
        let last_purge = of(false).filter_map(|(_, own)| own.answered).max().unwrap_or_default();
        let newest = of(true).map(|(_, own)| own.begun).max().unwrap_or_default();
        if newest > last_purge && !self.actors.contains(&Actor::Evict) {
            let slot = self.house.memory.get(&key(URL));
            let slot = slot.unwrap_or_else(|| panic!("nothing is left of {}", context()));
            let stored = &slot.variants()[0];
            assert_eq!(stored.content().sent, Moment(newest), "{}", context());
            assert_eq!(purger.judge_stored(&key(URL), stored), Verdict::Stands, "{}", context());
        }
    }
}

/// Takes the steps in every order; looks after each step, or at the end alone: a
/// look leaves its trace in what it has seen. Returns the number of orders.
fn explore(actors: &[Actor]) -> usize {
    let mut orders = 0;
    let mut left: Vec<usize> = actors.iter().map(|actor| actor.steps()).collect();
    every_order(&mut left, &mut Vec::new(), &mut |order| {
        orders += 1;
        for looks in [false, true] {
            let mut world = World::new(actors);
            for (at, which) in order.iter().enumerate() {
                world.step(*which);
                if looks {
                    world.look(&order[..=at]);
                }
            }
            world.end(order);
        }
    });
    orders
}

fn every_order(left: &mut [usize], taken: &mut Vec<usize>, visit: &mut dyn FnMut(&[usize])) {
    if left.iter().all(|steps| *steps == 0) {
        return visit(taken);
    }
    for which in 0..left.len() {
        if left[which] > 0 {
            left[which] -= 1;
            taken.push(which);
            every_order(left, taken, visit);
            taken.pop();
            left[which] += 1;
        }
    }
}

fn purges() -> impl Iterator<Item = Actor> {
    let softness = [Softness::Hard, Softness::Soft];
    softness.into_iter().flat_map(|softness| {
        let kinds = [(true, false), (false, false), (true, true), (false, true)];
        kinds.map(|(by_tag, swept_first)| Actor::Purge { by_tag, softness, swept_first })
    })
}

#[test]
fn one_fetch_and_two_purges_in_every_order() {
    // The order of the two is explored as well. Of a tag much is stored, of a URL
    // little.
    let is_usual = |actor: &Actor| matches!(actor, Actor::Purge { by_tag, swept_first, .. } if by_tag != swept_first);
    let all: Vec<Actor> = purges().filter(is_usual).collect();
    for (at, first) in all.iter().enumerate() {
        for second in &all[at..] {
            assert_eq!(explore(&[Actor::Fetch, *first, *second]), 1680);
        }
    }
}

#[test]
fn two_fetches_and_a_purge_in_every_order() {
    for purge in purges() {
        assert_eq!(explore(&[Actor::Fetch, Actor::Fetch, purge]), 1680);
    }
}

#[test]
fn a_fetch_a_purge_and_an_eviction_in_every_order() {
    for purge in purges() {
        assert_eq!(explore(&[Actor::Fetch, purge, Actor::Evict]), 140);
    }
}

#[test]
#[ignore = "takes a minute: cargo test -- --ignored in_every_order"]
fn two_fetches_a_purge_and_an_eviction_in_every_order() {
    let by_tag = Actor::Purge { by_tag: true, softness: Softness::Hard, swept_first: false };
    assert_eq!(explore(&[Actor::Fetch, Actor::Fetch, by_tag, Actor::Evict]), 16_800);
}

#[test]
#[ignore = "takes minutes: cargo test -- --ignored in_every_order"]
fn a_fetch_two_purges_and_an_eviction_in_every_order() {
    for first in purges() {
        for second in purges() {
            assert_eq!(explore(&[Actor::Fetch, first, second, Actor::Evict]), 16_800);
        }
    }
}

/// Two fetches and two purges of every kind have 369,600 orders each.
#[test]
#[ignore = "takes an hour: cargo test -- --ignored two_fetches_and_two_purges"]
fn two_fetches_and_two_purges_in_every_order() {
    for first in purges() {
        for second in purges() {
            assert_eq!(explore(&[Actor::Fetch, Actor::Fetch, first, second]), 369_600);
        }
    }
}
