//! The configuration file: where it is, and its keys and values with their places.

use super::diagnose::{ConfigError, FileText, Place, Problem, wrong};
use super::keys;
use super::layers::Entry;
use super::value::{Given, Value};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Which file to read.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// This one, which must exist.
    File(&'a Path),
    /// The one that `$LARDER_CONFIG` names, which must exist; else `larder.toml` here, else
    /// `/etc/larder/larder.toml`, else none.
    Search,
    /// None: the environment and the options must say everything.
    None,
}

/// Where a file is looked for when nothing names it.
const PLACES: [&str; 2] = ["larder.toml", "/etc/larder/larder.toml"];

/// The file to read, if any.
pub(super) fn find(
    source: Source<'_>,
    env: &BTreeMap<String, String>,
) -> Result<Option<PathBuf>, Problem> {
    match source {
        Source::None => Ok(None),
        Source::File(path) => Ok(Some(path.to_owned())),
        Source::Search => match env.get("LARDER_CONFIG").map(PathBuf::from) {
            Some(path) if !path.exists() => {
                let place = Place::Named("environment LARDER_CONFIG".into());
                Err(wrong(format!("there is no file `{}`", path.display()), "").at(&place))
            }
            Some(path) => Ok(Some(path)),
            None => Ok(PLACES.iter().map(PathBuf::from).find(|path| path.exists())),
        },
    }
}

/// What a complaint points at about something that stands nowhere.
pub(super) fn whole(source: Source<'_>, path: Option<&Path>) -> Place {
    Place::Named(match (source, path) {
        (_, Some(path)) => path.display().to_string(),
        (Source::Search, None) => format!("no file (looked for {})", PLACES.join(", ")),
        (_, None) => "no file".to_owned(),
    })
}

/// Reads a file's keys and values, in no particular order.
///
/// # Errors
///
/// A file that can't be read or isn't TOML. Unknown keys are among the entries.
pub(super) fn entries(path: &Path) -> Result<Vec<Entry>, ConfigError> {
    let name = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => entries_of(name, text),
        Err(why) => {
            let message = format!("can't read the configuration: {why}");
            Err(wrong(message, "").at(&Place::Named(name)).into())
        }
    }
}

/// As [`entries`], for the `text` of a file called `name`.
pub(super) fn entries_of(name: String, text: String) -> Result<Vec<Entry>, ConfigError> {
    let file = Arc::new(FileText { name, text });
    let document = DeTable::parse(&file.text).map_err(|error| {
        let end = file.text.len();
        let span = error.span().unwrap_or(end..end);
        let note = match twice(&file, &span) {
            Some(first) => format!("it begins at line {first}: a table stands in one place"),
            None => "not valid TOML".to_owned(),
        };
        wrong(error.message(), note).at(&Place::Span(Arc::clone(&file), span))
    })?;
    let reader = Reader { file: &file };
    let mut entries = Vec::new();
    for (name, value) in document.get_ref().iter() {
        match value.get_ref() {
            DeValue::Table(table) if keys::is_table(name.get_ref()) => {
                let table_is = Table { name: name.get_ref(), begins: reader.header(value.span()) };
                entries.extend(table.iter().map(|(key, value)| reader.entry(table_is, key, value)));
            }
            _ => entries.push(reader.entry(Table::TOP, name, value)),
        }
    }
    Ok(entries)
}

/// The line of the table's header that this one repeats, if it is a header.
fn twice(file: &FileText, span: &Range<usize>) -> Option<usize> {
    let header = |line: &str| line.split('#').next().unwrap_or_default().trim().to_owned();
    let mut lines = file.text.lines();
    let own = header(lines.nth(file.line(span.start) - 1)?);
    let first = file.text.lines().position(|line| header(line) == own)? + 1;
    (own.starts_with('[') && first < file.line(span.start)).then_some(first)
}

/// A table of a file.
#[derive(Clone, Copy)]
struct Table<'a> {
    /// Nothing for the top of the file.
    name: &'a str,
    /// The line of its header, if it has one.
    begins: Option<usize>,
}

impl Table<'_> {
    const TOP: Table<'static> = Table { name: "", begins: None };
}

/// Turns what the TOML parser found in a file into entries.
struct Reader<'a> {
    file: &'a Arc<FileText>,
}

impl Reader<'_> {
    fn place(&self, span: Range<usize>) -> Place {
        Place::Span(Arc::clone(self.file), span)
    }

    /// The line in which a table begins, if that is its header.
    fn header(&self, span: Range<usize>) -> Option<usize> {
        let is_header = self.file.text.get(span.start..)?.starts_with('[');
        is_header.then(|| self.file.line(span.start))
    }

    fn entry(
        &self,
        table: Table<'_>,
        key: &Spanned<impl AsRef<str>>,
        value: &Spanned<DeValue<'_>>,
    ) -> Entry {
        let name = key.get_ref().as_ref();
        let full_name = match table.name {
            "" => name.to_owned(),
            table => format!("{table}.{name}"),
        };
        match keys::find(&full_name) {
            // A dot in a quoted key is no table's.
            Some(key) if key.parts() == (table.name, name) => Ok((key, self.value(value))),
            _ if table.name.is_empty() && keys::is_table(name) => {
                let message = format!("`{name}` is a table");
                let note = format!("write `[{name}]` and its keys below");
                Err(wrong(message, note).at(&self.place(value.span())))
            }
            _ => {
                let message = format!("unknown key `{name}`");
                Err(wrong(message, hint(table, name)).at(&self.place(key.span())))
            }
        }
    }

    fn value(&self, value: &Spanned<DeValue<'_>>) -> Value {
        let given = match value.get_ref() {
            DeValue::String(text) => Given::Text(text.to_string()),
            DeValue::Integer(number) => {
                let decimal = i128::from_str_radix(number.as_str(), number.radix());
                Given::Whole(decimal.map_or_else(|_| number.to_string(), |n| n.to_string()))
            }
            DeValue::Boolean(flag) => Given::Flag(*flag),
            DeValue::Array(members) => {
                Given::List(members.iter().map(|member| self.value(member)).collect())
            }
            DeValue::Float(_) => Given::Other("a fraction"),
            DeValue::Datetime(_) => Given::Other("a date"),
            DeValue::Table(table) => {
                let entries = table.iter().map(|(name, value)| {
                    (name.get_ref().to_string(), self.place(name.span()), self.value(value))
                });
                Given::Table(entries.collect())
            }
        };
        Value { given, place: self.place(value.span()) }
    }
}

/// What the writer of an unknown key may have meant.
fn hint(table: Table<'_>, name: &str) -> String {
    if let (Some(line), true) = (table.begins, keys::is_table(name)) {
        let within = format!("this line is within `[{}]`, which begins at line {line}", table.name);
        return match name == table.name {
            true => format!("{within}: leave out `{name}.`"),
            false => format!("{within}: write it above the first table, or under `[{name}]`"),
        };
    }
    let table = table.name;
    let here = keys::names_in(table);
    if let Some(similar) = keys::closest(name, here.iter().copied()) {
        return format!("did you mean `{similar}`?");
    }
    let elsewhere: Vec<String> = keys::KEYS
        .iter()
        .filter(|key| key.parts().1 == name)
        .map(|key| match key.parts().0 {
            "" => "at the top of the file".to_owned(),
            table => format!("in `[{table}]`"),
        })
        .collect();
    match elsewhere.is_empty() {
        true => format!("expected one of {}", here.join(", ")),
        false => format!("this key belongs {}", elsewhere.join(" or ")),
    }
}
