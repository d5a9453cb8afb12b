//! From expressions to the selectors that say the same, where there are any.

use super::shape::{self, Piece, Shape};
use super::{BadPattern, LONGEST, Part};
use crate::key::{CacheKey, Host, Scheme, Target};
use crate::purge::{Path, Prefix, Selectors};
use regex_syntax::hir::literal::Extractor;
use regex_syntax::hir::{Hir, Look};
use std::collections::BTreeSet;

/// The most selectors that an expression is compiled to.
const MOST: usize = 4096;

/// An expression that has been read.
#[derive(Debug)]
pub(super) struct Read {
    pub text: String,
    pub hir: Hir,
}

impl Read {
    /// How a text has to begin to meet it; `None` if that can't be listed.
    pub fn beginnings(&self) -> Option<Vec<Vec<u8>>> {
        let anchored = self.hir.properties().look_set_prefix().contains(Look::Start);
        let all = anchored.then(|| Extractor::new().extract(&self.hir))?;
        Some(all.literals()?.iter().map(|literal| literal.as_bytes().to_vec()).collect())
    }
}

/// Reads an expression, and says what is wrong with it.
pub(super) fn read(part: Part, text: &str) -> Result<Read, BadPattern> {
    let bad = |why| BadPattern { part, why };
    if text.len() > LONGEST {
        return Err(bad(format!("longer than {LONGEST} bytes")));
    }
    let text = as_pcre(text);
    let mut parser = regex_syntax::ParserBuilder::new().nest_limit(100).build();
    let hir = parser.parse(&text).map_err(|error| {
        let (at, why) = match &error {
            regex_syntax::Error::Parse(error) => {
                (error.span().start.offset, error.kind().to_string())
            }
            regex_syntax::Error::Translate(error) => {
                (error.span().start.offset, error.kind().to_string())
            }
            error => (0, error.to_string()),
        };
        bad(format!("at byte {at}: {why}"))
    })?;
    Ok(Read { text, hir })
}

/// Clients quote for PCRE, where a backslash before `<` or `>` means nothing.
fn as_pcre(text: &str) -> String {
    let mut read = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match (char, chars.clone().next()) {
            ('\\', Some(quoted)) => {
                chars.next();
                if !matches!(quoted, '<' | '>') {
                    read.push('\\');
                }
                read.push(quoted);
            }
            _ => read.push(char),
        }
    }
    read
}

/// The selectors that meet exactly what meets all of these.
pub(super) fn same(
    host: &Option<Read>,
    url: &Option<Read>,
    content_type: &Option<Read>,
    tags: &Option<Read>,
) -> Option<Selectors> {
    if shape_of(content_type)? != Shape::Any {
        return None;
    }
    // A host and a URL are never empty.
    let never_empty = |shape| match shape {
        Shape::NotEmpty => Shape::Any,
        shape => shape,
    };
    let url = match never_empty(shape_of(url)?) {
        Shape::Pieces(pieces) if pieces.iter().any(is_every_url) => Shape::Any,
        shape => shape,
    };
    match (never_empty(shape_of(host)?), url, shape_of(tags)?) {
        (Shape::Any, Shape::Any, Shape::Any) => {
            Some(Selectors { everything: true, ..Selectors::default() })
        }
        (Shape::Any, Shape::Any, Shape::Pieces(pieces)) => {
            Some(Selectors { tags: as_tags(&pieces)?, ..Selectors::default() })
        }
        (Shape::Pieces(hosts), Shape::Any, Shape::Any) => {
            Some(Selectors { hosts: as_hosts(&hosts)?, ..Selectors::default() })
        }
        (Shape::Pieces(hosts), Shape::Pieces(urls), Shape::Any) => {
            as_urls(&as_hosts(&hosts)?, &urls)
        }
        _ => None,
    }
}

fn shape_of(read: &Option<Read>) -> Option<Shape> {
    match read {
        Some(read) => shape::of(&read.hir),
        None => Some(Shape::Any),
    }
}

/// Each URL begins with a slash.
fn is_every_url(piece: &Piece) -> bool {
    piece.text == "/" && !piece.end
}

fn as_hosts(pieces: &[Piece]) -> Option<Vec<Host>> {
    let mut hosts = Vec::new();
    for piece in pieces {
        // A port may be one scheme's own, and is left out of its hosts then.
        let has_port = piece.text.ends_with(":80") || piece.text.ends_with(":443");
        if !piece.start || !piece.end || !piece.text.is_ascii() || has_port {
            return None;
        }
        // No target has a host that is none.
        hosts.extend(Host::parse(&piece.text));
    }
    Some(hosts)
}

/// `(^|,)tag(,|$)`, all four.
fn as_tags(pieces: &[Piece]) -> Option<Vec<Box<str>>> {
    let mut whole: Vec<(&str, usize)> = Vec::new();
    for Piece { start, end, text } in pieces {
        let tag = if *start { text } else { text.strip_prefix(',')? };
        let tag = if *end { tag } else { tag.strip_suffix(',')? };
        if tag.is_empty() || tag.contains(',') {
            return None;
        }
        whole.push((tag, 1));
    }
    whole.sort_unstable();
    whole.dedup_by(|again, first| {
        first.0 == again.0 && {
            first.1 += again.1;
            true
        }
    });
    let all = whole.iter().all(|(_, ways)| *ways == 4);
    all.then(|| whole.iter().map(|(tag, _)| Box::from(*tag)).collect())
}

/// A URL that is whole is a key, one with `(\?|$)` after it a path, one with
/// `(/|\?|$)` a prefix.
fn as_urls(hosts: &[Host], pieces: &[Piece]) -> Option<Selectors> {
    let texts = |end: bool| {
        let such = pieces.iter().filter(move |piece| piece.end == end);
        such.map(|piece| piece.text.as_str()).collect::<BTreeSet<&str>>()
    };
    let (whole, mut beginnings) = (texts(true), texts(false));
    if hosts.len() * whole.len() > MOST || !pieces.iter().all(|piece| piece.start) {
        return None;
    }
    let mut selectors = Selectors::default();
    for url in whole.into_iter().filter(|url| url.starts_with('/')) {
        let (query, below) = (format!("{url}?"), format!("{url}/"));
        let is_path = !url.contains('?') && beginnings.contains(query.as_str());
        let is_prefix = is_path && !url.ends_with('/') && beginnings.contains(below.as_str());
        for host in hosts {
            let target = |scheme| Target::new(scheme, host.clone(), url).ok();
            match (is_prefix, is_path) {
                (true, _) => {
                    selectors.prefixes.extend(target(Scheme::Http).map(|t| Prefix::of(&t)))
                }
                (_, true) => selectors.paths.extend(target(Scheme::Http).map(|t| Path::of(&t))),
                _ => {
                    let both = [Scheme::Http, Scheme::Https].into_iter().filter_map(target);
                    selectors.keys.extend(both.map(CacheKey::new));
                }
            }
        }
        if is_path {
            beginnings.remove(query.as_str());
        }
        if is_prefix {
            beginnings.remove(below.as_str());
        }
    }
    // No selector is for a beginning that may end within a segment.
    beginnings.iter().all(|text| !text.starts_with('/') && !text.is_empty()).then_some(selectors)
}
