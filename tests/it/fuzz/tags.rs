//! Tags: of every grammar none is lost, and none is made up.

use super::reference::{fields, lines};
use http::HeaderName;
use larder::semantics::tags::{LONGEST, take};
use sfv::{ListEntry, Parser};

const NAMES: [&str; 7] = [
    "cache-tag",
    "surrogate-key",
    "xkey",
    "x-litespeed-tag",
    "typo3-pid",
    "typo3-sitename",
    "cache-groups",
];

/// Field lines.
pub fn check(data: &[u8]) {
    let all = fields(lines(data));
    let names = NAMES.map(HeaderName::from_static);
    let mut left = all.clone();
    let tags = take(&mut left, &names);
    for list in [&tags.global, &tags.groups] {
        assert!(list.windows(2).all(|two| two[0] < two[1]), "sorted, each once: {list:?}");
        assert!(list.iter().all(|tag| !tag.is_empty() && tag.len() <= LONGEST));
    }
    assert!(names[..6].iter().all(|name| !left.contains_key(name)));
    assert_eq!(left.get_all(&names[6]).iter().count(), all.get_all(&names[6]).iter().count());
    let is_none =
        |tag: &str| tag.is_empty() || tag.len() > LONGEST || tag.chars().any(char::is_control);
    let has = |tag: &str| is_none(tag) || tags.global.iter().any(|t| **t == *tag);
    let mut known: Vec<String> = Vec::new();
    for (name, line) in &all {
        let text = String::from_utf8_lossy(line.as_bytes()).into_owned();
        let words = text.split(|c: char| c == ',' || c.is_ascii_whitespace());
        match name.as_str() {
            "cache-tag" | "surrogate-key" | "xkey" => known.extend(words.map(String::from)),
            "x-litespeed-tag" => known.extend(words.filter_map(|tag| match tag.split_once(':') {
                Some(("private", _)) => None,
                Some(("public", tag)) => Some(tag.to_string()),
                _ => Some(tag.to_string()),
            })),
            "typo3-pid" => known.push(format!("TYPO3-Pid:{}", text.trim())),
            "typo3-sitename" => known.push(format!("TYPO3-Sitename:{}", text.trim())),
            "cache-groups" => {
                let strings = groups(line.as_bytes());
                let strings = strings.unwrap_or_else(|| words.map(String::from).collect());
                let in_groups =
                    |tag: &String| is_none(tag) || tags.groups.iter().any(|t| **t == **tag);
                assert!(strings.iter().all(in_groups), "{strings:?}");
                known.extend(strings);
            }
            _ => {}
        }
    }
    assert!(known.iter().all(|tag| has(tag)), "{known:?} {tags:?}");
    assert!(tags.global.iter().all(|tag| known.iter().any(|k| **k == **tag)), "{known:?} {tags:?}");
    let twice = tags.and(&tags);
    assert_eq!(twice, tags);
}

/// A list of strings, and nothing else (RFC 9651 section 3.1).
fn groups(line: &[u8]) -> Option<Vec<String>> {
    let list = Parser::new(line).parse::<sfv::List>().ok()?;
    let string = |entry: &ListEntry| match entry {
        ListEntry::Item(item) => item.bare_item.as_string().map(|s| s.as_str().to_string()),
        ListEntry::InnerList(_) => None,
    };
    list.iter().map(string).collect()
}
