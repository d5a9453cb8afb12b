//! The origin: one upstream, the connections to it, and requests as it is to
//! see them. Knows nothing of what is stored.

mod connect;
mod pool;
mod request;

pub use connect::Upstream;
pub use pool::{Options, Pool};
pub use request::{outbound, upgrade_outbound, via};
