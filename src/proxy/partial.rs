//! Parts: what is stored of a 206, alone or with the part that is stored
//! already, and how a part is made whole (RFC 9111 sections 3.3 and 3.4).

use super::Proxy;
use super::ask::{Plan, Reply};
use super::content::{complete_merge, with_body};
use super::parts;
use crate::body::{Body, Filled};
use crate::error::OriginError;
use crate::semantics::fields::copy_lines;
use crate::semantics::partial::{self, Join, Part, Same};
use crate::semantics::range::ByteRange;
use crate::semantics::targeted;
use crate::semantics::validation::{self, Validated};
use crate::storage::{Content, Lines, StoredResponse};
use http::header::{self, HeaderMap, HeaderValue};
use http::{Response, StatusCode};
use std::sync::Arc;

/// What a part that arrives finds stored.
pub(super) enum Beside {
    /// Nothing that it has to do with.
    Nothing,
    /// Bytes of the same representation, which it overlaps or touches: what
    /// comes of the two is this, but for the bytes.
    Same(Arc<StoredResponse>, Box<Content>, Join),
    /// Another representation, which it shows to be outdated.
    Outdated(Arc<StoredResponse>),
}

impl Proxy {
    /// Looks at what is stored by the head of a part that arrives. A purge since
    /// the lookup is not to be got round: what it has met is not looked at.
    pub(super) fn beside(&self, plan: &Plan, reply: &Reply) -> Beside {
        let new = reply.response.headers();
        let place = partial::place(new).filter(|_| is_206(reply));
        let held = plan.part.as_ref().or(plan.stale.as_ref());
        let held = held.filter(|held| self.shared.stands(&plan.key, held));
        let (Some(place), Some(held)) = (place, held) else {
            return Beside::Nothing;
        };
        let old = held.content();
        let old_fields = old.lines.fields();
        match partial::same_representation(&old_fields, new) {
            Same::No => return Beside::Outdated(Arc::clone(held)),
            Same::Unknown => return Beside::Nothing,
            Same::Yes => {}
        }
        let Some(join) =
            stretch(old, place.complete).and_then(|old| partial::join(old, place.range))
        else {
            return Beside::Nothing;
        };
        let Validated::Freshened(fields) = validation::freshen(&old_fields, new) else {
            return Beside::Nothing;
        };
        let mut judged = self.freshened(plan, held, *fields, reply);
        let length = join.range.length();
        let part = Part { first: join.range.first, complete: place.complete, short: false };
        settle(&mut judged.content, part, length);
        match self.storability(&plan.request, &judged, length) {
            Ok(()) => Beside::Same(Arc::clone(held), Box::new(judged.content), join),
            Err(_) => Beside::Nothing,
        }
    }

    /// What is to be stored of a response whose body has come whole; `None` for
    /// a part that isn't as long as its place.
    pub(super) fn to_be_kept(
        &self,
        plan: &Plan,
        content: &Content,
        filled: &Filled,
        beside: Beside,
    ) -> Option<Content> {
        let mut content = with_body(content, filled, &self.shared.account);
        if content.status != StatusCode::PARTIAL_CONTENT {
            return Some(content);
        }
        let place = partial::place(&content.lines.fields())?;
        let lenient = self.shared.options.policy.lenient_partials;
        let part = Part::of(place, filled.length, lenient)?;
        match beside {
            Beside::Same(held, mut both, join) if !part.short => {
                let (old, account) = (held.content(), &self.shared.account);
                both.chunks = parts::joined(&old.chunks, &content.chunks, &join, account);
                return Some(*both);
            }
            // Nothing takes the place of a complete response but a complete one.
            Beside::Outdated(held) => {
                self.shared.memory.remove_one(&held.content().place(&plan.key), &held);
            }
            Beside::Same(..) | Beside::Nothing => {}
        }
        settle(&mut content, part, filled.length);
        Some(content)
    }

    /// Asks for what follows the stored beginning of a whole response. What
    /// comes is the whole response, its beginning from the store; `None` if
    /// there is no such beginning, or what comes doesn't continue it.
    pub(super) async fn ask_for_the_rest(&self, plan: &Plan) -> Result<Option<Reply>, OriginError> {
        let departure = self.shared.purger.depart();
        let Some(held) = self.beginning(plan) else { return Ok(None) };
        let old = held.content();
        let mut fields = plan.request.fields.clone();
        partial::ask_for_rest(&mut fields, &old.lines.fields(), old.length());
        let mut reply = self.ask(plan, fields, departure).await?;
        match reply.response.status() {
            StatusCode::PARTIAL_CONTENT => {}
            StatusCode::RANGE_NOT_SATISFIABLE => return Ok(None),
            _ => return Ok(Some(reply)),
        }
        let Some(mut fields) = continued(old, &reply.response) else { return Ok(None) };
        complete_merge(&mut fields, old, reply.response.headers());
        fields.remove(header::CONTENT_RANGE);
        // A cookie is for whoever asked, and keeps the whole from being stored. What
        // is stored of a field for one visitor was brought by somebody else.
        let targeted = &self.shared.options.policy.targeted;
        let directives = targeted::directives(&fields, targeted, reply.exchange.received_at);
        let withheld = directives.withhold(&mut fields);
        for name in withheld.keys().chain([&header::SET_COOKIE]) {
            copy_lines(reply.response.headers(), name, &mut fields);
        }
        let (mut head, rest) = reply.response.into_parts();
        let body = Body::Continued(old.chunks.iter().cloned().collect(), Box::new(rest));
        let whole = http_body::Body::size_hint(&body).exact().unwrap_or(0);
        fields.insert(header::CONTENT_LENGTH, HeaderValue::from(whole));
        (head.status, head.headers) = (StatusCode::OK, fields);
        reply.response = Response::from_parts(head, body);
        reply.tags = old.rare.tags.clone();
        Ok(Some(reply))
    }

    /// The part to be made whole, if it is the beginning of what is wanted. One
    /// that is stale, and can't be shown to be unchanged, is of no use.
    fn beginning<'a>(&self, plan: &'a Plan) -> Option<&'a Arc<StoredResponse>> {
        let held = plan.part.as_ref().filter(|held| self.shared.stands(&plan.key, held))?;
        let content = held.content();
        let begins = content.rare.part.is_some_and(|part| part.first == 0 && !part.short);
        let usable = partial::strong_validator(&content.lines.fields()).is_some()
            || (self.is_fresh(content) && held.softened().is_none());
        let whole = !plan.request.fields.contains_key(header::RANGE);
        (begins && usable && whole).then_some(held)
    }
}

/// The fields of the whole response, if this 206 brings exactly what follows
/// the stored beginning.
fn continued(old: &Content, reply: &Response<Body>) -> Option<HeaderMap> {
    let place = partial::place(reply.headers())?;
    let (complete, old_fields) = (old.rare.part?.complete, old.lines.fields());
    let rest = ByteRange { first: old.length(), last: complete - 1 };
    let length = http_body::Body::size_hint(reply.body()).exact();
    let follows =
        place.range == rest && place.complete == complete && length == Some(rest.length());
    let same = partial::same_representation(&old_fields, reply.headers()) == Same::Yes;
    match validation::freshen(&old_fields, reply.headers()) {
        Validated::Freshened(fields) if follows && same => Some(*fields),
        Validated::Freshened(_) | Validated::Other => None,
    }
}

/// Which bytes of a representation of this length a stored response has, if it
/// may be combined.
fn stretch(stored: &Content, complete: u64) -> Option<ByteRange> {
    let whole = Part { first: 0, complete: stored.length(), short: false };
    let part = stored.rare.part.unwrap_or(whole);
    let combinable = part.complete == complete && !part.short && stored.length() > 0;
    combinable.then(|| part.range(stored.length()))
}

/// Makes it the part that it is, with a body of this length; or a complete response, if
/// it has all.
fn settle(content: &mut Content, part: Part, length: u64) {
    let mut fields = content.lines.fields();
    fields.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    if length == part.complete && !part.short {
        content.status = StatusCode::OK;
        content.rare.change(|rare| rare.part = None);
        fields.remove(header::CONTENT_RANGE);
    } else {
        content.status = StatusCode::PARTIAL_CONTENT;
        content.rare.change(|rare| rare.part = Some(part));
        parts::set_place(&mut fields, part.range(length), part.complete);
    }
    content.lines = Lines::of(&fields);
}

fn is_206(reply: &Reply) -> bool {
    reply.response.status() == StatusCode::PARTIAL_CONTENT
}
