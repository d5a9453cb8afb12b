//! The QUERY method (RFC 10008), and queries that do not matter (No-Vary-Search).

use super::case::{Ask, Case, ask, case, get};

const QUERY: &str = "RFC 10008 s2";
const SEARCH: &str = "draft-ietf-httpbis-no-vary-search s6";
const FRESH: &str = "Cache-Control: max-age=60";

pub fn cases() -> Vec<Case> {
    let mut all = query();
    all.extend(search());
    all
}

fn asking(content: &'static str) -> Ask {
    ask("QUERY").bearing(content).with("Content-Type: text/plain")
}

fn query() -> Vec<Case> {
    let stored = |id, what| case(id, QUERY, what).ask(asking("a").says(FRESH).asked());
    vec![
        stored("query-same", "The same content is answered from the store.")
            .ask(asking("a").hit_of(1)),
        stored("query-other", "Other content is another question.").ask(asking("b").asked()),
        stored("query-other-type", "So is the same of another type.")
            .ask(ask("QUERY").bearing("a").with("Content-Type: text/html").asked()),
        stored("query-not-get", "It does not answer a GET.").asked(),
        case("get-not-query", QUERY, "Nor a GET a QUERY.").store(&[FRESH]).ask(asking("a").asked()),
        case("query-is-safe", QUERY, "QUERY is safe, and outdates nothing.")
            .store(&[FRESH])
            .ask(asking("a").asked())
            .hit(),
        case("query-without-lifetime", QUERY, "Without an explicit lifetime it is not stored.")
            .ask(asking("a").says("Last-Modified: {-6000}").asked())
            .ask(asking("a").asked()),
        case("query-validated", QUERY, "It is validated with its content.")
            .ask(asking("a").says(FRESH).says("ETag: \"a\"").asked())
            .pass(60)
            .ask(asking("a").confirms(&[FRESH]).validated().of(1)),
    ]
}

fn search() -> Vec<Case> {
    let pair = |id, rule: &str, stored, asked, same: bool| {
        let what = match same {
            true => format!("With `{rule}` what is stored for `{stored}` answers `{asked}`."),
            false => format!("With `{rule}` what is stored for `{stored}` is not for `{asked}`."),
        };
        let first = get().at(stored).says(FRESH).says(format!("No-Vary-Search: {rule}")).asked();
        let case = case(id, SEARCH, what).ask(first);
        match same {
            true => case.ask(get().at(asked).hit_of(1)),
            false => case.ask(get().at(asked).asked()),
        }
    };
    vec![
        pair("search-params", "params", "?a=1", "?a=2", true),
        pair("search-some-params", "params=(\"utm\")", "?a=1&utm=2", "?utm=3&a=1", true),
        pair("search-other-params", "params=(\"utm\")", "?a=1", "?a=2", false),
        pair("search-except", "params, except=(\"a\")", "?a=1&b=1", "?b=2&a=1", true),
        pair("search-excepted", "params, except=(\"a\")", "?a=1", "?a=2", false),
        pair("search-key-order", "key-order", "?a=1&b=2", "?b=2&a=1", true),
        pair("search-order-matters", "key-order=?0", "?a=1&b=2", "?b=2&a=1", false),
        pair("search-malformed", "params=utm", "?a=1&utm=2", "?a=1", false),
    ]
}
