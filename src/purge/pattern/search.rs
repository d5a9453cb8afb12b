//! Expressions that say what no other selector says, and have to be searched for.

use super::compile::Read;
use super::{BadPattern, Part};
use crate::key::{CacheKey, Target};
use crate::semantics::tags::Tags;
use crate::storage::StoredResponse;
use http::header::CONTENT_TYPE;
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
    /// How a URL begins that meets it, if that can be listed.
    beginnings: Option<Vec<Vec<u8>>>,
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
            beginnings: url.as_ref().and_then(Read::beginnings),
            url: regex(Part::Url, url)?,
            content_type: regex(Part::ContentType, content_type)?,
            tags: regex(Part::Tags, tags)?,
        })
    }

    /// Bytes that it takes in memory.
    pub fn weight(&self) -> usize {
        let all = [&self.host, &self.url, &self.content_type, &self.tags];
        let compiled = all.into_iter().flatten().map(|regex| regex.memory_usage() + UNCOUNTED);
        let beginnings = self.beginnings.iter().flatten();
        compiled.sum::<usize>()
            + beginnings.map(|text| size_of_val(text) + text.len()).sum::<usize>()
    }

    /// Whether a URL with this path and some query, or none, may meet it.
    pub fn may_be_below(&self, path: &str) -> bool {
        let path = path.as_bytes();
        let agrees = |text: &Vec<u8>| match text.strip_prefix(path) {
            Some(rest) => matches!(rest.first(), None | Some(b'?')),
            None => path.starts_with(text),
        };
        self.beginnings.as_ref().is_none_or(|all| all.iter().any(agrees))
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

/// A response that a pattern may meet.
pub(in crate::purge) struct Candidate<'a> {
    pub target: &'a Target,
    pub tags: &'a Tags,
    /// `None` if it isn't known, and might be any.
    pub content_type: Option<&'a str>,
    /// It answers for other queries than its target's, by `No-Vary-Search`: whatever meets
    /// one of these meets it.
    pub varies: bool,
}

impl<'a> Candidate<'a> {
    /// One with this key and these tags; `stored` is `None` if little is known of it yet.
    pub fn new(key: &'a CacheKey, tags: &'a Tags, stored: Option<&'a StoredResponse>) -> Self {
        let varies = stored.is_some_and(|stored| stored.content().rare.variance.is_some());
        Candidate { target: key.target(), tags, content_type: stored.map(content_type), varies }
    }
}

/// Looks for a pattern in one response after another, in memory of its own.
pub(in crate::purge) struct Searcher<'a> {
    search: &'a Search,
    host: Sought<'a>,
    url: Sought<'a>,
    content_type: Sought<'a>,
    tags: Sought<'a>,
}

impl<'a> Searcher<'a> {
    pub(super) fn new(search: &'a Search) -> Searcher<'a> {
        let Search { host, url, content_type, tags, beginnings: _ } = search;
        let [host, url, content_type, tags] = [host, url, content_type, tags].map(Sought::new);
        Searcher { search, host, url, content_type, tags }
    }

    /// Whether a response meets the pattern, or may.
    pub fn meets(&mut self, candidate: &Candidate<'_>) -> bool {
        let Candidate { target, tags, content_type, varies } = *candidate;
        let may_answer_for_one = varies && self.search.may_be_below(target.path());
        self.host.is_in(target.host())
            && (may_answer_for_one || self.url.is_in(target.path_and_query()))
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

/// The text that a pattern for the content type is searched for in.
fn content_type(stored: &StoredResponse) -> &str {
    let value = stored.content().lines.get(&CONTENT_TYPE).filter(|value| value.is_ascii());
    value.and_then(|value| std::str::from_utf8(value).ok()).unwrap_or_default()
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
