//! The units in `config/systemd/` are units, and larder understands what they
//! call it with.

use crate::harness::Larder;
use larder::config::Timeouts;
use std::collections::BTreeMap;
use std::path::Path;

/// Section and key to value; a key may stand once.
type Unit = BTreeMap<(String, String), String>;

fn unit(name: &str) -> Unit {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/systemd").join(name);
    let text = std::fs::read_to_string(path).expect("the unit");
    let (mut unit, mut section) = (Unit::new(), String::new());
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = name.to_string();
            continue;
        }
        let (key, value) = line.split_once('=').expect("key=value");
        let word = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        assert!(!section.is_empty() && word(key) && !value.is_empty(), "{line}");
        let before = unit.insert((section.clone(), key.to_string()), value.to_string());
        assert_eq!(before, None, "{line}");
    }
    unit
}

fn value<'a>(unit: &'a Unit, section: &str, key: &str) -> &'a str {
    unit.get(&(section.to_string(), key.to_string())).expect("the key")
}

/// Whether the program takes these arguments: it looks at those before `--help`.
fn understood(arguments: &[&str]) -> bool {
    Larder::run(&[arguments, &["--help"]].concat(), &[]).0 == Some(0)
}

#[test]
fn the_service_calls_larder_as_it_is() {
    let service = unit("larder.service");
    for key in ["ExecStart", "ExecReload"] {
        let words: Vec<&str> = value(&service, "Service", key).split(' ').collect();
        assert!(words[0].ends_with("/larder"), "{words:?}");
        assert!(understood(&words[1..]), "{words:?}");
    }
    assert!(!understood(&["run", "--confg", "x"]));
    assert_eq!(value(&service, "Service", "Type"), "notify");
    let patience = value(&service, "Service", "TimeoutStopSec").parse().expect("seconds");
    assert!(Timeouts::default().drain.as_secs() < patience);
}

#[test]
fn the_socket_is_one_that_larder_can_listen_on() {
    let socket = unit("larder.socket");
    assert_eq!(value(&unit("larder.service"), "Unit", "Requires"), "larder.socket");
    let address = value(&socket, "Socket", "ListenStream");
    let args = ["check", "--to", "127.0.0.1:8000", "--listen", address];
    let dir = tempfile::tempdir().expect("a directory");
    let none = dir.path().join("larder.toml");
    std::fs::write(&none, "").expect("a file");
    let path = none.to_str().expect("a path");
    let (status, said, errors) = Larder::run(&[&args[..], &["--config", path]].concat(), &[]);
    assert_eq!(status, Some(0), "{errors}");
    assert!(said.contains(&format!("{address} in front of")), "{said}");
}
