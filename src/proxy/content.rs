//! From a response's head to what is going to be stored of it.

use super::Proxy;
use super::fetch::{Plan, Reply};
use crate::body::{Body, Filled};
use crate::message::Presented;
use crate::semantics::directives::ResponseDirectives;
use crate::semantics::freshness::Freshness;
use crate::semantics::storable::{self, Asked, Reason, Storability};
use crate::semantics::tags;
use crate::semantics::time::Exchange;
use crate::semantics::vary::NominatedFields;
use crate::storage::{Content, StoredResponse};
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Response, StatusCode};
use std::collections::BTreeSet;

impl Proxy {
    /// Everything about a response but its body, decided once. Takes the tags
    /// off the response.
    pub(super) fn content(
        &self,
        request: &Presented,
        response: &mut Response<Body>,
        exchange: &Exchange,
        fence: u64,
    ) -> Content {
        let tags = tags::take(response.headers_mut(), &self.shared.options.tag_fields);
        let status = response.status();
        let mut fields = own(response.headers());
        fields.remove(header::AGE);
        add_date(&mut fields, exchange);
        let policy = &self.shared.options.policy;
        let nominated = NominatedFields::of(&fields);
        Content {
            status,
            variant: nominated.select(&request.fields, &policy.cookies).unwrap_or_default(),
            nominated,
            freshness: self.freshness(request, status, response.headers(), exchange),
            fields,
            chunks: [].into(),
            length: 0,
            received_at: exchange.received_at,
            fence,
            tags: tags.into(),
        }
    }

    /// The stale response with the fields of the 304 that confirmed it.
    pub(super) fn freshened(
        &self,
        plan: &Plan,
        stale: &StoredResponse,
        mut fields: HeaderMap,
        reply: &Reply,
    ) -> Content {
        let old = stale.content();
        let named = tags::take(&mut fields, &self.shared.options.tag_fields);
        // Like Vary, tags only grow: a 304 may bear those of a middleware alone.
        let tags: BTreeSet<Box<str>> = old.tags.iter().cloned().chain(named).collect();
        // Age and Date are the 304's, not those of the first response.
        if !reply.response.headers().contains_key(header::DATE) {
            fields.remove(header::DATE);
        }
        add_date(&mut fields, &reply.exchange);
        let freshness = self.freshness(&plan.request, old.status, &fields, &reply.exchange);
        fields.remove(header::AGE);
        fields.remove(header::TRAILER);
        let nominated = NominatedFields::of(&fields);
        let cookies = &self.shared.options.policy.cookies;
        Content {
            status: old.status,
            variant: nominated.select(&plan.request.fields, cookies).unwrap_or_default(),
            nominated,
            freshness,
            fields: own(&fields),
            chunks: old.chunks.clone(),
            length: old.length,
            received_at: reply.exchange.received_at,
            fence: reply.departure.fence(),
            tags: tags.into_iter().collect(),
        }
    }

    fn freshness(
        &self,
        request: &Presented,
        status: StatusCode,
        fields: &HeaderMap,
        exchange: &Exchange,
    ) -> Freshness {
        let policy = &self.shared.options.policy;
        let personal = super::lookup::is_personal(request, policy);
        let directives = ResponseDirectives::of(fields);
        Freshness::of(status, fields, &directives, exchange, policy, personal)
    }

    /// Whether a response of this length may be stored.
    pub(super) fn storability(
        &self,
        request: &Presented,
        content: &Content,
        length: u64,
    ) -> Result<(), Reason> {
        let cookies = &self.shared.options.policy.cookies;
        let asked = Asked::of(&request.method, &request.fields, cookies);
        let directives = ResponseDirectives::of(&content.fields);
        let (fields, freshness) = (&content.fields, &content.freshness);
        match storable::decide(&asked, content.status, fields, &directives, freshness) {
            Storability::Refuse(reason) => Err(reason),
            Storability::Store if length > self.shared.options.max_object => Err(Reason::TooLarge),
            Storability::Store => Ok(()),
        }
    }

    /// Whether a response may be given to those who waited for it: without
    /// freshness each would have to ask for itself.
    pub(super) fn is_fresh(&self, content: &Content) -> bool {
        !content.freshness.always_validate
            && content.freshness.fresh_until() > self.shared.clock.now()
    }
}

/// The same content with its body, ready to be stored.
pub(super) fn with_body(content: &Content, filled: &Filled) -> Content {
    let mut content = content.clone();
    // Trailers are handed on as they come, and not stored.
    content.fields.remove(header::TRAILER);
    content.length = filled.length;
    content.chunks = gathered(filled);
    if content.status != StatusCode::NO_CONTENT {
        content.fields.insert(header::CONTENT_LENGTH, HeaderValue::from(filled.length));
    }
    content
}

/// One piece of exactly the body's size: pieces as they were read hold on to
/// the larger buffers that they were read into.
fn gathered(filled: &Filled) -> std::sync::Arc<[Bytes]> {
    if filled.length == 0 {
        return [].into();
    }
    let mut whole = Vec::with_capacity(usize::try_from(filled.length).unwrap_or(0));
    for chunk in &filled.chunks {
        whole.extend_from_slice(chunk);
    }
    [Bytes::from(whole)].into()
}

/// The same fields in memory of their own, for the same reason.
fn own(fields: &HeaderMap) -> HeaderMap {
    let mut own = HeaderMap::with_capacity(fields.keys_len());
    for (name, value) in fields {
        if let Ok(mut copy) = HeaderValue::from_bytes(value.as_bytes()) {
            copy.set_sensitive(value.is_sensitive());
            own.append(name.clone(), copy);
        }
    }
    own
}

/// A response without `Date` is dated when it was received (RFC 9110 section
/// 6.6.1).
fn add_date(fields: &mut HeaderMap, exchange: &Exchange) {
    if !fields.contains_key(header::DATE)
        && let Ok(date) = HeaderValue::from_str(&httpdate::fmt_http_date(exchange.received_at))
    {
        fields.insert(header::DATE, date);
    }
}
