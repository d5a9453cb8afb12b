//! How old a response is: RFC 9111 sections 4.2.3 and 5.1.

use super::case::{Case, case, get, not_reused, reused};

const AGE: &str = "RFC 9111 s5.1";
const COUNTED: &str = "RFC 9111 s4.2.3";
const FRESH: &str = "Cache-Control: max-age=60";

pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for (id, lines) in [
        ("letters", &["Age: abc"][..]),
        ("negative", &["Age: -7200"]),
        ("fraction", &["Age: 7200.0"]),
        ("word-parameter", &["Age: 7200;foo=bar"]),
        ("number-parameter", &["Age: 7200;foo=111"]),
        ("empty", &["Age:"]),
        ("quoted", &["Age: \"7200\""]),
        ("hexadecimal", &["Age: 0x1C20"]),
    ] {
        let behaviour = format!("`{}` is no age, and ignored.", lines[0]);
        let lines = [&[FRESH], lines].concat();
        all.push(reused(format!("age-ignored-{id}"), AGE, behaviour, 0, &lines));
    }
    for (id, lines) in [
        ("2147483647", &["Age: 2147483647"][..]),
        ("2147483648", &["Age: 2147483648"]),
        ("2147483649", &["Age: 2147483649"]),
        ("above-64-bits", &["Age: 99999999999999999999999"]),
        ("old-then-new", &["Age: 7200, 0"]),
        ("old-then-new-on-two-lines", &["Age: 7200", "Age: 0"]),
    ] {
        let behaviour = format!("`{}` makes old.", lines.join("`, `"));
        let lines = [&[FRESH], lines].concat();
        all.push(not_reused(format!("age-{id}"), AGE, behaviour, 0, &lines));
    }
    for (id, lines) in [
        ("new-then-old", &["Age: 0, 7200"][..]),
        ("new-then-old-on-two-lines", &["Age: 0", "Age: 7200"]),
        ("twice", &["Age: 0, 0"]),
        ("twice-on-two-lines", &["Age: 0", "Age: 0"]),
        ("thrice-not-old", &["Age: 30", "Age: 30", "Age: 30"]),
    ] {
        let behaviour = format!("Of `{}` the first value counts.", lines.join("`, `"));
        let lines = [&[FRESH], lines].concat();
        all.push(reused(format!("age-{id}"), AGE, behaviour, 0, &lines));
    }
    all.extend(told());
    all
}

fn told() -> Vec<Case> {
    vec![
        case("age-is-told", "RFC 9111 s4", "An answer from the store has an Age.")
            .store(&[FRESH])
            .ask(get().hit().shows("Age: 0"))
            .pass(7)
            .ask(get().hit().shows("Age: 7")),
        case("age-with-expires", "RFC 9111 s4", "The same where Expires gives the lifetime.")
            .store(&["Date: {+0}", "Expires: {+60}"])
            .pass(7)
            .ask(get().hit().shows("Age: 7")),
        case("age-goes-on", COUNTED, "The time in the store is added to the Age that came.")
            .store(&[FRESH, "Age: 30"])
            .pass(7)
            .ask(get().hit().shows("Age: 37")),
        case("age-from-date", COUNTED, "A Date further back than Age says is an age too.")
            .store(&[FRESH, "Date: {-40}", "Age: 30"])
            .pass(7)
            .ask(get().hit().shows("Age: 47")),
        case(
            "age-not-on-a-miss",
            AGE,
            "What the origin made for this request has no Age: it is not from a cache.",
        )
        .ask(get().says(FRESH).asked().lacks("Age")),
        case(
            "date-stays",
            "RFC 9110 s6.6.1",
            "The Date of a stored response is the origin's, and stays.",
        )
        .store(&[FRESH, "Date: {-5}"])
        .pass(7)
        .ask(get().hit().shows("Date: {-5}")),
        case("expires-stays", "RFC 9111 s5.3", "So does Expires.")
            .store(&["Date: {+0}", "Expires: {+60}"])
            .pass(7)
            .ask(get().hit().shows("Date: {+0}").shows("Expires: {+60}")),
        case(
            "date-is-added",
            "RFC 9110 s6.6.1",
            "A response without Date is dated when it was received.",
        )
        .store(&[FRESH])
        .pass(7)
        .ask(get().hit().shows("Date: {+0}")),
        case("age-after-validation", "RFC 9111 s4.3.4", "After a 304 the age is counted anew.")
            .store(&[FRESH, "ETag: \"a\""])
            .pass(90)
            .ask(get().confirms(&["ETag: \"a\"", FRESH]).validated().of(1))
            .pass(5)
            .ask(get().hit().shows("Age: 5")),
    ]
}
