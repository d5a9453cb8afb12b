//! `BAN` and its like: expressions over URLs, hosts and tags.

use super::patterns::{self, everything, join, quoted};
use super::tagged::softness;
use super::words::{list, says_yes, tag_at, text};
use super::{Head, Manner, Mistake, Purge, Wish};
use crate::purge::{Expressions, Prefix, Selectors, Softness};

/// The fields of TYPO3's bans.
pub(super) const TYPO3: &[&str] =
    &["varnish-ban-all", "varnish-ban-typo3-pid", "varnish-ban-typo3-tag"];

/// The fields of Drupal's bans.
pub(super) const DRUPAL: &[&str] = &["cache-tags", "purge-cache-tags"];

/// The fields of bans by URL.
pub(super) const BY_URL: &[&str] = &["x-host", "x-url", "x-content-type"];

fn banned(selectors: Selectors) -> Result<Wish, Mistake> {
    Purge::wish(selectors, Softness::Hard, Manner::Banned)
}

/// A site, or a page of it. The site and the number of the page are tags that
/// bear the name of their field.
pub(super) fn typo3(head: &Head<'_>, _: &[u8]) -> Result<Wish, Mistake> {
    let site = text(head, "varnish-ban-typo3-sitename")?;
    if says_yes(head, "varnish-ban-all") {
        return match site {
            None => banned(everything()),
            Some(site) => banned(named("TYPO3-Sitename", "varnish-ban-typo3-sitename", &site)?),
        };
    }
    if let Some(page) = text(head, "varnish-ban-typo3-pid")? {
        return banned(named("TYPO3-Pid", "varnish-ban-typo3-pid", &page)?);
    }
    banned(patterns::tags(list(head, "varnish-ban-typo3-tag")?))
}

fn named(field: &str, place: &str, value: &str) -> Result<Selectors, Mistake> {
    let value = tag_at(place, value)?;
    Ok(patterns::tags(vec![tag_at(place, &format!("{field}:{value}"))?]))
}

/// `ApiPlatform-Ban-Regex: (/books/1|/books)($|\,)`: whole tags, although the
/// expression says so at their ends only.
pub(super) fn api_platform(head: &Head<'_>, _: &[u8]) -> Result<Wish, Mistake> {
    let place = "apiplatform-ban-regex";
    let expression = text(head, place)?.unwrap_or_default();
    let whole = ["($|\\,)", "($|,)", "(,|$)", "(\\,|$)"].iter().find_map(|end| {
        let names = expression.strip_suffix(end)?.strip_prefix('(')?.strip_suffix(')')?;
        Some(format!("(^|,)({names})(,|$)"))
    });
    banned(patterns::tagged(whole.as_deref().unwrap_or(&expression), place)?)
}

/// `X-Cache-Tags: (^|,)(a|b)(,|$)`, beside expressions for host, URL and type.
pub(super) fn foshttpcache_tags(head: &Head<'_>, _: &[u8]) -> Result<Wish, Mistake> {
    by_expressions(head, text(head, "x-cache-tags")?)
}

/// `X-Host`, `X-Url`, `X-Content-Type`: all that are there have to be met.
pub(super) fn by_url(head: &Head<'_>, _: &[u8]) -> Result<Wish, Mistake> {
    by_expressions(head, None)
}

fn by_expressions(head: &Head<'_>, tags: Option<String>) -> Result<Wish, Mistake> {
    let [host, url, content_type] = [0, 1, 2].map(|at| text(head, BY_URL[at]));
    let (host, url, content_type) = (host?, url?, content_type?);
    let expressions = Expressions {
        host: host.as_deref(),
        url: url.as_deref(),
        content_type: content_type.as_deref(),
        tags: tags.as_deref(),
    };
    banned(patterns::meeting(&expressions, [BY_URL[0], BY_URL[1], BY_URL[2], "x-cache-tags"])?)
}

/// Tags with white space, commas or `|` between: Drupal's modules write lists, and
/// the VCL in front of them makes them expressions.
pub(super) fn drupal(head: &Head<'_>, _: &[u8]) -> Result<Wish, Mistake> {
    let mut tags = Vec::new();
    for name in DRUPAL.iter().filter(|name| head.fields.contains_key(**name)) {
        for part in list(head, name)? {
            for tag in part.split('|').filter(|tag| !tag.is_empty()) {
                tags.push(tag_at(name, tag)?);
            }
        }
    }
    if tags.iter().any(|tag| &**tag == ".*") {
        return banned(everything());
    }
    banned(patterns::tags(tags))
}

/// `BAN /news/*`, `BAN /site`.
pub(super) fn is_wildcard(path: &str) -> bool {
    path == "/site" || path.ends_with('*')
}

/// What begins with what stands before the star, at this host; `/site` is all of
/// the host.
pub(super) fn wildcard(head: &Head<'_>, _: &[u8]) -> Result<Wish, Mistake> {
    let host = head.target.host();
    if head.target.path() == "/site" {
        let hosts = vec![head.target.host_alone().of_any_scheme()];
        return banned(Selectors { hosts, ..Selectors::default() });
    }
    let parts: Vec<String> = head.target.path_and_query().split('*').map(quoted).collect();
    banned(patterns::with_url(Some(host), &format!("^{}", parts.join(".*")), "the URL")?)
}

/// `BAN /path`: whatever has this in its URL, at every host, since the host of the
/// request is the cache's own with some clients.
pub(super) fn path(head: &Head<'_>, _: &[u8]) -> Result<Wish, Mistake> {
    match head.target.path_and_query() {
        "/" => banned(everything()),
        url => banned(patterns::with_url(None, url, "the URL")?),
    }
}

/// `BANDIR /dir/`: what lies below, at this host.
pub(super) fn directory(head: &Head<'_>, _: &[u8]) -> Result<Wish, Mistake> {
    let prefixes = vec![Prefix::of(head.target)];
    let selectors = Selectors { prefixes, ..Selectors::default() };
    Purge::wish(selectors, softness(head), Manner::Banned)
}

/// `PURGEALL`, `FULLBAN`.
pub(super) fn everything_there_is(head: &Head<'_>, _: &[u8]) -> Result<Wish, Mistake> {
    Purge::wish(everything(), softness(head), Manner::Successful("purgeall"))
}

/// `URIBAN /path`: this URL, and whatever meets it as an expression, at every host:
/// Lagoon sends expressions, and to the cache's own host.
pub(super) fn uri(head: &Head<'_>, _: &[u8]) -> Result<Wish, Mistake> {
    let mut selectors = patterns::page(head.target);
    let url = head.target.path_and_query();
    // A URL need not be an expression; one that is clearly meant has to be.
    let is_meant = url.contains(['^', '$', '|', '[', '\\']) || url.contains(".*");
    match patterns::with_url(None, url, "the URL") {
        Ok(meeting) => join(&mut selectors, meeting),
        Err(mistake) if is_meant => return Err(mistake),
        Err(_) => {}
    }
    Purge::wish(selectors, Softness::Hard, Manner::BanAdded)
}
