//! Going to the origin: the fetch is a task of its own, so that it outlives the
//! client who caused it, and everybody who waits for it is given what arrives.

use super::ask::{Confirmed, Plan, Reply};
use super::content::{Judged, stated_variance};
use super::partial::Beside;
use super::respond::{self, Failed};
use super::{Answer, FlightKey, Proxy};
use crate::account::Room;
use crate::body::{Body, Fill, Pushed, Source};
use crate::collapse::{self, Landing};
use crate::error::BodyError;
use crate::purge::{Departure, Verdict};
use crate::semantics::cache_status::CacheStatus;
use crate::semantics::directives::ResponseDirectives;
use crate::semantics::fields::copy_lines;
use crate::semantics::storable::{self, Reason};
use crate::semantics::vary::NominatedFields;
use crate::storage::{Content, StoredResponse};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::oneshot;

pub(super) type Leader = collapse::Leader<FlightKey, Arrived>;

/// What a fetch brings for everybody.
#[derive(Clone, Debug)]
pub(super) enum Arrived {
    /// A head, and a body that is still coming.
    Filling(Arc<Filling>),
    /// A stored response that the origin has confirmed; as long as somebody may
    /// look at it, the marks of purges since then are remembered.
    Stored { response: Arc<StoredResponse>, _departure: Arc<Departure> },
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
    /// Which fields are not for everybody.
    directives: ResponseDirectives,
    /// As long as somebody may look at the content, the marks of purges since
    /// its request left are remembered.
    pub _departure: Departure,
}

/// What is left to do once a response that may be stored has begun.
pub(super) struct Pouring {
    plan: Plan,
    body: Body,
    fill: Fill,
    filling: Arc<Filling>,
    beside: Beside,
    leader: Option<Leader>,
}

impl Proxy {
    /// Fetches, and answers the request that the fetch is for. Goes on though the
    /// client leaves.
    pub(super) async fn fetch(self: &Arc<Self>, plan: Plan, leader: Option<Leader>) -> Answer {
        let (own, mine) = oneshot::channel();
        let forward = plan.forward;
        tokio::spawn(Arc::clone(self).run(plan, leader, own));
        mine.await.unwrap_or_else(|_| respond::fetch_lost(forward))
    }

    /// The same for a target that is most likely not storable. Until it turns out
    /// to be, nothing is left to do for a client who leaves; so this is no task.
    pub(super) async fn fetch_in_front(self: &Arc<Self>, plan: Plan) -> Answer {
        let (own, mine) = oneshot::channel();
        let forward = plan.forward;
        if let Some(pouring) = self.bring(plan, None, own).await {
            tokio::spawn(Arc::clone(self).pump(pouring));
        }
        mine.await.unwrap_or_else(|_| respond::fetch_lost(forward))
    }

    /// Fetches for the store, and for whoever follows.
    pub(super) fn fetch_behind(self: &Arc<Self>, plan: Plan, leader: Leader) {
        let (own, _) = oneshot::channel();
        tokio::spawn(Arc::clone(self).run(plan, Some(leader), own));
    }

    async fn run(
        self: Arc<Self>,
        plan: Plan,
        leader: Option<Leader>,
        own: oneshot::Sender<Answer>,
    ) {
        if let Some(pouring) = self.bring(plan, leader, own).await {
            self.pump(pouring).await;
        }
    }

    /// Asks, and answers everybody who waits for the head.
    async fn bring(
        &self,
        plan: Plan,
        leader: Option<Leader>,
        own: oneshot::Sender<Answer>,
    ) -> Option<Pouring> {
        let failed = match self.ask_for_ours(&plan).await {
            Ok((reply, None)) => match self.better_stale(&plan, &reply) {
                Some(failed) => failed,
                None => return self.arrived(plan, reply, leader, own),
            },
            Ok((reply, Some(confirmed))) => {
                self.confirmed(&plan, reply, confirmed, leader, own);
                return None;
            }
            Err(error) => {
                self.shared.note_failure(&plan.request.target, &error);
                Failed::Silent(error)
            }
        };
        if let Some(leader) = leader {
            // Those who try again are not to find this one.
            leader.leave();
            leader.land(Landing::Shared(Arrived::Failed(failed.clone())));
        }
        let status = CacheStatus::forwarded(plan.forward);
        let stale = plan.stale.as_ref();
        let _ = own.send(self.without_origin(&plan.request, &plan.key, stale, &failed, status));
        None
    }

    /// The origin has confirmed a stored response: freshen it.
    fn confirmed(
        &self,
        plan: &Plan,
        reply: Reply,
        confirmed: Confirmed,
        leader: Option<Leader>,
        own: oneshot::Sender<Answer>,
    ) {
        let Confirmed { stored, fields } = confirmed;
        let judged = self.freshened(plan, &stored, *fields, &reply);
        let storable = self.storability(&plan.request, &judged, judged.content.length());
        let stored = Arc::new(StoredResponse::new(judged.content));
        let mut status = CacheStatus::forwarded(plan.forward);
        status.forward_status = Some(StatusCode::NOT_MODIFIED.as_u16());
        match storable {
            Ok(()) => status.stored = self.keep(plan, &stored),
            Err(reason) => {
                self.outdate(plan, reason);
                status.detail = Some(reason);
            }
        }
        if let Some(leader) = &leader {
            let shared = storable.is_ok() && self.is_fresh(stored.content());
            leader.land(if shared {
                let (response, departure) = (Arc::clone(&stored), Arc::new(reply.departure));
                Landing::Shared(Arrived::Stored { response, _departure: departure })
            } else {
                Landing::Alone
            });
        }
        let now = self.shared.clock.now();
        let most = self.shared.options.max_ranges;
        let mut answer = respond::from_store(&plan.request, &stored, now, most, status);
        // What the 304 bears for nobody else is for whoever asked, a cookie too. What
        // is stored of such a field was brought by somebody else.
        let told = reply.response.headers();
        for name in judged.withheld.keys().chain([&http::header::SET_COOKIE]) {
            copy_lines(told, name, answer.response.headers_mut());
        }
        let _ = own.send(answer);
    }

    /// A response of its own has arrived: store it while it is being read, or
    /// hand it on.
    fn arrived(
        &self,
        plan: Plan,
        mut reply: Reply,
        leader: Option<Leader>,
        own: oneshot::Sender<Answer>,
    ) -> Option<Pouring> {
        let beside = self.beside(&plan, &reply);
        let taken = self.take(&mut reply);
        let (method, status) = (&plan.request.method, reply.response.status());
        let (reason, nominated) = match storable::forbidden(method, status, &taken.directives) {
            Some(reason) => (reason, NominatedFields::of(reply.response.headers())),
            None => {
                let judged = self.judged(&plan, &reply, taken);
                let expected = http_body::Body::size_hint(reply.response.body()).exact();
                match self.storability(&plan.request, &judged, expected.unwrap_or(0)) {
                    Ok(()) => return Some(self.fill(plan, reply, judged, beside, leader, own)),
                    Err(reason) => (reason, judged.content.rare.nominated.clone()),
                }
            }
        };
        self.not_stored(&plan, status, &nominated, reason);
        if let Some(leader) = leader {
            leader.land(Landing::Alone);
        }
        let mut status = CacheStatus::forwarded(plan.forward);
        status.detail = Some(reason);
        let Reply { response, exchange, .. } = reply;
        let _ = own.send(respond::handed_on(&plan.request, response, &exchange, status));
        None
    }

    /// Has a response stored while it is being read, by everybody who waits for it.
    pub(super) fn fill(
        &self,
        plan: Plan,
        reply: Reply,
        judged: Judged,
        beside: Beside,
        leader: Option<Leader>,
        own: oneshot::Sender<Answer>,
    ) -> Pouring {
        let Reply { departure, response, .. } = reply;
        let limit = usize::try_from(self.shared.options.max_object).unwrap_or(usize::MAX);
        let expected = http_body::Body::size_hint(response.body()).exact();
        // Nobody knows how long it becomes; the last one became too long.
        let was_too_large = plan.known.as_ref().is_some_and(|k| k.reason == Reason::TooLarge);
        let is_in_doubt = expected.is_none() && was_too_large;
        if !is_in_doubt {
            self.shared.uncacheable.forget(&self.wanted(&plan));
        }
        let fill = Fill::new(limit, expected, Arc::clone(&self.shared.account));
        let aged = response.headers().contains_key(http::header::AGE);
        let Judged { content, directives, withheld } = judged;
        let source = fill.source();
        let filling =
            Arc::new(Filling { content, source, aged, directives, _departure: departure });
        let mut status = CacheStatus::forwarded(plan.forward);
        status.stored = !is_in_doubt;
        status.detail = is_in_doubt.then_some(Reason::TooLarge);
        let now = self.shared.clock.now();
        // Behind, nobody is there to read; nor to leave.
        if !own.is_closed()
            && let Some(mut answer) = respond::from_filling(&plan.request, &filling, now, status)
        {
            answer.response.headers_mut().extend(withheld);
            super::explain::remember_age(response.headers(), &mut answer);
            let _ = own.send(answer);
        }
        if let Some(leader) = &leader {
            let shared = self.is_fresh(&filling.content);
            leader.land(match shared {
                true => Landing::Shared(Arrived::Filling(Arc::clone(&filling))),
                false => Landing::Alone,
            });
        }
        Pouring { plan, body: response.into_body(), fill, filling, beside, leader }
    }

    /// Reads the body for everybody, and stores it when it is whole.
    pub(super) async fn pump(self: Arc<Self>, pouring: Pouring) {
        let Pouring { plan, mut body, fill, filling, beside, leader } = pouring;
        // Newcomers follow until it is stored.
        let mut in_flight = Some(leader);
        let whole = tokio::select! {
            biased;
            whole = self.pour(&plan, &mut body, &fill, &filling, &mut in_flight) => whole,
            () = fill.abandoned() => Err(BodyError::Abandoned),
        };
        let trailers = match whole {
            Ok(trailers) => trailers,
            Err(error) => return fill.abort(error),
        };
        if let Some(filled) = fill.finish(trailers)
            // What is stored is a copy in one piece.
            && self.shared.make_room(filled.length as usize) == Room::Plenty
            && let Some(mut content) = self.to_be_kept(&plan, &filling.content, &filled, beside)
        {
            let variance = self.variance(&plan, stated_variance(&content));
            content.rare.change(|rare| rare.variance = variance);
            if plan.known.is_some() {
                self.shared.uncacheable.forget(&self.wanted(&plan));
            }
            self.keep(&plan, &Arc::new(StoredResponse::new(content)));
        }
    }

    /// Pours the body into the fill to its end; gives back its trailers.
    async fn pour(
        &self,
        plan: &Plan,
        body: &mut Body,
        fill: &Fill,
        filling: &Filling,
        in_flight: &mut Option<Option<Leader>>,
    ) -> Result<Option<HeaderMap>, BodyError> {
        let mut trailers = None;
        while let Some(frame) = body.frame().await {
            match frame?.into_data() {
                Ok(chunk) => match self.push(fill, chunk).await {
                    Pushed::Kept => {}
                    Pushed::NoRoom => drop(in_flight.take()),
                    Pushed::Outgrown => {
                        // Newcomers could not be given its beginning, and
                        // nothing will be stored.
                        if in_flight.take().is_some() {
                            self.is_too_large(plan, filling);
                        }
                    }
                    Pushed::NobodyCares => {
                        if fill.is_too_large() && in_flight.take().is_some() {
                            self.is_too_large(plan, filling);
                        }
                        return Err(BodyError::Abandoned);
                    }
                },
                Err(frame) => {
                    // They are for all who read, and one of them alone has asked.
                    trailers = frame.into_trailers().ok();
                    if let Some(trailers) = &mut trailers {
                        filling.directives.withhold(trailers);
                        trailers.remove(http::header::SET_COOKIE);
                    }
                }
            }
        }
        Ok(trailers)
    }

    /// What comes has turned out to be too large to store.
    fn is_too_large(&self, plan: &Plan, filling: &Filling) {
        let nominated = &filling.content.rare.nominated;
        self.not_worth_waiting_for(plan, nominated, Reason::TooLarge);
        self.outdate(plan, Reason::TooLarge);
    }

    /// Adds a piece, for which what is stored gives way.
    async fn push(&self, fill: &Fill, chunk: Bytes) -> Pushed {
        self.shared.make_room(0);
        fill.push(chunk).await
    }

    /// The origin does not confirm the stale response any more, and what it says
    /// instead may not be stored: the stale one is not to stand in for it. Nor
    /// is a part, unless there is only too much of the whole.
    pub(super) fn outdate(&self, plan: &Plan, reason: Reason) {
        let personal = plan.request.visitor(&self.shared.options.policy).is_known();
        if personal || !reason.is_about_the_response() {
            return;
        }
        let part = plan.part.as_ref().filter(|_| reason != Reason::TooLarge);
        for outdated in plan.stale.as_ref().into_iter().chain(part) {
            self.shared.memory.remove_one(&outdated.content().place(&plan.key), outdated);
        }
    }

    /// Stores a response, unless what it is has been purged since its request
    /// left for the origin, or the request goes by options that have been replaced.
    pub(super) fn keep(&self, plan: &Plan, stored: &Arc<StoredResponse>) -> bool {
        let content = stored.content();
        let place = content.place(&plan.key);
        let retired = || self.shared.retired.load(Ordering::Acquire);
        let purged = || retired() || self.is_gone(&plan.key, &content.rare.tags, content.fence);
        // A purge that had not heard of its variance has marked one URL, and not what it is
        // stored under.
        let overtook = content.rare.variance.is_some()
            && self.shared.purger.named_near(&plan.key, content.fence);
        if overtook || purged() || !self.shared.memory.put(&place, Arc::clone(stored)) {
            return false;
        }
        // A purge between the two has not met it in the store, and its mark may
        // be forgotten once this fetch is over.
        let settled = self.shared.purger.settle(&place, stored);
        if purged() || matches!(settled, Verdict::Hard { .. }) {
            self.shared.memory.remove_one(&place, stored);
            return false;
        }
        // Under its own key what it replaces would be found first.
        for old in plan.stale.iter().chain(&plan.part).filter(|_| place != plan.key) {
            self.shared.memory.remove_one(&plan.key, old);
        }
        self.shared.metrics.stored.count();
        true
    }
}
