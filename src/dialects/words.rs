//! What the fields of purges are written in.

use super::{Head, Mistake};
use crate::semantics::tags::{LONGEST, can_be_tag};

/// Every member of a field, on whatever line, between commas and white space.
pub(super) fn list(head: &Head<'_>, name: &str) -> Result<Vec<Box<str>>, Mistake> {
    let mut tags = Vec::new();
    for line in head.fields.get_all(name) {
        let line = String::from_utf8_lossy(line.as_bytes());
        for tag in line.split([',', ' ', '\t']).filter(|tag| !tag.is_empty()) {
            tags.push(tag_at(format_args!("{name}, tag {}", tags.len() + 1), tag)?);
        }
    }
    match tags.is_empty() {
        true => Err(Mistake::at(name, "it names no tag")),
        false => Ok(tags),
    }
}

/// The text of a field that may stand once.
pub(super) fn text(head: &Head<'_>, name: &str) -> Result<Option<String>, Mistake> {
    let mut lines = head.fields.get_all(name).iter();
    let first = lines.next().map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned());
    match lines.next() {
        Some(_) => Err(Mistake::at(name, "it is given twice")),
        None => Ok(first.map(|text| text.trim().to_owned())),
    }
}

/// A tag, if it can be one.
pub(super) fn tag_at(place: impl std::fmt::Display, tag: &str) -> Result<Box<str>, Mistake> {
    if !can_be_tag(tag) {
        let what = format!("a tag has 1 to {LONGEST} bytes and no control characters");
        return Err(Mistake::at(place, what));
    }
    Ok(tag.into())
}

/// Whether a field is there and says yes.
pub(super) fn says_yes(head: &Head<'_>, name: &str) -> bool {
    let yes = |value: &[u8]| {
        ["1", "true", "yes", "on"].iter().any(|word| value.eq_ignore_ascii_case(word.as_bytes()))
    };
    head.fields.get(name).is_some_and(|value| yes(value.as_bytes().trim_ascii()))
}
