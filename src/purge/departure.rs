//! What is on its way to the origin, by the purges that came before it left.

use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many requests are under way with each fence.
type Fences = Mutex<BTreeMap<u64, usize>>;

/// All requests that are under way.
#[derive(Debug, Default)]
pub(super) struct InFlight(Arc<Fences>);

impl InFlight {
    /// Notes that a request leaves now; `last` is the number of the last purge.
    pub fn depart(&self, last: impl FnOnce() -> u64) -> Departure {
        let mut fences = self.0.lock();
        let fence = last();
        *fences.entry(fence).or_default() += 1;
        Departure { fence, fences: Arc::clone(&self.0) }
    }

    /// The lowest fence of all; the number of the `last` purge if there is none.
    pub fn lowest(&self, last: impl FnOnce() -> u64) -> u64 {
        let fences = self.0.lock();
        fences.keys().next().copied().unwrap_or_else(last)
    }
}

/// A request on its way to the origin. Keep it until its response is stored or
/// dropped: as long as it lives, no mark that could meet it is forgotten.
#[derive(Debug)]
pub struct Departure {
    fence: u64,
    fences: Arc<Fences>,
}

impl Departure {
    /// The number of the last purge when the request left.
    pub fn fence(&self) -> u64 {
        self.fence
    }
}

impl Drop for Departure {
    fn drop(&mut self) {
        let mut fences = self.fences.lock();
        if let Some(count) = fences.get_mut(&self.fence) {
            *count -= 1;
            if *count == 0 {
                fences.remove(&self.fence);
            }
        }
    }
}
