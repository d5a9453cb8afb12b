//! Writes `docs/faults.md`.

use super::table::{Fault, Then};
use crate::harness;
use std::fmt::Write;

const PATH: &str = "docs/faults.md";

/// Fails if the file is not what the table says; writes it if `UPDATE_DOCS` is set.
pub fn compare(faults: &[Fault]) {
    harness::compare(PATH, &write(faults), "broken_origin");
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
