//! Which stored response does a request select? (RFC 9111 section 4.1.)
//!
//! A response nominates request fields in `Vary`; two requests select the same
//! variant if those fields are equal, after what is known to mean nothing (case
//! of codings, white space around commas) has been put aside.

use super::cookies::Cookies;
use super::fields::members;
use http::header::{self, HeaderMap, HeaderName};

/// The request fields that a response's `Vary` nominates.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum NominatedFields {
    /// `*`: something that is not in the request; never selected again.
    Any,
    /// These fields, sorted, each once.
    Named(Box<[HeaderName]>),
}

impl NominatedFields {
    /// Reads every `Vary` line. A member that is not a field name counts as `*`.
    pub fn of(response: &HeaderMap) -> NominatedFields {
        let mut names = Vec::new();
        for member in members(response, &header::VARY) {
            match HeaderName::from_bytes(member) {
                Ok(name) if member != b"*" => names.push(name),
                _ => return NominatedFields::Any,
            }
        }
        names.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
        names.dedup();
        NominatedFields::Named(names.into())
    }

    /// Whether a field is nominated.
    pub fn names(&self, name: &HeaderName) -> bool {
        match self {
            NominatedFields::Any => true,
            NominatedFields::Named(names) => names.contains(name),
        }
    }

    /// What this request selects by these fields; `None` for `Vary: *`, which
    /// no request selects.
    ///
    /// ```
    /// use http::{HeaderMap, HeaderValue, header::{ACCEPT_ENCODING, VARY}};
    /// use larder::semantics::{cookies::Cookies, vary::NominatedFields};
    ///
    /// let mut response = HeaderMap::new();
    /// response.append(VARY, HeaderValue::from_static("Accept-Encoding"));
    /// let nominated = NominatedFields::of(&response);
    /// let select = |value: &'static str| {
    ///     let mut request = HeaderMap::new();
    ///     request.append(ACCEPT_ENCODING, HeaderValue::from_static(value));
    ///     nominated.select(&request, &Cookies::All)
    /// };
    /// assert_eq!(select("gzip, br"), select("br,GZIP"));
    /// assert_ne!(select("gzip"), select("br"));
    /// ```
    pub fn select(&self, request: &HeaderMap, cookies: &Cookies) -> Option<VariantKey> {
        let NominatedFields::Named(names) = self else {
            return None;
        };
        let mut key = Vec::new();
        for name in names {
            match selecting_value(request, name, cookies) {
                Some(value) => {
                    key.push(1);
                    key.extend_from_slice(&(value.len() as u64).to_be_bytes());
                    key.extend_from_slice(&value);
                }
                None => key.push(0),
            }
        }
        Some(VariantKey(key.into()))
    }
}

/// The values of the nominated fields of one request, each with its length, an
/// absent one told apart from an empty one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct VariantKey(Box<[u8]>);

impl VariantKey {
    /// The bytes, to be hashed or counted.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

fn selecting_value(request: &HeaderMap, name: &HeaderName, cookies: &Cookies) -> Option<Vec<u8>> {
    if name == header::COOKIE {
        return cookies.selecting(request);
    }
    if !request.contains_key(name) {
        return None;
    }
    let mut values: Vec<Vec<u8>> = members(request, name).map(<[u8]>::to_vec).collect();
    if *name == header::ACCEPT_ENCODING {
        // Codings are compared without case, and their order says nothing
        // (RFC 9110 section 12.5.3); weights stay part of each member.
        for value in &mut values {
            value.retain(|b| !matches!(b, b' ' | b'\t'));
            value.make_ascii_lowercase();
        }
        values.sort_unstable();
        values.dedup();
    } else if *name == header::ACCEPT_LANGUAGE {
        values.iter_mut().for_each(|value| value.make_ascii_lowercase());
    }
    Some(values.join(&b","[..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantics::testing::fields as map;
    use proptest::prelude::*;

    fn same(vary: &[(&str, &str)], one: &[(&str, &str)], other: &[(&str, &str)]) -> bool {
        let nominated = NominatedFields::of(&map(vary));
        let select = |request| nominated.select(&map(request), &Cookies::All);
        select(one).is_some() && select(one) == select(other)
    }

    #[test]
    fn section_4_1() {
        let vary = &[("vary", "Foo, Bar"), ("vary", "baz")][..];
        assert!(same(vary, &[], &[]));
        assert!(same(vary, &[("foo", "1"), ("other", "x")], &[("foo", "1"), ("other", "y")]));
        assert!(!same(vary, &[("foo", "1")], &[("foo", "2")]));
        assert!(!same(vary, &[("foo", "1")], &[]));
        assert!(!same(vary, &[("baz", "")], &[]));
        // Several lines are one list; white space around commas is nothing.
        assert!(same(vary, &[("foo", "1"), ("foo", "2")], &[("foo", "1 ,2")]));
        assert!(!same(vary, &[("foo", "1"), ("foo", "2")], &[("foo", "1")]));
        assert!(!same(vary, &[("foo", "1, 2")], &[("foo", "2, 1")]));
        assert!(!same(&[("vary", "*")], &[], &[]));
        assert!(!same(&[("vary", "foo, *")], &[], &[]));
        assert!(!same(&[("vary", "foo bar")], &[], &[]));
        // Values do not run into each other.
        assert!(!same(&[("vary", "a, b")], &[("a", "12"), ("b", "3")], &[("a", "1"), ("b", "23")]));
    }

    #[test]
    fn codings_and_languages_in_their_own_syntax() {
        let encoding = &[("vary", "Accept-Encoding")][..];
        assert!(same(
            encoding,
            &[("accept-encoding", "gzip;q=1, br")],
            &[("accept-encoding", "br, GZIP; q=1")]
        ));
        assert!(!same(
            encoding,
            &[("accept-encoding", "gzip;q=0")],
            &[("accept-encoding", "gzip")]
        ));
        let language = &[("vary", "Accept-Language")][..];
        assert!(same(language, &[("accept-language", "en, DE")], &[("accept-language", "EN,de")]));
        assert!(!same(
            language,
            &[("accept-language", "en, de")],
            &[("accept-language", "de, en")]
        ));
    }

    proptest! {
        #[test]
        fn reuse_implies_equal_nominated_fields(
            one in prop::collection::vec("[a-z]{0,3}", 0..3),
            other in prop::collection::vec("[a-z]{0,3}", 0..3),
        ) {
            let lines = |values: &[String]| -> Vec<(String, String)> {
                values.iter().map(|v| ("x".to_string(), v.clone())).collect()
            };
            let (one, other) = (lines(&one), lines(&other));
            let refs = |l: &[(String, String)]| -> HeaderMap {
                map(&l.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect::<Vec<_>>())
            };
            let nominated = NominatedFields::of(&map(&[("vary", "x")]));
            let (a, b) = (refs(&one), refs(&other));
            if nominated.select(&a, &Cookies::All) == nominated.select(&b, &Cookies::All) {
                let x = HeaderName::from_static("x");
                let all = |m: &HeaderMap| members(m, &x).map(<[u8]>::to_vec).collect::<Vec<_>>();
                prop_assert_eq!(all(&a), all(&b));
                prop_assert_eq!(a.contains_key("x"), b.contains_key("x"));
            }
        }
    }
}
