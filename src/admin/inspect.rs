//! Health and numbers.

use super::problem::Kind;
use super::reply;
use crate::metrics::Trouble;
use crate::proxy::Shared;
use crate::semantics::cache_status::Forward;
use crate::semantics::reason::Reason;
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
    let (usage, metrics, account) = (shared.memory.usage(), &shared.metrics, &shared.account);
    let forwarded: Map<String, Value> = Forward::ALL
        .into_iter()
        .map(|reason| (reason.token().to_string(), metrics.forwarded(reason).into()))
        .collect();
    let reasons: Map<String, Value> = Reason::all()
        .map(|reason| (reason.code().to_string(), metrics.reasons.get(reason).into()))
        .collect();
    let troubles: Map<String, Value> = Trouble::ALL
        .iter()
        .map(|trouble| (trouble.name().to_string(), metrics.troubles.count(*trouble).into()))
        .collect();
    let upstreams: Vec<Value> = (shared.origin.upstreams().iter())
        .map(|upstream| {
            json!({
                "address": upstream.address,
                "in_flight": upstream.in_flight,
                "state": upstream.state,
            })
        })
        .collect();
    let curve: Vec<Value> = (shared.memory.curve(&SIZES).iter())
        .map(|point| {
            json!({
                "factor": point.factor,
                "bytes": (usage.limit as f64 * point.factor) as u64,
                "hit_ratio": point.hit_ratio,
            })
        })
        .collect();
    reply::document(&json!({
        "memory": {
            "targets": usage.targets,
            "bytes": usage.bytes,
            "limit": usage.limit,
            "with_in_flight": { "bytes": account.taken(), "limit": account.limit() },
        },
        "memory_curve": curve,
        "requests": {
            "hit": metrics.hits.get(),
            "short_way": metrics.short_way.get(),
            "forwarded": forwarded,
            "reasons": reasons,
            "own": metrics.own.get(),
            "collapsed": metrics.collapsed.get(),
        },
        "origin": {
            "requests": metrics.origin_requests.get(),
            "failures": metrics.origin_failures.get(),
            "queued": shared.origin.queued(),
            "held": shared.origin.held(),
            "upstreams": upstreams,
        },
        "stored": metrics.stored.get(),
        "marks": shared.purger.marks(),
        "troubles": troubles,
    }))
}
