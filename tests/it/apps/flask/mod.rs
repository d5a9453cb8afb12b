//! The Flask shop.

mod changes;
mod files;
mod lint;
mod pages;
mod slow;
mod visitors;

/// The cookies of Flask's session and of Flask-Login, as README says.
const BY_SESSION: [&str; 4] = ["--default-ttl", "60s", "--cookies", "session,remember_token"];
