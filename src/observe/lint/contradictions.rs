//! Directives that take each other back.

use super::sample::given;
use super::{Rule, Severity};
use crate::semantics::directives::Scope;

pub(super) const RULES: &[Rule] = &[
    Rule {
        code: "public-and-private",
        severity: Severity::Warning,
        sentence: "says public and private: larder takes the stricter word and doesn't keep it; \
            others may take the other",
        fix: (
            "Say one of the two, at one place: the app, a middleware or the web server.",
            Some(
                "`cache_control(private=True)` replaces `public`; a web server that adds a line \
                doesn't.",
            ),
            Some("Set `response.cache_control.public = False` where you set `private`."),
        ),
        has: |sample| sample.said.public && sample.said.private == Scope::Whole,
    },
    Rule {
        code: "no-store-and-lifetime",
        severity: Severity::Warning,
        sentence: "says no-store and states a lifetime, which then means nothing",
        fix: (
            "Leave out no-store if it may be kept, else the lifetime.",
            Some("Don't put `never_cache` and `cache_control(max_age=...)` on the same view."),
            Some("Set either `cache_control.no_store` or `cache_control.max_age`."),
        ),
        has: |sample| {
            let said = &sample.said;
            let lives = given(said.max_age) > 0 || given(said.s_maxage) > 0;
            said.no_store && lives && !said.must_understand
        },
    },
    Rule {
        code: "no-cache-and-s-maxage",
        severity: Severity::Warning,
        sentence: "says no-cache and s-maxage: shared caches have to ask each time all the same",
        fix: (
            "For browsers that are to ask each time, say `max-age=0` instead of no-cache: \
             `s-maxage=60, max-age=0`.",
            Some("`@cache_control(s_maxage=60, max_age=0)`"),
            Some("Set `cache_control.max_age = 0` instead of `cache_control.no_cache`."),
        ),
        has: |sample| {
            let said = &sample.said;
            let asks = said.no_cache == Scope::Whole && !said.no_store;
            asks && given(said.s_maxage) > 0
        },
    },
    Rule {
        code: "must-revalidate-and-stale",
        severity: Severity::Warning,
        sentence: "says must-revalidate, which takes back its stale-while-revalidate or \
            stale-if-error",
        fix: (
            "Leave out must-revalidate if it may be used stale for a while, else the others.",
            Some("Leave `must_revalidate=True` out of `cache_control(...)`."),
            Some("Leave `cache_control.must_revalidate` alone."),
        ),
        has: |sample| {
            let said = &sample.said;
            let stale = given(said.stale_while_revalidate) > 0 || given(said.stale_if_error) > 0;
            said.must_revalidate && stale
        },
    },
];
