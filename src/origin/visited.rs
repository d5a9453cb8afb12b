//! To which upstreams a request has been sent, for whoever wants to tell of it.

use super::address::Address;
use http::Request;
use parking_lot::Mutex;
use std::sync::Arc;

/// Where a request was last sent to, and how often; it knows from then on when it is an
/// extension of that request.
#[derive(Clone, Debug, Default)]
pub struct Visited(Arc<Mutex<(Option<Address>, u32)>>);

impl Visited {
    /// The upstream at which it was last, and at how many it was in all.
    pub fn last(&self) -> (Option<Address>, u32) {
        self.0.lock().clone()
    }

    /// It is sent to this one.
    pub(super) fn at(&self, address: &Address) {
        let mut visited = self.0.lock();
        *visited = (Some(address.clone()), visited.1 + 1);
    }
}

/// Who wants to know of a request.
pub(super) fn told_of_upstreams<B>(request: &Request<B>) -> Option<Visited> {
    request.extensions().get().cloned()
}
