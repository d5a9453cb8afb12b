//! A project's files, read within bounds and never run.

use super::assignments::{self, Assignment};
use super::python::{self, Statement, What};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The largest file that is read.
const LARGEST: u64 = 1 << 20;

/// The most files that are looked at.
const MOST: usize = 20_000;

/// How deep folders are looked into.
const DEEPEST: usize = 4;

/// Folders that hold no settings of the project itself.
const OTHERS: &[&str] = &[
    "__pycache__",
    "build",
    "dist",
    "env",
    "migrations",
    "node_modules",
    "site-packages",
    "static",
    "test",
    "tests",
    "venv",
];

/// What was read, and what could not be: lines to be shown.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub read: Vec<String>,
    pub unread: Vec<String>,
    /// Something unread may say what the cookies are called. To name a wrong one
    /// would take visitors who are logged in for anonymous ones.
    pub in_doubt: bool,
}

impl Notes {
    pub fn read(&mut self, line: String) {
        push(&mut self.read, line);
    }

    pub fn unread(&mut self, line: String) {
        push(&mut self.unread, line);
    }

    /// The same, of what may say the name of a cookie.
    pub fn doubt(&mut self, line: String) {
        self.in_doubt = true;
        self.unread(line);
    }
}

fn push(lines: &mut Vec<String>, line: String) {
    if !lines.contains(&line) {
        lines.push(line);
    }
}

/// A Python file, read.
#[derive(Debug)]
pub(super) struct Source {
    pub path: PathBuf,
    pub statements: Vec<Statement>,
}

impl Source {
    /// Reads a file; notes why it could not be.
    pub fn read(path: &Path, notes: &mut Notes) -> Option<Source> {
        let shown = path.display();
        let text = match text(path) {
            Ok(text) => text,
            Err(error) => {
                notes.doubt(format!("{shown}: {error}"));
                return None;
            }
        };
        match python::statements(&text) {
            Ok(statements) => Some(Source { path: path.to_path_buf(), statements }),
            Err((line, what)) => {
                notes.doubt(format!("{shown}:{line}: {what}; nothing of this file was read"));
                None
            }
        }
    }

    pub fn assignments(&self) -> impl Iterator<Item = Assignment> + '_ {
        self.statements.iter().flat_map(assignments::of)
    }

    /// Whether a module, or something of it, is imported.
    pub fn imports(&self, module: &str) -> bool {
        self.statements.iter().any(|statement| {
            let mut names = statement.tokens.iter().map(|token| &token.what);
            matches!(names.next(), Some(What::Name(word)) if word == "from" || word == "import")
                && names.next() == Some(&What::Name(module.into()))
        })
    }

    /// Where a name stands, other than in a string or a comment.
    pub fn names(&self, name: &str) -> Option<usize> {
        let all = self.statements.iter().flat_map(|statement| &statement.tokens);
        let mut found = all.filter(|token| token.what == What::Name(name.into()));
        found.next().map(|token| token.line)
    }

    /// Where a name is called: the statements, each with the line.
    pub fn calls(&self, name: &str) -> impl Iterator<Item = (&Statement, usize)> {
        let name = What::Name(name.into());
        self.statements.iter().filter_map(move |statement| {
            let mut pairs = statement.tokens.windows(2);
            let found = pairs.find(|pair| pair[0].what == name && pair[1].what == What::Sign("("));
            found.map(|pair| (statement, pair[0].line))
        })
    }

    /// Whether `something.name = ` stands anywhere.
    pub fn sets_member(&self, name: &str) -> bool {
        let mut triples = self.statements.iter().flat_map(|statement| statement.tokens.windows(3));
        triples.any(|three| {
            three[0].what == What::Sign(".")
                && three[1].what == What::Name(name.into())
                && three[2].what == What::Sign("=")
        })
    }

    /// `path:line`.
    pub fn place(&self, line: usize) -> String {
        format!("{}:{line}", self.path.display())
    }
}

/// A text file that is not too large.
pub(super) fn text(path: &Path) -> Result<String, String> {
    let file = fs::File::open(path).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > LARGEST {
        return Err(format!("larger than {LARGEST} bytes"));
    }
    String::from_utf8(bytes).map_err(|_| "not UTF-8".to_string())
}

/// The Python files below a folder, those that lie higher first, by name.
pub(super) fn files(root: &Path, notes: &mut Notes) -> Vec<PathBuf> {
    let (mut found, mut folders, mut seen) = (Vec::new(), vec![(root.to_path_buf(), 0)], 0);
    while let Some((folder, depth)) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries.map_while(Result::ok) {
            seen += 1;
            let (name, path) = (entry.file_name(), entry.path());
            let name = name.to_string_lossy();
            // A link could lead anywhere, round and round too.
            let Ok(kind) = entry.file_type() else { continue };
            if seen > MOST || name.starts_with('.') {
                continue;
            }
            if kind.is_dir() {
                let is_other = OTHERS.contains(&name.as_ref()) || path.join("pyvenv.cfg").exists();
                if depth < DEEPEST && !is_other {
                    folders.push((path, depth + 1));
                }
            } else if kind.is_file() && path.extension().is_some_and(|extension| extension == "py")
            {
                found.push(path);
            }
        }
    }
    if seen > MOST {
        notes.doubt(format!("{}: more than {MOST} files, not all were looked at", root.display()));
    }
    found.sort_by_key(|path| (path.components().count(), path.clone()));
    found
}

/// The file of a module: `a.b` is `a/b.py` or `a/b/__init__.py`.
pub(super) fn module(root: &Path, name: &str) -> Option<PathBuf> {
    let parts = name.split('.');
    let is_name =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_');
    if !parts.clone().all(is_name) {
        return None;
    }
    let base = parts.fold(root.to_path_buf(), |path, part| path.join(part));
    [base.with_extension("py"), base.join("__init__.py")].into_iter().find(|path| path.is_file())
}
