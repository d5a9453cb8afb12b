//! A request's way to the origin and back, as long as it takes something: memory,
//! and a place that others could have.

use super::{Proxy, Shared, forms};
use crate::account::{Charge, Room};
use crate::body::Body;
use crate::clock::Clock;
use crate::error::{BodyError, OriginError};
use crate::gate::Ticket;
use crate::key::Target;
use crate::message::Presented;
use crate::metrics::{Leave, Metrics, Trouble};
use crate::origin::{Held, WhenRefused};
use crate::semantics::fields::remove_hop_by_hop;
use http::{Request, Response};
use std::sync::Arc;

/// What is put by for a request that is at the origin, or waits for it: its fields
/// twice, tasks, the buffers of a connection, and the first pieces of a body, so that
/// many that begin together don't find out together that there is too little.
const PER_ERRAND: usize = 128 << 10;

/// What is held until the answer has come whole.
struct Errand {
    _charge: Charge,
    _ticket: Ticket,
    watch: Watch,
}

impl Held for Errand {
    fn broke(&self, error: &BodyError) {
        self.watch.broke(error);
    }
}

/// Counts an answer whose body breaks, whoever it is for, and writes it down.
pub(super) struct Watch {
    target: Target,
    metrics: Arc<Metrics>,
    clock: Arc<dyn Clock>,
}

impl Watch {
    pub fn over(request: &Presented, shared: &Shared) -> Watch {
        let Shared { metrics, clock, .. } = shared;
        let (metrics, clock) = (Arc::clone(metrics), Arc::clone(clock));
        Watch { target: request.target.clone(), metrics, clock }
    }

    pub fn broke(&self, error: &BodyError) {
        let met = self.metrics.troubles.met(Trouble::BrokenAnswer, self.clock.now());
        if let Some(Leave { unlogged }) = met {
            let target = &self.target;
            tracing::warn!(%target, %error, unlogged, "a response broke off");
        }
    }
}

impl Proxy {
    /// Sends a request that this one causes, and waits for the head of the answer, as
    /// [`Pool::send`](crate::origin::Pool::send) does. The pieces of its body are
    /// counted. The app is told what can be filled in it, and what it makes of that is
    /// remembered beside its answer ([`forms`]).
    ///
    /// # Errors
    /// [`OriginError`]; it is not sent if there is no memory for what would come, nor
    /// if as many of the client's are under way as may be.
    pub(super) async fn send(
        &self,
        request: &Presented,
        mut outbound: Request<Body>,
        when_refused: WhenRefused,
    ) -> Result<Response<Body>, OriginError> {
        let account = &self.shared.account;
        if self.shared.make_room(PER_ERRAND) >= Room::Full {
            return Err(OriginError::NoMemory);
        }
        let ticket = self.shared.at_origin.enter(request.client);
        let ticket = ticket.map_err(|_| OriginError::TooManyOfOne)?;
        let watch = Watch::over(request, &self.shared);
        let errand = Errand { _charge: account.charge(PER_ERRAND), _ticket: ticket, watch };
        let Shared { metrics, clock, .. } = &self.shared;
        let offer = self.shared.options.forms;
        offer.make(outbound.headers_mut());
        metrics.origin_requests.count();
        let asking = self.shared.telemetry.ask(request.traced, &mut outbound);
        let began = clock.precise();
        let response = self.pool.send(outbound, when_refused, errand).await;
        if let Some(asking) = asking {
            asking.ended(response.as_ref().map(Response::status));
        }
        let response = response?;
        let took = clock.precise().saturating_sub(began);
        metrics.origin_answered(response.status(), took, clock.now());
        request.notes.origin_took(took);
        let response = response.map(|body| body.counted(account));
        Ok(forms::received(response, request, offer, &self.shared))
    }

    /// Sends a request as [`Proxy::send`] does, and takes off the answer what is for this
    /// hop and what it purges, once that is done.
    ///
    /// # Errors
    /// As [`Proxy::send`].
    pub(super) async fn exchange(
        &self,
        request: &Presented,
        outbound: Request<Body>,
        when_refused: WhenRefused,
    ) -> Result<Response<Body>, OriginError> {
        let mut response = self.send(request, outbound, when_refused).await?;
        remove_hop_by_hop(response.headers_mut());
        self.purge_in_band(request, response.headers_mut()).await;
        Ok(response)
    }
}
