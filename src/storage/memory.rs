//! The memory tier: all variants of a target in one slot, the slots in a map
//! that is bounded in bytes.
//!
//! moka is that map and only that: nothing expires in it, since a stale
//! response is still worth a validation. Its policy is LRU.

use super::stored::{Content, StoredResponse};
use super::variances::Variances;
use crate::key::CacheKey;
use moka::ops::compute::Op;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;
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

    /// The slot with one more variant, in place of the one that it equals;
    /// `None` if the request of that one left for the origin later than this
    /// one's: then this one is the older of the two.
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
        if self.variants.iter().any(|other| equals(other) && later(other)) {
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

/// What a sweep does with a stored response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Keep it.
    Keep,
    /// Remove it.
    Remove,
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
/// What moka and the allocator take for a slot (measured: 353 bytes and more).
const PER_SLOT: usize = 448;

/// The memory tier.
#[derive(Debug)]
pub struct Memory {
    map: Cache<CacheKey, Arc<Slot>>,
    bytes: Arc<AtomicU64>,
    limits: Limits,
    variances: Variances,
}

impl Memory {
    /// An empty one.
    pub fn new(limits: Limits) -> Memory {
        let bytes = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&bytes);
        let map = Cache::builder()
            .max_capacity(Self::capacity(limits) / UNIT)
            .weigher(|key: &CacheKey, slot: &Arc<Slot>| {
                u32::try_from(weigh(key, slot).div_ceil(UNIT)).unwrap_or(u32::MAX)
            })
            .eviction_policy(EvictionPolicy::lru())
            .eviction_listener(move |key, slot, _cause| {
                counted.fetch_sub(weigh(&key, &slot), Ordering::Relaxed);
            })
            .build();
        Memory { map, bytes, limits, variances: Variances::default() }
    }

    /// The part of the limit that is filled, so that what several threads are
    /// just adding stays below the limit too.
    fn capacity(limits: Limits) -> u64 {
        limits.bytes - limits.bytes / 32
    }

    /// Under which other keys a target may be found.
    pub fn variances(&self) -> &Variances {
        &self.variances
    }

    /// The stored responses of a target.
    pub fn get(&self, key: &CacheKey) -> Option<Arc<Slot>> {
        self.map.get(key)
    }

    /// Stores a response, in place of one that the same requests select.
    /// Returns whether it is kept: one that is heavier than all there is room
    /// for is not, nor one whose request left before that of the one it would
    /// replace.
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
            let Some(slot) = slot else { return Op::Nop };
            kept = true;
            self.bytes.fetch_add(weigh(key, &slot), Ordering::Relaxed);
            Op::Put(Arc::new(slot))
        });
        self.make_room();
        kept
    }

    /// moka evicts when it pleases; here it has to please now.
    fn make_room(&self) {
        for _ in 0..16 {
            if self.bytes.load(Ordering::Relaxed) <= Self::capacity(self.limits) {
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

    /// Shows every stored response to `judge` and does what it says. Takes time
    /// in proportion to what is stored: not for the way of a request.
    pub fn sweep(&self, mut judge: impl FnMut(&CacheKey, &StoredResponse) -> Fate) {
        for (key, slot) in &self.map {
            let fates: Vec<Fate> = slot.variants.iter().map(|s| judge(&key, s)).collect();
            if fates.contains(&Fate::Remove) {
                self.keep_only(&key, |stored| {
                    let at = slot.variants.iter().position(|s| Arc::ptr_eq(s, stored));
                    at.is_none_or(|at| fates[at] == Fate::Keep)
                });
            }
        }
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
            self.bytes.fetch_add(weigh(key, &slot), Ordering::Relaxed);
            Op::Put(Arc::new(slot))
        });
    }

    /// What is stored just now.
    pub fn usage(&self) -> Usage {
        self.map.run_pending_tasks();
        Usage {
            targets: self.map.entry_count(),
            bytes: self.bytes.load(Ordering::Relaxed),
            limit: self.limits.bytes,
        }
    }
}

fn weigh(key: &CacheKey, slot: &Slot) -> u64 {
    (key.weight() + slot.weight() + PER_SLOT) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Target;
    use crate::semantics::directives::ResponseDirectives;
    use crate::semantics::freshness::Freshness;
    use crate::semantics::policy::Policy;
    use crate::semantics::tags::Tags;
    use crate::semantics::time::{Exchange, Moment};
    use crate::semantics::vary::NominatedFields;
    use bytes::Bytes;
    use http::{HeaderMap, HeaderValue, StatusCode};
    use std::time::SystemTime;

    fn key(path: &str) -> CacheKey {
        CacheKey::new(Target::from_url(&format!("http://a.example{path}")).expect("a URL"))
    }

    fn response(size: usize, language: &str) -> Arc<StoredResponse> {
        let fields = HeaderMap::new();
        let mut request = HeaderMap::new();
        request.insert("x", HeaderValue::from_str(language).expect("a value"));
        let mut vary = HeaderMap::new();
        vary.insert("vary", HeaderValue::from_static("x"));
        let nominated = NominatedFields::of(&vary);
        let exchange =
            Exchange { sent: Moment(0), received: Moment(0), received_at: SystemTime::UNIX_EPOCH };
        let directives = ResponseDirectives::default();
        let policy = Policy::default();
        Arc::new(StoredResponse::new(Content {
            status: StatusCode::OK,
            freshness: Freshness::of(
                StatusCode::OK,
                &fields,
                &directives,
                &exchange,
                &policy,
                false,
            ),
            fields,
            own_fields: HeaderMap::new(),
            chunks: [Bytes::from(vec![b'x'; size])].into(),
            length: size as u64,
            variant: nominated.select(&request, &policy).expect("a variant"),
            nominated,
            received_at: exchange.received_at,
            sent: exchange.sent,
            fence: 0,
            tags: Tags::default(),
            query: None,
            variance: None,
        }))
    }

    #[test]
    fn a_variant_replaces_its_equal_and_the_oldest_go() {
        let memory = Memory::new(Limits { bytes: 1 << 20, variants: 3 });
        let key = key("/");
        for language in ["a", "b", "a", "c", "d"] {
            memory.put(&key, response(10, language));
        }
        let slot = memory.get(&key).expect("a slot");
        assert_eq!(slot.variants().len(), 3);
        assert_eq!(slot.variants()[0].content().variant, response(1, "d").content().variant);
        assert!(
            slot.variants()
                .iter()
                .all(|s| s.content().variant != response(1, "b").content().variant)
        );
        assert_eq!(memory.remove(&key), 3);
        assert_eq!(memory.usage().bytes, 0);
    }

    #[test]
    fn two_hundred_thousand_pages_stay_below_the_limit() {
        let limit = 16 << 20;
        let memory = Memory::new(Limits { bytes: limit, variants: 64 });
        for number in 0..200_000 {
            memory.put(&key(&format!("/{number}")), response(200 + number % 4096, "a"));
            let bytes = memory.bytes.load(Ordering::Relaxed);
            assert!(bytes <= limit, "{bytes} bytes after {number} pages");
        }
        let usage = memory.usage();
        assert!(usage.bytes > limit / 2, "the limit is made use of: {usage:?}");
        assert!(usage.targets > 1000, "{usage:?}");
        // The newest are kept, the oldest are gone.
        assert!(memory.get(&key("/199999")).is_some());
        assert!(memory.get(&key("/0")).is_none());
    }

    #[test]
    fn bytes_below_a_unit_add_up_to_nothing() {
        for size in 0..UNIT as usize {
            let limit = 100_000;
            let memory = Memory::new(Limits { bytes: limit, variants: 1 });
            for number in 0..300 {
                memory.put(&key(&format!("/{number:03}")), response(size, "a"));
            }
            let usage = memory.usage();
            assert!(usage.bytes <= Memory::capacity(memory.limits), "{size}: {usage:?}");
        }
    }

    #[test]
    fn what_is_too_heavy_is_not_kept_and_many_variants_do_not_fill_everything() {
        let memory = Memory::new(Limits { bytes: 100_000, variants: 64 });
        assert!(!memory.put(&key("/big"), response(99_000, "a")));
        assert!(memory.get(&key("/big")).is_none());
        for language in 0..20 {
            assert!(memory.put(&key("/many"), response(9_000, &language.to_string())));
        }
        let slot = memory.get(&key("/many")).expect("a slot");
        assert!(slot.weight() <= 50_000);
        assert!(memory.usage().bytes <= 100_000);
    }

    #[test]
    fn what_is_removed_is_not_written_back_by_a_put_under_way() {
        let memory = Memory::new(Limits { bytes: 1 << 20, variants: 64 });
        let key = key("/race");
        for round in 0..3000 {
            memory.put(&key, response(10, "old"));
            std::thread::scope(|scope| {
                scope.spawn(|| memory.put(&key, response(10, "new")));
                scope.spawn(|| memory.remove(&key));
            });
            let old = response(1, "old").content().variant.clone();
            let back = memory.get(&key).is_some_and(|slot| {
                slot.variants().iter().any(|stored| stored.content().variant == old)
            });
            assert!(!back, "round {round}");
            memory.remove(&key);
        }
    }

    #[test]
    fn a_sweep_removes_single_variants() {
        let memory = Memory::new(Limits { bytes: 1 << 20, variants: 64 });
        memory.put(&key("/x"), response(1, "a"));
        memory.put(&key("/x"), response(2, "b"));
        memory.put(&key("/y"), response(1, "a"));
        memory.sweep(|_, stored| match stored.content().length {
            1 => Fate::Remove,
            _ => Fate::Keep,
        });
        assert_eq!(memory.get(&key("/x")).expect("a slot").variants().len(), 1);
        assert!(memory.get(&key("/y")).is_none());
        assert_eq!(memory.usage().targets, 1);
    }
}
