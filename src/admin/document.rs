//! The document of a purge: what may stand in it, and where it is wrong.

use super::problem::{Fault, Problem};
use crate::key::{CacheKey, Target};
use crate::purge::{Counts, Prefix, Selectors, Softness};
use crate::semantics::tags;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use serde_path_to_error::{Path, Segment};
use std::fmt::Write;

/// The most selectors of one document.
pub(super) const MOST_SELECTORS: usize = 10_000;
/// The most places that are complained about at once.
const MOST_FAULTS: usize = 20;

/// What is asked for. A list may be empty; at least one has to be there.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    #[serde(default, deserialize_with = "given")]
    urls: Option<Vec<String>>,
    #[serde(default, deserialize_with = "given")]
    tags: Option<Vec<String>>,
    #[serde(default, deserialize_with = "given")]
    prefixes: Option<Vec<String>>,
    #[serde(default)]
    all: bool,
    #[serde(default)]
    soft: bool,
}

/// What is there is no `null`.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

impl Asked {
    /// Reads a document and the selectors in it, all or none.
    pub fn read(bytes: &[u8]) -> Result<(Asked, Selectors), Problem> {
        let asked = parsed(bytes).map_err(|fault| Problem::invalid(vec![fault]))?;
        let mut reading = Reading::default();
        reading.take(&asked);
        match reading.faults.is_empty() {
            true => Ok((asked, reading.selectors)),
            false => Err(Problem::invalid(reading.faults)),
        }
    }

    pub fn softness(&self) -> Softness {
        if self.soft { Softness::Soft } else { Softness::Hard }
    }

    /// The lists of texts by their names, in the order in which they are answered.
    fn texts(&self) -> [(&'static str, &'static str, &Option<Vec<String>>); 3] {
        [
            ("urls", "url", &self.urls),
            ("tags", "tag", &self.tags),
            ("prefixes", "prefix", &self.prefixes),
        ]
    }

    /// Puts the count of each selector into an answer, under this name.
    pub fn count(&self, counts: &Counts, name: &str, answer: &mut Value) {
        // Each URL was purged under both schemes.
        let urls = counts.keys.chunks(2).map(|pair| pair.iter().sum()).collect();
        let counts = [urls, counts.tags.clone(), counts.prefixes.clone()];
        for ((list, selector, texts), counts) in self.texts().into_iter().zip(counts) {
            let Some(texts) = texts else { continue };
            let entry = |(text, count)| json!({ selector: text, name: count });
            answer[list] = texts.iter().zip(counts).map(entry).collect::<Vec<Value>>().into();
        }
    }
}

fn parsed(bytes: &[u8]) -> Result<Asked, Fault> {
    let whole = |detail: String| Fault { pointer: String::new(), detail };
    // A list would be taken for the fields in their order.
    if bytes.trim_ascii_start().first().is_some_and(|first| *first != b'{') {
        return Err(whole("the document has to be an object".into()));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let asked = serde_path_to_error::deserialize(&mut reader).map_err(|error| Fault {
        pointer: pointer(error.path()),
        detail: error.into_inner().to_string(),
    })?;
    reader.end().map_err(|error| whole(error.to_string()))?;
    Ok(asked)
}

/// The path as a JSON pointer (RFC 6901).
fn pointer(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path.iter() {
        // Writing to a text doesn't fail.
        let _ = match segment {
            Segment::Seq { index } => write!(pointer, "/{index}"),
            Segment::Map { key } => {
                write!(pointer, "/{}", key.replace('~', "~0").replace('/', "~1"))
            }
            Segment::Enum { .. } | Segment::Unknown => Ok(()),
        };
    }
    pointer
}

/// Selectors as they are read, and what is wrong with the others.
#[derive(Default)]
struct Reading {
    selectors: Selectors,
    faults: Vec<Fault>,
}

impl Reading {
    fn take(&mut self, asked: &Asked) {
        self.selectors.everything = asked.all;
        if !asked.all && asked.texts().iter().all(|(_, _, list)| list.is_none()) {
            let detail = "nothing to purge: give urls, tags, prefixes, or \"all\": true";
            return self.wrong(String::new(), detail.into());
        }
        let mut left = MOST_SELECTORS;
        for (name, _, list) in asked.texts() {
            let count = list.as_ref().map_or(0, Vec::len);
            let Some(rest) = left.checked_sub(count) else {
                let detail = format!("more than {MOST_SELECTORS} selectors in one document");
                return self.wrong(format!("/{name}/{left}"), detail);
            };
            left = rest;
        }
        for (at, url) in asked.urls.iter().flatten().enumerate() {
            match Target::from_url(url) {
                Ok(target) => self.selectors.keys.extend(CacheKey::new(target).in_both_schemes()),
                Err(why) => self.wrong_text("urls", at, url, &why),
            }
        }
        for (at, tag) in asked.tags.iter().flatten().enumerate() {
            if tag.is_empty() || tag.len() > tags::LONGEST || tag.chars().any(char::is_control) {
                let longest = tags::LONGEST;
                let rule = format!("a tag has 1 to {longest} bytes and no control characters");
                self.wrong(format!("/tags/{at}"), format!("tags[{at}]: {rule}"));
            }
            self.selectors.tags.push(tag.as_str().into());
        }
        for (at, url) in asked.prefixes.iter().flatten().enumerate() {
            match Prefix::from_url(url) {
                Ok(prefix) => self.selectors.prefixes.push(prefix),
                Err(why) => self.wrong_text("prefixes", at, url, &why),
            }
        }
    }

    fn wrong_text(&mut self, list: &str, at: usize, text: &str, why: &dyn std::fmt::Display) {
        self.wrong(format!("/{list}/{at}"), format!("{list}[{at}] {text:?}: {why}"));
    }

    fn wrong(&mut self, pointer: String, detail: String) {
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(Fault { pointer, detail });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(document: &str) -> Vec<(String, String)> {
        let problem = Asked::read(document.as_bytes()).expect_err("there is something wrong");
        let fault = |fault: &Fault| (fault.pointer.clone(), fault.detail.clone());
        problem.faults().iter().map(fault).collect()
    }

    #[test]
    fn each_fault_has_its_place() {
        let long = format!(r#"{{"tags":["{}"]}}"#, "x".repeat(1025));
        for (document, pointer, detail) in [
            (r#"{"url":["http://site.test/a"]}"#, "/url", "unknown field `url`"),
            (r#"{"urls":[],"Tags":["a"]}"#, "/Tags", "unknown field `Tags`"),
            (r#"{"a~/b":1}"#, "/a~0~1b", "unknown field"),
            (r#"{"urls":["http://site.test/a","/b"]}"#, "/urls/1", "urls[1] \"/b\""),
            (r#"{"tags":["a",""]}"#, "/tags/1", "a tag has 1 to 1024 bytes"),
            (r#"{"tags":["a\u0007"]}"#, "/tags/0", "no control characters"),
            (r#"{"tags":["a\u0085"]}"#, "/tags/0", "no control characters"),
            (long.as_str(), "/tags/0", "a tag has"),
            (r#"{"prefixes":["nonsense"]}"#, "/prefixes/0", "an absolute URL is needed"),
            (r#"{"urls":"http://site.test/a"}"#, "/urls", "invalid type: string"),
            (r#"{"urls":["http://site.test/a",1]}"#, "/urls/1", "invalid type: integer"),
            (r#"{"tags":null}"#, "/tags", "invalid type: null"),
            (r#"{"all":"yes"}"#, "/all", "invalid type: string"),
            (r#"{"all":null}"#, "/all", "invalid type: null"),
            (r#"{"all":true,"soft":1}"#, "/soft", "invalid type: integer"),
            (r#"{"all":true,"all":true}"#, "", "duplicate field `all`"),
            ("{}", "", "nothing to purge"),
            (r#"{"all":false,"soft":true}"#, "", "nothing to purge"),
            ("", "", "EOF"),
            ("[]", "", "has to be an object"),
            (r#"[["http://site.test/a"]]"#, "", "has to be an object"),
            (r#"{"all":true} {"all":true}"#, "", "trailing"),
        ] {
            let faults = faults(document);
            let [(place, said)] = faults.as_slice() else { panic!("{document}: {faults:?}") };
            assert_eq!(place, pointer, "{document}: {said}");
            assert!(said.contains(detail), "{document}: {said}");
        }
    }

    #[test]
    fn all_faults_are_told_but_not_without_end() {
        let document = r#"{"urls":["x","http://a.test/"],"tags":["","ok"],"prefixes":["y"]}"#;
        let places: Vec<String> = faults(document).into_iter().map(|(place, _)| place).collect();
        assert_eq!(places, ["/urls/0", "/tags/0", "/prefixes/0"]);
        let many = json!({ "tags": vec![""; 500] }).to_string();
        assert_eq!(faults(&many).len(), MOST_FAULTS);
    }

    #[test]
    fn there_may_be_so_many_selectors_and_no_more() {
        let document = |urls, tags| {
            json!({ "urls": vec!["http://a.test/"; urls], "tags": vec!["a"; tags] }).to_string()
        };
        let (_, selectors) =
            Asked::read(document(4_000, 6_000).as_bytes()).expect("as many as may be");
        assert_eq!((selectors.keys.len(), selectors.tags.len()), (8_000, 6_000));
        let faults = faults(&document(4_000, 6_001));
        assert_eq!(faults[0].0, "/tags/6000");
    }
}
