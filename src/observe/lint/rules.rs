//! The rules.

use super::{Rule, Severity};
use http::header;

/// All of them.
pub const RULES: &[Rule] = &[Rule {
    code: "vary-any",
    severity: Severity::Bad,
    sentence: "the answer says Vary: *, so that nobody else may have it",
    fix: ("Name the request fields that the answer depends on, or leave Vary out.", None, None),
    has: |sample| {
        sample.seen.fields.get_all(header::VARY).iter().any(|line| line.as_bytes() == b"*")
    },
}];
