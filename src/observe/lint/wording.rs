//! What is written so that caches don't understand it.

use super::sample::Sample;
use super::{Rule, Severity};
use crate::semantics::cache_control::Argument;
use crate::semantics::directives::Value;
use crate::semantics::fields::{has_member, members};
use crate::semantics::time::DeltaSeconds;
use http::header::{self, HeaderMap};

/// Directives with a number of seconds.
const SECONDS: [&str; 4] = ["max-age", "s-maxage", "stale-while-revalidate", "stale-if-error"];

/// Directives whose names are easy to get wrong.
const NAMES: [&str; 10] = [
    "max-age",
    "s-maxage",
    "stale-while-revalidate",
    "stale-if-error",
    "no-cache",
    "no-store",
    "no-transform",
    "must-revalidate",
    "proxy-revalidate",
    "must-understand",
];

const DJANGO: Option<&str> =
    Some("`@cache_control(s_maxage=60, max_age=0)` writes the names and commas.");
const FLASK: Option<&str> =
    Some("`response.cache_control.s_maxage = 60` writes the names and commas.");

pub(super) const RULES: &[Rule] = &[
    Rule {
        code: "directive-misspelt",
        severity: Severity::Warning,
        sentence: "has a directive in Cache-Control that is almost one that exists (maxage, \
            s-max-age, no_store), and is ignored",
        fix: ("Write max-age, s-maxage, no-cache, no-store, must-revalidate.", DJANGO, FLASK),
        has: |sample| sample.members().any(|member| is_misspelt(member.name)),
    },
    Rule {
        code: "directive-colon",
        severity: Severity::Warning,
        sentence: "has a colon in Cache-Control where = belongs (max-age:60), and the directive is \
            ignored",
        fix: ("Write `max-age=60`.", DJANGO, FLASK),
        has: |sample| {
            sample.members().any(|member| {
                let colon = member.name.iter().position(|byte| *byte == b':');
                colon.is_some_and(|at| is_one_of(member.name[..at].trim_ascii(), &SECONDS))
            })
        },
    },
    Rule {
        code: "directive-semicolon",
        severity: Severity::Warning,
        sentence: "has a semicolon in Cache-Control: directives are separated by commas, and those \
            beside it are not understood",
        fix: ("Write `public, max-age=60`.", DJANGO, FLASK),
        has: |sample| has_semicolon(sample.seen.fields),
    },
    Rule {
        code: "directive-repeated",
        severity: Severity::Warning,
        sentence: "states the same directive twice with different values: larder takes the first, \
            others may take another",
        fix: (
            "Say it at one place: the app, a middleware or the web server before it adds a second.",
            Some("`patch_cache_control` changes the line that is there; a web server adds one."),
            Some("Assign to `response.cache_control` instead of `response.headers.add(...)`."),
        ),
        has: is_repeated,
    },
    Rule {
        code: "seconds-unusable",
        severity: Severity::Warning,
        sentence: "states a number of seconds that is none (max-age=1.5, -1, 60s, or nothing): it \
            counts as no time at all",
        fix: (
            "Write whole seconds from 0 up: `max-age=60`.",
            Some("Give `cache_control` an `int`: `int(delta.total_seconds())`."),
            Some("Give `response.cache_control.max_age` an `int`: `int(delta.total_seconds())`."),
        ),
        has: |sample| {
            let said = &sample.said;
            let all =
                [said.max_age, said.s_maxage, said.stale_while_revalidate, said.stale_if_error];
            all.contains(&Value::Unusable) && !has_semicolon(sample.seen.fields)
        },
    },
    Rule {
        code: "directive-of-requests",
        severity: Severity::Info,
        sentence: "has a directive that is for requests (max-stale, min-fresh, only-if-cached) and \
            means nothing in an answer",
        fix: ("For max-stale, `stale-while-revalidate=60` may be what is meant.", None, None),
        has: |sample| sample.says(&["max-stale", "min-fresh", "only-if-cached"]),
    },
    Rule {
        code: "directive-obsolete",
        severity: Severity::Info,
        sentence: "says pre-check or post-check, which were an old browser's and mean nothing now",
        fix: ("Leave them out: `no-store` alone does what is meant.", None, None),
        has: |sample| sample.says(&["pre-check", "post-check"]),
    },
    Rule {
        code: "pragma-alone",
        severity: Severity::Info,
        sentence: "says Pragma: no-cache and has no Cache-Control: in an answer Pragma means \
            nothing to most caches",
        fix: (
            "Say `Cache-Control: no-store` or `no-cache`, and leave Pragma out.",
            Some("`@never_cache` on the view"),
            Some("`response.cache_control.no_store = True`"),
        ),
        has: |sample| {
            let pragma = has_member(sample.seen.fields, &header::PRAGMA, "no-cache");
            pragma && !sample.said.present && !sample.ours.present
        },
    },
    Rule {
        code: "warning-obsolete",
        severity: Severity::Info,
        sentence: "has a Warning, which RFC 9111 has done away with",
        fix: ("Leave it out: nothing reads it.", None, None),
        has: |sample| sample.has(header::WARNING),
    },
    Rule {
        code: "targeted-unreadable",
        severity: Severity::Bad,
        sentence: "has a field for caches like larder (CDN-Cache-Control, Larder-Cache-Control) \
            that can't be read, so that Cache-Control is obeyed instead",
        fix: (
            "Write it as RFC 9213 has it: names in lower case, no white space around =, commas \
             between, as in `CDN-Cache-Control: max-age=60, must-revalidate`.",
            None,
            None,
        ),
        has: |sample| {
            let fields = sample.seen.fields;
            let mut names = sample.seen.policy.targeted.iter();
            let there = names.any(|name| members(fields, name).next().is_some());
            there && !sample.ours.targeted
        },
    },
];

fn is_one_of(name: &[u8], list: &[&str]) -> bool {
    list.iter().any(|one| one.as_bytes().eq_ignore_ascii_case(name))
}

/// Whether a name has the letters of a directive's, and is not its name.
fn is_misspelt(name: &[u8]) -> bool {
    fn letters(name: &[u8]) -> impl Iterator<Item = u8> {
        let kept = |byte: &&u8| !matches!(byte, b'-' | b'_');
        name.iter().filter(kept).map(u8::to_ascii_lowercase)
    }
    let has_letters_of = |one: &&str| letters(one.as_bytes()).eq(letters(name));
    !is_one_of(name, &NAMES) && NAMES.iter().any(has_letters_of)
}

/// Whether a semicolon stands outside of quotes.
fn has_semicolon(fields: &HeaderMap) -> bool {
    fields.get_all(header::CACHE_CONTROL).iter().any(|line| {
        let mut quoted = false;
        line.as_bytes().iter().any(|byte| {
            quoted ^= *byte == b'"';
            *byte == b';' && !quoted
        })
    })
}

fn is_repeated(sample: &Sample<'_>) -> bool {
    let mut first: [Option<DeltaSeconds>; 4] = [None; 4];
    sample.members().any(|member| {
        let known = |one: &&str| one.as_bytes().eq_ignore_ascii_case(member.name);
        let Some(at) = SECONDS.iter().position(known) else { return false };
        let Argument::Text(text) = &member.argument else { return false };
        match (first[at], DeltaSeconds::parse(text)) {
            (Some(before), Some(now)) => before != now,
            (None, Some(now)) => {
                first[at] = Some(now);
                false
            }
            (_, None) => false,
        }
    })
}
