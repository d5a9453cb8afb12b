//! `larder check`: whether a configuration is good, and where its settings come from.

use super::{misconfigured, say};
use crate::config::{self, Explained, Overrides, Settings, Source};
use serde_json::{Value, json};
use std::process::ExitCode;

/// Says whether it is good, and what it stands for.
pub(super) fn check(source: &Source<'_>, overrides: &Overrides) -> ExitCode {
    match config::load(*source, config::environment(), overrides) {
        Ok(settings) => {
            say(&format!("the configuration is good: {}", summary(&settings)));
            ExitCode::SUCCESS
        }
        Err(error) => misconfigured(&error),
    }
}

fn summary(settings: &Settings) -> String {
    let listen: Vec<&str> = settings.listen.iter().map(|listen| listen.text.as_str()).collect();
    format!("{} in front of {}", listen.join(", "), settings.origin.shown())
}

/// Prints every setting with its source: as a configuration file, or as JSON.
pub(super) fn explain(source: &Source<'_>, overrides: &Overrides, as_json: bool) -> ExitCode {
    match config::explain(*source, config::environment(), overrides) {
        Ok(settings) => {
            match as_json {
                true => say(&document(&settings).to_string()),
                false => settings.iter().for_each(|setting| say(&setting.to_string())),
            }
            ExitCode::SUCCESS
        }
        Err(error) => misconfigured(&error),
    }
}

fn document(settings: &[Explained]) -> Value {
    let setting = |setting: &Explained| {
        json!({
            "key": setting.key,
            "value": setting.value,
            "from": setting.from,
            "place": setting.place,
            "over": setting.over,
            "about": setting.about,
        })
    };
    json!({ "settings": settings.iter().map(setting).collect::<Vec<Value>>() })
}
