//! The document of a purge: what may stand in it, and where it is wrong.

use super::problem::{Fault, Problem};
use crate::key::{CacheKey, Host, Target};
use crate::purge::{Counts, Expressions, Part, Path, Pattern, Prefix, Selectors, Softness};
use crate::semantics::tags;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};
use serde_path_to_error::Segment;
use std::fmt::{self, Write};
use std::marker::PhantomData;

/// The most selectors of one document.
pub(super) const MOST_SELECTORS: usize = 10_000;
/// The most patterns: each may take a MiB once it is compiled.
const MOST_PATTERNS: usize = 100;
/// The most places that are complained about at once.
const MOST_FAULTS: usize = 20;

/// What is asked for. A list may be empty; at least one has to be there.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    #[serde(default, deserialize_with = "given")]
    urls: Option<Vec<String>>,
    #[serde(default, deserialize_with = "given")]
    paths: Option<Vec<String>>,
    #[serde(default, deserialize_with = "given")]
    tags: Option<Vec<String>>,
    #[serde(default, deserialize_with = "given")]
    prefixes: Option<Vec<String>>,
    #[serde(default, deserialize_with = "given")]
    hosts: Option<Vec<String>>,
    #[serde(default, deserialize_with = "given")]
    patterns: Option<Vec<Object<Asking>>>,
    #[serde(default)]
    all: bool,
    #[serde(default)]
    soft: bool,
    /// Nothing is to be done: what would be?
    #[serde(default)]
    pub dry_run: bool,
    /// What is asked for is to be fetched again.
    #[serde(default)]
    pub refresh: bool,
}

/// The expressions of a pattern; at least one has to be there.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asking {
    #[serde(default, deserialize_with = "given")]
    host: Option<String>,
    #[serde(default, deserialize_with = "given")]
    url: Option<String>,
    #[serde(default, deserialize_with = "given")]
    content_type: Option<String>,
    #[serde(default, deserialize_with = "given")]
    tags: Option<String>,
}

impl Asking {
    fn expressions(&self) -> Expressions<'_> {
        let Asking { host, url, content_type, tags } = self;
        Expressions {
            host: host.as_deref(),
            url: url.as_deref(),
            content_type: content_type.as_deref(),
            tags: tags.as_deref(),
        }
    }
}

/// An object, and not a list of its values in their order.
#[derive(Debug)]
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Object<T>, D::Error> {
        from.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
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
    fn texts(&self) -> [(&'static str, &'static str, &Option<Vec<String>>); 5] {
        [
            ("urls", "url", &self.urls),
            ("paths", "path", &self.paths),
            ("tags", "tag", &self.tags),
            ("prefixes", "prefix", &self.prefixes),
            ("hosts", "host", &self.hosts),
        ]
    }

    /// Puts the count of each selector into an answer, under this name.
    pub fn count(&self, counts: &Counts, name: &str, answer: &mut Value) {
        // Each URL was purged under both schemes.
        let urls: Vec<usize> = counts.keys.chunks(2).map(|pair| pair.iter().sum()).collect();
        let Counts { paths, tags, prefixes, hosts, patterns, .. } = counts;
        let lists = [&urls, paths, tags, prefixes, hosts];
        for ((list, selector, texts), counts) in self.texts().into_iter().zip(lists) {
            let Some(texts) = texts else { continue };
            let entry = |(text, count)| json!({ selector: text, name: count });
            answer[list] = texts.iter().zip(counts).map(entry).collect::<Vec<Value>>().into();
        }
        if let Some(asking) = &self.patterns {
            let entry = |(Object(asking), count): (&Object<Asking>, _)| {
                let Expressions { host, url, content_type, tags } = asking.expressions();
                let all = [("host", host), ("url", url), ("content_type", content_type)];
                let all = all.into_iter().chain([("tags", tags)]);
                let given = all.filter_map(|(part, text)| Some((part.to_string(), text?.into())));
                let pattern: Map<String, Value> = given.collect();
                json!({ "pattern": pattern, name: count })
            };
            let all = asking.iter().zip(patterns).map(entry);
            answer["patterns"] = all.collect::<Vec<Value>>().into();
        }
    }
}

/// Reads a document for tests and fuzzing: its selectors, or where each fault is (a
/// JSON pointer) and what it is.
#[doc(hidden)]
pub fn selectors_of(document: &[u8]) -> Result<Selectors, Vec<(String, String)>> {
    let fault = |fault: &Fault| (fault.pointer.clone(), fault.detail.clone());
    let read = Asked::read(document).map(|(_, selectors)| selectors);
    read.map_err(|problem| problem.faults().iter().map(fault).collect())
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
fn pointer(path: &serde_path_to_error::Path) -> String {
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
        let lists = asked.texts();
        let any = lists.iter().any(|(_, _, list)| list.is_some()) || asked.patterns.is_some();
        if !asked.all && !any {
            let detail = "nothing to purge: give urls, paths, tags, prefixes, hosts, patterns, or \
                          \"all\": true";
            return self.wrong(String::new(), detail.into());
        }
        if !self.is_within_bounds(asked) {
            return;
        }
        let Selectors { keys, paths, prefixes, hosts, .. } = &mut self.selectors;
        let mut wrong = Vec::new();
        for (list, _, texts) in lists {
            for (at, text) in texts.iter().flatten().enumerate() {
                let read = match list {
                    "urls" => Target::from_url(text)
                        .map(|target| keys.extend(CacheKey::new(target).in_both_schemes())),
                    "paths" => Path::from_url(text).map(|path| paths.push(path)),
                    "prefixes" => Prefix::from_url(text).map(|prefix| prefixes.push(prefix)),
                    "hosts" => Host::parse(text).map(|host| hosts.push(host.of_any_scheme())),
                    _ => Ok(()),
                };
                if let Err(why) = read {
                    let detail = format!("{list}[{at}] {text:?}: {why}");
                    wrong.push((format!("/{list}/{at}"), detail));
                }
            }
        }
        wrong.into_iter().for_each(|(pointer, detail)| self.wrong(pointer, detail));
        self.take_tags(asked.tags.iter().flatten());
        self.take_patterns(asked.patterns.iter().flatten());
    }

    fn is_within_bounds(&mut self, asked: &Asked) -> bool {
        let patterns = asked.patterns.as_ref().map_or(0, Vec::len);
        if patterns > MOST_PATTERNS {
            let detail = format!("more than {MOST_PATTERNS} patterns in one document");
            self.wrong(format!("/patterns/{MOST_PATTERNS}"), detail);
            return false;
        }
        let mut left = MOST_SELECTORS - patterns;
        for (name, _, list) in asked.texts() {
            let Some(rest) = left.checked_sub(list.as_ref().map_or(0, Vec::len)) else {
                let detail = format!("more than {MOST_SELECTORS} selectors in one document");
                self.wrong(format!("/{name}/{left}"), detail);
                return false;
            };
            left = rest;
        }
        true
    }

    fn take_tags<'a>(&mut self, tags: impl Iterator<Item = &'a String>) {
        for (at, tag) in tags.enumerate() {
            if !tags::can_be_tag(tag) {
                let longest = tags::LONGEST;
                let rule = format!("a tag has 1 to {longest} bytes and no control characters");
                self.wrong(format!("/tags/{at}"), format!("tags[{at}]: {rule}"));
            }
            self.selectors.tags.push(tag.as_str().into());
        }
    }

    fn take_patterns<'a>(&mut self, patterns: impl Iterator<Item = &'a Object<Asking>>) {
        for (at, Object(asking)) in patterns.enumerate() {
            let expressions = asking.expressions();
            let Expressions { host, url, content_type, tags } = expressions;
            if [host, url, content_type, tags].iter().all(Option::is_none) {
                let rule = "a pattern has one of host, url, content_type and tags";
                self.wrong(format!("/patterns/{at}"), format!("patterns[{at}]: {rule}"));
                continue;
            }
            match Pattern::new(&expressions) {
                Ok(pattern) => self.selectors.patterns.push(pattern),
                Err(why) => {
                    let part = match why.part {
                        Part::Host => "host",
                        Part::Url => "url",
                        Part::ContentType => "content_type",
                        Part::Tags => "tags",
                    };
                    let pointer = format!("/patterns/{at}/{part}");
                    self.wrong(pointer, format!("patterns[{at}]: {why}"));
                }
            }
        }
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
            (r#"{"paths":["/a"]}"#, "/paths/0", "an absolute URL is needed"),
            (r#"{"hosts":["a.test","a/b"]}"#, "/hosts/1", "the host is missing or invalid"),
            (r#"{"patterns":[{"url":"/("}]}"#, "/patterns/0/url", "unclosed group"),
            (r#"{"patterns":[{"tags":"a{999999}"}]}"#, "/patterns/0/tags", "patterns[0]"),
            (r#"{"patterns":[{"tags":"a"},{}]}"#, "/patterns/1", "a pattern has one of"),
            (r#"{"patterns":[{"path":"a"}]}"#, "/patterns/0/path", "unknown field"),
            (r#"{"patterns":["^/a"]}"#, "/patterns/0", "expected an object"),
            (r#"{"patterns":[["^a"]]}"#, "/patterns/0", "expected an object"),
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
        assert_eq!(places, ["/urls/0", "/prefixes/0", "/tags/0"]);
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
        assert_eq!(faults(&document(4_000, 6_001))[0].0, "/tags/6000");
        let patterns = json!({ "patterns": vec![json!({ "url": "a" }); 101] }).to_string();
        assert_eq!(faults(&patterns)[0].0, "/patterns/100");
    }
}
