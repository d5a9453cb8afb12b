//! A value before it is read as a setting.

use super::diagnose::{Place, Problem, Wrong, wrong};

/// A value and where it came from.
pub(super) struct Value {
    pub(super) given: Given,
    pub(super) place: Place,
}

/// A value as given.
pub(super) enum Given {
    /// A string of a file.
    Text(String),
    /// A variable's or option's value, whose type only the key tells.
    Word(String),
    /// A whole number of a file, as its decimal digits.
    Whole(String),
    /// A truth value of a file.
    Flag(bool),
    /// A list of a file, or a repeated option.
    List(Vec<Value>),
    /// A table of a file within a value: names with their places, and values.
    Table(Vec<(String, Place, Value)>),
    /// Something that no key takes, by its name: `a date`.
    Other(&'static str),
}

/// What a key takes: for the complaint about a value of another type.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    /// With its article: `a duration`.
    pub(super) name: &'static str,
    /// As written in a file: `"30s"`.
    pub(super) example: &'static str,
}

impl Value {
    /// The same value as from a place that has only this name.
    pub(super) fn from(self, name: &str) -> Value {
        let given = match self.given {
            Given::List(members) => {
                Given::List(members.into_iter().map(|member| member.from(name)).collect())
            }
            given => given,
        };
        Value { given, place: Place::Named(name.to_owned()) }
    }

    /// The value as it would stand in a file. A word of the environment or the command line is
    /// taken for what `like` is, which the key usually has.
    pub(super) fn in_a_file(&self, like: Option<&toml::Value>) -> toml::Value {
        match (&self.given, like) {
            (Given::Word(word), Some(toml::Value::Integer(_))) if word.parse::<i64>().is_ok() => {
                toml::Value::Integer(word.parse().unwrap_or_default())
            }
            (Given::Word(word), Some(toml::Value::Boolean(_))) => {
                toml::Value::Boolean(word == "true")
            }
            (Given::Text(text) | Given::Word(text), _) => toml::Value::String(text.clone()),
            (Given::Whole(digits), _) => match digits.parse() {
                Ok(number) => toml::Value::Integer(number),
                Err(_) => toml::Value::String(digits.clone()),
            },
            (Given::Flag(flag), _) => toml::Value::Boolean(*flag),
            (Given::List(members), _) => {
                toml::Value::Array(members.iter().map(|member| member.in_a_file(None)).collect())
            }
            (Given::Table(entries), _) => toml::Value::Table(
                entries
                    .iter()
                    .map(|(name, _, value)| (name.clone(), value.in_a_file(None)))
                    .collect(),
            ),
            // No key takes such a thing.
            (Given::Other(what), _) => toml::Value::String((*what).to_owned()),
        }
    }

    /// Reads a string with `parse`.
    pub(super) fn text<T>(
        &self,
        kind: Kind,
        parse: impl Fn(&str) -> Result<T, Wrong>,
    ) -> Result<T, Problem> {
        match &self.given {
            Given::Text(text) | Given::Word(text) => {
                parse(text).map_err(|wrong| wrong.at(&self.place))
            }
            _ => Err(self.not_a(kind)),
        }
    }

    /// Reads a list of strings, each with `parse`. A string counts as a list with commas between
    /// its members; `none` is the empty list.
    pub(super) fn list<T>(
        &self,
        kind: Kind,
        parse: impl Fn(&str) -> Result<T, Wrong>,
    ) -> Result<Vec<T>, Problem> {
        match &self.given {
            Given::List(members) => {
                members.iter().map(|member| member.text(kind, &parse)).collect()
            }
            Given::Text(text) | Given::Word(text) if text == "none" => Ok(Vec::new()),
            Given::Text(text) | Given::Word(text) => text
                .split(',')
                .map(|member| parse(member.trim()).map_err(|wrong| wrong.at(&self.place)))
                .collect(),
            _ => Err(self.not_a(kind)),
        }
    }

    /// Whether this is the string `word`.
    pub(super) fn is(&self, word: &str) -> bool {
        matches!(&self.given, Given::Text(text) | Given::Word(text) if text == word)
    }

    /// The complaint that this value is of another type.
    pub(super) fn not_a(&self, kind: Kind) -> Problem {
        let found = match &self.given {
            Given::Text(_) => "a string".to_owned(),
            Given::Word(word) => format!("`{word}`"),
            Given::Whole(_) => "a number".to_owned(),
            Given::Flag(_) => "a truth value".to_owned(),
            Given::List(_) => "a list".to_owned(),
            Given::Table(_) => "a table".to_owned(),
            Given::Other(what) => (*what).to_owned(),
        };
        wrong(
            format!("expected {}, found {found}", kind.name),
            format!("such as `{}`", kind.example),
        )
        .at(&self.place)
    }
}
