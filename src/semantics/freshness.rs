//! How old a response is, how long it stays fresh, and how long it may be used
//! after that (RFC 9111 section 4.2).
//!
//! Decided once, when the response is stored: a [`Freshness`] is a handful of
//! integers, and a hit compares them with `now`.

use super::date::date_in;
use super::directives::{ResponseDirectives, Scope, Value};
use super::lifetime::{FreshnessLifetime, Source, lifetime};
use super::policy::{Percent, Policy};
use super::time::{DeltaSeconds, Exchange, Moment};
use http::StatusCode;
use http::header::{self, HeaderMap};
use std::time::Duration;

/// The shortest time left that is worth being spread.
const WORTH_SPREADING: Duration = Duration::from_secs(10);
/// In how many steps it is.
const STEPS: u16 = 1 << 10;
/// The longest time before the end in which a response is refreshed early.
const NEAR_THE_END: Duration = Duration::from_secs(30);

/// The age of a response when it arrived: `corrected_initial_age` of section
/// 4.2.3, in the RFC's own variables.
pub fn corrected_initial_age(fields: &HeaderMap, exchange: &Exchange) -> Duration {
    let now = exchange.received_at;
    let date_value = date_in(fields, &header::DATE, now).unwrap_or(now);
    let age_value = age_value(fields).duration();
    let apparent_age = now.duration_since(date_value).unwrap_or_default();
    // `Date` has whole seconds: less than one is no age.
    let apparent_age = Duration::from_secs(apparent_age.as_secs());
    let response_delay = exchange.received.since(exchange.sent);
    let corrected_age_value = age_value + response_delay;
    apparent_age.max(corrected_age_value)
}

/// The `Age` field: the first member counts, and anything but a number of
/// seconds is ignored (section 5.1).
fn age_value(fields: &HeaderMap) -> DeltaSeconds {
    super::fields::members(fields, &header::AGE)
        .next()
        .and_then(DeltaSeconds::parse)
        .unwrap_or_default()
}

/// What a stored response knows of its own age and lifetime, in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Freshness {
    /// The lifetime and who stated it.
    pub lifetime: FreshnessLifetime,
    /// `no-cache`: never used without validation.
    pub always_validate: bool,
    /// No directive forbids to use it stale (section 4.2.4).
    pub may_be_stale: bool,
    early: Percent,
    received: Moment,
    /// In milliseconds, as all ages are.
    initial_age: u64,
    fresh_until: Moment,
    /// For how many milliseconds it had been stale when it came.
    overdue: u64,
    revalidate_window: DeltaSeconds,
    error_window: DeltaSeconds,
    down_window: DeltaSeconds,
    soft_window: DeltaSeconds,
    keep: DeltaSeconds,
}

impl Freshness {
    /// Decides all of it for a response that is about to be stored.
    pub fn of(
        status: StatusCode,
        fields: &HeaderMap,
        directives: &ResponseDirectives,
        exchange: &Exchange,
        policy: &Policy,
        identified: bool,
    ) -> Freshness {
        let lifetime = lifetime(status, fields, directives, exchange, policy, identified);
        let initial_age = corrected_initial_age(fields, exchange);
        let span = lifetime.span.duration();
        // The operator's default counts from when the response came.
        let spent = match lifetime.source {
            Source::Configured => Duration::ZERO,
            _ => initial_age,
        };
        let (remaining, overdue) = (span.saturating_sub(spent), spent.saturating_sub(span));
        let windows = StaleWindows::of(status, directives, policy);
        Freshness {
            lifetime,
            always_validate: directives.no_cache == Scope::Whole,
            may_be_stale: windows.allowed,
            received: exchange.received,
            initial_age: millis(initial_age),
            fresh_until: exchange.received.plus(remaining),
            overdue: millis(overdue),
            revalidate_window: windows.revalidate,
            error_window: windows.error,
            down_window: windows.down,
            soft_window: windows.soft,
            early: policy.early_refresh,
            keep: windows.longest().max(policy.keep),
        }
    }

    /// Takes something off the time for which it is still fresh, at most `share`
    /// of it: how much, `seed` says. Never adds any, since nobody may make a
    /// lifetime longer than it is stated; what is short is left alone.
    pub fn spread(self, share: Percent, seed: u16) -> Freshness {
        let left = self.fresh_until.since(self.received);
        if left < WORTH_SPREADING {
            return self;
        }
        let off = share.of(left) * u32::from(seed % STEPS) / u32::from(STEPS);
        Freshness { fresh_until: self.received.plus(left.saturating_sub(off)), ..self }
    }

    /// `current_age` (section 4.2.3).
    pub fn current_age(&self, now: Moment) -> Duration {
        let resident_time = now.since(self.received);
        Duration::from_millis(self.initial_age) + resident_time
    }

    /// `corrected_initial_age` (section 4.2.3): how old it was when it came.
    pub fn initial_age(&self) -> Duration {
        Duration::from_millis(self.initial_age)
    }

    /// What the `Age` field says: whole seconds, at most 2^31.
    pub fn age(&self, now: Moment) -> DeltaSeconds {
        DeltaSeconds::new(self.current_age(now).as_secs())
    }

    /// Seconds for which the response stays fresh; negative once it is stale.
    pub fn ttl(&self, now: Moment) -> i64 {
        let whole = |span: Duration| i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
        if self.fresh_until > now {
            whole(self.fresh_until.since(now))
        } else {
            -whole(now.since(self.fresh_until))
        }
    }

    /// When the response stops being fresh.
    pub fn fresh_until(&self) -> Moment {
        self.fresh_until
    }

    /// From when on it is near enough to its end to be refreshed early.
    pub fn near_its_end_from(&self) -> Moment {
        let early = self.early.of(self.fresh_until.since(self.received)).min(NEAR_THE_END);
        self.fresh_until.minus(early)
    }

    /// When there is no use in it any more: neither as a stale answer nor, by the
    /// policy, for its validator.
    pub fn kept_until(&self) -> Moment {
        self.fresh_until.plus(self.keep.duration())
    }

    /// How long after it became stale it may be used for `cause`.
    pub fn stale_window(&self, cause: StaleCause) -> Duration {
        // What came stale has used up some of its windows too (RFC 5861
        // section 3: they begin when the lifetime is over).
        let overdue = Duration::from_millis(self.overdue);
        let left = |window: DeltaSeconds| window.duration().saturating_sub(overdue);
        match cause {
            StaleCause::Revalidating => left(self.revalidate_window),
            StaleCause::Error => left(self.error_window),
            StaleCause::Down => left(self.down_window.max(self.error_window)),
            StaleCause::Slow => left(self.down_window),
            StaleCause::SoftPurge => self.soft_window.duration().max(left(self.revalidate_window)),
        }
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// Why a stale response may be used all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StaleCause {
    /// While it is validated behind the visitor's back (RFC 5861 section 3).
    Revalidating,
    /// Because the origin answered with an error (RFC 5861 section 4).
    Error,
    /// Because the origin cannot be reached (RFC 9111 section 4.2.4).
    Down,
    /// Because the origin has not answered for a while (section 4.2.4, as
    /// configured): for as long as it might stand in for one that is away.
    Slow,
    /// Because an operator purged it softly.
    SoftPurge,
}

struct StaleWindows {
    allowed: bool,
    revalidate: DeltaSeconds,
    error: DeltaSeconds,
    down: DeltaSeconds,
    soft: DeltaSeconds,
}

impl StaleWindows {
    /// Directives that forbid stale use close every window. `s-maxage` closes
    /// those that the operator opened (it has the meaning of
    /// `proxy-revalidate`, section 5.2.2.10), but those that the same response
    /// opens beside it only if the policy says so: frameworks rely on the pair. An
    /// error (4xx) does not stand in for another unless it says so itself: who is
    /// told "not found" does not come back.
    fn of(status: StatusCode, directives: &ResponseDirectives, policy: &Policy) -> StaleWindows {
        let none = DeltaSeconds::ZERO;
        let forbidden = directives.must_revalidate
            || directives.proxy_revalidate
            || directives.no_cache == Scope::Whole
            || (policy.s_maxage_forbids_stale && directives.s_maxage.is_present());
        if forbidden {
            let (revalidate, error, down, soft) = (none, none, none, none);
            return StaleWindows { allowed: false, revalidate, error, down, soft };
        }
        let allowed = !directives.s_maxage.is_present();
        let by_operator = |span| match allowed && !status.is_client_error() {
            true => span,
            false => none,
        };
        let stated = |value: Value<DeltaSeconds>, default| match value {
            Value::Given(span) => span,
            Value::Unusable => none,
            Value::Absent => by_operator(default),
        };
        StaleWindows {
            allowed,
            revalidate: stated(directives.stale_while_revalidate, policy.stale_while_revalidate),
            error: stated(directives.stale_if_error, policy.stale_if_error),
            down: by_operator(policy.stale_when_down),
            soft: policy.soft_purge_window,
        }
    }

    fn longest(&self) -> DeltaSeconds {
        self.revalidate.max(self.error).max(self.down)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantics::testing::{NOON, at, date, exchange, fields};
    use proptest::prelude::*;

    fn policy() -> Policy {
        Policy {
            heuristic_max: Some(DeltaSeconds::new(86_400)),
            default_lifetime: DeltaSeconds::new(7),
            ..Policy::default()
        }
    }

    #[test]
    fn age_adds_up_through_a_chain() {
        let late = Exchange { sent: Moment(0), received: Moment(2_500), received_at: at(NOON) };
        // Section 4.2.3: the greater of Date's age and Age plus the delay.
        assert_eq!(
            corrected_initial_age(&fields(&[("age", "10")]), &late),
            Duration::from_millis(12_500)
        );
        assert_eq!(
            corrected_initial_age(
                &fields(&[("age", "10".to_string()), ("date", date(NOON - 60))]),
                &late
            ),
            Duration::from_secs(60)
        );
        // Section 5.1: the first of several; what is no number is ignored.
        for (age, expected) in [
            ("7200, 0", 7200),
            ("0, 7200", 0),
            ("-5", 0),
            ("1.5", 0),
            ("99999999999999999999", 1 << 31),
        ] {
            let initial = corrected_initial_age(&fields(&[("age", age)]), &exchange());
            assert_eq!(initial, Duration::from_secs(expected), "{age}");
        }
        // A Date in the future is no negative age.
        assert_eq!(
            corrected_initial_age(&fields(&[("date", date(NOON + 60))]), &exchange()),
            Duration::ZERO
        );
    }

    #[test]
    fn stale_windows_close_when_staleness_is_forbidden() {
        let open = Policy {
            stale_while_revalidate: DeltaSeconds::new(1),
            stale_if_error: DeltaSeconds::new(2),
            stale_when_down: DeltaSeconds::new(3),
            ..policy()
        };
        let window = |text: &'static str| {
            let fields = fields(&[("cache-control", text.to_string())]);
            let directives = ResponseDirectives::of(&fields);
            let f = Freshness::of(StatusCode::OK, &fields, &directives, &exchange(), &open, false);
            [StaleCause::Revalidating, StaleCause::Error, StaleCause::Down]
                .map(|cause| f.stale_window(cause).as_secs())
        };
        assert_eq!(window("max-age=1"), [1, 2, 3]);
        assert_eq!(window("max-age=1, stale-while-revalidate=9, stale-if-error=8"), [9, 8, 8]);
        assert_eq!(window("max-age=1, stale-while-revalidate=x"), [0, 2, 3]);
        assert_eq!(window("s-maxage=1"), [0, 0, 0]);
        assert_eq!(window("s-maxage=1, stale-while-revalidate=9"), [9, 0, 0]);
        for forbidding in ["must-revalidate", "proxy-revalidate", "no-cache"] {
            let text: &'static str =
                Box::leak(format!("max-age=1, stale-if-error=9, {forbidding}").into());
            assert_eq!(window(text), [0, 0, 0], "{forbidding}");
        }
    }

    fn stated(text: &str) -> Freshness {
        let fields = fields(&[("cache-control", text)]);
        let directives = ResponseDirectives::of(&fields);
        Freshness::of(StatusCode::OK, &fields, &directives, &exchange(), &policy(), false)
    }

    #[test]
    fn lifetimes_are_spread_downwards_by_a_share_at_most() {
        let left = |text, percent, seed| {
            let f = stated(text).spread(Percent(percent), seed);
            f.fresh_until().since(exchange().received).as_millis()
        };
        assert_eq!(left("max-age=1000", 5, 0), 1_000_000);
        assert_eq!(left("max-age=1000", 5, 512), 975_000);
        assert_eq!(left("max-age=1000", 5, u16::MAX), 950_048);
        assert_eq!(left("max-age=1000", 0, u16::MAX), 1_000_000);
        assert_eq!(left("max-age=10", 5, 512), 9_750);
        for short in ["max-age=9", "max-age=0", "no-cache"] {
            assert_eq!(left(short, 5, 512), left(short, 0, 0), "{short}");
        }
        // Only what is left is spread: what comes old is not stale at once.
        let old = fields(&[("cache-control", "max-age=1000"), ("age", "980")]);
        let directives = ResponseDirectives::of(&old);
        let f = Freshness::of(StatusCode::OK, &old, &directives, &exchange(), &policy(), false);
        assert_eq!(f.spread(Percent(5), 512).ttl(exchange().received), 19);
    }

    #[test]
    fn a_stale_response_is_kept_for_as_long_as_it_is_of_use() {
        let kept = |text: &'static str, keep| {
            let policy = Policy { keep: DeltaSeconds::new(keep), ..policy() };
            let fields = fields(&[("cache-control", text)]);
            let directives = ResponseDirectives::of(&fields);
            let f =
                Freshness::of(StatusCode::OK, &fields, &directives, &exchange(), &policy, false);
            f.kept_until().since(exchange().received).as_secs()
        };
        assert_eq!(kept("max-age=10", 0), 10);
        assert_eq!(kept("max-age=10", 60), 70);
        assert_eq!(kept("max-age=10, stale-if-error=100", 60), 110);
        assert_eq!(kept("no-cache, stale-if-error=100", 60), 60);
    }

    #[test]
    fn what_comes_stale_has_used_up_some_of_its_windows() {
        // RFC 5861 sections 3 and 4: counted from the end of the lifetime.
        let open = Policy { stale_when_down: DeltaSeconds::new(30), ..policy() };
        for (age, expected) in [("5", [9, 8, 30]), ("14", [5, 4, 26]), ("99", [0, 0, 0])] {
            let text = "max-age=10, stale-while-revalidate=9, stale-if-error=8";
            let fields = fields(&[("cache-control", text), ("age", age)]);
            let directives = ResponseDirectives::of(&fields);
            let f = Freshness::of(StatusCode::OK, &fields, &directives, &exchange(), &open, false);
            let windows = [StaleCause::Revalidating, StaleCause::Error, StaleCause::Down]
                .map(|cause| f.stale_window(cause).as_secs());
            assert_eq!(windows, expected, "Age: {age}");
        }
    }

    proptest! {
        #[test]
        fn age_grows_with_time_and_freshness_ends_once(
            max_age in 0u32..100, age in 0u32..100, first in 0u64..300_000, later in 0u64..300_000
        ) {
            let fields = fields(&[
                ("cache-control", format!("max-age={max_age}")), ("age", age.to_string()),
            ]);
            let directives = ResponseDirectives::of(&fields);
            let f = Freshness::of(StatusCode::OK, &fields, &directives, &exchange(), &policy(), false);
            let (a, b) = (Moment(1_000 + first), Moment(1_000 + first + later));
            prop_assert!(f.current_age(b) >= f.current_age(a));
            prop_assert!(f.ttl(b) <= f.ttl(a));
            // Fresh exactly while the lifetime is greater than the age.
            let fresh = f.fresh_until() > a;
            prop_assert_eq!(fresh, Duration::from_secs(max_age.into()) > f.current_age(a));
        }
    }
}
