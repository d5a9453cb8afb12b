//! `docs/security.md` names tests; they are there.

use std::fs;
use std::path::Path;

fn code(folder: &Path) -> String {
    let mut all = String::new();
    for entry in fs::read_dir(folder).expect("a folder").map_while(Result::ok) {
        let path = entry.path();
        if path.is_dir() {
            all.push_str(&code(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            all.push_str(&fs::read_to_string(path).expect("text"));
        }
    }
    all
}

#[test]
fn every_row_of_the_report_names_tests_that_there_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let report = fs::read_to_string(root.join("docs/security.md")).expect("the report");
    let code = code(&root.join("tests/it")) + &code(&root.join("src"));
    let rows = report.lines().filter(|line| line.starts_with("| ") && !line.ends_with("| tests |"));
    let mut count = 0;
    for row in rows {
        let tests = row.trim_end_matches('|').rsplit('|').next().expect("a last cell");
        let names: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "no test: {row}");
        for name in names {
            assert!(code.contains(&format!("fn {name}(")), "there is no {name}: {row}");
        }
        count += 1;
    }
    assert!(count > 30, "{count} rows");
}
