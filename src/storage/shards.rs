//! Where lookups look: slots by their keys, in parts that are locked each by
//! itself, for as long as a lookup takes.

use super::names::BuildPlain;
use super::slot::Slot;
use crate::key::CacheKey;
use equivalent::Equivalent;
use hashbrown::HashTable;
use parking_lot::RwLock;
use std::hash::{BuildHasher, Hash};

/// So many that threads seldom meet, and none grows for long.
const SHARDS: usize = 256;

type Shard = HashTable<(CacheKey, Slot)>;

/// Slots by their keys.
#[derive(Debug)]
pub(super) struct Shards(Box<[RwLock<Shard>]>);

impl Default for Shards {
    fn default() -> Shards {
        Shards((0..SHARDS).map(|_| RwLock::default()).collect())
    }
}

impl Shards {
    /// The slot of a key, or of what is equivalent to it.
    pub fn get<K: Equivalent<CacheKey> + Hash>(&self, key: &K) -> Option<Slot> {
        let hash = hash_of(key);
        let shard = self.shard(hash).read();
        shard.find(hash, |(own, _)| key.equivalent(own)).map(|(_, slot)| slot.clone())
    }

    /// Puts a slot in place of the one that a key has; none for none. Returns that one.
    pub fn set(&self, key: &CacheKey, slot: Option<Slot>) -> Option<Slot> {
        let hash = hash_of(key);
        let mut shard = self.shard(hash).write();
        let place = shard.find_entry(hash, |(own, _)| own == key);
        match (place, slot) {
            (Ok(mut entry), Some(slot)) => Some(std::mem::replace(&mut entry.get_mut().1, slot)),
            (Ok(entry), None) => {
                let ((_, slot), absent) = entry.remove();
                give_back_space(absent.into_table());
                Some(slot)
            }
            (Err(absent), Some(slot)) => {
                let own = |(own, _): &(CacheKey, Slot)| hash_of(own);
                absent.into_table().insert_unique(hash, (key.clone(), slot), own);
                None
            }
            (Err(_), None) => None,
        }
    }

    /// All slots, one part at a time.
    #[cfg(test)]
    pub fn all(&self) -> Vec<(CacheKey, Slot)> {
        self.0.iter().flat_map(|shard| shard.read().iter().cloned().collect::<Vec<_>>()).collect()
    }

    fn shard(&self, hash: u64) -> &RwLock<Shard> {
        // Tables look at the lowest bits and at the highest seven.
        &self.0[(hash >> 32) as usize % SHARDS]
    }
}

/// What a great many have left gives its space back.
fn give_back_space(shard: &mut Shard) {
    if shard.len() * 8 < shard.capacity() && shard.capacity() > 64 {
        shard.shrink_to(shard.len() * 2, |(own, _)| hash_of(own));
    }
}

fn hash_of<K: Hash>(key: &K) -> u64 {
    BuildPlain::default().hash_one(key)
}
