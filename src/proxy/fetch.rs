//! Going to the origin: the fetch is a task of its own, so that it outlives the
//! client who caused it, and everybody who waits for it is given what arrives.

use super::lookup::Found;
use super::respond::{self, Failed};
use super::{Answer, FlightKey, Proxy};
use crate::body::{Body, Fill, Pushed, Source};
use crate::collapse::{self, Landing};
use crate::error::BodyError;
use crate::key::CacheKey;
use crate::message::Presented;
use crate::origin;
use crate::purge::{Departure, Verdict};
use crate::semantics::cache_status::{CacheStatus, Forward};
use crate::semantics::storable::Reason;
use crate::semantics::time::Exchange;
use crate::semantics::validation::{self, Validated};
use crate::storage::{Content, StoredResponse};
use http::{HeaderMap, Response, StatusCode};
use http_body_util::BodyExt;
use std::sync::Arc;
use tokio::sync::oneshot;

pub(super) type Leader = collapse::Leader<FlightKey, Arrived>;

/// What a fetch is to do.
pub(super) struct Plan {
    pub request: Presented,
    pub key: CacheKey,
    /// The stale response that may be validated, or stand in for a failure.
    pub stale: Option<Arc<StoredResponse>>,
    pub forward: Forward,
}

impl Plan {
    pub fn new(request: &Presented, key: &CacheKey, found: &Found) -> Plan {
        let stale = match found {
            Found::Stale(stored) => Some(Arc::clone(stored)),
            _ => None,
        };
        Plan { request: request.clone(), key: key.clone(), stale, forward: found.forward() }
    }
}

/// What a fetch brings for everybody.
#[derive(Clone, Debug)]
pub(super) enum Arrived {
    /// A head, and a body that is still coming.
    Filling(Arc<Filling>),
    /// A stored response that the origin has confirmed.
    Stored(Arc<StoredResponse>),
    /// Nothing.
    Failed(Failed),
}

/// A response that is going to be stored when its body is whole.
#[derive(Debug)]
pub(super) struct Filling {
    /// The head; the body is not in it yet.
    pub content: Content,
    /// The body.
    pub source: Source,
    /// The origin sent an `Age`.
    pub aged: bool,
}

/// What the origin said, and when.
pub(super) struct Reply {
    pub departure: Departure,
    pub exchange: Exchange,
    pub response: Response<Body>,
}

impl Proxy {
    /// Fetches, and answers the request that the fetch is for.
    pub(super) async fn fetch(self: &Arc<Self>, plan: Plan, leader: Option<Leader>) -> Answer {
        let (own, mine) = oneshot::channel();
        let forward = plan.forward;
        tokio::spawn(Arc::clone(self).run(plan, leader, own));
        mine.await.unwrap_or_else(|_| respond::fetch_lost(forward))
    }

    async fn run(
        self: Arc<Self>,
        plan: Plan,
        leader: Option<Leader>,
        own: oneshot::Sender<Answer>,
    ) {
        let failed = match self.ask_for_ours(&plan).await {
            Ok((reply, None)) => match self.better_stale(&plan, &reply) {
                Some(failed) => failed,
                None => return self.arrived(plan, reply, leader, own).await,
            },
            Ok((reply, Some(fields))) => return self.confirmed(&plan, reply, *fields, leader, own),
            Err(error) => {
                self.shared.metrics.origin_failures.count();
                tracing::warn!(target = %plan.request.target, %error, "the origin failed");
                Failed::Silent(error)
            }
        };
        if let Some(leader) = leader {
            leader.land(Landing::Shared(Arrived::Failed(failed.clone())));
        }
        let status = CacheStatus::forwarded(plan.forward);
        let stale = plan.stale.as_ref();
        let _ = own.send(self.without_origin(&plan.request, &plan.key, stale, &failed, status));
    }

    /// Asks; with the fields of the freshened response if the origin confirmed
    /// the stale one. A 304 about something else is asked again without
    /// conditions (RFC 9111 section 4.3.3).
    async fn ask_for_ours(
        &self,
        plan: &Plan,
    ) -> Result<(Reply, Option<Box<HeaderMap>>), crate::error::OriginError> {
        let mut fields = plan.request.fields.clone();
        let now = self.shared.clock.now();
        // Where nothing is going to be stored, the client's own copy may do.
        let hopeless = self.shared.uncacheable.reason(&plan.key, now).is_some_and(is_lasting);
        let departure = self.shared.purger.depart();
        // Looked up a while ago: a purge since then is not to be got round.
        let stale = plan.stale.as_ref().filter(|stale| self.stands(&plan.key, stale));
        match stale {
            Some(stale) => {
                validation::make_conditional(&mut fields, &stale.content().fields);
            }
            None if hopeless => {}
            None => validation::remove_conditions(&mut fields),
        }
        let reply = self.ask(plan, fields, departure).await?;
        let Some(stale) = stale.filter(|_| is_304(&reply)) else {
            return Ok((reply, None));
        };
        match validation::freshen(&stale.content().fields, reply.response.headers()) {
            Validated::Freshened(fields) => Ok((reply, Some(fields))),
            Validated::Other => {
                let mut fields = plan.request.fields.clone();
                validation::remove_conditions(&mut fields);
                let departure = self.shared.purger.depart();
                Ok((self.ask(plan, fields, departure).await?, None))
            }
        }
    }

    async fn ask(
        &self,
        plan: &Plan,
        fields: HeaderMap,
        departure: Departure,
    ) -> Result<Reply, crate::error::OriginError> {
        let host = self.shared.options.host.as_ref();
        let request = origin::outbound(&plan.request, fields, Body::empty(), host);
        let sent = self.shared.clock.now();
        self.shared.metrics.origin_requests.count();
        let mut response = self.pool.send(request).await?;
        crate::semantics::fields::remove_hop_by_hop(response.headers_mut());
        let exchange = Exchange {
            sent,
            received: self.shared.clock.now(),
            received_at: self.shared.clock.wall(),
        };
        Ok(Reply { departure, exchange, response })
    }

    /// The origin has confirmed the stale response: freshen it.
    fn confirmed(
        &self,
        plan: &Plan,
        reply: Reply,
        fields: HeaderMap,
        leader: Option<Leader>,
        own: oneshot::Sender<Answer>,
    ) {
        let Some(stale) = &plan.stale else { return };
        let content = self.freshened(plan, stale, fields, &reply);
        let storable = self.storability(&plan.request, &content, content.length);
        let stored = Arc::new(StoredResponse::new(content));
        let mut status = CacheStatus::forwarded(plan.forward);
        status.forward_status = Some(StatusCode::NOT_MODIFIED.as_u16());
        match storable {
            Ok(()) => status.stored = self.keep(&plan.key, &stored),
            Err(reason) => {
                self.outdate(plan, reason);
                status.detail = Some(reason.code());
            }
        }
        if let Some(leader) = &leader {
            let shared = storable.is_ok() && self.is_fresh(stored.content());
            leader.land(if shared {
                Landing::Shared(Arrived::Stored(Arc::clone(&stored)))
            } else {
                Landing::Alone
            });
        }
        let now = self.shared.clock.now();
        let most = self.shared.options.max_ranges;
        let mut answer = respond::from_store(&plan.request, &stored, now, most, status);
        // A cookie in the 304 is for whoever asked.
        for cookie in reply.response.headers().get_all(http::header::SET_COOKIE) {
            answer.response.headers_mut().append(http::header::SET_COOKIE, cookie.clone());
        }
        let _ = own.send(answer);
    }

    /// A response of its own has arrived: store it while it is being read, or
    /// hand it on.
    async fn arrived(
        &self,
        plan: Plan,
        reply: Reply,
        leader: Option<Leader>,
        own: oneshot::Sender<Answer>,
    ) {
        let Reply { departure, exchange, mut response } = reply;
        let aged = response.headers().contains_key(http::header::AGE);
        let content = self.content(&plan.request, &mut response, &exchange, departure.fence());
        let expected = http_body::Body::size_hint(response.body()).exact();
        let mut status = CacheStatus::forwarded(plan.forward);
        if let Err(reason) = self.storability(&plan.request, &content, expected.unwrap_or(0)) {
            // An origin in trouble says nothing about the page.
            let status_code = content.status;
            if !status_code.is_server_error() && status_code != StatusCode::TOO_MANY_REQUESTS {
                self.outdate(&plan, reason);
            }
            let personal = super::lookup::is_personal(&plan.request, &self.shared.options.policy);
            // What one visitor is answered says nothing about the next.
            if !personal && reason != Reason::Status {
                self.shared.uncacheable.note(&plan.key, reason, exchange.received);
            }
            if let Some(leader) = leader {
                leader.land(Landing::Alone);
            }
            status.detail = Some(reason.code());
            let _ = own.send(respond::handed_on(&plan.request, response, &exchange, status));
            return;
        }
        status.stored = true;
        self.shared.uncacheable.forget(&plan.key);
        let limit = usize::try_from(self.shared.options.max_object).unwrap_or(usize::MAX);
        let fill = Fill::new(limit, expected);
        let filling = Arc::new(Filling { content, source: fill.source(), aged });
        let now = self.shared.clock.now();
        if let Some(answer) = respond::from_filling(&plan.request, &filling, now, status) {
            let _ = own.send(answer);
        }
        if let Some(leader) = &leader {
            let shared = self.is_fresh(&filling.content);
            leader.land(match shared {
                true => Landing::Shared(Arrived::Filling(Arc::clone(&filling))),
                false => Landing::Alone,
            });
        }
        let body = response.into_body();
        self.pump(&plan.key, body, fill, &filling.content, leader, departure).await;
    }

    /// Reads the body for everybody, and stores it when it is whole.
    async fn pump(
        &self,
        key: &CacheKey,
        mut body: Body,
        fill: Fill,
        content: &Content,
        leader: Option<Leader>,
        departure: Departure,
    ) {
        let mut on_the_way = Some((leader, departure));
        let mut trailers = None;
        while let Some(frame) = body.frame().await {
            let frame = match frame {
                Ok(frame) => frame,
                Err(error) => {
                    tracing::warn!(target = %key.target(), %error, "a response broke off");
                    return fill.abort(error);
                }
            };
            match frame.into_data() {
                Ok(chunk) => match fill.push(chunk).await {
                    Pushed::Kept => {}
                    Pushed::Outgrown => {
                        // Newcomers could not be given its beginning, and
                        // nothing will be stored.
                        if on_the_way.take().is_some() {
                            let now = self.shared.clock.now();
                            self.shared.uncacheable.note(key, Reason::TooLarge, now);
                        }
                    }
                    Pushed::NobodyCares => return fill.abort(BodyError::Abandoned),
                },
                Err(frame) => trailers = frame.into_trailers().ok(),
            }
        }
        if let Some(filled) = fill.finish(trailers) {
            let stored = StoredResponse::new(super::content::with_body(content, &filled));
            self.keep(key, &Arc::new(stored));
        }
    }

    /// The origin does not confirm the stale response any more, and what it says
    /// instead may not be stored: the stale one is not to stand in for it.
    fn outdate(&self, plan: &Plan, reason: Reason) {
        let personal = super::lookup::is_personal(&plan.request, &self.shared.options.policy);
        if let Some(stale) = &plan.stale
            && !personal
            && reason.is_about_the_response()
        {
            self.shared.memory.remove_one(&plan.key, stale);
        }
    }

    /// Stores a response, unless what it is has been purged since its request
    /// left for the origin.
    fn keep(&self, key: &CacheKey, stored: &Arc<StoredResponse>) -> bool {
        let content = stored.content();
        let verdict = self.shared.purger.judge(key, &content.tags, content.fence);
        if matches!(verdict, Verdict::Hard { .. })
            || !self.shared.memory.put(key, Arc::clone(stored))
        {
            return false;
        }
        // A purge between the two has not met it in the store, and its mark may
        // be forgotten once this fetch is over.
        if !self.stands(key, stored) {
            self.shared.memory.remove_one(key, stored);
            return false;
        }
        self.shared.metrics.stored.count();
        true
    }
}

fn is_304(reply: &Reply) -> bool {
    reply.response.status() == StatusCode::NOT_MODIFIED
}

/// Reasons that lie in the response itself and will be there next time.
fn is_lasting(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::NoStore | Reason::Private | Reason::VaryAny | Reason::NoLifetime | Reason::TooLarge
    )
}
