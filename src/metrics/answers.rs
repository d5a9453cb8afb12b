//! What comes from the origin.

use super::counter::Counter;
use super::durations::{Bounds, Durations};
use crate::semantics::time::Moment;
use http::StatusCode;
use std::time::Duration;

/// The classes of status codes, from 1xx to 5xx.
pub const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// The origin's answers.
#[derive(Debug)]
pub struct Answers {
    by_class: [Counter; CLASSES.len()],
    /// How long they took, from when a request wanted to be sent to the head of its answer.
    pub took: Durations,
}

impl Default for Answers {
    fn default() -> Answers {
        Answers { by_class: Default::default(), took: Durations::new(Bounds::ORIGIN) }
    }
}

impl Answers {
    pub(super) fn add(&self, status: StatusCode, took: Duration, now: Moment) {
        let class = usize::from(status.as_u16() / 100).clamp(1, CLASSES.len()) - 1;
        self.by_class[class].count();
        self.took.add(took, now);
    }

    /// How many there were of each class.
    pub fn by_class(&self) -> impl Iterator<Item = (&'static str, u64)> {
        CLASSES.into_iter().zip(self.by_class.iter().map(Counter::get))
    }
}
