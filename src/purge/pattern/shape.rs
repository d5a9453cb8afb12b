//! What a regular expression asks of a text, if that can be said without one:
//! a list of texts, each to be met at its beginning, at its end, or anywhere.

use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// One way to meet an expression: the text is there, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Piece {
    /// Nothing comes before it.
    pub start: bool,
    /// Nothing comes after it.
    pub end: bool,
    pub text: String,
}

/// All ways to meet an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Any text does.
    Any,
    /// Any text does but the empty one.
    NotEmpty,
    /// One of these, sorted, each once.
    Pieces(Vec<Piece>),
}

/// What an expression is made of, where it is made of few things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Start,
    End,
    Char(char),
    /// Any one character.
    One,
    /// Any number of them.
    Many,
}

/// The most ways to meet an expression that are looked at, and their length in
/// all.
const MOST_WAYS: usize = 2048;
const MOST_TOKENS: usize = 1 << 16;
/// The most members of a class, and times of a repetition, that are spelt out.
const MOST_SPELT_OUT: u32 = 16;

/// The shape of an expression that is searched for; `None` if it has no simple
/// one.
pub(super) fn of(expression: &Hir) -> Option<Shape> {
    let ways = ways(expression)?;
    let mut pieces = Vec::new();
    let mut shape = None;
    for way in &ways {
        match one(way)? {
            Shape::Any => return Some(Shape::Any),
            Shape::NotEmpty => shape = Some(Shape::NotEmpty),
            Shape::Pieces(more) => pieces.extend(more),
        }
    }
    // Whatever is not empty does, and one of the pieces might be met by the empty
    // text: that is too much to be said simply.
    if shape.is_some() && !pieces.is_empty() {
        return None;
    }
    pieces.sort_unstable();
    pieces.dedup();
    Some(shape.unwrap_or(Shape::Pieces(pieces)))
}

/// The shape of one way.
fn one(way: &[Token]) -> Option<Shape> {
    let starts = way.iter().take_while(|token| **token == Token::Start).count();
    let rest = &way[starts..];
    let ends = rest.iter().rev().take_while(|token| **token == Token::End).count();
    let mut rest = &rest[..rest.len() - ends];
    let (mut start, mut end) = (starts > 0, ends > 0);
    while let [Token::Many, inner @ ..] = rest {
        (rest, start) = (inner, false);
    }
    while let [inner @ .., Token::Many] = rest {
        (rest, end) = (inner, false);
    }
    if rest == [Token::One] {
        return (!start || !end).then_some(Shape::NotEmpty);
    }
    let text: Option<String> = rest
        .iter()
        .map(|token| match token {
            Token::Char(char) => Some(*char),
            _ => None,
        })
        .collect();
    let text = text?;
    if text.is_empty() && !(start && end) {
        return Some(Shape::Any);
    }
    Some(Shape::Pieces(vec![Piece { start, end, text }]))
}

type Ways = Vec<Vec<Token>>;

fn ways(expression: &Hir) -> Option<Ways> {
    match expression.kind() {
        HirKind::Empty => Some(vec![Vec::new()]),
        HirKind::Literal(literal) => {
            let text = std::str::from_utf8(&literal.0).ok()?;
            Some(vec![text.chars().map(Token::Char).collect()])
        }
        HirKind::Look(Look::Start) => Some(vec![vec![Token::Start]]),
        HirKind::Look(Look::End) => Some(vec![vec![Token::End]]),
        HirKind::Look(_) => None,
        HirKind::Class(class) => of_class(class),
        HirKind::Capture(capture) => ways(&capture.sub),
        HirKind::Repetition(times) => {
            let sub = ways(&times.sub)?;
            if sub == [[Token::One]] && times.max.is_none() && times.min <= 1 {
                let least = (0..times.min).map(|_| Token::One);
                return Some(vec![least.chain([Token::Many]).collect()]);
            }
            let most = times.max.filter(|most| *most <= MOST_SPELT_OUT)?;
            let mut all = Ways::new();
            let mut repeated: Ways = vec![Vec::new()];
            for count in 0..=most {
                if count >= times.min {
                    all = bounded([all, repeated.clone()].concat())?;
                }
                repeated = product(repeated, &sub)?;
            }
            Some(all)
        }
        HirKind::Concat(parts) => {
            parts.iter().try_fold(vec![Vec::new()], |before, part| product(before, &ways(part)?))
        }
        HirKind::Alternation(choices) => {
            choices.iter().try_fold(Ways::new(), |mut before, choice| {
                before.extend(ways(choice)?);
                bounded(before)
            })
        }
    }
}

fn of_class(class: &Class) -> Option<Ways> {
    let Class::Unicode(class) = class else { return None };
    let ranges = class.ranges();
    let members: u32 = ranges.iter().map(|range| range.len() as u32).sum();
    let is_any = |line: &[(char, char)]| {
        ranges.iter().map(|range| (range.start(), range.end())).eq(line.iter().copied())
    };
    let without_lines = [('\0', '\t'), ('\u{b}', char::MAX)];
    if is_any(&without_lines) || is_any(&[('\0', char::MAX)]) {
        return Some(vec![vec![Token::One]]);
    }
    let chars = ranges.iter().flat_map(|range| range.start()..=range.end());
    (members <= MOST_SPELT_OUT).then(|| chars.map(|char| vec![Token::Char(char)]).collect())
}

fn product(mut firsts: Ways, seconds: &Ways) -> Option<Ways> {
    // An expression has thousands of parts: what has one way only is not to have all
    // that comes before it copied.
    if let [second] = seconds.as_slice() {
        if second.is_empty() {
            return Some(firsts);
        }
        firsts.iter_mut().for_each(|first| first.extend_from_slice(second));
        return bounded(firsts);
    }
    if firsts.len() * seconds.len() > MOST_WAYS {
        return None;
    }
    let both = |first: &Vec<Token>| {
        let first = first.clone();
        seconds.iter().map(move |second| [&first[..], &second[..]].concat())
    };
    bounded(firsts.iter().flat_map(both).collect())
}

fn bounded(ways: Ways) -> Option<Ways> {
    let tokens: usize = ways.iter().map(Vec::len).sum();
    (ways.len() <= MOST_WAYS && tokens <= MOST_TOKENS).then_some(ways)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(expression: &str) -> Option<Shape> {
        of(&regex_syntax::parse(expression).expect("an expression"))
    }

    fn pieces(expression: &str) -> Vec<String> {
        let Some(Shape::Pieces(pieces)) = shape(expression) else {
            panic!("{expression}: {:?}", shape(expression));
        };
        let sign = |there, sign| if there { sign } else { "" };
        pieces
            .iter()
            .map(|Piece { start, end, text }| {
                format!("{}{text}{}", sign(*start, "^"), sign(*end, "$"))
            })
            .collect()
    }

    #[test]
    fn expressions_that_every_text_meets() {
        for any in ["", ".*", "^.*$", "^", "$", "^.*", "(a|)", "x?", "(.*)", "^(.*)$", "(?s)^.*$"] {
            assert_eq!(shape(any), Some(Shape::Any), "{any}");
        }
        for not_empty in [".", ".+", "^.+$", "^.", ".$", "^.+"] {
            assert_eq!(shape(not_empty), Some(Shape::NotEmpty), "{not_empty}");
        }
    }

    #[test]
    fn expressions_that_are_lists_of_texts() {
        let cases: &[(&str, &[&str])] = &[
            ("^/x$", &["^/x$"]),
            ("/x", &["/x"]),
            ("^/blog/.*$", &["^/blog/"]),
            (r"^a\.example$", &["^a.example$"]),
            ("^(a|b)$", &["^a$", "^b$"]),
            ("(^|,)a(,|$)", &[",a$", ",a,", "^a$", "^a,"].map(|text| text)),
            (r"^/x(\?.*)?$", &["^/x?", "^/x$"]),
            ("^/[ab]{2}$", &["^/aa$", "^/ab$", "^/ba$", "^/bb$"]),
        ];
        for (expression, expected) in cases {
            let (mut found, mut expected) = (pieces(expression), expected.to_vec());
            found.sort();
            expected.sort_unstable();
            assert_eq!(found, expected, "{expression}");
        }
    }

    /// What is copied grows with the expression, and no faster: else this takes minutes.
    #[test]
    fn a_long_expression_is_read_as_fast_as_a_short_one() {
        let many = "(ab|cd)".repeat(11);
        assert_eq!(pieces(&format!("^{many}{}$", "()".repeat(500_000))).len(), 2048);
        let choices: Vec<String> = (0..2048).map(|n| format!("{n:x}/{n:x}")).collect();
        assert_eq!(pieces(&format!("^({})$", choices.join("|"))).len(), 2048);
    }

    #[test]
    fn expressions_that_are_not() {
        for other in [
            "a.b",
            "^a.*b$",
            "a+",
            r"\d",
            r"\bx",
            "(?m)^x$",
            "a^b",
            "[a-z]",
            "^.$",
            "(?i)^/x.y$",
            "(a|b|c|d){16}",
            "(.|^$)",
        ] {
            assert_eq!(shape(other), None, "{other}");
        }
    }
}
