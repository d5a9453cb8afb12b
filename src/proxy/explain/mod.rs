//! Why a request is answered as it is: for who may know, beside the answer; for the
//! admin port, without asking the origin.

mod steps;

use super::lookup::Found;
use super::{Answer, Options, Shared, passthrough};
use crate::explain::{self, Explanation, Said, Step, Variant, Why};
use crate::key::CacheKey;
use crate::message::Presented;
use crate::observe::{DoubtfulAge, Seen, is_age_doubtful};
use crate::semantics::cache_status::{CacheStatus, Outcome};
use crate::semantics::counterfactual::Case;
use crate::semantics::form::for_one_visitor;
use crate::semantics::reason::{Kind, Reason};
use crate::semantics::time::{Exchange, Moment};
use crate::storage::StoredResponse;
use http::StatusCode;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use std::sync::Arc;
use steps::SO;

/// Asks for an explanation beside the answer, and bears the token of those who may.
/// Never handed on.
const LARDER_DEBUG: HeaderName = HeaderName::from_static("larder-debug");

/// The explanation, as JSON in ASCII.
const LARDER_EXPLAIN: HeaderName = HeaderName::from_static("larder-explain");

/// The most bytes that it may have in a field; clients have bounds too.
const MOST_IN_A_FIELD: usize = 6 << 10;

/// The most stored responses that are told of.
const MOST_VARIANTS: usize = 16;

/// An answer's head, as far as it is known.
struct Head<'a> {
    status: StatusCode,
    fields: &'a HeaderMap,
}

/// Takes off a request that it asks for an explanation. Returns whether it is to be
/// given one.
pub(super) fn is_wanted(request: &mut Presented, options: &Options) -> bool {
    let Some(token) = request.fields.remove(LARDER_DEBUG) else { return false };
    let token = Some(token.as_bytes()).filter(|token| !token.is_empty());
    let grant = options.debug.grant(request.peer.ip(), request.forwarded, token);
    grant.is_some_and(|grant| grant.sees_all())
}

/// Writes the explanation into an answer: of what there is for it, as much as a field
/// may hold.
pub(super) fn beside(shared: &Shared, request: &Presented, answer: &mut Answer) {
    let head = Head { status: answer.response.status(), fields: answer.response.headers() };
    let mut told = shared.explanation(request, &answer.status, Some(&head));
    // What to do stands in the documents, which who asks has too.
    told.leave_out_fixes();
    for other in told.variants.iter_mut().filter(|variant| !variant.selected) {
        // They may be another visitor's.
        other.fields.clear();
    }
    let mut text = in_ascii(&told);
    while text.len() > MOST_IN_A_FIELD && told.variants.pop().is_some() {
        text = in_ascii(&told);
    }
    if let (true, Ok(value)) = (text.len() <= MOST_IN_A_FIELD, HeaderValue::try_from(text)) {
        answer.response.headers_mut().insert(LARDER_EXPLAIN, value);
    }
}

/// Has an answer that bears larder's `Age` tell of what the app said there.
pub(super) fn remember_age(said: &HeaderMap, answer: &mut Answer) {
    if is_age_doubtful(said) {
        answer.response.extensions_mut().insert(DoubtfulAge);
    }
}

/// JSON whose other characters are escaped, so that it may stand in a field.
fn in_ascii(told: &Explanation) -> String {
    let text = serde_json::to_string(told).unwrap_or_default();
    let mut ascii = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            ' '..='~' => ascii.push(c),
            _ => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    ascii.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    ascii
}

impl Shared {
    /// Notes what went to the origin.
    pub(super) fn observe(&self, request: &Presented, answer: &Answer, began: Moment) {
        // Who waited for another one's fetch has not gone there.
        let is_own = !answer.status.collapsed;
        if !is_own || !matches!(answer.status.outcome, Outcome::Forwarded(_)) {
            return;
        }
        let now = self.clock.now();
        self.observer.note(&Seen {
            method: &request.method,
            url: &request.target.to_string(),
            path_and_query: request.target.path_and_query(),
            asked: &request.fields,
            personal: request.visitor(&self.options.policy).is_known(),
            status: answer.response.status(),
            fields: answer.response.headers(),
            doubtful_age: answer.response.extensions().get::<DoubtfulAge>().is_some()
                || is_age_doubtful(answer.response.headers()),
            cache: &answer.status,
            took: now.since(began),
            at: now,
            wall: self.clock.wall(),
            policy: &self.options.policy,
        });
    }

    /// Explains what a request would be given now, by what is stored. The origin is not
    /// asked.
    pub fn explain(&self, request: &Presented) -> Explanation {
        let status = match passthrough::reason(request, &self.options) {
            Some(status) => status,
            None => self.would_be(request),
        };
        let last = self.observer.last(&request.target.to_string());
        match (status.outcome, last) {
            // What it was the last time.
            (Outcome::Forwarded(_), Some(last)) if status.detail.is_none() => {
                let status = CacheStatus { detail: Some(last.reason), ..status };
                let head = Head { status: last.status, fields: &last.fields };
                let mut told = self.explanation(request, &status, Some(&head));
                let ago = self.clock.now().since(last.at).as_secs();
                let answer = format!("{ago} s ago it answered {}", last.status);
                let asked = Step::new("What did the app answer last?", answer, "what was observed");
                let at = told.steps.iter().position(|step| step.question == SO);
                told.steps.insert(at.map_or(0, |at| at + 1), asked);
                told
            }
            _ => self.explanation(request, &status, None),
        }
    }

    /// What would be done with a request, as far as it doesn't take the origin to know.
    fn would_be(&self, request: &Presented) -> CacheStatus {
        let key = CacheKey::new(request.target.clone());
        let now = self.clock.now();
        let hit = |stored: &StoredResponse, detail| {
            let mut status = CacheStatus::new(Outcome::Hit);
            (status.ttl, status.detail) = (Some(stored.ttl(now)), detail);
            status.filled = stored.content().rare.form.is_some();
            status
        };
        match self.look_up(request, &key) {
            Found::Usable(stored, detail) => hit(&stored, detail),
            Found::UsableNearItsEnd(stored) => hit(&stored, None),
            Found::UsableWhileValidated(stored) => {
                let why = match stored.softened() {
                    Some(_) => Reason::SoftPurge,
                    None => Reason::StaleWhileRevalidate,
                };
                hit(&stored, Some(why))
            }
            found => CacheStatus::forwarded(found.forward()),
        }
    }

    fn explanation(
        &self,
        request: &Presented,
        status: &CacheStatus,
        head: Option<&Head<'_>>,
    ) -> Explanation {
        let key = CacheKey::new(request.target.clone());
        let (variants, selected) = self.variants(request, &key);
        let mut steps = self.steps(request, status, &variants, selected.as_deref());
        let reason = status.detail;
        let refused = reason.filter(|reason| reason.kind() == Kind::NotStored);
        if status.stored || refused.is_some() {
            steps.extend(explain::storing(refused));
        }
        let case = head.map(|head| self.case(request, head));
        let url = request.target.to_string();
        let browser = match (head, &selected) {
            (Some(head), _) => {
                self.browser_with(&url, head.status, head.fields.clone(), status.filled)
            }
            (None, Some(selected)) => self.browser_of(&url, selected),
            (None, None) => None,
        };
        Explanation {
            request: explain::Request {
                method: request.method.to_string(),
                key: url.clone(),
                url,
                left_out: self.left_out(request, &variants),
            },
            outcome: Said::of(status),
            reason: reason.map(Why::of),
            steps,
            variants,
            browser,
            would: match (self.bypassed_by(request, status), case, refused) {
                (Some(named), case, _) => explain::would_if_not_bypassed(named, case),
                (None, Some(case), Some(reason)) => explain::would(case, reason),
                _ => Vec::new(),
            },
        }
    }

    /// The path of `bypass_paths` for which a request went past the cache.
    fn bypassed_by(&self, request: &Presented, status: &CacheStatus) -> Option<&str> {
        let is_reason = status.detail == Some(Reason::BypassPath);
        is_reason.then(|| self.options.bypass_paths.any_reading(request.target.path())).flatten()
    }

    fn browser_of(&self, url: &str, stored: &StoredResponse) -> Option<explain::Browser> {
        let content = stored.content();
        let mut fields = content.lines.fields();
        let age = content.freshness.age(self.clock.now());
        fields.insert(header::AGE, HeaderValue::from(age.get()));
        self.browser_with(url, content.status, fields, content.rare.form.is_some())
    }

    /// What is filled for one visitor says other things to their browser than what the
    /// app has sent.
    fn browser_with(
        &self,
        url: &str,
        status: StatusCode,
        mut fields: HeaderMap,
        filled: bool,
    ) -> Option<explain::Browser> {
        if filled {
            for_one_visitor(&mut fields);
        }
        explain::browser(url, status, &fields, self.clock.wall())
    }

    fn case<'a>(&'a self, request: &'a Presented, head: &Head<'_>) -> Case<'a> {
        let policy = &self.options.policy;
        let now = self.clock.now();
        let mut fields = head.fields.clone();
        // What larder and who is before it have added.
        fields.remove(header::AGE);
        Case {
            asked: request.asked(policy),
            status: head.status,
            fields,
            exchange: Exchange { sent: now, received: now, received_at: self.clock.wall() },
            policy,
        }
    }

    /// What is stored for a request's target, or an equivalent one, the newest first, and
    /// which the request selects.
    fn variants(
        &self,
        request: &Presented,
        key: &CacheKey,
    ) -> (Vec<Variant>, Option<Arc<StoredResponse>>) {
        let (now, policy) = (self.clock.now(), &self.options.policy);
        let (mut variants, mut selected) = (Vec::new(), None);
        let all = self.memory.answering(key).into_iter();
        for (_, stored) in all.filter(|(key, stored)| self.stands(key, stored)) {
            let rare = &stored.content().rare;
            let is_selected = selected.is_none()
                && rare.query == request.query
                && rare.nominated.selects(&request.fields, &rare.variant, policy);
            if is_selected || variants.len() < MOST_VARIANTS {
                variants.push(Variant { selected: is_selected, ..described(&stored, now) });
            }
            if is_selected {
                selected = Some(stored);
            }
        }
        (variants, selected)
    }
}

/// A stored response, without the body.
pub(super) fn described(stored: &Arc<StoredResponse>, now: Moment) -> Variant {
    let content = stored.content();
    let (freshness, rare) = (&content.freshness, &content.rare);
    let nominated = rare.nominated.texts().into_iter().map(str::to_string).collect();
    let fields = content.fields_to_show();
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Variant {
        selected: false,
        status: content.status.as_u16(),
        fields: fields.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        bytes: content.length(),
        age: freshness.age(now).get(),
        ttl: stored.ttl(now),
        hits: stored.hits(),
        tags: rare
            .tags
            .global
            .iter()
            .chain(rare.tags.groups.iter())
            .map(ToString::to_string)
            .collect(),
        nominated,
        arithmetic: explain::arithmetic(freshness, stored.softened(), now),
    }
}
