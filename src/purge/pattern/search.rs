//! Expressions that say what no other selector says, and have to be searched for.

use super::compile::Read;
use super::{BadPattern, Part};
use crate::key::Target;
use crate::semantics::tags::Tags;
use regex_automata::Input;
use regex_automata::meta::{Builder, Cache, Config, Regex};
use regex_automata::nfa::thompson::WhichCaptures;
use regex_automata::util::syntax;

/// What an automaton of an expression may take in memory, in bytes; there are two of them.
/// The text of a field (8 KiB) that lists words fits in, and a search takes milliseconds at
/// the worst.
const MOST_MEMORY: usize = 512 << 10;
/// What a search may remember of an expression, in bytes, twice.
const MOST_REMEMBERED: usize = 256 << 10;
/// Bytes of a compiled expression that it doesn't count itself.
const UNCOUNTED: usize = 8 << 10;

/// One expression for each part that is asked about.
#[derive(Debug)]
pub(super) struct Search {
    host: Option<Regex>,
    url: Option<Regex>,
    content_type: Option<Regex>,
    tags: Option<Regex>,
}

impl Search {
    pub fn new(
        host: Option<Read>,
        url: Option<Read>,
        content_type: Option<Read>,
        tags: Option<Read>,
    ) -> Result<Search, BadPattern> {
        Ok(Search {
            host: regex(Part::Host, host)?,
            url: regex(Part::Url, url)?,
            content_type: regex(Part::ContentType, content_type)?,
            tags: regex(Part::Tags, tags)?,
        })
    }

    /// Bytes that it takes in memory.
    pub fn weight(&self) -> usize {
        let all = [&self.host, &self.url, &self.content_type, &self.tags];
        all.into_iter().flatten().map(|regex| regex.memory_usage() + UNCOUNTED).sum()
    }
}

fn regex(part: Part, expression: Option<Read>) -> Result<Option<Regex>, BadPattern> {
    let Some(Read { text, hir }) = expression else { return Ok(None) };
    let limits = Config::new()
        .nfa_size_limit(Some(MOST_MEMORY))
        .onepass_size_limit(Some(MOST_MEMORY))
        .hybrid_cache_capacity(MOST_REMEMBERED)
        // Which groups match isn't asked.
        .which_captures(WhichCaptures::Implicit);
    let mut builder = Builder::new();
    builder.configure(limits);
    let built = match part {
        Part::Host => builder.syntax(syntax::Config::new().case_insensitive(true)).build(&text),
        Part::Url | Part::ContentType | Part::Tags => builder.build_from_hir(&hir),
    };
    let why = |error: regex_automata::meta::BuildError| match error.size_limit() {
        Some(limit) => format!("compiled it is larger than {limit} bytes"),
        None => error.to_string(),
    };
    built.map(Some).map_err(|error| BadPattern { part, why: why(error) })
}

/// Looks for a pattern in one response after another, in memory of its own.
pub(in crate::purge) struct Searcher<'a> {
    host: Sought<'a>,
    url: Sought<'a>,
    content_type: Sought<'a>,
    tags: Sought<'a>,
}

impl<'a> Searcher<'a> {
    pub(super) fn new(search: &'a Search) -> Searcher<'a> {
        let Search { host, url, content_type, tags } = search;
        let [host, url, content_type, tags] = [host, url, content_type, tags].map(Sought::new);
        Searcher { host, url, content_type, tags }
    }

    /// Whether a response meets the pattern; its content type is `None` if that isn't
    /// known, and might be any.
    pub fn meets(&mut self, target: &Target, tags: &Tags, content_type: Option<&str>) -> bool {
        self.host.is_in(target.host())
            && self.url.is_in(target.path_and_query())
            && content_type.is_none_or(|text| self.content_type.is_in(text))
            && (self.tags.is_anything() || self.tags.is_in(&joined(tags)))
    }
}

/// An expression that is looked for, if there is one.
struct Sought<'a>(Option<(&'a Regex, Cache)>);

impl<'a> Sought<'a> {
    fn new(regex: &'a Option<Regex>) -> Sought<'a> {
        Sought(regex.as_ref().map(|regex| (regex, regex.create_cache())))
    }

    fn is_anything(&self) -> bool {
        self.0.is_none()
    }

    fn is_in(&mut self, text: &str) -> bool {
        let Some((regex, cache)) = &mut self.0 else { return true };
        regex.search_half_with(cache, &Input::new(text).earliest(true)).is_some()
    }
}

fn joined(tags: &Tags) -> String {
    let mut all = String::new();
    for tag in tags.global.iter().filter(|tag| !tag.contains(',')) {
        if !all.is_empty() {
            all.push(',');
        }
        all.push_str(tag);
    }
    all
}
