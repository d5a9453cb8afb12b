//! What is wrong with a configuration, and where.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// Everything found wrong with a configuration.
///
/// Displays as one paragraph a problem, with the line of the file and a caret under the exact
/// words; a value that came from elsewhere is named by its variable or option. A line that sets a
/// token is not shown. There is no newline at the end.
pub struct ConfigError(Vec<Problem>);

/// What the places of options begin with.
pub(super) const OPTION: &str = "option ";

/// One thing that is wrong: what, where, and what to do about it.
pub(super) struct Problem {
    message: String,
    note: String,
    place: Place,
}

/// A complaint about a text by someone who doesn't know where the text came from.
#[derive(Debug, PartialEq)]
pub(super) struct Wrong {
    message: String,
    note: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.note.is_empty() {
            true => f.write_str(&self.message),
            false => write!(f, "{}: {}", self.message, self.note),
        }
    }
}

/// Where a value came from.
#[derive(Clone)]
pub(super) enum Place {
    /// Bytes of a file that can be shown.
    Span(Arc<FileText>, Range<usize>),
    /// Anything that has only a name: a variable, an option, a file as a whole.
    Named(String),
}

/// A configuration file as read.
pub(super) struct FileText {
    /// The file's name as the user would write it.
    pub(super) name: String,
    /// Its whole content.
    pub(super) text: String,
}

/// A line of a file and where in it a span lies, counted in characters.
struct Excerpt<'a> {
    line: &'a str,
    /// Counted from 1.
    number: usize,
    /// Characters of the line before the span.
    before: usize,
    /// Characters of the span on this line, at least one.
    width: usize,
}

/// A complaint with what to do about it; the note may be empty.
pub(super) fn wrong(message: impl Into<String>, note: impl Into<String>) -> Wrong {
    Wrong { message: message.into(), note: note.into() }
}

impl Wrong {
    /// The same complaint, with its place.
    pub(super) fn at(self, place: &Place) -> Problem {
        Problem { message: self.message, note: self.note, place: place.clone() }
    }
}

impl Place {
    /// In a line: `larder.toml:6`, or the name.
    pub(super) fn line(&self) -> String {
        match self {
            Self::Span(file, span) => format!("{}:{}", file.name, file.excerpt(span).number),
            Self::Named(name) => name.clone(),
        }
    }

    fn offset(&self) -> usize {
        match self {
            Self::Span(_, span) => span.start,
            Self::Named(_) => usize::MAX,
        }
    }
}

impl FileText {
    /// The last character boundary not past `at`.
    fn boundary(&self, at: usize) -> usize {
        (0..=at.min(self.text.len())).rev().find(|at| self.text.is_char_boundary(*at)).unwrap_or(0)
    }

    fn excerpt(&self, span: &Range<usize>) -> Excerpt<'_> {
        let start = self.boundary(span.start);
        let end = self.boundary(span.end.max(start));
        let line_start = self.text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = self.text[start..].find('\n').map_or(self.text.len(), |at| start + at);
        let shown = self.text[start..end.min(line_end)].trim_end();
        Excerpt {
            line: self.text[line_start..line_end].trim_end(),
            number: self.text[..line_start].matches('\n').count() + 1,
            before: self.text[line_start..start].chars().count(),
            width: shown.chars().count().max(1),
        }
    }

    /// The line of a byte, counted from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        self.excerpt(&(at..at)).number
    }

    /// `larder.toml:6:1`, line and column counted from 1.
    fn position(&self, span: &Range<usize>) -> String {
        let excerpt = self.excerpt(span);
        format!("{}:{}:{}", self.name, excerpt.number, excerpt.before + 1)
    }
}

impl ConfigError {
    /// Puts the problems in order: those of the file as they stand there, then the others.
    pub(super) fn new(mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| problem.place.offset());
        Self(problems)
    }

    /// Whether an option of the command line is among what is wrong.
    pub fn is_of_the_command(&self) -> bool {
        self.0.iter().any(|problem| match &problem.place {
            Place::Named(name) => name.starts_with(OPTION),
            Place::Span(..) => false,
        })
    }
}

impl From<Problem> for ConfigError {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl Excerpt<'_> {
    /// Whether the line sets a token, or tokens, in whichever table.
    fn holds_secret(&self) -> bool {
        let mut after = self.line.split("token").skip(1);
        after.any(|rest| rest.trim_start_matches('s').trim_start().starts_with('='))
    }

    /// As many columns as stand before the span: a tab keeps its width only under a tab.
    fn indent(&self) -> String {
        let before = self.line.chars().chain(std::iter::repeat(' '));
        before.take(self.before).map(|c| if c == '\t' { '\t' } else { ' ' }).collect()
    }
}

impl Problem {
    fn at_name(&self, f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
        write!(f, "  --> {name}")?;
        match self.note.as_str() {
            "" => Ok(()),
            note => write!(f, "\n   = {note}"),
        }
    }

    fn at_line(&self, f: &mut fmt::Formatter<'_>, at: &str, excerpt: &Excerpt<'_>) -> fmt::Result {
        let number = excerpt.number.to_string();
        let gutter = " ".repeat(number.len());
        writeln!(f, " {gutter}--> {at}")?;
        writeln!(f, " {gutter} |")?;
        writeln!(f, " {number} | {}", excerpt.line)?;
        let carets = "^".repeat(excerpt.width);
        let caret_line = format!("{}{carets} {}", excerpt.indent(), self.note);
        write!(f, " {gutter} | {}", caret_line.trim_end())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error: {}", self.message)?;
        match &self.place {
            Place::Named(name) => self.at_name(f, name),
            Place::Span(file, span) => {
                let (at, excerpt) = (file.position(span), file.excerpt(span));
                match excerpt.holds_secret() {
                    true => self.at_name(f, &at),
                    false => self.at_line(f, &at, &excerpt),
                }
            }
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

/// As [`Display`](fmt::Display): the derived form would print whole files, secrets included.
impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for ConfigError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, words: &str) -> String {
        let start = text.find(words).expect("the words are in the text");
        let file = FileText { name: "x.toml".into(), text: text.into() };
        let place = Place::Span(Arc::new(file), start..start + words.len());
        wrong("no", "because").at(&place).to_string()
    }

    #[test]
    fn the_caret_stands_under_the_words() {
        for (text, words, expected) in [
            ("a = 1", "1", " --> x.toml:1:5\n   |\n 1 | a = 1\n   |     ^ because"),
            ("\ta = 1\r\n", "1", " --> x.toml:1:6\n   |\n 1 | \ta = 1\n   | \t    ^ because"),
            ("é = 'ü'", "'ü'", " --> x.toml:1:5\n   |\n 1 | é = 'ü'\n   |     ^^^ because"),
            ("a = [\n 1,\n]", "[\n 1,\n]", " --> x.toml:1:5\n   |\n 1 | a = [\n   |     ^ because"),
            (
                "\n\n\n\n\n\n\n\n\na = 1",
                "a",
                "  --> x.toml:10:1\n    |\n 10 | a = 1\n    | ^ because",
            ),
        ] {
            assert_eq!(shown(text, words), format!("error: no\n {expected}"));
        }
    }

    #[test]
    fn a_span_past_the_end_is_shown_there() {
        let file = FileText { name: "x.toml".into(), text: "a =".into() };
        let place = Place::Span(Arc::new(file), 3..3);
        let expected = "error: no\n  --> x.toml:1:4\n   |\n 1 | a =\n   |    ^";
        assert_eq!(wrong("no", "").at(&place).to_string(), expected);
    }
}
