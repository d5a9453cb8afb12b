//! Targets whose last response was not storable: nobody waits for another's
//! fetch of them, because it would bring nothing to share.
//!
//! Never keeps a response from being stored: the next one is judged as ever.

use super::Proxy;
use super::ask::Plan;
use crate::key::CacheKey;
use crate::message::Presented;
use crate::semantics::policy::Policy;
use crate::semantics::reason::Reason;
use crate::semantics::time::Moment;
use crate::semantics::vary::NominatedFields;
use http::StatusCode;
use moka::sync::Cache;
use std::hash::Hash;
use std::time::Duration;
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

/// The most targets that are remembered; the oldest go.
const MOST: u64 = 16_384;

/// How often it is noted anew that a target is still not storable.
const OFTEN: Duration = Duration::from_secs(1);

/// A bounded memory of targets, by hash: confusing two costs a wait, no more.
#[derive(Debug)]
pub(super) struct Uncacheable {
    known: Cache<u128, (Moment, Reason)>,
    /// By which fields the last answer of a target was told apart from others:
    /// one variant may be storable, and another not.
    nominated: Cache<u128, NominatedFields>,
    lasts: Duration,
}

/// What is known of a target: that its last answer was not storable.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// Why it was not.
    pub reason: Reason,
    until: Moment,
    nominated: NominatedFields,
}

/// What is asked for.
pub(super) struct Wanted<'a> {
    pub key: &'a CacheKey,
    pub request: &'a Presented,
    pub policy: &'a Policy,
}

impl Uncacheable {
    pub fn new(lasts: Duration) -> Uncacheable {
        Uncacheable { known: Cache::new(MOST), nominated: Cache::new(MOST), lasts }
    }

    /// Notes that the response, which nominates these fields, was not storable.
    /// What was known before the request is written down again once a second.
    pub fn note(
        &self,
        it: &Wanted<'_>,
        known: Option<&Known>,
        nominated: &NominatedFields,
        reason: Reason,
        now: Moment,
    ) {
        let until = now.plus(self.lasts);
        let is_noted = |known: &Known| {
            (known.reason, &known.nominated) == (reason, nominated)
                && until < known.until.plus(OFTEN)
        };
        if known.is_some_and(is_noted) {
            return;
        }
        let target = it.target();
        self.nominated.insert(target, nominated.clone());
        self.known.insert(target ^ it.variant(nominated), (until, reason));
    }

    /// Notes that it was storable after all.
    pub fn forget(&self, it: &Wanted<'_>) {
        if let Some((id, _)) = self.find(it).filter(|(id, _)| self.known.contains_key(id)) {
            self.known.invalidate(&id);
        }
    }

    /// What is known of it, if it was not storable.
    pub fn known(&self, it: &Wanted<'_>, now: Moment) -> Option<Known> {
        let (id, nominated) = self.find(it)?;
        let (until, reason) = self.known.get(&id).filter(|(until, _)| *until > now)?;
        Some(Known { reason, until, nominated })
    }

    fn find(&self, it: &Wanted<'_>) -> Option<(u128, NominatedFields)> {
        let target = it.target();
        let nominated = self.nominated.get(&target)?;
        Some((target ^ it.variant(&nominated), nominated))
    }
}

impl Wanted<'_> {
    /// A QUERY with other content is another target here.
    fn target(&self) -> u128 {
        let Some(query) = &self.request.query else { return self.key.hash() };
        let mut hasher = Xxh3::new();
        query.hash(&mut hasher);
        self.key.hash() ^ hasher.digest128()
    }

    /// `Vary: *` tells nothing apart here.
    fn variant(&self, nominated: &NominatedFields) -> u128 {
        let variant = nominated.select(&self.request.fields, self.policy);
        variant.map_or(0, |variant| xxh3_128(variant.as_bytes()))
    }
}

/// Whether an answer that may not be stored says something of what was asked for. An error
/// is as likely due to how it was asked for, which anybody may have done on purpose, or to
/// an origin in trouble; unless what was there is gone, or the error says itself that nobody
/// else is to have it.
fn is_about_the_target(status: StatusCode, reason: Reason) -> bool {
    match status.as_u16() {
        404 | 410 => true,
        400..=499 => matches!(reason, Reason::NoStore | Reason::Private),
        code => code < 500,
    }
}

impl Proxy {
    /// Notes what it means that a response may not be stored.
    pub(super) fn not_stored(
        &self,
        plan: &Plan,
        status: StatusCode,
        nominated: &NominatedFields,
        reason: Reason,
    ) {
        if !is_about_the_target(status, reason) {
            return;
        }
        self.outdate(plan, reason);
        let personal = plan.request.visitor(&self.shared.options.policy).is_known();
        // What one visitor is answered, or provokes, says nothing about the next.
        if !personal && !matches!(reason, Reason::Status | Reason::Part | Reason::Provoked) {
            self.not_worth_waiting_for(plan, nominated, reason);
        }
    }

    /// Remembers that a target's answer to such a request is not storable.
    pub(super) fn not_worth_waiting_for(
        &self,
        plan: &Plan,
        nominated: &NominatedFields,
        reason: Reason,
    ) {
        let (now, known) = (self.shared.clock.now(), plan.known.as_ref());
        self.shared.uncacheable.note(&self.wanted(plan), known, nominated, reason, now);
    }

    /// What a plan is for, as it is remembered.
    pub(super) fn wanted<'a>(&'a self, plan: &'a Plan) -> Wanted<'a> {
        let policy = &self.shared.options.policy;
        Wanted { key: &plan.key, request: &plan.request, policy }
    }
}
