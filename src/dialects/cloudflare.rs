//! Cloudflare's purge API: `POST /client/v4/zones/ZONE/purge_cache`.

use super::patterns::{self, join};
use super::words::tag_at;
use super::{Head, Manner, Mistake, Purge, Wish};
use crate::key::{Host, Target};
use crate::purge::{Prefix, Selectors, Softness};
use serde::Deserialize;
use serde::de::IgnoredAny;

fn zone(path: &str) -> Option<&str> {
    let zone = path.strip_prefix("/client/v4/zones/")?.strip_suffix("/purge_cache")?;
    (!zone.is_empty() && !zone.contains('/')).then_some(zone)
}

pub(super) fn is_api(path: &str) -> bool {
    zone(path).is_some()
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Document {
    files: Vec<File>,
    tags: Vec<String>,
    hosts: Vec<String>,
    prefixes: Vec<String>,
    purge_everything: bool,
}

/// A URL, perhaps with the fields of one variant: all variants are purged.
#[derive(Deserialize)]
#[serde(untagged)]
enum File {
    Url(String),
    Variant {
        url: String,
        #[serde(rename = "headers")]
        _fields: Option<IgnoredAny>,
    },
}

pub(super) fn read(head: &Head<'_>, body: &[u8]) -> Result<Wish, Mistake> {
    let document: Document =
        serde_json::from_slice(body).map_err(|why| Mistake::at("the body", why))?;
    let mut selectors = Selectors { everything: document.purge_everything, ..Selectors::default() };
    for (at, file) in document.files.iter().enumerate() {
        let (File::Url(url) | File::Variant { url, .. }) = file;
        let target = Target::from_url(url)
            .map_err(|why| Mistake::at(format_args!("files[{at}] {url:?}"), why))?;
        join(&mut selectors, patterns::page(&target));
    }
    for (at, tag) in document.tags.iter().enumerate() {
        selectors.tags.push(tag_at(format_args!("tags[{at}]"), tag)?);
    }
    for (at, host) in document.hosts.iter().enumerate() {
        let host = Host::parse(host)
            .map_err(|why| Mistake::at(format_args!("hosts[{at}] {host:?}"), why))?;
        selectors.hosts.push(host.of_any_scheme());
    }
    for (at, prefix) in document.prefixes.iter().enumerate() {
        // Cloudflare's have no scheme.
        let url = match prefix.contains("://") {
            true => prefix.clone(),
            false => format!("http://{prefix}"),
        };
        let prefix = Prefix::from_url(&url)
            .map_err(|why| Mistake::at(format_args!("prefixes[{at}] {prefix:?}"), why))?;
        selectors.prefixes.push(prefix);
    }
    if selectors.is_empty() {
        return Err(Mistake { detail: "nothing to purge".into() });
    }
    let zone = zone(head.target.path()).unwrap_or_default();
    Purge::wish(selectors, Softness::Hard, Manner::Cloudflare(zone.into()))
}
