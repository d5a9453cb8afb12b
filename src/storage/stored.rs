//! One stored response: a head that is ready to be sent, the body in pieces,
//! and integers for every question that a hit asks.

use super::index::{self, Id};
use crate::key::CacheKey;
use crate::semantics::directives::ResponseDirectives;
use crate::semantics::freshness::Freshness;
use crate::semantics::no_vary_search::SearchVariance;
use crate::semantics::partial::Part;
use crate::semantics::policy::Policy;
use crate::semantics::query::QueryContent;
use crate::semantics::tags::Tags;
use crate::semantics::time::{Exchange, Moment};
use crate::semantics::vary::{NominatedFields, VariantKey};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use parking_lot::Mutex;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

/// What a stored response consists of, before it is stored.
#[derive(Clone, Debug)]
pub struct Content {
    /// The status.
    pub status: StatusCode,
    /// The fields, without those of one hop, of tags and `Age`, with `Date` and
    /// `Content-Length`.
    pub fields: HeaderMap,
    /// Fields that are for this cache alone and never sent; what the origin
    /// confirms is judged by them too.
    pub own_fields: HeaderMap,
    /// The body's pieces, in order. Shared with responses that were freshened.
    pub chunks: Arc<[Bytes]>,
    /// The body's length in bytes.
    pub length: u64,
    /// The content of the QUERY that it answers; none for GET. Only requests
    /// with the same are answered with it (RFC 10008).
    pub query: Option<Arc<QueryContent>>,
    /// By what it may answer other queries of its path; then it is stored under
    /// the canonical one of them.
    pub variance: Option<Arc<SearchVariance>>,
    /// What it is a part of, if it isn't complete; its status then is 206.
    pub part: Option<Part>,
    /// What the response's `Vary` nominates.
    pub nominated: NominatedFields,
    /// What the request that brought it selects by these fields.
    pub variant: VariantKey,
    /// Its age, lifetime and windows.
    pub freshness: Freshness,
    /// The wall clock when it was received.
    pub received_at: SystemTime,
    /// When its request left, or the one that confirmed it.
    pub sent: Moment,
    /// The number of the last purge when its request left for the origin.
    pub fence: u64,
    /// The tags and groups it bears.
    pub tags: Tags,
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
            nominated: NominatedFields::Named([].into()),
            variant: VariantKey::default(),
            fields,
            own_fields: HeaderMap::new(),
            length: body.len() as u64,
            chunks: [body].into(),
            query: None,
            variance: None,
            part: None,
            received_at,
            sent,
            fence: 0,
            tags: Tags::default(),
        }
    }

    /// The key under which it is stored, or to be stored, as an answer to a
    /// request with this key.
    pub fn place(&self, asked: &CacheKey) -> CacheKey {
        match &self.variance {
            Some(variance) => super::variances::canonical(asked, variance),
            None => asked.clone(),
        }
    }
}

/// A response that is kept.
#[derive(Debug)]
pub struct StoredResponse {
    content: Content,
    weight: usize,
    /// The number of the last purge that is known not to concern it.
    checked: AtomicU64,
    /// When it was purged softly, in milliseconds and one; zero for never. Written
    /// while `softening` is locked.
    softened: AtomicU64,
    softening: Mutex<Option<Softening>>,
    /// The number of the hard purge that has removed it; zero for none.
    gone: AtomicU64,
    /// Its number in the index and one; zero if it isn't there.
    id: AtomicU32,
    /// It is in the index, and was judged when it was already: purges find it there.
    settled: AtomicBool,
    /// How often it has been asked for near its end; no further than is asked.
    near_its_end: AtomicU8,
    /// When the origin was last asked for it while it stood in, in milliseconds and one;
    /// zero for never.
    asked_in_vain: AtomicU64,
    /// How many requests it has answered.
    hits: AtomicU64,
    /// How many of them count when room is needed; no further than is asked.
    asked: AtomicU8,
}

impl StoredResponse {
    /// Makes a response ready to be kept.
    pub fn new(content: Content) -> StoredResponse {
        let weight = weigh(&content);
        let checked = AtomicU64::new(content.fence);
        StoredResponse {
            content,
            weight,
            checked,
            softened: AtomicU64::new(0),
            softening: Mutex::new(None),
            gone: AtomicU64::new(0),
            id: AtomicU32::new(0),
            settled: AtomicBool::new(false),
            near_its_end: AtomicU8::new(0),
            asked_in_vain: AtomicU64::new(0),
            hits: AtomicU64::new(0),
            asked: AtomicU8::new(0),
        }
    }

    /// What it consists of.
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// Bytes that it takes in memory: head, body, tags and book-keeping.
    pub fn weight(&self) -> usize {
        self.weight
    }

    /// Bytes of its body's pieces; part of its weight.
    pub fn body_weight(&self) -> usize {
        self.content.chunks.iter().map(|chunk| chunk.len()).sum()
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
        let asked = self.asked_in_vain.load(Ordering::Relaxed).checked_sub(1);
        asked.is_none_or(|asked| now.since(Moment(asked)) >= IN_VAIN)
    }

    /// Notes that the origin is asked for it now.
    pub fn is_asked_for(&self, now: Moment) {
        self.asked_in_vain.store(now.0.saturating_add(1), Ordering::Relaxed);
    }

    /// Notes that it has answered a request.
    pub fn count_hit(&self) {
        self.hits.fetch_add(1, Ordering::Relaxed);
        let asked = self.asked.load(Ordering::Relaxed);
        if asked < MOST_ASKED {
            self.asked.store(asked + 1, Ordering::Relaxed);
        }
    }

    /// How many requests it has answered since it was stored, or confirmed.
    pub fn hits(&self) -> u64 {
        self.hits.load(Ordering::Relaxed)
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

    /// When it was purged softly.
    pub fn softened(&self) -> Option<Moment> {
        self.softened.load(Ordering::Acquire).checked_sub(1).map(Moment)
    }

    /// Makes it stale. One that is already stays stale since then.
    pub fn soften(&self, softening: Softening) {
        let mut own = self.softening.lock();
        let softening = softening.with(*own);
        *own = Some(softening);
        self.softened.store(softening.at.0.saturating_add(1), Ordering::Release);
    }

    /// What purged it softly.
    pub fn softening(&self) -> Option<Softening> {
        *self.softening.lock()
    }

    /// Takes back that this purge made it stale, if no other did. Returns whether
    /// it has become what it was.
    pub fn harden(&self, purge: u64) -> bool {
        let mut own = self.softening.lock();
        let is_its = own.is_some_and(|softening| softening.purge == Some(purge));
        if is_its {
            *own = None;
            self.softened.store(0, Ordering::Release);
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

/// What a field costs in a map besides its text: its place among the entries,
/// which are allocated in powers of two, its index, and its value's allocation.
const PER_FIELD: usize = 200;
/// What a piece of a body costs besides its bytes.
const PER_CHUNK: usize = size_of::<Bytes>() + 64;

fn weigh(content: &Content) -> usize {
    let fields = content.fields.iter().chain(&content.own_fields);
    let fields: usize = fields.map(|(n, v)| n.as_str().len() + v.len() + PER_FIELD).sum();
    let tags = content.tags.global.iter().chain(content.tags.groups.iter());
    let tags: usize = tags.map(|tag| tag.len() + size_of::<Box<str>>() + 16).sum();
    let body = content.chunks.iter().map(|chunk| chunk.len() + PER_CHUNK).sum::<usize>();
    let query = content.query.as_ref().map_or(0, |query| query.weight());
    size_of::<StoredResponse>()
        + index::weight(content)
        + fields
        + tags
        + body
        + query
        + content.variant.as_bytes().len()
}
