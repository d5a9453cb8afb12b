//! Traces for OpenTelemetry: a span for each request that is sampled, and one for each
//! time that it has the origin asked, sent to a collector by OTLP over HTTP.
//!
//! Built with the feature `otel` only. Without, the same names are here and do nothing:
//! no request can be sampled, and the compiler knows it.
//!
//! What is told of a request is what the access log tells, when its answer has gone.
//! Requests hand spans to a queue that is never waited for; whoever sends them has a
//! thread of its own. `docs/telemetry.md` says what is in a span, and what never is.

#[cfg(feature = "otel")]
mod attributes;
#[cfg(feature = "otel")]
mod collector;
#[cfg(feature = "otel")]
mod export;
#[cfg(feature = "otel")]
mod spans;
#[cfg(feature = "otel")]
pub use collector::Unusable;
#[cfg(feature = "otel")]
pub use export::Exporter;
#[cfg(feature = "otel")]
pub use spans::{Asking, Span, Telemetry};

#[cfg(not(feature = "otel"))]
mod off;
#[cfg(not(feature = "otel"))]
pub use off::{Asking, Exporter, Span, Telemetry};

use crate::origin::Address;

/// Where spans are sent, and of which requests.
#[derive(Clone, Debug)]
pub struct Options {
    /// The URL that they are posted to.
    pub url: String,
    /// Where that is.
    pub collector: Address,
    /// What this larder is called; without, as the environment says, or `larder`.
    pub service_name: Option<String>,
    /// Of a million requests that nobody has decided about, how many are sampled.
    pub in_a_million: u32,
    /// Whether anybody may have a request sampled, by the flag of a `traceparent`; else
    /// only trusted proxies may.
    pub heeds_anybody: bool,
}
