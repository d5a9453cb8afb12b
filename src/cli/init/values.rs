//! The values that settings have in the end, of several places that set them.

use super::assignments::{self, Assignment, Form, Literal};
use super::project::{Notes, Source};
use super::python::Statement;

/// What sets something, in the order in which it is done, with its place.
#[derive(Debug, Default)]
pub(super) struct Values {
    all: Vec<(String, Assignment)>,
}

impl Values {
    /// Takes what a statement of a module sets by name; `sure` if the module is
    /// surely run.
    pub fn take(&mut self, source: &Source, statement: &Statement, sure: bool) {
        let plain = assignments::of(statement).into_iter().filter(|set| set.form != Form::Member);
        self.all.extend(plain.map(|mut set| {
            set.indented |= !sure;
            (source.place(set.line), set)
        }));
    }

    /// Takes what a file sets in any form: nothing of it is sure.
    pub fn take_all(&mut self, source: &Source) {
        self.all.extend(source.assignments().map(|mut set| {
            set.indented = true;
            (source.place(set.line), set)
        }));
    }

    /// Takes what a call is given by name. It is made, but it is not the only one if another
    /// has given the same.
    pub fn take_call(&mut self, source: &Source, statement: &Statement) {
        for mut set in assignments::of(statement) {
            set.indented = self.sets(&set.name);
            self.all.push((source.place(set.line), set));
        }
    }

    fn named<'a>(
        &'a self,
        name: &'a str,
    ) -> impl DoubleEndedIterator<Item = &'a (String, Assignment)> {
        self.all.iter().filter(move |(_, set)| set.name == name)
    }

    /// Whether anything gives it a value.
    pub fn sets(&self, name: &str) -> bool {
        self.named(name).next().is_some()
    }

    /// Those that may be in effect: the last that is surely done, and what may
    /// be done after it.
    fn effective<'a>(&'a self, name: &'a str) -> Vec<&'a (String, Assignment)> {
        let all: Vec<_> = self.named(name).collect();
        let begins = all.iter().rposition(|(_, set)| !set.indented && set.form != Form::Added);
        all[begins.unwrap_or(0)..].to_vec()
    }

    /// All texts that a setting may have; its default too, if that may hold.
    pub fn texts(&self, name: &str, default: &str, notes: &mut Notes) -> Vec<String> {
        let effective = self.effective(name);
        let mut found = Vec::new();
        let is_sure =
            |(_, set): &&(String, Assignment)| !set.indented && is_text(set.value.as_ref());
        if !effective.first().is_some_and(is_sure) {
            found.push(default.to_string());
        }
        for (place, set) in effective {
            match &set.value {
                Some(Literal::Text(text)) if set.form != Form::Added => {
                    notes.read(format!("{place}: {name} = {text:?}"));
                    if !found.contains(text) {
                        found.push(text.clone());
                    }
                }
                Some(Literal::None) => {}
                _ => notes.doubt(format!(
                    "{place}: {name} is not written out (by default it is {default:?}): every cookie counts, \
                     cookies = \"all\", until you name them"
                )),
            }
        }
        found
    }

    /// The path that a setting surely is, as a URL has it: nothing, if it stays what it is by
    /// default, is elsewhere, or can't be told, which is noted.
    pub fn path(&self, name: &str, default: &str, notes: &mut Notes) -> Option<String> {
        let effective = self.effective(name);
        let (place, set) = effective.last()?;
        let told = match (&set.value, effective.len()) {
            (Some(Literal::None), _) => return None,
            (Some(Literal::Text(text)), 1) if !set.indented => below(text),
            _ => None,
        };
        match &told {
            Some(path) if path == default => {}
            Some(path) => notes.read(format!("{place}: {name}, which is {path:?}")),
            None => notes.unread(format!(
                "{place}: {name} is no path that could be read: static_paths stay {default:?}"
            )),
        }
        told.filter(|path| path != default)
    }

    /// A list of texts, or what of it is written out.
    pub fn list(&self, name: &str, notes: &mut Notes) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for (place, set) in self.effective(name) {
            match &set.value {
                Some(Literal::List(all)) if all.iter().all(|one| is_text(Some(one))) => {
                    notes.read(format!("{place}: {name}"));
                }
                Some(Literal::None) => {}
                _ => notes.unread(format!("{place}: {name} is not wholly written out")),
            }
            found.extend(set.texts.iter().cloned());
        }
        found
    }

    /// Whether a list is set, and all of it is written out.
    pub fn is_whole(&self, name: &str) -> bool {
        let is_list =
            |(_, set): &&(String, Assignment)| matches!(set.value, Some(Literal::List(_)));
        self.sets(name) && self.effective(name).iter().all(is_list)
    }

    /// Whether it may be on.
    pub fn is_on(&self, name: &str) -> bool {
        self.may_be(name, &Literal::Flag(true))
    }

    /// Whether it may be off, though it is on by default.
    pub fn is_off(&self, name: &str) -> bool {
        self.may_be(name, &Literal::Flag(false))
    }

    fn may_be(&self, name: &str, value: &Literal) -> bool {
        self.effective(name).iter().any(|(_, set)| set.value.as_ref() == Some(value))
    }
}

/// A folder's path with a slash at both ends; nothing for all of the site, and for another one.
fn below(text: &str) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/-_.~".contains(c);
    let is_elsewhere = text.starts_with("//") || !text.chars().all(is_plain);
    let path = text.trim_matches('/');
    (!is_elsewhere && !path.is_empty()).then(|| format!("/{path}/"))
}

fn is_text(value: Option<&Literal>) -> bool {
    matches!(value, Some(Literal::Text(_)))
}
