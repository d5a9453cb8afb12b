//! The answer to a POST, stored for later GETs if it says so itself (RFC 9110
//! section 9.3.3).

use super::ask::{Plan, Reply};
use super::content::stated_variance;
use super::lookup::Found;
use super::partial::Beside;
use super::respond;
use super::{Answer, Proxy, forms, passthrough};
use crate::body::Body;
use crate::key::CacheKey;
use crate::message::Presented;
use crate::origin::WhenRefused;
use crate::purge::Verdict;
use crate::semantics::cache_status::{CacheStatus, Forward};
use crate::semantics::tags::Tags;
use crate::semantics::time::Exchange;
use crate::semantics::{cookies, invalidation, validation};
use http::{Method, Request, StatusCode};
use hyper::body::Incoming;
use std::sync::Arc;
use tokio::sync::oneshot;

impl Proxy {
    /// Whether the answer to a request that is not GET may be stored.
    pub(super) fn may_store_answer_to(&self, request: &Presented) -> bool {
        let options = &self.shared.options;
        let bypassed = cookies::bears_any(&request.fields, &options.bypass_cookies)
            || options.bypass_paths.any_reading(request.target.path()).is_some();
        let refused = bypassed || request.demands.no_store;
        options.store_post && request.method == Method::POST && !refused
    }

    /// Hands on a POST, and its answer; stores the answer if it is what a GET
    /// of the same target would be given.
    pub(super) async fn post(
        self: &Arc<Self>,
        request: &Presented,
        body: Incoming,
        status: CacheStatus,
    ) -> Answer {
        match self.with_body(request, body).await {
            // In a box of its own: while a body is awaited, nothing of it is needed.
            Ok(outbound) => Box::pin(self.post_with(request, outbound, status)).await,
            Err(error) => self.no_answer(request, error, status),
        }
    }

    async fn post_with(
        self: &Arc<Self>,
        request: &Presented,
        outbound: Request<Body>,
        status: CacheStatus,
    ) -> Answer {
        let departure = self.shared.purger.depart();
        let sent = self.shared.clock.now();
        let comes = passthrough::still_comes(&outbound);
        let response = match self.exchange(request, outbound, WhenRefused::Wait).await {
            Ok(response) => response,
            Err(error) => return self.not_sent(request, error, status, comes),
        };
        let (received, received_at) = (self.shared.clock.now(), self.shared.clock.wall());
        let exchange = Exchange { sent, received, received_at };
        let host = request.target.host();
        let path = request.target.path_and_query();
        let shown = forms::can_be_shown(&response).is_ok();
        if shown && invalidation::speaks_of_itself(response.headers(), host, path) {
            let reply = Reply { departure, exchange, response, tags: Tags::default() };
            return self.store_posted(request, reply, status).await;
        }
        self.invalidate_after(request, &response);
        self.handed_on(request, response, status)
    }

    async fn store_posted(
        self: &Arc<Self>,
        request: &Presented,
        mut reply: Reply,
        status: CacheStatus,
    ) -> Answer {
        let mut as_get = Presented { method: Method::GET, ..request.clone() };
        validation::remove_conditions(&mut as_get.fields);
        let as_get = Arc::new(as_get);
        let key = CacheKey::new(request.target.clone());
        let plan = Plan::new(&as_get, &key, &Found::Nothing(Forward::Method));
        let taken = self.take(&mut reply);
        let mut judged = self.judged(&plan, &reply, taken);
        let lifetime = judged.content.freshness.lifetime;
        let explicit = lifetime.is_explicit() && lifetime.span.get() > 0;
        let expected = http_body::Body::size_hint(reply.response.body()).exact();
        let storable = self.storability(&as_get, &judged, expected.unwrap_or(0)).is_ok();
        let wanted = judged.content.status == StatusCode::OK && explicit && storable;
        // The POST's own purge is no reason not to store its answer; another that
        // met it while it was away is, or any in the moment between the two looks.
        let before = self.shared.purger.last();
        let verdict =
            self.shared.purger.judge(&key, &judged.content.rare.tags, judged.content.fence);
        self.invalidate_after(request, &reply.response);
        let departure = self.shared.purger.depart();
        // A purge of another URL that it would answer may not have heard of that, and
        // has left no mark that meets it.
        let alone = stated_variance(&judged.content).is_none();
        let unmet = verdict == Verdict::Stands && (alone || judged.content.fence == before);
        let undisturbed = unmet && departure.fence() == before + 1;
        if !wanted || !undisturbed {
            return Answer { response: reply.response, status };
        }
        judged.content.fence = departure.fence();
        reply.departure = departure;
        let (own, mine) = oneshot::channel();
        let pouring = self.fill(plan, reply, judged, Beside::Nothing, None, own);
        tokio::spawn(Arc::clone(self).pump(pouring));
        mine.await.unwrap_or_else(|_| respond::fetch_lost(Forward::Method))
    }
}
