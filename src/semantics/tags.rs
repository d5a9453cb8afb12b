//! The tags that a response bears, in the fields that frameworks already send:
//! `Cache-Tag`, `Surrogate-Key`, `xkey`, `X-Cache-Tags` and their like, and
//! `Cache-Groups` (RFC 9875).

use super::fields::is_there;
use http::header::{HeaderMap, HeaderName};
use std::sync::Arc;

/// The field whose members are structured strings (RFC 9875 section 2).
const CACHE_GROUPS: HeaderName = HeaderName::from_static("cache-groups");

/// The field whose tags may say for which of its caches they are.
const X_LITESPEED_TAG: HeaderName = HeaderName::from_static("x-litespeed-tag");

/// The fields that hold one value, which means something only together with their
/// name: the site and the page of a TYPO3 response.
const NAMED: [(HeaderName, &str); 2] = [
    (HeaderName::from_static("typo3-sitename"), "TYPO3-Sitename"),
    (HeaderName::from_static("typo3-pid"), "TYPO3-Pid"),
];

/// The longest tag or group that is kept, in bytes.
pub const LONGEST: usize = 1024;

/// Whether a text can be a tag or a group: it has 1 to [`LONGEST`] bytes, and none of
/// its characters controls a terminal (those of C1, which a field may bear in UTF-8,
/// do as well).
pub fn can_be_tag(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len()) && !text.chars().any(char::is_control)
}

/// Whether a field with tags is for every cache on the way, and clients get it.
pub fn is_for_all(name: &HeaderName) -> bool {
    *name == CACHE_GROUPS
}

/// What a response may be forgotten by besides its URL. Each list is sorted,
/// every member once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags {
    /// The operator's tags, which mean the same on every host.
    pub global: Arc<[Box<str>]>,
    /// Groups, which are those of the response's own origin (RFC 9875 section
    /// 2.1).
    pub groups: Arc<[Box<str>]>,
}

impl Tags {
    /// What two responses bear together.
    pub fn and(&self, other: &Tags) -> Tags {
        let both = |one: &[Box<str>], other: &[Box<str>]| tidy([one, other].concat());
        Tags {
            global: both(&self.global, &other.global),
            groups: both(&self.groups, &other.groups),
        }
    }
}

/// Reads the groups, and the tags in the named fields. Those fields are
/// removed, since visitors have no use for them; but `Cache-Groups` stays, which
/// is for every cache on the way.
///
/// Tags are separated by commas and white space, but those of `Cache-Groups`
/// are quoted strings with commas between. What is not in the grammar there is
/// read as if it were a plain list, so that no tag is lost. `TYPO3-Pid: 12` is the
/// tag `TYPO3-Pid:12`; `public:` before a tag of LiteSpeed's is left out, and a
/// tag for a visitor's private cache is none here.
///
/// ```
/// use http::{HeaderMap, HeaderName, HeaderValue};
/// use larder::semantics::tags::take;
///
/// let mut fields = HeaderMap::new();
/// fields.append("cache-tag", HeaderValue::from_static("article:1, list"));
/// fields.append("cache-groups", HeaderValue::from_static("\"two words\";x=1, \"list\""));
/// let names = [HeaderName::from_static("cache-tag"), HeaderName::from_static("cache-groups")];
/// let tags = take(&mut fields, &names);
/// let text = |tags: &[Box<str>]| tags.join("|");
/// assert_eq!(text(&tags.global), "article:1|list|two words");
/// assert_eq!(text(&tags.groups), "list|two words");
/// assert_eq!(fields.keys().map(|name| name.as_str()).collect::<Vec<_>>(), ["cache-groups"]);
/// ```
pub fn take(fields: &mut HeaderMap, names: &[HeaderName]) -> Tags {
    let groups = match is_there(fields, &CACHE_GROUPS) {
        true => strings(fields, &CACHE_GROUPS),
        false => Arc::default(),
    };
    let mut global = Vec::new();
    for name in names {
        if *name == CACHE_GROUPS {
            global.extend_from_slice(&groups);
            continue;
        }
        if !is_there(fields, name) {
            continue;
        }
        for line in fields.get_all(name) {
            let line = String::from_utf8_lossy(line.as_bytes());
            match NAMED.iter().find(|(named, _)| named == name) {
                Some((_, shown)) => global.push(format!("{shown}:{}", line.trim()).into()),
                None if *name == X_LITESPEED_TAG => global.extend(public(&line).map(Box::from)),
                None => global.extend(plain(&line).map(Box::from)),
            }
        }
        fields.remove(name);
    }
    Tags { global: tidy(global), groups }
}

/// The members of every line of a field that is a list of strings, sorted, each
/// once.
pub(super) fn strings(fields: &HeaderMap, name: &HeaderName) -> Arc<[Box<str>]> {
    let mut all = Vec::new();
    for line in fields.get_all(name) {
        match structured_strings(line.as_bytes()) {
            Some(strings) => all.extend(strings),
            None => {
                let line = String::from_utf8_lossy(line.as_bytes());
                all.extend(plain(&line).map(Box::from));
            }
        }
    }
    tidy(all)
}

/// The same, read strictly: what is no list of strings has no members.
pub(super) fn strict_strings(fields: &HeaderMap, name: &HeaderName) -> Arc<[Box<str>]> {
    let lines: Vec<&[u8]> = fields.get_all(name).iter().map(|line| line.as_bytes()).collect();
    tidy(structured_strings(&lines.join(&b", "[..])).unwrap_or_default())
}

fn tidy(mut tags: Vec<Box<str>>) -> Arc<[Box<str>]> {
    tags.retain(|tag| can_be_tag(tag));
    tags.sort_unstable();
    tags.dedup();
    tags.into()
}

fn plain(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| c == ',' || c.is_ascii_whitespace()).filter(|tag| !tag.is_empty())
}

/// LiteSpeed's tags of responses that are for everybody.
fn public(line: &str) -> impl Iterator<Item = &str> {
    plain(line)
        .filter(|tag| !tag.starts_with("private:"))
        .map(|tag| tag.strip_prefix("public:").unwrap_or(tag))
}

/// A list of strings with parameters (RFC 9651 section 3.1); `None` if it is
/// not one.
fn structured_strings(line: &[u8]) -> Option<Vec<Box<str>>> {
    let list = sfv::Parser::new(line).parse::<sfv::List>().ok()?;
    let string = |entry: &sfv::ListEntry| match entry {
        sfv::ListEntry::Item(item) => Some(item.bare_item.as_string()?.as_str().into()),
        sfv::ListEntry::InnerList(_) => None,
    };
    list.iter().map(string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn taken(name: &'static str, lines: &[&str]) -> Vec<String> {
        let mut fields = HeaderMap::new();
        for line in lines {
            fields.append(name, HeaderValue::from_str(line).expect("a value"));
        }
        let tags = take(&mut fields, &[HeaderName::from_static(name)]);
        assert_eq!(fields.is_empty(), name != "cache-groups");
        tags.global.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn commas_and_white_space_separate() {
        assert_eq!(taken("xkey", &["a b", "c,d , e\tb"]), ["a", "b", "c", "d", "e"]);
        assert_eq!(taken("xkey", &["", " , "]), Vec::<String>::new());
        assert_eq!(taken("cache-tag", &["/books,/books/1"]), ["/books", "/books/1"]);
    }

    #[test]
    fn fields_with_a_grammar_of_their_own() {
        assert_eq!(taken("x-litespeed-tag", &["a,public:b, private:c"]), ["a", "b"]);
        assert_eq!(taken("typo3-pid", &[" 12 "]), ["TYPO3-Pid:12"]);
        assert_eq!(taken("typo3-sitename", &["My site"]), ["TYPO3-Sitename:My site"]);
    }

    #[test]
    fn groups_are_structured_strings() {
        assert_eq!(
            taken("cache-groups", &[r#""a b", "c\"d";x;y="1, 2";z=3 , "e""#]),
            ["a b", "c\"d", "e"]
        );
        // Not a list of strings: nothing is lost, and other lines are as they are.
        assert_eq!(taken("cache-groups", &["a, b"]), ["a", "b"]);
        assert_eq!(taken("cache-groups", &["(\"a\" \"b\")", "\"c d\""]).last().unwrap(), "c d");
    }

    #[test]
    fn groups_are_read_whether_they_are_tags_or_not() {
        let line = HeaderValue::from_static("\"b\", \"a\", \"b\"");
        let mut fields = HeaderMap::from_iter([(CACHE_GROUPS, line)]);
        let tags = take(&mut fields, &[HeaderName::from_static("xkey")]);
        assert_eq!((tags.global.len(), tags.groups.join(" ").as_str()), (0, "a b"));
    }

    #[test]
    fn a_monstrous_tag_is_left_out() {
        let long = "x".repeat(LONGEST + 1);
        assert_eq!(taken("xkey", &[&format!("a {long}")]), ["a"]);
    }

    #[test]
    fn a_tag_with_control_characters_is_left_out() {
        let mut fields = HeaderMap::new();
        for line in ["a \u{9b}31mred", "b\u{85} é"] {
            let value = HeaderValue::from_bytes(line.as_bytes()).expect("a value");
            fields.append("xkey", value);
        }
        let tags = take(&mut fields, &[HeaderName::from_static("xkey")]);
        assert_eq!(tags.global.join(" "), "a é");
    }
}
