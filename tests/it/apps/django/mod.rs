//! The Django blog.

mod changes;
mod encodings;
mod filled;
mod forms;
mod messages;
mod pages;
mod visitors;

/// The cookie of Django's session, as README says.
const BY_SESSION: [&str; 4] = ["--default-ttl", "60s", "--cookies", "sessionid"];

const LOGIN: &str = "/accounts/login/";
