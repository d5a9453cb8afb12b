//! The way of a request, top to bottom:
//!
//! ```text
//! Presented -> CacheKey -> lookup (Vary picks the variant) -> reuse::decide
//!     -> answer from the store | answer stale and validate behind | go on
//!     -> collapse -> origin -> storable::decide / freshen / reuse::on_failure
//!     -> store, fenced -> respond -> record
//! ```
//!
//! Deciding is done by `semantics`, waiting by `collapse`, talking by `origin`;
//! here they are put in a row.

mod ask;
mod background;
mod content;
mod demands;
mod errand;
mod explain;
mod fetch;
mod follow;
mod forms;
mod glance;
mod head;
mod lookup;
mod partial;
mod parts;
mod passthrough;
mod posted;
mod purging;
mod query;
mod rebound;
mod record;
mod refill;
mod respond;
mod selecting;
mod shared;
mod stand_in;
mod uncacheable;

pub use crate::body::ReadAhead;
pub use glance::Glanced;
pub use record::Recorded;
pub use refill::{Hot, Options as RefillOptions};
pub use shared::Shared;

use crate::account::Account;
use crate::body::{Body, Limits};
use crate::collapse::Role;
use crate::dialects::Understood;
use crate::error::Refusal;
use crate::gate::Most;
use crate::interim::Interims;
use crate::key::CacheKey;
use crate::message::{self, Peer, Presented};
use crate::metrics::{Leave, Trouble};
use crate::origin::Pool;
use crate::purge::Access;
use crate::semantics::cache_status::{CacheStatus, Forward, Outcome};
use crate::semantics::offer::Offer;
use crate::semantics::paths::Paths;
use crate::semantics::policy::Policy;
use crate::semantics::query::QueryContent;
use crate::semantics::reason::Reason;
use crate::semantics::request_directives::only_if_cached;
use crate::semantics::tags::Tags;
use ask::Plan;
use follow::Followed;
use http::header::{self, HeaderName};
use http::{HeaderValue, Method, Request, Response};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use lookup::Found;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;
use uncacheable::{Known, Wanted};

/// What the way of a request needs to know.
#[derive(Clone, Debug)]
pub struct Options {
    /// The operator's choices for caching.
    pub policy: Policy,
    /// How requests are read.
    pub presented: message::Options,
    /// Response fields that bear tags.
    pub tag_fields: Vec<HeaderName>,
    /// Requests that bear one of these cookies are not answered from the store.
    pub bypass_cookies: Vec<Box<str>>,
    /// Requests for these paths neither.
    pub bypass_paths: Paths,
    /// The largest body that is stored, in bytes.
    pub max_object: u64,
    /// The most ranges of one request.
    pub max_ranges: usize,
    /// `Host` for the origin, if it is not the client's.
    pub host: Option<HeaderValue>,
    /// The largest content of a QUERY that is held, in bytes.
    pub max_query: usize,
    /// How many requests may be at the origin, or wait for it: of one address.
    pub at_origin: Most,
    /// Bounds on request bodies.
    pub request_body: Limits,
    /// Bytes of a request's body that are read before the origin is asked.
    pub request_ahead: usize,
    /// How long a request waits for the origin when a stale response may be
    /// answered; `None` is as long as it takes.
    pub stale_if_slow: Option<Duration>,
    /// How long it is remembered that a target was not storable.
    pub uncacheable_ttl: Duration,
    /// Who may purge on the proxy's own port.
    pub access: Access,
    /// In which dialects of other caches' clients.
    pub dialects: Understood,
    /// Whose demands on what is stored are heeded.
    pub refresh: Access,
    /// Who is told why, beside the answer.
    pub debug: Access,
    /// After how long a purge is made again.
    pub rebound: Option<Duration>,
    /// How much of what was purged is fetched again, where that is asked for.
    pub refill: RefillOptions,
    /// The response to a POST may be stored for later GETs.
    pub store_post: bool,
    /// What is filled for each visitor in pages that many share.
    pub forms: Offer,
    /// `Cache-Status` tells the key.
    pub status_key: bool,
}

/// A fetch under way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct FlightKey {
    key: CacheKey,
    query: Option<Arc<QueryContent>>,
    /// What of the variant is known beforehand.
    variant: u64,
}

impl FlightKey {
    fn of(request: &Presented, key: &CacheKey, variant: u64) -> FlightKey {
        FlightKey { key: key.clone(), query: request.query.clone(), variant }
    }
}

/// How often a request may find that what it waited for is not for it. Whom it followed
/// to nothing at all does not count: that one is gone, and the next may be itself.
const MOST_TRIES: usize = 4;

/// The proxy, as one runtime has it.
pub struct Proxy {
    shared: Shared,
    pool: Arc<Pool>,
}

/// A response, and what the cache has to say about it.
struct Answer {
    response: Response<Body>,
    status: CacheStatus,
}

impl Proxy {
    /// A proxy with this pool of connections.
    pub fn new(shared: Shared, pool: Arc<Pool>) -> Proxy {
        Proxy { shared, pool }
    }

    /// Counts what went wrong. Returns whether it may be written down.
    pub fn met(&self, trouble: Trouble) -> Option<Leave> {
        self.shared.met(trouble)
    }

    /// What is counted of memory.
    pub fn account(&self) -> &Arc<Account> {
        &self.shared.account
    }

    /// Looks after the origin for ever; for one of the runtimes to do.
    pub async fn watch_origin(self: Arc<Self>) {
        self.pool.watch().await;
    }

    /// Answers a request from the connection with this peer; whom to tell of
    /// interim responses before that is said by `interims`. Never fails: what
    /// goes wrong is answered.
    pub async fn handle(
        self: &Arc<Self>,
        mut request: Request<Incoming>,
        peer: &Peer,
        interims: Interims,
    ) -> Response<Recorded> {
        let began = self.shared.clock.precise();
        let mut line = record::Line::begin(&request, peer, began, &self.shared);
        let upgrade = hyper::upgrade::on(&mut request);
        let (mut parts, body) = request.into_parts();
        let options = &self.shared.options;
        let as_sent = purging::fields_as_sent(&mut parts);
        let answer = match Presented::read(parts, peer, &options.presented) {
            Ok(mut presented) => {
                presented.interims = interims.without(&self.shared.unshown, options.forms.nonce);
                if let Some(line) = &mut line {
                    line.is_about(&mut presented);
                }
                demands::settle(&mut presented, options);
                let explained = explain::is_wanted(&mut presented, options);
                let presented = Arc::new(presented);
                let began = self.shared.clock.now();
                let mut answer = self.answer(&presented, as_sent.as_ref(), body, upgrade).await;
                answer.status.filled = forms::of(&answer.response).is_some();
                self.shared.observe(&presented, &answer, began);
                if options.status_key {
                    answer.status.key = Some(presented.target.to_string());
                }
                if explained {
                    explain::beside(&self.shared, &presented, &mut answer);
                }
                self.fill_in(&presented, answer)
            }
            Err(refusal) => purging::too_long(as_sent.as_ref(), options.presented.max_field)
                .unwrap_or_else(|| self.refused(&refusal)),
        };
        record::finish(self, line, began, answer)
    }

    /// Answers a request that this peer sent and whose head could not be read;
    /// its first line is for the log.
    pub fn refuse(
        self: &Arc<Self>,
        refusal: &Refusal,
        line: &str,
        peer: &Peer,
    ) -> Response<Recorded> {
        let (line, began) = (record::Line::unread(line, peer, &self.shared), Duration::ZERO);
        record::finish(self, line, began, self.refused(refusal))
    }

    /// Counts a refusal; the access log has a line for each.
    fn refused(&self, refusal: &Refusal) -> Answer {
        self.shared.met(Trouble::of_refusal(refusal.status));
        respond::refusal(refusal)
    }

    /// Answers a request for something that the app has. What goes to the origin
    /// waits in a box: hyper moves the whole of this future for each request, and a
    /// hit needs none of that.
    async fn page(
        self: &Arc<Self>,
        request: &Arc<Presented>,
        body: Incoming,
        upgrade: OnUpgrade,
    ) -> Answer {
        match passthrough::reason(request, &self.shared.options) {
            Some(why) if request.wants_websocket => {
                Box::pin(self.tunnel(request, upgrade, why)).await
            }
            Some(why) if self.may_store_answer_to(request) => {
                Box::pin(self.post(request, body, why)).await
            }
            Some(why) => Box::pin(self.pass(request, body, why)).await,
            None if request.method == Method::QUERY => Box::pin(self.query(request, body)).await,
            None => self.through_the_cache(request).await,
        }
    }

    async fn through_the_cache(self: &Arc<Self>, request: &Arc<Presented>) -> Answer {
        let key = CacheKey::new(request.target.clone());
        let mut flight = Flight::default();
        let patience = &mut self.shared.options.stale_if_slow.map(|span| Box::pin(sleep(span)));
        while flight.tries < MOST_TRIES {
            let found = self.shared.look_up(request, &key);
            match &found {
                Found::Usable(stored, detail) => return self.hit(request, &key, stored, *detail),
                Found::UsableNearItsEnd(stored) => {
                    let often = stored.asked_for_near_its_end();
                    if often {
                        self.validate_behind(request, &key, stored);
                    }
                    return self.hit(request, &key, stored, often.then_some(Reason::EarlyRefresh));
                }
                Found::UsableWhileValidated(stored) => {
                    self.validate_behind(request, &key, stored);
                    let why = match stored.softened() {
                        Some(_) => Reason::SoftPurge,
                        None => Reason::StaleWhileRevalidate,
                    };
                    return self.hit(request, &key, stored, Some(why));
                }
                Found::Stale(stored, Forward::Stale) if self.stands_in(request, &key, stored) => {
                    self.ask_now_and_then(request, &key, stored);
                    return self.hit(request, &key, stored, Some(Reason::StaleWhenDown));
                }
                Found::Stale(..) | Found::Part(_) | Found::Others(_) => {}
                Found::Withheld | Found::Nothing(_) => {}
            }
            if only_if_cached(&request.fields) {
                return respond::only_if_cached();
            }
            if passthrough::is_not_fetched(request) {
                return Box::pin(self.not_fetched(request, &key, &found)).await;
            }
            let fetching = Box::pin(self.fetch_with_others(request, &key, &found, &flight));
            match self.unless_slow(request, &key, &found, fetching, patience).await {
                Followed::Answer(answer) => return *answer,
                Followed::Again(next) => flight = next,
            }
        }
        self.go_alone(request, &key, Some(Reason::TooManyTries)).await
    }

    /// Fetches for all who wait, or waits for the one who does. Who says who
    /// they are, who wants a part, and whose target is known not to be
    /// storable, goes alone.
    async fn fetch_with_others(
        self: &Arc<Self>,
        request: &Arc<Presented>,
        key: &CacheKey,
        found: &Found,
        flight: &Flight,
    ) -> Followed {
        let personal = request.visitor(&self.shared.options.policy).is_known();
        let part = request.fields.contains_key(header::RANGE);
        let known = self.known_not_storable(request, key);
        if personal || part || known.is_some() {
            let plan = Plan { known, ..Plan::new(request, key, found) };
            return Followed::Answer(Box::new(self.fetch_alone(plan, None).await));
        }
        // A fetch that left before a purge of this target is no use any more.
        let purged = self.purged_since(key, &Tags::default(), 0);
        let at_least = match demands::want_what_is_now(&request.demands) {
            true => u64::MAX,
            false => flight.at_least.max(purged),
        };
        let number = || self.shared.purger.last();
        let flight_key = FlightKey::of(request, key, flight.variant);
        match self.shared.collapser.join(flight_key, at_least, number) {
            Role::Lead(leader) => {
                // A flight may have landed and left since the lookup.
                let found = self.shared.look_up(request, key);
                if found.is_usable() {
                    let tries = flight.tries + 1;
                    return Followed::Again(Flight { at_least, tries, ..*flight });
                }
                let plan = Plan::new(request, key, &found);
                let answer = self.fetch(plan, Some(leader)).await;
                Followed::Answer(Box::new(answer))
            }
            Role::Follow(follower) => {
                let landing = follower.landing().await;
                self.follow(request, key, found, flight, landing).await
            }
        }
    }

    fn known_not_storable(&self, request: &Presented, key: &CacheKey) -> Option<Known> {
        let wanted = Wanted { key, request, policy: &self.shared.options.policy };
        self.shared.uncacheable.known(&wanted, self.shared.clock.now())
    }

    /// Fetches for one request only. If there is something to answer instead, the
    /// fetch may be left alone, and has to go on.
    async fn fetch_alone(self: &Arc<Self>, plan: Plan, detail: Option<Reason>) -> Answer {
        let mut answer = match plan.stale {
            Some(_) => self.fetch(plan, None).await,
            None => self.fetch_in_front(plan).await,
        };
        answer.status.detail = answer.status.detail.or(detail);
        answer
    }

    fn hit(
        &self,
        request: &Presented,
        key: &CacheKey,
        stored: &crate::storage::StoredResponse,
        detail: Option<Reason>,
    ) -> Answer {
        let now = self.shared.clock.now();
        stored.count_hit(now);
        self.shared.memory.asked_for(key.hash(), stored);
        let mut status = CacheStatus::new(Outcome::Hit);
        status.ttl = Some(stored.ttl(now));
        status.detail = detail;
        respond::from_store(request, stored, now, self.shared.options.max_ranges, status)
    }
}

/// What a request that waits knows of the fetch that it wants to follow.
#[derive(Clone, Copy, Default)]
struct Flight {
    /// Fetches with a lower number left before a purge that concerns it.
    at_least: u64,
    /// What is known of the variant; zero for nothing.
    variant: u64,
    /// One that it followed has failed already.
    failed: bool,
    /// How many of those it waited for brought something that is not for it.
    tries: usize,
}
