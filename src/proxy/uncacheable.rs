//! Targets whose last response was not storable: nobody waits for another's
//! fetch of them, because it would bring nothing to share.
//!
//! Never keeps a response from being stored: the next one is judged as ever.

use crate::key::CacheKey;
use crate::message::Presented;
use crate::semantics::storable::Reason;
use crate::semantics::time::Moment;
use moka::sync::Cache;
use std::hash::Hash;
use std::time::Duration;
use xxhash_rust::xxh3::Xxh3;

/// The most targets that are remembered; the oldest go.
const MOST: u64 = 16_384;

/// A bounded memory of targets, by hash: confusing two costs a wait, no more.
#[derive(Debug)]
pub(super) struct Uncacheable {
    known: Cache<u128, (Moment, Reason)>,
    lasts: Duration,
}

impl Uncacheable {
    pub fn new(lasts: Duration) -> Uncacheable {
        Uncacheable { known: Cache::new(MOST), lasts }
    }

    /// Notes that a target's response was not storable.
    pub fn note(&self, key: &CacheKey, asked: &Presented, reason: Reason, now: Moment) {
        self.known.insert(id(key, asked), (now.plus(self.lasts), reason));
    }

    /// Notes that it was storable after all.
    pub fn forget(&self, key: &CacheKey, asked: &Presented) {
        let id = id(key, asked);
        if self.known.contains_key(&id) {
            self.known.invalidate(&id);
        }
    }

    /// Whether a target is known not to be storable.
    pub fn remembers(&self, key: &CacheKey, asked: &Presented, now: Moment) -> bool {
        self.reason(key, asked, now).is_some()
    }

    /// Why it was not.
    pub fn reason(&self, key: &CacheKey, asked: &Presented, now: Moment) -> Option<Reason> {
        self.known.get(&id(key, asked)).filter(|(until, _)| *until > now).map(|(_, reason)| reason)
    }
}

/// A QUERY with other content is another target here.
fn id(key: &CacheKey, asked: &Presented) -> u128 {
    let Some(query) = &asked.query else { return key.hash() };
    let mut hasher = Xxh3::new();
    query.hash(&mut hasher);
    key.hash() ^ hasher.digest128()
}
