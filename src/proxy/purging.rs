//! Purges on the proxy's own port, in whichever dialect they come.

use super::{Answer, Proxy, passthrough, respond};
use crate::body::{self, Body, Unread};
use crate::dialects::{self, Claim, Head, Said, Wish, litespeed};
use crate::key::CacheKey;
use crate::message::{self, Presented};
use crate::metrics::{Leave, Trouble};
use crate::purge::{Grant, IN_BAND, Made, Selectors, Softness};
use crate::semantics::cache_status::{CacheStatus, Outcome};
use crate::semantics::request_directives::RequestDirectives;
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use hyper::body::Incoming;
use hyper::ext::ReasonPhrase;
use hyper::upgrade::OnUpgrade;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

const X_CACHE: HeaderName = HeaderName::from_static("x-cache");
const X_PURGED_COUNT: HeaderName = HeaderName::from_static("x-purged-count");
const X_HOST: HeaderName = HeaderName::from_static("x-host");

/// The largest document of a purge, in bytes.
const MOST_BYTES: usize = 1 << 20;

/// What became of a request that may be a purge.
enum Purging {
    /// It is one, and answered.
    Done(Box<Answer>),
    /// The page is to be fetched anew, and given to whoever asked.
    Refresh(Arc<Presented>),
    /// It is one for the app.
    Page,
}

/// Who purges, and how that came.
struct By {
    who: Arc<str>,
    peer: IpAddr,
    via: &'static str,
}

/// What a purge has met.
struct Met {
    gone: usize,
    stale: usize,
    /// The purge's number.
    number: u64,
}

/// The fields of a purge as they came. A ban names hosts in `X-Host`, which says in
/// any other request that somebody forwarded it.
pub(super) fn fields_as_sent(parts: &mut Parts) -> Option<HeaderMap> {
    let ordinary = [Method::GET, Method::HEAD, Method::POST].contains(&parts.method);
    if ordinary || !dialects::is_for_caches(&parts.method) {
        return None;
    }
    let fields = parts.headers.clone();
    if fields.contains_key("x-url") {
        parts.headers.remove(X_HOST);
    }
    Some(fields)
}

/// The answer to a purge with a field that is too long to be read.
pub(super) fn too_long(fields: Option<&HeaderMap>, most: usize) -> Option<Answer> {
    let (name, value) =
        fields?.iter().find(|(name, value)| name.as_str().len() + value.len() > most)?;
    let sentence = format!("{name}: {} bytes; {most} with the name are read", value.len());
    let response = respond::page(StatusCode::BAD_REQUEST, &sentence);
    let mut answer = Answer { response, status: CacheStatus::new(Outcome::Own) };
    respond::say_closed(&mut answer);
    Some(answer)
}

/// Whether a request has to be looked at: methods that pages are asked for with
/// are told by the method alone, but for a path of nginx's.
fn may_be_one(request: &Presented) -> bool {
    match request.method {
        Method::HEAD | Method::QUERY | Method::OPTIONS => false,
        Method::GET => is_path_of_one(request.target.path_and_query()),
        _ => true,
    }
}

/// Whether a GET of this path may be a purge.
pub(super) fn is_path_of_one(path_and_query: &str) -> bool {
    path_and_query.starts_with("/purge/")
}

impl Proxy {
    /// Answers a request: as a purge if it is one, else as one for the app.
    pub(super) async fn answer(
        self: &Arc<Self>,
        request: &Arc<Presented>,
        as_sent: Option<&HeaderMap>,
        mut body: Incoming,
        upgrade: OnUpgrade,
    ) -> Answer {
        if may_be_one(request) {
            // In a box that is gone when the app is asked: uploads have many at a time.
            let purge = Box::pin(self.purge(request, as_sent, &mut body));
            if let Some(answer) = purge.await {
                return answer;
            }
        }
        self.page(request, body, upgrade).await
    }

    /// The answer to a purge; `None` if the request is none.
    async fn purge(
        self: &Arc<Self>,
        request: &Arc<Presented>,
        as_sent: Option<&HeaderMap>,
        body: &mut Incoming,
    ) -> Option<Answer> {
        let mut answer = match self.purging(request, as_sent, body).await {
            Purging::Done(answer) => *answer,
            Purging::Refresh(as_get) => match passthrough::reason(&as_get, &self.shared.options) {
                Some(why) => self.pass_with(&as_get, Body::empty(), why).await,
                None => self.through_the_cache(&as_get).await,
            },
            Purging::Page => return None,
        };
        let is_expected = as_sent.is_some_and(|fields| fields.contains_key(header::EXPECT));
        if !body::is_over(body, is_expected).await {
            respond::say_closed(&mut answer);
        }
        Some(answer)
    }

    /// Counts the purge of somebody who may not, and writes it down.
    fn refused_purge(&self, request: &Presented) {
        if let Some(Leave { unlogged }) = self.shared.met(Trouble::Purge) {
            let (peer, target) = (&request.peer, &request.target);
            tracing::warn!(%peer, %target, unlogged, "a purge was refused");
        }
    }

    /// Does what a purge asks for, whoever may. One that is for caches alone never
    /// reaches the app; one that could be for a page of the app does, unless its
    /// sender may purge.
    async fn purging(
        &self,
        request: &Presented,
        as_sent: Option<&HeaderMap>,
        body: &mut Incoming,
    ) -> Purging {
        let fields = as_sent.unwrap_or(&request.fields);
        let head = Head { method: &request.method, target: &request.target, fields };
        let claim = dialects::recognise(&head, &self.shared.options.dialects);
        let may_be_a_page = claim.as_ref().map_or(as_sent.is_none(), |claim| claim.may_be_a_page);
        if claim.is_none() && may_be_a_page {
            return Purging::Page;
        }
        let by_token_only = claim.as_ref().is_some_and(|claim| claim.by_token_only);
        let Some(grant) = self.grant(request, fields, by_token_only) else {
            if may_be_a_page {
                return Purging::Page;
            }
            self.refused_purge(request);
            let sentence = "Purging is not allowed from here without a token.";
            return own(respond::page(StatusCode::FORBIDDEN, sentence));
        };
        let Some(claim) = claim else {
            let sentence = "No dialect of purges that is switched on has this method so.";
            return own(respond::page(StatusCode::METHOD_NOT_ALLOWED, sentence));
        };
        let document = match claim.may_be_a_page {
            true => read(body).await,
            false => Ok(Bytes::new()),
        };
        let wish = match document {
            Ok(document) => wish(&claim, &head, document).await,
            Err(why) => Err(why),
        };
        let wish = match wish {
            Ok(wish) => wish,
            Err(detail) => return own(said(claim.refusal(StatusCode::BAD_REQUEST, &detail), None)),
        };
        let (hard, soft, manner) = match wish {
            Wish::Purge(purge) => (purge.hard, purge.soft, Some(purge.manner)),
            Wish::Refresh => (Selectors::default(), page(request), None),
        };
        if let Err(denied) = grant.allows(&hard).and_then(|()| grant.allows(&soft)) {
            // Who bears a token is known: each is written down.
            self.shared.met(Trouble::Purge);
            let (by, peer, target) = (&*grant.who, &request.peer, &request.target);
            tracing::warn!(by, %peer, %target, %denied, "a purge was refused");
            return own(said(claim.refusal(StatusCode::FORBIDDEN, &denied.to_string()), None));
        }
        let by = By { who: grant.who, peer: request.peer.ip(), via: claim.dialect };
        note(request, &hard, &soft);
        let Some(Met { gone, stale, number }) = self.forget(by, hard, soft).await else {
            let sentence = "The purge did not end. It holds for requests all the same.";
            return own(respond::page(StatusCode::INTERNAL_SERVER_ERROR, sentence));
        };
        match manner {
            Some(manner) => own(said(manner.done(gone, stale, number), Some(gone + stale))),
            // Stale from now on, so that no fetch under way will do.
            None => {
                let mut request = anew(request, &self.shared.options.presented);
                // It was for larder. Where there is no token it says who the visitor is.
                if !self.shared.options.access.tokens.is_empty() {
                    dialects::take_credential(&mut request.fields);
                }
                Purging::Refresh(Arc::new(request))
            }
        }
    }

    /// What a request's sender may; with `by_token_only`, by a right token and not
    /// by where it comes from.
    fn grant(&self, request: &Presented, fields: &HeaderMap, by_token_only: bool) -> Option<Grant> {
        let token = dialects::credential(fields);
        let from_elsewhere = request.forwarded || by_token_only;
        self.shared.options.access.grant(request.peer.ip(), from_elsewhere, token)
    }

    /// Purges hard and softly, both even if whoever asked has left, and has it
    /// recorded. `None` if that did not end, which is written down.
    async fn forget(&self, by: By, hard: Selectors, soft: Selectors) -> Option<Met> {
        let is_short = names_urls(&hard) && names_urls(&soft);
        let shared = self.shared.clone();
        let forget = move || {
            let purge = |selectors: &Selectors, softness| {
                if selectors.is_empty() {
                    return None;
                }
                let purged = shared.purge(selectors, softness);
                shared.audit.record(Made {
                    by: &by.who,
                    peer: by.peer,
                    via: by.via,
                    at: shared.clock.wall(),
                    selectors,
                    softness,
                    purge: Some(purged.number),
                    purged: Some(purged.counts.total),
                    refill: None,
                });
                Some(purged)
            };
            let met = [purge(&hard, Softness::Hard), purge(&soft, Softness::Soft)];
            let number = met.iter().flatten().map(|purged| purged.number).max().unwrap_or(0);
            let [gone, stale] = met.map(|met| met.map_or(0, |purged| purged.counts.total));
            Met { gone, stale, number }
        };
        if is_short {
            return Some(forget());
        }
        let met = tokio::task::spawn_blocking(forget).await;
        met.inspect_err(|error| tracing::error!(%error, "a purge did not end")).ok()
    }

    /// Does what the app's answer says with `X-LiteSpeed-Purge`, before it is handed
    /// on, and takes the field off.
    pub(super) async fn purge_in_band(&self, request: &Presented, fields: &mut HeaderMap) {
        let understood = self.shared.options.dialects.has(dialects::Dialect::LiteSpeed);
        if !understood || !fields.contains_key(litespeed::FIELD) {
            return;
        }
        if let Some(purges) = litespeed::purges(fields, &request.target) {
            let by = By { who: "the app".into(), peer: request.peer.ip(), via: IN_BAND };
            note(request, &purges.hard, &purges.soft);
            self.forget(by, purges.hard, purges.soft).await;
        }
        fields.remove(litespeed::FIELD);
    }
}

/// Notes the tags that are purged, for the log.
fn note(request: &Presented, hard: &Selectors, soft: &Selectors) {
    request.notes.purged(hard.tags.iter().chain(&soft.tags).map(|tag| &**tag));
}

/// Whether all that is purged is named by its URL, which is found at once. Anything
/// else may be a good part of what is stored.
fn names_urls(selectors: &Selectors) -> bool {
    let Selectors { keys: _, tags, groups, hosts, paths, prefixes, patterns, everything } =
        selectors;
    let others = tags.len() + groups.len() + hosts.len() + paths.len();
    !everything && others + prefixes.len() + patterns.len() == 0
}

/// What a purge wants. Expressions are compiled where nobody else waits meanwhile.
async fn wish(claim: &Claim, head: &Head<'_>, document: Bytes) -> Result<Wish, String> {
    let read = |claim: &Claim, head: &Head<'_>, document: &[u8]| {
        claim.read(head, document).map_err(|mistake| mistake.detail)
    };
    if !claim.compiles {
        return read(claim, head, &document);
    }
    let (claim, method) = (claim.clone(), head.method.clone());
    let (target, fields) = (head.target.clone(), head.fields.clone());
    let apart = tokio::task::spawn_blocking(move || {
        let head = Head { method: &method, target: &target, fields: &fields };
        read(&claim, &head, &document)
    });
    apart.await.unwrap_or_else(|error| Err(error.to_string()))
}

async fn read(body: &mut Incoming) -> Result<Bytes, String> {
    let why = |unread| match unread {
        Unread::TooLarge => "the body is larger than 1 MiB",
        Unread::Broken => "the body broke off",
        Unread::Late => "the body did not come in time",
    };
    body::document(body, MOST_BYTES).await.map_err(|unread| why(unread).to_string())
}

/// The page that a request is about, under both schemes.
fn page(request: &Presented) -> Selectors {
    Selectors::target(&CacheKey::new(request.target.clone()))
}

/// A request for the same page that what is stored does not answer.
fn anew(request: &Presented, options: &message::Options) -> Presented {
    let demands = RequestDirectives { no_cache: true, ..RequestDirectives::default() };
    // Who purged is not its visitor.
    let (method, has_body, visitor) = (Method::GET, false, OnceLock::new());
    let mut anew = Presented { method, has_body, demands, visitor, ..request.clone() };
    anew.leave_out(options);
    anew
}

fn own(response: Response<Body>) -> Purging {
    let status = CacheStatus::new(Outcome::Own);
    Purging::Done(Box::new(Answer { response, status }))
}

fn said(said: Said, purged: Option<usize>) -> Response<Body> {
    let mut fields = HeaderMap::new();
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(said.content_type));
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(purged) = purged {
        let found = if purged > 0 { "PURGED" } else { "MISS" };
        fields.insert(X_CACHE, HeaderValue::from_static(found));
        fields.insert(X_PURGED_COUNT, HeaderValue::from(purged));
    }
    let mut response = respond::response(said.status, fields, said.body.into());
    if !said.reason.is_empty()
        && let Ok(reason) = ReasonPhrase::try_from(said.reason.into_owned())
    {
        response.extensions_mut().insert(reason);
    }
    response
}
