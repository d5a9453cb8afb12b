//! How the origin is doing, for the operator.

use super::health::Standing;
use super::hold::Hold;
use super::places::Places;
use super::pool::Pool;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::time::Instant;

/// A view of what the pools of all runtimes share.
#[derive(Clone)]
pub struct Watched {
    places: Arc<Places>,
    hold: Arc<Hold>,
}

/// One upstream, now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamState {
    /// Its address.
    pub address: String,
    /// Requests in flight.
    pub in_flight: usize,
    /// Connections that nobody uses at the moment.
    pub idle: usize,
    /// `well`, `ejected`, or `returning`: the next request sees how it is.
    pub state: &'static str,
}

impl Pool {
    /// A view of how the origin is doing.
    pub fn watched(&self) -> Watched {
        Watched { places: Arc::clone(&self.places), hold: Arc::clone(&self.hold) }
    }
}

impl UpstreamState {
    /// All states, and whether it is in that one.
    pub fn states(&self) -> [(&'static str, bool); 3] {
        ["well", "ejected", "returning"].map(|state| (state, state == self.state))
    }
}

impl Watched {
    /// Requests that wait for a place.
    pub fn queued(&self) -> usize {
        self.places.queued()
    }

    /// Requests that wait for an upstream to come back.
    pub fn held(&self) -> usize {
        self.hold.held()
    }

    /// Where the upstreams are, with commas between.
    pub fn addresses(&self) -> String {
        let addresses = self.places.upstreams.iter().map(|upstream| upstream.address.to_string());
        addresses.collect::<Vec<_>>().join(", ")
    }

    /// The upstreams, in the order of the configuration.
    pub fn upstreams(&self) -> Vec<UpstreamState> {
        let now = Instant::now();
        let state = |upstream: &super::upstream::Upstream| UpstreamState {
            address: upstream.address.to_string(),
            in_flight: upstream.in_flight(),
            idle: upstream.idle.load(Ordering::Relaxed),
            state: match upstream.standing(now) {
                Standing::Well => "well",
                Standing::Ejected => "ejected",
                Standing::Returning => "returning",
            },
        };
        self.places.upstreams.iter().map(state).collect()
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Watched").field(&self.upstreams()).finish()
    }
}
