//! One stored response: a head that is ready to be sent, the body in pieces,
//! and integers for every question that a hit asks.

use super::index::{self, Id};
use super::lines::Lines;
use super::pieces::Pieces;
use super::rare::Rare;
use crate::account::PER_OWN_PIECE;
use crate::key::CacheKey;
use crate::semantics::directives::ResponseDirectives;
use crate::semantics::freshness::Freshness;
use crate::semantics::policy::Policy;
use crate::semantics::time::{Exchange, Moment, WallMillis};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use parking_lot::Mutex;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

/// What a stored response consists of, before it is stored.
#[derive(Clone, Debug)]
pub struct Content {
    /// The status.
    pub status: StatusCode,
    /// The fields, without those of one hop, of tags and `Age`, with `Date` and
    /// `Content-Length`.
    pub lines: Lines,
    /// The body's pieces. Shared with responses that were freshened.
    pub chunks: Pieces,
    /// What few responses have: tags, variants, parts.
    pub rare: Rare,
    /// Its age, lifetime and windows.
    pub freshness: Freshness,
    /// The wall clock when it was received.
    pub received_at: WallMillis,
    /// When its request left, or the one that confirmed it.
    pub sent: Moment,
    /// The number of the last purge when its request left for the origin.
    pub fence: u64,
}

impl Content {
    /// A whole answer to a GET, of the beginning of time: to try and to measure a
    /// store with. It is stale, and kept for as long as nobody asks how long.
    pub fn plain(fields: HeaderMap, body: Bytes) -> Content {
        let (sent, received_at) = (Moment(0), SystemTime::UNIX_EPOCH);
        let exchange = Exchange { sent, received: sent, received_at };
        let (status, directives) = (StatusCode::OK, ResponseDirectives::of(&fields));
        let policy = Policy::default();
        Content {
            status,
            freshness: Freshness::of(status, &fields, &directives, &exchange, &policy, false),
            lines: Lines::of(&fields),
            chunks: body.into(),
            rare: Rare::default(),
            received_at: received_at.into(),
            sent,
            fence: 0,
        }
    }

    /// The body's length in bytes.
    pub fn length(&self) -> u64 {
        self.chunks.length()
    }

    /// Its fields for people to read: without placeholders, which whoever knows them could
    /// have filled elsewhere.
    pub fn fields_to_show(&self) -> HeaderMap {
        let mut fields = self.lines.fields();
        if let Some(form) = &self.rare.form {
            form.hide(&mut fields);
        }
        fields
    }

    /// The key under which it is stored, or to be stored, as an answer to a
    /// request with this key.
    pub fn place(&self, asked: &CacheKey) -> CacheKey {
        match &self.rare.variance {
            Some(variance) => super::variances::canonical(asked, variance),
            None => asked.clone(),
        }
    }
}

/// A response that is kept.
#[derive(Debug)]
pub struct StoredResponse {
    content: Content,
    /// Bytes that it takes besides its body.
    weight: u32,
    /// The number of the last purge that is known not to concern it.
    checked: AtomicU64,
    /// It was purged softly. Written while `softening` is locked.
    softened: AtomicBool,
    softening: Mutex<Option<Box<Softening>>>,
    /// The number of the hard purge that has removed it; zero for none.
    gone: AtomicU64,
    /// Its number in the index and one; zero if it isn't there.
    id: AtomicU32,
    /// It is in the index, and was judged when it was already: purges find it there.
    settled: AtomicBool,
    /// How often it has been asked for near its end; no further than is asked.
    near_its_end: AtomicU8,
    /// When the origin was last asked for it while it stood in, in milliseconds and one,
    /// as far as 32 bits go; zero for never.
    asked_in_vain: AtomicU32,
    /// How many requests it has answered, as far as that can be counted.
    hits: AtomicU32,
    /// When it last did, or was stored: see [`used`].
    used: AtomicU32,
    /// How many of them count when room is needed; no further than is asked.
    asked: AtomicU8,
}

/// A moment in units of 64 ms, twice, so that who has answered in one goes before who was
/// stored in it. Bits enough for four years.
fn used(at: Moment, has_answered: bool) -> u32 {
    (((at.0 >> 6) as u32) << 1) | u32::from(has_answered)
}

impl StoredResponse {
    /// Makes a response ready to be kept.
    pub fn new(content: Content) -> StoredResponse {
        let weight = u32::try_from(weigh(&content)).unwrap_or(u32::MAX);
        let checked = AtomicU64::new(content.fence);
        let used = AtomicU32::new(used(content.sent, false));
        StoredResponse {
            content,
            weight,
            checked,
            softened: AtomicBool::new(false),
            softening: Mutex::new(None),
            gone: AtomicU64::new(0),
            id: AtomicU32::new(0),
            settled: AtomicBool::new(false),
            near_its_end: AtomicU8::new(0),
            asked_in_vain: AtomicU32::new(0),
            hits: AtomicU32::new(0),
            used,
            asked: AtomicU8::new(0),
        }
    }

    /// What it consists of.
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// Bytes that it takes in memory: head, body, tags and book-keeping.
    pub fn weight(&self) -> usize {
        self.weight as usize + self.body_weight()
    }

    /// Bytes that its body's pieces take; part of its weight.
    pub fn body_weight(&self) -> usize {
        self.content.chunks.iter().map(|piece| piece.len() + PER_OWN_PIECE).sum()
    }

    /// The number of the last purge that is known not to concern it.
    pub fn checked(&self) -> u64 {
        self.checked.load(Ordering::Acquire)
    }

    /// Notes that no purge up to `number` concerns it, or that its softness
    /// has been noted.
    pub fn set_checked(&self, number: u64) {
        self.checked.fetch_max(number, Ordering::AcqRel);
    }

    /// The number of the hard purge that has removed it from where it was stored;
    /// whoever still holds it is not to use it.
    pub fn gone(&self) -> Option<NonZeroU64> {
        NonZeroU64::new(self.gone.load(Ordering::Acquire))
    }

    /// Notes that the hard purge with this number removes it.
    pub fn set_gone(&self, number: u64) {
        self.gone.store(number, Ordering::Release);
    }

    /// Whether every purge finds it by itself: no mark has to be looked at once all
    /// purges so far have found what they meet.
    pub fn is_settled(&self) -> bool {
        self.settled.load(Ordering::Acquire)
    }

    pub(super) fn set_settled(&self, settled: bool) {
        self.settled.store(settled, Ordering::Release);
    }

    pub(super) fn id(&self) -> Option<Id> {
        self.id.load(Ordering::Acquire).checked_sub(1)
    }

    pub(super) fn set_id(&self, id: Option<Id>) {
        self.id.store(id.map_or(0, |id| id + 1), Ordering::Release);
    }

    /// Notes that it was asked for near its end. Returns whether that makes it
    /// one that is asked for often: once, and never again.
    pub fn asked_for_near_its_end(&self) -> bool {
        let asked = self.near_its_end.load(Ordering::Relaxed);
        asked < OFTEN
            && self.near_its_end.fetch_add(1, Ordering::Relaxed).saturating_add(1) == OFTEN
    }

    /// Whether it is time to ask the origin for it, which is known to be away and for
    /// which it stands in.
    pub fn is_to_be_asked_for(&self, now: Moment) -> bool {
        let asked = self.asked_in_vain.load(Ordering::Relaxed);
        let since = (now.0 as u32).wrapping_add(1).wrapping_sub(asked);
        asked == 0 || Duration::from_millis(since.into()) >= IN_VAIN
    }

    /// Notes that the origin is asked for it now.
    pub fn is_asked_for(&self, now: Moment) {
        self.asked_in_vain.store((now.0 as u32).wrapping_add(1), Ordering::Relaxed);
    }

    /// Notes that it answers a request now.
    pub fn count_hit(&self, now: Moment) {
        self.used.store(used(now, true), Ordering::Relaxed);
        if self.hits.load(Ordering::Relaxed) < u32::MAX {
            self.hits.fetch_add(1, Ordering::Relaxed);
        }
        let asked = self.asked.load(Ordering::Relaxed);
        if asked < MOST_ASKED {
            self.asked.store(asked + 1, Ordering::Relaxed);
        }
    }

    /// How many requests it has answered since it was stored, or confirmed.
    pub fn hits(&self) -> u64 {
        self.hits.load(Ordering::Relaxed).into()
    }

    /// A number that is the higher, the later it has last answered, or was stored.
    pub(super) fn last_used(&self) -> u32 {
        self.used.load(Ordering::Relaxed)
    }

    /// How many requests it has answered that are remembered when room is needed.
    pub(super) fn asked(&self) -> u8 {
        self.asked.load(Ordering::Relaxed)
    }

    /// Remembers so many.
    pub(super) fn set_asked(&self, asked: u8) {
        self.asked.store(asked, Ordering::Relaxed);
    }

    /// The same a second, on average; the first second counts whole.
    pub fn hits_a_second(&self, now: Moment) -> f64 {
        self.hits() as f64 / now.since(self.content.sent).as_secs_f64().max(1.0)
    }

    /// Seconds for which it stays fresh; after a soft purge, those since then, negative.
    pub fn ttl(&self, now: Moment) -> i64 {
        let ttl = self.content.freshness.ttl(now);
        match self.softened() {
            Some(at) => ttl.min(-i64::try_from(now.since(at).as_secs()).unwrap_or(i64::MAX)),
            None => ttl,
        }
    }

    /// When it was purged softly.
    pub fn softened(&self) -> Option<Moment> {
        let is_softened = self.softened.load(Ordering::Acquire);
        is_softened.then(|| self.softening()).flatten().map(|softening| softening.at)
    }

    /// Makes it stale. One that is already stays stale since then.
    pub fn soften(&self, softening: Softening) {
        let mut own = self.softening.lock();
        let softening = softening.with(own.as_deref().copied());
        *own = Some(Box::new(softening));
        self.softened.store(true, Ordering::Release);
    }

    /// What purged it softly.
    pub fn softening(&self) -> Option<Softening> {
        self.softening.lock().as_deref().copied()
    }

    /// Takes back that this purge made it stale, if no other did. Returns whether
    /// it has become what it was.
    pub fn harden(&self, purge: u64) -> bool {
        let mut own = self.softening.lock();
        let is_its = own.as_ref().is_some_and(|softening| softening.purge == Some(purge));
        if is_its {
            *own = None;
            self.softened.store(false, Ordering::Release);
        }
        is_its
    }
}

/// What soft purges mean for a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Softening {
    /// When the first of them came.
    pub at: Moment,
    /// The number of the last one.
    pub number: u64,
    /// The purge, if it was only one.
    pub purge: Option<u64>,
}

impl Softening {
    /// What this and another mean together.
    pub fn with(self, other: Option<Softening>) -> Softening {
        let Some(other) = other else { return self };
        Softening {
            at: self.at.min(other.at),
            number: self.number.max(other.number),
            purge: self.purge.filter(|_| self.purge == other.purge),
        }
    }
}

/// Requests that are remembered when room is needed: who has answered more is not
/// kept for longer.
const MOST_ASKED: u8 = 3;
/// Requests near its end that make a response one that is asked for often.
const OFTEN: u8 = 2;

/// The least time between two requests to an origin that is away, for a response that
/// stands in for it.
const IN_VAIN: Duration = Duration::from_millis(100);

/// What its allocations cost besides what is in them.
const PER_RESPONSE: usize = 48;

fn weigh(content: &Content) -> usize {
    size_of::<StoredResponse>()
        + PER_RESPONSE
        + index::weight(content)
        + content.lines.as_bytes().len()
        + content.chunks.len().saturating_sub(1) * size_of::<Bytes>()
        + content.rare.weight()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_page_takes_does_not_grow_unnoticed() {
        // docs/adr/0035-what-a-page-takes.md has the whole list.
        assert!(size_of::<StoredResponse>() <= 208, "{}", size_of::<StoredResponse>());
        assert!(size_of::<Freshness>() <= 64, "{}", size_of::<Freshness>());
        let page = Content::plain(HeaderMap::new(), Bytes::from_static(b"a page"));
        assert_eq!(page.rare.weight(), 0);
        let stored = StoredResponse::new(page);
        assert_eq!(stored.weight() - stored.body_weight(), weigh(stored.content()));
    }
}
