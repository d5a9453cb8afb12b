//! Validating a response behind the back of the visitor who was given it: a stale
//! one (RFC 5861 section 3), or one that soon will be.

use super::ask::Plan;
use super::lookup::Found;
use super::{FlightKey, Proxy};
use crate::collapse::Role;
use crate::interim::Interims;
use crate::key::CacheKey;
use crate::message::Presented;
use crate::semantics::cache_status::Forward;
use crate::semantics::validation;
use crate::storage::StoredResponse;
use http::Method;
use std::sync::Arc;

impl Proxy {
    /// Begins the validation, unless one is under way. The origin sees the
    /// fields of the request that caused it.
    pub(super) fn validate_behind(
        self: &Arc<Self>,
        request: &Presented,
        key: &CacheKey,
        stale: &Arc<StoredResponse>,
    ) {
        let flight = FlightKey::of(request, key, 0);
        let softened = stale.softening().map_or(0, |softening| softening.number);
        let number = || self.shared.purger.last();
        if let Role::Lead(leader) = self.shared.collapser.join(flight, softened, number) {
            let mut plan =
                Plan::new(request, key, &Found::Stale(Arc::clone(stale), Forward::Stale));
            if plan.request.method == Method::HEAD {
                plan.request.method = Method::GET;
            }
            plan.request.interims = Interims::default();
            // What comes is for whoever follows: the whole.
            validation::remove_conditions(&mut plan.request.fields);
            self.fetch_behind(plan, leader);
        }
    }
}
