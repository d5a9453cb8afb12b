//! What the tests share: a larder, an origin that says what it is told to, and a
//! client that shows what came.

#![allow(dead_code, unused_imports, reason = "each test takes what it needs")]

mod client;
mod documents;
mod gate;
mod house;
mod larder;
mod origin;
mod python;
mod tls;

pub use client::{Connection, Response, date, exchange, get, request, wait_until};
pub use documents::compare;
pub use gate::{Gate, Limping, nobody, together};
pub use house::House;
pub use larder::{Larder, read_all};
pub use origin::{Origin, Seen, read_head, read_request, reply};
pub use python::python;
pub use tls::{Authority, Handshake, Issued, Secured, Server};

use std::time::Duration;

/// No test waits longer than this for anything.
pub const DEADLINE: Duration = Duration::from_secs(30);
