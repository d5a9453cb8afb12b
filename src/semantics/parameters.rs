//! Parameters of a query that mean nothing to the app, by the operator's word: those that
//! only tell analytics where a visitor comes from.
//!
//! They are taken off before anything else is done with a request, so that what is keyed is
//! what the app sees. A parameter that were left out of the key alone would be one more way
//! to put a page of one's own making into the cache.

use super::no_vary_search::{MOST_PARAMETERS, encode};
use std::borrow::Cow;

/// Names of parameters that are taken off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IgnoredParameters {
    /// Whole names, sorted.
    names: Vec<String>,
    /// What names begin with that are written with a `*` at the end.
    beginnings: Vec<String>,
}

impl IgnoredParameters {
    /// These names, each as a person writes it; one that ends with `*` stands for all that
    /// begin so.
    ///
    /// ```
    /// use larder::semantics::parameters::IgnoredParameters;
    ///
    /// let ignored = IgnoredParameters::new(["utm_*", "gclid"]);
    /// assert_eq!(ignored.without("/a?x=1&utm_source=mail&y").as_deref(), Some("/a?x=1&y"));
    /// assert_eq!(ignored.without("/a?%75tm_id=3&gclid=4").as_deref(), Some("/a"));
    /// assert_eq!(ignored.without("/a?gclid2=1"), None);
    /// ```
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> IgnoredParameters {
        let mut ignored = IgnoredParameters::default();
        for name in names {
            match name.strip_suffix('*') {
                Some(beginning) => ignored.beginnings.push(canonical(beginning).into_owned()),
                None => ignored.names.push(canonical(name).into_owned()),
            }
        }
        ignored.names.sort_unstable();
        ignored
    }

    /// Whether nothing is taken off.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty() && self.beginnings.is_empty()
    }

    /// Whether any of them is in the query of a target.
    pub fn are_in(&self, path_and_query: &str) -> bool {
        !self.is_empty() && self.in_query_of(path_and_query).next().is_some()
    }

    /// A path and query without them, `None` if there are none. What is left stands as it
    /// did, byte for byte; a query of which nothing is left goes with its `?`.
    pub fn without(&self, path_and_query: &str) -> Option<String> {
        if self.is_empty() {
            return None;
        }
        let (path, query) = cut(path_and_query)?;
        let kept: Vec<&str> = query.split('&').filter(|pair| !self.is_one(pair)).collect();
        let kept = kept.join("&");
        if kept.len() == query.len() {
            return None;
        }
        Some(if kept.is_empty() { path.to_string() } else { format!("{path}?{kept}") })
    }

    /// Those that are in the query of a target, as they are written there.
    pub fn in_query_of<'a>(&self, path_and_query: &'a str) -> impl Iterator<Item = &'a str> {
        let query = cut(path_and_query).map(|(_, query)| query);
        let pairs = query.into_iter().flat_map(|query| query.split('&'));
        pairs.filter(|pair| self.is_one(pair)).map(name)
    }

    fn is_one(&self, pair: &str) -> bool {
        let name = canonical(name(pair));
        self.names.binary_search_by(|known| known.as_str().cmp(&name)).is_ok()
            || self.beginnings.iter().any(|beginning| name.starts_with(beginning.as_str()))
    }
}

/// Path and query, unless there are more than [`MOST_PARAMETERS`]: nothing is taken off
/// those, which are a stranger's.
fn cut(path_and_query: &str) -> Option<(&str, &str)> {
    let (path, query) = path_and_query.split_once('?')?;
    let pairs = memchr::memchr_iter(b'&', query.as_bytes()).count() + 1;
    (pairs <= MOST_PARAMETERS).then_some((path, query))
}

/// The name of a pair.
fn name(pair: &str) -> &str {
    pair.split('=').next().unwrap_or_default()
}

/// A name in the one way that there is to write it; nearly all are written so.
fn canonical(name: &str) -> Cow<'_, str> {
    if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Cow::Borrowed(name);
    }
    let mut written = String::with_capacity(name.len());
    encode(name, &mut written);
    Cow::Owned(written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ignored() -> IgnoredParameters {
        IgnoredParameters::new(["utm_*", "gclid", "a b", "_hs*"])
    }

    #[test]
    fn they_go_and_the_rest_stays_byte_for_byte() {
        for (target, expected) in [
            ("/", None),
            ("/?", None),
            ("/?a=b", None),
            ("/utm_source=x", None),
            ("/?xutm_source=x&gclidx&GCLID=1", None),
            ("/?a=utm_source=x", None),
            ("/?utm_source=x", Some("/")),
            ("/?utm_=", Some("/")),
            ("/?gclid", Some("/")),
            ("/?gclid=1&gclid=2", Some("/")),
            ("/?&gclid=1", Some("/")),
            ("/?a=%41&gclid=1&b=+&&c", Some("/?a=%41&b=+&&c")),
            ("/?%67clid=1&a", Some("/?a")),
            ("/?a%20b=1&a+b=2&c", Some("/?c")),
            ("/?_hsenc=1&_hs", Some("/")),
            // Another `?` belongs to the query.
            ("/?a?gclid=1&gclid=2", Some("/?a?gclid=1")),
            // To an app for which `;` separates too, `b` is gone; and it is not keyed either.
            ("/?gclid=1;b=2&c", Some("/?c")),
            ("/?b=2;gclid=1", None),
        ] {
            assert_eq!(ignored().without(target).as_deref(), expected, "{target}");
            assert_eq!(ignored().are_in(target), expected.is_some(), "{target}");
        }
        assert!(!IgnoredParameters::default().are_in("/?a=b"));
        // Of too many none goes.
        let many = |count: usize| format!("/?utm_a{}", "&".repeat(count - 1));
        assert!(ignored().without(&many(MOST_PARAMETERS)).is_some());
        assert_eq!(ignored().without(&many(MOST_PARAMETERS + 1)), None);
        assert!(!ignored().are_in(&many(MOST_PARAMETERS + 1)));
        let named: Vec<&str> = ignored().in_query_of("/?a&%67clid=1&utm_x").collect();
        assert_eq!(named, ["%67clid", "utm_x"]);
    }

    proptest! {
        #[test]
        fn what_is_left_has_none_and_is_what_was_there(
            target in "/[a-z]{0,3}(\\?([a-c&=;?%+]|utm_a|gclid|%67clid|a%20b){0,12})?"
        ) {
            let ignored = ignored();
            let left = ignored.without(&target);
            prop_assert_eq!(left.is_some(), ignored.are_in(&target));
            let left = left.unwrap_or_else(|| target.clone());
            prop_assert!(!ignored.are_in(&left), "{} of {}", left, target);
            let pairs = |target: &str| -> Vec<String> {
                let query = target.split_once('?').map_or("", |(_, query)| query);
                query.split('&').filter(|pair| !pair.is_empty()).map(String::from).collect()
            };
            let kept = pairs(&target).into_iter().filter(|pair| !ignored.is_one(pair));
            prop_assert_eq!(kept.collect::<Vec<_>>(), pairs(&left));
        }
    }
}
