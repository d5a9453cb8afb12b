//! Plone's purges, whose paths may be those that Zope's virtual host monster
//! rewrites: `/VirtualHostBase/http/example.com:80/Plone/VirtualHostRoot/page`.

use super::patterns::{self, join};
use super::tagged::softness;
use super::{Head, Manner, Mistake, Purge, Wish};
use crate::key::{Host, Scheme, Target};

const BASE: &str = "/VirtualHostBase/";
const ROOT: &str = "/VirtualHostRoot";

pub(super) fn is_virtual(path: &str) -> bool {
    path.starts_with(BASE) && path.contains(ROOT)
}

/// The page as visitors know it. Who rewrites paths in front of the cache has it
/// stored under the path as it stands, perhaps under the public host.
pub(super) fn page(head: &Head<'_>, _: &[u8]) -> Result<Wish, Mistake> {
    let public = public(head.target.path_and_query())
        .ok_or_else(|| Mistake::at("the path", "no scheme and host after VirtualHostBase"))?;
    let mut selectors = patterns::page(head.target);
    if let Ok(rewritten) = public.with_path(head.target.path_and_query()) {
        join(&mut selectors, patterns::page(&rewritten));
    }
    join(&mut selectors, patterns::page(&public));
    Purge::wish(selectors, softness(head), Manner::Purged)
}

/// The URL that a path of the virtual host monster stands for. Segments that
/// begin with `_vh_` right after the root are part of the public path.
fn public(path: &str) -> Option<Target> {
    let mut parts = path.strip_prefix(BASE)?.splitn(3, '/');
    let scheme = Scheme::parse(parts.next()?)?;
    let host = Host::parse(parts.next()?).ok()?;
    let inside = format!("/{}", parts.next()?);
    let mut rest = &inside[inside.find(ROOT)? + ROOT.len()..];
    let mut outside = String::new();
    while let Some(shown) = rest.strip_prefix("/_vh_") {
        let end = shown.find('/').unwrap_or(shown.len());
        outside.push('/');
        outside.push_str(&shown[..end]);
        rest = &shown[end..];
    }
    outside.push_str(if rest.starts_with('/') || !outside.is_empty() { rest } else { "/" });
    Target::new(scheme, host, &outside).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_url_of_a_virtual_host_path() {
        for (path, expected) in [
            (
                "/VirtualHostBase/http/example.com:80/Plone/VirtualHostRoot/page",
                Some("http://example.com/page"),
            ),
            (
                "/VirtualHostBase/https/example.com:443/Plone/VirtualHostRoot/a/b?x=1",
                Some("https://example.com/a/b?x=1"),
            ),
            (
                "/VirtualHostBase/http/example.com:8080/Plone/VirtualHostRoot/_vh_fr/_vh_x/page",
                Some("http://example.com:8080/fr/x/page"),
            ),
            ("/VirtualHostBase/http/a.b/VirtualHostRoot", Some("http://a.b/")),
            ("/VirtualHostBase/http/a.b/Plone/VirtualHostRoot/", Some("http://a.b/")),
            ("/VirtualHostBase/http/a.b/VirtualHostRoot/_vh_fr", Some("http://a.b/fr")),
            ("/VirtualHostBase/gopher/a.b/VirtualHostRoot/", None),
            ("/VirtualHostBase/http/a b/VirtualHostRoot/", None),
            ("/VirtualHostBase/http/VirtualHostRoot", None),
        ] {
            let url = public(path).map(|target| target.to_string());
            assert_eq!(url.as_deref(), expected, "{path}");
        }
    }
}
