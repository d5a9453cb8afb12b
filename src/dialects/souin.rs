//! Souin's API: `PURGE /souin-api/souin/KEY`, and the document of the draft of an
//! HTTP invalidation API.

use super::patterns::{self, everything, join};
use super::tagged::softness;
use super::words::tag_at;
use super::{Head, MOST_SELECTORS, Manner, Mistake, Purge, Wish};
use crate::key::{Host, Target};
use crate::purge::{Group, Prefix, Selectors, Softness};
use percent_encoding::percent_decode_str;
use serde::Deserialize;

const API: &str = "/souin-api/souin";

pub(super) fn is_api(path: &str) -> bool {
    path.strip_prefix(API).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A key of Souin's, `GET-http-example.com-/page`, or an expression over such keys.
pub(super) fn by_key(head: &Head<'_>, _: &[u8]) -> Result<Wish, Mistake> {
    let rest = head.target.path_and_query().strip_prefix(API).unwrap_or_default();
    let rest = rest.strip_prefix('/').unwrap_or(rest);
    let key = percent_decode_str(rest).decode_utf8_lossy();
    let selectors = match &*key {
        "" => return Err(Mistake { detail: "Surrogate-Key or a key has to be there".into() }),
        "flush" => everything(),
        key => meeting(key)?,
    };
    Purge::wish(selectors, softness(head), Manner::Purged)
}

fn meeting(key: &str) -> Result<Selectors, Mistake> {
    let strip = |text: &mut &str, starts: &[&str]| {
        if let Some(rest) = starts.iter().find_map(|start| text.strip_prefix(start)) {
            *text = rest;
        }
    };
    let mut rest = key.trim_start_matches('^');
    strip(&mut rest, &["GET-", "HEAD-"]);
    strip(&mut rest, &["http-", "https-"]);
    let named = rest.find("-/").map(|at| (&rest[..at], &rest[at + 1..]));
    match named.and_then(|(host, path)| Some((Host::parse(host).ok()?, path))) {
        Some((host, path)) => {
            let url = format!("http://{}{path}", host.as_str());
            let mut selectors = Target::from_url(&url)
                .map_or_else(|_| Selectors::default(), |target| patterns::page(&target));
            let expression = format!("^{path}");
            let host = host.of_any_scheme();
            let more = patterns::with_url(Some(host.as_str()), &expression, "the key")?;
            join(&mut selectors, more);
            Ok(selectors)
        }
        None => patterns::with_url(None, rest, "the key"),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Type {
    Uri,
    UriPrefix,
    Origin,
    Group,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(rename = "type")]
    of: Type,
    #[serde(default)]
    selectors: Vec<String>,
    #[serde(default)]
    groups: Vec<String>,
    /// To be gone, and not only stale.
    #[serde(default)]
    purge: bool,
}

/// The draft's document. Groups are tags: Souin's are surrogate keys.
pub(super) fn by_document(head: &Head<'_>, body: &[u8]) -> Result<Wish, Mistake> {
    let document: Document =
        serde_json::from_slice(body).map_err(|why| Mistake::at("the body", why))?;
    let groups = document.groups.len().saturating_mul(document.selectors.len());
    if matches!(document.of, Type::Group) && groups > MOST_SELECTORS {
        // Each group at each origin: looked at before they are made.
        let what = format!("{groups} groups; {MOST_SELECTORS} may be purged at once");
        return Err(Mistake::at("selectors and groups", what));
    }
    let mut selectors = Selectors::default();
    for (at, tag) in document.groups.iter().enumerate() {
        selectors.tags.push(tag_at(format_args!("groups[{at}]"), tag)?);
    }
    for (at, url) in document.selectors.iter().enumerate() {
        let target = match url.starts_with('/') {
            true => head.target.with_path(url),
            false => Target::from_url(url),
        };
        let target =
            target.map_err(|why| Mistake::at(format_args!("selectors[{at}] {url:?}"), why))?;
        match document.of {
            Type::Uri => join(&mut selectors, patterns::page(&target)),
            Type::UriPrefix => selectors.prefixes.push(Prefix::of(&target)),
            Type::Origin => selectors.hosts.push(target.host_alone().of_any_scheme()),
            Type::Group => {
                let groups = document.groups.iter().map(|name| Group::at(&target, name));
                selectors.groups.extend(groups);
            }
        }
    }
    if selectors.is_empty() {
        return Err(Mistake { detail: "nothing to purge: no selectors, no groups".into() });
    }
    let softness = if document.purge { Softness::Hard } else { Softness::Soft };
    Purge::wish(selectors, softness, Manner::Purged)
}
