//! Fastly's purge API: `POST /service/ID/purge/KEY`, `POST /service/ID/purge`,
//! `POST /service/ID/purge_all`, `POST /purge/HOST/PATH`.

use super::patterns::{self, everything};
use super::tagged::softness;
use super::words::{list, tag_at};
use super::{Head, Manner, Mistake, Purge, Wish};
use crate::key::Target;
use percent_encoding::percent_decode_str;
use serde::Deserialize;

/// The most keys of one request, which is Fastly's own bound.
const MOST_KEYS: usize = 256;

/// What is asked for.
enum Asked<'a> {
    Key(&'a str),
    Keys,
    All,
    Url,
}

fn asked(path: &str) -> Option<Asked<'_>> {
    if path.starts_with("/purge/") {
        return Some(Asked::Url);
    }
    let (service, rest) = path.strip_prefix("/service/")?.split_once('/')?;
    match rest {
        _ if service.is_empty() => None,
        "purge" => Some(Asked::Keys),
        "purge_all" => Some(Asked::All),
        rest => rest.strip_prefix("purge/").filter(|key| !key.is_empty()).map(Asked::Key),
    }
}

pub(super) fn is_api(path: &str) -> bool {
    asked(path).is_some()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    surrogate_keys: Vec<String>,
}

pub(super) fn read(head: &Head<'_>, body: &[u8]) -> Result<Wish, Mistake> {
    let softness = softness(head);
    let path = head.target.path();
    match asked(path) {
        None => Err(Mistake::at("the path", "nothing is purged here")),
        Some(Asked::All) => Purge::wish(everything(), softness, Manner::Fastly),
        Some(Asked::Key(key)) => {
            let key = percent_decode_str(key).decode_utf8_lossy();
            let tag = tag_at("the key in the path", &key)?;
            Purge::wish(patterns::tags(vec![tag]), softness, Manner::Fastly)
        }
        Some(Asked::Keys) => {
            let keys = keys(head, body)?;
            let manner = Manner::FastlyKeys(keys.clone());
            Purge::wish(patterns::tags(keys), softness, manner)
        }
        Some(Asked::Url) => {
            // With the query, which is not part of the path.
            let whole = head.target.path_and_query();
            let whole = whole.strip_prefix("/purge/").unwrap_or(whole);
            let url = format!("http://{whole}");
            let target = Target::from_url(&url).map_err(|why| Mistake::at("the path", why))?;
            Purge::wish(patterns::page(&target), softness, Manner::Fastly)
        }
    }
}

/// The keys in the document, or in `Surrogate-Key` if there is none.
fn keys(head: &Head<'_>, body: &[u8]) -> Result<Vec<Box<str>>, Mistake> {
    let keys = if body.is_empty() {
        list(head, "surrogate-key")?
    } else {
        let document: Document =
            serde_json::from_slice(body).map_err(|why| Mistake::at("the body", why))?;
        let keys = document.surrogate_keys.iter().enumerate();
        keys.map(|(at, key)| tag_at(format_args!("surrogate_keys[{at}]"), key))
            .collect::<Result<_, _>>()?
    };
    if keys.is_empty() || keys.len() > MOST_KEYS {
        let what = format!("{} keys; 1 to {MOST_KEYS} may be purged at once", keys.len());
        return Err(Mistake { detail: what });
    }
    Ok(keys)
}
