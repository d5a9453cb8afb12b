//! larder.
pub mod access_log;
pub mod body;
pub mod clock;
pub mod collapse;
pub mod error;
pub mod key;
pub mod message;
pub mod metrics;
pub mod origin;
pub mod proxy;
pub mod purge;
pub mod semantics;
pub mod storage;
