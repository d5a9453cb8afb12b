//! How long answers say that they are fresh.

use super::sample::{Sample, given};
use super::{Rule, Severity};
use crate::semantics::date::{date_in, http_date};
use crate::semantics::directives::{Scope, Value};
use crate::semantics::lifetime::Source;
use crate::semantics::time::DeltaSeconds;
use http::header;

/// For so many seconds, a page in a browser that no purge reaches harms nobody.
const BRIEF: u32 = 60;

/// By so many seconds, two statements may differ.
const SLACK: u64 = 60;

/// Nothing is kept for longer.
const YEAR: u64 = 31_536_000;

pub(super) const RULES: &[Rule] = &[
    Rule {
        code: "browser-lifetime",
        severity: Severity::Warning,
        sentence: "states max-age for a page and no s-maxage: visitors' browsers keep it as long \
            as larder does, and no purge reaches them",
        fix: (
            "Say s-maxage for larder and a short max-age for browsers: \
             `Cache-Control: s-maxage=600, max-age=0`.",
            Some(
                "`cache_page` and `CACHE_MIDDLEWARE_SECONDS` send max-age. Use \
                 `@cache_control(s_maxage=600, max_age=0)` instead; larder keeps the page.",
            ),
            Some("`response.cache_control.s_maxage = 600; response.cache_control.max_age = 0`"),
        ),
        has: |sample| {
            let said = &sample.said;
            let long = given(said.max_age) > BRIEF && !said.s_maxage.is_present();
            let is_shared = sample.may_be_shared() && !sample.ours.targeted;
            let used = said.no_cache != Scope::Whole && !said.no_store;
            sample.is_page() && long && used && is_shared && !sample.says(&["immutable"])
        },
    },
    Rule {
        code: "immutable-page",
        severity: Severity::Warning,
        sentence: "says immutable for a page: browsers don't ask for it again even when the \
            visitor reloads it, so what is wrong with it stays",
        fix: ("Say immutable only for files whose names change with their content.", None, None),
        has: |sample| {
            let lives = given(sample.said.max_age) > BRIEF && !sample.said.no_store;
            sample.is_page() && lives && sample.says(&["immutable"])
        },
    },
    Rule {
        code: "immutable-without-lifetime",
        severity: Severity::Info,
        sentence: "says immutable, which holds while a response is fresh, and states no lifetime: \
            it means nothing",
        fix: ("Add max-age: `Cache-Control: max-age=31536000, immutable`.", None, None),
        has: |sample| {
            let lives = sample.said.max_age.is_present() || sample.has(header::EXPIRES);
            sample.is_ok() && !lives && sample.says(&["immutable"])
        },
    },
    Rule {
        code: "expires-differs",
        severity: Severity::Warning,
        sentence: "states one lifetime in max-age and another in Expires: old caches and tools \
            keep it longer or shorter than you meant",
        fix: (
            "Leave Expires out: everything in use understands max-age.",
            Some(
                "`cache_page` and the cache middleware set Expires once and max-age anew; don't \
                 put `@cache_control(max_age=...)` beside them.",
            ),
            Some("Leave `response.expires` alone where you set `cache_control.max_age`."),
        ),
        has: expires_differs,
    },
    Rule {
        code: "expires-invalid",
        severity: Severity::Warning,
        sentence: "has an Expires that is no HTTP date, which counts as already expired",
        fix: (
            "Write it as `Sun, 06 Nov 1994 08:49:37 GMT`, or use max-age.",
            Some("`django.utils.http.http_date(timestamp)` writes such a date."),
            Some("Assign a `datetime` to `response.expires`."),
        ),
        has: |sample| {
            // 0 and -1 are common, and mean what they are read as (RFC 9111 section 5.3).
            let is_date = |text: &[u8]| {
                matches!(text.trim_ascii(), b"0" | b"-1")
                    || http_date(text, sample.seen.wall).is_some()
            };
            let line = sample.seen.fields.get(header::EXPIRES);
            line.is_some_and(|line| !is_date(line.as_bytes()))
        },
    },
    Rule {
        code: "stale-on-arrival",
        severity: Severity::Warning,
        sentence: "was older than its own lifetime when it came: a cache before larder hands on \
            what is stale, and it is asked for again at once",
        fix: (
            "Look at what stands between larder and the app, and have one cache only.",
            Some("Leave out `cache_page` and the cache middleware where larder keeps the page."),
            None,
        ),
        has: |sample| {
            // A cache before may use it stale for a while, if it says so (RFC 5861).
            let ours = &sample.ours;
            let stale = given(ours.stale_while_revalidate).max(given(ours.stale_if_error));
            let longest = u64::from(sample.lifetime.span.get()) + u64::from(stale);
            let old = sample.age() >= longest;
            sample.lives() && old && !sample.is_confirmed() && sample.is_whole()
        },
    },
    Rule {
        code: "age-repeated",
        severity: Severity::Warning,
        sentence: "states its Age more than once, or not as a number: the first counts, and it \
            may be fresh for too long",
        fix: (
            "One of those before larder adds a second Age instead of replacing the first.",
            Some("A cached page of Django's has its Age already: don't add one in a middleware."),
            None,
        ),
        has: |sample| sample.seen.doubtful_age,
    },
    Rule {
        code: "tiny-lifetime",
        severity: Severity::Warning,
        sentence: "takes long to make and is fresh for a few seconds: somebody waits for it again \
            and again",
        fix: (
            "State a longer s-maxage and purge the page when it changes, or let it be used while \
             it is made anew: `stale-while-revalidate=60`.",
            Some("`@cache_control(s_maxage=60, stale_while_revalidate=60)`"),
            Some("`response.cache_control.stale_while_revalidate = 60`"),
        ),
        has: |sample| {
            let brief = sample.lives() && sample.lifetime.span <= DeltaSeconds::new(10);
            let refreshed = match sample.ours.stale_while_revalidate {
                Value::Absent => sample.seen.policy.stale_while_revalidate,
                value => value.given().unwrap_or_default(),
            };
            let waits = refreshed == DeltaSeconds::ZERO && sample.took(500);
            brief && waits && sample.is_ok() && sample.seen.cache.stored && sample.is_whole()
        },
    },
    Rule {
        code: "guessed-lifetime",
        severity: Severity::Info,
        sentence: "states no lifetime for a page, so that one is guessed from Last-Modified, here \
            and in browsers",
        fix: (
            "Say how long: `Cache-Control: s-maxage=60, max-age=0`; or `cache.heuristics = false`.",
            Some("`@cache_control(s_maxage=60, max_age=0)` on the view"),
            Some("`response.cache_control.s_maxage = 60; response.cache_control.max_age = 0`"),
        ),
        has: |sample| {
            let guessed = sample.lifetime.source == Source::Heuristic;
            sample.is_page() && sample.seen.cache.stored && guessed && sample.is_whole()
        },
    },
    Rule {
        code: "nothing-said",
        severity: Severity::Warning,
        sentence: "says nothing about how long it may be kept, so that each visitor has the app \
            make it anew",
        fix: (
            "State a lifetime (`Cache-Control: s-maxage=60, max-age=0`), say `private`, or set \
             `cache.default_ttl` for all pages that say nothing.",
            Some("`@cache_control(s_maxage=60, max_age=0)`, or `@cache_control(private=True)`"),
            Some(
                "`response.cache_control.s_maxage = 60`, or `response.cache_control.private = True`",
            ),
        ),
        has: |sample| {
            let silent = !sample.ours.present && !sample.has(header::EXPIRES);
            let silent = silent && !sample.has(header::PRAGMA);
            sample.is_page() && silent && sample.lacks_lifetime() && !sample.seen.personal
        },
    },
];

/// `Expires` less `Date`, and what of that had passed already, beside `max-age`.
fn expires_differs(sample: &Sample<'_>) -> bool {
    let (Value::Given(max_age), now) = (sample.said.max_age, sample.seen.wall) else {
        return false;
    };
    let (fields, skipped) = (sample.seen.fields, sample.said.no_store || sample.is_confirmed());
    if skipped || !fields.contains_key(header::EXPIRES) {
        return false;
    }
    let date = date_in(fields, &header::DATE, now).unwrap_or(now);
    let expires = date_in(fields, &header::EXPIRES, now).unwrap_or(date);
    let left = expires.duration_since(date).unwrap_or_default().as_secs();
    // What is in the past says "not at all", as max-age=0 does.
    let lifetime = if left > 0 { left + sample.age() } else { 0 };
    let max_age = u64::from(max_age.get());
    let both_long = lifetime.min(max_age) >= YEAR;
    lifetime.abs_diff(max_age) > SLACK && !both_long
}
