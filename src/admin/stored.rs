//! `/v1/stored`: what is stored, by its URL, and one of it with its head.

use super::best::{Best, Row, Sort};
use super::problem::Kind;
use super::query::parameters;
use super::reply;
use super::routes::Asker;
use crate::key::{CacheKey, Target};
use crate::proxy::Shared;
use crate::purge::{Selectors, Verdict};
use crate::semantics::tags::{LONGEST, can_be_tag};
use crate::semantics::time::Moment;
use crate::storage::StoredResponse;
use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// How many are told, if nobody says, and at most.
const USUALLY: usize = 50;
const MOST: usize = 200;
/// The longest text that is looked for in URLs, in characters.
const LONGEST_SEARCH: usize = 256;
/// Tags that are told of one response, and variants that are told of one URL.
const TAGS: usize = 50;
const VARIANTS: usize = 50;

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    /// In lower case.
    search: String,
    tag: Option<String>,
    sort: Sort,
    ascending: bool,
    limit: usize,
}

impl Asked {
    fn read(query: Option<&str>) -> Result<Asked, String> {
        let mut asked = Asked {
            search: String::new(),
            tag: None,
            sort: Sort::Hits,
            ascending: false,
            limit: USUALLY,
        };
        for (name, value) in parameters(query)? {
            match &*name {
                "search" if value.chars().count() <= LONGEST_SEARCH => {
                    asked.search = value.to_ascii_lowercase();
                }
                "search" => return Err(format!("search has at most {LONGEST_SEARCH} characters")),
                "tag" if value.is_empty() => asked.tag = None,
                "tag" if can_be_tag(&value) => asked.tag = Some(value),
                "tag" => {
                    let most = format!("at most {LONGEST} bytes, and no control characters");
                    return Err(format!("a tag has {most}"));
                }
                "sort" => asked.sort = Sort::named(&value).ok_or(Sort::NAMES)?,
                "order" if value == "asc" || value == "desc" => asked.ascending = value == "asc",
                "order" => return Err("order is asc or desc".to_string()),
                "limit" => asked.limit = limit(&value)?,
                _ => {
                    let names = "search, tag, sort, order and limit";
                    return Err(format!("the parameters are {names}"));
                }
            }
        }
        Ok(asked)
    }
}

fn limit(value: &str) -> Result<usize, String> {
    let digits = value.bytes().all(|b| b.is_ascii_digit()).then_some(value);
    let number = digits.and_then(|digits| digits.parse().ok());
    let number = number.filter(|number| (1..=MOST).contains(number));
    number.ok_or_else(|| format!("limit has to be from 1 to {MOST}"))
}

/// The best of what is stored. Takes time in proportion to all there is, or to what bears
/// the tag, so one after the other.
pub(super) async fn list(
    asker: &Asker<'_>,
    walks: &Arc<Semaphore>,
    query: Option<&str>,
) -> Response<Full<Bytes>> {
    let asked = match Asked::read(query) {
        Ok(asked) => asked,
        Err(detail) => return reply::problem(Kind::InvalidRequest, detail),
    };
    let Ok(permit) = Semaphore::acquire_owned(walks.clone()).await else {
        return reply::problem(Kind::Closing, "larder is closing");
    };
    let shared = asker.shared.clone();
    let walk = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        found(&shared, &asked)
    });
    match walk.await {
        Ok(document) => reply::document(&document),
        Err(error) => {
            tracing::error!(%error, "what is stored was not listed");
            reply::problem(Kind::Internal, "what is stored could not be listed")
        }
    }
}

fn found(shared: &Shared, asked: &Asked) -> Value {
    let now = shared.clock.now();
    let mut best = Best::new(asked.sort, asked.ascending, asked.limit);
    let selectors = match &asked.tag {
        Some(tag) => Selectors { tags: vec![tag.as_str().into()], ..Selectors::default() },
        None => Selectors { everything: true, ..Selectors::default() },
    };
    shared.purger.visit(&selectors, |key, stored| {
        let url = key.target();
        if !asked.search.is_empty() && !contains(url, &asked.search) {
            return;
        }
        let slot = shared.memory.get(key);
        let variants = slot.iter().flat_map(|slot| slot.variants());
        let there = || variants.clone().filter(|stored| is_there(shared, key, stored));
        // A URL is told of once: with its newest variant of those that are looked for.
        let bears = |stored: &StoredResponse| match &asked.tag {
            Some(tag) => stored.content().rare.tags.global.iter().any(|own| **own == **tag),
            None => true,
        };
        if there().find(|stored| bears(stored)).is_some_and(|first| Arc::ptr_eq(first, stored)) {
            best.add(Row {
                key: key.clone(),
                stored: Arc::clone(stored),
                variants: there().count(),
                bytes: there().map(|stored| stored.weight() as u64).sum(),
                hits: there().map(|stored| stored.hits()).sum(),
                age: stored.content().freshness.current_age(now),
            });
        }
    });
    let matched = best.seen();
    let rows: Vec<Value> = best.rows().iter().map(|row| written(row, now)).collect();
    json!({ "matched": matched, "stored": rows })
}

fn contains(target: &Target, search: &str) -> bool {
    target.to_string().to_ascii_lowercase().contains(search)
}

fn is_there(shared: &Shared, key: &CacheKey, stored: &StoredResponse) -> bool {
    !matches!(shared.purger.judge_stored(key, stored), Verdict::Hard { .. })
}

fn written(row: &Row, now: Moment) -> Value {
    let tags = &row.stored.content().rare.tags.global;
    json!({
        "url": row.key.target().to_string(),
        "status": row.stored.content().status.as_u16(),
        "variants": row.variants,
        "bytes": row.bytes,
        "age": row.age.as_secs(),
        "ttl": row.stored.ttl(now),
        "state": state(&row.stored, now),
        "hits": row.hits,
        "tags": tags.iter().take(TAGS).collect::<Vec<_>>(),
        "more_tags": tags.len().saturating_sub(TAGS),
    })
}

/// How it stands, in a word.
fn state(stored: &StoredResponse, now: Moment) -> &'static str {
    let freshness = &stored.content().freshness;
    match stored.softened() {
        Some(_) => "purged softly",
        None if freshness.always_validate => "validated each time",
        None if freshness.fresh_until() > now => "fresh",
        None => "stale",
    }
}

/// All variants of a URL, or what answers for it by `No-Vary-Search`, the newest first,
/// each with its head.
pub(super) fn one(shared: &Shared, query: Option<&str>) -> Response<Full<Bytes>> {
    let target = parameters(query).and_then(|given| match given.as_slice() {
        [(name, url)] if name == "url" => {
            Target::from_url(url).map_err(|bad| format!("url: {bad}"))
        }
        _ => Err("the only parameter is url".to_string()),
    });
    let target = match target {
        Ok(target) => target,
        Err(detail) => return reply::problem(Kind::InvalidRequest, detail),
    };
    let ignored = &shared.options.presented.ignored_parameters;
    let without = ignored.without(target.path_and_query());
    let as_keyed = without.and_then(|path| target.with_path(&path).ok());
    let key = CacheKey::new(as_keyed.unwrap_or(target));
    let (mut there, now) = (shared.memory.answering(&key), shared.clock.now());
    there.retain(|(key, stored)| is_there(shared, key, stored));
    if there.is_empty() {
        return reply::problem(Kind::NotFound, "nothing is stored for this URL");
    }
    let variants: Vec<Value> =
        there.iter().take(VARIANTS).map(|(_, stored)| variant(stored, now)).collect();
    reply::document(&json!({
        "url": key.target().to_string(),
        "variants": variants,
        "more_variants": there.len().saturating_sub(VARIANTS),
    }))
}

fn variant(stored: &StoredResponse, now: Moment) -> Value {
    let content = stored.content();
    let fields = content.fields_to_show();
    let fields: Vec<(&str, String)> = (fields.iter())
        .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes()).into()))
        .collect();
    // Only the names: the values may be a visitor's cookies.
    let nominated = content.rare.nominated.texts();
    json!({
        "status": content.status.as_u16(),
        "fields": fields,
        "length": content.length(),
        "bytes": stored.weight(),
        "age": content.freshness.current_age(now).as_secs(),
        "ttl": stored.ttl(now),
        "state": state(stored, now),
        "hits": stored.hits(),
        "tags": content.rare.tags.global.iter().take(TAGS).collect::<Vec<_>>(),
        "groups": content.rare.tags.groups.iter().take(TAGS).collect::<Vec<_>>(),
        "nominated": nominated,
        "part": content.rare.part.is_some(),
        "query": content.rare.query.is_some(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_read_or_refused_with_a_sentence() {
        let asked = Asked::read(Some("search=%2FBlog&tag=a&sort=age&order=asc&limit=7"));
        let expected = Asked {
            search: "/blog".to_string(),
            tag: Some("a".to_string()),
            sort: Sort::Age,
            ascending: true,
            limit: 7,
        };
        assert_eq!(asked, Ok(expected));
        // As a form sends it when nothing was written into it.
        assert_eq!(Asked::read(Some("search=&tag=")), Asked::read(None));
        for query in [
            "limit=0",
            "limit=201",
            "limit=+1",
            "limit=",
            "sort=url",
            "order=up",
            "tag=a%0A",
            "other=1",
            "search=%FF",
        ] {
            assert!(Asked::read(Some(query)).is_err(), "{query}");
        }
        let long = format!("search={}", "a".repeat(LONGEST_SEARCH + 1));
        assert!(Asked::read(Some(&long)).is_err());
    }
}
