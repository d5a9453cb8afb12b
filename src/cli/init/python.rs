//! The tokens of a Python file, as far as settings need them. Nothing is run.

/// A token, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub what: What,
    /// From one.
    pub line: usize,
    /// How many brackets are open around it.
    pub depth: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum What {
    /// A name or a keyword.
    Name(String),
    /// A string without anything to be computed in it.
    Text(String),
    Number(String),
    /// A string that is none to us: bytes, or with something to be computed.
    Computed,
    /// An operator, bracket or other sign: `=`, `==` and `+=` are one each.
    Sign(&'static str),
}

/// A logical line: a statement, or its head.
#[derive(Debug)]
pub(super) struct Statement {
    pub tokens: Vec<Token>,
    /// It stands inside of something: a function, a class, an `if`.
    pub indented: bool,
}

/// Signs of more than one character first.
const SIGNS: &[&str] = &[
    "==", "!=", "<=", ">=", ":=", "->", "+=", "-=", "|=", "**", "//", "=", "(", ")", "[", "]", "{",
    "}", ",", ":", ".", ";", "+", "-", "*", "/", "%", "@", "&", "|", "^", "~", "<", ">", "!",
];

/// Splits a file into statements.
///
/// # Errors
/// The line and what is wrong in it.
pub(super) fn statements(text: &str) -> Result<Vec<Statement>, (usize, &'static str)> {
    let mut reader = Reader { rest: text.trim_start_matches('\u{feff}'), line: 1, depth: 0 };
    let (mut all, mut tokens) = (Vec::new(), Vec::new());
    let (mut indented, mut line_begins) = (false, true);
    loop {
        let unspaced = reader.rest.trim_start_matches([' ', '\t', '\x0c']);
        if line_begins {
            indented = unspaced.len() < reader.rest.len();
        }
        reader.rest = unspaced;
        let Some(first) = unspaced.chars().next() else { break };
        line_begins = false;
        match first {
            '\n' | '\r' => {
                reader.end_line();
                if reader.depth == 0 && !tokens.is_empty() {
                    all.push(Statement { tokens: std::mem::take(&mut tokens), indented });
                }
                line_begins = reader.depth == 0;
            }
            '#' => reader.rest = reader.rest.trim_start_matches(|c| c != '\n'),
            '\\' => {
                reader.rest = &reader.rest[1..];
                reader.end_line();
            }
            ';' if reader.depth == 0 => {
                reader.rest = &reader.rest[1..];
                if !tokens.is_empty() {
                    all.push(Statement { tokens: std::mem::take(&mut tokens), indented });
                }
            }
            _ => tokens.push(reader.token()?),
        }
    }
    if !tokens.is_empty() {
        all.push(Statement { tokens, indented });
    }
    match reader.depth {
        0 => Ok(all),
        _ => Err((reader.line, "a bracket is not closed")),
    }
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
    depth: usize,
}

impl Reader<'_> {
    /// Passes the end of a line, if there is one.
    fn end_line(&mut self) {
        self.rest = self.rest.strip_prefix('\r').unwrap_or(self.rest);
        if let Some(rest) = self.rest.strip_prefix('\n') {
            self.rest = rest;
            self.line += 1;
        }
    }

    fn token(&mut self) -> Result<Token, (usize, &'static str)> {
        let line = self.line;
        let length =
            |is: fn(char) -> bool, text: &str| text.len() - text.trim_start_matches(is).len();
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let word = length(is_word, self.rest);
        let (word, after) = self.rest.split_at(word);
        if after.starts_with(['"', '\'']) && is_prefix(word) {
            self.rest = after;
            let what = self.string(&word.to_ascii_lowercase())?;
            return Ok(Token { what, line, depth: self.depth });
        }
        if !word.is_empty() {
            self.rest = after;
            let is_number = word.starts_with(|c: char| c.is_ascii_digit());
            let what = if is_number {
                What::Number(word.replace('_', ""))
            } else {
                What::Name(word.into())
            };
            return Ok(Token { what, line, depth: self.depth });
        }
        let Some(sign) = SIGNS.iter().find(|sign| self.rest.starts_with(**sign)) else {
            return Err((line, "a character that Python does not know"));
        };
        self.rest = &self.rest[sign.len()..];
        let closes = matches!(*sign, ")" | "]" | "}");
        if closes {
            self.depth =
                self.depth.checked_sub(1).ok_or((line, "a bracket that was not opened"))?;
        }
        let token = Token { what: What::Sign(sign), line, depth: self.depth };
        self.depth += usize::from(matches!(*sign, "(" | "[" | "{"));
        Ok(token)
    }

    /// Reads a string, whose prefix has been read.
    fn string(&mut self, prefix: &str) -> Result<What, (usize, &'static str)> {
        let begun = self.line;
        let quote = &self.rest[..1];
        let triple = quote.repeat(3);
        let end = if self.rest.starts_with(&triple) { triple.as_str() } else { quote };
        let (quote_len, is_long) = (end.len(), end.len() == 3);
        let end = end.to_string();
        let mut text = String::new();
        let mut rest = &self.rest[quote_len..];
        loop {
            if let Some(after) = rest.strip_prefix(end.as_str()) {
                self.rest = after;
                break;
            }
            let mut chars = rest.chars();
            match chars.next() {
                None => return Err((begun, "a string that does not end")),
                Some('\n') if !is_long => return Err((begun, "a string that does not end")),
                Some('\\') => {
                    let escaped = chars.next().ok_or((begun, "a string that does not end"))?;
                    self.line += usize::from(escaped == '\n');
                    push_escaped(&mut text, escaped, prefix.contains('r'));
                }
                Some(c) => {
                    self.line += usize::from(c == '\n');
                    text.push(c);
                }
            }
            rest = chars.as_str();
        }
        let is_plain = !prefix.contains(['f', 'b', 't']);
        Ok(if is_plain { What::Text(text) } else { What::Computed })
    }
}

fn is_prefix(word: &str) -> bool {
    word.len() <= 2 && word.chars().all(|c| "rRbBfFuUtT".contains(c))
}

/// The escapes that a setting may have; all others stay as they are written.
fn push_escaped(text: &mut String, escaped: char, raw: bool) {
    match escaped {
        '\\' | '"' | '\'' if !raw => text.push(escaped),
        'n' if !raw => text.push('\n'),
        't' if !raw => text.push('\t'),
        '\n' if !raw => {}
        _ => text.extend(['\\', escaped]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let all = statements(text).expect("statements");
        let one = |statement: Statement| {
            let words = statement.tokens.into_iter().map(|token| match token.what {
                What::Name(word) | What::Number(word) => word,
                What::Text(text) => format!("'{text}'"),
                What::Computed => "?".into(),
                What::Sign(sign) => sign.into(),
            });
            let dots = if statement.indented { "  " } else { "" };
            format!("{dots}{}", words.collect::<Vec<_>>().join(" "))
        };
        all.into_iter().map(one).collect()
    }

    #[test]
    fn statements_are_told_apart_as_python_does() {
        for (text, expected) in [
            ("A = 1\nB = 'x' # c\n", &["A = 1", "B = 'x'"][..]),
            ("A = [\n  'a', # 'b'\n\n 'c']\nB=2", &["A = [ 'a' , 'c' ]", "B = 2"]),
            ("A = \\\n  'a'; B = 'b'\n", &["A = 'a'", "B = 'b'"]),
            ("if X:\n    A = 1; B = 2\nC = 3\n", &["if X :", "  A = 1", "  B = 2", "C = 3"]),
            ("A = f'{x}' b'y' rb'z' u'w'", &["A = ? ? ? 'w'"]),
            ("'''doc\nA = 1\n'''\nB = r'\\d' '\\'\\\\'", &["'doc\nA = 1\n'", "B = '\\d' ''\\'"]),
            ("A: str = 'x'\r\nB == 1\r\nC += (2,)", &["A : str = 'x'", "B == 1", "C += ( 2 , )"]),
            ("", &[]),
        ] {
            assert_eq!(names(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_python_is_refused_with_its_line() {
        for (text, line) in [
            ("A = 1\nB = 'x\n", 2),
            ("A = '''x\n\n", 1),
            ("A = [1\n", 2),
            ("A = 1\n)\n", 2),
            ("A = $\n", 1),
            ("A = 'x\\", 1),
        ] {
            assert_eq!(statements(text).map_err(|(at, _)| at).err(), Some(line), "{text}");
        }
    }

    #[test]
    fn lines_are_counted_through_long_strings() {
        let all = statements("'''\n\n'''\nA = 'x\\\ny'\nB = 1").expect("statements");
        let lines: Vec<usize> = all.iter().map(|statement| statement.tokens[0].line).collect();
        assert_eq!(lines, [1, 4, 6]);
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_it(text in "[a-z=\\[\\]('\"\\\\#\\n :;\u{e4}]{0,60}") {
            let _ = statements(&text);
        }
    }
}
