//! What an operator may add to the RFC: lifetimes it leaves open, which cookies
//! say who a visitor is, and where it gives a choice, that choice.

use super::cookies::Cookies;
use super::time::DeltaSeconds;
use http::header::HeaderName;
use std::time::Duration;

/// So many hundredths of something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Percent(pub u8);

impl Percent {
    /// That much of a span.
    pub fn of(self, span: Duration) -> Duration {
        span * u32::from(self.0) / 100
    }
}

/// The operator's choices that the decisions of this module take.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Lifetime of a successful response that states none; zero for none.
    pub default_lifetime: DeltaSeconds,
    /// The same for a page that isn't there (404, 410); zero for none.
    pub negative_lifetime: DeltaSeconds,
    /// The longest heuristic lifetime (RFC 9111 section 4.2.2); `None` switches
    /// heuristics off.
    pub heuristic_max: Option<DeltaSeconds>,
    /// `stale-while-revalidate` of a response that states none.
    pub stale_while_revalidate: DeltaSeconds,
    /// `stale-if-error` of a response that states none.
    pub stale_if_error: DeltaSeconds,
    /// How long a stale response may stand in for an origin that cannot be
    /// reached (section 4.2.4).
    pub stale_when_down: DeltaSeconds,
    /// How long after a soft purge the old response may be given out while it
    /// is being validated.
    pub soft_purge_window: DeltaSeconds,
    /// How long past its freshness a response is held for its validator, if none
    /// of its windows is longer.
    pub keep: DeltaSeconds,
    /// The most that is taken off a lifetime, so that what is stored together
    /// does not expire together.
    pub jitter: Percent,
    /// In which last part of its time a response that is asked for often is
    /// refreshed; none for never.
    pub early_refresh: Percent,
    /// Which cookies identify a visitor.
    pub cookies: Cookies,
    /// Request fields that do so too, besides those that are [known](super::identity).
    pub identity_fields: Vec<HeaderName>,
    /// Response fields that speak to this cache, strongest first (RFC 9213).
    pub targeted: Vec<HeaderName>,
    /// Store a response with `Set-Cookie`, and give its cookie to everybody.
    pub store_set_cookie: bool,
    /// `must-revalidate` allows storing the response to a request with
    /// `Authorization` (section 3.5).
    pub authorized_must_revalidate: bool,
    /// The order of languages in `Accept-Language` means nothing (RFC 9110
    /// section 12.5.4 calls it unreliable).
    pub ignore_language_order: bool,
    /// `s-maxage` forbids the staleness that the same response allows (section
    /// 5.2.2.10, read strictly).
    pub s_maxage_forbids_stale: bool,
    /// A 206 whose body is shorter than its place is kept as far as it goes.
    pub lenient_partials: bool,
}
