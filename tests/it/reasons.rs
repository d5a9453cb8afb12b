//! `docs/reasons/` has a page for every reason, in the form in which the program shows it.

use larder::semantics::cache_status::Forward;
use larder::semantics::reason::{Kind, Reason};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Headings of a page, in their order.
const HEADINGS: [&str; 4] = ["What to do", "In Django", "In Flask", "See also"];

/// The longest first sentence of "What to do": it stands in tables, as the remedy.
const REMEDY: usize = 200;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reasons")
}

fn page(reason: Reason) -> String {
    let path = folder().join(format!("{reason}.md"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn kind_title(kind: Kind) -> &'static str {
    match kind {
        Kind::NotStored => "Not stored",
        Kind::Passed => "Passed on",
        Kind::Served => "Served",
        Kind::Failed => "Failed",
    }
}

/// The sentence as it stands alone.
fn sentence(reason: Reason) -> String {
    let (first, rest) = reason.sentence().split_at(1);
    format!("{}{rest}.", first.to_uppercase())
}

/// Paragraphs, each in one line.
fn paragraphs(text: &str) -> Vec<String> {
    text.trim().split("\n\n").map(|lines| lines.trim().replace('\n', " ")).collect()
}

/// The sections of a document: what is before the first heading, under "", and the others.
fn sections(document: &str) -> Vec<(&str, &str)> {
    let mut pieces = document.split("\n## ");
    let before = ("", pieces.next().unwrap_or_default());
    let others = pieces.map(|piece| piece.split_once('\n').unwrap_or((piece, "")));
    std::iter::once(before).chain(others).collect()
}

/// What links lead to, but for those to the web.
fn links(document: &str) -> impl Iterator<Item = &str> {
    let targets = document.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.filter(|target| !target.starts_with("https://"))
}

#[test]
fn every_reason_has_a_page_that_begins_with_its_sentence() {
    for reason in Reason::all() {
        let page = page(reason);
        let before = paragraphs(sections(&page)[0].1);
        assert_eq!(before[0], format!("# {reason}"));
        assert_eq!(before[1], sentence(reason), "{reason}");
        assert!(before.len() >= 3, "{reason}: nothing is explained");
    }
}

#[test]
fn every_page_says_what_to_do_and_that_stands_alone() {
    for reason in Reason::all() {
        let page = page(reason);
        let sections = sections(&page);
        let headings: Vec<&str> = sections.iter().skip(1).map(|(heading, _)| *heading).collect();
        let known: Vec<&str> = HEADINGS.into_iter().filter(|h| headings.contains(h)).collect();
        assert_eq!(headings, known, "{reason}");
        let find = |name| sections.iter().find(|(heading, _)| *heading == name);
        let (_, to_do) = find("What to do").unwrap_or_else(|| panic!("{reason}: what to do?"));
        let first = &paragraphs(to_do)[0];
        let remedy = first.split_inclusive(". ").next().unwrap_or_default().trim();
        assert!(remedy.ends_with(['.', ':']), "{reason}: {remedy:?}");
        assert!(remedy.len() <= REMEDY, "{reason}: {} bytes: {remedy}", remedy.len());
        assert!(find("See also").is_some(), "{reason}");
    }
}

#[test]
fn no_page_is_for_a_reason_that_is_none() {
    let entries = fs::read_dir(folder()).expect("the folder").map_while(Result::ok);
    let there: BTreeSet<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    let readme = std::iter::once("README.md".to_string());
    let expected = readme.chain(Reason::all().map(|reason| format!("{reason}.md"))).collect();
    assert_eq!(there, expected);
}

#[test]
fn the_table_lists_every_reason_by_its_kind() {
    let readme = fs::read_to_string(folder().join("README.md")).expect("the table");
    let mut listed = 0;
    for (title, text) in sections(&readme) {
        for row in text.lines().filter(|line| line.starts_with("| [`")) {
            let code = row.split('`').nth(1).unwrap_or_default();
            let reason = Reason::from_code(code).unwrap_or_else(|| panic!("no reason: {row}"));
            assert_eq!(row, format!("| [`{code}`]({code}.md) | {} |", sentence(reason)));
            assert_eq!(title, kind_title(reason.kind()), "{code}");
            listed += 1;
        }
    }
    assert_eq!(listed, Reason::COUNT);
    for forward in Forward::ALL {
        let row = format!("| `{}` | ", forward.token());
        assert!(readme.lines().any(|line| line.starts_with(&row)), "{forward:?}");
    }
}

#[test]
fn links_lead_somewhere_and_lines_are_short() {
    let pages = Reason::all().map(|reason| (reason.code(), page(reason)));
    let readme = fs::read_to_string(folder().join("README.md")).expect("the table");
    for (name, document) in pages.chain([("README", readme)]) {
        for target in links(&document).filter(|target| !target.starts_with('#')) {
            assert!(folder().join(target).exists(), "{name}: {target} is not there");
        }
        let prose = document.lines().filter(|line| !line.starts_with('|'));
        let long: Vec<&str> = prose.filter(|line| line.chars().count() > 100).collect();
        assert!(long.is_empty(), "{name}: {long:?}");
    }
}

/// The reasons that nobody can provoke from outside, and what shows them.
const FROM_INSIDE: [(&str, &str); 2] = [
    // Other methods are handed on before it is asked whether to store their answers.
    ("method", "src/semantics/counterfactual.rs"),
    // A task that fetched has panicked.
    ("internal", "src/proxy/respond.rs"),
];

#[test]
fn every_reason_is_reached_by_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts = Vec::new();
    let mut folders = vec![root.join("tests/it")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder").map_while(Result::ok) {
            match entry.path() {
                path if path.is_dir() && !path.ends_with("fuzz") => folders.push(path),
                path if path.extension().is_some_and(|ending| ending == "rs") => {
                    texts.push(fs::read_to_string(path).expect("text"));
                }
                _ => {}
            }
        }
    }
    let shown = |code: &str| {
        texts.iter().any(|text| {
            text.match_indices(&format!("detail={code}")).any(|(at, found)| {
                !text[at + found.len()..].starts_with(|c: char| c == '-' || c.is_alphanumeric())
            })
        })
    };
    // These are told by tables of codes.
    let by_table = |code: &str| texts.iter().any(|text| text.contains(&format!("\"{code}\")")));
    for reason in Reason::all() {
        let code = reason.code();
        let inside = FROM_INSIDE.iter().find(|(own, _)| *own == code);
        assert!(inside.is_some() || shown(code) || by_table(code), "no test reaches {code}");
        if let Some((_, path)) = inside {
            let text = fs::read_to_string(root.join(path)).expect("the source");
            assert!(text.contains(&format!("Reason::{reason:?}")), "{path}: {code}");
        }
    }
}
