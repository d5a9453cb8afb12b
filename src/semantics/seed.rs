//! What hashes are seeded with, so that nobody outside can tell which texts meet.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;

/// A number that is drawn once in each process.
pub(crate) fn seed() -> u64 {
    static SEED: OnceLock<u64> = OnceLock::new();
    *SEED.get_or_init(|| RandomState::new().hash_one(0u8))
}
