//! HEAD: RFC 9110 section 9.3.2, RFC 9111 section 4.3.5.

use super::case::{Case, case, get, head};

const METHOD: &str = "RFC 9110 s9.3.2";
const FRESHENS: &str = "RFC 9111 s4.3.5";
const OLD: &str = "Cache-Control: max-age=10";
const NEW: &str = "Cache-Control: max-age=60";
const TAG: &str = "ETag: \"a\"";

pub fn cases() -> Vec<Case> {
    let mut all = vec![
        case("head-from-get", METHOD, "A stored GET answers a HEAD, with the length of its body.")
            .store(&[NEW, "X-Old: 1"])
            .pass(5)
            .ask(head().hit().gives(200).brings("").shows("Content-Length: 6").shows("Age: 5")),
        case("head-miss", METHOD, "A HEAD that nothing stored answers goes to the origin as HEAD.")
            .ask(head().says(NEW).asked())
            .ask(get().asked()),
        case(
            "head-stale",
            METHOD,
            "A HEAD for what is stale goes to the origin, its fields come back.",
        )
        .store(&[OLD, "X-Old: 1"])
        .pass(10)
        .ask(head().says("X-New: 2").asked().shows("X-New: 2").lacks("X-Old")),
        case(
            "head-condition",
            "RFC 9111 s4.3.2",
            "A condition on HEAD is answered from the store.",
        )
        .store(&[NEW, TAG])
        .ask(head().with("If-None-Match: \"a\"").hit().gives(304)),
    ];
    all.extend(freshening());
    all
}

fn freshening() -> Vec<Case> {
    let stale =
        |id, what| case(id, FRESHENS, what).store(&[OLD, TAG, "X-Old: 1", "X-Both: 1"]).pass(10);
    let agrees = || head().says(NEW).says(TAG).says("Content-Length: 6").says("X-Both: 2").asked();
    vec![
        stale("head-freshens", "A 200 that agrees in validator and length freshens the GET.")
            .ask(agrees())
            .pass(50)
            .hit(),
        stale("head-updates-fields", "Its fields are stored; those it omits stay.")
            .ask(agrees())
            .ask(get().hit_of(1).shows("X-Both: 2").shows("X-Old: 1")),
        stale("head-other-length", "A 200 with another length makes the stored GET stale.")
            .ask(head().says(NEW).says(TAG).says("Content-Length: 7").asked())
            .asked(),
        stale("head-other-tag", "So does one with another ETag.")
            .ask(head().says(NEW).says("ETag: \"b\"").says("Content-Length: 6").asked())
            .asked(),
        stale("head-410", "A 410 to HEAD never turns into the answer to a GET.")
            .ask(head().answered(410).says(NEW).asked())
            .ask(get().asked().of(3)),
        stale("head-500", "A 500 to HEAD changes nothing.")
            .ask(head().answered(500).asked())
            .ask(get().confirms(&[NEW]).validated().of(1)),
    ]
}
