//! Who may name whom: imports point down, and siblings of a floor do not know
//! each other, but for the few that are written here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The floors, lowest first.
const FLOORS: &[&[&str]] = &[
    &["semantics", "key", "message", "interim", "clock", "error", "account", "lanes"],
    &[
        "body",
        "storage",
        "purge",
        "dialects",
        "collapse",
        "origin",
        "metrics",
        "gate",
        "access_log",
        "moving",
        "tls",
        "explain",
        "observe",
        "telemetry",
    ],
    &["proxy"],
    &["listen", "admin"],
    &["config", "app", "cli", "demo"],
];

/// Arrows within a floor. `semantics` is named by all of its own.
const NEIGHBOURS: &[(&str, &str)] = &[
    ("clock", "semantics"),
    ("error", "semantics"),
    ("message", "semantics"),
    ("message", "key"),
    ("message", "error"),
    ("message", "interim"),
    ("purge", "storage"),
    ("dialects", "purge"),
    ("origin", "body"),
    ("origin", "moving"),
    ("origin", "tls"),
    ("telemetry", "access_log"),
    ("telemetry", "body"),
    ("telemetry", "origin"),
    ("app", "config"),
    ("cli", "config"),
    ("cli", "app"),
    ("cli", "demo"),
    ("demo", "config"),
    ("demo", "app"),
    ("demo", "cli"),
];

/// Rooms that must not be named although they lie below.
const FORBIDDEN: &[(&str, &str)] = &[
    ("storage", "message"),
    ("collapse", "semantics"),
    ("collapse", "key"),
    ("admin", "origin"),
    ("listen", "storage"),
    ("listen", "purge"),
    ("listen", "origin"),
    ("config", "proxy"),
    ("config", "semantics"),
];

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("a folder").map_while(Result::ok) {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

fn all_sources() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    sources(&root, &mut found);
    found
        .into_iter()
        .map(|path| {
            let inside = path.strip_prefix(&root).expect("below src").to_path_buf();
            let first = inside.components().next().expect("a name").as_os_str();
            let room = first.to_string_lossy().trim_end_matches(".rs").to_string();
            let text = fs::read_to_string(&path).expect("text");
            (room, inside, text)
        })
        .collect()
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

/// What is not a module of tests.
fn code_of(text: &str) -> &str {
    text.split("\n#[cfg(test)]\n").next().unwrap_or_default()
}

/// The rooms that a text names: `crate::room`, also in `use crate::{a, b::c}`.
fn named(text: &str) -> BTreeSet<String> {
    let mut rooms = BTreeSet::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        let list = match rest.strip_prefix('{') {
            Some(group) => group.split('}').next().unwrap_or_default(),
            None => rest,
        };
        let names = if rest.starts_with('{') { list.split(',').collect() } else { vec![list] };
        for name in names {
            let name: String =
                name.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            rooms.insert(name);
        }
    }
    rooms
}

#[test]
fn imports_point_down() {
    let mut wrong = Vec::new();
    for (room, path, text) in all_sources() {
        let Some(own) = floor(&room) else {
            assert!(["lib", "main"].contains(&room.as_str()), "{room} has no floor: give it one");
            continue;
        };
        let code = code_of(&text);
        for other in named(code).into_iter().filter(|other| *other != room) {
            let Some(theirs) = floor(&other) else { continue };
            let arrow = (room.as_str(), other.as_str());
            let allowed = theirs < own || NEIGHBOURS.contains(&arrow);
            if !allowed || FORBIDDEN.contains(&arrow) {
                wrong.push(format!("{} names {other}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "new arrows between rooms:\n{}", wrong.join("\n"));
}

/// Whether a file is for tests alone, by its name or its folder's.
fn is_of_tests(path: &Path) -> bool {
    path.components().any(|part| {
        let part = part.as_os_str().to_string_lossy();
        let name = part.trim_end_matches(".rs");
        name == "tests" || name.ends_with("_tests")
    })
}

/// The rooms that stand in a cell of a table, as `code`.
fn rooms_in(cell: &str) -> BTreeSet<String> {
    let names = cell.split('`').skip(1).step_by(2);
    names.filter(|name| floor(name).is_some()).map(String::from).collect()
}

#[test]
fn the_table_of_rooms_says_what_they_name() {
    let mut arrows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (room, path, text) in all_sources() {
        if is_of_tests(&path) {
            continue;
        }
        let code = code_of(&text);
        let mut others = named(code);
        others.retain(|other| *other != room && floor(other).is_some());
        arrows.entry(room).or_default().extend(others);
    }
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md");
    let page = fs::read_to_string(page).expect("the page");
    let (_, table) = page.split_once("| room | names |\n").expect("the table of rooms");
    let mut listed = BTreeSet::new();
    for row in table.lines().skip(1).take_while(|line| line.starts_with('|')) {
        let (rooms, names) = row.trim_matches('|').split_once(" | ").expect("two cells");
        let names_all = names.starts_with("all ") || names.starts_with("everything");
        for room in rooms_in(rooms) {
            if !names_all {
                assert_eq!(arrows.get(&room), Some(&rooms_in(names)), "{room}");
            }
            listed.insert(room);
        }
    }
    let all = FLOORS.iter().flat_map(|rooms| rooms.iter().copied());
    let all: BTreeSet<String> = all.map(String::from).collect();
    assert_eq!(listed, all);
}

#[test]
fn the_semantics_could_be_a_crate_of_their_own() {
    for (room, path, text) in all_sources() {
        if room != "semantics" {
            continue;
        }
        let code = code_of(&text);
        for foreign in ["crate::", "tokio", "hyper", "tracing", "parking_lot", "async ", "now()"] {
            let code_only = code.lines().filter(|line| !line.trim_start().starts_with("//"));
            for line in code_only {
                assert!(!line.contains(foreign), "{} names {foreign}: {line}", path.display());
            }
        }
    }
}

#[test]
fn files_stay_small() {
    for (_, path, text) in all_sources() {
        let lines = text.lines().count();
        assert!(
            lines <= 400,
            "{} has {lines} lines: is there a second room in it?",
            path.display()
        );
    }
}
