//! Writes `docs/faults.md`.

use super::table::{Fault, Then};
use std::fmt::Write;
use std::path::Path;

const PATH: &str = "docs/faults.md";

/// Fails if the file is not what the table says; writes it if `UPDATE_DOCS` is set.
pub fn compare(faults: &[Fault]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PATH);
    let written = write(faults);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, written).expect("the document is written");
        return;
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == written,
        "{PATH} is not up to date: run `UPDATE_DOCS=1 cargo test --test it broken_origin`"
    );
}

fn write(faults: &[Fault]) -> String {
    let mut page = include_str!("introduction.md").to_string();
    for Fault { what, then, .. } in faults {
        let (answer, detail, stale) = match then {
            Then::Fails(status, detail) => (status.to_string(), *detail, "is answered"),
            Then::BreaksOff => ("begins, and is broken off".to_string(), "", "is kept"),
            Then::Stored => ("whole, stored".to_string(), "", "is replaced"),
            Then::HeadAlone => ("the head".to_string(), "", "is outdated"),
        };
        let detail = if detail.is_empty() { String::new() } else { format!("`{detail}`") };
        writeln!(page, "| {what} | {answer} | {detail} | {stale} |").expect("a text grows");
    }
    page
}
