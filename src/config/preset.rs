//! Presets: the settings that a kind of application wants, as a layer of their own between the
//! defaults and the file. Each is a file in `presets/`, with a comment for each of its lines.

use super::address::Target;
use super::diagnose::{Problem, wrong};
use super::file;
use super::layers::Entry;
use super::settings::{Cache, Settings};
use super::value::{Kind, Value};
use std::path::PathBuf;

/// A kind of application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// Django, with its admin and the apps that come with it.
    Django,
    /// Flask, with Flask-Login and Flask-Admin.
    Flask,
    /// Wagtail, which is Django with another admin.
    Wagtail,
}

impl Preset {
    /// Every preset.
    pub const ALL: [Preset; 3] = [Preset::Django, Preset::Flask, Preset::Wagtail];

    /// What it is called in `preset = "..."`.
    pub fn name(self) -> &'static str {
        match self {
            Preset::Django => "django",
            Preset::Flask => "flask",
            Preset::Wagtail => "wagtail",
        }
    }

    /// The preset with this name.
    pub fn named(name: &str) -> Option<Preset> {
        Preset::ALL.into_iter().find(|preset| preset.name() == name)
    }

    /// Its settings, in the form of a configuration file.
    pub fn text(self) -> &'static str {
        match self {
            Preset::Django => include_str!("presets/django.toml"),
            Preset::Flask => include_str!("presets/flask.toml"),
            Preset::Wagtail => include_str!("presets/wagtail.toml"),
        }
    }

    /// The keys that it sets, in their order, each with what its comment says.
    pub fn lines(self) -> impl Iterator<Item = (&'static str, String)> {
        self.text().split("\n\n").filter_map(|paragraph| {
            let (comment, rest): (Vec<&str>, Vec<&str>) =
                paragraph.trim().lines().partition(|line| line.starts_with('#'));
            let key = rest.first()?.split(" = ").next()?;
            let comment: Vec<&str> =
                comment.iter().map(|line| line.trim_start_matches('#').trim()).collect();
            Some((key, comment.join(" ")))
        })
    }

    /// The cookies that say who a visitor is.
    pub fn cookies(self) -> Vec<String> {
        self.cache().cookies.unwrap_or_default()
    }

    /// The cookies with which a page is made anew.
    pub fn bypass_cookies(self) -> Vec<String> {
        self.cache().bypass_cookies
    }

    /// The paths that go past the cache.
    pub fn bypass_paths(self) -> Vec<String> {
        self.cache().bypass_paths
    }

    /// The paths below which files are the same for everybody.
    pub fn static_paths(self) -> Vec<String> {
        self.cache().static_paths
    }

    /// The table that it sets.
    fn cache(self) -> Cache {
        let mut settings = Settings::new(Target::Unix(PathBuf::new()));
        for (key, value) in self.layer().into_iter().flatten() {
            // A test reads them all: none is wrong.
            let _ = (key.set)(&mut settings, &value);
        }
        settings.cache
    }

    /// The layer of its settings. Complaints name it, and not a place in a file that nobody has.
    pub(super) fn layer(self) -> Vec<Entry> {
        let name = format!("preset \"{}\"", self.name());
        let entries = file::entries_of(name.clone(), self.text().to_owned()).unwrap_or_default();
        let named = |entry: Entry| entry.map(|(key, value)| (key, value.from(&name)));
        entries.into_iter().map(named).collect()
    }
}

/// The preset that these layers name, of which the later wins.
pub(super) fn wanted(layers: [&[Entry]; 3]) -> Option<Preset> {
    let entries = layers.into_iter().rev().flatten();
    let mut given = entries.flatten().filter(|(key, _)| key.name == "preset");
    given.next().and_then(|(_, value)| preset(value).ok().flatten())
}

/// A preset, or none for `off`.
pub(super) fn preset(value: &Value) -> Result<Option<Preset>, Problem> {
    if value.is("off") {
        return Ok(None);
    }
    let kind = Kind { name: "a preset", example: "\"django\"" };
    let parse = |name: &str| {
        Preset::named(name).ok_or_else(|| {
            let names = Preset::ALL.map(|preset| format!("`{}`", preset.name())).join(", ");
            wrong(format!("`{name}` is not a preset"), format!("one of {names}, or `off`"))
        })
    };
    value.text(kind, parse).map(Some)
}
