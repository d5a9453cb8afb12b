//! One binary for all integration tests: the real larder, real sockets, real
//! apps. No test sleeps to be right; each waits for what it expects, with a
//! deadline.

mod harness;

mod caching;
mod sharing;
mod stale;
mod streaming;
mod upgrades;
mod validation;
mod transport;
mod collapsing;
mod forwarding;
mod layers;
mod purge_races;
mod purging;
