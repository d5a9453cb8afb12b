//! One binary for all integration tests: the real larder, real sockets, real
//! apps. No test sleeps to be right; each waits for what it expects, with a
//! deadline.

mod aging;
mod apps;
mod caching;
mod collapsing;
mod commands;
mod conformance;
mod demands;
mod differential;
mod early;
mod events;
mod forwarding;
mod groups;
mod harness;
mod interim;
mod layers;
mod methods;
mod negotiation;
mod no_vary_search;
mod origin_failures;
mod partials;
mod patience;
mod process;
mod purge_races;
mod purging;
mod query;
mod refusals;
mod reload;
mod sharing;
mod slow;
mod stale;
mod streaming;
mod systemd;
mod takeover;
mod targeted;
mod transport;
mod upgrades;
mod upstreams;
mod validation;

