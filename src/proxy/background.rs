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
            let mut request = request.clone();
            if request.method == Method::HEAD {
                request.method = Method::GET;
            }
            request.interims = Interims::default();
            // The visitor's line tells nothing of it.
            request.notes = Arc::default();
            // What comes is for whoever follows: the whole.
            validation::remove_conditions(&mut request.fields);
            let found = Found::Stale(Arc::clone(stale), Forward::Stale);
            self.fetch_behind(Plan::new(&Arc::new(request), key, &found), leader);
        }
    }
}
