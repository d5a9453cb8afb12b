//! The files in `config/` parse, and `larder.toml` there is all there is.

use super::load_file;
use crate::config::keys::{self, KEYS};
use crate::config::{Settings, Target};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

fn shipped(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(name);
    std::fs::read_to_string(path).unwrap()
}

fn local() -> Target {
    Target::Tcp { host: "127.0.0.1".into(), port: 8000 }
}

/// `larder.toml` with each `#key = value` as `key = value`.
fn uncommented() -> String {
    let mut text = String::new();
    for line in shipped("larder.toml").lines() {
        let is_key = |line: &str| line.starts_with(|c: char| c.is_ascii_lowercase());
        let bare = line.strip_prefix('#').filter(|bare| is_key(bare));
        text.push_str(bare.unwrap_or(line));
        text.push('\n');
    }
    text
}

#[test]
fn each_file_parses() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    for file in std::fs::read_dir(directory).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        if !name.ends_with(".toml") {
            continue;
        }
        let settings = load_file(&shipped(&name)).unwrap_or_else(|why| panic!("{name}: {why}"));
        assert_eq!(settings.origin.to, [local()], "{name}");
    }
}

#[test]
fn the_full_file_states_the_defaults() {
    let defaults = Settings::new(local());
    assert_eq!(load_file(&shipped("larder.toml")), Ok(defaults.clone()));
    assert_eq!(load_file(&uncommented()), Ok(defaults));
}

#[test]
fn the_full_file_names_every_key() {
    let text = uncommented();
    let mut table = "";
    let mut named = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('[') {
            table = name.trim_end_matches(']');
        } else if let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) {
            named.push([table, key].join(".").trim_start_matches('.').to_owned());
        }
    }
    let expected: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
    assert_eq!(named, expected);
}

#[test]
fn every_setting_has_a_key() {
    // The pretty debug form has the fields of `Settings` indented by 4, those of its parts by 8.
    let shown = format!("{:#?}", Settings::new(local()));
    let mut fields = BTreeSet::new();
    let mut table = "";
    for (indent, line) in
        shown.lines().map(|line| (line.len() - line.trim_start().len(), line.trim_start()))
    {
        let Some((field, value)) = line.split_once(": ") else {
            continue;
        };
        match indent {
            4 if value.ends_with(" {") => {
                assert!(keys::is_table(field), "{field}");
                table = field;
            }
            4 => {
                fields.insert(field.to_owned());
            }
            8 => {
                fields.insert(format!("{table}.{field}"));
            }
            _ => {}
        }
    }
    let expected: BTreeSet<String> = KEYS.iter().map(|key| key.name.to_owned()).collect();
    assert_eq!(fields, expected);
}

#[test]
fn minimal_has_five_lines() {
    assert_eq!(shipped("minimal.toml").lines().count(), 5);
}

#[test]
fn the_frameworks_cookies_are_known() {
    let django = load_file(&shipped("django.toml")).unwrap().cache;
    assert_eq!(django.cookies, Some(vec!["sessionid".to_owned()]));
    assert_eq!(django.bypass_cookies, ["messages", "django_language"]);
    // Whether that are all of them, only who runs the site knows.
    assert_eq!(django.default_ttl, Duration::ZERO);
    assert_eq!(load_file(&shipped("wagtail.toml")).unwrap().cache.default_ttl, Duration::ZERO);
    let flask = load_file(&shipped("flask.toml")).unwrap().cache;
    let expected = ["session", "remember_token"].map(String::from).to_vec();
    assert_eq!((flask.cookies, flask.default_ttl), (Some(expected), Duration::ZERO));
}
