//! Configurations: whatever is in the file, it is taken, or what is wrong has a
//! place.

use larder::config::{Overrides, Source, load};
use std::fs;
use toml::{Table, Value};

/// Whether a text may be resolved as a name, which would ask the network.
fn is_a_name(text: &str) -> bool {
    text.bytes().any(|b| b.is_ascii_alphabetic() || !b.is_ascii())
        && !text.starts_with('[')
        && text.contains(':')
}

fn names_hosts(value: &Value) -> bool {
    match value {
        Value::String(text) => text.split(',').any(|one| is_a_name(one.trim())),
        Value::Array(all) => all.iter().any(names_hosts),
        _ => false,
    }
}

/// Whether a setting has to be looked up on this machine or beyond: names of
/// listening addresses, files of certificates.
fn looks_outside(text: &str) -> bool {
    let Ok(table) = text.parse::<Table>() else { return false };
    let admin = table.get("admin").and_then(|admin| admin.get("listen"));
    let files = table.get("origin").and_then(Value::as_table);
    let files = files.is_some_and(|origin| origin.keys().any(|key| key.starts_with("tls_")));
    [table.get("listen"), admin].into_iter().flatten().any(names_hosts) || files
}

pub fn check(data: &[u8]) {
    if std::str::from_utf8(data).is_ok_and(looks_outside) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("larder.toml");
    fs::write(&path, data).unwrap();
    let Err(error) = load(Source::File(&path), [], &Overrides::default()) else {
        // What is taken is taken again.
        assert!(load(Source::File(&path), [], &Overrides::default()).is_ok());
        return;
    };
    let said = error.to_string();
    let place = format!("--> {}", path.display());
    for problem in said.split("\n\nerror: ") {
        assert!(problem.contains(&place), "it has no place: {problem}");
    }
    assert!(said.starts_with("error: ") && !said.ends_with('\n'));
    let lines = 1 + data.iter().filter(|b| **b == b'\n').count();
    for line in said.lines().filter_map(|line| line.trim_start().strip_prefix(&place)) {
        let mut numbers = line.trim_start_matches(':').split(':');
        let Some(number) = numbers.next().and_then(|number| number.parse::<usize>().ok()) else {
            continue;
        };
        assert!((1..=lines).contains(&number), "{line}: there are {lines} lines");
    }
}
