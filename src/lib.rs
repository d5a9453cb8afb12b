//! larder.
pub mod body;
pub mod clock;
pub mod collapse;
pub mod error;
pub mod key;
pub mod message;
pub mod purge;
pub mod semantics;
pub mod storage;
