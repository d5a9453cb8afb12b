//! What an operator may add to the RFC: lifetimes it leaves open, and which
//! cookies say who a visitor is.

use super::cookies::Cookies;
use super::time::DeltaSeconds;

/// The operator's choices that the decisions of this module take.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Lifetime of a successful response that states none; zero for none.
    pub default_lifetime: DeltaSeconds,
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
    /// Which cookies identify a visitor.
    pub cookies: Cookies,
}
