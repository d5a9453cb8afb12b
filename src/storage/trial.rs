//! The memory tier on trial: what would it have answered? Requests are played
//! to it, and bodies of their size are stored that nobody reads.

use super::{Content, Limits, Memory, StoredResponse, Usage};
use crate::key::CacheKey;
use crate::semantics::time::Moment;
use bytes::Bytes;
use http::HeaderMap;
use std::sync::Arc;
use std::time::Duration;

/// Requests, and the bytes that answer them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Requests.
    pub requests: u64,
    /// Bytes of their answers' bodies.
    pub bytes: u64,
}

impl Count {
    /// Counts one more.
    pub fn add(&mut self, size: u64) {
        self.requests += 1;
        self.bytes += size;
    }
}

/// A memory tier on trial.
#[derive(Debug)]
pub struct Trial {
    memory: Memory,
    /// What all bodies are slices of: however large, it is there once.
    body: Bytes,
    lifetime: Option<Duration>,
    answered: Count,
}

impl Trial {
    /// One with these limits, to which nothing larger than `largest` is played.
    /// What was stored for longer than `lifetime` answers nothing.
    pub fn new(limits: Limits, largest: usize, lifetime: Option<Duration>) -> Trial {
        // Zeros that are never touched take no memory.
        let body = Bytes::from(vec![0; largest]);
        Trial { memory: Memory::new(limits), body, lifetime, answered: Count::default() }
    }

    /// Plays a request to it. What it doesn't answer is stored. Returns whether it
    /// answered.
    pub fn play(&mut self, key: &CacheKey, size: usize, now: Moment) -> bool {
        let hit = self.find(key, now);
        match hit {
            true => self.answered.add(size as u64),
            false => self.store(key, size, now),
        }
        hit
    }

    /// Looks a request up, and counts it if it is answered.
    pub fn look(&mut self, key: &CacheKey, now: Moment) -> bool {
        let hit = self.find(key, now);
        if hit {
            self.answered.add(0);
        }
        hit
    }

    fn find(&self, key: &CacheKey, now: Moment) -> bool {
        let Some(slot) = self.memory.get(key) else { return false };
        let is_fresh = |stored: &StoredResponse| {
            let age = now.since(stored.content().sent);
            self.lifetime.is_none_or(|lifetime| age < lifetime)
        };
        slot.variants().iter().for_each(|stored| stored.count_hit(now));
        slot.variants().iter().any(|stored| is_fresh(stored))
    }

    fn store(&self, key: &CacheKey, size: usize, now: Moment) {
        let body = self.body.slice(..size.min(self.body.len()));
        let content = Content { sent: now, ..Content::plain(HeaderMap::new(), body) };
        self.memory.put(key, Arc::new(StoredResponse::new(content)));
    }

    /// The length of the body that is stored for a key.
    pub fn size_of(&self, key: &CacheKey) -> Option<u64> {
        let slot = self.memory.get(key)?;
        slot.variants().first().map(|stored| stored.content().length())
    }

    /// What it has answered.
    pub fn answered(&self) -> Count {
        self.answered
    }

    /// What is in it.
    pub fn usage(&self) -> Usage {
        self.memory.usage()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Target;

    fn key(path: &str) -> CacheKey {
        CacheKey::new(Target::from_url(&format!("http://a.test{path}")).expect("a URL"))
    }

    #[test]
    fn what_was_asked_for_is_answered_while_it_is_fresh() {
        let limits = Limits { bytes: 1 << 20, variants: 1 };
        let mut trial = Trial::new(limits, 1000, Some(Duration::from_secs(10)));
        let (a, b) = (key("/a"), key("/b"));
        for (key, size, at, hit) in [
            (&a, 10, 0, false),
            (&a, 10, 9_999, true),
            (&a, 10, 10_000, false),
            (&a, 10, 15_000, true),
            (&b, 20, 15_000, false),
            (&b, 20, 3, true),
        ] {
            assert_eq!(trial.play(key, size, Moment(at)), hit, "{at}");
        }
        assert!(trial.look(&b, Moment(16_000)) && !trial.look(&key("/c"), Moment(16_000)));
        assert_eq!(trial.answered(), Count { requests: 4, bytes: 40 });
        assert_eq!((trial.size_of(&b), trial.size_of(&key("/c"))), (Some(20), None));
    }

    #[test]
    fn what_has_no_room_goes() {
        let limits = Limits { bytes: 64 << 10, variants: 1 };
        let mut trial = Trial::new(limits, 1 << 20, None);
        for number in 0..1000 {
            trial.play(&key(&format!("/{number}")), 1000, Moment(0));
        }
        let usage = trial.usage();
        assert!(usage.bytes <= 64 << 10 && usage.targets > 0, "{usage:?}");
    }
}
