//! Requests byte by byte: for each what the client gets, what the application
//! sees, and that nobody else notices. The cases are data, a file a class.

mod bodies;
mod case;
mod chunks;
mod fields;
mod framing;
mod hops;
mod hosts;
mod limits;
mod methods;
mod old;
mod pipelines;
mod targets;

use case::{Case, check, check_with};
use std::sync::LazyLock;

#[test]
fn one_length_or_none() {
    check(framing::cases());
}

#[test]
fn chunks_are_read_in_one_way() {
    check(chunks::cases(true));
    check_with(chunks::cases(false), |settings| settings.limits.request_ahead = 0);
}

#[test]
fn one_host_and_a_valid_one() {
    check(hosts::cases());
}

#[test]
fn a_host_that_is_not_served_is_misdirected() {
    let served = || ["site.test", "*.site.test"].map(String::from).to_vec();
    check_with(hosts::not_served(), |settings| settings.hosts = served());
}

#[test]
fn targets_go_through_as_they_are_or_not_at_all() {
    check(targets::cases());
}

#[test]
fn methods_versions_and_request_lines() {
    check(methods::cases());
}

#[test]
fn lines_and_fields_are_read_in_one_way() {
    check(fields::cases());
}

#[test]
fn what_is_for_one_hop_stays_on_it() {
    check(hops::cases());
}

#[test]
fn clients_of_http_1_0() {
    check(old::cases());
}

#[test]
fn bodies_where_none_is_usual() {
    check(bodies::cases());
}

#[test]
fn requests_behind_one_another() {
    check(pipelines::cases());
}

#[test]
fn heads_have_bounds() {
    check(limits::cases());
}

/// All of them, each once.
fn all() -> Vec<Case> {
    let classes: [fn() -> Vec<Case>; 12] = [
        framing::cases,
        || chunks::cases(true),
        hosts::cases,
        hosts::not_served,
        targets::cases,
        methods::cases,
        fields::cases,
        hops::cases,
        old::cases,
        bodies::cases,
        pipelines::cases,
        limits::cases,
    ];
    let mut all: Vec<Case> = classes.iter().flat_map(|class| class()).collect();
    all.sort_by(|a, b| a.sent.cmp(&b.sent));
    all.dedup_by(|a, b| a.sent == b.sent);
    all
}

/// Their bytes.
pub fn requests() -> &'static [Vec<u8>] {
    static REQUESTS: LazyLock<Vec<Vec<u8>>> =
        LazyLock::new(|| all().into_iter().map(|case| case.sent).collect());
    &REQUESTS
}

#[test]
fn there_are_at_least_four_hundred() {
    assert!(all().len() >= 400, "{} different ones", all().len());
}
