//! Configuration: from files, variables and options to [`Settings`].
//!
//! Five layers, the later wins: the defaults ([`Settings::new`]), a [`Preset`] if one is named, the
//! file, the environment (`LARDER_CACHE__DEFAULT_TTL=60s`), the command line ([`Overrides`]). Every
//! value remembers its place until all checks are done, so that each complaint can point at it.
//!
//! To add a key: a field in `settings`, its default in `defaults`, a line in `keys`, a sentence in
//! `config/larder.toml`. The compiler or a test asks for whichever is missing.

mod address;
mod changes;
mod check;
mod defaults;
mod diagnose;
mod explain;
mod file;
mod keys;
mod layers;
mod preset;
mod read;
mod requests;
mod settings;
mod telemetry;
mod tokens;
mod units;
mod value;

#[cfg(test)]
mod tests;

pub use address::{Listen, Target};
pub use changes::{Change, changes};
pub use diagnose::ConfigError;
pub use explain::Explained;
pub use file::Source;
pub use layers::{Overrides, environment};
pub use preset::Preset;
pub use settings::{
    AccessLog, Admin, Cache, Forms, Limits, Log, Origin, Purge, Scope, Secret, Settings, Telemetry,
    Timeouts, Token, TokenText, Trust,
};
pub use telemetry::{Endpoint, Share};

use layers::{Draft, Layer, Sources};
use std::collections::BTreeMap;
use std::time::Duration;

/// Reads a duration as it stands in a file: `250ms`, `30s`, `5m`, `1h`, `1d`, or `0`.
///
/// # Errors
/// What is wrong with it, in a sentence.
pub fn duration(text: &str) -> Result<Duration, String> {
    units::duration(text).map_err(|wrong| wrong.to_string())
}

/// Builds the settings from `source`, the environment and the command line.
///
/// Of `env` only the names that begin with `LARDER_` are looked at, and below the file those by
/// which OpenTelemetry says where a collector is. A variable with an empty value counts as not
/// set; [`environment`] gives the process's own. Names in listening addresses are resolved here,
/// which may block.
///
/// # Errors
///
/// One [`ConfigError`] with everything found wrong: a file that can't be read or isn't TOML ends
/// the search at once; otherwise all unknown keys and unusable values are reported together, and
/// if there are none, all contradictions between values.
pub fn load(
    source: Source<'_>,
    env: impl IntoIterator<Item = (String, String)>,
    overrides: &Overrides,
) -> Result<Settings, ConfigError> {
    loaded(source, env, overrides).map(|(settings, _)| settings)
}

/// As [`load`]: every setting, in the order of `config/larder.toml`, with where it comes from.
///
/// # Errors
/// As [`load`].
pub fn explain(
    source: Source<'_>,
    env: impl IntoIterator<Item = (String, String)>,
    overrides: &Overrides,
) -> Result<Vec<Explained>, ConfigError> {
    loaded(source, env, overrides).map(|(settings, sources)| explain::all(&settings, &sources))
}

fn loaded(
    source: Source<'_>,
    env: impl IntoIterator<Item = (String, String)>,
    overrides: &Overrides,
) -> Result<(Settings, Sources), ConfigError> {
    let (env, others): (BTreeMap<String, String>, BTreeMap<String, String>) = env
        .into_iter()
        .filter(|(name, value)| {
            let is_read =
                name.starts_with(layers::PREFIX) || telemetry::VARIABLES.contains(&&**name);
            is_read && !value.is_empty()
        })
        .partition(|(name, _)| name.starts_with(layers::PREFIX));
    let path = file::find(source, &env)?;
    let entries = match &path {
        Some(path) => file::entries(path)?,
        None => Vec::new(),
    };
    let mut draft = Draft::new(file::whole(source, path.as_deref()));
    // These are of an environment that larder shares with others: a file knows better.
    draft.take(Layer::Environment, telemetry::from_opentelemetry(&others));
    let variables = layers::from_environment(&env);
    let options = layers::from_options(overrides);
    if let Some(preset) = preset::wanted([&entries, &variables, &options]) {
        draft.take(Layer::Preset, preset.layer());
    }
    draft.take(Layer::File, entries);
    draft.take(Layer::Environment, variables);
    draft.take(Layer::Option, options);
    draft.finish()
}
