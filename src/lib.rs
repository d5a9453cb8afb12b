//! larder: an HTTP caching reverse proxy.
//!
//! Begin with [`semantics`], which says what HTTP caching is and names nothing
//! else of the crate, and [`proxy`], whose first page is the way of a request.
//! `ARCHITECTURE.md` has the plan of the house.

pub mod access_log;
pub mod account;
pub mod admin;
pub mod app;
pub mod body;
pub mod cli;
pub mod clock;
pub mod collapse;
pub mod config;
pub mod demo;
pub mod dialects;
pub mod error;
pub mod explain;
pub mod gate;
pub mod interim;
pub mod key;
pub mod lanes;
pub mod listen;
pub mod message;
pub mod metrics;
pub mod moving;
pub mod observe;
pub mod origin;
pub mod proxy;
pub mod purge;
pub mod semantics;
pub mod storage;
pub mod telemetry;
pub mod tls;
