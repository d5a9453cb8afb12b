//! `docs/presets.md` has every line of every preset, and the binary says the same.

use crate::harness::{self, Larder};
use larder::config::Preset;
use serde_json::Value;
use std::fmt::Write;

/// The settings that a preset brings, as the binary explains them.
fn lines(preset: Preset) -> Vec<Value> {
    let args =
        ["check", "--explain", "--json", "--preset", preset.name(), "--to", "127.0.0.1:8000"];
    let (status, said, errors) = Larder::run(&args, &[]);
    assert_eq!((status, errors.as_str()), (Some(0), ""));
    let document: Value = serde_json::from_str(&said).expect("JSON");
    let settings = document["settings"].as_array().expect("a list").iter();
    settings.filter(|setting| setting["from"] == "preset").cloned().collect()
}

#[test]
fn the_document_has_every_line_of_every_preset() {
    let mut page = include_str!("introduction.md").to_string();
    for preset in Preset::ALL {
        let name = preset.name();
        write!(page, "\n### {name}\n\n| line | why |\n|---|---|\n").expect("a text grows");
        for line in lines(preset) {
            let text = |member: &str| line[member].as_str().expect("text").to_string();
            assert_eq!(text("place"), format!("preset \"{name}\""));
            let value = line["value"].to_string().replace("\",\"", "\", \"");
            let (key, about) = (text("key"), text("about"));
            writeln!(page, "| `{key} = {value}` | {about} |").expect("a text grows");
        }
    }
    harness::compare("docs/presets.md", &page, "presets");
}

#[test]
fn check_explains_each_setting_with_its_source() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("larder.toml");
    let text = "preset = \"django\"\norigin.to = \"127.0.0.1:8000\"\ncache.default_ttl = \"60s\"\n";
    std::fs::write(&file, text).expect("the file");
    let path = file.to_str().expect("a path");
    let env = [("LARDER_CACHE__COOKIES", "sid"), ("LARDER_ADMIN__TOKEN", "hunter2")];
    let args = ["check", "--explain", "--config", path, "--memory", "64MiB"];
    let (status, said, errors) = Larder::run(&args, &env);
    assert_eq!((status, errors.as_str()), (Some(0), ""));
    for line in [
        &format!("preset = \"django\"  # {path}:1"),
        &format!("cache.default_ttl = \"60s\"  # {path}:3"),
        "cache.cookies = \"sid\"  # environment LARDER_CACHE__COOKIES, over preset \"django\"",
        "cache.memory = \"64MiB\"  # option --memory",
        "cache.heuristics = false  # preset \"django\"",
        "cache.max_object = \"4MiB\"  # default",
        "admin.token = \"***\"  # environment LARDER_ADMIN__TOKEN",
    ] {
        assert!(said.lines().any(|own| own == line), "{line}\n{said}");
    }
    assert!(!said.contains("hunter2"));
    // What is wrong is said as without.
    let args = ["check", "--explain", "--preset", "rails", "--to", "127.0.0.1:8000"];
    let (status, said, errors) = Larder::run(&args, &[]);
    assert_eq!((status, said.as_str()), (Some(2), ""));
    assert!(errors.contains("`rails` is not a preset") && errors.contains("option --preset"));
    assert_eq!(Larder::run(&["check", "--json", "--to", "127.0.0.1:8000"], &[]).0, Some(2));
}
