//! How keys are read that name parts of what is asked for: hosts, paths, and parameters of
//! queries.

use super::diagnose::{Problem, Wrong, wrong};
use super::value::{Kind, Value};

/// Paths of the application, each with all that is below it.
pub(super) fn paths(value: &Value) -> Result<Vec<String>, Problem> {
    value.list(Kind { name: "paths", example: "[\"/admin/\"]" }, path)
}

fn path(text: &str) -> Result<String, Wrong> {
    let no = |note: &str| Err(wrong(format!("`{text}` is not a path that can be named"), note));
    let is_odd =
        |c: char| c.is_control() || c.is_whitespace() || matches!(c, '?' | '#' | ';' | '\\');
    match text {
        _ if !text.starts_with('/') => no("it begins with `/`, such as `/admin/`"),
        _ if text.contains(is_odd) => {
            no("it has no space, query or parameter; `*` is any part of a segment")
        }
        _ if text.contains("//") || text.split('/').any(|part| matches!(part, "." | "..")) => {
            no("write it as the application has it, without `//`, `.` and `..`")
        }
        _ => Ok(text.to_owned()),
    }
}

/// Names of parameters; a `*` at the end is whatever follows.
pub(super) fn parameters(value: &Value) -> Result<Vec<String>, Problem> {
    value.list(Kind { name: "names of parameters", example: "[\"utm_*\"]" }, parameter)
}

fn parameter(text: &str) -> Result<String, Wrong> {
    let no = |note: &str| Err(wrong(format!("`{text}` can't be the name of a parameter"), note));
    let is_odd = |c: char| c.is_control() || matches!(c, '&' | '=' | '?' | '#');
    match text.trim_end_matches('*') {
        "" if text.is_empty() => no("a name, such as `gclid`"),
        "" => no("every query would be taken off; name what the application has no use for"),
        name if name.contains('*') || text.ends_with("**") => {
            no("a `*` stands at the end, such as in `utm_*`")
        }
        name if name.contains(is_odd) => no("a name alone, without `?`, `&`, `=` and a value"),
        _ => Ok(text.to_owned()),
    }
}

/// Names of hosts; `*.` in front stands for whatever is there.
pub(super) fn hosts(value: &Value) -> Result<Vec<String>, Problem> {
    value.list(Kind { name: "hosts", example: "[\"www.example.org\"]" }, host)
}

fn host(text: &str) -> Result<String, Wrong> {
    let no = |note: &str| Err(wrong(format!("`{text}` is not the name of a host"), note));
    let name = text.strip_prefix("*.").unwrap_or(text);
    let is_address = name.starts_with('[') && name.ends_with(']');
    let is_odd = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'));
    match name {
        _ if is_address => Ok(text.to_ascii_lowercase()),
        "" => no("such as `www.example.org`"),
        _ if name.contains("://") => no("a name alone, without `http://`"),
        _ if name.contains('*') => no("a `*` stands in front, such as in `*.example.org`"),
        _ if name.contains(':') => no("a name alone: it counts at any port"),
        _ if name.contains(is_odd) => no("a name of letters, digits, `-` and `.`"),
        _ => Ok(text.to_ascii_lowercase()),
    }
}
