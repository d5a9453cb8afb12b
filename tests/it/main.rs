//! One binary for all integration tests: the real larder, real sockets, real
//! apps. No test sleeps to be right; each waits for what it expects, with a
//! deadline.

mod harness;

mod aging;
mod apps;
mod caching;
mod differential;
mod layers;
