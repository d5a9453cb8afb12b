//! Which stored response does a request select? (RFC 9111 section 4.1.)
//!
//! A response nominates request fields in `Vary`; two requests select the same
//! variant if those fields are equal, after what is known to mean nothing (case
//! of codings, white space around commas) has been put aside.

use super::fields::members;
use super::normal;
use super::policy::Policy;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};

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

    /// The names as they are written; `*` for any.
    pub fn texts(&self) -> Vec<&str> {
        match self {
            NominatedFields::Any => vec!["*"],
            NominatedFields::Named(names) => names.iter().map(HeaderName::as_str).collect(),
        }
    }

    /// Whether nothing is nominated.
    pub fn is_empty(&self) -> bool {
        matches!(self, NominatedFields::Named(names) if names.is_empty())
    }

    /// Whether a request selects this variant: the same as comparing what
    /// [`NominatedFields::select`] gives, but without making it.
    pub fn selects(&self, request: &HeaderMap, variant: &VariantKey, policy: &Policy) -> bool {
        let NominatedFields::Named(names) = self else {
            return false;
        };
        let mut rest = &*variant.0;
        names.iter().all(|name| {
            let value = match cut(&mut rest) {
                [1, value @ ..] => value.get(size_of::<u64>()..),
                _ => None,
            };
            normal::is_value(request, name, policy, value)
        })
    }

    /// What this request selects by these fields; `None` for `Vary: *`, which
    /// no request selects.
    ///
    /// ```
    /// use http::{HeaderMap, HeaderValue, header::{ACCEPT_ENCODING, VARY}};
    /// use larder::semantics::{policy::Policy, vary::NominatedFields};
    ///
    /// let mut response = HeaderMap::new();
    /// response.append(VARY, HeaderValue::from_static("Accept-Encoding"));
    /// let nominated = NominatedFields::of(&response);
    /// let select = |value: &'static str| {
    ///     let mut request = HeaderMap::new();
    ///     request.append(ACCEPT_ENCODING, HeaderValue::from_static(value));
    ///     nominated.select(&request, &Policy::default())
    /// };
    /// assert_eq!(select("gzip, br"), select("br,gzip"));
    /// assert_ne!(select("gzip"), select("br"));
    /// ```
    pub fn select(&self, request: &HeaderMap, policy: &Policy) -> Option<VariantKey> {
        let NominatedFields::Named(names) = self else {
            return None;
        };
        let mut key = Vec::new();
        for name in names {
            match normal::value(request, name, policy) {
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

impl NominatedFields {
    /// Fields that select this variant, if it is one of these nominated fields', and
    /// its values can be sent as they stand; `None` for `Vary: *` too. A value in its
    /// normal form means what the original meant, except that of `Cookie`, which is
    /// compared by a part only: who gets it back has to see to that.
    pub fn request(&self, variant: &VariantKey) -> Option<HeaderMap> {
        let NominatedFields::Named(names) = self else {
            return None;
        };
        let (mut rest, mut fields) = (&*variant.0, HeaderMap::new());
        for name in names {
            if let [1, value @ ..] = cut(&mut rest) {
                let value = HeaderValue::from_bytes(value.get(size_of::<u64>()..)?).ok()?;
                fields.insert(name.clone(), value);
            }
        }
        Some(fields)
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

    /// Whether this and another key of the same nominated fields are equal in all
    /// of them but `name`.
    pub fn equals_but_for(
        &self,
        name: &HeaderName,
        other: &VariantKey,
        nominated: &NominatedFields,
    ) -> bool {
        let NominatedFields::Named(names) = nominated else {
            return false;
        };
        let (mut own, mut others) = (&*self.0, &*other.0);
        names.iter().all(|field| {
            let (mine, theirs) = (cut(&mut own), cut(&mut others));
            field == name || mine == theirs
        })
    }
}

/// Cuts the next value off: its mark, length and bytes.
fn cut<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let length = match rest {
        [1, length @ ..] => length.first_chunk().map_or(0, |l| 9 + u64::from_be_bytes(*l)),
        _ => 1,
    };
    let length = usize::try_from(length).unwrap_or(usize::MAX).min(rest.len());
    let (value, after) = rest.split_at(length);
    *rest = after;
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantics::testing::fields as map;
    use proptest::prelude::*;

    fn same(vary: &[(&str, &str)], one: &[(&str, &str)], other: &[(&str, &str)]) -> bool {
        let nominated = NominatedFields::of(&map(vary));
        let select = |request| nominated.select(&map(request), &Policy::default());
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
            &[("accept-encoding", "br , gzip; q=1")]
        ));
        assert!(!same(
            encoding,
            &[("accept-encoding", "gzip;q=0")],
            &[("accept-encoding", "gzip")]
        ));
        let language = &[("vary", "Accept-Language")][..];
        assert!(same(
            language,
            &[("accept-language", "en, DE;q=0.5")],
            &[("accept-language", "EN,de ; q=0.5")]
        ));
        assert!(!same(
            language,
            &[("accept-language", "en, de")],
            &[("accept-language", "de, en")]
        ));
        let nominated = NominatedFields::of(&map(language));
        let policy = Policy { ignore_language_order: true, ..Policy::default() };
        let select = |value| nominated.select(&map(&[("accept-language", value)]), &policy);
        assert_eq!(select("en, de"), select("de, en"));
        assert_ne!(select("en, de"), select("de"));
    }

    #[test]
    fn what_some_apps_tell_apart_is_told_apart() {
        for (name, one, other) in [
            // An app that compares the whole value sees no list.
            ("origin", "https://a.test", "https://a.test,"),
            ("x-requested-with", "XMLHttpRequest", ",XMLHttpRequest"),
            // Django ignores the field if a member of it is none.
            ("accept-language", "de", ",de"),
            ("accept-language", "de,en", "de,,en"),
            ("accept-language", "de", "d e"),
            // Werkzeug ignores such a weight, and Django the field.
            ("accept-language", "de;q=0.8,en", "de;q =0.8,en"),
            ("accept-language", "de;q=0.8,en", "de;q= 0.8,en"),
            ("accept-encoding", "gzip", "gz ip"),
            // Django sends who asks so all bytes.
            ("accept-encoding", "gzip", "GZIP"),
        ] {
            assert!(!same(&[("vary", name)], &[(name, one)], &[(name, other)]), "{one} {other}");
        }
        let encoding = &[("vary", "Accept-Encoding")][..];
        let with = |value| [("accept-encoding", value)];
        assert!(same(encoding, &with("gzip ;\tq=0.5,br"), &with("br , gzip;q=0.5")));
    }

    #[test]
    fn keys_that_are_equal_but_for_one_field() {
        let nominated = NominatedFields::of(&map(&[("vary", "a, b, c")]));
        let select = |lines: &[(&str, &str)]| {
            nominated.select(&map(lines), &Policy::default()).expect("a key")
        };
        let one = select(&[("a", "1"), ("b", "2"), ("c", "3")]);
        let b = HeaderName::from_static("b");
        for (lines, expected) in [
            (&[("a", "1"), ("b", "22"), ("c", "3")][..], true),
            (&[("a", "1"), ("c", "3")], true),
            (&[("a", "1"), ("b", "2")], false),
            (&[("b", "2"), ("c", "3")], false),
            (&[("a", "12"), ("b", ""), ("c", "3")], false),
        ] {
            assert_eq!(one.equals_but_for(&b, &select(lines), &nominated), expected, "{lines:?}");
        }
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
            for (asked, by) in [(&a, &b), (&a, &a)] {
                let key = nominated.select(by, &Policy::default()).expect("a key");
                let equal = nominated.select(asked, &Policy::default()).as_ref() == Some(&key);
                prop_assert_eq!(nominated.selects(asked, &key, &Policy::default()), equal);
            }
            let variant = nominated.select(&a, &Policy::default()).expect("a key");
            let again = nominated.request(&variant).expect("fields");
            prop_assert_eq!(nominated.select(&again, &Policy::default()), Some(variant));
            if nominated.select(&a, &Policy::default()) == nominated.select(&b, &Policy::default()) {
                let x = HeaderName::from_static("x");
                let all = |m: &HeaderMap| members(m, &x).map(<[u8]>::to_vec).collect::<Vec<_>>();
                prop_assert_eq!(all(&a), all(&b));
                prop_assert_eq!(a.contains_key("x"), b.contains_key("x"));
            }
        }
    }
}
