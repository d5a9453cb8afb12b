//! What could be better about an app's answers, as the admin port tells it of live traffic.

mod document;

use crate::harness::{Larder, Origin, date, get, reply};
use larder::observe::lint::RULES;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The findings of the last minutes, by their rules, and over how many seconds.
pub fn findings(larder: &Larder) -> (BTreeMap<String, Value>, u64) {
    let answer = get(larder.admin, "/v1/observed", &[("Host", "localhost")]);
    let told: Value = serde_json::from_slice(&answer.body).expect("JSON");
    let seconds = told["seconds"].as_u64().expect("a number");
    let all = told["findings"].as_array().expect("a list");
    let named =
        |finding: &Value| (finding["rule"].as_str().expect("a code").to_string(), finding.clone());
    (all.iter().map(named).collect(), seconds)
}

/// An app that makes mistakes.
fn careless() -> Origin {
    let count = AtomicUsize::new(0);
    let html = "Content-Type: text/html";
    Origin::answering(move |seen| match seen.target.split('?').next().unwrap_or_default() {
        "/static/shop.css" => reply(
            200,
            &["Content-Type: text/css", "Cache-Control: no-store", "Vary: Cookie"],
            "body {}",
        ),
        "/agent" => reply(200, &[html, "Cache-Control: max-age=60", "Vary: User-Agent"], "page"),
        "/tag" => {
            let tag = format!("ETag: \"{}\"", count.fetch_add(1, Ordering::SeqCst));
            reply(200, &[html, "Cache-Control: no-cache", &tag], "page")
        }
        "/misspelt" => reply(200, &[html, "Cache-Control: s-max-age=60; public"], "page"),
        "/aged" => reply(200, &[html, "Cache-Control: s-maxage=60", "Age: 7", "Age: 30"], "page"),
        "/found" => reply(200, &[html, "Cache-Control: s-maxage=60"], "page"),
        "/broken" => reply(500, &["Cache-Control: maxage=60"], "sorry"),
        _ => reply(200, &[html], "page"),
    })
}

#[test]
fn findings_have_an_example_a_rate_and_what_to_do() {
    let origin = careless();
    let larder = Larder::in_front_of(origin.address, &[]);
    for path in
        ["/static/shop.css?v=1", "/static/shop.css?v=2", "/agent", "/misspelt", "/aged", "/broken"]
    {
        larder.get(path);
    }
    for _ in 0..5 {
        larder.get("/tag");
    }
    let (found, seconds) = findings(&larder);
    let has = |rule: &str| found.get(rule).unwrap_or_else(|| panic!("{rule} is not in {found:?}"));

    let store = has("static-no-store");
    assert_eq!(store["severity"], "warning");
    assert_eq!(store["seen"], 2);
    assert_eq!(store["example"], "http://site.test/static/shop.css?v=1");
    let rate = store["origin_requests_a_second"].as_f64().expect("a number");
    assert!((rate - 2.0 / seconds as f64).abs() < 1e-9, "{rate} in {seconds} s");
    assert!(store["origin_seconds"].as_f64().expect("a number") > 0.0);
    for app in ["any", "django", "flask"] {
        assert!(store["fix"][app].as_str().is_some_and(|text| !text.is_empty()), "{store}");
    }

    for (rule, example) in [
        ("static-vary-cookie", "/static/shop.css?v=1"),
        ("vary-unbounded", "/agent"),
        ("etag-changes", "/tag"),
        ("directive-misspelt", "/misspelt"),
        ("directive-semicolon", "/misspelt"),
        ("age-repeated", "/aged"),
    ] {
        assert_eq!(has(rule)["example"], format!("http://site.test{example}"), "{rule}");
    }
    assert_eq!(has("etag-changes")["seen"], 1);
    assert_eq!(has("directive-misspelt")["seen"], 1, "the answer with 500 is none of its pages'");

    // The worst come first.
    let answer = get(larder.admin, "/v1/observed", &[("Host", "localhost")]);
    let told: Value = serde_json::from_slice(&answer.body).expect("JSON");
    let order = told["findings"].as_array().expect("a list").iter();
    let order: Vec<&str> = order.filter_map(|finding| finding["severity"].as_str()).collect();
    let rank = |severity: &&str| ["bad", "warning", "info"].iter().position(|s| s == severity);
    assert!(order.is_sorted_by_key(rank) && order.first() == Some(&"bad"), "{order:?}");
}

#[test]
fn an_app_that_says_what_it_means_has_no_findings_and_hits_cost_nothing() {
    let now = date(0);
    let origin = Origin::answering(move |_| {
        let fields = [
            "Content-Type: text/html",
            "Cache-Control: s-maxage=60, max-age=0",
            "Vary: Cookie",
            &format!("Date: {now}"),
        ];
        reply(200, &fields, "page")
    });
    let larder = Larder::in_front_of(origin.address, &["--cookies", "session"]);
    for _ in 0..20 {
        assert_eq!(larder.get_with("/", &[("Cookie", "_ga=1")]).status, 200);
    }
    assert_eq!(origin.count(), 1);
    let (found, _) = findings(&larder);
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn the_document_has_every_rule() {
    document::compare(RULES);
}
