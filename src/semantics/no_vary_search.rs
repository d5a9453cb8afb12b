//! Which parts of a query do not matter: `No-Vary-Search`
//! (draft-ietf-httpbis-no-vary-search).

use super::paths::percent_decoded;
use http::header::{HeaderMap, HeaderName};
use sfv::{BareItem, Dictionary, InnerList, ListEntry, Parser};

/// The field.
pub const NO_VARY_SEARCH: HeaderName = HeaderName::from_static("no-vary-search");

/// The longest field that is read, in bytes.
const LONGEST: usize = 2048;

/// The most parameters of a query that is compared with others: more than people's links and
/// forms have. One with more stands for itself alone: bringing it into the form of all equivalent
/// ones would cost larder many times what it costs its sender.
pub const MOST_PARAMETERS: usize = 128;

/// What a response says about the queries that it may answer besides its own
/// (section 4, "URL search variance"): never that everything matters, which is
/// the default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchVariance {
    params: Params,
    order_matters: bool,
}

/// Names of parameters, as [`encode`] writes them.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Params {
    AllMatterBut(Vec<String>),
    OnlyMatter(Vec<String>),
}

impl SearchVariance {
    /// Reads the field (section 5.1). `None` if there is none, if it says
    /// nothing, or if anything in it is not understood: then every byte of the
    /// query matters. Keys that are not known are ignored.
    pub fn of(response: &HeaderMap) -> Option<SearchVariance> {
        let lines: Vec<&[u8]> =
            response.get_all(&NO_VARY_SEARCH).iter().map(|line| line.as_bytes()).collect();
        let field = lines.join(&b", "[..]);
        if field.is_empty() || field.len() > LONGEST {
            return None;
        }
        let field: Dictionary = Parser::new(&field).parse().ok()?;
        let order_matters = match field.get("key-order") {
            None => true,
            Some(entry) => !boolean(entry)?,
        };
        let all = field.get("params").and_then(boolean) == Some(true);
        let params = match (field.get("params"), field.get("except")) {
            (_, Some(ListEntry::InnerList(except))) if all => Params::OnlyMatter(names(except)?),
            (_, Some(_)) => return None,
            (None, None) => Params::AllMatterBut(Vec::new()),
            (Some(ListEntry::InnerList(names_)), None) => Params::AllMatterBut(names(names_)?),
            (Some(entry), None) => match boolean(entry)? {
                true => Params::OnlyMatter(Vec::new()),
                false => Params::AllMatterBut(Vec::new()),
            },
        };
        let says_nothing = order_matters && params == Params::AllMatterBut(Vec::new());
        (!says_nothing).then_some(SearchVariance { params, order_matters })
    }

    /// The one way to write all queries that are equivalent to this one
    /// (section 6): what matters of it, as `application/x-www-form-urlencoded`.
    /// Itself it is written so, too.
    ///
    /// Stricter than the draft in two things: what is not UTF-8 is compared by
    /// its bytes, and not taken for the same; and a query of more than
    /// [`MOST_PARAMETERS`] is equivalent to itself alone.
    ///
    /// ```
    /// use http::{HeaderMap, HeaderValue};
    /// use larder::semantics::no_vary_search::SearchVariance;
    ///
    /// let line = HeaderValue::from_static("key-order, params=(\"utm_source\")");
    /// let response = HeaderMap::from_iter([("no-vary-search".parse().unwrap(), line)]);
    /// let variance = SearchVariance::of(&response).unwrap();
    /// assert_eq!(variance.canonical("b=%32&utm_source=x&a"), "a=&b=2");
    /// ```
    pub fn canonical(&self, query: &str) -> String {
        let mut written = String::with_capacity(query.len() + query.len() / 2);
        // Where in it each pair begins, its name ends, and it ends.
        let mut places = Vec::new();
        let (mut rest, mut number) = (Some(query), 0);
        while let Some((pair, behind)) = rest.map(|rest| cut(rest, b'&')) {
            rest = behind;
            if pair.is_empty() {
                continue;
            }
            if number == MOST_PARAMETERS {
                return query.to_string();
            }
            number += 1;
            let (name, value) = cut(pair, b'=');
            let begin = written.len();
            encode(name, &mut written);
            let end_of_name = written.len();
            if self.matters(&written[begin..]) {
                written.push('=');
                encode(value.unwrap_or_default(), &mut written);
                places.push((begin, end_of_name, written.len()));
            } else {
                written.truncate(begin);
            }
        }
        if !self.order_matters {
            // The values of one name keep their order.
            places.sort_by_key(|(begin, end_of_name, _)| &written[*begin..*end_of_name]);
        }
        let mut canonical = String::with_capacity(written.len() + places.len());
        for (begin, _, end) in places {
            if !canonical.is_empty() {
                canonical.push('&');
            }
            canonical.push_str(&written[begin..end]);
        }
        canonical
    }

    /// Bytes that it takes in memory, at most.
    pub fn weight(&self) -> usize {
        let (Params::AllMatterBut(names) | Params::OnlyMatter(names)) = &self.params;
        // Each name is allocated by itself.
        let each = |name: &String| name.capacity() + size_of::<String>() + 16;
        size_of::<SearchVariance>() + names.iter().map(each).sum::<usize>()
    }

    fn matters(&self, name: &str) -> bool {
        let is_among =
            |names: &[String]| names.binary_search_by(|other| other.as_str().cmp(name)).is_ok();
        match &self.params {
            Params::AllMatterBut(names) => !is_among(names),
            Params::OnlyMatter(names) => is_among(names),
        }
    }
}

fn boolean(entry: &ListEntry) -> Option<bool> {
    match entry {
        ListEntry::Item(item) => item.bare_item.as_boolean(),
        ListEntry::InnerList(_) => None,
    }
}

/// The members of a list of strings, written as names in a query are (section 5.3),
/// sorted.
fn names(list: &InnerList) -> Option<Vec<String>> {
    let name = |item: &BareItem| {
        let mut name = String::new();
        encode(item.as_string()?.as_str(), &mut name);
        Some(name)
    };
    let mut names: Vec<String> =
        list.items.iter().map(|item| name(&item.bare_item)).collect::<Option<_>>()?;
    names.sort_unstable();
    names.dedup();
    Some(names)
}

/// What stands before the first of these ASCII characters, and what behind it. Most are a
/// few bytes away, where a search that is made for long texts takes longer to begin.
fn cut(text: &str, character: u8) -> (&str, Option<&str>) {
    match text.bytes().position(|byte| byte == character) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

/// Writes a name or a value in the one way that there is for the bytes that it stands for.
pub(super) fn encode(text: &str, written: &mut String) {
    let mut rest = text.as_bytes();
    if rest.iter().all(|byte| is_plain(*byte)) {
        return written.push_str(text);
    }
    while let [byte, behind @ ..] = rest {
        let decoded = percent_decoded(rest);
        rest = if decoded.is_some() { &rest[3..] } else { behind };
        let plain = if *byte == b'+' { b' ' } else { *byte };
        encode_byte(written, decoded.unwrap_or(plain));
    }
}

fn encode_byte(written: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    match is_plain(byte) {
        true => written.push(char::from(byte)),
        false => {
            let digits = [byte >> 4, byte & 15].map(|digit| DIGITS[usize::from(digit)]);
            written.extend(['%', char::from(digits[0]), char::from(digits[1])]);
        }
    }
}

/// A byte that stands for itself (RFC 3986 section 2.3).
fn is_plain(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantics::testing::fields;
    use proptest::prelude::*;

    fn variance(field: &str) -> Option<SearchVariance> {
        SearchVariance::of(&fields(&[("no-vary-search", field)]))
    }

    #[test]
    fn section_5_1_what_is_not_understood_says_nothing() {
        for field in [
            "",
            "unknown-key",
            "key-order=\"not a boolean\"",
            "key-order=1",
            "params=\"not a boolean or inner list\"",
            "params=(not-a-string)",
            "params=(\"a\"), except=(\"x\")",
            "params=(), except=()",
            "params=?0, except=(\"x\")",
            "params, except=(not-a-string)",
            "params, except=\"not an inner list\"",
            "params, except=?1",
            "except=(\"x\")",
            "except=()",
            "params=?0",
            "params=()",
            "key-order=?0",
            "key-order, params=(\"a\"",
            "key-order, params=1",
        ] {
            assert_eq!(variance(field), None, "{field}");
        }
        assert_eq!(variance(&format!("params=(\"{}\")", "x".repeat(LONGEST))), None);
    }

    #[test]
    fn section_5_1_other_ways_to_say_the_same() {
        for (one, other) in [
            ("params=?1", "params"),
            ("key-order=?1", "key-order"),
            ("params, key-order, except=(\"x\")", "key-order, params, except=(\"x\")"),
            ("params=(\"a\" \"b\")", "params=(\"b\" \"a\" \"%61\"), unknown=1"),
            ("params, except=()", "params"),
        ] {
            assert!(variance(one).is_some(), "{one}");
            assert_eq!(variance(one), variance(other), "{one} and {other}");
        }
        let lines = fields(&[("no-vary-search", "key-order"), ("no-vary-search", "params")]);
        assert_eq!(SearchVariance::of(&lines), variance("key-order, params"));
    }

    #[test]
    fn section_6_equivalent_queries() {
        let cases: &[(&str, &[&str], &[&str])] = &[
            ("params", &["", "a", "b=1&c"], &[]),
            ("params=(\"a\")", &["b=1", "b=1&a=2", "a&a&b=1", "%61=3&b=1"], &["", "b=2", "b"]),
            ("params, except=(\"a\")", &["a=1", "a=1&b", "c=2&a=1"], &["", "a=2", "a=1&a=1"]),
            ("key-order", &["a=1&b=2", "b=2&a=1", "&b=2&&a=1&"], &["a=2&b=1", "a=1"]),
            ("key-order", &["a=1&b&a=2", "b&a=1&a=2"], &["a=2&a=1&b"]),
            ("params=(\"x\")", &["a=1&b=2"], &["b=2&a=1"]),
            // What the parser of forms takes for the same.
            ("key-order", &["a=x", "%61=%78", "a=x&&&&"], &["A=x", "a=%zz"]),
            ("key-order", &["a=", "a"], &["=a"]),
            ("key-order", &["a=%20", "a=+"], &["a=%2B"]),
            ("params=(\"%C3%A9+%E6%B0%97\")", &["%C3%A9%20%e6%b0%97=3", "é+気=2", ""], &["é"]),
            ("key-order", &["%zz%2", "%25zz%252="], &["%zz"]),
            // Both would be U+FFFD: compared by their bytes.
            ("key-order", &["a=%f6"], &["a=%ef%bf%bd"]),
        ];
        for (field, same, others) in cases {
            let variance = variance(field).expect("a variance");
            let canonical = variance.canonical(same[0]);
            for query in *same {
                assert_eq!(variance.canonical(query), canonical, "{field}: {query}");
            }
            for query in *others {
                assert_ne!(variance.canonical(query), canonical, "{field}: {query}");
            }
        }
    }

    #[test]
    fn a_query_of_too_many_parameters_stands_for_itself_alone() {
        for field in ["params", "key-order, params=(\"a\")", "params, except=(\"b\")"] {
            let variance = variance(field).expect("a variance");
            let most = "&b%3d=%20&a".repeat(MOST_PARAMETERS / 2);
            assert_ne!(variance.canonical(&most), most, "{field}");
            let more = format!("{most}&a");
            assert_eq!(variance.canonical(&more), more, "{field}");
            // Nor does it get the form of another one.
            assert_eq!(variance.canonical(&variance.canonical(&most)), variance.canonical(&most));
        }
    }

    proptest! {
        #[test]
        fn the_canonical_query_is_its_own(
            query in "[a-c=&%2+é]{0,20}", named in "[a-c]", all: bool, order: bool
        ) {
            let params = if all { format!("params, except=(\"{named}\")") }
                else { format!("params=(\"{named}\")") };
            let field = if order { format!("key-order, {params}") } else { params };
            let variance = variance(&field).expect("a variance");
            let canonical = variance.canonical(&query);
            prop_assert_eq!(variance.canonical(&canonical), canonical);
        }
    }
}
