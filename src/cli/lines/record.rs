//! A request as an access log has it.

use super::{combined, json};
use std::borrow::Cow;

/// A request as an access log has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::cli) struct Record<'a> {
    pub method: Cow<'a, str>,
    /// Path and query.
    pub target: Cow<'a, str>,
    pub host: Option<Cow<'a, str>>,
    pub status: u16,
    /// Bytes of the body as it was sent.
    pub bytes: u64,
    /// What larder decided, in a word, if it wrote the line.
    pub cache: Option<Cow<'a, str>>,
    /// The code of the reason.
    pub detail: Option<Cow<'a, str>>,
    /// The answer didn't reach the client wholly.
    pub broken: bool,
    /// Whether it was stored, if the line says so.
    pub stored: Option<bool>,
    /// When it was made, in seconds since the epoch.
    pub time: Option<u64>,
}

impl Record<'_> {
    /// Reads a line; `None` if it is of no form that is known.
    pub fn read(line: &str) -> Option<Record<'_>> {
        match line.trim_start().starts_with('{') {
            true => json::read(line),
            false => combined::read(line),
        }
    }
}
