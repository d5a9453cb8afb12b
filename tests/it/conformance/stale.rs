//! Serving stale responses: RFC 9111 section 4.2.4, RFC 5861.

use super::case::{Case, case, get};

const STALE: &str = "RFC 9111 s4.2.4";
const WHILE: &str = "RFC 5861 s3";
const ERROR: &str = "RFC 5861 s4";

pub fn cases() -> Vec<Case> {
    let mut all = gone();
    all.extend(errors());
    all.extend(behind());
    all.extend(behind_and_others());
    all
}

fn stale(id: &str, clause: &'static str, what: &str, value: &str) -> Case {
    let line = format!("Cache-Control: {value}");
    case(id, clause, what).store(&[line.as_str()]).pass(15)
}

fn gone() -> Vec<Case> {
    let mut all = vec![
        stale(
            "stale-when-gone",
            STALE,
            "If the origin is away, what is stale is served.",
            "max-age=10",
        )
        .ask(get().gone().asked().gives(200).of(1).status("detail=stale-when-down")),
        stale("stale-when-gone-too-long", STALE, "For a day at most, by default.", "max-age=10")
            .pass(86_400)
            .ask(get().gone().asked().gives(502)),
        case("stale-when-gone-off", STALE, "Not at all if the operator says so.")
            .when("cache.stale_when_down", "0s")
            .store(&["Cache-Control: max-age=10"])
            .pass(15)
            .ask(get().gone().asked().gives(502)),
        stale(
            "stale-if-error-when-gone",
            ERROR,
            "Within stale-if-error too.",
            "max-age=10, stale-if-error=60",
        )
        .ask(get().gone().asked().gives(200).of(1)),
    ];
    for (id, clause, value) in [
        ("must-revalidate", "RFC 9111 s5.2.2.2", "max-age=10, must-revalidate"),
        ("proxy-revalidate", "RFC 9111 s5.2.2.8", "max-age=10, proxy-revalidate"),
        ("no-cache", "RFC 9111 s5.2.2.4", "max-age=10, no-cache"),
        ("s-maxage", "RFC 9111 s5.2.2.10", "max-age=10, s-maxage=10"),
        ("s-maxage-alone", "RFC 9111 s5.2.2.10", "s-maxage=10"),
    ] {
        all.push(
            stale(
                &format!("not-stale-{id}"),
                clause,
                &format!("`{value}` forbids it: an error it is."),
                value,
            )
            .ask(get().gone().asked().gives(502)),
        );
    }
    all.push(
        case("stale-for-nobody-stored", STALE, "With nothing stored an error is all there is.")
            .ask(get().gone().asked().gives(502)),
    );
    all
}

fn errors() -> Vec<Case> {
    let mut all = vec![
        stale("stale-503", STALE, "A 503 is an answer, and passed on.", "max-age=10")
            .ask(get().answered(503).asked()),
        stale(
            "stale-if-error-over",
            ERROR,
            "Not when that time is over.",
            "max-age=10, stale-if-error=4",
        )
        .ask(get().answered(503).asked()),
        stale(
            "stale-if-error-must-revalidate",
            "RFC 9111 s5.2.2.2",
            "Not beside must-revalidate.",
            "max-age=10, stale-if-error=60, must-revalidate",
        )
        .ask(get().answered(503).asked()),
        stale(
            "stale-if-error-404",
            ERROR,
            "A 404 is no error of the server.",
            "max-age=10, stale-if-error=60",
        )
        .ask(get().answered(404).asked()),
        stale(
            "stale-if-error-s-maxage",
            ERROR,
            "stale-if-error counts beside s-maxage of the same response, by default.",
            "s-maxage=10, stale-if-error=60",
        )
        .ask(get().answered(503).asked().gives(200).of(1)),
    ];
    for status in [500, 502, 503, 504] {
        all.push(
            stale(
                &format!("stale-if-error-{status}"),
                ERROR,
                &format!("Within stale-if-error, what is stale stands in for a {status}."),
                "max-age=10, stale-if-error=60",
            )
            .ask(get().answered(status).asked().gives(200).of(1)),
        );
    }
    all.extend(errors_configured());
    all
}

fn errors_configured() -> Vec<Case> {
    vec![
        case("stale-if-error-configured", ERROR, "An operator may give that time to all.")
            .when("cache.stale_if_error", "60s")
            .store(&["Cache-Control: max-age=10"])
            .pass(15)
            .ask(get().answered(503).asked().gives(200).of(1)),
        case(
            "s-maxage-against-configured",
            "RFC 9111 s5.2.2.10",
            "s-maxage closes what an operator gives to all.",
        )
        .when("cache.stale_if_error", "60s")
        .store(&["Cache-Control: s-maxage=10"])
        .pass(15)
        .ask(get().answered(503).asked()),
    ]
}

fn behind() -> Vec<Case> {
    let value = "max-age=10, stale-while-revalidate=60";
    vec![
        stale(
            "stale-while-revalidate",
            WHILE,
            "Served stale at once, and asked for behind.",
            value,
        )
        .ask(get().says("Cache-Control: max-age=60").behind().of(1))
        .ask(get().in_the_end().hit_of(2)),
        stale(
            "stale-while-revalidate-304",
            WHILE,
            "Behind, the stored validators are used.",
            value,
        )
        .ask(
            get()
                .says("Cache-Control: max-age=10, stale-while-revalidate=60")
                .says("ETag: \"a\"")
                .behind()
                .of(1),
        )
        .ask(get().in_the_end().hit_of(2))
        .pass(15)
        .ask(
            get()
                .confirms(&["Cache-Control: max-age=600"])
                .behind()
                .of(2)
                .origin_saw("If-None-Match: \"a\""),
        )
        .ask(get().in_the_end().hit().status("ttl=600")),
        stale(
            "stale-while-revalidate-over",
            WHILE,
            "Not when that time is over.",
            "max-age=10, stale-while-revalidate=5",
        )
        .asked(),
        stale(
            "stale-while-revalidate-must-revalidate",
            "RFC 9111 s5.2.2.2",
            "Not beside must-revalidate.",
            "max-age=10, stale-while-revalidate=60, must-revalidate",
        )
        .asked(),
    ]
}

fn behind_and_others() -> Vec<Case> {
    vec![
        stale(
            "stale-while-revalidate-s-maxage",
            WHILE,
            "It counts beside s-maxage of the same response, by default.",
            "s-maxage=10, stale-while-revalidate=60",
        )
        .ask(get().behind().of(1)),
        case(
            "s-maxage-forbids-stale",
            "RFC 9111 s5.2.2.10",
            "An operator may read s-maxage strictly: nothing stale beside it.",
        )
        .when("semantics.s_maxage_forbids_stale", "true")
        .store(&["Cache-Control: s-maxage=10, stale-while-revalidate=60"])
        .pass(15)
        .asked(),
        case("stale-while-revalidate-failing", WHILE, "If that fails behind, nobody notices.")
            .store(&["Cache-Control: max-age=10, stale-while-revalidate=60"])
            .pass(15)
            .ask(get().answered(503).behind().of(1))
            .pass(60)
            .ask(get().in_the_end().asked()),
    ]
}
