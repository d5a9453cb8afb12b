//! Which of a request's cookies say who the visitor is.
//!
//! Django and Flask answer with `Vary: Cookie` as soon as a view looks at the
//! session. Compared byte by byte every analytics cookie would make a variant
//! of its own, so an operator names the cookies that identify, and
//! `Vary: Cookie` is judged by those alone.

use http::header::{COOKIE, HeaderMap, HeaderValue};

/// The most cookies of a request that are looked at one by one: more than browsers send
/// (RFC 6265 section 6.1 asks for 50 of each host).
const MOST: usize = 256;

/// The cookies that identify a visitor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Cookies {
    /// Every cookie does: nothing is known of the app, so doubt wins.
    #[default]
    All,
    /// These do, by their exact names; the rest say nothing about the visitor.
    Named(Vec<Box<str>>),
}

impl Cookies {
    /// Whether a request bears an identifying cookie.
    ///
    /// ```
    /// use http::{HeaderMap, HeaderValue, header::COOKIE};
    /// use larder::semantics::cookies::Cookies;
    ///
    /// let mut fields = HeaderMap::new();
    /// fields.append(COOKIE, HeaderValue::from_static("_ga=1; theme=dark"));
    /// assert!(Cookies::All.identify(&fields));
    /// assert!(!Cookies::Named(vec!["sessionid".into()]).identify(&fields));
    /// ```
    pub fn identify(&self, fields: &HeaderMap) -> bool {
        match self {
            Cookies::All => fields.contains_key(COOKIE),
            Cookies::Named(names) => may_bear(fields, names),
        }
    }

    /// The part of a request's cookies that `Vary: Cookie` is judged by: equal
    /// bytes for equal visitors. `None` if there is no such cookie.
    pub fn selecting(&self, fields: &HeaderMap) -> Option<Vec<u8>> {
        let as_they_stand = || lines(fields).collect::<Vec<_>>().join(&b"; "[..]);
        if are_many(fields) {
            return Some(as_they_stand());
        }
        let counts = |cookie: &Cookie<'_>| match self {
            Cookies::All => true,
            Cookies::Named(names) => may_be_one_of(*cookie, names),
        };
        let mut kept: Vec<Cookie<'_>> = pairs(fields).collect();
        if !kept.iter().any(counts) {
            return None;
        }
        // Where apps may see other cookies than these, all of them count as they stand.
        if !kept.iter().all(|cookie| is_plain(*cookie)) {
            return Some(as_they_stand());
        }
        kept.retain(counts);
        // The order of different cookies means nothing; that of equal names may, and
        // what has no `=` all bear the same name to some apps: none.
        if kept.iter().all(|(_, value)| value.is_some()) {
            kept.sort_by_key(|(name, _)| *name);
        }
        let mut joined = Vec::new();
        for (name, value) in kept {
            joined.extend_from_slice(name);
            if let Some(value) = value {
                joined.push(b'=');
                joined.extend_from_slice(value);
            }
            joined.extend_from_slice(b"; ");
        }
        Some(joined)
    }
}

/// The names of the cookies of a request that do not identify its visitor, as far as
/// they have names: for people to read.
pub fn ignored(fields: &HeaderMap, cookies: &Cookies) -> Vec<String> {
    let Cookies::Named(names) = cookies else { return Vec::new() };
    let others = pairs(fields).filter(|cookie| !may_be_one_of(*cookie, names));
    others.map(|(name, _)| String::from_utf8_lossy(name).into_owned()).collect()
}

/// Whether a request bears one of the named cookies, or so many that it may.
pub fn bears_any(fields: &HeaderMap, names: &[Box<str>]) -> bool {
    !names.is_empty() && may_bear(fields, names)
}

fn may_bear(fields: &HeaderMap, names: &[Box<str>]) -> bool {
    are_many(fields) || pairs(fields).any(|cookie| may_be_one_of(cookie, names))
}

/// The value of the last cookie with this name, which is the one that Django takes. What
/// has no `=` bears no name there.
pub(super) fn last<'a>(fields: &'a HeaderMap, name: &[u8]) -> Option<&'a [u8]> {
    pairs(fields).filter(|(own, _)| *own == name).filter_map(|(_, value)| value).last()
}

/// Whether an app may take a cookie for one of these. A name that is not a token
/// (RFC 6265 section 4.1.1) is one that apps read differently: Django strips
/// white space that is not ASCII, and finds `sessionid` where there was none. What
/// has no `=` is a name without a value to Werkzeug.
fn may_be_one_of((name, value): Cookie<'_>, names: &[Box<str>]) -> bool {
    names.iter().any(|n| n.as_bytes() == name)
        || !name.iter().all(is_in_tokens)
        || value.is_some_and(has_another_behind_it)
}

/// Whether a `=` follows where a value may have ended already, so that another cookie may
/// stand there: to Python's `SimpleCookie` white space ends a value, or its second quote.
fn has_another_behind_it(value: &[u8]) -> bool {
    let quoted = value.strip_prefix(b"\"");
    let end = match quoted.and_then(|inner| memchr::memchr(b'"', inner)) {
        Some(quote) => Some(quote + 2),
        None => memchr::memchr2(b' ', b'\t', value),
    };
    end.is_some_and(|end| value[end..].contains(&b'='))
}

/// Whether all apps read a cookie in the same way: its name is a token, and it ends
/// at its semicolon, which it need not do within quotes.
fn is_plain((name, value): Cookie<'_>) -> bool {
    let ends = match value.unwrap_or_default() {
        [b'"', inner @ .., b'"'] => !inner.iter().any(|byte| matches!(byte, b'"' | b'\\')),
        [b'"', ..] => false,
        value => !has_another_behind_it(value),
    };
    ends && name.iter().all(is_in_tokens)
}

/// Whether a byte may stand in a token (RFC 9110 section 5.6.2).
pub(super) fn is_in_tokens(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte)
}

/// A name and a value. What has no `=` is the value of a cookie without a name (RFC
/// 6265bis section 5.6), or the name of one without a value, as one likes.
type Cookie<'a> = (&'a [u8], Option<&'a [u8]>);

fn lines(fields: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    fields.get_all(COOKIE).iter().map(HeaderValue::as_bytes)
}

/// Whether a request bears so many cookies that any of them counts: one visitor for each
/// way to write them is safe, and looking for names would cost many times what sending
/// them does.
fn are_many(fields: &HeaderMap) -> bool {
    lines(fields).map(|line| memchr::memchr_iter(b';', line).count() + 1).sum::<usize>() > MOST
}

/// The cookies of a request, over all lines.
fn pairs(fields: &HeaderMap) -> impl Iterator<Item = Cookie<'_>> {
    lines(fields)
        .flat_map(|line| line.split(|b| *b == b';'))
        .map(<[u8]>::trim_ascii)
        .filter(|piece| !piece.is_empty())
        .map(|piece| match piece.iter().position(|b| *b == b'=') {
            Some(at) => (piece[..at].trim_ascii(), Some(piece[at + 1..].trim_ascii())),
            None => (piece, None),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn fields(lines: &[&'static str]) -> HeaderMap {
        let mut fields = HeaderMap::new();
        for line in lines {
            fields.append(COOKIE, HeaderValue::from_static(line));
        }
        fields
    }

    #[test]
    fn analytics_cookies_do_not_count_when_others_are_named() {
        let named = Cookies::Named(vec!["sessionid".into(), "csrftoken".into()]);
        let plain = fields(&["_ga=GA1.2; _gid=x"]);
        assert_eq!(named.selecting(&plain), None);
        assert!(!named.identify(&plain));
        assert_eq!(
            named.selecting(&fields(&["_ga=1; sessionid=a; csrftoken=b"])),
            named.selecting(&fields(&["csrftoken=b", "sessionid=a ;x=y"])),
        );
        assert_ne!(
            named.selecting(&fields(&["sessionid=a"])),
            named.selecting(&fields(&["sessionid=b"])),
        );
    }

    #[test]
    fn a_cookie_can_not_pretend_to_be_two() {
        let named = Cookies::Named(vec!["a".into(), "b".into()]);
        // `b` inside the value of `a` would need a semicolon, which ends a value.
        assert_ne!(named.selecting(&fields(&["a=1; b=2"])), named.selecting(&fields(&["a=1 b=2"])),);
    }

    #[test]
    fn a_name_that_apps_read_differently_identifies() {
        let named = Cookies::Named(vec!["sessionid".into()]);
        let names = [Box::from("sessionid")];
        for line in [&b"\xc2\xa0sessionid=a"[..], b"_ga=1; \x85sessionid=a", b"\"sessionid\"=a"] {
            let mut fields = HeaderMap::new();
            fields.append(COOKIE, HeaderValue::from_bytes(line).expect("a value"));
            assert!(named.identify(&fields), "{}", line.escape_ascii());
            assert!(named.selecting(&fields).is_some(), "{}", line.escape_ascii());
            assert!(bears_any(&fields, &names), "{}", line.escape_ascii());
        }
    }

    #[test]
    fn a_cookie_behind_white_space_is_one_to_some_apps() {
        let named = Cookies::Named(vec!["session".into()]);
        for line in [
            "x=1 session=a",
            "x=1\tsession=a",
            "x=1  y; z=2 session =a",
            "x=\"1\" session=a",
            "x=\"\"\tsession=a",
            "x=\"a\\\" b\" session=a",
            "x=\"1 session=a",
        ] {
            assert!(named.identify(&fields(&[line])), "{line:?}");
            let [one, other] = [line, "x=1"].map(|line| named.selecting(&fields(&[line])));
            assert_ne!(one, other);
        }
        let others = ["x=1 session=a", "x=1 session=b"];
        let [one, other] = others.map(|line| named.selecting(&fields(&[line])));
        assert_ne!(one, other);
        assert!(!named.identify(&fields(&["x=\"1 session=a\"; seen=Mon Nov 30; y=="])));
    }

    #[test]
    fn a_name_alone_is_a_cookie_to_some_apps() {
        let named = Cookies::Named(vec!["beta".into()]);
        for line in ["beta", "_ga=1; beta", "beta ; _ga=1"] {
            assert!(named.identify(&fields(&[line])), "{line}");
            assert_ne!(named.selecting(&fields(&[line])), None, "{line}");
        }
        assert!(!named.identify(&fields(&["_ga=1; alpha; =beta"])));
        let [alone, valued] = ["beta", "beta="].map(|line| named.selecting(&fields(&[line])));
        assert_ne!(alone, valued);
    }

    #[test]
    fn what_some_apps_read_as_one_cookie_is_not_taken_apart() {
        let named = Cookies::Named(vec!["a".into()]);
        for (one, other) in [
            ("a=\"1; b\"", "a=\"1; c\""),
            ("a=\"1; b=2; c\"", "a=\"1; c; b=2\""),
            ("a=\"1\\\"; b\"", "a=\"1\\\"; c\""),
            ("x=\"; a=1; \"", "x=1; a=1"),
            ("a=\"1; 3\"", "a=\"1;3\""),
            ("a=\"1; 3\"", "a=\"1 ; 3\""),
        ] {
            for cookies in [&named, &Cookies::All] {
                let [one, other] = [one, other].map(|line| cookies.selecting(&fields(&[line])));
                assert_ne!(one, other);
            }
        }
        // Quotes that end where the cookie does are no reason for more variants.
        let quoted = ["a=\"1\"; _ga=\"2\"", "_ga=3; a=\"1\""];
        let [one, other] = quoted.map(|line| named.selecting(&fields(&[line])));
        assert_eq!(one, other);
    }

    #[test]
    fn of_too_many_all_count_as_they_stand() {
        let named = Cookies::Named(vec!["sessionid".into()]);
        let many = |count: usize, last: &str| {
            let line = format!("{}{last}", "a=b; ".repeat(count - 1));
            HeaderMap::from_iter([(COOKIE, HeaderValue::try_from(line).expect("a value"))])
        };
        assert!(!named.identify(&many(MOST, "x=y")));
        assert_eq!(named.selecting(&many(MOST, "x=y")), None);
        assert!(!bears_any(&many(MOST, "x=y"), &["sessionid".into()]));
        assert!(bears_any(&many(MOST + 1, "x=y"), &["sessionid".into()]));
        assert!(named.identify(&many(MOST + 1, "x=y")));
        let of = |last| named.selecting(&many(MOST + 1, last));
        assert_eq!(of("x=y"), of("x=y"));
        assert_ne!(of("x=y"), of("x=z"));
        assert_ne!(of("x=y"), named.selecting(&many(MOST, "sessionid=y")));
    }

    #[test]
    fn a_repeated_cookie_keeps_its_order() {
        assert_ne!(
            Cookies::All.selecting(&fields(&["a=1; a=2"])),
            Cookies::All.selecting(&fields(&["a=2; a=1"])),
        );
    }

    #[test]
    fn cookies_without_a_name_keep_their_order() {
        let named = Cookies::Named(vec!["a".into(), "b".into()]);
        for (one, other) in [("a; b", "b; a"), ("a; a=1", "a=1; a"), ("b=1; a", "a; b=1")] {
            for cookies in [&named, &Cookies::All] {
                let [one, other] = [one, other].map(|line| cookies.selecting(&fields(&[line])));
                assert_ne!(one, other);
            }
        }
        assert_eq!(
            named.selecting(&fields(&["a=1; b=2; theme"])),
            named.selecting(&fields(&["theme; b=2; a=1"])),
        );
    }

    #[test]
    fn bypass_names_match_exactly() {
        let names: Vec<Box<str>> = vec!["messages".into()];
        assert!(bears_any(&fields(&["x=1; messages=hi"]), &names));
        assert!(!bears_any(&fields(&["Messages=hi; xmessages=1"]), &names));
    }
}
