//! `PURGE /path` on the proxy's own port, as Varnish's users send it.

use super::respond;
use super::{Answer, Proxy};
use crate::key::CacheKey;
use crate::message::Presented;
use crate::purge::{Made, Purged, Selectors, Softness, bearer};
use crate::semantics::cache_status::{CacheStatus, Outcome};
use http::StatusCode;
use http::header::{self, HeaderMap, HeaderValue};

impl Proxy {
    /// Purges every variant of the target, under both schemes. It is no error
    /// that there was none. Never reaches the app.
    pub(super) fn purge(&self, request: &Presented) -> Answer {
        let status = CacheStatus::new(Outcome::Own);
        let (access, peer) = (&self.shared.options.access, request.peer.ip());
        let grant = access.grant(peer, request.forwarded, bearer(&request.fields));
        let selectors = Selectors::target(&CacheKey::new(request.target.clone()));
        let Some(grant) = grant.filter(|grant| grant.allows(&selectors).is_ok()) else {
            tracing::warn!(%peer, target = %request.target, "a purge was refused");
            let sentence = "Purging is not allowed from here without a token.";
            return Answer { response: respond::page(StatusCode::FORBIDDEN, sentence), status };
        };
        let now = self.shared.clock.now();
        let Purged { number, counts } = self.shared.purger.purge(&selectors, Softness::Hard, now);
        self.shared.audit.record(Made {
            by: &grant.who,
            peer,
            via: "purge",
            at: self.shared.clock.wall(),
            selectors: &selectors,
            softness: Softness::Hard,
            purge: Some(number),
            purged: Some(counts.total),
            refill: None,
        });
        let mut fields = HeaderMap::new();
        let json = HeaderValue::from_static("application/json");
        fields.insert(header::CONTENT_TYPE, json);
        fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let body = format!("{{\"purged\":{}}}\n", counts.total);
        Answer { response: respond::response(StatusCode::OK, fields, body.into()), status }
    }
}
