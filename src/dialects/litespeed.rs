//! `X-LiteSpeed-Purge`, with which an app purges by its own answers.
//!
//! `stale=off,tag=a,tag=b,/page`, `*`, `public,tag=a; private,*`: parts with
//! semicolons between, each with a list of what goes. What is private has never
//! been stored. There is no other URL than those of the answer's own host.

use super::patterns::{self, join};
use crate::key::Target;
use crate::purge::Selectors;
use crate::semantics::tags::can_be_tag;
use http::header::{HeaderMap, HeaderName};

/// The field.
pub const FIELD: HeaderName = HeaderName::from_static("x-litespeed-purge");

/// What an answer purges.
#[derive(Clone, Debug, Default)]
pub struct InBand {
    /// What is gone.
    pub hard: Selectors,
    /// What is stale.
    pub soft: Selectors,
}

/// Reads what the answer to a request for `target` purges; what is not understood
/// is left out. `None` if it purges nothing.
///
/// ```
/// use http::{HeaderMap, HeaderValue};
/// use larder::{dialects::litespeed, key::Target};
///
/// let line = HeaderValue::from_static("stale=off,tag=news,/page; private,tag=cart");
/// let fields = HeaderMap::from_iter([(litespeed::FIELD, line)]);
/// let target = Target::from_url("http://site.test/").unwrap();
/// let purge = litespeed::purges(&fields, &target).unwrap();
/// assert_eq!(purge.hard.tags.join(" "), "news");
/// assert_eq!(purge.hard.keys[0].target().path(), "/page");
/// ```
pub fn purges(fields: &HeaderMap, target: &Target) -> Option<InBand> {
    let mut purges = InBand::default();
    for line in fields.get_all(FIELD) {
        let line = String::from_utf8_lossy(line.as_bytes());
        line.split(';').for_each(|part| take(part, target, &mut purges));
    }
    (!purges.hard.is_empty() || !purges.soft.is_empty()).then_some(purges)
}

fn take(part: &str, target: &Target, purges: &mut InBand) {
    let mut goes = &mut purges.hard;
    for word in part.split(',').map(str::trim) {
        match word {
            "private" => return,
            "public" | "stale=off" | "" => {}
            "stale" | "stale=on" => goes = &mut purges.soft,
            "*" => goes.everything = true,
            word => {
                let tag = word.strip_prefix("tag=").map(str::trim);
                let tag = tag.map(|tag| tag.strip_prefix("public:").unwrap_or(tag));
                match tag {
                    Some("*") => goes.everything = true,
                    Some(tag) if can_be_tag(tag) => goes.tags.push(tag.into()),
                    Some(_) => {}
                    None => {
                        if let Ok(page) = target.with_path(word) {
                            join(goes, patterns::page(&page));
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    /// Tags, paths, everything: hard, then soft.
    fn read(line: &str) -> Option<[(String, String, bool); 2]> {
        let line = HeaderValue::from_bytes(line.as_bytes()).expect("a value");
        let fields = HeaderMap::from_iter([(FIELD, line)]);
        let target = Target::from_url("https://site.test/here").expect("a URL");
        let purges = purges(&fields, &target)?;
        Some([purges.hard, purges.soft].map(|selectors| {
            let keys = selectors.keys.iter().step_by(2);
            let paths: Vec<&str> = keys.map(|key| key.target().path_and_query()).collect();
            (selectors.tags.join(" "), paths.join(" "), selectors.everything)
        }))
    }

    #[test]
    fn what_an_answer_purges() {
        let of = |tags: &str, paths: &str, all| (tags.to_owned(), paths.to_owned(), all);
        let nothing = of("", "", false);
        for (line, hard, soft) in [
            ("stale=off,tag=a,tag=b,/page?x", of("a b", "/page?x", false), nothing.clone()),
            ("*", of("", "", true), nothing.clone()),
            ("public,*", of("", "", true), nothing.clone()),
            ("tag=*", of("", "", true), nothing.clone()),
            // No tag has a control character.
            ("tag=a,tag=\u{9b}31mred", of("a", "", false), nothing.clone()),
            ("stale, tag=a, /p", nothing.clone(), of("a", "/p", false)),
            ("stale=on,tag=public:a", nothing.clone(), of("a", "", false)),
            (
                "public, tag=a; private, tag=b, *; stale, tag=c",
                of("a", "", false),
                of("c", "", false),
            ),
        ] {
            assert_eq!(read(line), Some([hard, soft]), "{line}");
        }
        for line in ["", "private,*", "public", "tag=", "page", "stale=off,"] {
            assert_eq!(read(line), None, "{line}");
        }
    }
}
