//! Python with the packages that `scripts/setup-tests` installs.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Python with the apps' packages, and with no setting of this machine's for
/// the apps.
pub fn python(env: &[(String, String)]) -> Command {
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv/bin/python");
    let python = std::env::var_os("LARDER_TEST_PYTHON").map_or(installed, PathBuf::from);
    assert!(python.exists(), "no {}: run scripts/setup-tests", python.display());
    let mut command = Command::new(python);
    for (name, _) in std::env::vars() {
        let ours = ["LARDER_", "SHOP_", "BLOG_", "DJANGO_", "FLASK_", "GUNICORN_", "CSRF_"];
        if ours.iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command.envs(env.iter().map(|(name, value)| (name, value)));
    command
}
