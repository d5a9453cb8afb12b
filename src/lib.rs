//! larder.

pub mod config;
