//! From what clients write to selectors.

use super::Mistake;
use crate::key::{CacheKey, Target};
use crate::purge::{Expressions, Part, Pattern, Selectors};

/// One target, under both schemes.
pub(super) fn page(target: &Target) -> Selectors {
    Selectors::target(&CacheKey::new(target.clone()))
}

pub(super) fn tags(tags: Vec<Box<str>>) -> Selectors {
    Selectors { tags, ..Selectors::default() }
}

pub(super) fn everything() -> Selectors {
    Selectors { everything: true, ..Selectors::default() }
}

/// What meets these expressions. `places` says where each came from: host, URL,
/// content type, tags.
pub(super) fn meeting(
    expressions: &Expressions<'_>,
    places: [&str; 4],
) -> Result<Selectors, Mistake> {
    let pattern = Pattern::new(expressions).map_err(|bad| {
        let place = match bad.part {
            Part::Host => places[0],
            Part::Url => places[1],
            Part::ContentType => places[2],
            Part::Tags => places[3],
        };
        Mistake::at(place, bad.why)
    })?;
    Ok(Selectors { patterns: vec![pattern], ..Selectors::default() })
}

/// What bears tags that meet an expression.
pub(super) fn tagged(expression: &str, place: &str) -> Result<Selectors, Mistake> {
    let tags = Some(expression);
    meeting(&Expressions { tags, ..Expressions::default() }, [place; 4])
}

/// What has a URL that meets an expression, at this host or at all of them.
pub(super) fn with_url(
    host: Option<&str>,
    expression: &str,
    place: &str,
) -> Result<Selectors, Mistake> {
    let host = host.map(|host| format!("^{}$", quoted(host)));
    let (host, url) = (host.as_deref(), Some(expression));
    meeting(&Expressions { host, url, ..Expressions::default() }, [place; 4])
}

/// An expression for this text and nothing else.
pub(super) fn quoted(text: &str) -> String {
    regex_syntax::escape(text)
}

/// An expression for what begins with this text.
pub(super) fn beginning(text: &str) -> String {
    format!("^{}", quoted(text))
}

/// Adds the selectors of another purge.
pub(super) fn join(all: &mut Selectors, more: Selectors) {
    let Selectors { keys, tags, groups, hosts, paths, prefixes, patterns, everything } = more;
    all.keys.extend(keys);
    all.tags.extend(tags);
    all.groups.extend(groups);
    all.hosts.extend(hosts);
    all.paths.extend(paths);
    all.prefixes.extend(prefixes);
    all.patterns.extend(patterns);
    all.everything |= everything;
}

/// How many selectors there are. A URL is two, one for each scheme.
pub(super) fn count(selectors: &Selectors) -> usize {
    let Selectors { keys, tags, groups, hosts, paths, prefixes, patterns, everything } = selectors;
    let named = keys.len().div_ceil(2) + tags.len() + groups.len() + hosts.len() + paths.len();
    named + prefixes.len() + patterns.len() + usize::from(*everything)
}
