//! Where each setting comes from.

use super::keys::{KEYS, Key};
use super::layers::{Layer, Sources};
use super::preset::Preset;
use super::settings::Settings;
use super::value::Value;
use std::collections::BTreeMap;
use std::fmt;

/// The file with all defaults.
const DEFAULTS: &str = include_str!("../../config/larder.toml");

/// A setting, and where it comes from.
///
/// Displays as a line of a configuration file, with its source as a comment behind it; below
/// what its preset says of it, if that is where it comes from. A token is shown as `"***"`.
#[derive(Clone, Debug, PartialEq)]
pub struct Explained {
    /// With its table: `cache.default_ttl`.
    pub key: &'static str,
    /// The value as it stands in a file.
    pub value: toml::Value,
    /// Which layer it comes from: `default`, `preset`, `file`, `environment` or `option`.
    pub from: &'static str,
    /// Where it stands there: `larder.toml:6`, `preset "django"`, `environment LARDER_THREADS`,
    /// `option --to`, or `default`.
    pub place: String,
    /// Where else it is set, which this wins over, the next highest first.
    pub over: Vec<String>,
    /// What its preset says of it, if it comes from there.
    pub about: Option<String>,
}

/// Every setting. `sources` has those that are set.
pub(super) fn all(settings: &Settings, sources: &Sources) -> Vec<Explained> {
    let defaults = defaults();
    let mut about: BTreeMap<&str, String> =
        settings.preset.into_iter().flat_map(Preset::lines).collect();
    let explained = |key: &Key| {
        let default = defaults.get(key.name);
        let Some([others @ .., (layer, value)]) = sources.get(key.name).map(Vec::as_slice) else {
            return Some(Explained {
                key: key.name,
                value: default?.clone(),
                from: "default",
                place: "default".to_owned(),
                over: Vec::new(),
                about: None,
            });
        };
        Some(Explained {
            key: key.name,
            value: shown(key, value, default),
            from: layer.name(),
            place: value.place.line(),
            over: others.iter().rev().map(|(_, value)| value.place.line()).collect(),
            about: about.remove(key.name).filter(|_| *layer == Layer::Preset),
        })
    };
    KEYS.iter().filter_map(explained).collect()
}

/// A value, but for those that are secrets.
fn shown(key: &Key, value: &Value, default: Option<&toml::Value>) -> toml::Value {
    let is_secret = matches!(key.parts().1, "token" | "tokens") && !value.is("off");
    match is_secret {
        true => toml::Value::String("***".to_owned()),
        false => value.in_a_file(default),
    }
}

/// The default of each key that has one.
fn defaults() -> BTreeMap<String, toml::Value> {
    let mut defaults = BTreeMap::new();
    let mut table = "";
    for line in DEFAULTS.lines() {
        if let Some(name) = line.strip_prefix('[') {
            table = name.trim_end_matches(']');
        }
        let Some((key, value)) = line.strip_prefix('#').and_then(|line| line.split_once(" = "))
        else {
            continue;
        };
        if let Ok(mut read) = format!("value = {value}").parse::<toml::Table>()
            && let Some(value) = read.remove("value")
        {
            defaults.insert([table, key].join(".").trim_start_matches('.').to_owned(), value);
        }
    }
    defaults
}

impl Layer {
    fn name(self) -> &'static str {
        match self {
            Layer::Preset => "preset",
            Layer::File => "file",
            Layer::Environment => "environment",
            Layer::Option => "option",
        }
    }
}

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(about) = &self.about {
            writeln!(f, "# {about}")?;
        }
        write!(f, "{} = {}  # {}", self.key, self.value, self.place)?;
        self.over.iter().try_for_each(|place| write!(f, ", over {place}"))
    }
}
