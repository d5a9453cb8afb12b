//! Requests that the cache has no part in: handed on as they come, and their
//! answers too.

use super::lookup::Found;
use super::respond::{self, Failed};
use super::{Answer, Options, Proxy, forms};
use crate::body::{self, Body, Passing};
use crate::error::OriginError;
use crate::key::CacheKey;
use crate::message::Presented;
use crate::origin::{self, WhenRefused};
use crate::purge::{Group, IN_BAND, Made, Selectors, Softness};
use crate::semantics::cache_status::{CacheStatus, Forward};
use crate::semantics::reason::Reason;
use crate::semantics::validation;
use crate::semantics::{conditional, cookies, invalidation, range, tags, targeted};
use http::header::{self, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use std::sync::Arc;

/// Why the cache has no part in a request; `None` if it has.
pub(super) fn reason(request: &Presented, options: &Options) -> Option<CacheStatus> {
    let because = |forward, detail| {
        let mut status = CacheStatus::forwarded(forward);
        status.detail = detail;
        Some(status)
    };
    if request.wants_websocket {
        return because(Forward::Bypass, Some(Reason::Upgrade));
    }
    let is_query = request.method == Method::QUERY;
    if !is_query && request.method != Method::GET && request.method != Method::HEAD {
        return because(Forward::Method, None);
    }
    if is_query && request.fields.contains_key(header::RANGE) {
        return because(Forward::Bypass, Some(Reason::Range));
    }
    if request.has_body && !is_query {
        return because(Forward::Bypass, Some(Reason::RequestBody));
    }
    if request.demands.no_store {
        return because(Forward::Request, Some(Reason::RequestNoStore));
    }
    if conditional::for_the_origin(&request.fields) {
        return because(Forward::Bypass, Some(Reason::Precondition));
    }
    if options.bypass_paths.any_reading(request.target.path()).is_some() {
        return because(Forward::Bypass, Some(Reason::BypassPath));
    }
    if cookies::bears_any(&request.fields, &options.bypass_cookies) {
        return because(Forward::Bypass, Some(Reason::BypassCookie));
    }
    None
}

/// Whether a request asks for something that the cache does not fetch: the head
/// alone, several parts, or a part on a condition. It is answered from the store
/// if it can be, and else handed on as it is.
pub(super) fn is_not_fetched(request: &Presented) -> bool {
    let ranged = request.fields.contains_key(header::RANGE);
    request.method == Method::HEAD || (ranged && !range::asks_for_one(&request.fields))
}

impl Proxy {
    /// Answers a request that [`is_not_fetched`]. One for more ranges than are taken
    /// is one for the whole, of which it is answered if it is stored too: it is asked
    /// for together with others. A server may ignore `Range` (RFC 9110 section 14.2),
    /// and `If-Range` goes with it (section 13.1.5).
    pub(super) async fn not_fetched(
        self: &Arc<Self>,
        request: &Arc<Presented>,
        key: &CacheKey,
        found: &Found,
    ) -> Answer {
        let mut status = CacheStatus::forwarded(found.forward());
        if request.method == Method::HEAD {
            status.detail = Some(Reason::Head);
            return self.head(request, key, found, status).await;
        }
        if range::asks_for_more_than(&request.fields, self.shared.options.max_ranges) {
            let mut whole = Presented::clone(request);
            whole.fields.remove(header::RANGE);
            whole.fields.remove(header::IF_RANGE);
            return self.through_the_cache(&Arc::new(whole)).await;
        }
        status.detail = Some(Reason::Range);
        self.pass_with(request, Body::empty(), status).await
    }

    /// Hands on a request with its body, and the answer.
    pub(super) async fn pass(
        &self,
        request: &Presented,
        body: Incoming,
        status: CacheStatus,
    ) -> Answer {
        match self.with_body(request, body).await {
            // In a box of its own: while a body is awaited, nothing of it is needed.
            Ok(outbound) => Box::pin(self.hand_on(request, outbound, status)).await,
            Err(error) => self.no_answer(request, error, status),
        }
    }

    /// The request for the origin, with its body: as it comes, once so much of it
    /// is here that the client is not the one who holds up the origin.
    ///
    /// # Errors
    /// [`OriginError::RequestBody`]: it did not come so far.
    pub(super) async fn with_body(
        &self,
        request: &Presented,
        body: Incoming,
    ) -> Result<Request<Body>, OriginError> {
        let options = &self.shared.options;
        let body = match request.has_body {
            true => {
                let body = Passing::new(body, options.request_body);
                self.begun(body.counted(&self.shared.account)).await?
            }
            false => Body::empty(),
        };
        Ok(origin::outbound(request, request.fields.clone(), body, options.host.as_ref()))
    }

    /// A request's body, as far as it is read before a place at the origin is taken.
    pub(super) async fn begun(&self, body: Passing) -> Result<Body, OriginError> {
        let most = self.shared.options.request_ahead;
        body::begun(body, most).await.map_err(OriginError::RequestBody)
    }

    /// Hands on a request with this body.
    pub(super) async fn pass_with(
        &self,
        request: &Presented,
        body: Body,
        status: CacheStatus,
    ) -> Answer {
        let host = self.shared.options.host.as_ref();
        let outbound = origin::outbound(request, request.fields.clone(), body, host);
        self.hand_on(request, outbound, status).await
    }

    async fn hand_on(
        &self,
        request: &Presented,
        outbound: Request<Body>,
        status: CacheStatus,
    ) -> Answer {
        let comes = still_comes(&outbound);
        match self.answered(request, outbound).await {
            Ok(response) => {
                self.invalidate_after(request, &response);
                self.handed_on(request, response, status)
            }
            Err(error) => self.not_sent(request, error, status, comes),
        }
    }

    /// The origin's answer to a request that is handed on. A page that is filled nobody has
    /// already: what the app confirms of one is asked for again, whole. A request whose body
    /// has gone can't be; it makes no such condition where anything is filled.
    async fn answered(
        &self,
        request: &Presented,
        mut outbound: Request<Body>,
    ) -> Result<Response<Body>, OriginError> {
        let may_be_confirmed = self.shared.options.forms.is_any()
            && request.method.is_safe()
            && validation::may_be_not_modified(outbound.headers());
        if !may_be_confirmed {
            return self.exchange(request, outbound, WhenRefused::Wait).await;
        }
        let again = outbound.body().is_end_stream().then(|| unconditional(&outbound));
        if again.is_none() {
            validation::remove_conditions(outbound.headers_mut());
        }
        let response = self.exchange(request, outbound, WhenRefused::Wait).await?;
        let is_confirmed = response.status() == StatusCode::NOT_MODIFIED;
        match again.filter(|_| is_confirmed && forms::are_spoken_of(&response)) {
            Some(again) => {
                drop(response);
                self.exchange(request, again, WhenRefused::Wait).await
            }
            None => Ok(response),
        }
    }

    /// The origin's answer as a client is given it that the cache has no part in.
    pub(super) fn handed_on(
        &self,
        request: &Presented,
        mut response: Response<Body>,
        status: CacheStatus,
    ) -> Answer {
        if let Err(error) = forms::can_be_shown(&response) {
            return self.no_answer(request, error, status);
        }
        let options = &self.shared.options;
        tags::take(response.headers_mut(), &options.tag_fields);
        targeted::take_own(response.headers_mut(), &options.policy.targeted);
        Answer { response, status }
    }

    /// The origin has not answered.
    pub(super) fn no_answer(
        &self,
        request: &Presented,
        error: OriginError,
        status: CacheStatus,
    ) -> Answer {
        self.shared.note_failure(&request.target, &error);
        respond::failure(&Failed::Silent(error), status)
    }

    /// The same, of a request of whose body something may be to come.
    pub(super) fn not_sent(
        &self,
        request: &Presented,
        error: OriginError,
        status: CacheStatus,
        comes: bool,
    ) -> Answer {
        let mut answer = self.no_answer(request, error, status);
        if comes {
            respond::say_closed(&mut answer);
        }
        answer
    }

    /// What a successful unsafe request has changed is forgotten before its
    /// answer is handed on (RFC 9111 section 4.4), so that the page that it
    /// redirects to is new.
    pub(super) fn invalidate_after(&self, request: &Presented, response: &Response<Body>) {
        if !invalidation::invalidates(&request.method, response.status()) {
            return;
        }
        let host = request.target.host();
        let named = invalidation::also_named(response.headers(), host, request.target.path());
        let others = named.iter().filter_map(|path| request.target.with_path(path).ok());
        let keys = std::iter::once(request.target.clone())
            .chain(others)
            .flat_map(|target| CacheKey::new(target).in_both_schemes())
            .collect();
        let names = invalidation::groups(response.headers());
        request.notes.purged(names.iter().map(AsRef::as_ref));
        let groups = names.iter().map(|name| Group::at(&request.target, name)).collect();
        let selectors = Selectors { keys, groups, ..Selectors::default() };
        self.shared.purge(&selectors, Softness::Hard);
        if !selectors.groups.is_empty() {
            self.shared.audit.record(Made {
                by: "the app",
                peer: request.peer.ip(),
                via: IN_BAND,
                at: self.shared.clock.wall(),
                selectors: &selectors,
                softness: Softness::Hard,
                purge: None,
                purged: None,
                refill: None,
            });
        }
    }

    /// Hands on a request for a WebSocket; a tunnel is opened only once the
    /// origin has agreed.
    pub(super) async fn tunnel(
        &self,
        request: &Presented,
        client: OnUpgrade,
        status: CacheStatus,
    ) -> Answer {
        let host = self.shared.options.host.as_ref();
        let outbound = origin::upgrade_outbound(request, host);
        let mut answer = self.hand_on(request, outbound, status).await;
        if answer.response.status() == StatusCode::SWITCHING_PROTOCOLS {
            let origin = hyper::upgrade::on(&mut answer.response);
            let fields = answer.response.headers_mut();
            fields.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
            fields.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
            tokio::spawn(async move {
                if let (Ok(client), Ok(origin)) = (client.await, origin.await) {
                    copy_both_ways(client, origin).await;
                }
            });
        }
        answer
    }
}

/// Whether the body of a request is not whole in hand yet: if it is not sent on, nothing can be
/// read behind it.
pub(super) fn still_comes(outbound: &Request<Body>) -> bool {
    matches!(outbound.body(), Body::Passing(_))
}

/// A request without a body, and without its conditions.
fn unconditional(request: &Request<Body>) -> Request<Body> {
    let mut bare = Request::new(Body::empty());
    bare.method_mut().clone_from(request.method());
    bare.uri_mut().clone_from(request.uri());
    bare.headers_mut().clone_from(request.headers());
    bare.extensions_mut().clone_from(request.extensions());
    validation::remove_conditions(bare.headers_mut());
    bare
}

async fn copy_both_ways(client: Upgraded, origin: Upgraded) {
    let (mut client, mut origin) = (TokioIo::new(client), TokioIo::new(origin));
    if let Err(error) = tokio::io::copy_bidirectional(&mut client, &mut origin).await {
        tracing::debug!(%error, "a tunnel ended");
    }
}
