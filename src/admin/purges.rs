//! `/v1/purges`: what was purged, by whom, and how far its refilling has come.

use super::problem::Kind;
use super::reply;
use super::routes::Asker;
use crate::access_log::rfc3339;
use crate::purge::{MOST_RECORDS, Record, Refill, Refilled, Softness};
use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// How many are told, if nobody says.
const USUALLY: usize = 100;

/// The newest first.
pub(super) fn list(asker: &Asker<'_>, query: Option<&str>) -> Response<Full<Bytes>> {
    let (mut since, mut limit) = (0, USUALLY);
    for parameter in query.unwrap_or_default().split('&').filter(|p| !p.is_empty()) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let digits = value.bytes().all(|b| b.is_ascii_digit()).then_some(value);
        let number = digits.and_then(|digits| digits.parse::<u64>().ok());
        let most = MOST_RECORDS as u64;
        match (name, number) {
            ("since", Some(number)) => since = number,
            ("limit", Some(number)) if (1..=most).contains(&number) => {
                limit = usize::try_from(number).unwrap_or(MOST_RECORDS);
            }
            ("since", None) => return invalid("since has to be the number of a purge"),
            ("limit", _) => return invalid(&format!("limit has to be from 1 to {most}")),
            _ => return invalid("the parameters are limit and since"),
        }
    }
    let seen = |record: &Record| asker.grant.sees(&record.by);
    let records = asker.shared.audit.list(since, limit, seen);
    let purges: Vec<Value> = records.iter().map(|record| written(record)).collect();
    reply::document(&json!({ "purges": purges }))
}

fn invalid(detail: &str) -> Response<Full<Bytes>> {
    reply::problem(Kind::InvalidRequest, detail)
}

/// One of them.
pub(super) fn one(asker: &Asker<'_>, number: &str) -> Response<Full<Bytes>> {
    match find(asker, number) {
        Some(record) => reply::document(&written(&record)),
        None => reply::problem(Kind::NotFound, NOT_KNOWN),
    }
}

const NOT_KNOWN: &str = "no purge of this number is remembered, or it was somebody else's";

fn find(asker: &Asker<'_>, number: &str) -> Option<Arc<Record>> {
    let digits = number.bytes().all(|b| b.is_ascii_digit()).then_some(number)?;
    let record = asker.shared.audit.find(digits.parse().ok()?)?;
    asker.grant.sees(&record.by).then_some(record)
}

/// Takes a soft purge back.
pub(super) async fn undo(asker: &Asker<'_>, number: &str) -> Response<Full<Bytes>> {
    let Some(record) = find(asker, number) else {
        return reply::problem(Kind::NotFound, NOT_KNOWN);
    };
    if !asker.grant.is_everything() && *record.by != *asker.grant.who {
        return asker.refused("this token may not undo what somebody else did");
    }
    let purge = match (record.softness, record.purge) {
        (Softness::Soft, Some(purge)) => purge,
        _ => return reply::problem(Kind::NotUndone, "it was no soft purge"),
    };
    if !record.undo() {
        return reply::problem(Kind::NotUndone, "it has been undone already");
    }
    let shared = asker.shared.clone();
    // A task that has begun goes on, whether or not anybody waits for it.
    match tokio::task::spawn_blocking(move || shared.undo(purge)).await {
        Ok(undone) => {
            let (number, peer, by) = (record.number, asker.peer, &asker.grant.who);
            tracing::info!(number, by = %by, %peer, undone, "a purge was undone");
            reply::document(&json!({ "number": number, "undone": undone }))
        }
        Err(error) => {
            tracing::error!(%error, "a purge was not undone");
            reply::problem(Kind::Internal, "the purge was not undone everywhere")
        }
    }
}

/// A purge, as the list and the events have it.
pub(super) fn written(record: &Record) -> Value {
    let mut selectors: Map<String, Value> = record
        .named
        .kinds
        .iter()
        .map(|(kind, texts)| ((*kind).to_string(), texts.iter().map(|t| &**t).collect()))
        .collect();
    if record.named.everything {
        selectors.insert("all".into(), true.into());
    }
    let mut value = json!({
        "number": record.number,
        "at": rfc3339(record.at),
        "by": record.by,
        "peer": record.peer.to_string(),
        "via": record.via,
        "soft": record.softness == Softness::Soft,
        "undone": record.is_undone(),
        "selectors": selectors,
        "more_selectors": record.named.more,
        "purged": record.purged,
    });
    if let Some(refill) = &record.refill {
        value["refresh"] = progress(refill);
    }
    value
}

/// How far a refilling has come.
pub(super) fn progress(refill: &Refill) -> Value {
    json!({
        "wanted": refill.wanted(),
        "left_out": refill.left_out(),
        "waiting": refill.waiting(),
        "fetched": refill.count(Refilled::Fetched),
        "fresh": refill.count(Refilled::Fresh),
        "failed": refill.count(Refilled::Failed),
    })
}
