//! Asking the origin: with the conditions that stored responses give, and what
//! its answer means for them.

use super::lookup::Found;
use super::query;
use super::uncacheable::Known;
use super::{Proxy, forms};
use crate::body::Body;
use crate::error::OriginError;
use crate::key::CacheKey;
use crate::message::Presented;
use crate::origin;
use crate::purge::Departure;
use crate::semantics::cache_status::Forward;
use crate::semantics::reason::Reason;
use crate::semantics::tags::Tags;
use crate::semantics::time::Exchange;
use crate::semantics::validation::{self, Validated};
use crate::storage::StoredResponse;
use http::{HeaderMap, Response, StatusCode, header};
use std::sync::Arc;

/// What a fetch is to do.
pub(super) struct Plan {
    pub request: Arc<Presented>,
    pub key: CacheKey,
    /// The stale response that may be validated, or stand in for a failure.
    pub stale: Option<Arc<StoredResponse>>,
    /// The part that doesn't have what is wanted, but may become more.
    pub part: Option<Arc<StoredResponse>>,
    /// Other variants, of which the origin may name one.
    pub others: Vec<Arc<StoredResponse>>,
    pub forward: Forward,
    /// That its last answer was not storable.
    pub known: Option<Known>,
}

impl Plan {
    pub fn new(request: &Arc<Presented>, key: &CacheKey, found: &Found) -> Plan {
        let mut plan = Plan {
            request: Arc::clone(request),
            key: key.clone(),
            stale: None,
            part: None,
            others: Vec::new(),
            forward: found.forward(),
            known: None,
        };
        match found {
            Found::Stale(stored, _) => plan.stale = Some(Arc::clone(stored)),
            Found::Part(stored) => plan.part = Some(Arc::clone(stored)),
            Found::Others(others) => plan.others.clone_from(others),
            _ => {}
        }
        plan
    }
}

/// What the origin said, and when. If it has placeholders, they can be filled.
pub(super) struct Reply {
    pub departure: Departure,
    pub exchange: Exchange,
    pub response: Response<Body>,
    /// The tags of what was stored of it already.
    pub tags: Tags,
}

/// A stored response that the origin has confirmed, with its fields from now on.
pub(super) struct Confirmed {
    pub stored: Arc<StoredResponse>,
    pub fields: Box<HeaderMap>,
}

impl Proxy {
    /// Asks; tells which stored response the origin has confirmed, if it did. A
    /// 304 about something else is asked again without conditions (RFC 9111
    /// section 4.3.3), and one to the client's own about a page that is filled.
    pub(super) async fn ask_for_ours(
        &self,
        plan: &Plan,
    ) -> Result<(Reply, Option<Confirmed>), OriginError> {
        if plan.part.is_some()
            && let Some(reply) = Box::pin(self.ask_for_the_rest(plan)).await?
        {
            return Ok((reply, None));
        }
        let departure = self.shared.purger.depart();
        // Looked up a while ago: a purge since then is not to be got round.
        let offered: Vec<&Arc<StoredResponse>> = plan
            .stale
            .iter()
            .chain(&plan.others)
            .filter(|stored| self.shared.stands(&plan.key, stored))
            .collect();
        let fields = self.conditions(plan, &offered);
        if offered.is_empty() {
            return Ok((self.ask_on_theirs(plan, fields, departure).await?, None));
        }
        let reply = self.ask_for_any(plan, fields, departure).await?;
        if reply.response.status() != StatusCode::NOT_MODIFIED {
            forms::can_be_shown(&reply.response)?;
            return Ok((reply, None));
        }
        if let Some(confirmed) = confirmed(plan, &offered, &reply.response) {
            return Ok((reply, Some(confirmed)));
        }
        Ok((self.ask_for_the_whole(plan, forms::are_spoken_of(&reply.response)).await?, None))
    }

    /// Asks with fields that may bear conditions of the client's own. A page that is filled
    /// nobody has already: whatever the app says, it is asked for the whole.
    pub(super) async fn ask_on_theirs(
        &self,
        plan: &Plan,
        fields: HeaderMap,
        departure: Departure,
    ) -> Result<Reply, OriginError> {
        let reply = self.ask_for_any(plan, fields, departure).await?;
        let response = &reply.response;
        if response.status() == StatusCode::NOT_MODIFIED && forms::are_spoken_of(response) {
            drop(reply);
            return self.ask_for_the_whole(plan, true).await;
        }
        forms::can_be_shown(response)?;
        Ok(reply)
    }

    /// Asks again, without conditions. What is filled is not asked for a part of.
    async fn ask_for_the_whole(&self, plan: &Plan, is_filled: bool) -> Result<Reply, OriginError> {
        let mut fields = plan.request.fields.clone();
        validation::remove_conditions(&mut fields);
        if !is_filled {
            keep_range(plan, &mut fields);
        }
        let departure = self.shared.purger.depart();
        self.ask(plan, fields, departure).await
    }

    /// The request's fields with the conditions that are ours to make.
    fn conditions(&self, plan: &Plan, offered: &[&Arc<StoredResponse>]) -> HeaderMap {
        let mut fields = plan.request.fields.clone();
        // Where nothing is going to be stored, the client's own copy may do.
        let hopeless = plan.known.as_ref().is_some_and(|known| is_lasting(known.reason));
        match (offered, &plan.stale) {
            ([stale], Some(_)) => {
                validation::make_conditional(&mut fields, &stale.content().lines.fields());
            }
            ([], _) if hopeless => {}
            ([], _) => validation::remove_conditions(&mut fields),
            (others, _) => {
                let others: Vec<_> = others.iter().map(|o| o.content().lines.fields()).collect();
                validation::offer(&mut fields, others.iter());
            }
        }
        keep_range(plan, &mut fields);
        fields
    }

    /// Sends the plan's request, with these fields, and a QUERY's content.
    pub(super) async fn ask(
        &self,
        plan: &Plan,
        fields: HeaderMap,
        departure: Departure,
    ) -> Result<Reply, OriginError> {
        let reply = self.ask_for_any(plan, fields, departure).await?;
        forms::can_be_shown(&reply.response)?;
        Ok(reply)
    }

    /// The same, for who looks whether it can be shown.
    async fn ask_for_any(
        &self,
        plan: &Plan,
        fields: HeaderMap,
        departure: Departure,
    ) -> Result<Reply, OriginError> {
        let host = self.shared.options.host.as_ref();
        let request = origin::outbound(&plan.request, fields, query::held(&plan.request), host);
        let sent = self.shared.clock.now();
        let response = self.exchange(&plan.request, request, self.when_refused(plan)).await?;
        let exchange = Exchange {
            sent,
            received: self.shared.clock.now(),
            received_at: self.shared.clock.wall(),
        };
        Ok(Reply { departure, exchange, response, tags: Tags::default() })
    }
}

/// Who wants a part has it fetched as a part, but for a page that is filled: a part may
/// begin or end within a placeholder.
fn keep_range(plan: &Plan, fields: &mut HeaderMap) {
    let is_filled = plan.stale.as_ref().is_some_and(|stale| stale.content().rare.form.is_some());
    match plan.request.fields.get(header::RANGE) {
        Some(range) if !is_filled => drop(fields.insert(header::RANGE, range.clone())),
        _ => drop(fields.remove(header::RANGE)),
    }
}

/// The stored response that a 304 is about.
fn confirmed(
    plan: &Plan,
    offered: &[&Arc<StoredResponse>],
    response: &Response<Body>,
) -> Option<Confirmed> {
    let not_modified = response.headers();
    let stored = match &plan.stale {
        Some(stale) => stale,
        None => offered
            .iter()
            .find(|stored| validation::is_named(&stored.content().lines.fields(), not_modified))?,
    };
    if !forms::may_be_about(stored.content(), response) {
        return None;
    }
    match validation::freshen(&stored.content().lines.fields(), not_modified) {
        Validated::Freshened(fields) => Some(Confirmed { stored: Arc::clone(stored), fields }),
        Validated::Other => None,
    }
}

/// Reasons that lie in the response itself and will be there next time.
fn is_lasting(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::NoStore | Reason::Private | Reason::VaryAny | Reason::NoLifetime | Reason::TooLarge
    )
}
