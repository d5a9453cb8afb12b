//! Cookies that answers set, and who else may get what a visitor's cookie brought.

use super::sample::Sample;
use super::{Rule, Severity};
use crate::semantics::cookies::Cookies;
use crate::semantics::directives::{Scope, Value};
use http::header;

/// Cookies against forged requests, as frameworks call them.
const CSRF: [&str; 6] =
    ["csrftoken", "csrf_token", "_csrf", "_xsrf", "xsrf-token", "__host-csrftoken"];

/// Cookies of sessions, as frameworks call them.
const SESSIONS: [&str; 7] = [
    "sessionid",
    "session",
    "phpsessid",
    "jsessionid",
    "connect.sid",
    "laravel_session",
    "_session_id",
];

pub(super) const RULES: &[Rule] = &[
    Rule {
        code: "set-cookie-shared",
        severity: Severity::Bad,
        sentence: "sets a cookie and says that others may have it: larder doesn't keep it, and a \
            cache that does gives one visitor's cookie to all",
        fix: (
            "Say `private`, or set the cookie on an answer that nobody keeps. If the page has \
             nothing to do with it, say `no-cache=\"Set-Cookie\"`.",
            Some(
                "`@cache_control(private=True)`; or don't touch `request.session` and \
                 `{% csrf_token %}` in what is for all.",
            ),
            Some(
                "`response.cache_control.private = True`; or don't write to `session` in what is \
                 for all. A permanent session is sent each time unless \
                 `SESSION_REFRESH_EACH_REQUEST = False`.",
            ),
        ),
        has: |sample| {
            // no-cache="Set-Cookie" has others ask for the cookie.
            let withheld = matches!(&sample.said.no_cache,
                Scope::Fields(names) if names.contains(&header::SET_COOKIE));
            sample.has(header::SET_COOKIE) && sample.is_kept_elsewhere() && !withheld
        },
    },
    Rule {
        code: "csrf-cookie",
        severity: Severity::Warning,
        sentence: "sets a CSRF cookie for a visitor who has not said who they are, so that a page \
            that all could share is made for each",
        fix: (
            "Fetch the token when the form is needed, from a URL of its own, and leave it out of \
             the page.",
            Some(
                "`{% csrf_token %}` sets the cookie wherever it is rendered, in a footer or a \
                 base template too. Keep such forms off the page, or fetch the token from a small \
                 view with `ensure_csrf_cookie`.",
            ),
            Some("Give forms with a token a page of their own."),
        ),
        has: |sample| is_for_anyone(sample) && sets(sample, |name| is_one_of(name, &CSRF)),
    },
    Rule {
        code: "session-cookie",
        severity: Severity::Warning,
        sentence: "begins a session for a visitor who has not said who they are, so that a page \
            that all could share is made for each",
        fix: (
            "Begin the session when there is something to remember: at the login, or with the \
             first thing in the basket.",
            Some("Don't write to `request.session` in the view or in a middleware."),
            Some("Don't write to `session` (nor `flash`) in the view or in `before_request`."),
        ),
        has: |sample| {
            let named = |name: &[u8]| match &sample.seen.policy.cookies {
                Cookies::All => false,
                Cookies::Named(names) => names.iter().any(|n| n.as_bytes() == name),
            };
            let is_session = |name: &[u8]| named(name) || is_one_of(name, &SESSIONS);
            is_for_anyone(sample)
                && sets(sample, |name| is_session(name) && !is_one_of(name, &CSRF))
        },
    },
    Rule {
        code: "personal-shared",
        severity: Severity::Bad,
        sentence: "states a lifetime for a visitor who has said who they are, without private, \
            public or Vary: Cookie: it is given to everybody",
        fix: (
            "If it shows who asks, say `private` or `Vary: Cookie`; if it is the same for all, \
             say `public`.",
            Some("`@vary_on_cookie` or `@cache_control(private=True)`; else `public=True`"),
            Some(
                "`response.vary.add(\"Cookie\")` or `response.cache_control.private = True`; else \
                 `response.cache_control.public = True`",
            ),
        ),
        has: is_personal_and_shared,
    },
];

/// A page that could be for anyone, for a visitor who could be anyone.
fn is_for_anyone(sample: &Sample<'_>) -> bool {
    sample.is_page() && !sample.seen.personal && sample.may_be_shared()
}

/// Whether it sets a cookie whose name is like this.
fn sets(sample: &Sample<'_>, is_like: impl Fn(&[u8]) -> bool) -> bool {
    let lines = sample.seen.fields.get_all(header::SET_COOKIE).iter();
    let mut names = lines.map(|line| {
        line.as_bytes().split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii()
    });
    names.any(is_like)
}

fn is_one_of(name: &[u8], list: &[&str]) -> bool {
    list.iter().any(|one| one.as_bytes().eq_ignore_ascii_case(name))
}

fn is_personal_and_shared(sample: &Sample<'_>) -> bool {
    let Sample { seen, ours, nominated, .. } = sample;
    // Where every cookie counts, it is not known who has said who they are.
    let known =
        matches!(&seen.policy.cookies, named @ Cookies::Named(_) if named.identify(seen.asked));
    let says = ours.public || ours.targeted || ours.s_maxage != Value::Absent;
    let restricted =
        ours.no_store || ours.private != Scope::Absent || ours.no_cache == Scope::Whole;
    let varies = nominated.names(&header::COOKIE) || nominated.names(&header::AUTHORIZATION);
    let content = sample.is_page() || sample.is_json();
    known && content && sample.lives() && !says && !restricted && !varies && sample.is_whole()
}
