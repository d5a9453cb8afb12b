//! The layers above the file, and the settings while layers are put on one another.

use super::address::Target;
use super::check;
use super::diagnose::{ConfigError, OPTION, Place, Problem, wrong};
use super::keys::{self, KEYS, Key};
use super::settings::Settings;
use super::value::{Given, Value};
use crate::tls::Authorities;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A key with its value, or why there is none.
pub(super) type Entry = Result<(&'static Key, Value), Problem>;

/// A layer of settings, from the lowest to the highest; below them are the defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layer {
    Preset,
    File,
    Environment,
    Option,
}

/// By key, what the layers say.
pub(super) type Sources = BTreeMap<&'static str, Vec<(Layer, Value)>>;

/// How the names of larder's environment variables begin.
pub(super) const PREFIX: &str = "LARDER_";

/// Variables that begin like settings but have other readers.
const RESERVED: [&str; 5] =
    ["LARDER_CONFIG", "LARDER_TEST_PYTHON", "LARDER_PROXY", "LARDER_ADMIN", "LARDER_TOKEN"];

/// Settings from the command line, as typed there. What is absent doesn't override.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--to`, with commas between several: [`Origin::to`](super::Origin::to).
    pub to: Option<String>,
    /// `--listen`, repeatable: [`Settings::listen`]; empty if absent.
    pub listen: Vec<String>,
    /// `--admin`: [`Admin::listen`](super::Admin::listen).
    pub admin: Option<String>,
    /// `--default-ttl`: [`Cache::default_ttl`](super::Cache::default_ttl).
    pub default_ttl: Option<String>,
    /// `--cookies`: [`Cache::cookies`](super::Cache::cookies); an empty list is one.
    pub cookies: Option<Vec<String>>,
    /// `--memory`: [`Cache::memory`](super::Cache::memory).
    pub memory: Option<String>,
    /// `--connect-timeout`: [`Origin::connect_timeout`](super::Origin::connect_timeout).
    pub connect_timeout: Option<String>,
    /// `--first-byte-timeout`: [`Origin::first_byte_timeout`](super::Origin::first_byte_timeout).
    pub first_byte_timeout: Option<String>,
    /// `--between-bytes-timeout`:
    /// [`Origin::between_bytes_timeout`](super::Origin::between_bytes_timeout).
    pub between_bytes_timeout: Option<String>,
    /// `--access-log`: [`Log::access`](super::Log::access).
    pub access_log: Option<String>,
    /// `--preset`: [`Settings::preset`].
    pub preset: Option<String>,
}

/// The variables of this process for [`load`](super::load). Unlike [`std::env::vars`], it does
/// not panic at one that isn't Unicode: what isn't is replaced by U+FFFD.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().map(|(name, value)| {
        let text = |os: std::ffi::OsString| os.to_string_lossy().into_owned();
        (text(name), text(value))
    })
}

/// The environment's layer.
pub(super) fn from_environment(env: &BTreeMap<String, String>) -> Vec<Entry> {
    env.iter()
        .filter(|(name, _)| !RESERVED.contains(&name.as_str()))
        .map(|(name, value)| {
            let place = Place::Named(format!("environment {name}"));
            let given = Given::Word(value.clone());
            match KEYS.iter().find(|key| key.variable() == *name) {
                Some(key) => Ok((key, Value { given, place })),
                None => Err(unknown_variable(name, &place)),
            }
        })
        .collect()
}

fn unknown_variable(name: &str, place: &Place) -> Problem {
    let variables: Vec<String> = KEYS.iter().map(Key::variable).collect();
    // `LARDER_DEFAULT_TTL`: the table was forgotten.
    let in_a_table = format!("__{}", name.trim_start_matches(PREFIX));
    let meant = keys::closest(name, variables.iter().map(String::as_str))
        .or_else(|| {
            let of_table = variables.iter().find(|name| name.ends_with(&in_a_table));
            of_table.map(String::as_str)
        })
        .map_or_else(
            || "a setting is named like `LARDER_CACHE__DEFAULT_TTL`".to_owned(),
            |variable| format!("did you mean `{variable}`?"),
        );
    wrong(format!("unknown variable `{name}`"), meant).at(place)
}

/// The command line's layer.
pub(super) fn from_options(options: &Overrides) -> Vec<Entry> {
    let Overrides {
        to,
        listen,
        admin,
        default_ttl,
        cookies,
        memory,
        connect_timeout,
        first_byte_timeout,
        between_bytes_timeout,
        access_log,
        preset,
    } = options;
    let word = |text: &Option<String>| text.clone().map(Given::Word);
    let list = |texts: &Vec<String>| match texts.is_empty() {
        true => Given::List(Vec::new()),
        false => Given::Word(texts.join(",")),
    };
    let listen = Some(listen).filter(|addresses| !addresses.is_empty());
    [
        ("origin.to", word(to)),
        ("listen", listen.map(list)),
        ("admin.listen", word(admin)),
        ("cache.default_ttl", word(default_ttl)),
        ("cache.cookies", cookies.as_ref().map(list)),
        ("cache.memory", word(memory)),
        ("origin.connect_timeout", word(connect_timeout)),
        ("origin.first_byte_timeout", word(first_byte_timeout)),
        ("origin.between_bytes_timeout", word(between_bytes_timeout)),
        ("log.access", word(access_log)),
        ("preset", word(preset)),
    ]
    .into_iter()
    .filter_map(|(name, given)| {
        let key = keys::find(name)?;
        let place = Place::Named(format!("{OPTION}{}", option(key)));
        given.map(|given| Ok((key, Value { given, place })))
    })
    .collect()
}

/// The option that sets a key: its name in the table, but where that would say too little.
fn option(key: &Key) -> String {
    match key.name {
        "admin.listen" => "--admin".to_owned(),
        "log.access" => "--access-log".to_owned(),
        _ => format!("--{}", key.parts().1.replace('_', "-")),
    }
}

/// The settings while layers are put on one another.
pub(super) struct Draft {
    settings: Settings,
    /// Where each key that isn't at its default was set, and as what, the last at the end.
    sources: Sources,
    problems: Vec<Problem>,
    /// What a complaint points at about something that nobody set.
    whole: Place,
}

impl Draft {
    /// The defaults, with what a complaint points at about something that nobody set.
    pub(super) fn new(whole: Place) -> Self {
        // There is no default target; `finish` doesn't let one through that nobody set.
        let nowhere = Target::Unix(PathBuf::new());
        Self {
            settings: Settings::new(nowhere),
            sources: Sources::new(),
            problems: Vec::new(),
            whole,
        }
    }

    /// Puts a layer on those before.
    pub(super) fn take(&mut self, layer: Layer, entries: Vec<Entry>) {
        for entry in entries {
            let set = entry.and_then(|(key, value)| {
                (key.set)(&mut self.settings, &value)?;
                self.sources.entry(key.name).or_default().push((layer, value));
                Ok(())
            });
            self.problems.extend(set.err());
        }
    }

    /// Reads the system's authorities if the application has to be believed by them.
    fn read_the_systems_authorities(&mut self) {
        let origin = &mut self.settings.origin;
        if !origin.is_tls() || !origin.tls_ca.are_the_systems() {
            return;
        }
        match Authorities::of_the_system() {
            Ok(authorities) => origin.tls_ca = authorities,
            Err(why) => {
                let to = self.sources.get("origin.to").and_then(|given| given.last());
                let place = to.map_or(&self.whole, |(_, value)| &value.place);
                let note = "install ca-certificates, or set `tls_ca` in `[origin]`";
                self.problems.push(wrong(why.to_string(), note).at(place));
            }
        }
    }

    /// The settings and where they come from, if nothing is wrong with them.
    pub(super) fn finish(mut self) -> Result<(Settings, Sources), ConfigError> {
        self.read_the_systems_authorities();
        if self.problems.is_empty() {
            let last = |(key, given): (&&'static str, &Vec<(Layer, Value)>)| {
                Some((*key, given.last()?.1.place.clone()))
            };
            let places = self.sources.iter().filter_map(last).collect();
            self.problems = check::problems(&self.settings, &places, &self.whole);
        }
        match self.problems.is_empty() {
            true => Ok((self.settings, self.sources)),
            false => Err(ConfigError::new(self.problems)),
        }
    }
}
