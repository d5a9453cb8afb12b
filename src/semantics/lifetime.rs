//! How long a response is fresh, and who says so (RFC 9111 section 4.2.1).

use super::date::date_in;
use super::directives::{ResponseDirectives, Scope};
use super::policy::Policy;
use super::time::{DeltaSeconds, Exchange};
use http::StatusCode;
use http::header::{self, HeaderMap};
use std::time::SystemTime;

/// Where a freshness lifetime comes from, strongest first (section 4.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// `s-maxage`.
    SharedMaxAge,
    /// `max-age`.
    MaxAge,
    /// `Expires` less `Date`.
    Expires,
    /// A tenth of the time since `Last-Modified` (section 4.2.2).
    Heuristic,
    /// The operator's default, for responses that state nothing.
    Configured,
    /// Nothing states or allows a lifetime.
    Nothing,
}

impl Source {
    /// What says so, in words.
    pub fn words(self) -> &'static str {
        match self {
            Source::SharedMaxAge => "s-maxage",
            Source::MaxAge => "max-age",
            Source::Expires => "Expires less Date",
            Source::Heuristic => "a tenth of the time since Last-Modified (cache.heuristic_max)",
            Source::Configured => "cache.default_ttl or cache.negative_ttl",
            Source::Nothing => "nothing that states one",
        }
    }
}

/// How long a response is fresh, and who says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FreshnessLifetime {
    /// The lifetime, counted from when the origin made the response.
    pub span: DeltaSeconds,
    /// Who says so.
    pub source: Source,
}

impl FreshnessLifetime {
    /// Nobody has said how long: it is a guess, by the RFC's rule of thumb or by
    /// the operator's default. A guess is for visitors who do not say who they
    /// are.
    pub fn is_assumed(self) -> bool {
        matches!(self.source, Source::Heuristic | Source::Configured)
    }

    /// The origin has said how long, if only that it is no time at all.
    pub fn is_explicit(self) -> bool {
        matches!(self.source, Source::SharedMaxAge | Source::MaxAge | Source::Expires)
    }
}

/// The freshness lifetime of a response, as a shared cache counts it.
///
/// `identified` says that the request told who its visitor is: then nothing is
/// assumed about a response that states nothing. What is stated and cannot be
/// understood is no time at all (section 4.2.1).
pub fn lifetime(
    status: StatusCode,
    fields: &HeaderMap,
    directives: &ResponseDirectives,
    exchange: &Exchange,
    policy: &Policy,
    identified: bool,
) -> FreshnessLifetime {
    let of = |span, source| FreshnessLifetime { span, source };
    for (value, source) in
        [(directives.s_maxage, Source::SharedMaxAge), (directives.max_age, Source::MaxAge)]
    {
        if value.is_present() {
            return of(value.given().unwrap_or_default(), source);
        }
    }
    let now = exchange.received_at;
    let date = date_in(fields, &header::DATE, now).unwrap_or(now);
    // A field for this cache replaces Expires too (RFC 9213 section 2.2).
    if fields.contains_key(header::EXPIRES) && !directives.targeted {
        let expires = date_in(fields, &header::EXPIRES, now);
        return of(seconds_between(date, expires.unwrap_or(date)), Source::Expires);
    }
    if directives.no_cache == Scope::Whole || pragma_alone(fields, directives) {
        return of(DeltaSeconds::ZERO, Source::Nothing);
    }
    if let (Some(max), Some(modified)) =
        (policy.heuristic_max, date_in(fields, &header::LAST_MODIFIED, now))
        && (directives.public || heuristically_cacheable(status))
        && !identified
    {
        let tenth = seconds_between(modified, date).get() / 10;
        return of(DeltaSeconds::new(u64::from(tenth)).min(max), Source::Heuristic);
    }
    let configured = configured(status, policy);
    if configured > DeltaSeconds::ZERO && !identified {
        return of(configured, Source::Configured);
    }
    of(DeltaSeconds::ZERO, Source::Nothing)
}

/// The operator's default for a status. 5xx are left out, 501 too: an app in
/// trouble says nothing about its pages.
fn configured(status: StatusCode, policy: &Policy) -> DeltaSeconds {
    match status.as_u16() {
        _ if success_or_move(status) => policy.default_lifetime,
        404 | 410 => policy.negative_lifetime,
        _ => DeltaSeconds::ZERO,
    }
}

/// `Pragma: no-cache` without `Cache-Control`: no meaning in a response by the
/// RFC (section 5.4), yet whoever writes it does not expect a guess.
fn pragma_alone(fields: &HeaderMap, directives: &ResponseDirectives) -> bool {
    !directives.present && super::fields::has_member(fields, &header::PRAGMA, "no-cache")
}

/// Statuses that may be given a lifetime by heuristics (RFC 9110 section 15.1).
pub fn heuristically_cacheable(status: StatusCode) -> bool {
    matches!(status.as_u16(), 200 | 203 | 204 | 206 | 300 | 301 | 308 | 404 | 405 | 410 | 414 | 501)
}

/// Statuses that the operator's default covers. Errors are left out: a visitor
/// can provoke them.
fn success_or_move(status: StatusCode) -> bool {
    matches!(status.as_u16(), 200 | 203 | 204 | 206 | 300 | 301 | 308)
}

fn seconds_between(from: SystemTime, to: SystemTime) -> DeltaSeconds {
    DeltaSeconds::new(to.duration_since(from).map_or(0, |span| span.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantics::testing::{NOON, date, exchange, fields};

    fn policy() -> Policy {
        Policy {
            heuristic_max: Some(DeltaSeconds::new(86_400)),
            default_lifetime: DeltaSeconds::new(7),
            negative_lifetime: DeltaSeconds::new(3),
            ..Policy::default()
        }
    }

    fn judged(pairs: &[(&'static str, String)], status: u16, identified: bool) -> (u32, Source) {
        let fields = fields(pairs);
        let life = lifetime(
            StatusCode::from_u16(status).expect("a status"),
            &fields,
            &ResponseDirectives::of(&fields),
            &exchange(),
            &policy(),
            identified,
        );
        (life.span.get(), life.source)
    }

    #[test]
    fn the_strongest_statement_counts() {
        let cc = |text: &str| ("cache-control", text.to_string());
        // Section 4.2.1, in its order.
        assert_eq!(judged(&[cc("s-maxage=5, max-age=9")], 200, false), (5, Source::SharedMaxAge));
        assert_eq!(
            judged(
                &[cc("max-age=9"), ("expires", date(NOON + 99)), ("date", date(NOON))],
                200,
                false
            ),
            (9, Source::MaxAge)
        );
        assert_eq!(
            judged(&[("expires", date(NOON + 99)), ("date", date(NOON - 1))], 200, false),
            (100, Source::Expires)
        );
        // Section 5.3: no date is a time in the past; Date missing is now.
        assert_eq!(judged(&[("expires", "0".into())], 200, false), (0, Source::Expires));
        assert_eq!(judged(&[("expires", date(NOON + 5))], 200, false), (5, Source::Expires));
        // What cannot be understood is stale, not the next statement's turn.
        assert_eq!(
            judged(&[cc("max-age=1.5"), ("expires", date(NOON + 99))], 200, false),
            (0, Source::MaxAge)
        );
        assert_eq!(judged(&[cc("s-maxage=x, max-age=9")], 200, false), (0, Source::SharedMaxAge));
    }

    #[test]
    fn guesses_come_last_and_never_for_errors_or_the_identified() {
        let modified = ("last-modified", date(NOON - 1000));
        // Section 4.2.2: ten percent, capped.
        assert_eq!(judged(std::slice::from_ref(&modified), 200, false), (100, Source::Heuristic));
        for status in [404, 405, 414, 501] {
            let judged = judged(std::slice::from_ref(&modified), status, false);
            assert_eq!(judged, (100, Source::Heuristic), "{status}");
        }
        assert_eq!(judged(&[("last-modified", date(1))], 200, false), (86_400, Source::Heuristic));
        assert_eq!(judged(std::slice::from_ref(&modified), 500, false).1, Source::Nothing);
        assert_eq!(judged(&[], 200, false), (7, Source::Configured));
        assert_eq!(judged(&[], 200, true), (0, Source::Nothing));
        assert_eq!(judged(std::slice::from_ref(&modified), 200, true), (0, Source::Nothing));
        let public = ("cache-control", "public".to_string());
        assert_eq!(judged(&[modified.clone(), public], 200, true), (0, Source::Nothing));
        // RFC 9110 section 15.1, but for what says nothing about the page.
        for status in [404, 410] {
            assert_eq!(judged(&[], status, false), (3, Source::Configured), "{status}");
            assert_eq!(judged(&[], status, true), (0, Source::Nothing), "{status}");
        }
        for status in [400, 401, 403, 405, 414, 429, 500, 501, 503] {
            assert_eq!(judged(&[], status, false), (0, Source::Nothing), "{status}");
        }
        let stated = ("cache-control", "max-age=9".to_string());
        assert_eq!(judged(&[stated], 404, false), (9, Source::MaxAge));
        assert_eq!(judged(&[("pragma", "no-cache".into())], 200, false), (0, Source::Nothing));
        assert_eq!(
            judged(&[("cache-control", "no-cache".into())], 200, false),
            (0, Source::Nothing)
        );
    }
}
