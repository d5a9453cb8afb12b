//! Spans, as a collector gets them from the real larder: only where it was built with
//! the feature `otel`, as `make test` builds it.

mod collector;
mod environment;
mod sampling;
mod spans;
mod trouble;

use crate::harness::{Larder, Origin, reply};
use collector::Told;
use std::fmt::Display;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// A `traceparent` of that trace, with these flags.
fn traceparent(flags: &str) -> String {
    format!("00-{TRACE}-b7ad6b7169203331-{flags}")
}

/// An app with pages, and one that fails.
fn app() -> Origin {
    Origin::answering(|seen| match seen.target.as_str() {
        "/broken" => reply(500, &[], "no"),
        "/missing" => reply(404, &[], "none"),
        target if target.starts_with("/private") => reply(200, &["Set-Cookie: a=b"], "for you"),
        _ => reply(200, &["Cache-Control: max-age=60"], "page"),
    })
}

/// A larder that tells this collector, with more settings.
fn larder(origin: impl Display, collector: &str, env: &[(&str, &str)]) -> Larder {
    let mut all = vec![("LARDER_TELEMETRY__ENDPOINT", collector)];
    all.extend(env);
    Larder::with_env(origin, &["--access-log", "json"], &all)
}

/// The `traceparent` by which one belongs to a span.
fn parent_of_others(span: &Told) -> String {
    format!("00-{}-{}-01", span.trace, span.id)
}
