//! `POST /v1/purge`: many selectors at once, with counts.

use super::reply;
use crate::key::{CacheKey, Target};
use crate::proxy::Shared;
use crate::purge::{Counts, Prefix, Purged, Selectors, Softness};
use crate::semantics::tags;
use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// The largest request, in bytes.
const MOST_BYTES: usize = 4 << 20;
/// The longest time for a request to come whole.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is asked for. A list may be empty; at least one has to be there.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    urls: Option<Vec<String>>,
    tags: Option<Vec<String>>,
    prefixes: Option<Vec<String>>,
    #[serde(default)]
    all: bool,
    #[serde(default)]
    soft: bool,
}

pub(super) async fn answer(
    shared: &Shared,
    body: Incoming,
    peer: SocketAddr,
) -> Response<Full<Bytes>> {
    let bad = |detail: &str| reply::problem(StatusCode::BAD_REQUEST, detail);
    let collected = Limited::new(body, MOST_BYTES).collect();
    let bytes = match tokio::time::timeout(PATIENCE, collected).await {
        Ok(Ok(collected)) => collected.to_bytes(),
        Ok(Err(_)) => return bad("the body is larger than 4 MiB, or broke off"),
        Err(_) => return bad("the body did not come in time"),
    };
    let asked: Asked = match serde_json::from_slice(&bytes) {
        Ok(asked) => asked,
        Err(error) => return bad(&error.to_string()),
    };
    let selectors = match selectors(&asked) {
        Ok(selectors) => selectors,
        Err(detail) => return bad(&detail),
    };
    let softness = if asked.soft { Softness::Soft } else { Softness::Hard };
    let (purger, now) = (Arc::clone(&shared.purger), shared.clock.now());
    let purged = tokio::task::spawn_blocking(move || purger.purge(&selectors, softness, now)).await;
    match purged {
        Ok(Purged { counts, .. }) => {
            tracing::info!(%peer, purged = counts.total, soft = asked.soft, "purged");
            reply::document(&counted(&asked, &counts))
        }
        Err(error) => {
            tracing::error!(%error, "a purge did not end");
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            reply::problem(status, "the purge did not end; it holds for requests all the same")
        }
    }
}

/// Reads the selectors, all or none.
fn selectors(asked: &Asked) -> Result<Selectors, String> {
    if asked.urls.is_none() && asked.tags.is_none() && asked.prefixes.is_none() && !asked.all {
        return Err("nothing to purge: give urls, tags, prefixes, or \"all\": true".into());
    }
    let mut selectors = Selectors { everything: asked.all, ..Selectors::default() };
    for (at, url) in asked.urls.iter().flatten().enumerate() {
        let target = Target::from_url(url).map_err(|why| format!("urls[{at}] {url:?}: {why}"))?;
        selectors.keys.extend(CacheKey::new(target).in_both_schemes());
    }
    for (at, tag) in asked.tags.iter().flatten().enumerate() {
        if tag.is_empty() || tag.len() > tags::LONGEST || tag.chars().any(char::is_control) {
            return Err(format!(
                "tags[{at}]: a tag has 1 to {} bytes and no control characters",
                tags::LONGEST
            ));
        }
        selectors.tags.push(tag.as_str().into());
    }
    for (at, url) in asked.prefixes.iter().flatten().enumerate() {
        let prefix =
            Prefix::from_url(url).map_err(|why| format!("prefixes[{at}] {url:?}: {why}"))?;
        selectors.prefixes.push(prefix);
    }
    Ok(selectors)
}

fn counted(asked: &Asked, counts: &Counts) -> Value {
    let list = |name: &str, given: &Option<Vec<String>>, counts: Vec<usize>| {
        let given = given.as_ref()?;
        let entry = |(selector, purged)| json!({ name: selector, "purged": purged });
        Some(given.iter().zip(counts).map(entry).collect::<Vec<Value>>())
    };
    // Each URL was purged under both schemes.
    let urls = counts.keys.chunks(2).map(|pair| pair.iter().sum()).collect();
    let mut document = json!({ "purged": counts.total, "soft": asked.soft });
    for (name, list) in [
        ("urls", list("url", &asked.urls, urls)),
        ("tags", list("tag", &asked.tags, counts.tags.clone())),
        ("prefixes", list("prefix", &asked.prefixes, counts.prefixes.clone())),
    ] {
        if let Some(list) = list {
            document[name] = list.into();
        }
    }
    document
}
