//! What is written wrongly.

use super::super::given::{page, page_with};
use super::Row;

pub fn rows() -> Vec<Row> {
    [names(), values(), old()].concat()
}

fn names() -> Vec<Row> {
    vec![
        (
            "directive-misspelt",
            vec![
                page_with("maxage=60"),
                page_with("public, s-max-age=60"),
                page_with("MaxAge=60"),
                page_with("nocache"),
                page_with("no_store"),
                page_with("stale_while_revalidate=60"),
            ],
            vec![
                page_with("Max-Age=60, S-MAXAGE=60, no-store, no-cache"),
                page_with("x=\"maxage=60\""),
                page_with("age=60, community=\"UCI\""),
            ],
        ),
        (
            "directive-colon",
            vec![page_with("max-age:60"), page_with("public, s-maxage: 60")],
            vec![page_with("max-age=60, x=\"max-age:60\""), page_with("x:y")],
        ),
        (
            "directive-semicolon",
            vec![page_with("public; max-age=60"), page_with("max-age=60;")],
            vec![page_with("public, max-age=60"), page_with("x=\"a;b\", max-age=60")],
        ),
        (
            "directive-of-requests",
            vec![page_with("max-stale=60"), page_with("only-if-cached")],
            vec![page_with("stale-while-revalidate=60"), page_with("x=\"min-fresh\"")],
        ),
        (
            "directive-obsolete",
            vec![page_with("no-store, post-check=0, pre-check=0")],
            vec![page_with("no-store, x=\"pre-check=0\"")],
        ),
    ]
}

fn values() -> Vec<Row> {
    vec![
        (
            "directive-repeated",
            vec![
                page_with("max-age=60, max-age=600"),
                page_with("max-age=60").says("cache-control", "public, Max-Age=0"),
            ],
            vec![
                page_with("max-age=60, max-age=60"),
                page_with("max-age=60, max-age=\"060\""),
                page_with("max-age=60, s-maxage=600"),
                page_with("max-age=60, x=\"max-age=600\""),
            ],
        ),
        (
            "seconds-unusable",
            vec![
                page_with("max-age=1.5"),
                page_with("max-age=-1"),
                page_with("s-maxage=\"60s\""),
                page_with("max-age"),
                page_with("max-age= 60"),
                page_with("max-age=60, stale-if-error=one day"),
            ],
            vec![
                page_with("max-age=\"60\""),
                page_with("max-age=99999999999"),
                // That is another mistake.
                page_with("max-age=60; public"),
            ],
        ),
    ]
}

fn old() -> Vec<Row> {
    vec![
        (
            "pragma-alone",
            vec![page().says("pragma", "No-Cache")],
            vec![
                page_with("no-store").says("pragma", "no-cache"),
                page().says("pragma", "x"),
                page().says("pragma", "no-cache").says("cdn-cache-control", "no-store"),
            ],
        ),
        (
            "warning-obsolete",
            vec![page().says("warning", "110 - \"Response is Stale\"")],
            vec![page().says("x-warning", "110")],
        ),
    ]
}
