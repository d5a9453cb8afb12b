//! Forgetting: by URL, tag, group, prefix, or everything, so that nothing which the
//! origin made before a purge is served as fresh after it.
//!
//! One counter numbers all purges. A purge leaves a *mark* under its selector;
//! a response carries a *fence*, the number of the last purge when its request
//! left for the origin. A response is good only if no mark that matches it is
//! newer than its fence. So a fetch under way cannot bring back what was
//! purged, whenever it lands: there is no moment at which it could slip through.

mod access;
mod audit;
mod departure;
mod marks;
mod named;
mod pattern;
mod preview;
mod progress;
mod purger;
mod reach;
mod refill;
mod selectors;
mod sweeper;

pub use access::{Access, Denied, Grant, Scope, Token, bearer};
pub use audit::{Audit, IN_BAND, MOST as MOST_RECORDS, Made, Record};
pub use departure::Departure;
pub use marks::Verdict;
pub use named::Named;
pub use pattern::{BadPattern, Expressions, LONGEST as LONGEST_EXPRESSION, Part, Pattern};
pub use purger::{Purger, Softness};
pub use reach::{Counts, Preview, Purged};
pub use refill::{Refill, Refilled};
pub use selectors::{Group, Path, Prefix, Selectors};
pub use sweeper::Sweeper;

#[cfg(test)]
mod overlaps;
#[cfg(test)]
mod tests;
