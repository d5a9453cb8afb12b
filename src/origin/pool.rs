//! A request's way to an upstream: a place, a connection, the head of an answer;
//! and what is tried when that fails.
//!
//! Each runtime has a pool of connections of its own; what is known of the
//! upstreams, who waits, and what may be sent again is shared.

use super::address::Address;
use super::attempt::{Answered, Attempt, Failure};
use super::budget::Budget;
use super::check::HealthCheck;
use super::faults::Asked;
use super::health::Ejection;
use super::hold::Hold;
use super::idle::{Idle, Reading};
use super::places::{Place, Places, Tried};
use super::request::say_last;
use super::twice::{Upload, when_sent};
use super::upstream::Upstream;
use super::visited::told_of_upstreams;
use crate::body::Body;
use crate::error::{BodyError, OriginError};
use http::{Request, Response};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// What a pool needs to know.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the origin is: one address or more, at most 64.
    pub upstreams: Vec<Address>,
    /// The longest time to connect.
    pub connect_timeout: Duration,
    /// The longest time from the request to the head of its response.
    pub first_byte_timeout: Duration,
    /// The longest time without a byte of a response's body.
    pub between_bytes_timeout: Duration,
    /// Bytes of a response's body that are read though its client takes none.
    pub read_ahead: usize,
    /// The longest time that a connection is idle and still used again; has to
    /// be shorter than the app keeps it open.
    pub idle_timeout: Duration,
    /// The most requests in flight to one upstream, over all runtimes.
    pub max_connections: usize,
    /// The most requests that wait for one of these places, or for an upstream
    /// to come back.
    pub queue: usize,
    /// The longest time that a request waits for a place.
    pub queue_timeout: Duration,
    /// The longest time for a request altogether, waits and the response's body
    /// included; zero for no bound.
    pub total_timeout: Duration,
    /// When an upstream that fails is left out.
    pub ejection: Ejection,
    /// Requests in a hundred that may be sent again.
    pub retry_budget: usize,
    /// The longest time that a request waits while every upstream refuses.
    pub hold: Duration,
    /// The time after which a name is resolved again.
    pub resolve_every: Duration,
    /// How upstreams are checked, if they are.
    pub health_check: Option<HealthCheck>,
    /// The most bytes of a response's head.
    pub max_head: usize,
    /// The most fields of a response's head.
    pub max_fields: usize,
}

/// What a request does while every upstream refuses connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenRefused {
    /// It waits for one to come back.
    Wait,
    /// It fails at once: there is something else to answer with.
    Fail,
}

/// What is held as long as a request is under way.
pub trait Held: Send + 'static {
    /// The body of the response has broken off: by the origin's fault, or because it
    /// took too long.
    fn broke(&self, _error: &BodyError) {}
}

impl Held for () {}

/// The connections of one runtime.
#[derive(Debug)]
pub struct Pool {
    pub(super) options: Arc<Options>,
    pub(super) places: Arc<Places>,
    pub(super) hold: Arc<Hold>,
    budget: Arc<Budget>,
    idle: Vec<Idle>,
}

impl Pool {
    /// An empty pool.
    pub fn new(options: Options) -> Pool {
        let upstream = |address: &Address| {
            Upstream::new(address, options.max_connections, options.resolve_every)
        };
        let upstreams = options.upstreams.iter().take(Tried::MOST).map(upstream).collect();
        let places = Arc::new(Places::new(upstreams, options.queue));
        Pool {
            idle: nobody_idle(&options, &places),
            places,
            hold: Arc::new(Hold::new(options.queue)),
            budget: Arc::new(Budget::new(options.retry_budget)),
            options: Arc::new(options),
        }
    }

    /// An empty pool for another runtime, which shares all but connections.
    pub fn sibling(&self) -> Pool {
        Pool {
            options: Arc::clone(&self.options),
            places: Arc::clone(&self.places),
            hold: Arc::clone(&self.hold),
            budget: Arc::clone(&self.budget),
            idle: nobody_idle(&self.options, &self.places),
        }
    }

    /// Whether the origin is known to be away: every upstream is left out. Who
    /// has nothing else to answer with asks all the same.
    pub fn is_away(&self) -> bool {
        self.places.all_ejected()
    }

    /// Sends a request and waits for the head of the response. The wait is
    /// counted from when the request has been sent whole.
    ///
    /// What was not sent goes to another upstream. A request is sent again once,
    /// if its body, if any, is in hand, it is idempotent, and not a byte of an
    /// answer came: over a new connection. If it was a new one already, the budget
    /// has to allow it, and it goes to another upstream, if there is one. What may
    /// not be sent again goes over a new connection at once.
    ///
    /// What is `held` is dropped when the request has failed, or the response's body
    /// has come whole or broken off, together with its place.
    ///
    /// # Errors
    /// [`OriginError`]: no connection, no answer, or none in time.
    pub async fn send(
        &self,
        request: Request<Body>,
        when_refused: WhenRefused,
        held: impl Held,
    ) -> Result<Response<Body>, OriginError> {
        self.budget.request();
        let total = self.options.total_timeout;
        if total.is_zero() {
            return self.send_until(None, request, when_refused, held).await;
        }
        let end = Instant::now() + total;
        // Pinned where it is made: the time-out would move it, and it is large.
        let answer = pin!(self.send_until(Some(end), request, when_refused, held));
        timeout_at(end, answer).await.unwrap_or(Err(OriginError::TotalTimeout))
    }

    /// The same; the body has to have come by `end`.
    async fn send_until(
        &self,
        end: Option<Instant>,
        mut request: Request<Body>,
        when_refused: WhenRefused,
        held: impl Held,
    ) -> Result<Response<Body>, OriginError> {
        let asked = Asked::by(&request);
        let is_last = asked.upgrade || say_last(&mut request);
        let told = told_of_upstreams(&request);
        let (sent, upload) = when_sent(&mut request);
        let mut attempt = Attempt { sent, again: false };
        let mut way = Way::new(when_refused);
        loop {
            let place = self.places.enter(way.tried, self.options.queue_timeout).await?;
            let idle = &self.idle[place.at];
            if let Some(told) = &told {
                told.at(&place.upstream().address);
            }
            match attempt.send(self, idle, place.upstream(), request).await {
                Ok(answered) => {
                    let under_way = UnderWay { place, held, upload };
                    return self.answered(answered, under_way, asked, is_last, end);
                }
                Err(failure) => {
                    request = self.after(failure, place, &mut attempt, &mut way).await?
                }
            }
        }
    }

    /// What to do after a failure: the request, if it is to be sent once more.
    async fn after(
        &self,
        failure: Failure,
        place: Place,
        attempt: &mut Attempt,
        way: &mut Way,
    ) -> Result<Request<Body>, OriginError> {
        let failed_at = place.at;
        drop(place);
        match failure {
            Failure::Final(error) => Err(error),
            Failure::NotConnected { request, error } => {
                way.all_refused &= error.is_refusal();
                way.tried = way.tried.and(failed_at);
                if self.places.has_other(way.tried) || self.waited(way).await {
                    return Ok(request);
                }
                Err(error)
            }
            Failure::Unanswered { again: None, error, .. } => Err(error),
            Failure::Unanswered { again: Some(again), reused, error } => {
                // There are only so many kept-alive connections that can be dead.
                if !reused && !self.budget.retry(Instant::now()) {
                    return Err(error);
                }
                attempt.again = true;
                let elsewhere = way.tried.and(failed_at);
                if !reused && self.places.has_other(elsewhere) {
                    way.tried = elsewhere;
                }
                Ok(again)
            }
        }
    }

    /// Waits while every upstream refuses; tells whether one has come back.
    async fn waited(&self, way: &mut Way) -> bool {
        if way.when_refused == WhenRefused::Fail || !way.all_refused {
            return false;
        }
        let options = &self.options;
        let until = *way.until.get_or_insert_with(|| Instant::now() + options.hold);
        let back = Instant::now() < until
            && self.hold.wait(&self.places, until, options.connect_timeout).await;
        way.tried = Tried::default();
        back
    }

    fn answered(
        &self,
        answered: Answered,
        under_way: UnderWay<impl Held>,
        asked: Asked,
        is_last: bool,
        end: Option<Instant>,
    ) -> Result<Response<Body>, OriginError> {
        let Answered { mut response, connection } = answered;
        let reusable = asked.judge(&mut response)?;
        let Options { between_bytes_timeout, read_ahead, .. } = *self.options;
        let reading = Reading { stall: between_bytes_timeout, end, ahead: read_ahead };
        let idle = &self.idle[under_way.place.at];
        let over = move |how: Result<(), &BodyError>| under_way.over(how);
        Ok(idle.lease(response, connection, over, reading, reusable && !is_last))
    }
}

/// A request whose answer has begun.
struct UnderWay<H> {
    place: Place,
    held: H,
    upload: Upload,
}

impl<H: Held> UnderWay<H> {
    /// Its answer has come whole, or has broken off: if that was by the request's own
    /// body, it is not the origin's fault.
    fn over(self, how: Result<(), &BodyError>) {
        drop(self.place);
        if let Err(error) = how
            && !self.upload.has_broken()
        {
            self.held.broke(error);
        }
    }
}

/// Where a request has been so far.
struct Way {
    tried: Tried,
    when_refused: WhenRefused,
    all_refused: bool,
    /// When it has waited for long enough.
    until: Option<Instant>,
}

impl Way {
    fn new(when_refused: WhenRefused) -> Way {
        Way { tried: Tried::default(), when_refused, all_refused: true, until: None }
    }
}

fn nobody_idle(options: &Options, places: &Places) -> Vec<Idle> {
    let Options { max_connections, idle_timeout, .. } = *options;
    let idle = |to: &Upstream| Idle::new(max_connections, idle_timeout, Arc::clone(&to.idle));
    places.upstreams.iter().map(idle).collect()
}
