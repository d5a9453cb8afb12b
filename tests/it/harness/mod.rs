//! What the tests share: a larder, an origin that says what it is told to, and a
//! client that shows what came.

#![allow(dead_code, unused_imports, reason = "each test takes what it needs")]

mod client;
mod larder;
mod origin;

pub use client::{Connection, Response, exchange, get, request, wait_until};
pub use larder::Larder;
pub use origin::{Origin, Seen, reply};

use std::time::Duration;

/// No test waits longer than this for anything.
pub const DEADLINE: Duration = Duration::from_secs(30);
