//! What answers say that they depend on.

use super::{Rule, Severity};
use crate::semantics::cookies::Cookies;
use crate::semantics::fields;
use crate::semantics::vary::NominatedFields;
use http::header::{self, HeaderName};

/// Request fields that are another for almost everybody, or for each request.
const UNBOUNDED: [&str; 18] = [
    "user-agent",
    "referer",
    "date",
    "via",
    "forwarded",
    "x-forwarded-for",
    "x-real-ip",
    "x-request-id",
    "x-correlation-id",
    "x-amzn-trace-id",
    "traceparent",
    "tracestate",
    "cf-ray",
    "cf-connecting-ip",
    "true-client-ip",
    "if-none-match",
    "if-modified-since",
    "cache-control",
];

/// Fields that are in answers and in no request.
const OF_ANSWERS: [&str; 14] = [
    "accept-ranges",
    "access-control-allow-origin",
    "age",
    "cache-status",
    "content-encoding",
    "content-language",
    "etag",
    "expires",
    "last-modified",
    "location",
    "server",
    "set-cookie",
    "vary",
    "www-authenticate",
];

/// Ends of the names of files that are served compressed to everybody.
const COMPRESSED: [&str; 5] = [".gz", ".tgz", ".svgz", ".br", ".zst"];

pub(super) const RULES: &[Rule] = &[
    Rule {
        code: "vary-any",
        severity: Severity::Bad,
        sentence: "says Vary: *, so that nobody else may have it",
        fix: (
            "Name the request fields that the answer depends on, or leave Vary out. If nobody \
             else may have it, say `private`.",
            None,
            Some("Nothing in Flask does this: look for `vary` in the app and its extensions."),
        ),
        has: |sample| has_star(sample.seen.fields) && sample.may_be_shared(),
    },
    Rule {
        code: "vary-unreadable",
        severity: Severity::Bad,
        sentence: "has something in Vary that is no name of a field, which counts as *: nobody \
            else may have it",
        fix: (
            "Separate the names by commas: `Vary: Accept-Encoding, Cookie`.",
            Some("Use `patch_vary_headers(response, [\"Cookie\"])`, or `@vary_on_headers`."),
            Some("Use `response.vary.add(\"Cookie\")`."),
        ),
        has: |sample| {
            let unreadable = sample.nominated == NominatedFields::Any;
            unreadable && !has_star(sample.seen.fields) && sample.may_be_shared()
        },
    },
    Rule {
        code: "vary-unbounded",
        severity: Severity::Bad,
        sentence: "varies on a field that is another for almost every visitor or request \
            (User-Agent, Referer, X-Forwarded-For, X-Request-Id and the like), so that few can \
            share it",
        fix: (
            "Leave that field out of Vary, and let the page decide in the browser or by its URL.",
            Some("Take the field out of `@vary_on_headers` or `patch_vary_headers`."),
            Some("Take the field out of `response.vary`."),
        ),
        has: |sample| names_one(&sample.nominated, &UNBOUNDED) && sample.may_be_shared(),
    },
    Rule {
        code: "vary-every-cookie",
        severity: Severity::Warning,
        sentence: "varies on Cookie, and every cookie counts, an analytics cookie too, so that \
            each visitor has a variant of their own",
        fix: (
            "Name the cookies that say who a visitor is: `cache.cookies = [\"sessionid\"]`.",
            Some("`cache.cookies = [\"sessionid\"]`, or what `SESSION_COOKIE_NAME` says"),
            Some("`cache.cookies = [\"session\", \"remember_token\"]`"),
        ),
        has: |sample| {
            let every = sample.seen.policy.cookies == Cookies::All;
            let varies = is_named(&sample.nominated, &header::COOKIE) && sample.is_ok();
            let bears = sample.seen.asked.contains_key(header::COOKIE);
            every && varies && bears && sample.may_be_shared() && !sample.is_static()
        },
    },
    Rule {
        code: "vary-encoding-missing",
        severity: Severity::Bad,
        sentence: "is compressed and doesn't say Vary: Accept-Encoding, so that caches give it to \
            clients who can't read it",
        fix: (
            "Say `Vary: Accept-Encoding` on every answer that may be compressed, also when it is \
             not.",
            Some(
                "`GZipMiddleware` does; a view that compresses by itself has to call \
                 `patch_vary_headers(response, [\"Accept-Encoding\"])`.",
            ),
            Some("`response.vary.add(\"Accept-Encoding\")` where the body is compressed"),
        ),
        has: |sample| {
            let mut codings = fields::members(sample.seen.fields, &header::CONTENT_ENCODING);
            let coded = codings.any(|coding| !coding.eq_ignore_ascii_case(b"identity"));
            let always = COMPRESSED.iter().any(|end| sample.path().ends_with(end));
            let kept = sample.seen.cache.stored || sample.is_kept_elsewhere();
            let varies = sample.nominated.names(&header::ACCEPT_ENCODING);
            sample.is_ok() && coded && !varies && !always && kept && sample.may_be_shared()
        },
    },
    Rule {
        code: "vary-answer-field",
        severity: Severity::Info,
        sentence: "names a field in Vary that answers have and requests don't, which means nothing",
        fix: (
            "Name the request field: Accept-Encoding for Content-Encoding, Cookie for Set-Cookie, \
             Accept-Language for Content-Language.",
            None,
            None,
        ),
        has: |sample| names_one(&sample.nominated, &OF_ANSWERS),
    },
];

fn has_star(fields: &http::HeaderMap) -> bool {
    fields::has_member(fields, &header::VARY, "*")
}

/// Whether a field is named, and not with all of them.
pub(super) fn is_named(nominated: &NominatedFields, name: &HeaderName) -> bool {
    *nominated != NominatedFields::Any && nominated.names(name)
}

fn names_one(nominated: &NominatedFields, list: &[&str]) -> bool {
    match nominated {
        NominatedFields::Any => false,
        NominatedFields::Named(names) => names.iter().any(|name| list.contains(&name.as_str())),
    }
}
