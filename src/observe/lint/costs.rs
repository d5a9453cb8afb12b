//! What goes to the app again and again though it need not, or takes visitors long.

use super::sample::Sample;
use super::{Rule, Severity};
use crate::semantics::directives::Scope;
use crate::semantics::fields::{media_type, members};
use crate::semantics::no_vary_search::{MOST_PARAMETERS, SearchVariance};
use crate::semantics::reason::Reason;
use http::header::{self, HeaderMap};

/// Parameters that say where a visitor comes from, and that no page depends on.
const TRACKING: [&str; 13] = [
    "gclid",
    "gbraid",
    "wbraid",
    "dclid",
    "fbclid",
    "msclkid",
    "yclid",
    "ttclid",
    "igshid",
    "twclid",
    "li_fat_id",
    "mc_cid",
    "mc_eid",
];

/// The most bytes that need not be compressed.
const SMALL: u64 = 4096;

/// Types of text besides `text/`.
const TEXTS: [&[u8]; 6] = [
    b"application/json",
    b"application/javascript",
    b"application/xml",
    b"application/xhtml+xml",
    b"application/ld+json",
    b"image/svg+xml",
];

/// The most codings of a request that are looked at.
const MOST_CODINGS: usize = 32;

pub(super) const RULES: &[Rule] = &[
    Rule {
        code: "slow-not-stored",
        severity: Severity::Warning,
        sentence: "takes long to make, is asked for again and again by visitors who are nobody in \
            particular, and is not kept",
        fix: (
            "State a lifetime, if only of seconds: `Cache-Control: s-maxage=10`. If it is for one \
             visitor, say `private`; if it is another one each time, `no-store`.",
            Some("`@cache_control(s_maxage=10)`, or `@cache_control(private=True)`"),
            Some(
                "`response.cache_control.s_maxage = 10`, or `response.cache_control.private = True`",
            ),
        ),
        has: |sample| {
            let reason = sample.seen.cache.detail;
            let undecided = [Reason::NoLifetime, Reason::VaryAny, Reason::Pretence];
            let why = reason.is_some_and(|reason| undecided.contains(&reason));
            let again = sample.before.count >= 3 && !sample.seen.personal;
            sample.is_ok() && sample.took(500) && again && why && !sample.seen.cache.stored
        },
    },
    Rule {
        code: "not-found-again",
        severity: Severity::Info,
        sentence: "says that nothing is there, again and again, and not for how long that holds",
        fix: (
            "Set `cache.negative_ttl = \"10s\"`, or state a lifetime on such answers. If your own \
             pages link there, mend the link.",
            None,
            None,
        ),
        has: |sample| {
            let gone = matches!(sample.seen.status.as_u16(), 404 | 410);
            gone && sample.lacks_lifetime() && sample.before.count >= 10 && !sample.seen.personal
        },
    },
    Rule {
        code: "redirect-again",
        severity: Severity::Info,
        sentence: "leads to the same place again and again, and doesn't say for how long that holds",
        fix: (
            "State a lifetime on it: `Cache-Control: s-maxage=3600, max-age=0`.",
            Some(
                "`path(\"old/\", cache_control(s_maxage=3600, max_age=0)(RedirectView.as_view(...)))`",
            ),
            Some("`response = redirect(...); response.cache_control.s_maxage = 3600`"),
        ),
        has: |sample| {
            let moved = matches!(sample.seen.status.as_u16(), 301 | 302 | 307 | 308);
            let depends = sample.nominated.names(&header::COOKIE) || sample.seen.personal;
            moved && sample.lacks_lifetime() && !depends && sample.before.led >= 10
        },
    },
    Rule {
        code: "tracking-parameters",
        severity: Severity::Warning,
        sentence: "is kept for each value of a parameter that only tells where a visitor comes \
            from (utm_source, gclid, fbclid and the like): one page, made many times",
        fix: (
            "Name them in `cache.ignored_parameters`, or set a `preset`, which does: the app does \
             not see them then. Or say for each page that they don't matter: \
             `No-Vary-Search: params=(\"utm_source\" \"utm_medium\" \"utm_campaign\" \"gclid\")`.",
            Some(
                "`preset = \"django\"`; or set `response.headers[\"No-Vary-Search\"]` in a middleware.",
            ),
            Some(
                "`preset = \"flask\"`; or set `response.headers[\"No-Vary-Search\"]` in `after_request`.",
            ),
        ),
        has: |sample| sample.is_page() && sample.seen.cache.stored && is_split(sample),
    },
    Rule {
        code: "not-compressed",
        severity: Severity::Info,
        sentence: "is text of more than a few KiB, and not compressed though the client takes gzip",
        fix: (
            "Compress in the app, so that larder keeps it compressed. If whoever stands before \
             larder compresses, leave it as it is.",
            Some("Add `GZipMiddleware` to `MIDDLEWARE`, directly below `SecurityMiddleware`."),
            Some("Flask-Compress does it; for static files, WhiteNoise serves `.gz` beside them."),
        ),
        has: |sample| {
            let fields = sample.seen.fields;
            let length = fields.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok());
            let large = length.and_then(|v| v.parse::<u64>().ok()).is_some_and(|l| l > SMALL);
            let plain = !sample.has(header::CONTENT_ENCODING) && !sample.says(&["no-transform"]);
            // What holds secrets may be plain on purpose.
            let secret = sample.seen.personal
                || sample.has(header::SET_COOKIE)
                || sample.said.no_store
                || sample.said.private != Scope::Absent;
            sample.is_ok() && large && plain && !secret && is_text(fields) && takes_gzip(sample)
        },
    },
];

/// Whether a parameter that tracks is in the query, and counts.
fn is_split(sample: &Sample<'_>) -> bool {
    let tracks = |query: &str| {
        let pairs = query.split('&').take(MOST_PARAMETERS);
        let mut names = pairs.map(|pair| pair.split('=').next().unwrap_or_default());
        names.any(|name| name.starts_with("utm_") || TRACKING.contains(&name))
    };
    let query = sample.query();
    tracks(query)
        && SearchVariance::of(sample.seen.fields)
            .is_none_or(|variance| tracks(&variance.canonical(query)))
}

fn is_text(fields: &HeaderMap) -> bool {
    let name = media_type(fields);
    let is_stream = name.eq_ignore_ascii_case(b"text/event-stream");
    let is_plain = name.len() > 5 && name[..5].eq_ignore_ascii_case(b"text/");
    is_plain && !is_stream || TEXTS.iter().any(|text| text.eq_ignore_ascii_case(name))
}

/// Whether the client takes gzip, and says so without a weight of nothing.
fn takes_gzip(sample: &Sample<'_>) -> bool {
    members(sample.seen.asked, &header::ACCEPT_ENCODING).take(MOST_CODINGS).any(|member| {
        let mut parts = member.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let coding = parts.next().unwrap_or_default();
        let refused = parts
            .any(|part| part.starts_with(b"q=0") && !part.iter().any(|b| matches!(b, b'1'..=b'9')));
        coding.eq_ignore_ascii_case(b"gzip") && !refused
    })
}
