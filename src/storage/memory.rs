//! The memory tier: all variants of a target in one slot, the slots in a map
//! that is bounded in bytes.
//!
//! moka is that map and only that: nothing expires in it by moka's clock. A stale
//! response is still worth a validation; who looks it up knows for how long. Its
//! policy is LRU.

use super::index::{Id, Index, Wanted};
use super::stored::{Content, StoredResponse};
use super::variances::Variances;
use crate::account::Account;
use crate::key::CacheKey;
use equivalent::Equivalent;
use moka::ops::compute::Op;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use parking_lot::Mutex;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bounds of the memory tier.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes for everything that is stored: heads, bodies, keys, tags, indexes.
    pub bytes: u64,
    /// Variants of one target, answers to its queries included; beyond it the
    /// oldest go.
    pub variants: usize,
}

/// The stored responses of one target, the newest first.
#[derive(Debug, Default)]
pub struct Slot {
    variants: Vec<Arc<StoredResponse>>,
}

impl Slot {
    /// The variants, the newest first.
    pub fn variants(&self) -> &[Arc<StoredResponse>] {
        &self.variants
    }

    fn weight(&self) -> usize {
        self.variants.iter().map(|stored| stored.weight() + size_of::<usize>()).sum()
    }

    /// Bytes of the bodies, which count for themselves where all memory is counted.
    fn bodies(&self) -> usize {
        self.variants.iter().map(|stored| stored.body_weight()).sum()
    }

    /// The slot with one more variant, in place of the one that it equals;
    /// `None` if the request of that one left for the origin later than this
    /// one's: then this one is the older of the two; or if this one is only a
    /// part, and that one is complete.
    fn with(&self, newest: Arc<StoredResponse>, limits: Limits) -> Option<Slot> {
        let own = Arc::clone(&newest);
        let equals = |other: &Arc<StoredResponse>| {
            let (other, own) = (other.content(), own.content());
            other.query == own.query
                && other.nominated == own.nominated
                && other.variant == own.variant
        };
        let later = |other: &Arc<StoredResponse>| {
            let left = |content: &Content| (content.fence, content.sent);
            left(other.content()) > left(own.content())
        };
        let complete = |stored: &Arc<StoredResponse>| stored.content().part.is_none();
        let better = |other| later(other) || (complete(other) && !complete(&own));
        if self.variants.iter().any(|other| equals(other) && better(other)) {
            return None;
        }
        let others = self.variants.iter().filter(|other| !equals(other));
        let mut left = usize::try_from(limits.bytes / 2).unwrap_or(usize::MAX);
        let mut variants = vec![newest];
        left = left.saturating_sub(variants[0].weight());
        for other in others.take(limits.variants.saturating_sub(1)) {
            match left.checked_sub(other.weight()) {
                Some(rest) => left = rest,
                None => break,
            }
            variants.push(Arc::clone(other));
        }
        Some(Slot { variants })
    }
}

/// What the memory tier holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Targets with at least one stored response.
    pub targets: u64,
    /// Bytes, as they are counted against the limit.
    pub bytes: u64,
    /// The limit in bytes.
    pub limit: u64,
}

/// moka counts weights in 32 bits; in units of this many bytes a slot may weigh
/// more than 4 GiB.
const UNIT: u64 = 64;
/// Responses that are looked at at a time, and how many times, when room is needed.
const LOOK: Id = 32;
const MOST_LOOKS: usize = 16;

/// What moka and the allocator take for a slot (measured: 353 bytes and more).
const PER_SLOT: usize = 448;

/// The memory tier.
#[derive(Debug)]
pub struct Memory {
    map: Cache<CacheKey, Arc<Slot>>,
    counted: Arc<Counted>,
    limits: Limits,
    index: Arc<Index>,
    variances: Variances,
    /// Where the last look for what nobody asks for has ended.
    hand: Mutex<Id>,
}

/// The bytes of what is in the map.
#[derive(Debug)]
struct Counted {
    bytes: AtomicU64,
    account: Arc<Account>,
}

impl Counted {
    fn add(&self, key: &CacheKey, slot: &Slot) {
        let weight = weigh(key, slot);
        self.bytes.fetch_add(weight, Ordering::Relaxed);
        self.account.take(weight as usize - slot.bodies());
    }

    fn remove(&self, key: &CacheKey, slot: &Slot) {
        let weight = weigh(key, slot);
        self.bytes.fetch_sub(weight, Ordering::Relaxed);
        self.account.give_back(weight as usize - slot.bodies());
    }
}

impl Memory {
    /// An empty one.
    pub fn new(limits: Limits) -> Memory {
        Memory::counted(limits, Arc::new(Account::unlimited()))
    }

    /// An empty one that is counted together with other memory. Bodies are not: their
    /// pieces are to be held by the account already. Room for what is kept beside,
    /// marks and variances, is taken at once.
    pub fn counted(limits: Limits, account: Arc<Account>) -> Memory {
        account.take(2 * Self::share_of(limits));
        let counted = Arc::new(Counted { bytes: AtomicU64::new(0), account });
        let gone = Arc::clone(&counted);
        let index = Arc::new(Index::default());
        let indexed = Arc::clone(&index);
        let map = Cache::builder()
            .max_capacity(Self::capacity(limits) / UNIT)
            .weigher(|key: &CacheKey, slot: &Arc<Slot>| {
                u32::try_from(weigh(key, slot).div_ceil(UNIT)).unwrap_or(u32::MAX)
            })
            .eviction_policy(EvictionPolicy::lru())
            .eviction_listener(move |key, slot, _cause| {
                gone.remove(&key, &slot);
                indexed.leave(&slot);
            })
            .build();
        let variances = Variances::new(Self::share_of(limits));
        Memory { map, counted, limits, index, variances, hand: Mutex::default() }
    }

    /// The part of the limit that is filled, so that what several threads are
    /// just adding stays below the limit too, and what is kept beside.
    fn capacity(limits: Limits) -> u64 {
        limits.bytes - limits.bytes / 16
    }

    /// Bytes of the limit that are left for the marks of purges. As many are for
    /// variances.
    pub fn share(&self) -> usize {
        Self::share_of(self.limits)
    }

    fn share_of(limits: Limits) -> usize {
        usize::try_from(limits.bytes / 64).unwrap_or(usize::MAX)
    }

    /// Under which other keys a target may be found.
    pub fn variances(&self) -> &Variances {
        &self.variances
    }

    /// The stored responses of a target, by its key or what is equivalent to that.
    pub fn get<K: Equivalent<CacheKey> + Hash>(&self, key: &K) -> Option<Arc<Slot>> {
        self.map.get(key)
    }

    /// Stores a response, in place of one that the same requests select.
    /// Returns whether it is kept: one that is heavier than all there is room
    /// for is not, nor one whose request left before that of the one it would
    /// replace, nor a part in place of a complete one.
    pub fn put(&self, key: &CacheKey, stored: Arc<StoredResponse>) -> bool {
        if stored.weight() as u64 + key.weight() as u64 > Self::capacity(self.limits) {
            return false;
        }
        let mut kept = false;
        self.map.entry(key.clone()).and_compute_with(|entry| {
            let slot = match &entry {
                Some(entry) => entry.value().with(Arc::clone(&stored), self.limits),
                None => Slot::default().with(Arc::clone(&stored), self.limits),
            };
            let Some(mut slot) = slot else { return Op::Nop };
            if !self.index.enter(key, &slot, Some(&stored)) {
                // The others have just been evicted.
                slot.variants.truncate(1);
                self.index.enter(key, &slot, Some(&stored));
            }
            kept = true;
            self.counted.add(key, &slot);
            Op::Put(Arc::new(slot))
        });
        self.make_room();
        kept
    }

    /// moka evicts when it pleases; here it has to please now.
    fn make_room(&self) {
        for _ in 0..16 {
            if self.counted.bytes.load(Ordering::Relaxed) <= Self::capacity(self.limits) {
                return;
            }
            self.map.run_pending_tasks();
        }
    }

    /// Removes all variants of a target. Returns how many there were.
    pub fn remove(&self, key: &CacheKey) -> usize {
        // Not moka's plain `remove`: a `put` under way, which has read the slot
        // already, would write back what is removed here.
        let mut count = 0;
        self.map.entry(key.clone()).and_compute_with(|entry| match entry {
            Some(entry) => {
                count = entry.value().variants.len();
                Op::Remove
            }
            None => Op::Nop,
        });
        count
    }

    /// Removes one stored response, and leaves the other variants.
    pub fn remove_one(&self, key: &CacheKey, stored: &Arc<StoredResponse>) {
        self.keep_only(key, |other| !Arc::ptr_eq(other, stored));
    }

    /// The number of stored responses.
    pub fn count(&self) -> usize {
        self.index.count()
    }

    /// The stored responses that each of these looks for, as they are now. Takes
    /// time in proportion to what is found.
    pub fn find<'a>(&self, all: impl Iterator<Item = Wanted<'a>>) -> Vec<Vec<Id>> {
        self.index.find(all)
    }

    /// A number above those of all stored responses.
    pub fn end(&self) -> Id {
        self.index.end()
    }

    /// The stored responses with these numbers, as far as they are still there,
    /// each with the key that it is stored under. Nothing can be stored meanwhile:
    /// not for many at a time.
    pub fn resolve(
        &self,
        ids: impl Iterator<Item = Id>,
    ) -> Vec<(Id, CacheKey, Arc<StoredResponse>)> {
        self.index.resolve(ids)
    }

    /// Notes that a response which has been stored was judged since then.
    pub fn settle(&self, stored: &StoredResponse) {
        self.index.settle(stored);
    }

    /// Makes room: removes so many bytes of what is not asked for, and of what is if
    /// that is not enough, what was asked for most at last; never more than leaves half
    /// of the limit, so that not everything can be pushed out. A few hundred responses
    /// at a time, so that nobody waits for long; nothing while somebody else is at it.
    pub fn shed(&self, bytes: usize) {
        let Some(mut hand) = self.hand.try_lock() else { return };
        let stored = self.counted.bytes.load(Ordering::Relaxed);
        let most = usize::try_from(stored.saturating_sub(self.limits.bytes / 2));
        let (wanted, end) = (bytes.min(most.unwrap_or(usize::MAX)), self.index.end());
        let mut freed = 0;
        for _ in 0..MOST_LOOKS {
            if freed >= wanted {
                break;
            }
            let first = if *hand < end { *hand } else { 0 };
            *hand = first.saturating_add(LOOK);
            for (_, key, stored) in self.index.resolve(first..*hand) {
                if freed < wanted && !stored.was_asked_for() {
                    freed += key.weight() + stored.weight() + PER_SLOT;
                    self.remove_one(&key, &stored);
                }
            }
        }
        self.map.run_pending_tasks();
    }

    /// Has what was removed give back its space now.
    pub fn tidy(&self) {
        self.map.run_pending_tasks();
    }

    fn keep_only(&self, key: &CacheKey, keep: impl Fn(&Arc<StoredResponse>) -> bool) {
        self.map.entry(key.clone()).and_compute_with(|entry| {
            let Some(entry) = entry else { return Op::Nop };
            let variants: Vec<_> =
                entry.value().variants.iter().filter(|s| keep(s)).cloned().collect();
            if variants.is_empty() {
                return Op::Remove;
            }
            let slot = Slot { variants };
            if !self.index.enter(key, &slot, None) {
                // It has just been evicted.
                return Op::Nop;
            }
            self.counted.add(key, &slot);
            Op::Put(Arc::new(slot))
        });
    }

    /// What is stored just now.
    pub fn usage(&self) -> Usage {
        self.map.run_pending_tasks();
        Usage {
            targets: self.map.entry_count(),
            bytes: self.counted.bytes.load(Ordering::Relaxed),
            limit: self.limits.bytes,
        }
    }
}

fn weigh(key: &CacheKey, slot: &Slot) -> u64 {
    (key.weight() + slot.weight() + PER_SLOT) as u64
}

#[cfg(test)]
#[path = "memory_tests.rs"]
mod tests;
