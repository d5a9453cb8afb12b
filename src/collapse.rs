//! Many ask, one fetches (RFC 9111 section 4, last paragraph).
//!
//! Knows no HTTP: a [`Collapser`] hands out one [`Leader`] a key, and makes
//! everybody else who comes before the leader is done a [`Follower`]. Followers
//! are woken when the leader [lands](Leader::land), and never poll.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::hash::Hash;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use tokio::sync::Notify;

/// What a leader leaves to its followers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Landing<T> {
    /// Something for everyone.
    Shared(T),
    /// Nothing that may be shared: each has to go alone.
    Alone,
    /// The leader went away without a word: somebody else has to lead.
    Lost,
}

/// The fetches under way, by key.
#[derive(Debug)]
pub struct Collapser<K, T> {
    flights: Arc<Flights<K, T>>,
}

type Flights<K, T> = Mutex<HashMap<K, Flight<T>>>;

#[derive(Debug)]
struct Flight<T> {
    number: u64,
    runway: Arc<Runway<T>>,
}

/// Where a leader lands, and its followers wait. They are woken in the order in
/// which they came.
#[derive(Debug)]
struct Runway<T> {
    landed: OnceLock<Landing<T>>,
    waiting: Notify,
}

/// What a request is to do.
#[derive(Debug)]
pub enum Role<K: Eq + Hash, T> {
    /// Fetch, and land.
    Lead(Leader<K, T>),
    /// Wait for the one that fetches.
    Follow(Follower<T>),
}

impl<K: Eq + Hash + Clone, T: Clone> Collapser<K, T> {
    /// No fetch is under way yet.
    pub fn new() -> Collapser<K, T> {
        Collapser { flights: Arc::default() }
    }

    /// Joins the fetch under way for `key`, or begins one. `number` gives the
    /// new fetch its number; one under way with a number below `at_least` is
    /// left to those who already follow it, and a new one takes its place.
    pub fn join(&self, key: K, at_least: u64, number: impl FnOnce() -> u64) -> Role<K, T> {
        let mut flights = self.flights.lock();
        if let Some(flight) = flights.get(&key)
            && flight.number >= at_least
        {
            return Role::Follow(Follower { runway: Arc::clone(&flight.runway) });
        }
        let number = number();
        let runway = Arc::new(Runway { landed: OnceLock::new(), waiting: Notify::new() });
        flights.insert(key.clone(), Flight { number, runway: Arc::clone(&runway) });
        drop(flights);
        Role::Lead(Leader { flights: Arc::clone(&self.flights), key, runway })
    }

    /// The number of fetches under way.
    pub fn under_way(&self) -> usize {
        self.flights.lock().len()
    }
}

impl<K: Eq + Hash + Clone, T: Clone> Default for Collapser<K, T> {
    fn default() -> Self {
        Collapser::new()
    }
}

/// Whoever fetches for all. The fetch is over for newcomers when this is
/// dropped; dropped before it has landed, it is lost.
#[derive(Debug)]
pub struct Leader<K: Eq + Hash, T> {
    flights: Arc<Flights<K, T>>,
    key: K,
    runway: Arc<Runway<T>>,
}

impl<K: Eq + Hash, T> Leader<K, T> {
    /// Wakes all followers, now and to come, with what there is for them. After
    /// [`Landing::Alone`] nobody joins any more. Only the first landing counts.
    pub fn land(&self, landing: Landing<T>) {
        let alone = matches!(landing, Landing::Alone);
        if self.runway.landed.set(landing).is_ok() {
            self.runway.waiting.notify_waiters();
        }
        if alone {
            self.leave();
        }
    }

    /// From now on nobody joins any more. Those who follow are still to be told.
    pub fn leave(&self) {
        let mut flights = self.flights.lock();
        let mine = |flight: &Flight<T>| Arc::ptr_eq(&flight.runway, &self.runway);
        if flights.get(&self.key).is_some_and(mine) {
            flights.remove(&self.key);
        }
    }
}

impl<K: Eq + Hash, T> Drop for Leader<K, T> {
    fn drop(&mut self) {
        // In this order: who is told that it is lost is not to find it again.
        self.leave();
        self.land(Landing::Lost);
    }
}

/// Somebody who waits for a leader.
#[derive(Debug)]
pub struct Follower<T> {
    runway: Arc<Runway<T>>,
}

impl<T: Clone> Follower<T> {
    /// Waits until the leader has landed.
    pub async fn landing(self) -> Landing<T> {
        // In the queue before the look: who lands in between wakes it.
        let mut woken = pin!(self.runway.waiting.notified());
        woken.as_mut().enable();
        if self.runway.landed.get().is_none() {
            woken.await;
        }
        self.runway.landed.get().cloned().unwrap_or(Landing::Lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
    use std::time::Duration;

    type Test = Collapser<&'static str, u32>;

    fn lead(collapser: &Test, at_least: u64, number: u64) -> Leader<&'static str, u32> {
        match collapser.join("key", at_least, || number) {
            Role::Lead(leader) => leader,
            Role::Follow(_) => panic!("somebody leads already"),
        }
    }

    fn follow(collapser: &Test, at_least: u64) -> Follower<u32> {
        match collapser.join("key", at_least, || panic!("not to lead")) {
            Role::Follow(follower) => follower,
            Role::Lead(_) => panic!("nobody leads"),
        }
    }

    #[tokio::test]
    async fn one_leads_and_every_follower_wakes() {
        let collapser = Test::new();
        let leader = lead(&collapser, 0, 1);
        let waiting: Vec<_> =
            (0..50).map(|_| tokio::spawn(follow(&collapser, 0).landing())).collect();
        tokio::task::yield_now().await;
        leader.land(Landing::Shared(7));
        for follower in waiting {
            assert_eq!(follower.await.expect("no panic"), Landing::Shared(7));
        }
        // Until the leader is done, newcomers still join.
        assert_eq!(follow(&collapser, 0).landing().await, Landing::Shared(7));
        drop(leader);
        assert_eq!(collapser.under_way(), 0);
    }

    #[tokio::test]
    async fn followers_go_alone_at_once_and_nobody_joins_any_more() {
        let collapser = Test::new();
        let leader = lead(&collapser, 0, 1);
        let follower = follow(&collapser, 0);
        leader.land(Landing::Alone);
        assert_eq!(follower.landing().await, Landing::Alone);
        let next = lead(&collapser, 0, 2);
        drop(leader);
        assert_eq!(collapser.under_way(), 1, "the old leader leaves the new one alone");
        drop(next);
    }

    #[tokio::test]
    async fn a_lost_leader_is_replaced() {
        let collapser = Test::new();
        let leader = lead(&collapser, 0, 1);
        let follower = follow(&collapser, 0);
        drop(leader);
        assert_eq!(follower.landing().await, Landing::Lost);
        drop(lead(&collapser, 0, 2));
    }

    #[tokio::test]
    async fn a_fetch_that_is_too_old_is_left_behind() {
        let collapser = Test::new();
        let old = lead(&collapser, 0, 1);
        let early = follow(&collapser, 1);
        let new = lead(&collapser, 2, 2);
        let late = follow(&collapser, 2);
        new.land(Landing::Shared(2));
        old.land(Landing::Shared(1));
        assert_eq!(early.landing().await, Landing::Shared(1));
        assert_eq!(late.landing().await, Landing::Shared(2));
        drop(old);
        assert_eq!(collapser.under_way(), 1);
        drop(new);
        assert_eq!(collapser.under_way(), 0);
    }

    /// On several threads, where some fetches are shared, some are not, some are lost, and
    /// purges raise what is new enough: nobody waits for ever, and nobody is given what began
    /// too early.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn nobody_waits_in_vain_or_is_given_what_is_too_old() {
        const ROUNDS: u64 = 2_000;
        let collapser = Arc::new(Collapser::<u64, u64>::new());
        let begun = Arc::new(AtomicU64::new(0));
        let fence = Arc::new(AtomicU64::new(0));
        let visitors = (0..16).map(|visitor| {
            let (collapser, begun, fence) = (collapser.clone(), begun.clone(), fence.clone());
            tokio::spawn(async move {
                let (mut shared, mut alone, mut lost) = (0, 0, 0);
                for round in visitor..visitor + ROUNDS {
                    let at_least = fence.load(Relaxed);
                    let mut mine = 0;
                    let number = || {
                        mine = begun.fetch_add(1, Relaxed) + 1;
                        mine
                    };
                    match collapser.join(round % 3, at_least, number) {
                        Role::Follow(follower) => match follower.landing().await {
                            Landing::Shared(number) => {
                                assert!(number >= at_least, "{number} is before {at_least}");
                                shared += 1;
                            }
                            Landing::Alone => alone += 1,
                            Landing::Lost => lost += 1,
                        },
                        Role::Lead(leader) => {
                            tokio::task::yield_now().await;
                            match round % 7 {
                                0 => leader.land(Landing::Alone),
                                1 => drop(leader),
                                2 => fence.store(begun.load(Relaxed), Relaxed),
                                _ => leader.land(Landing::Shared(mine)),
                            }
                        }
                    }
                }
                (shared, alone, lost)
            })
        });
        let visitors: Vec<_> = visitors.collect();
        let mut seen = (0, 0, 0);
        for visitor in visitors {
            let (shared, alone, lost) = tokio::time::timeout(Duration::from_secs(60), visitor)
                .await
                .expect("nobody waits in vain")
                .expect("no panic");
            seen = (seen.0 + shared, seen.1 + alone, seen.2 + lost);
        }
        assert!(seen.0 > 0 && seen.1 > 0 && seen.2 > 0, "not all of it happened: {seen:?}");
        assert_eq!(collapser.under_way(), 0);
    }
}
