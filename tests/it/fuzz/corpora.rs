//! The corpora as plain tests.

use super::TARGETS;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

fn files(folder: &str, target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(folder).join(target);
    let Ok(listed) = fs::read_dir(&folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = listed.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn what_a_fuzzer_has_come_by_holds() {
    let mut wrong = Vec::new();
    for (name, check) in TARGETS {
        let corpus = files("corpus", name);
        assert!(!corpus.is_empty(), "fuzz/corpus/{name} is empty");
        for path in corpus.into_iter().chain(files("regressions", name)) {
            let bytes = fs::read(&path).unwrap();
            if catch_unwind(|| check(&bytes)).is_err() {
                wrong.push(path.display().to_string());
            }
        }
    }
    assert!(wrong.is_empty(), "something doesn't hold:\n{}", wrong.join("\n"));
}

#[test]
fn each_target_can_be_fuzzed() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    let readme = fs::read_to_string(fuzz.join("README.md")).unwrap();
    for (name, _) in TARGETS {
        let driver = fs::read_to_string(fuzz.join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(driver.contains(&format!("\"{name}\"")), "{name}: {driver}");
        assert!(manifest.contains(&format!("name = \"{name}\"")), "fuzz/Cargo.toml: {name}");
        assert!(readme.contains(&format!("`{name}`")), "fuzz/README.md: {name}");
    }
}
