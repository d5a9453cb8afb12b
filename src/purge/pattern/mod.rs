//! Regular expressions over hosts, URLs and tags, as the bans of existing
//! clients have them. Most of them say what another selector says, and are
//! compiled to it; the rest are looked for in what is stored.

mod compile;
mod search;
mod shape;

pub(super) use search::{Candidate, Searcher};

use super::Selectors;
use search::Search;
use std::fmt;
use std::sync::Arc;

/// The longest expression, in bytes.
pub const LONGEST: usize = 16 << 10;

/// What a pattern asks for: all that is given has to be met. Each is searched
/// for, and not anchored by itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Expressions<'a> {
    /// Of the host, with its port if it isn't the scheme's own; in any case.
    pub host: Option<&'a str>,
    /// Of path and query.
    pub url: Option<&'a str>,
    /// Of the response's `Content-Type`; the empty text if it has none.
    pub content_type: Option<&'a str>,
    /// Of the response's tags, sorted, with commas between; those that have a comma
    /// in themselves are left out.
    pub tags: Option<&'a str>,
}

/// What one of [`Expressions`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The host.
    Host,
    /// Path and query.
    Url,
    /// `Content-Type`.
    ContentType,
    /// The tags.
    Tags,
}

/// Why an expression is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadPattern {
    /// Which one.
    pub part: Part,
    /// What is wrong with it, and at which byte.
    pub why: String,
}

impl fmt::Display for BadPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = match self.part {
            Part::Host => "host",
            Part::Url => "URL",
            Part::ContentType => "content type",
            Part::Tags => "tags",
        };
        write!(f, "the expression for the {part}: {}", self.why)
    }
}

impl std::error::Error for BadPattern {}

/// Writes what is asked for: `host ^www, url ^/blog`.
impl fmt::Display for Expressions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Expressions { host, url, content_type, tags } = self;
        let all = [("host", host), ("url", url), ("content_type", content_type), ("tags", tags)];
        let mut separator = "";
        for (name, text) in all.into_iter().filter_map(|(name, text)| Some((name, (*text)?))) {
            write!(f, "{separator}{name} {text}")?;
            separator = ", ";
        }
        Ok(())
    }
}

/// Writes the expressions that it was made of.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What meets all of some regular expressions.
#[derive(Clone, Debug)]
pub struct Pattern {
    kind: Kind,
    /// For people.
    text: Arc<str>,
}

#[derive(Clone, Debug)]
enum Kind {
    Same(Arc<Selectors>),
    Search(Arc<Search>),
}

impl Pattern {
    /// Reads expressions, in the syntax of the `regex` crate. To search for them takes
    /// time in proportion to the text, whatever they are; to compile them, some 40 ms at
    /// the most.
    ///
    /// ```
    /// use larder::purge::{Expressions, Pattern};
    /// let ban = Expressions { host: Some(".*"), url: Some("^/blog"), ..Expressions::default() };
    /// assert!(Pattern::new(&ban).is_ok());
    /// let bad = Pattern::new(&Expressions { url: Some("/(x"), ..ban }).unwrap_err();
    /// assert_eq!(bad.to_string(), "the expression for the URL: at byte 1: unclosed group");
    /// ```
    ///
    /// # Errors
    /// [`BadPattern`] if one is longer than 16 KiB, too large once it is
    /// compiled, or none.
    pub fn new(expressions: &Expressions<'_>) -> Result<Pattern, BadPattern> {
        let read =
            |part, text: Option<&str>| text.map(|text| compile::read(part, text)).transpose();
        let text = expressions.to_string().into();
        let host = read(Part::Host, expressions.host)?;
        let url = read(Part::Url, expressions.url)?;
        let content_type = read(Part::ContentType, expressions.content_type)?;
        let tags = read(Part::Tags, expressions.tags)?;
        if let Some(same) = compile::same(&host, &url, &content_type, &tags) {
            return Ok(Pattern { kind: Kind::Same(Arc::new(same)), text });
        }
        let search = Search::new(host, url, content_type, tags)?;
        Ok(Pattern { kind: Kind::Search(Arc::new(search)), text })
    }

    /// The selectors that say the same.
    pub fn same(&self) -> Option<&Selectors> {
        match &self.kind {
            Kind::Same(same) => Some(same),
            Kind::Search(_) => None,
        }
    }

    /// Who looks for it, if it has to be searched for.
    pub(super) fn searcher(&self) -> Option<Searcher<'_>> {
        match &self.kind {
            Kind::Same(_) => None,
            Kind::Search(search) => Some(Searcher::new(search)),
        }
    }

    /// Bytes that it takes in memory, at most.
    pub(super) fn weight(&self) -> usize {
        match &self.kind {
            Kind::Same(_) => 0,
            Kind::Search(search) => self.text.len() + search.weight(),
        }
    }
}

#[cfg(test)]
mod tests;
