//! What a purge has named, as far as it is remembered.

use super::selectors::Selectors;
use crate::key::{CacheKey, Scheme};
use std::fmt;

/// Selectors of one kind that are remembered of a purge.
const MOST: usize = 10;
/// Bytes that are remembered of one selector, and of all of a purge.
const MOST_BYTES: usize = 200;
const MOST_BYTES_IN_ALL: usize = 1024;

/// What was named, the first few of each kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// By kind, as the API calls it, those that are remembered.
    pub kinds: Vec<(&'static str, Vec<Box<str>>)>,
    /// How many more there were.
    pub more: usize,
    /// Everything was.
    pub everything: bool,
}

impl Named {
    /// What these selectors name.
    pub fn of(selectors: &Selectors) -> Named {
        let Selectors { keys, tags, groups, hosts, paths, prefixes, patterns, everything } =
            selectors;
        let mut named = Named { everything: *everything, ..Named::default() };
        let mut room = MOST_BYTES_IN_ALL;
        // A purge of a URL covers both schemes: two keys, one after the other.
        let is_again = |at: usize, key: &CacheKey| {
            let before = at.checked_sub(1).and_then(|before| keys.get(before));
            let plain = |key: &CacheKey| key.target().with_scheme(Scheme::Http);
            key.target().scheme() == Scheme::Https && before.map(plain) == Some(plain(key))
        };
        let urls = keys.iter().enumerate().filter(|(at, key)| !is_again(*at, key));
        named.take("urls", urls.map(|(_, key)| key.target().to_string()), &mut room);
        named.take("tags", tags.iter().map(ToString::to_string), &mut room);
        named.take("groups", groups.iter().map(ToString::to_string), &mut room);
        named.take("hosts", hosts.iter().map(|host| host.as_str().to_string()), &mut room);
        named.take("paths", paths.iter().map(ToString::to_string), &mut room);
        named.take("patterns", patterns.iter().map(ToString::to_string), &mut room);
        named.take("prefixes", prefixes.iter().map(ToString::to_string), &mut room);
        named
    }

    fn take(&mut self, kind: &'static str, texts: impl Iterator<Item = String>, room: &mut usize) {
        let mut kept = Vec::new();
        for text in texts {
            let text = shortened(&text);
            if kept.len() < MOST && text.len() <= *room {
                *room -= text.len();
                kept.push(text);
            } else {
                self.more += 1;
            }
        }
        if !kept.is_empty() {
            self.kinds.push((kind, kept));
        }
    }
}

fn shortened(text: &str) -> Box<str> {
    if text.len() <= MOST_BYTES {
        return text.into();
    }
    let mut end = MOST_BYTES;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}...", &text[..end]).into()
}

/// For the log: `tags "a" "b", urls "http://..." and 3 more`.
impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        if self.everything {
            f.write_str("everything")?;
            separator = ", ";
        }
        for (kind, texts) in &self.kinds {
            write!(f, "{separator}{kind}")?;
            texts.iter().try_for_each(|text| write!(f, " {text:?}"))?;
            separator = ", ";
        }
        match self.more {
            0 => Ok(()),
            more => write!(f, "{separator}{more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Target;
    use crate::purge::{Expressions, Path, Pattern, Prefix};

    #[test]
    fn what_is_named_is_cut() {
        let key = |url: &str| CacheKey::new(Target::from_url(url).expect("a URL"));
        let expressions =
            Expressions { host: Some("^a"), url: Some("/b"), ..Expressions::default() };
        let one = Selectors {
            keys: key("https://a.test/x?y").in_both_schemes().into(),
            prefixes: vec![Prefix::from_url("http://a.test/b/").expect("a prefix")],
            paths: vec![Path::from_url("http://a.test/c?d").expect("a path")],
            patterns: vec![Pattern::new(&expressions).expect("a pattern")],
            everything: true,
            ..Selectors::default()
        };
        let shown = r#"everything, urls "http://a.test/x?y", paths "a.test/c", patterns "host ^a, url /b", prefixes "a.test/b""#;
        assert_eq!(Named::of(&one).to_string(), shown);
        let two = [key("http://a.test/"), key("https://b.test/")].into();
        let two = Named::of(&Selectors { keys: two, ..Selectors::default() });
        assert_eq!(two.to_string(), r#"urls "http://a.test/" "https://b.test/""#);

        let tags: Vec<Box<str>> = (0..50).map(|n| format!("tag{n}").into()).collect();
        let many = Named::of(&Selectors { tags, ..Selectors::default() });
        assert_eq!((many.kinds[0].1.len(), many.more), (MOST, 40));
        assert!(many.to_string().ends_with(r#""tag9", 40 more"#));

        let tags = vec!["ä".repeat(500).into(); 8];
        let long = Named::of(&Selectors { tags, ..Selectors::default() });
        assert!(long.kinds[0].1.iter().all(|text| text.len() <= MOST_BYTES + 3));
        assert_eq!((long.kinds[0].1.len(), long.more), (5, 3));
    }
}
