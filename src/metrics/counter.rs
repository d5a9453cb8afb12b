//! Numbers that only grow.

use crate::lanes::Lanes;
use std::sync::atomic::{AtomicU64, Ordering};

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(Lanes<AtomicU64>);

impl Counter {
    /// Adds one.
    pub fn count(&self) {
        self.add(1);
    }

    /// Adds so many.
    pub fn add(&self, count: u64) {
        self.0.own().fetch_add(count, Ordering::Relaxed);
    }

    /// The number so far.
    pub fn get(&self) -> u64 {
        self.0.iter().map(|own| own.load(Ordering::Relaxed)).sum()
    }

    /// What the calling thread has added, and those that share its place.
    pub(super) fn own(&self) -> u64 {
        self.0.own().load(Ordering::Relaxed)
    }
}
