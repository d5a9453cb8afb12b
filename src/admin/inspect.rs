//! Health and numbers.

use super::problem::Kind;
use super::reply;
use crate::access_log::rfc3339;
use crate::metrics::{Durations, Trouble};
use crate::proxy::Shared;
use crate::semantics::cache_status::Forward;
use crate::semantics::reason::Reason;
use crate::semantics::time::Moment;
use crate::storage::Point;
use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use serde_json::{Map, Value, json};

/// How many times the memory the hit ratio is told for.
const SIZES: [f64; 7] = [0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0];

/// The process runs.
pub(super) fn alive() -> Response<Full<Bytes>> {
    reply::document(&json!({ "status": "ok" }))
}

/// Requests may be sent here; not while the process is closing.
pub(super) fn ready(closing: bool) -> Response<Full<Bytes>> {
    if closing {
        return reply::problem(Kind::Closing, "larder is closing");
    }
    reply::document(&json!({ "status": "ready" }))
}

/// What is stored, and what was done so far.
pub(super) fn stats(shared: &Shared) -> Response<Full<Bytes>> {
    let Shared { metrics, account, gate, .. } = shared;
    let (usage, now) = (shared.memory.usage(), shared.clock.now());
    let points = shared.memory.curve(&SIZES);
    let curve: Vec<Value> = (points.iter())
        .map(|point| {
            json!({
                "factor": point.factor,
                "bytes": (usage.limit as f64 * point.factor) as u64,
                "hit_ratio": point.hit_ratio,
            })
        })
        .collect();
    reply::document(&json!({
        "version": env!("CARGO_PKG_VERSION"),
        "started": rfc3339(metrics.started),
        "memory": {
            "targets": usage.targets,
            "responses": usage.responses,
            "bytes": usage.bytes,
            "limit": usage.limit,
            "with_in_flight": { "bytes": account.taken(), "limit": account.limit() },
        },
        "memory_curve": curve,
        "memory_advice": advice(&points, usage.limit),
        "requests": {
            "hit": metrics.hits.get(),
            "short_way": metrics.short_way.get(),
            "forwarded": counts(Forward::ALL.map(|why| (why.token(), metrics.forwarded(why)))),
            "reasons": counts(Reason::all().map(|why| (why.code(), metrics.reasons.get(why)))),
            "own": metrics.own.get(),
            "collapsed": metrics.collapsed.get(),
            "filled": metrics.filled.get(),
        },
        "origin": origin(shared),
        "latency": {
            "hit": latency(&metrics.hits_took, now),
            "miss": latency(&metrics.misses_took, now),
        },
        "connections": { "open": gate.inside(), "limit": gate.most() },
        "log": { "lost": shared.log.lost() },
        "bytes_sent": metrics.bytes_sent.get(),
        "saved_seconds": metrics.saved_seconds(now),
        "stored": metrics.stored.get(),
        "evicted": usage.evicted,
        "variants_displaced": usage.displaced,
        "purges": metrics.purges.get(),
        "marks": shared.purger.marks(),
        "troubles": counts(Trouble::ALL.map(|kind| (kind.name(), metrics.troubles.count(kind)))),
    }))
}

/// What follows from the hit ratios of other sizes, in a sentence; none while they are not
/// known. Less than a tenth of a hundredth is nothing.
fn advice(points: &[Point], limit: u64) -> Option<String> {
    const NOTHING: f64 = 0.001;
    let ratio = |factor| points.iter().find(|p| p.factor == factor).map(|p| p.hit_ratio);
    let (half, now, double) = (ratio(0.5)?, ratio(1.0)?, ratio(2.0)?);
    let size = |bytes: u64| match bytes >> 20 {
        0 => format!("{} KiB", bytes >> 10),
        mebibytes => format!("{mebibytes} MiB"),
    };
    Some(match (double - now, now - half) {
        (more, _) if more >= NOTHING => {
            format!("{} more would give +{:.1} % hits", size(limit), more * 100.0)
        }
        (_, less) if less >= NOTHING => {
            format!(
                "more would give no more hits, {} less {:.1} % fewer",
                size(limit / 2),
                less * 100.0
            )
        }
        _ => format!("half of it, {}, would give as many hits", size(limit / 2)),
    })
}

/// How the origin is doing, and what it was asked and has answered.
fn origin(shared: &Shared) -> Value {
    let Shared { metrics, origin, .. } = shared;
    let upstreams: Vec<Value> = (origin.upstreams().iter())
        .map(|upstream| {
            json!({
                "address": upstream.address,
                "in_flight": upstream.in_flight,
                "idle": upstream.idle,
                "state": upstream.state,
            })
        })
        .collect();
    json!({
        "requests": metrics.origin_requests.get(),
        "failures": metrics.origin_failures.get(),
        "answers": counts(metrics.answers.by_class()),
        "seconds": metrics.answers.took.all().seconds(),
        "queued": origin.queued(),
        "held": origin.held(),
        "upstreams": upstreams,
    })
}

fn counts(named: impl IntoIterator<Item = (&'static str, u64)>) -> Map<String, Value> {
    named.into_iter().map(|(name, count)| (name.to_string(), count.into())).collect()
}

/// How long something took in about the last minute.
fn latency(took: &Durations, now: Moment) -> Value {
    let recent = took.recent(now);
    json!({ "p50": took.quantile(&recent, 0.5), "p99": took.quantile(&recent, 0.99) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_other_sizes_would_give_is_said_in_a_sentence() {
        let said = |half, now, double| {
            let point = |(factor, hit_ratio)| Point { factor, hit_ratio };
            let points = [(0.5, half), (1.0, now), (2.0, double)].map(point);
            advice(&points, 256 << 20).expect("a sentence")
        };
        assert_eq!(said(0.5, 0.6, 0.631), "256 MiB more would give +3.1 % hits");
        let less = "more would give no more hits, 128 MiB less 10.0 % fewer";
        assert_eq!(said(0.5, 0.6, 0.6005), less);
        assert_eq!(said(0.6, 0.6, 0.6), "half of it, 128 MiB, would give as many hits");
        assert_eq!(advice(&[], 256 << 20), None);
    }
}
