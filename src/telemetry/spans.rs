//! Which requests are sampled, and their spans on the way to the queue.

use super::attributes::{Asked, Served};
use super::collector::Unusable;
use super::export::{self, Counts, Exporter};
use super::{Options, attributes};
use crate::access_log::Entry;
use crate::clock::Clock;
use crate::error::OriginError;
use crate::key::Scheme;
use crate::message::{self, Peer, TRACEPARENT, TraceContext, by_chance};
use crate::origin::Visited;
use http::{Request, StatusCode};
use opentelemetry_sdk::trace::SpanData;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::mpsc::Sender;

/// Who decides which requests are sampled, and takes their spans. By default nobody.
#[derive(Clone, Default)]
pub struct Telemetry(Option<Arc<Recorder>>);

struct Recorder {
    in_a_million: u32,
    heeds_anybody: bool,
    queue: Sender<SpanData>,
    counts: Arc<Counts>,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Telemetry").field(&self.0.is_some()).finish()
    }
}

impl Telemetry {
    /// By these options. What is told is sent while the exporter runs.
    ///
    /// # Errors
    /// [`Unusable`]: what the environment says of OTLP can't be used.
    pub fn new(options: Options, clock: Arc<dyn Clock>) -> Result<(Telemetry, Exporter), Unusable> {
        let Options { in_a_million, heeds_anybody, .. } = options;
        let counts = Arc::<Counts>::default();
        let (queue, exporter) = export::queue(options, &counts)?;
        let recorder = Recorder { in_a_million, heeds_anybody, queue, counts, clock };
        Ok((Telemetry(Some(Arc::new(recorder))), exporter))
    }

    /// Begins the span of a request with this `traceparent` from this peer, if the request
    /// is sampled. Who says that it isn't recorded is heeded; who says that it is, is if it
    /// is a trusted proxy, or if anybody is. Chance decides about all others.
    pub fn begin<'a>(
        &self,
        peer: &Peer,
        options: &message::Options,
        traceparent: impl FnOnce() -> Option<&'a [u8]>,
    ) -> Option<Span> {
        let recorder = self.0.as_deref()?;
        let parent = traceparent().and_then(TraceContext::read);
        let is_sampled = match parent {
            Some(parent) if !parent.is_sampled => false,
            Some(_) if recorder.heeds_anybody || options.trusts(peer.ip()) => true,
            _ => by_chance(recorder.in_a_million),
        };
        is_sampled.then(|| {
            let own = parent.map_or_else(|| TraceContext::begin(true), TraceContext::next);
            let parent = parent.map(|parent| parent.span);
            Span(Box::new(Served { own, parent, peer: peer.address(), target: None }))
        })
    }

    /// Ends a request's span: its answer has gone, and this is known of it.
    pub fn answered(&self, span: Span, entry: &Entry<'_>) {
        if let Some(recorder) = &self.0 {
            recorder.take(attributes::server_span(&span.0, entry));
        }
    }

    /// Begins the span of asking the origin, from this place in a trace, and tells the
    /// origin of it. None if it isn't sampled.
    pub fn ask<B>(&self, from: Option<TraceContext>, request: &mut Request<B>) -> Option<Asking> {
        let (recorder, from) = (Arc::clone(self.0.as_ref()?), from?);
        let own = from.next();
        request.headers_mut().insert(TRACEPARENT, own.traceparent());
        let visited = Visited::default();
        request.extensions_mut().insert(visited.clone());
        let asked = Asked::by(request, own, from.span, visited);
        let (began, at) = (recorder.clock.precise(), recorder.clock.wall());
        Some(Asking(Some(Box::new(Begun { asked, began, at, recorder }))))
    }

    /// How many spans were left out, because too many waited or the collector did not
    /// take them.
    pub fn lost(&self) -> u64 {
        self.0.as_deref().map_or(0, |recorder| recorder.counts.lost())
    }

    /// How many spans the collector has taken.
    pub fn exported(&self) -> u64 {
        self.0.as_deref().map_or(0, |recorder| recorder.counts.exported())
    }
}

impl Recorder {
    /// Puts a span into the queue, or leaves it out if that is full.
    fn take(&self, span: SpanData) {
        if self.queue.try_send(span).is_err() {
            self.counts.lose(1);
        }
    }
}

/// A sampled request that is being answered.
#[derive(Debug)]
pub struct Span(Box<Served>);

impl Span {
    /// Its place in its trace.
    pub fn context(&self) -> TraceContext {
        self.0.own
    }

    /// Whether its trace begins with it.
    pub fn is_first(&self) -> bool {
        self.0.parent.is_none()
    }

    /// Scheme and host of what is asked for are known.
    pub fn is_for(&mut self, scheme: Scheme, host: &str) {
        self.0.target = Some((scheme, host.into()));
    }
}

/// A request that is at the origin; dropped, it was given up.
#[derive(Debug)]
pub struct Asking(Option<Box<Begun>>);

struct Begun {
    asked: Asked,
    began: Duration,
    at: SystemTime,
    recorder: Arc<Recorder>,
}

impl fmt::Debug for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Begun").field("asked", &self.asked).finish_non_exhaustive()
    }
}

impl Asking {
    /// The head of an answer has come, or none will.
    pub fn ended(mut self, outcome: Result<StatusCode, &OriginError>) {
        let outcome = outcome.map_err(|error| error.reason().code());
        self.tell(outcome);
    }

    fn tell(&mut self, outcome: Result<StatusCode, &'static str>) {
        if let Some(begun) = self.0.take() {
            let Begun { asked, began, at, recorder } = *begun;
            let took = recorder.clock.precise().saturating_sub(began);
            recorder.take(attributes::client_span(asked, (at, at + took), outcome));
        }
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.tell(Err("cancelled"));
    }
}
