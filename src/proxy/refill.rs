//! Fetching again what was purged and is asked for, a few at a time.
//!
//! What is fetched goes the way of every request. Whoever asked for it first is
//! not asked again: the request is made anew from the target and the fields that
//! the stored response was selected by. Where these don't say all (a QUERY, a
//! part) or say who somebody is (a cookie, credentials), nothing is made.

use super::lookup::Found;
use super::{Proxy, Shared, passthrough};
use crate::key::CacheKey;
use crate::message::Presented;
use crate::purge::{Refill, Refilled, Selectors};
use crate::semantics::cache_status::Outcome;
use crate::semantics::identity::Visitor;
use crate::semantics::policy::Policy;
use crate::semantics::time::Moment;
use crate::storage::StoredResponse;
use http::header;
use http_body_util::BodyExt;
use parking_lot::Mutex;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;
use tokio::sync::Notify;

/// How much is fetched again.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Responses of one purge; those that are asked for most.
    pub most: usize,
    /// Fetches at a time.
    pub at_once: usize,
}

/// Requests that wait, of all purges together.
const MOST_WAITING: usize = 10_000;

/// What is going to be fetched again.
#[derive(Debug, Default)]
pub struct Hot {
    /// Requests, those first whose responses are asked for most.
    wanted: Vec<Presented>,
    /// Responses that were asked for too, but can't be fetched, or are too many.
    left_out: usize,
}

impl Hot {
    /// How many are going to be fetched, and how many not.
    pub fn counts(&self) -> (usize, usize) {
        (self.wanted.len(), self.left_out)
    }
}

/// What waits to be fetched, and how much is.
#[derive(Debug, Default)]
pub(super) struct Refills {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<(Presented, Arc<Refill>)>,
    under_way: usize,
}

impl Shared {
    /// What the selectors meet and has answered requests from the store, as it is
    /// now: to be asked before it is purged. Takes time in proportion to what is
    /// stored.
    pub fn hot(&self, selectors: &Selectors) -> Hot {
        let (now, most) = (self.clock.now(), self.options.refill.most.min(MOST_WAITING));
        let selectors = &*self.as_keyed(selectors);
        // What is asked for least is on top, each with the place of its request.
        let mut hottest: BinaryHeap<(Reverse<u64>, usize)> = BinaryHeap::new();
        let mut requests: Vec<Option<Presented>> = Vec::new();
        let mut left_out = 0;
        self.purger.visit(selectors, |key, stored| {
            if stored.hits() == 0 {
                return;
            }
            let rate = Reverse(rate(stored, now));
            let is_full = requests.len() >= most;
            if is_full && hottest.peek().is_none_or(|coldest| rate >= coldest.0) {
                left_out += 1;
                return;
            }
            let Some(request) = request_for(key, stored, &self.options.policy) else {
                left_out += 1;
                return;
            };
            if !is_full {
                hottest.push((rate, requests.len()));
                requests.push(Some(request));
                return;
            }
            left_out += 1;
            if let Some(mut coldest) = hottest.peek_mut() {
                requests[coldest.1] = Some(request);
                *coldest = (rate, coldest.1);
            }
        });
        // Sorted by the reverse: the hottest come first.
        let wanted = hottest.into_sorted_vec().into_iter();
        let wanted = wanted.filter_map(|(_, at)| requests[at].take()).collect();
        Hot { wanted, left_out }
    }

    /// Has it fetched behind, as far as there is room. Returns how far it has come.
    pub fn refill(&self, hot: Hot) -> Arc<Refill> {
        let Hot { mut wanted, mut left_out } = hot;
        let mut state = self.refills.state.lock();
        let room = MOST_WAITING.saturating_sub(state.waiting.len());
        left_out += wanted.len().saturating_sub(room);
        wanted.truncate(room);
        let refill = Arc::new(Refill::new(wanted.len(), left_out));
        state.waiting.extend(wanted.into_iter().map(|request| (request, Arc::clone(&refill))));
        drop(state);
        self.refills.changed.notify_one();
        refill
    }
}

/// Requests in a million seconds that a response has answered from the store, on
/// average since it was stored.
fn rate(stored: &StoredResponse, now: Moment) -> u64 {
    (stored.hits_a_second(now) * 1e6) as u64
}

/// The request that a stored response would answer, if it can be made.
fn request_for(key: &CacheKey, stored: &StoredResponse, policy: &Policy) -> Option<Presented> {
    let rare = &stored.content().rare;
    if rare.query.is_some() || rare.part.is_some() || rare.variance.is_some() {
        return None;
    }
    let fields = rare.nominated.request(&rare.variant)?;
    if fields.contains_key(header::COOKIE) || Visitor::of(&fields, policy).is_known() {
        return None;
    }
    let request = Presented::of_our_own(key.target().clone(), fields);
    let selected = rare.nominated.select(&request.fields, policy);
    (selected.as_ref() == Some(&rare.variant)).then_some(request)
}

/// A fetch under way. Dropped before its end, it has failed.
struct Running {
    refills: Arc<Refills>,
    refill: Arc<Refill>,
    outcome: Refilled,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.refill.note(self.outcome);
        self.refills.state.lock().under_way -= 1;
        self.refills.changed.notify_one();
    }
}

impl Proxy {
    /// Fetches what waits, for ever; for one of the runtimes to do.
    pub async fn refill(self: Arc<Self>) {
        loop {
            let changed = self.shared.refills.changed.notified();
            while let Some((request, running)) = self.next_refill() {
                tokio::spawn(Arc::clone(&self).fetch_again(request, running));
            }
            changed.await;
        }
    }

    fn next_refill(&self) -> Option<(Presented, Running)> {
        let mut state = self.shared.refills.state.lock();
        if state.under_way >= self.shared.options.refill.at_once {
            return None;
        }
        let (request, refill) = state.waiting.pop_front()?;
        state.under_way += 1;
        let refills = Arc::clone(&self.shared.refills);
        Some((request, Running { refills, refill, outcome: Refilled::Failed }))
    }

    async fn fetch_again(self: Arc<Self>, mut request: Presented, mut running: Running) {
        if passthrough::reason(&request, &self.shared.options).is_some() {
            // Since it was stored, its path has become one that goes past the cache.
            return;
        }
        let key = CacheKey::new(request.target.clone());
        match self.shared.look_up(&request, &key) {
            Found::Usable(..) | Found::UsableNearItsEnd(_) => {
                running.outcome = Refilled::Fresh;
                return;
            }
            // It might be answered stale, and fetched behind: beyond all bounds.
            Found::UsableWhileValidated(_) | Found::Stale(..) => request.demands.no_cache = true,
            _ => {}
        }
        let mut answer = self.through_the_cache(&Arc::new(request)).await;
        let response = &mut answer.response;
        let failed = response.status().is_server_error();
        let mut whole = true;
        // Unread, it would be given up.
        while let Some(frame) = response.body_mut().frame().await {
            whole &= frame.is_ok();
        }
        let status = &answer.status;
        running.outcome = match status.outcome {
            Outcome::Hit => Refilled::Fresh,
            // What comes with a lifetime is from the store: it stands in for an error.
            _ if status.ttl.is_some() => Refilled::Failed,
            _ if whole && !failed && (status.stored || status.collapsed) => Refilled::Fetched,
            _ => Refilled::Failed,
        };
    }
}
