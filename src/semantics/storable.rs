//! May this response be stored? (RFC 9111 section 3, for a shared cache.)

use super::directives::{ResponseDirectives, Value};
use super::fields::media_type;
use super::freshness::{Freshness, StaleCause};
use super::identity::Visitor;
use super::lifetime::{FreshnessLifetime, Source};
use super::partial::place;
use super::policy::Policy;
use super::pretence;
pub use super::reason::Reason;
use super::time::DeltaSeconds;
use super::vary::NominatedFields;
use http::header::{self, HeaderMap};
use http::{Method, StatusCode};
use std::time::Duration;

/// Whether a response may be stored, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storability {
    /// It may.
    Store,
    /// It may not, for this reason.
    Refuse(Reason),
}

/// What of the request matters for storing its response.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The request's method.
    pub method: &'a Method,
    /// Its path.
    pub path: &'a str,
    /// It bore `Range`.
    pub ranged: bool,
    /// Who asked.
    pub visitor: Visitor,
}

impl<'a> Asked<'a> {
    /// Reads it off a request, who made it aside.
    pub fn of(
        method: &'a Method,
        path: &'a str,
        fields: &HeaderMap,
        visitor: Visitor,
    ) -> Asked<'a> {
        Asked { method, path, ranged: fields.contains_key(header::RANGE), visitor }
    }
}

/// Decides section 3, clause by clause. The fields that `private` and `no-cache`
/// name have to be [withheld](ResponseDirectives::withhold) already.
pub fn decide(
    asked: &Asked<'_>,
    status: StatusCode,
    fields: &HeaderMap,
    directives: &ResponseDirectives,
    freshness: &Freshness,
    policy: &Policy,
) -> Storability {
    let refuse = Storability::Refuse;
    if asked.method != Method::GET && asked.method != Method::QUERY {
        return refuse(Reason::Method);
    }
    match status.as_u16() {
        100..=199 | 304 => return refuse(Reason::Status),
        // Section 3.3: a part is stored as what it is, and asked for as that.
        206 if !asked.ranged => return refuse(Reason::Status),
        206 if place(fields).is_none() => return refuse(Reason::Part),
        // It is about the range, not about the target.
        416 if asked.ranged => return refuse(Reason::Part),
        _ => {}
    }
    if provoked(status, freshness.lifetime) {
        return refuse(Reason::Provoked);
    }
    if directives.must_understand && !understood(status) {
        return refuse(Reason::NotUnderstood);
    }
    if let Some(reason) = directives.forbid_storing() {
        return refuse(reason);
    }
    // Section 3.5. must-revalidate would do by the RFC; it is left out unless
    // the operator says otherwise, because it is silent on who may see the answer.
    let shared = directives.public
        || matches!(directives.s_maxage, Value::Given(_))
        || (policy.authorized_must_revalidate && directives.must_revalidate);
    if asked.visitor.authorized && !shared {
        return refuse(Reason::Authorization);
    }
    if fields.contains_key(header::SET_COOKIE) && !policy.store_set_cookie {
        return refuse(Reason::SetCookie);
    }
    let nominated = NominatedFields::of(fields);
    if nominated == NominatedFields::Any {
        return refuse(Reason::VaryAny);
    }
    if is_event_stream(fields) {
        return refuse(Reason::EventStream);
    }
    // No time at all is not a word on who may see the answer either.
    let lives = freshness.lifetime.is_explicit() && freshness.lifetime.span.get() > 0;
    let meant_for_all = lives || directives.public;
    if asked.visitor.identified && !meant_for_all && !nominated.names(&header::COOKIE) {
        return refuse(Reason::IdentityCookie);
    }
    if asked.visitor.credentials && !meant_for_all {
        return refuse(Reason::IdentityField);
    }
    if !freshness.lifetime.is_explicit() && pretence::is_pretended(asked.path, fields) {
        return refuse(Reason::Pretence);
    }
    // Nothing is assumed about an answer to QUERY: few apps expect a cache.
    let assumed = asked.method == Method::QUERY && !freshness.lifetime.is_explicit();
    if assumed || !worth_keeping(fields, status, freshness) {
        return refuse(Reason::NoLifetime);
    }
    Storability::Store
}

/// What [`decide`] says of most responses that may not be stored, by less: nothing
/// but the directives is read. `None` if it takes more to say.
pub fn forbidden(
    method: &Method,
    status: StatusCode,
    directives: &ResponseDirectives,
) -> Option<Reason> {
    let asked = *method == Method::GET || *method == Method::QUERY;
    let special = matches!(status.as_u16(), 100..=199 | 206 | 304 | 416);
    let unstated = FreshnessLifetime { span: DeltaSeconds::ZERO, source: Source::Nothing };
    let other = special || provoked(status, unstated) || directives.must_understand;
    directives.forbid_storing().filter(|_| asked && !other)
}

/// The answer speaks of the request or of who sent it, not of its target: nobody
/// may make one that others get. RFC 6585 forbids to store four of them.
fn provoked(status: StatusCode, lifetime: FreshnessLifetime) -> bool {
    match status.as_u16() {
        408 | 411 | 413 | 417 | 421 | 425 | 426 | 428 | 429 | 431 | 505 | 511 => true,
        // These may be about the target too, if the application says for how long.
        400 | 415 => !lifetime.is_explicit(),
        // Method and target are part of the key; if the answer is as old as a page,
        // it is taken for one (RFC 9110 section 15.1).
        405 | 414 | 501 => !lifetime.is_explicit() && lifetime.source != Source::Heuristic,
        _ => false,
    }
}

/// `text/event-stream`, with or without parameters: whoever joins it late wants
/// what is new, and when its listener leaves the app is to know.
fn is_event_stream(fields: &HeaderMap) -> bool {
    media_type(fields).eq_ignore_ascii_case(b"text/event-stream")
}

/// Something can come of a stored response: it is fresh for a while, or may be
/// used stale, or can be validated.
fn worth_keeping(fields: &HeaderMap, status: StatusCode, freshness: &Freshness) -> bool {
    if freshness.lifetime.source == Source::Nothing && !matches!(status.as_u16(), 200 | 206) {
        return false;
    }
    let fresh = !freshness.always_validate && freshness.lifetime.span.get() > 0;
    let stale = freshness.lifetime.is_explicit()
        && [StaleCause::Revalidating, StaleCause::Error]
            .iter()
            .any(|cause| freshness.stale_window(*cause) > Duration::ZERO);
    let validator = fields.contains_key(header::ETAG) || fields.contains_key(header::LAST_MODIFIED);
    fresh || stale || validator
}

/// Final statuses whose meaning for caching this cache knows (RFC 9110
/// section 15); 304 is handled before.
fn understood(status: StatusCode) -> bool {
    matches!(
        status.as_u16(),
        200 | 203 | 204 | 206 | 300 | 301 | 302 | 303 | 307 | 308 | 404 | 405 | 410 | 414 | 501
    )
}

#[cfg(test)]
#[path = "storable_tests.rs"]
mod tests;
