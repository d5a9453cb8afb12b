//! What is kept about all that is stored: the index, the order in which it goes,
//! and how much it is. Whoever changes the store has them locked.

use super::index::{Id, Index};
use super::queues::{Next, Queue, Queues};
use super::slot::Slot;
use super::stored::StoredResponse;
use crate::account::Account;
use crate::key::CacheKey;
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// What a response takes in the table of slots, half of which may be empty, in the
/// queues, and when it has become a ghost.
const PER_RESPONSE: usize = 2 * size_of::<(CacheKey, Slot)>() + 32;

/// Bytes of a response with its key and its place in all tables.
pub(super) fn weigh(key: &CacheKey, stored: &StoredResponse) -> u64 {
    (key.weight() + stored.weight() + PER_RESPONSE) as u64
}

#[derive(Debug)]
pub(super) struct Books {
    pub index: Index,
    queues: Queues,
    account: Arc<Account>,
}

impl Books {
    /// Of nothing; there is room for so many bytes.
    pub fn new(room: u64, account: Arc<Account>) -> Books {
        Books { index: Index::default(), queues: Queues::new(room), account }
    }

    /// Bytes of all that is stored.
    pub fn bytes(&self) -> u64 {
        self.queues.bytes()
    }

    /// A response is about to be stored, in place of another one.
    pub fn enter(
        &mut self,
        key: &CacheKey,
        stored: &Arc<StoredResponse>,
        instead: Option<&Arc<StoredResponse>>,
    ) {
        let place = instead.and_then(|instead| instead.id());
        let queue = place.map_or(Queue::None, |id| self.queues.of(id));
        stored.set_asked(instead.map_or(0, |instead| instead.asked()));
        let (id, weight) = (self.index.enter(key, stored), weigh(key, stored));
        self.queues.enter(id, weight, trace(key, stored), queue);
        self.account.take(weight as usize - stored.body_weight());
    }

    /// A response is not stored any more.
    pub fn leave(&mut self, key: &CacheKey, stored: &StoredResponse) {
        let weight = weigh(key, stored);
        if let Some(id) = self.index.leave(stored) {
            self.queues.leave(id, weight);
            self.account.give_back(weight as usize - stored.body_weight());
        }
    }

    /// Takes one step towards more room: decides about the response that is next.
    pub fn step(&mut self) -> Step {
        let next = self.queues.first();
        let Some((id, (key, stored))) = next.and_then(|id| Some((id, self.index.get(id)?))) else {
            return Step::Nothing;
        };
        let hash = trace(key, stored);
        match self.queues.pass(id, weigh(key, stored), hash, stored.asked()) {
            Next::Stays { remembered } => {
                stored.set_asked(remembered);
                Step::Stays
            }
            Next::Goes => Step::Goes(key.clone(), Arc::clone(stored)),
        }
    }

    /// The response that is next, whether it was asked for or not.
    pub fn next(&self) -> Step {
        let next = self.queues.first().and_then(|id| self.index.get(id));
        next.map_or(Step::Nothing, |(key, stored)| Step::Goes(key.clone(), Arc::clone(stored)))
    }

    /// The responses with these numbers, as far as they are still there.
    pub fn resolve(
        &self,
        ids: impl Iterator<Item = Id>,
    ) -> Vec<(Id, CacheKey, Arc<StoredResponse>)> {
        let record = |id| self.index.get(id).map(|(k, s)| (id, k.clone(), Arc::clone(s)));
        ids.filter_map(record).collect()
    }
}

/// What there is to be done for room.
pub(super) enum Step {
    /// Nothing is stored.
    Nothing,
    /// The one that was next stays.
    Stays,
    /// This one is to be evicted.
    Goes(CacheKey, Arc<StoredResponse>),
}

/// A hash of what tells a response from all others, to be known by when it comes
/// again: each variant by itself.
fn trace(key: &CacheKey, stored: &StoredResponse) -> u64 {
    let content = &stored.content().rare;
    let hash = xxh3_64_with_seed(content.variant.as_bytes(), key.hash() as u64);
    content.query.as_ref().map_or(hash, |query| xxh3_64_with_seed(query.bytes(), hash))
}
