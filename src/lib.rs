//! larder.
pub mod clock;
pub mod error;
pub mod key;
pub mod message;
pub mod semantics;
