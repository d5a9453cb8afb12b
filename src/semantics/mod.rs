//! HTTP caching as pure functions: RFC 9111 and its neighbours, and nothing else.
//!
//! A newcomer should read this page first. A cache asks five questions about a
//! request, and each has a module that answers it with an enum:
//!
//! | question | answered by | RFC 9111 |
//! |---|---|---|
//! | May this response be stored? | [`storable::decide`] | section 3 |
//! | Which stored response does this request select? | [`vary`] | section 4.1 |
//! | May the selected one be used now, and as what? | [`reuse::decide`] | section 4 |
//! | How is a stale one validated and brought up to date? | [`validation`] | section 4.3 |
//! | The origin failed: is the stale one better than an error? | [`reuse::on_failure`] | section 4.2.4 |
//!
//! The rest serves these: [`directives`] reads `Cache-Control`, [`targeted`] the
//! fields that go before it, [`date`] dates, [`freshness`]
//! turns a head into integers once so that a hit compares integers,
//! [`conditional`] and [`range`] shape the answer to the client's own
//! preconditions, [`partial`] says what is kept of a part and when two make one,
//! [`invalidation`] says what an unsafe method outdates, [`form`] what is filled for each visitor in a page that many share, and
//! [`cache_status`] says what was done (RFC 9211).
//!
//! Nothing here reads a clock, waits, locks, logs, or knows the rest of larder:
//! values and `now` go in, an enum comes out. Only `std`, `http`, `httpdate` and
//! `sfv` are named.

pub mod cache_control;
pub mod cache_status;
pub mod conditional;
pub mod cookies;
pub mod counterfactual;
pub mod csrf;
pub mod date;
pub mod directives;
pub mod fields;
pub mod form;
pub mod form_cookie;
pub mod freshness;
pub mod identity;
pub mod invalidation;
pub mod language;
pub mod lifetime;
pub mod no_vary_search;
mod normal;
pub mod offer;
pub mod parameters;
pub mod partial;
pub mod paths;
pub mod policy;
pub mod pretence;
pub mod query;
pub mod range;
pub mod reason;
pub mod request_directives;
pub mod reuse;
pub(crate) mod seed;
pub mod storable;
pub mod tags;
pub mod targeted;
pub mod time;
pub mod validation;
pub mod vary;

#[cfg(test)]
mod testing;
