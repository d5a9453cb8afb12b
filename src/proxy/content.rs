//! From a response's head to what is going to be stored of it.

use super::ask::{Plan, Reply};
use super::{Proxy, forms};
use crate::account::Account;
use crate::body::Filled;
use crate::message::Presented;
use crate::semantics::directives::ResponseDirectives;
use crate::semantics::freshness::Freshness;
use crate::semantics::no_vary_search::{NO_VARY_SEARCH, SearchVariance};
use crate::semantics::storable::{self, Reason, Storability};
use crate::semantics::tags::Tags;
use crate::semantics::time::Exchange;
use crate::semantics::vary::NominatedFields;
use crate::semantics::{tags, targeted};
use crate::storage::{Content, Lines, Pieces, Special, StoredResponse};
use http::StatusCode;
use http::header::{self, HeaderMap, HeaderValue};
use std::sync::Arc;

/// What is for this cache in a response's head, taken off what clients get.
pub(super) struct Taken {
    pub directives: ResponseDirectives,
    tags: Tags,
    own_fields: HeaderMap,
}

/// What is known of a response before its body.
pub(super) struct Judged {
    pub content: Content,
    /// Its directives for this cache.
    pub directives: ResponseDirectives,
    /// Fields that `private` or `no-cache` names: for whoever asked, and nobody
    /// else.
    pub withheld: HeaderMap,
}

impl Proxy {
    /// Takes off a response what is not for clients.
    pub(super) fn take(&self, reply: &mut Reply) -> Taken {
        let Reply { exchange, response, .. } = reply;
        let policy = &self.shared.options.policy;
        let fields = response.headers_mut();
        let directives = targeted::directives(fields, &policy.targeted, exchange.received_at);
        let tags = tags::take(fields, &self.shared.options.tag_fields);
        let own_fields = targeted::take_own(fields, &policy.targeted);
        Taken { directives, tags, own_fields }
    }

    /// Everything about a response but its body, decided once.
    pub(super) fn judged(&self, plan: &Plan, reply: &Reply, taken: Taken) -> Judged {
        let Reply { departure, exchange, response, tags } = reply;
        let Taken { directives, tags: named, own_fields } = taken;
        let policy = &self.shared.options.policy;
        let (status, fields) = (response.status(), response.headers());
        let tags = tags.and(&named);
        let freshness = self.freshness(plan, status, fields, &directives, exchange);
        let mut fields = fields.clone();
        let withheld = directives.withhold(&mut fields);
        fields.remove(header::AGE);
        add_date(&mut fields, exchange);
        let nominated = NominatedFields::of(&fields);
        let special = Special {
            query: plan.request.query.clone(),
            variance: None,
            variant: nominated.select(&plan.request.fields, policy).unwrap_or_default(),
            nominated,
            own_fields: Lines::of(&own_fields),
            part: None,
            form: forms::of(response).cloned(),
            tags,
        };
        let content = Content {
            status,
            freshness,
            lines: Lines::of(&fields),
            chunks: Pieces::default(),
            rare: special.into(),
            received_at: exchange.received_at.into(),
            sent: exchange.sent,
            fence: departure.fence(),
        };
        Judged { content, directives, withheld }
    }

    /// A stored response with the fields that confirm it: those of a 304, or of
    /// another part of the same representation, merged with its own already.
    pub(super) fn freshened(
        &self,
        plan: &Plan,
        stored: &StoredResponse,
        mut fields: HeaderMap,
        reply: &Reply,
    ) -> Judged {
        let (old, policy) = (stored.content(), &self.shared.options.policy);
        // Like Vary, tags only grow: a 304 may bear those of a middleware alone.
        let tags = old.rare.tags.and(&tags::take(&mut fields, &self.shared.options.tag_fields));
        complete_merge(&mut fields, old, reply.response.headers());
        add_date(&mut fields, &reply.exchange);
        let received_at = reply.exchange.received_at;
        let directives = targeted::directives(&fields, &policy.targeted, received_at);
        let own_fields = targeted::take_own(&mut fields, &policy.targeted);
        let withheld = directives.withhold(&mut fields);
        let freshness = self.freshness(plan, old.status, &fields, &directives, &reply.exchange);
        fields.remove(header::AGE);
        fields.remove(header::TRAILER);
        let nominated = NominatedFields::of(&fields);
        let special = Special {
            query: old.rare.query.clone(),
            variance: self.variance(plan, SearchVariance::of(&fields)),
            variant: nominated.select(&plan.request.fields, policy).unwrap_or_default(),
            nominated,
            own_fields: Lines::of(&own_fields),
            part: old.rare.part,
            // What confirms it says the same of it, or nothing.
            form: old.rare.form.clone(),
            tags,
        };
        let content = Content {
            status: old.status,
            freshness,
            lines: Lines::of(&fields),
            chunks: old.chunks.clone(),
            rare: special.into(),
            received_at: received_at.into(),
            sent: reply.exchange.sent,
            fence: reply.departure.fence(),
        };
        Judged { content, directives, withheld }
    }

    /// By what a response that is about to be stored may answer other queries. Purges that
    /// come after this have heard of it.
    pub(super) fn variance(
        &self,
        plan: &Plan,
        stated: Option<SearchVariance>,
    ) -> Option<Arc<SearchVariance>> {
        stated.map(|stated| self.shared.memory.variances().learn(&plan.key, stated))
    }

    fn freshness(
        &self,
        plan: &Plan,
        status: StatusCode,
        fields: &HeaderMap,
        directives: &ResponseDirectives,
        exchange: &Exchange,
    ) -> Freshness {
        let policy = &self.shared.options.policy;
        let personal = plan.request.visitor(policy).is_known();
        // Each target has its own share of what may be taken off.
        let [low, high, ..] = plan.key.hash().to_le_bytes();
        Freshness::of(status, fields, directives, exchange, policy, personal)
            .spread(policy.jitter, u16::from_le_bytes([low, high]))
    }

    /// Whether a response of this length may be stored.
    pub(super) fn storability(
        &self,
        request: &Presented,
        judged: &Judged,
        length: u64,
    ) -> Result<(), Reason> {
        let policy = &self.shared.options.policy;
        let asked = request.asked(policy);
        let Judged { content, directives, .. } = judged;
        let (fields, freshness) = (&content.lines.fields(), &content.freshness);
        // The cookie may bear the secret by which the form is filled.
        let gives_secret = content.rare.form.is_some() && fields.contains_key(header::SET_COOKIE);
        match storable::decide(&asked, content.status, fields, directives, freshness, policy) {
            Storability::Refuse(reason) => Err(reason),
            Storability::Store if gives_secret => Err(Reason::SetCookie),
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
pub(super) fn with_body(content: &Content, filled: &Filled, account: &Arc<Account>) -> Content {
    let mut content = content.clone();
    let mut fields = content.lines.fields();
    // Trailers are handed on as they come, and not stored.
    fields.remove(header::TRAILER);
    if content.status != StatusCode::NO_CONTENT {
        fields.insert(header::CONTENT_LENGTH, HeaderValue::from(filled.length));
    }
    content.lines = Lines::of(&fields);
    content.chunks = gathered(filled, account);
    content
}

/// What a response says about the queries that it may answer; most say nothing, and for
/// them no map is made.
pub(super) fn stated_variance(content: &Content) -> Option<SearchVariance> {
    content.lines.get(&NO_VARY_SEARCH)?;
    SearchVariance::of(&content.lines.fields())
}

/// One piece of exactly the body's size, in memory of its own: as it was read it holds
/// on to the larger buffers that it was read into.
fn gathered(filled: &Filled, account: &Arc<Account>) -> Pieces {
    account.own(&filled.chunks).into()
}

/// What a merge of stored fields with those of a newer head leaves to be done:
/// `Date` is the newer head's or none, and what is for this cache alone is there
/// to be judged by.
pub(super) fn complete_merge(merged: &mut HeaderMap, old: &Content, newer: &HeaderMap) {
    if !newer.contains_key(header::DATE) {
        merged.remove(header::DATE);
    }
    for (name, value) in &old.rare.own_fields.fields() {
        if !newer.contains_key(name) {
            merged.append(name.clone(), value.clone());
        }
    }
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
