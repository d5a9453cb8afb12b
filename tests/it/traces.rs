//! By what a request is found again: its id, and the trace that it belongs to.

use crate::harness::{Larder, Origin, get, reply, request};
use serde_json::Value;

const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

/// An app that says what it is told, in a page of its own for each path.
fn app() -> Origin {
    Origin::answering(|seen| {
        let fresh = "Cache-Control: max-age=60";
        match seen.target.as_str() {
            "/varies" => reply(200, &[fresh, "Vary: X-Request-Id"], "page"),
            "/purges" => reply(200, &["X-LiteSpeed-Purge: tag=home, tag=news"], "done"),
            _ => reply(200, &[fresh], "page"),
        }
    })
}

fn larder(origin: &Origin, env: &[(&str, &str)]) -> Larder {
    Larder::with_env(origin.address, &["--access-log", "json"], env)
}

fn next(larder: &Larder) -> Value {
    serde_json::from_str(&larder.next_line()).expect("a JSON object")
}

#[test]
fn the_app_and_the_log_are_told_the_same_id() {
    let origin = app();
    for (trusted, is_kept) in [("none", false), ("127.0.0.1/32", true)] {
        let larder = larder(&origin, &[("LARDER_TRUST__PROXIES", trusted)]);
        larder.get_with("/", &[("X-Request-Id", "a-1"), ("traceparent", TRACE)]);
        let (line, seen) = (next(&larder), origin.last());
        assert_eq!(line["id"].as_str(), seen.field("x-request-id"));
        assert_eq!(line["id"] == "a-1", is_kept, "{line}");
        assert_eq!(seen.field("traceparent"), Some(TRACE));
        assert_eq!(line["trace"], "0af7651916cd43dd8448eb211c80319c");
        // By the short way, and the whole.
        for fields in [&[("X-Request-Id", "a-2")][..], &[("X-Request-Id", "a-2"), ("X-O", "1")]] {
            assert!(get(larder.proxy, "/", fields).is_hit());
            let line = next(&larder);
            assert_eq!(line["id"] == "a-2", is_kept, "{line}");
            assert!(line["id"].as_str().is_some_and(|id| id.len() == 32 || is_kept), "{line}");
            assert_eq!((&line["trace"], &line["origin_seconds"]), (&Value::Null, &Value::Null));
            assert!(line["age"].as_u64().is_some_and(|age| age < 60), "{line}");
        }
    }
}

#[test]
fn a_trace_begins_here_if_the_operator_wants_that() {
    let origin = app();
    let without = larder(&origin, &[]);
    without.get("/");
    assert_eq!(
        (origin.last().field("traceparent"), &next(&without)["trace"]),
        (None, &Value::Null)
    );
    let with = larder(&origin, &[("LARDER_LOG__MAKE_TRACEPARENT", "true")]);
    with.get("/");
    let (line, seen) = (next(&with), origin.last());
    let (told, trace) = (seen.field("traceparent"), line["trace"].as_str().expect("a trace"));
    assert!(told.is_some_and(|told| told.split('-').nth(1) == Some(trace)), "{told:?}");
    with.get_with("/other", &[("traceparent", TRACE)]);
    assert_eq!(origin.last().field("traceparent"), Some(TRACE));
}

/// The app sees another id each time: what it made of one is nobody else's.
#[test]
fn what_is_made_for_an_id_is_not_given_to_another() {
    let origin = app();
    let larder = larder(&origin, &[]);
    for count in 1..=3 {
        let fields: &[_] = if count == 2 { &[("X-Request-Id", "a")] } else { &[] };
        assert!(!larder.get_with("/varies", fields).is_hit());
        assert_eq!(origin.asked_for("/varies"), count);
    }
}

#[test]
fn a_line_tells_what_the_answer_purged_and_how_long_the_origin_took() {
    let origin = app();
    let larder = larder(&origin, &[]);
    larder.get("/");
    let line = next(&larder);
    assert!(line["origin_seconds"].as_f64().is_some_and(|took| took > 0.0), "{line}");
    assert!(line["seconds"].as_f64() >= line["origin_seconds"].as_f64(), "{line}");
    assert_eq!(line["purged_tags"], Value::Array(Vec::new()));
    larder.get("/purges");
    assert_eq!(next(&larder)["purged_tags"], serde_json::json!(["home", "news"]));
    request(larder.proxy, "PURGEKEYS", "/", &[("xkey-purge", "a b")], b"");
    let line = next(&larder);
    assert_eq!(line["outcome"], "none");
    request(larder.proxy, "TRACE", "/", &[], b"");
    assert_eq!(next(&larder)["id"], Value::Null);
}

#[test]
fn each_member_of_a_line_is_in_the_document() {
    let origin = app();
    let larder = larder(&origin, &[]);
    larder.get("/");
    let document = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/logs.md"));
    let document = document.expect("a file");
    let table = document.split("## JSON").nth(1).expect("a chapter");
    let table = table.split("\n## ").next().expect("a table");
    for name in next(&larder).as_object().expect("an object").keys() {
        let row = |line: &str| line.starts_with('|') && line.contains(&format!("`{name}`"));
        assert!(table.lines().any(row), "{name} has no row");
    }
}
