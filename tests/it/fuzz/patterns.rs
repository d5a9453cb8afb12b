//! Patterns: compiled to selectors or not, they meet what their expressions do.

use super::reference::lines;
use larder::key::{CacheKey, Target};
use larder::purge::{Expressions, Pattern, Purger, Selectors, Softness, Verdict};
use larder::semantics::tags::Tags;
use larder::semantics::time::Moment;
use larder::storage::{Limits, Memory};
use regex::{Regex, RegexBuilder};
use std::sync::Arc;

/// An expression, as PCRE reads `\<` and `\>`.
fn expression(text: &str, ignore_case: bool) -> Option<Regex> {
    let quoted = Regex::new(r"(?s)\\(.)").unwrap();
    let text = quoted.replace_all(text, |read: &regex::Captures<'_>| match &read[1] {
        angle @ ("<" | ">") => angle.to_string(),
        other => format!("\\{other}"),
    });
    RegexBuilder::new(&text).case_insensitive(ignore_case).size_limit(1 << 20).build().ok()
}

/// Expressions for host, URL and tags, each empty if there is none; then lines, each
/// a URL and tags with spaces between.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let all: Vec<&str> = lines(text.as_bytes()).map(|l| std::str::from_utf8(l).unwrap()).collect();
    let [host, url, tags, targets @ ..] = all.as_slice() else { return };
    let given = [host, url, tags].map(|text| Some(*text).filter(|text| !text.is_empty()));
    let [host, url, tags] = given;
    let given = Expressions { host, url, content_type: None, tags };
    let Ok(pattern) = Pattern::new(&given) else { return };
    // What is compiled may be larger than a regex is allowed to be.
    let read = |text: Option<&str>, case| match text {
        None => Some(None),
        Some(text) => expression(text, case).map(Some),
    };
    let expressions = (read(host, true), read(url, false), read(tags, false));
    let (Some(host), Some(url), Some(tags)) = expressions else {
        assert!(pattern.same().is_some());
        return;
    };
    let purger = Purger::new(Arc::new(Memory::new(Limits { bytes: 16 << 20, variants: 2 })));
    let departure = purger.depart();
    let selectors = Selectors { patterns: vec![pattern.clone()], ..Selectors::default() };
    purger.purge(&selectors, Softness::Hard, Moment(1));
    for line in targets.iter().take(16) {
        let mut words = line.split(' ');
        let Ok(target) = Target::from_url(words.next().unwrap_or_default()) else { continue };
        let mut bears: Vec<Box<str>> = words.filter(|tag| !tag.is_empty()).map(Box::from).collect();
        bears.sort_unstable();
        bears.dedup();
        let listed: Vec<&str> =
            bears.iter().map(|tag| &**tag).filter(|tag| !tag.contains(',')).collect();
        let meets = |regex: &Option<Regex>, text: &str| {
            regex.as_ref().is_none_or(|regex| regex.is_match(text))
        };
        let expected = meets(&host, target.host())
            && meets(&url, target.path_and_query())
            && meets(&tags, &listed.join(","));
        let tags = Tags { global: bears.into(), groups: Arc::default() };
        let judged = purger.judge(&CacheKey::new(target), &tags, departure.fence());
        assert_eq!(judged != Verdict::Stands, expected, "{line}: {pattern:?}");
    }
}
