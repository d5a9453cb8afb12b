//! Which stored response the request selects, and what may be done with it.

use super::Proxy;
use crate::key::CacheKey;
use crate::message::Presented;
use crate::purge::Verdict;
use crate::semantics::cache_status::Forward;
use crate::semantics::policy::Policy;
use crate::semantics::reuse::{self, Reuse};
use crate::semantics::storable::Asked;
use crate::semantics::vary::{NominatedFields, VariantKey};
use crate::storage::StoredResponse;
use std::sync::Arc;

/// What the store has for a request.
pub(super) enum Found {
    /// Answer with it.
    Usable(Arc<StoredResponse>),
    /// Answer with it, and validate it behind.
    UsableWhileValidated(Arc<StoredResponse>),
    /// It has to be validated first.
    Stale(Arc<StoredResponse>),
    /// It is not for this visitor.
    Withheld,
    /// There is nothing that can be used.
    Nothing(Forward),
}

impl Proxy {
    /// Looks the target up and lets `Vary` pick the variant.
    pub(super) fn look_up(&self, request: &Presented, key: &CacheKey) -> Found {
        let Some(slot) = self.shared.memory.get(key) else {
            return Found::Nothing(Forward::UriMiss);
        };
        let policy = &self.shared.options.policy;
        let mut any = false;
        // Nearly always all variants nominate the same fields.
        let mut last: Option<(&NominatedFields, Option<VariantKey>)> = None;
        for stored in slot.variants() {
            let verdict = self.shared.purger.judge_stored(key, stored);
            if matches!(verdict, Verdict::Hard { .. }) {
                continue;
            }
            any = true;
            let content = stored.content();
            let known = last.take().filter(|(nominated, _)| **nominated == content.nominated);
            let (_, selected) = last.insert(known.unwrap_or_else(|| {
                let selected = content.nominated.select(&request.fields, &policy.cookies);
                (&content.nominated, selected)
            }));
            if selected.as_ref() != Some(&content.variant) {
                continue;
            }
            let now = self.shared.clock.now();
            let personal = is_personal(request, policy);
            let stored = Arc::clone(stored);
            return match reuse::decide(&content.freshness, stored.softened(), personal, now) {
                Reuse::Fresh => Found::Usable(stored),
                // Validating behind would ask as this visitor; so it is done
                // in front, for this visitor.
                Reuse::StaleAndValidate if personal => Found::Stale(stored),
                Reuse::StaleAndValidate => Found::UsableWhileValidated(stored),
                Reuse::Validate => Found::Stale(stored),
                Reuse::NotForThisVisitor => Found::Withheld,
            };
        }
        Found::Nothing(if any { Forward::VaryMiss } else { Forward::UriMiss })
    }
}

/// Whether a request says who its visitor is.
pub(super) fn is_personal(request: &Presented, policy: &Policy) -> bool {
    Asked::of(&request.method, &request.fields, &policy.cookies).is_personal()
}
