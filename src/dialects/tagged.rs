//! Purges that name tags in a field.

use super::patterns::{self, everything, join};
use super::words::{list, says_yes, text};
use super::{Head, Manner, Mistake, Purge, Wish};
use crate::purge::{Selectors, Softness};

/// The fields of Varnish's xkey: hard and soft.
pub(super) const XKEY_WISHES: &[&str] = &["xkey-purge", "xkey-softpurge"];

/// The fields of Magento: tags, and the pool of a deployment.
pub(super) const MAGENTO: &[&str] = &["x-magento-tags-pattern", "x-pool"];

/// The fields that list tags as they stand on responses.
pub(super) const LISTS: &[&str] = &[
    "surrogate-key",
    "cache-tag",
    "cache-tags",
    "x-cache-tags",
    "purge-cache-tags",
    "edge-cache-tag",
    "key",
];

/// Whether a purge asks for what it names to become stale, and not be gone.
pub(super) fn softness(head: &Head<'_>) -> Softness {
    let mode = head.fields.get("x-purge-mode").is_some_and(|mode| mode == "soft");
    let yes = ["fastly-soft-purge", "x-magento-purge-soft"].iter().any(|n| says_yes(head, n));
    if mode || yes { Softness::Soft } else { Softness::Hard }
}

/// `xkey-purge: a b`, `xkey-softpurge: c d`, or both.
pub(super) fn xkey(head: &Head<'_>, _: &[u8]) -> Result<Wish, Mistake> {
    let named = |name| match head.fields.contains_key(name) {
        true => list(head, name).map(patterns::tags),
        false => Ok(Selectors::default()),
    };
    if !XKEY_WISHES.iter().any(|name| head.fields.contains_key(*name)) {
        return Err(Mistake { detail: "xkey-purge or xkey-softpurge has to be there".into() });
    }
    let (hard, soft) = (named(XKEY_WISHES[0])?, named(XKEY_WISHES[1])?);
    Ok(Wish::Purge(Box::new(Purge { hard, soft, manner: Manner::Xkey })))
}

/// `PURGETAGS` with `X-Cache-Tags: a,b`, for Symfony's cache.
pub(super) fn purgetags(head: &Head<'_>, _: &[u8]) -> Result<Wish, Mistake> {
    let tags = patterns::tags(list(head, "x-cache-tags")?);
    Purge::wish(tags, softness(head), Manner::Found)
}

/// `PURGETAG` with `purgetag-list: a, b`.
pub(super) fn purgetag(head: &Head<'_>, _: &[u8]) -> Result<Wish, Mistake> {
    let tags = patterns::tags(list(head, "purgetag-list")?);
    Purge::wish(tags, softness(head), Manner::Successful("purgetag"))
}

/// `Clear-Cache: true`.
pub(super) fn clear(head: &Head<'_>, _: &[u8]) -> Result<Wish, Mistake> {
    if !says_yes(head, "clear-cache") {
        return Err(Mistake::at("clear-cache", "it has to be \"true\""));
    }
    Purge::wish(everything(), Softness::Hard, Manner::Purged)
}

/// `xkey: a b`, as Shopware and API Platform have it.
pub(super) fn shopware(head: &Head<'_>, _: &[u8]) -> Result<Wish, Mistake> {
    Purge::wish(patterns::tags(list(head, "xkey")?), softness(head), Manner::Invalidated)
}

/// Tags in the fields that responses have them in.
pub(super) fn listed(head: &Head<'_>, _: &[u8]) -> Result<Wish, Mistake> {
    let mut tags = Vec::new();
    for name in LISTS.iter().filter(|name| head.fields.contains_key(**name)) {
        tags.extend(list(head, name)?);
    }
    Purge::wish(patterns::tags(tags), softness(head), Manner::Purged)
}

/// `X-Magento-Tags-Pattern: ((^|,)a(,|$))|((^|,)b(,|$))`, and `X-Pool` for who
/// has that field's values for tags.
pub(super) fn magento(head: &Head<'_>, _: &[u8]) -> Result<Wish, Mistake> {
    let mut selectors = Selectors::default();
    for name in MAGENTO {
        if let Some(expression) = text(head, name)? {
            join(&mut selectors, patterns::tagged(&expression, name)?);
        }
    }
    Purge::wish(selectors, softness(head), Manner::Purged)
}
