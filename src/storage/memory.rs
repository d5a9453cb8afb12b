//! The memory tier: all variants of a target in one slot, all slots together
//! bounded in bytes.
//!
//! A lookup goes to the [shards](super::shards), and waits for nobody but another one
//! that changes the same shard just then. Whoever changes what is stored locks the
//! [books](super::books) first, so that the shards, the index and the queues tell the
//! same; for a few responses at a time, however many have to go.
//!
//! Nothing expires here. A stale response is still worth a validation; who looks it
//! up knows for how long.

use super::books::{Books, Step, weigh};
use super::curve::{Curve, Point};
use super::index::{Id, Row, Wanted};
use super::shards::Shards;
use super::slot::Slot;
use super::stored::StoredResponse;
use super::variances::Variances;
use crate::account::Account;
use crate::key::CacheKey;
use equivalent::Equivalent;
use parking_lot::{Mutex, MutexGuard};
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bounds of the memory tier.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes for everything that is stored: heads, bodies, keys, tags, indexes. One
    /// sixteenth stays free, for what several threads are just adding.
    pub bytes: u64,
    /// Variants of one target, answers to its queries included; beyond it
    /// those go that have not been used for longest.
    pub variants: usize,
}

/// What the memory tier holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Targets with at least one stored response.
    pub targets: u64,
    /// Stored responses.
    pub responses: u64,
    /// Bytes, as they are counted against the limit.
    pub bytes: u64,
    /// The limit in bytes.
    pub limit: u64,
    /// Responses that had to go since the start because there was no room.
    pub evicted: u64,
    /// Those that had to go because newer ones of their target had come: as many as may
    /// be, or all that half of the limit is enough for.
    pub displaced: u64,
}

/// Responses that are decided about while the books are locked once.
const SLICE: usize = 32;
/// Targets that are gone through while the books are locked once.
const IN_A_ROW: usize = 256;
/// How many may stay before others have to go, asked for or not, and how many more
/// for each that goes: nobody is to look at all there is.
const MOST_STAY: usize = 256;
const MORE_STAY: usize = 4;
/// The most that make room at a time where memory is short.
const MOST_SHED: usize = 512;

/// The memory tier.
#[derive(Debug)]
pub struct Memory {
    shards: Shards,
    books: Mutex<Books>,
    limits: Limits,
    variances: Variances,
    curve: Curve,
    /// Held by who makes room because memory is short.
    shedding: Mutex<()>,
    evicted: AtomicU64,
    displaced: AtomicU64,
}

/// How far somebody is who needs room.
#[derive(Default)]
struct Eviction {
    stayed: usize,
    /// What has gone: it is dropped when nothing is locked.
    gone: Vec<Slot>,
    evicted: usize,
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
        let books = Mutex::new(Books::new(Self::capacity(limits), account));
        let variances = Variances::new(Self::share_of(limits));
        let (shards, curve) = (Shards::default(), Curve::new(Self::capacity(limits)));
        Memory {
            shards,
            books,
            limits,
            variances,
            curve,
            shedding: Mutex::default(),
            evicted: AtomicU64::new(0),
            displaced: AtomicU64::new(0),
        }
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
    pub fn get<K: Equivalent<CacheKey> + Hash>(&self, key: &K) -> Option<Slot> {
        self.shards.get(key)
    }

    /// All that may answer requests with this key, `Vary` and purges aside: what is stored
    /// under it, and for equivalent queries under others. Each with its key; of one key the
    /// newest first.
    pub fn answering(&self, key: &CacheKey) -> Vec<(CacheKey, Arc<StoredResponse>)> {
        let mut all = Vec::new();
        let own = self.get(key);
        for stored in own.iter().flat_map(Slot::variants) {
            let variance = stored.content().rare.variance.as_ref();
            if variance.is_none_or(|variance| self.variances.knows(key, variance)) {
                all.push((key.clone(), Arc::clone(stored)));
            }
        }
        for (asked, other) in self.variances.others(key).filter(|(_, other)| other != key) {
            let slot = self.get(&other);
            for stored in slot.iter().flat_map(Slot::variants) {
                let variance = stored.content().rare.variance.as_ref();
                if variance.is_some_and(|borne| Arc::ptr_eq(borne, &asked)) {
                    all.push((other.clone(), Arc::clone(stored)));
                }
            }
        }
        all
    }

    /// Notes that what is stored under a key with this [hash](CacheKey::hash) was asked
    /// for, for the [curve](Memory::curve).
    pub fn asked_for(&self, hash: u128, stored: &StoredResponse) {
        self.curve.note(hash, || stored.weight() as u64);
    }

    /// What share of the requests for what can be stored would be hits if there were so
    /// many times the memory: an estimate; nothing while too little is known.
    pub fn curve(&self, factors: &[f64]) -> Vec<Point> {
        self.curve.points(factors)
    }

    /// Stores a response, in place of one that the same requests select.
    /// Returns whether it is kept: one that is heavier than all there is room
    /// for is not, nor one whose request left before that of the one it would
    /// replace, nor a part in place of a complete one.
    pub fn put(&self, key: &CacheKey, stored: Arc<StoredResponse>) -> bool {
        let (weight, capacity) = (weigh(key, &stored), Self::capacity(self.limits));
        if weight > capacity {
            return false;
        }
        self.curve.note(key.hash(), || weight);
        let mut eviction = Eviction::default();
        loop {
            let mut books = self.books.lock();
            if stored.id().is_some() {
                // This very response is stored already.
                return true;
            }
            let old = self.shards.get(key);
            let Some(slot) = Slot::with(old.as_ref(), &stored, self.limits) else { return false };
            let instead = old.as_ref().and_then(|old| old.equal(&stored));
            let less = instead.map_or(0, |instead| weigh(key, instead));
            let most = (capacity + less).saturating_sub(weight);
            if books.bytes() <= most {
                let before = old.as_ref().map_or(0, |old| old.variants().len());
                let now = slot.variants().len() + usize::from(instead.is_some());
                let displaced = (before + 1).saturating_sub(now) as u64;
                self.displaced.fetch_add(displaced, Ordering::Relaxed);
                books.enter(key, &stored, instead);
                eviction.gone.extend(self.set(&mut books, key, Some(slot)));
                return true;
            }
            self.evict(&mut books, &mut eviction, most);
            MutexGuard::unlock_fair(books);
            eviction.gone.clear();
        }
    }

    /// Evicts what is next, until no more bytes than these are stored, or a few
    /// responses have been looked at.
    fn evict(&self, books: &mut Books, own: &mut Eviction, most: u64) {
        for _ in 0..SLICE {
            if books.bytes() <= most {
                return;
            }
            let step = match own.stayed < MOST_STAY + own.evicted * MORE_STAY {
                true => books.step(),
                false => books.next(),
            };
            match step {
                Step::Nothing => return,
                Step::Stays => own.stayed += 1,
                Step::Goes(key, stored) => {
                    own.evicted += 1;
                    self.evicted.fetch_add(1, Ordering::Relaxed);
                    own.gone.extend(self.keep_only(books, &key, |s| !Arc::ptr_eq(s, &stored)));
                }
            }
        }
    }

    /// Puts a slot in place of the one that is there, whose responses leave the books
    /// unless they are in both. The new one's have entered them.
    fn set(&self, books: &mut Books, key: &CacheKey, slot: Option<Slot>) -> Option<Slot> {
        let kept = slot.clone();
        let old = self.shards.set(key, slot);
        match (&old, &kept) {
            (None, Some(_)) => books.index.place(key),
            (Some(_), None) => books.index.displace(key),
            _ => {}
        }
        let is_kept = |stored| kept.as_ref().is_some_and(|kept| kept.has(stored));
        let left = old.iter().flat_map(Slot::variants).filter(|stored| !is_kept(stored));
        left.for_each(|stored| books.leave(key, stored));
        old
    }

    /// Returns what there was, if not all of it is kept.
    fn keep_only(
        &self,
        books: &mut Books,
        key: &CacheKey,
        keep: impl Fn(&Arc<StoredResponse>) -> bool,
    ) -> Option<Slot> {
        let old = self.shards.get(key)?;
        if old.variants().iter().all(&keep) {
            return None;
        }
        self.set(books, key, old.only(keep))
    }

    /// Removes all variants of a target. Returns how many there were.
    pub fn remove(&self, key: &CacheKey) -> usize {
        let old = self.set(&mut self.books.lock(), key, None);
        old.map_or(0, |old| old.variants().len())
    }

    /// Removes one stored response, and leaves the other variants.
    pub fn remove_one(&self, key: &CacheKey, stored: &Arc<StoredResponse>) {
        let others = |other: &Arc<StoredResponse>| !Arc::ptr_eq(other, stored);
        let old = self.keep_only(&mut self.books.lock(), key, others);
        // Only now, when nothing is locked any more.
        drop(old);
    }

    /// The number of stored responses.
    pub fn count(&self) -> usize {
        self.books.lock().index.count()
    }

    /// The stored responses that each of these looks for. What is stored or removed
    /// meanwhile may be left out. Takes time in proportion to what is found.
    pub fn find<'a>(&self, all: impl Iterator<Item = Wanted<'a>>) -> Vec<Vec<Id>> {
        all.map(|wanted| match wanted {
            Wanted::Named(name) => self.books.lock().index.named(name),
            Wanted::Key(key) => self.ids(key).collect(),
            placed => placed.rows().iter().flat_map(|row| self.row(row)).collect(),
        })
        .collect()
    }

    fn ids(&self, key: &CacheKey) -> impl Iterator<Item = Id> + use<> {
        let slot = self.shards.get(key);
        let ids = |slot: Slot| slot.variants().iter().filter_map(|s| s.id()).collect::<Vec<_>>();
        slot.map(ids).into_iter().flatten()
    }

    /// What is stored under the keys of a row: the books are locked for a slice of it.
    fn row(&self, row: &Row<'_>) -> Vec<Id> {
        let (mut ids, mut last) = (Vec::new(), None);
        loop {
            let books = self.books.lock();
            let slice: Vec<&CacheKey> =
                books.index.row(row, last.as_ref()).take(IN_A_ROW).collect();
            ids.extend(slice.iter().flat_map(|key| self.ids(key)));
            match slice.get(IN_A_ROW - 1) {
                Some(key) => last = Some(CacheKey::clone(key)),
                None => return ids,
            }
        }
    }

    /// A number above those of all stored responses.
    pub fn end(&self) -> Id {
        self.books.lock().index.end()
    }

    /// The stored responses with these numbers, as far as they are still there,
    /// each with the key that it is stored under. Nothing can be stored meanwhile:
    /// not for many at a time.
    pub fn resolve(
        &self,
        ids: impl Iterator<Item = Id>,
    ) -> Vec<(Id, CacheKey, Arc<StoredResponse>)> {
        self.books.lock().resolve(ids)
    }

    /// Notes that a response which has been stored was judged since then.
    pub fn settle(&self, stored: &StoredResponse) {
        self.books.lock().index.settle(stored);
    }

    /// Makes room where memory is short: evicts so many bytes, but never more than
    /// leaves half of the limit, so that not everything can be pushed out. A few
    /// hundred responses at a time, so that nobody waits for long; nothing while
    /// somebody else is at it.
    pub fn shed(&self, bytes: usize) {
        let Some(_shedding) = self.shedding.try_lock() else { return };
        let stored = self.books.lock().bytes();
        let left = stored.saturating_sub(bytes as u64).max(self.limits.bytes / 2);
        let mut eviction = Eviction::default();
        for _ in 0..MOST_SHED / SLICE {
            let mut books = self.books.lock();
            self.evict(&mut books, &mut eviction, left);
            let is_enough = books.bytes() <= left;
            MutexGuard::unlock_fair(books);
            eviction.gone.clear();
            if is_enough {
                return;
            }
        }
    }

    /// What is stored just now.
    pub fn usage(&self) -> Usage {
        let books = self.books.lock();
        Usage {
            targets: books.index.targets(),
            responses: books.index.count() as u64,
            bytes: books.bytes(),
            limit: self.limits.bytes,
            evicted: self.evicted.load(Ordering::Relaxed),
            displaced: self.displaced.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
#[path = "memory_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "eviction_tests.rs"]
mod eviction_tests;
