//! The origin: its upstreams, the connections to them, and requests as they are
//! to see them. Knows nothing of what is stored.

mod address;
mod attempt;
mod budget;
mod check;
mod connect;
mod faults;
mod health;
mod hold;
mod idle;
mod places;
mod pool;
mod request;
mod state;
mod twice;
mod upstream;
mod visited;

pub use address::Address;
pub use check::HealthCheck;
pub use health::Ejection;
pub use pool::{Held, Options, Pool, WhenRefused};
pub use request::{outbound, upgrade_outbound, via};
pub use state::{UpstreamState, Watched};
pub use visited::Visited;
