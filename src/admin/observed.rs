//! `/v1/observed`: what the origin's time went to in the last minutes, why, and what
//! could be better about its answers.

use super::reply;
use crate::explain::Fix;
use crate::key::{CacheKey, Target};
use crate::observe::lint::Finding;
use crate::observe::{Cause, Costly};
use crate::proxy::Shared;
use crate::semantics::cache_status::Outcome;
use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use serde_json::{Value, json};

/// How many of each are told.
const MOST: usize = 20;

pub(super) fn answer(shared: &Shared) -> Response<Full<Bytes>> {
    let observed = shared.observer.observed(MOST, shared.clock.now());
    let pages: Vec<Value> = observed.pages.iter().map(|page| told(shared, page)).collect();
    reply::document(&json!({
        "seconds": observed.seconds,
        "pages": pages,
        "reasons": observed.causes.iter().map(why).collect::<Vec<_>>(),
        "findings": observed.findings.iter().map(finding).collect::<Vec<_>>(),
    }))
}

/// A page; its hits are those of what is stored of it now.
fn told(shared: &Shared, page: &Costly<Box<str>>) -> Value {
    let key = Target::from_url(&page.what).ok().map(CacheKey::new);
    let slot = key.and_then(|key| shared.memory.get(&key));
    let hits: u64 = slot.iter().flat_map(|slot| slot.variants()).map(|stored| stored.hits()).sum();
    json!({
        "url": page.what,
        "requests": page.cost.requests + hits,
        "origin_requests": page.cost.requests,
        "origin_seconds": reply::rounded(page.cost.took.as_secs_f64()),
    })
}

fn why(costly: &Costly<Cause>) -> Value {
    let (code, kind, sentence, docs, fix) = match costly.what {
        Cause::Reason(reason) => {
            let docs = format!("docs/reasons/{reason}.md");
            (reason.code(), reason.kind().token(), reason.sentence(), docs, Fix::of(reason))
        }
        Cause::Outcome(outcome) => {
            let sentence = match outcome {
                Outcome::Forwarded(forward) => forward.sentence(),
                Outcome::Hit | Outcome::Own => "",
            };
            let docs = "docs/reasons/README.md".to_string();
            (outcome.token(), "forwarded", sentence, docs, Fix::default())
        }
    };
    json!({
        "code": code,
        "kind": kind,
        "sentence": sentence,
        "requests": costly.cost.requests,
        "origin_seconds": reply::rounded(costly.cost.took.as_secs_f64()),
        "example": costly.cost.example,
        "docs": docs,
        "fix": fix,
    })
}

fn finding(finding: &Finding) -> Value {
    let rule = finding.rule;
    let (any, django, flask) = rule.fix;
    json!({
        "rule": rule.code,
        "severity": rule.severity.token(),
        "sentence": rule.sentence,
        "example": finding.cost.example,
        "seen": finding.cost.requests,
        "origin_seconds": reply::rounded(finding.cost.took.as_secs_f64()),
        "origin_requests_a_second": reply::rounded(finding.a_second),
        "fix": { "any": any, "django": django, "flask": flask },
    })
}
