//! What a Python file sets, where it can be told without running it.

use super::python::{Statement, Token, What};

/// A value that is written out.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Literal {
    Text(String),
    Number(String),
    Flag(bool),
    None,
    List(Vec<Literal>),
}

/// How a name is given its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `NAME = value`
    Plain,
    /// `NAME += value`, or `NAME = NAME + value`
    Added,
    /// `config["NAME"] = value`, `NAME=value` in a call, `"NAME": value` in a dictionary.
    Member,
}

/// One place where a name is given a value.
#[derive(Clone, Debug)]
pub(super) struct Assignment {
    pub name: String,
    pub form: Form,
    pub line: usize,
    /// It stands inside of something, and may not be done.
    pub indented: bool,
    /// The value, if it is written out.
    pub value: Option<Literal>,
    /// All strings of the value.
    pub texts: Vec<String>,
}

/// All that a statement sets.
pub(super) fn of(statement: &Statement) -> Vec<Assignment> {
    let tokens = &statement.tokens;
    let mut all = Vec::new();
    let mut push = |name: &str, form, at: usize| {
        let rest = &tokens[at..];
        let depth = rest.first().map_or(0, |token| token.depth);
        let value = rest.iter().take_while(|token| !ends(token, depth));
        let value: Vec<&Token> = value.collect();
        all.push(Assignment {
            name: name.to_string(),
            form,
            line: tokens[at - 1].line,
            indented: statement.indented,
            value: literal(&value),
            texts: value.iter().filter_map(|token| text(token)).collect(),
        });
    };
    if let Some((name, form, at)) = plain(tokens) {
        // `NAME = NAME + [...]` adds to what it was.
        let own = What::Name(name.to_string());
        let adds = tokens[at..].iter().any(|token| token.what == own);
        push(name, if adds { Form::Added } else { form }, at);
    }
    for at in 1..tokens.len() {
        let before = at.checked_sub(2).map(|before| &tokens[before].what);
        match (&tokens[at - 1].what, &tokens[at].what, before) {
            (What::Name(name), What::Sign("="), Some(What::Sign("(" | ","))) => {
                push(name, Form::Member, at + 1);
            }
            (What::Text(name), What::Sign(":"), Some(What::Sign("{" | ","))) => {
                push(name, Form::Member, at + 1);
            }
            (What::Text(name), What::Sign("]"), Some(What::Sign("[")))
                if is_set(tokens, at + 1) =>
            {
                push(name, Form::Member, at + 2);
            }
            _ => {}
        }
    }
    all
}

fn is_set(tokens: &[Token], at: usize) -> bool {
    tokens.get(at).is_some_and(|token| token.what == What::Sign("="))
}

fn text(token: &Token) -> Option<String> {
    match &token.what {
        What::Text(text) => Some(text.clone()),
        _ => None,
    }
}

/// A comma or a closing bracket of the one around: the value is over.
fn ends(token: &Token, depth: usize) -> bool {
    match token.what {
        What::Sign(",") => token.depth == depth && depth > 0,
        What::Sign(")" | "]" | "}") => token.depth < depth,
        _ => false,
    }
}

/// `NAME = `, `NAME: type = ` or `NAME += ` at the beginning of a statement.
fn plain(tokens: &[Token]) -> Option<(&str, Form, usize)> {
    let What::Name(name) = &tokens.first()?.what else { return None };
    match tokens.get(1)?.what {
        What::Sign("=") => Some((name, Form::Plain, 2)),
        What::Sign("+=") => Some((name, Form::Added, 2)),
        What::Sign(":") => {
            let at = tokens
                .iter()
                .position(|token| token.what == What::Sign("=") && token.depth == 0)?;
            Some((name, Form::Plain, at + 1))
        }
        _ => None,
    }
}

/// Reads a value, if it is nothing but written out.
fn literal(tokens: &[&Token]) -> Option<Literal> {
    let (value, rest) = value(tokens)?;
    rest.is_empty().then_some(value)
}

fn value<'a, 'b>(tokens: &'a [&'b Token]) -> Option<(Literal, &'a [&'b Token])> {
    let (first, mut rest) = tokens.split_first()?;
    let value = match &first.what {
        What::Text(text) => {
            let mut whole = text.clone();
            // Strings side by side are one.
            while let Some((What::Text(more), after)) =
                rest.split_first().map(|(t, r)| (&t.what, r))
            {
                whole.push_str(more);
                rest = after;
            }
            Literal::Text(whole)
        }
        What::Number(number) => Literal::Number(number.clone()),
        What::Name(name) => match name.as_str() {
            "True" => Literal::Flag(true),
            "False" => Literal::Flag(false),
            "None" => Literal::None,
            _ => return None,
        },
        What::Sign("(" | "[" | "{") => return list(rest),
        What::Sign(_) | What::Computed => return None,
    };
    Some((value, rest))
}

/// What stands in brackets; one value in round ones, without a comma, is itself.
fn list<'a, 'b>(mut tokens: &'a [&'b Token]) -> Option<(Literal, &'a [&'b Token])> {
    let mut all = Vec::new();
    loop {
        if let What::Sign(")" | "]" | "}") = tokens.first()?.what {
            return Some((Literal::List(all), &tokens[1..]));
        }
        let (value, rest) = value(tokens)?;
        tokens = &rest[1..];
        match rest.first()?.what {
            What::Sign(")") if all.is_empty() => return Some((value, tokens)),
            What::Sign(",") => all.push(value),
            What::Sign(")" | "]" | "}") => {
                all.push(value);
                return Some((Literal::List(all), tokens));
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::python::statements;
    use super::*;

    fn first(text: &str) -> Assignment {
        let statements = statements(text).expect("statements");
        statements.iter().flat_map(of).next().expect("an assignment")
    }

    #[test]
    fn what_is_written_out_is_read() {
        let text = |text: &str| Some(Literal::Text(text.into()));
        let list = |all: &[&str]| {
            Some(Literal::List(all.iter().map(|t| Literal::Text((*t).into())).collect()))
        };
        for (line, expected) in [
            ("A = 'x'", text("x")),
            ("A: Final[str] = ('x'\n 'y')", text("xy")),
            ("A = ['x', \"y\",]", list(&["x", "y"])),
            ("A = ('x',)", list(&["x"])),
            ("A = []", list(&[])),
            ("A += ('x', 'y')", list(&["x", "y"])),
            ("A = True", Some(Literal::Flag(true))),
            ("A = None", Some(Literal::None)),
            ("A = 1_000", Some(Literal::Number("1000".into()))),
            ("app.config['A'] = 'x'", text("x")),
            ("app.config.update(A='x', B=f())", text("x")),
            ("app.config.from_mapping({'A': 'x'})", text("x")),
            ("A = 'x' + y", None),
            ("A = env('A', default='x')", None),
            ("A = f'{x}'", None),
            ("A = [*B, 'x']", None),
            ("A = {'x': 1}", None),
            ("A = 'x' if y else 'z'", None),
            ("A = -1", None),
            ("A = B = 'x'", None),
            ("A =", None),
        ] {
            let found = first(line);
            assert_eq!((found.name.as_str(), found.value), ("A", expected), "{line}");
        }
    }

    #[test]
    fn what_is_no_assignment_is_none() {
        for line in ["A == 'x'", "a.A = 'x'", "f(A == 'x')", "x['A']", "# A = 'x'", "'A = 1'"] {
            let all = statements(line).expect("statements");
            assert_eq!(all.iter().flat_map(of).count(), 0, "{line}");
        }
    }

    #[test]
    fn strings_and_places_are_told_though_the_value_is_not() {
        let found = first("\nA = BASE + [\n 'wagtail', env('x')]");
        assert_eq!((found.line, found.form, found.indented), (2, Form::Plain, false));
        assert_eq!(found.texts, ["wagtail", "x"]);
        assert!(first("if x:\n    A = 1").indented);
        assert_eq!(first("A = A + ['x']").form, Form::Added);
        assert_eq!(first("A = [*A, 'x']").form, Form::Added);
    }
}
