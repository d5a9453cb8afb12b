//! Which requests somebody wants to know of: `outcome=miss status>=500 path=/shop/*`.
//!
//! Conditions with spaces between, all of which have to hold.

mod read;

use super::Entry;
use crate::semantics::cache_status::{Forward, Outcome};
use crate::semantics::reason::Reason;
use std::fmt;

/// Conditions on a request; none lets all through.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter(Vec<Condition>);

/// What of a filter makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The number of the character where it is, from one.
    pub at: usize,
    /// What is wrong with it.
    pub what: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at character {} of the filter: {}", self.at, self.what)
    }
}

impl std::error::Error for Mistake {}

#[derive(Clone, Debug, PartialEq)]
enum Condition {
    /// A text is like this, or isn't.
    Text(Text, Glob, bool),
    /// A number compares so.
    Number(Number, Comparison, f64),
    /// Something is so, or isn't.
    Flag(Flag, bool),
}

/// A text of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Text {
    Outcome,
    Reason,
    Method,
    Host,
    Path,
    Target,
    Client,
    Agent,
    Referer,
    Id,
    Trace,
    Tag,
}

/// A number of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Number {
    Status,
    Bytes,
    Seconds,
    OriginSeconds,
    Age,
    Ttl,
}

/// Something about a request that is so or isn't.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flag {
    Stored,
    Collapsed,
    Broken,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    AtMost,
    More,
    AtLeast,
}

/// A text in which `*` stands for any characters, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Glob(Box<str>);

impl Filter {
    /// Whether the request is one of those.
    pub fn lets_through(&self, entry: &Entry<'_>) -> bool {
        self.0.iter().all(|condition| condition.holds(entry))
    }
}

impl Condition {
    fn holds(&self, entry: &Entry<'_>) -> bool {
        match self {
            Condition::Text(text, glob, wanted) => text.is_like(glob, entry) == *wanted,
            Condition::Number(number, comparison, than) => {
                number.of(entry).is_some_and(|number| comparison.holds(number, *than))
            }
            Condition::Flag(flag, wanted) => flag.of(entry) == *wanted,
        }
    }
}

impl Text {
    fn is_like(self, glob: &Glob, entry: &Entry<'_>) -> bool {
        let like = |text: Option<&[u8]>| text.is_some_and(|text| glob.matches(text));
        match self {
            Text::Outcome => like_outcome(glob, entry.cache.outcome),
            Text::Reason => like(entry.cache.detail.map(Reason::code).map(str::as_bytes)),
            Text::Method => glob.matches(entry.method.as_bytes()),
            Text::Host => like(entry.host),
            Text::Path => like(entry.target.split(|byte| *byte == b'?').next()),
            Text::Target => glob.matches(entry.target),
            Text::Client => glob.matches(entry.client.to_string().as_bytes()),
            Text::Agent => like(entry.agent),
            Text::Referer => like(entry.referer),
            Text::Id => like(entry.id),
            Text::Trace => like(entry.trace.map(str::as_bytes)),
            Text::Tag => entry.purged.iter().any(|tag| glob.matches(tag.as_bytes())),
        }
    }
}

/// `miss` is every request that was forwarded because of what was stored or not, and
/// `pass` every one that the cache has no part in.
fn like_outcome(glob: &Glob, outcome: Outcome) -> bool {
    match (&*glob.0, outcome) {
        ("pass", Outcome::Forwarded(why)) => matches!(why, Forward::Bypass | Forward::Method),
        ("miss", Outcome::Forwarded(why)) => !matches!(why, Forward::Bypass | Forward::Method),
        _ => glob.matches(outcome.token().as_bytes()),
    }
}

impl Number {
    fn of(self, entry: &Entry<'_>) -> Option<f64> {
        match self {
            Number::Status => Some(entry.status.into()),
            Number::Bytes => Some(entry.bytes as f64),
            Number::Seconds => Some(entry.took.as_secs_f64()),
            Number::OriginSeconds => entry.origin.map(|took| took.as_secs_f64()),
            Number::Age => entry.age.map(f64::from),
            Number::Ttl => entry.cache.ttl.map(|ttl| ttl as f64),
        }
    }
}

impl Flag {
    fn of(self, entry: &Entry<'_>) -> bool {
        match self {
            Flag::Stored => entry.cache.stored,
            Flag::Collapsed => entry.cache.collapsed,
            Flag::Broken => entry.broken,
        }
    }
}

impl Comparison {
    #[expect(clippy::float_cmp, reason = "a number is compared with what was written")]
    fn holds(self, number: f64, than: f64) -> bool {
        match self {
            Comparison::Equal => number == than,
            Comparison::NotEqual => number != than,
            Comparison::Less => number < than,
            Comparison::AtMost => number <= than,
            Comparison::More => number > than,
            Comparison::AtLeast => number >= than,
        }
    }
}

impl Glob {
    /// Letters are the same in either case. Each piece between two `*` is looked for where
    /// it comes first, so that no text takes long.
    fn matches(&self, text: &[u8]) -> bool {
        let Some((first, rest)) = self.0.split_once('*') else {
            return text.eq_ignore_ascii_case(self.0.as_bytes());
        };
        let begins = text.len() >= first.len() && same(&text[..first.len()], first);
        let Some(mut left) = begins.then(|| &text[first.len()..]) else { return false };
        let mut pieces = rest.split('*').peekable();
        while let Some(piece) = pieces.next() {
            if pieces.peek().is_none() {
                return left.len() >= piece.len() && same(&left[left.len() - piece.len()..], piece);
            }
            let Some(at) = find(left, piece) else { return false };
            left = &left[at + piece.len()..];
        }
        true
    }
}

fn same(text: &[u8], piece: &str) -> bool {
    text.eq_ignore_ascii_case(piece.as_bytes())
}

fn find(text: &[u8], piece: &str) -> Option<usize> {
    let last = text.len().checked_sub(piece.len())?;
    (0..=last).find(|at| same(&text[*at..*at + piece.len()], piece))
}

#[cfg(test)]
mod tests;
