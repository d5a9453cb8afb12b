//! May the stored response be used for this request, now? (RFC 9111 section 4.)

use super::directives::Value;
use super::freshness::{Freshness, StaleCause};
use super::request_directives::RequestDirectives;
use super::time::Moment;
use std::time::Duration;

/// What may be done with the stored response that a request selects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    /// Answer with it.
    Fresh,
    /// Answer with it; if it is asked for often, ask the origin for the next one
    /// before it is stale.
    FreshNearItsEnd,
    /// Answer with it although it is stale, and validate it behind.
    StaleAndValidate,
    /// Answer with it although it is stale: the request takes it so.
    StaleOnDemand,
    /// Ask the origin first, with the stored validators.
    Validate,
    /// The same, because the request wants it newer.
    ValidateOnDemand,
    /// Not for this request: its lifetime is a guess, made for visitors who do
    /// not say who they are.
    NotForThisVisitor,
}

/// Decides for a selected response. `softened` is when an operator purged it
/// softly; `personal` says that the request identifies its visitor; `demands`
/// is what the request may demand, which is nothing for nearly all.
pub fn decide(
    freshness: &Freshness,
    softened: Option<Moment>,
    personal: bool,
    demands: &RequestDirectives,
    now: Moment,
) -> Reuse {
    if personal && freshness.lifetime.is_assumed() {
        return Reuse::NotForThisVisitor;
    }
    if freshness.always_validate {
        return Reuse::Validate;
    }
    let (stale_since, cause) = stale_since(freshness, softened);
    if !is_enough(freshness, stale_since, demands, now) {
        return Reuse::ValidateOnDemand;
    }
    if now < stale_since {
        // Asking behind would ask as this visitor.
        let near = now >= freshness.near_its_end_from() && !personal;
        return if near { Reuse::FreshNearItsEnd } else { Reuse::Fresh };
    }
    if let Value::Given(most) = demands.max_stale
        && freshness.may_be_stale
        && softened.is_none()
        && now.since(stale_since) <= most.duration()
    {
        return Reuse::StaleOnDemand;
    }
    if now.since(stale_since) < freshness.stale_window(cause) {
        Reuse::StaleAndValidate
    } else {
        Reuse::Validate
    }
}

/// Whether a response is as new as the request wants it (section 5.2.1).
/// A demand that cannot be understood wants the newest.
fn is_enough(
    freshness: &Freshness,
    stale_since: Moment,
    demands: &RequestDirectives,
    now: Moment,
) -> bool {
    let young = match demands.max_age {
        Value::Absent => true,
        Value::Given(most) => freshness.current_age(now) <= most.duration(),
        Value::Unusable => false,
    };
    let lasting = match demands.min_fresh {
        Value::Absent => true,
        Value::Given(least) => stale_since.since(now) >= least.duration(),
        Value::Unusable => false,
    };
    !demands.no_cache && young && lasting
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

/// What to do about an origin that has not begun to answer in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenSlow {
    /// Answer with the stale response, and let the fetch go on.
    AnswerStale,
    /// Wait for the origin.
    Wait,
}

/// Decides section 4.2.4 for a selected stale response. What was purged softly
/// has the operator's window, which slowness does not make longer; and a request
/// that wants it newer waits.
pub fn when_slow(
    freshness: &Freshness,
    softened: Option<Moment>,
    personal: bool,
    demands: &RequestDirectives,
    now: Moment,
) -> WhenSlow {
    let (stale_since, cause) = stale_since(freshness, softened);
    let window = match cause {
        StaleCause::SoftPurge => freshness.stale_window(cause),
        _ => freshness.stale_window(StaleCause::Slow),
    };
    let for_them = !(personal && freshness.lifetime.is_assumed());
    if for_them
        && is_enough(freshness, stale_since, demands, now)
        && now.since(stale_since) < window
    {
        WhenSlow::AnswerStale
    } else {
        WhenSlow::Wait
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
    use crate::semantics::policy::{Percent, Policy};
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
            early_refresh: Percent(10),
            ..Policy::default()
        };
        let directives = ResponseDirectives::of(&fields);
        Freshness::of(StatusCode::OK, &fields, &directives, &exchange, &policy, false)
    }

    fn at(seconds: u64) -> Moment {
        Moment(seconds * 1000)
    }

    fn decided(f: &Freshness, softened: Option<Moment>, personal: bool, now: Moment) -> Reuse {
        decide(f, softened, personal, &RequestDirectives::default(), now)
    }

    #[test]
    fn what_a_request_demands() {
        use Reuse::{Fresh, StaleOnDemand, Validate, ValidateOnDemand};
        let (plain, strict) = (stored("max-age=10"), stored("max-age=10, must-revalidate"));
        let shared = stored("s-maxage=10");
        // Section 5.2.1, clause by clause.
        for (demands, response, second, expected) in [
            ("no-cache", &plain, 1, ValidateOnDemand),
            ("max-age=0", &plain, 1, ValidateOnDemand),
            ("max-age=1", &plain, 1, Fresh),
            ("max-age=x", &plain, 1, ValidateOnDemand),
            ("min-fresh=5", &plain, 5, Fresh),
            ("min-fresh=5", &plain, 6, ValidateOnDemand),
            ("max-stale=5", &plain, 15, StaleOnDemand),
            ("max-stale=5", &plain, 16, Validate),
            ("max-stale", &plain, 9_999, StaleOnDemand),
            ("max-stale=x", &plain, 11, Validate),
            ("max-stale", &strict, 11, Validate),
            ("max-stale", &shared, 11, Validate),
            ("max-stale, max-age=5", &plain, 11, ValidateOnDemand),
            ("max-stale, no-cache", &plain, 11, ValidateOnDemand),
            ("foo", &plain, 1, Fresh),
        ] {
            let mut fields = HeaderMap::new();
            fields.append(CACHE_CONTROL, HeaderValue::from_static(demands));
            let reuse = decide(response, None, false, &RequestDirectives::of(&fields), at(second));
            assert_eq!(reuse, expected, "{demands} after {second} s");
        }
        let mut fields = HeaderMap::new();
        fields.append(CACHE_CONTROL, HeaderValue::from_static("max-stale"));
        let demands = RequestDirectives::of(&fields);
        let purged = decide(&plain, Some(at(1)), false, &demands, at(20));
        assert_eq!(purged, Validate, "a purge is not for clients to set aside");
    }

    #[test]
    fn fresh_then_stale_then_to_be_validated() {
        let response = stored("max-age=10, stale-while-revalidate=5");
        for (second, expected) in [
            (0, Reuse::Fresh),
            (8, Reuse::Fresh),
            (9, Reuse::FreshNearItsEnd),
            (10, Reuse::StaleAndValidate),
            (14, Reuse::StaleAndValidate),
            (15, Reuse::Validate),
        ] {
            assert_eq!(decided(&response, None, false, at(second)), expected, "{second} s");
        }
        // Section 5.2.2.4.
        let no_cache = stored("no-cache, max-age=10");
        assert_eq!(decided(&no_cache, None, false, at(0)), Reuse::Validate);
    }

    #[test]
    fn near_its_end_it_may_be_refreshed_early() {
        use Reuse::{Fresh, FreshNearItsEnd, StaleAndValidate};
        for (line, softened, personal, second, expected) in [
            ("max-age=100", None, false, 89, Fresh),
            ("max-age=100", None, false, 90, FreshNearItsEnd),
            ("max-age=100", None, false, 99, FreshNearItsEnd),
            ("max-age=100", None, true, 99, Fresh),
            ("max-age=100", Some(at(50)), false, 51, StaleAndValidate),
            ("max-age=100, must-revalidate", None, false, 99, FreshNearItsEnd),
            // Half a minute is early enough.
            ("max-age=1000", None, false, 969, Fresh),
            ("max-age=1000", None, false, 970, FreshNearItsEnd),
            // A lifetime that is assumed is refreshed as any other.
            ("", None, false, 9, FreshNearItsEnd),
        ] {
            let decided = decided(&stored(line), softened, personal, at(second));
            assert_eq!(decided, expected, "{line} after {second} s");
        }
    }

    #[test]
    fn a_soft_purge_makes_stale_for_a_window() {
        let response = stored("max-age=100");
        let softened = Some(at(20));
        assert_eq!(decided(&response, softened, false, at(21)), Reuse::StaleAndValidate);
        assert_eq!(decided(&response, softened, false, at(25)), Reuse::Validate);
        let strict = stored("max-age=100, must-revalidate");
        assert_eq!(decided(&strict, softened, false, at(21)), Reuse::Validate);
    }

    #[test]
    fn what_was_assumed_is_not_for_the_identified() {
        let assumed = stored("");
        assert_eq!(decided(&assumed, None, false, at(1)), Reuse::Fresh);
        assert_eq!(decided(&assumed, None, true, at(1)), Reuse::NotForThisVisitor);
        assert_eq!(
            on_failure(&assumed, None, true, Failure::Unreachable, at(11)),
            OnFailure::PassOn
        );
        assert_eq!(decided(&stored("max-age=10"), None, true, at(1)), Reuse::Fresh);
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

    #[test]
    fn stale_stands_in_for_a_slow_origin_as_for_one_that_is_away() {
        use WhenSlow::{AnswerStale, Wait};
        let purged = Some(at(5));
        // Section 4.2.4, and what forbids it in section 5.2.2.
        for (line, softened, personal, second, expected) in [
            ("max-age=10", None, false, 109, AnswerStale),
            ("max-age=10", None, false, 110, Wait),
            ("max-age=10", None, true, 11, AnswerStale),
            ("", None, false, 11, AnswerStale),
            ("", None, true, 11, Wait),
            ("max-age=10, must-revalidate", None, false, 11, Wait),
            ("max-age=10, proxy-revalidate", None, false, 11, Wait),
            ("max-age=10, no-cache", None, false, 11, Wait),
            ("s-maxage=10", None, false, 11, Wait),
            // An error is not the same as slowness.
            ("s-maxage=10, stale-if-error=50", None, false, 11, Wait),
            ("max-age=100", purged, false, 9, AnswerStale),
            ("max-age=100", purged, false, 10, Wait),
        ] {
            let (response, now) = (stored(line), at(second));
            let demands = RequestDirectives::default();
            let decided = when_slow(&response, softened, personal, &demands, now);
            assert_eq!(decided, expected, "{line} after {second} s");
        }
        let mut fields = HeaderMap::new();
        fields.append(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        let demands = RequestDirectives::of(&fields);
        assert_eq!(when_slow(&stored("max-age=10"), None, false, &demands, at(11)), Wait);
    }
}
