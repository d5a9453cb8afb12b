//! For each rule, answers that have it and answers that nearly have.

mod costs;
mod freshness;
mod validators;
mod visitors;
mod words;

use super::given::Given;

/// A rule's code, answers that meet it, and such that don't.
pub type Row = (&'static str, Vec<Given>, Vec<Given>);

pub fn all() -> Vec<Row> {
    [freshness::rows(), visitors::rows(), validators::rows(), costs::rows(), words::rows()].concat()
}
