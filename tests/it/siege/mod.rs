//! What slow clients do to everybody else: nothing.

pub mod crowd;
