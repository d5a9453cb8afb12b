//! What a user of the configuration sees, by its public face.

mod addresses;
mod contradictions;
mod layers;
mod mistakes;
mod presets;
mod shipped;
mod tls;
mod tokens;
mod values;

use super::{ConfigError, Overrides, Settings, Source, load};

/// Loads `file` as if it were called `larder.toml`; complaints name it so.
fn load_all(file: &str, env: &[(&str, &str)], overrides: &Overrides) -> Result<Settings, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("larder.toml");
    std::fs::write(&path, file).unwrap();
    let env = env.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
    load(Source::File(&path), env, overrides).map_err(|error: ConfigError| {
        let prefix = format!("{}/", dir.path().display());
        error.to_string().replace(&prefix, "")
    })
}

/// Loads `file` alone.
fn load_file(file: &str) -> Result<Settings, String> {
    load_all(file, &[], &Overrides::default())
}

/// What is said against `file`.
fn complaint(file: &str) -> String {
    load_file(file).expect_err("there is something wrong with it")
}
