//! May the stored response be used for this request, now? (RFC 9111 section 4.)

use super::freshness::{Freshness, StaleCause};
use super::time::Moment;
use std::time::Duration;

/// What may be done with the stored response that a request selects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    /// Answer with it.
    Fresh,
    /// Answer with it although it is stale, and validate it behind.
    StaleAndValidate,
    /// Ask the origin first, with the stored validators.
    Validate,
    /// Not for this request: its lifetime is a guess, made for visitors who do
    /// not say who they are.
    NotForThisVisitor,
}

/// Decides for a selected response. `softened` is when an operator purged it
/// softly; `personal` says that the request identifies its visitor.
pub fn decide(
    freshness: &Freshness,
    softened: Option<Moment>,
    personal: bool,
    now: Moment,
) -> Reuse {
    if personal && freshness.lifetime.is_assumed() {
        return Reuse::NotForThisVisitor;
    }
    if freshness.always_validate {
        return Reuse::Validate;
    }
    let (stale_since, cause) = stale_since(freshness, softened);
    if now < stale_since {
        return Reuse::Fresh;
    }
    if now.since(stale_since) < freshness.stale_window(cause) {
        Reuse::StaleAndValidate
    } else {
        Reuse::Validate
    }
}

/// What the origin did instead of answering well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It could not be reached, or it went away, or it took too long.
    Unreachable,
    /// It answered 500, 502, 503 or 504 (RFC 5861 section 4).
    Error,
}

/// What to answer when the origin failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// The stale response: better than the error.
    AnswerStale,
    /// The error.
    PassOn,
}

/// Decides section 4.2.4 and RFC 5861 section 4 for a selected stale response.
pub fn on_failure(
    freshness: &Freshness,
    softened: Option<Moment>,
    personal: bool,
    failure: Failure,
    now: Moment,
) -> OnFailure {
    if personal && freshness.lifetime.is_assumed() {
        return OnFailure::PassOn;
    }
    let (stale_since, _) = stale_since(freshness, softened);
    let cause = match failure {
        Failure::Unreachable => StaleCause::Down,
        Failure::Error => StaleCause::Error,
    };
    let window = freshness.stale_window(cause);
    if window > Duration::ZERO && now.since(stale_since) < window {
        OnFailure::AnswerStale
    } else {
        OnFailure::PassOn
    }
}

fn stale_since(freshness: &Freshness, softened: Option<Moment>) -> (Moment, StaleCause) {
    match softened {
        Some(at) if at < freshness.fresh_until() => (at, StaleCause::SoftPurge),
        _ => (freshness.fresh_until(), StaleCause::Revalidating),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantics::directives::ResponseDirectives;
    use crate::semantics::policy::Policy;
    use crate::semantics::time::{DeltaSeconds, Exchange};
    use http::header::CACHE_CONTROL;
    use http::{HeaderMap, HeaderValue, StatusCode};
    use std::time::SystemTime;

    fn stored(cache_control: &'static str) -> Freshness {
        let mut fields = HeaderMap::new();
        if !cache_control.is_empty() {
            fields.append(CACHE_CONTROL, HeaderValue::from_static(cache_control));
        }
        let exchange =
            Exchange { sent: Moment(0), received: Moment(0), received_at: SystemTime::UNIX_EPOCH };
        let policy = Policy {
            default_lifetime: DeltaSeconds::new(10),
            stale_when_down: DeltaSeconds::new(100),
            soft_purge_window: DeltaSeconds::new(5),
            ..Policy::default()
        };
        let directives = ResponseDirectives::of(&fields);
        Freshness::of(StatusCode::OK, &fields, &directives, &exchange, &policy, false)
    }

    fn at(seconds: u64) -> Moment {
        Moment(seconds * 1000)
    }

    #[test]
    fn fresh_then_stale_then_to_be_validated() {
        let response = stored("max-age=10, stale-while-revalidate=5");
        for (second, expected) in [
            (0, Reuse::Fresh),
            (9, Reuse::Fresh),
            (10, Reuse::StaleAndValidate),
            (14, Reuse::StaleAndValidate),
            (15, Reuse::Validate),
        ] {
            assert_eq!(decide(&response, None, false, at(second)), expected, "{second} s");
        }
        // Section 5.2.2.4.
        let no_cache = stored("no-cache, max-age=10");
        assert_eq!(decide(&no_cache, None, false, at(0)), Reuse::Validate);
    }

    #[test]
    fn a_soft_purge_makes_stale_for_a_window() {
        let response = stored("max-age=100");
        let softened = Some(at(20));
        assert_eq!(decide(&response, softened, false, at(21)), Reuse::StaleAndValidate);
        assert_eq!(decide(&response, softened, false, at(25)), Reuse::Validate);
        let strict = stored("max-age=100, must-revalidate");
        assert_eq!(decide(&strict, softened, false, at(21)), Reuse::Validate);
    }

    #[test]
    fn what_was_assumed_is_not_for_the_identified() {
        let assumed = stored("");
        assert_eq!(decide(&assumed, None, false, at(1)), Reuse::Fresh);
        assert_eq!(decide(&assumed, None, true, at(1)), Reuse::NotForThisVisitor);
        assert_eq!(
            on_failure(&assumed, None, true, Failure::Unreachable, at(11)),
            OnFailure::PassOn
        );
        assert_eq!(decide(&stored("max-age=10"), None, true, at(1)), Reuse::Fresh);
    }

    #[test]
    fn stale_stands_in_for_a_failed_origin_within_its_window() {
        let plain = stored("max-age=10");
        assert_eq!(on_failure(&plain, None, false, Failure::Error, at(11)), OnFailure::PassOn);
        assert_eq!(
            on_failure(&plain, None, false, Failure::Unreachable, at(109)),
            OnFailure::AnswerStale
        );
        assert_eq!(
            on_failure(&plain, None, false, Failure::Unreachable, at(110)),
            OnFailure::PassOn
        );
        let allowed = stored("max-age=10, stale-if-error=5");
        assert_eq!(
            on_failure(&allowed, None, false, Failure::Error, at(14)),
            OnFailure::AnswerStale
        );
        assert_eq!(on_failure(&allowed, None, false, Failure::Error, at(15)), OnFailure::PassOn);
        let strict = stored("max-age=10, must-revalidate");
        assert_eq!(
            on_failure(&strict, None, false, Failure::Unreachable, at(11)),
            OnFailure::PassOn
        );
    }
}
