//! Purges of the URL that the request is for.

use super::patterns::{self, beginning, join};
use super::tagged::softness;
use super::words::text;
use super::{Head, Manner, Mistake, Purge, Wish};

/// `PURGE /page`: this URL and no other.
pub(super) fn page(head: &Head<'_>, _: &[u8]) -> Result<Wish, Mistake> {
    Purge::wish(patterns::page(head.target), softness(head), Manner::Purged)
}

/// `X-Purge-Method`: `regex` takes the URL for an expression, everything else for
/// a URL.
pub(super) fn wordpress(head: &Head<'_>, body: &[u8]) -> Result<Wish, Mistake> {
    match text(head, "x-purge-method")?.as_deref() {
        Some("regex") => {
            let host = head.target.host();
            let url = format!("^{}", head.target.path_and_query());
            let selectors = patterns::with_url(Some(host), &url, "the URL")?;
            Purge::wish(selectors, softness(head), Manner::Purged)
        }
        _ => page(head, body),
    }
}

/// `PURGE /path*`, `PURGE /path/.*`.
pub(super) fn is_wildcard(path: &str) -> bool {
    path.ends_with('*')
}

/// What begins with what stands before the star, at this host.
pub(super) fn wildcard(head: &Head<'_>, _: &[u8]) -> Result<Wish, Mistake> {
    let path = head.target.path_and_query().trim_end_matches('*');
    let path =
        path.strip_suffix('.').filter(|_| head.target.path().ends_with(".*")).unwrap_or(path);
    let host = head.target.host();
    let selectors = patterns::with_url(Some(host), &beginning(path), "the URL")?;
    Purge::wish(selectors, softness(head), Manner::Purged)
}

/// `/purge/page`, where nginx's modules have a location for purges.
pub(super) fn is_below_purge(path: &str) -> bool {
    path.starts_with("/purge/")
}

/// The page below `/purge`, and the one whose path really begins so.
pub(super) fn below_purge(head: &Head<'_>, _: &[u8]) -> Result<Wish, Mistake> {
    let mut selectors = patterns::page(head.target);
    if let Some(Ok(meant)) =
        head.target.path_and_query().strip_prefix("/purge").map(|path| head.target.with_path(path))
    {
        join(&mut selectors, patterns::page(&meant));
    }
    Purge::wish(selectors, softness(head), Manner::Purged)
}
