//! larder.
pub mod semantics;
