//! Which stored response the request selects, and what may be done with it.

use super::selecting::Selecting;
use super::{Shared, respond};
use crate::key::CacheKey;
use crate::message::Presented;
use crate::purge::Verdict;
use crate::semantics::cache_status::Forward;
use crate::semantics::no_vary_search::SearchVariance;
use crate::semantics::reason::Reason;
use crate::semantics::reuse::{self, Reuse};
use crate::semantics::validation;
use crate::storage::{Content, Slot, StoredResponse};
use std::sync::Arc;

/// What the store has for a request.
pub(super) enum Found {
    /// Answer with it; the word says more, if there is more to say.
    Usable(Arc<StoredResponse>, Option<Reason>),
    /// Answer with it, and refresh it behind if it is asked for often.
    UsableNearItsEnd(Arc<StoredResponse>),
    /// Answer with it, and validate it behind.
    UsableWhileValidated(Arc<StoredResponse>),
    /// It has to be validated first.
    Stale(Arc<StoredResponse>, Forward),
    /// It is a part, and doesn't have what is wanted.
    Part(Arc<StoredResponse>),
    /// It is not for this visitor.
    Withheld,
    /// None is selected, but the origin may say that it would choose one of these.
    Others(Vec<Arc<StoredResponse>>),
    /// There is nothing that can be used.
    Nothing(Forward),
}

/// Where to look: under the request's own key, or under an equivalent one for
/// what bears the variance by which it is.
struct Place<'a> {
    key: &'a CacheKey,
    variance: Option<&'a Arc<SearchVariance>>,
}

impl Found {
    /// The request selects a stored response that has what it wants.
    fn is_selected(&self) -> bool {
        !matches!(self, Found::Nothing(_) | Found::Others(_) | Found::Part(_))
    }

    /// It is an answer.
    pub fn is_usable(&self) -> bool {
        matches!(
            self,
            Found::Usable(..) | Found::UsableNearItsEnd(_) | Found::UsableWhileValidated(_)
        )
    }

    /// Why the request has to go to the origin.
    pub fn forward(&self) -> Forward {
        match self {
            Found::Nothing(forward) | Found::Stale(_, forward) => *forward,
            Found::Withheld => Forward::Request,
            Found::Part(_) => Forward::Partial,
            Found::Others(_) => Forward::VaryMiss,
            Found::Usable(..) | Found::UsableNearItsEnd(_) | Found::UsableWhileValidated(_) => {
                Forward::Stale
            }
        }
    }
}

impl Shared {
    /// Looks the target up, and if nothing there is selected, what is stored for
    /// an equivalent query.
    pub(super) fn look_up(&self, request: &Presented, key: &CacheKey) -> Found {
        let mut found = self.look_at(request, &Place { key, variance: None });
        if found.is_selected() {
            return found;
        }
        for (variance, key) in self.memory.variances().others(key) {
            let other = self.look_at(request, &Place { key: &key, variance: Some(&variance) });
            if other.is_selected() {
                return other;
            }
            if matches!(found, Found::Nothing(Forward::UriMiss)) {
                found = other;
            }
        }
        found
    }

    /// Lets `Vary` pick the variant among what is stored in one place.
    fn look_at(&self, request: &Presented, place: &Place<'_>) -> Found {
        let Some(slot) = self.kept(place.key) else {
            return Found::Nothing(Forward::UriMiss);
        };
        let mut selecting = Selecting::of(&request.fields, &self.options.policy);
        let (mut any, mut part) = (false, None);
        for stored in slot.variants().iter().filter(|s| self.concerns(request, place, s)) {
            any = true;
            if selecting.selects(stored.content()) {
                if self.has_what_is_wanted(request, stored) {
                    return self.selected(request, stored);
                }
                part.get_or_insert(stored);
            }
        }
        if let Some(part) = part {
            return match self.selected(request, part) {
                Found::Withheld => Found::Withheld,
                _ => Found::Part(Arc::clone(part)),
            };
        }
        match any {
            true => self.look_closer(request, place, slot.variants(), selecting),
            false => Found::Nothing(Forward::UriMiss),
        }
    }

    /// What is stored in a place. What has been stale for longer than it is kept
    /// goes now, when somebody looks.
    fn kept(&self, key: &CacheKey) -> Option<Slot> {
        let (memory, now) = (&self.memory, self.clock.now());
        let slot = memory.get(key)?;
        let is_over =
            |stored: &&Arc<StoredResponse>| stored.content().freshness.kept_until() <= now;
        let mut over = slot.variants().iter().filter(is_over).peekable();
        if over.peek().is_none() {
            return Some(slot);
        }
        over.for_each(|stored| memory.remove_one(key, stored));
        memory.get(key)
    }

    /// Whether a stored response answers what is asked, `Vary` aside, can be shown, and
    /// has not been purged.
    fn concerns(&self, request: &Presented, place: &Place<'_>, stored: &StoredResponse) -> bool {
        let content = stored.content();
        let variances = self.memory.variances();
        let is_of_it = match (place.variance, &content.rare.variance) {
            (Some(asked), Some(borne)) => Arc::ptr_eq(asked, borne),
            (Some(_), None) => false,
            (None, Some(borne)) => variances.knows(place.key, borne),
            (None, None) => true,
        };
        // Until the last reload it could be filled, and now perhaps not any more.
        let is_filled = content.rare.form.as_ref().is_none_or(|f| self.options.forms.covers(f));
        let is_of_it = is_of_it && is_filled && content.rare.query == request.query;
        is_of_it && self.stands(place.key, stored)
    }

    /// No hard purge has met a stored response that answers this key.
    pub(super) fn stands(&self, key: &CacheKey, stored: &StoredResponse) -> bool {
        let place = stored.content().place(key);
        !matches!(self.purger.judge_stored(&place, stored), Verdict::Hard { .. })
    }

    /// What may be done with the response that a request selects.
    fn selected(&self, request: &Presented, stored: &Arc<StoredResponse>) -> Found {
        let now = self.clock.now();
        let personal = request.visitor(&self.options.policy).is_known();
        let (freshness, softened) = (&stored.content().freshness, stored.softened());
        // Validating behind would ask as this visitor, or for a part; so it is
        // done in front, for this request.
        let in_front = personal || stored.content().rare.part.is_some();
        let stored = Arc::clone(stored);
        match reuse::decide(freshness, softened, personal, &request.demands, now) {
            Reuse::FreshNearItsEnd if !in_front => Found::UsableNearItsEnd(stored),
            Reuse::Fresh | Reuse::FreshNearItsEnd => Found::Usable(stored, None),
            Reuse::StaleOnDemand => Found::Usable(stored, Some(Reason::MaxStale)),
            Reuse::StaleAndValidate if in_front => Found::Stale(stored, Forward::Stale),
            Reuse::StaleAndValidate => Found::UsableWhileValidated(stored),
            Reuse::Validate => Found::Stale(stored, Forward::Stale),
            Reuse::ValidateOnDemand => Found::Stale(stored, Forward::Request),
            Reuse::NotForThisVisitor => Found::Withheld,
        }
    }

    /// A part may not have it.
    fn has_what_is_wanted(&self, request: &Presented, stored: &StoredResponse) -> bool {
        let (content, most) = (stored.content(), self.options.max_ranges);
        content.rare.part.is_none() || respond::wanted(request, content, most).is_some()
    }

    /// No variant is equal in all that is nominated. One may be in the language
    /// that the visitor wants; or the origin may say which it would choose.
    fn look_closer(
        &self,
        request: &Presented,
        place: &Place<'_>,
        variants: &[Arc<StoredResponse>],
        mut selecting: Selecting<'_>,
    ) -> Found {
        let standing: Vec<_> =
            variants.iter().filter(|s| self.concerns(request, place, s)).collect();
        let in_their_language = standing.iter().find(|stored| {
            selecting.selects_language(stored.content()) && self.has_what_is_wanted(request, stored)
        });
        if let Some(stored) = in_their_language {
            return self.selected(request, stored);
        }
        // A tag may be no more than a version, the same for every language and every visitor.
        let by_coding = |s: &&Arc<StoredResponse>| {
            validation::is_told_apart_by_coding(&s.content().rare.nominated)
        };
        if !standing.iter().all(by_coding) || request.visitor(&self.options.policy).is_known() {
            return Found::Nothing(Forward::VaryMiss);
        }
        let may_be_offered = |content: &Content| {
            validation::may_be_offered(&request.fields, content.status, &content.lines.fields())
        };
        let others: Vec<Arc<StoredResponse>> = standing
            .into_iter()
            .filter(|stored| may_be_offered(stored.content()))
            .take(validation::MOST_OFFERED)
            .cloned()
            .collect();
        match others.is_empty() {
            true => Found::Nothing(Forward::VaryMiss),
            false => Found::Others(others),
        }
    }
}
