//! Targeted cache control: RFC 9213.

use super::case::{Case, case, get, not_reused, reused};

const FIRST: &str = "RFC 9213 s2.2";
const SYNTAX: &str = "RFC 9213 s2.1";

pub fn cases() -> Vec<Case> {
    let mut all = lifetimes();
    all.extend(precedence());
    all.extend(syntax());
    all.extend(handed_on());
    all.extend(options());
    all
}

fn lifetimes() -> Vec<Case> {
    let mut all = Vec::new();
    for (id, lines, what) in [
        ("max-age", &["CDN-Cache-Control: max-age=60"][..], "max-age there is a lifetime"),
        ("2147483648", &["CDN-Cache-Control: max-age=2147483648"], "a long time is no mistake"),
        ("99999999999", &["CDN-Cache-Control: max-age=99999999999"], "a very long time neither"),
        (
            "extension",
            &["CDN-Cache-Control: example, max-age=60, more=1"],
            "unknown members are ignored",
        ),
        (
            "over-expires",
            &["CDN-Cache-Control: max-age=60", "Expires: {-600}"],
            "an Expires that is past does not count",
        ),
        (
            "over-invalid-expires",
            &["CDN-Cache-Control: max-age=60", "Cache-Control: max-age=1", "Expires: 0"],
            "nor one that is no date",
        ),
        (
            "over-shorter-max-age",
            &["CDN-Cache-Control: max-age=60", "Cache-Control: max-age=1"],
            "it counts over a shorter Cache-Control",
        ),
        (
            "over-no-store",
            &["CDN-Cache-Control: max-age=60", "Cache-Control: no-store"],
            "it counts over no-store in Cache-Control",
        ),
        (
            "over-private",
            &["CDN-Cache-Control: max-age=60", "Cache-Control: private, no-cache"],
            "and over private and no-cache there",
        ),
        ("s-maxage", &["CDN-Cache-Control: max-age=1, s-maxage=60"], "s-maxage counts there too"),
        (
            "two-lines",
            &["CDN-Cache-Control: foo", "CDN-Cache-Control: max-age=60"],
            "lines are one field",
        ),
        ("parameter", &["CDN-Cache-Control: max-age=60;why=1"], "parameters are ignored"),
        ("true", &["CDN-Cache-Control: max-age=60, no-store=?0"], "?0 is no directive"),
        ("own", &["Larder-Cache-Control: max-age=60"], "larder's own field is one of them"),
        (
            "own-first",
            &["CDN-Cache-Control: max-age=1", "Larder-Cache-Control: max-age=60"],
            "larder's own field goes first",
        ),
    ] {
        let behaviour = format!("A targeted field: {what}.");
        all.push(reused(format!("targeted-{id}"), FIRST, behaviour, 50, lines));
    }
    all
}

fn precedence() -> Vec<Case> {
    let long = "Cache-Control: max-age=600";
    let mut all = Vec::new();
    for (id, line, what) in [
        ("zero", "CDN-Cache-Control: max-age=0", "max-age=0 there is no lifetime"),
        ("shorter", "CDN-Cache-Control: max-age=10", "it counts over a longer Cache-Control"),
        ("no-store", "CDN-Cache-Control: no-store", "no-store there forbids to store"),
        ("private", "CDN-Cache-Control: private", "private there forbids to store"),
        ("no-cache", "CDN-Cache-Control: no-cache", "no-cache there asks for validation"),
        (
            "no-lifetime",
            "CDN-Cache-Control: public",
            "Cache-Control does not fill what is left out",
        ),
    ] {
        let behaviour = format!("A targeted field: {what}.");
        let lines = [line, long, "Expires: {+600}"];
        all.push(not_reused(format!("targeted-{id}"), FIRST, behaviour, 10, &lines));
    }
    all.push(not_reused(
        "targeted-age",
        FIRST,
        "Age is used up from a targeted lifetime too.",
        0,
        &["CDN-Cache-Control: max-age=60", "Age: 60"],
    ));
    all.push(
        case("targeted-validator", FIRST, "no-cache in a targeted field: stored, and validated.")
            .store(&["CDN-Cache-Control: no-cache", long, "ETag: \"a\""])
            .ask(get().confirms(&["ETag: \"a\""]).validated().of(1)),
    );
    all
}

fn syntax() -> Vec<Case> {
    let mut all = Vec::new();
    // Beside a Cache-Control that is over, or not.
    for (id, line) in [
        ("unknown-type", "CDN-Cache-Control: max-age=100;foo=, max-age=100"),
        ("space-before-equals", "CDN-Cache-Control: max-age =600"),
        ("space-after-equals", "CDN-Cache-Control: max-age= 600"),
        ("upper-case", "CDN-Cache-Control: MaX-aGe=600"),
        ("trailing-comma", "CDN-Cache-Control: max-age=600,"),
        ("number-too-long", "CDN-Cache-Control: max-age=9999999999999999"),
        ("empty", "CDN-Cache-Control:"),
    ] {
        let behaviour = format!("`{line}` is no dictionary with members: Cache-Control counts.");
        let lines = [line, "Cache-Control: max-age=60"];
        all.push(
            case(format!("targeted-{id}"), SYNTAX, behaviour)
                .store(&lines)
                .pass(50)
                .hit()
                .pass(10)
                .asked(),
        );
    }
    for (id, line) in [
        ("quoted", "CDN-Cache-Control: max-age=\"600\""),
        ("token", "CDN-Cache-Control: max-age=long"),
        ("fraction", "CDN-Cache-Control: max-age=600.0"),
        ("list", "CDN-Cache-Control: max-age=(600)"),
        ("bare", "CDN-Cache-Control: max-age"),
    ] {
        let behaviour =
            format!("`{line}`: a value of the wrong type is ignored, and is no lifetime.");
        all.push(not_reused(format!("targeted-{id}"), SYNTAX, behaviour, 0, &[line]));
    }
    all.push(reused(
        "targeted-last-of-two",
        "RFC 9651 s3.2",
        "Of two members with one key the last counts: a dictionary.",
        50,
        &["CDN-Cache-Control: max-age=1, max-age=60"],
    ));
    all
}

fn handed_on() -> Vec<Case> {
    let line = "CDN-Cache-Control: max-age=60";
    let short = "Cache-Control: max-age=1";
    vec![
        case("targeted-handed-on", "RFC 9213 s2.2", "The field goes to the client as it came.")
            .ask(get().says(line).says(short).asked().shows(line))
            .ask(get().hit().shows(line).shows(short)),
        case("targeted-age-told", "RFC 9111 s5.1", "Age tells the time also past max-age.")
            .store(&[line, short, "Date: {+0}", "Expires: {+1}"])
            .pass(50)
            .ask(get().hit().shows("Age: 50").shows("Date: {+0}").shows("Expires: {+1}")),
    ]
}

fn options() -> Vec<Case> {
    vec![
        not_reused(
            "surrogate-control-not-by-default",
            "RFC 9213 s2",
            "Surrogate-Control is not on the list by default.",
            0,
            &["Surrogate-Control: max-age=60"],
        ),
        reused(
            "surrogate-control",
            "RFC 9213 s2",
            "It can be put there.",
            50,
            &["Surrogate-Control: max-age=60", "Cache-Control: no-store"],
        )
        .when("cache.targeted_fields", "Surrogate-Control"),
        reused(
            "x-accel-expires",
            "RFC 9213 s2",
            "So can X-Accel-Expires, with a number of seconds.",
            50,
            &["X-Accel-Expires: 60", "Cache-Control: max-age=1"],
        )
        .when("cache.targeted_fields", "X-Accel-Expires"),
    ]
}
