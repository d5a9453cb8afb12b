//! Purges as the clients of other caches send them: their bytes, replayed, and
//! what they look for in the answer.

mod bans;
mod clients;
mod in_band;
mod keys;
mod refused;
mod scopes;
mod site;
mod urls;
