//! Documents that are written from what the program says.

use std::path::Path;

/// Fails if the file is not what is written; writes it if `UPDATE_DOCS` is set. `test` is
/// what has to be run for that.
pub fn compare(file: &str, written: &str, test: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, written).expect("the document is written");
        return;
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = there.lines().zip(written.lines()).position(|(is, should)| is != should);
    assert!(
        there == written,
        "{file} is not up to date, first in line {}: run `UPDATE_DOCS=1 cargo test --test it \
         {test}`",
        differs.unwrap_or_else(|| there.lines().count().min(written.lines().count())) + 1
    );
}
