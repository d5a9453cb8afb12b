//! Validators and dates.

use super::super::given::{NOON, date, page, page_with};
use super::Row;

pub fn rows() -> Vec<Row> {
    [tags(), dates(), missing()].concat()
}

fn tags() -> Vec<Row> {
    vec![
        (
            "etag-malformed",
            vec![
                page().says("etag", "abc"),
                page().says("etag", "W/abc"),
                page().says("etag", "w/\"abc\""),
                page().says("etag", "\"abc"),
                page().says("etag", "\"a\"").says("etag", "\"b\""),
            ],
            vec![
                page().says("etag", "\"abc\""),
                page().says("etag", "W/\"a,b\""),
                page().says("etag", "\"\""),
                page(),
            ],
        ),
        (
            "etag-changes",
            vec![page().says("etag", "\"e\"").before(|before| before.changed = 4)],
            vec![
                page().says("etag", "\"e\"").before(|before| before.changed = 3),
                page_with("max-age=5").says("etag", "\"e\"").before(|before| before.changed = 4),
                page().before(|before| before.changed = 4),
            ],
        ),
    ]
}

fn dates() -> Vec<Row> {
    let modified = |second: u64| page().says("last-modified", &date(second));
    let dated = |second: u64| page().says("date", &date(second));
    vec![
        (
            "last-modified-now",
            vec![modified(NOON).before(|before| before.dated = 4)],
            vec![
                modified(NOON).before(|before| before.dated = 3),
                modified(NOON).says("cache-control", "max-age=5").before(|b| b.dated = 4),
                page().before(|before| before.dated = 4),
            ],
        ),
        (
            "last-modified-invalid",
            vec![
                page().says("last-modified", "2026-11-30T06:00:00Z"),
                page().says("last-modified", "Mon, 30 Nov 2026 06:00:00 +0000"),
            ],
            vec![modified(NOON), page().says("last-modified", "Sunday, 06-Nov-94 08:49:37 GMT")],
        ),
        (
            "last-modified-future",
            vec![modified(NOON + 7200)],
            vec![
                modified(NOON + 60),
                modified(NOON - 7200),
                // The app's clock is ahead.
                modified(NOON + 7200).says("date", &date(NOON + 7200)),
            ],
        ),
        (
            "date-wrong",
            vec![
                dated(NOON + 120),
                dated(NOON - 120),
                dated(NOON - 120).says("age", "30"),
                page().says("date", "today"),
            ],
            vec![
                dated(NOON - 50),
                dated(NOON + 50),
                dated(NOON - 120).says("age", "110"),
                dated(NOON - 80).millis(30_000),
                page(),
            ],
        ),
    ]
}

fn missing() -> Vec<Row> {
    let costly = |directives| page_with(directives).stored().millis(300).number(3);
    vec![(
        "no-validator",
        vec![costly("s-maxage=60")],
        vec![
            costly("s-maxage=60").says("etag", "\"a\""),
            costly("s-maxage=60").says("last-modified", &date(NOON - 60)),
            costly("s-maxage=60").millis(100),
            costly("s-maxage=60").number(2),
            costly("s-maxage=864000"),
            page_with("private").millis(300).number(3),
        ],
    )]
}
