//! How two settings differ, for whoever reads the log after a reload.

use super::keys::KEYS;
use super::settings::Settings;
use std::fmt;

/// A key whose value is another one now. A secret is shown as `***`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// With its table: `cache.default_ttl`.
    pub key: &'static str,
    /// What it was.
    pub old: String,
    /// What it is.
    pub new: String,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} -> {}", self.key, self.old, self.new)
    }
}

/// Every key whose values differ, in the order of `config/larder.toml`.
pub fn changes(old: &Settings, new: &Settings) -> Vec<Change> {
    let change = |key: &super::keys::Key| {
        let (old, new) = (key.differs)(old, new)?;
        Some(Change { key: key.name, old, new })
    };
    KEYS.iter().filter_map(change).collect()
}

pub(super) fn differs<T: PartialEq + fmt::Debug>(old: &T, new: &T) -> Option<(String, String)> {
    (old != new).then(|| (shown(old), shown(new)))
}

/// A value as a person reads it.
fn shown(value: &impl fmt::Debug) -> String {
    let text = format!("{value:?}");
    match text.as_str() {
        "None" => "not set".to_owned(),
        "0ns" => "0s".to_owned(),
        text => {
            let inner = text.strip_prefix("Some(").and_then(|text| text.strip_suffix(')'));
            inner.unwrap_or(text).to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Secret, Target};
    use std::time::Duration;

    #[test]
    fn each_key_is_told_with_both_values_and_a_secret_with_none() {
        let target = |port| Target::Tcp { host: "app".into(), port };
        let old = Settings::new(target(8000));
        let mut new = Settings::new(target(8001));
        new.threads = 2;
        new.cache.default_ttl = Duration::from_secs(60);
        new.cache.cookies = Some(vec!["sessionid".into()]);
        new.purge.token = Some(Secret::new("hidden".into()));
        let told: Vec<String> = changes(&old, &new).iter().map(Change::to_string).collect();
        assert_eq!(
            told,
            [
                "threads: 0 -> 2",
                "origin.to: [app:8000] -> [app:8001]",
                "cache.default_ttl: 0s -> 60s",
                "cache.cookies: not set -> [\"sessionid\"]",
                "purge.token: not set -> ***",
            ]
        );
        new.purge.token = Some(Secret::new("another".into()));
        let mut newer = new.clone();
        newer.purge.token = Some(Secret::new("third".into()));
        let told = changes(&new, &newer);
        assert_eq!(told[0].to_string(), "purge.token: *** -> ***");
        assert_eq!((told.len(), changes(&new, &new)), (1, Vec::new()));
    }
}
