//! Lifetimes, and what contradicts them.

use super::super::given::{NOON, answer, date, page, page_with, style};
use super::Row;
use crate::semantics::reason::Reason;
use crate::semantics::time::DeltaSeconds;
use http::HeaderName;

pub fn rows() -> Vec<Row> {
    [lifetimes(), ages(), unstated(), contradictions()].concat()
}

fn lifetimes() -> Vec<Row> {
    vec![
        (
            "browser-lifetime",
            vec![page_with("max-age=600"), page_with("public, max-age=86400")],
            vec![
                page_with("max-age=600, s-maxage=600"),
                page_with("max-age=60"),
                page_with("private, max-age=600"),
                page_with("no-cache, max-age=600"),
                page_with("max-age=600").says("cdn-cache-control", "max-age=60"),
                page_with("max-age=600").status(404),
                style("/static/a.css").says("cache-control", "max-age=600"),
            ],
        ),
        (
            "immutable-page",
            vec![page_with("max-age=31536000, immutable")],
            vec![
                page_with("max-age=0, immutable"),
                page_with("max-age=600, x=\"immutable\""),
                style("/static/a.css").says("cache-control", "max-age=31536000, immutable"),
            ],
        ),
        (
            "immutable-without-lifetime",
            vec![style("/static/a.css").says("cache-control", "public, Immutable")],
            vec![
                style("/static/a.css").says("cache-control", "max-age=600, immutable"),
                style("/static/a.css")
                    .says("cache-control", "immutable")
                    .says("expires", &date(NOON + 600)),
            ],
        ),
        (
            "tiny-lifetime",
            vec![page_with("s-maxage=5").stored().millis(600)],
            vec![
                page_with("s-maxage=5").stored().millis(400),
                page_with("s-maxage=60").stored().millis(600),
                page_with("s-maxage=5, stale-while-revalidate=60").stored().millis(600),
                page_with("max-age=0").stored().millis(600),
                page_with("s-maxage=5").stored().millis(600).policy(|policy| {
                    policy.stale_while_revalidate = DeltaSeconds::new(60);
                }),
                // What is said to larder alone is not seen here.
                page_with("max-age=5").stored().millis(600).policy(|policy| {
                    policy.targeted = vec![HeaderName::from_static("surrogate-control")];
                }),
            ],
        ),
    ]
}

fn ages() -> Vec<Row> {
    vec![
        (
            "expires-differs",
            vec![
                page_with("max-age=60").says("expires", &date(NOON + 3600)),
                page_with("max-age=600").says("expires", "0"),
                page_with("max-age=600")
                    .says("expires", &date(NOON + 600))
                    .says("date", &date(NOON - 3600)),
            ],
            vec![
                page_with("max-age=600").says("expires", &date(NOON + 601)),
                // Django's cache keeps Expires while its pages grow old.
                page_with("max-age=600").says("expires", &date(NOON + 200)).says("age", "400"),
                page_with("max-age=0").says("expires", &date(NOON - 1_000_000)),
                page_with("no-store, max-age=0").says("expires", &date(NOON + 600)),
                page_with("s-maxage=600").says("expires", &date(NOON)),
                page_with("max-age=600").says("expires", &date(NOON + 60)).confirmed(),
                page_with("max-age=31536000").says("expires", &date(NOON + 400_000_000)),
            ],
        ),
        (
            "expires-invalid",
            vec![page().says("expires", "tomorrow"), page().says("expires", "1800000000")],
            vec![
                page().says("expires", &date(NOON)),
                page().says("expires", "0"),
                page().says("expires", "-1"),
            ],
        ),
        (
            "stale-on-arrival",
            vec![
                page_with("s-maxage=60").says("age", "60"),
                page().says("expires", &date(NOON + 60)).says("age", "100"),
            ],
            vec![
                page_with("s-maxage=60").says("age", "59"),
                page_with("s-maxage=60, stale-while-revalidate=60").says("age", "70"),
                page_with("max-age=0").says("age", "60"),
                page_with("s-maxage=60").says("age", "60").confirmed(),
                page().says("age", "100"),
            ],
        ),
        (
            "age-repeated",
            vec![
                page().says("age", "7").says("age", "9"),
                page().says("age", "7, 9"),
                page().says("age", "7s"),
            ],
            vec![page().says("age", "7"), page()],
        ),
    ]
}

fn unstated() -> Vec<Row> {
    let silent = || page().because(Reason::NoLifetime);
    let modified = || page().says("last-modified", &date(NOON - 100_000)).stored();
    vec![
        (
            "guessed-lifetime",
            vec![modified()],
            vec![
                modified().says("cache-control", "max-age=60"),
                modified().policy(|policy| policy.heuristic_max = None),
                style("/static/a.css").stored(),
            ],
        ),
        (
            "nothing-said",
            vec![silent()],
            vec![
                silent().says("cache-control", "public"),
                silent().says("expires", "0"),
                silent().says("pragma", "no-cache"),
                silent().visited(),
                silent().status(404),
                // It lives by `cache.default_ttl`, or is confirmed by its tag.
                page().stored(),
                page().because(Reason::SetCookie),
                answer("/api").says("content-type", "application/json").because(Reason::NoLifetime),
            ],
        ),
    ]
}

fn contradictions() -> Vec<Row> {
    vec![
        (
            "public-and-private",
            vec![
                page_with("public, private"),
                page_with("PUBLIC").says("cache-control", "private"),
            ],
            vec![page_with("public, private=\"x-user\""), page_with("private, x=\"public\"")],
        ),
        (
            "no-store-and-lifetime",
            vec![page_with("no-store, max-age=60"), page_with("s-maxage=1, no-store")],
            vec![
                page_with("max-age=0, no-cache, no-store, must-revalidate, private"),
                page_with("no-store, must-understand, max-age=60"),
            ],
        ),
        (
            "no-cache-and-s-maxage",
            vec![page_with("no-cache, s-maxage=60")],
            vec![
                page_with("no-cache=\"set-cookie\", s-maxage=60"),
                page_with("no-cache, s-maxage=0"),
                page_with("max-age=0, s-maxage=60"),
            ],
        ),
        (
            "must-revalidate-and-stale",
            vec![
                page_with("max-age=60, must-revalidate, stale-while-revalidate=60"),
                page_with("max-age=60, must-revalidate, stale-if-error=60"),
            ],
            vec![
                page_with("max-age=60, must-revalidate, stale-if-error=0"),
                // Browsers may.
                page_with("max-age=60, proxy-revalidate, stale-while-revalidate=60"),
            ],
        ),
    ]
}
