//! What goes to the app again and again.

use super::super::given::{Given, answer, page, page_with};
use super::Row;
use crate::observe::recent::Before;
use crate::semantics::reason::Reason;

pub fn rows() -> Vec<Row> {
    [again(), split(), plain()].concat()
}

fn again() -> Vec<Row> {
    let led = |before: &mut Before| before.led = 10;
    let slow = |reason| page().because(reason).millis(500).number(3);
    let gone = || page().status(404).because(Reason::NoLifetime).number(10);
    let moved = |status| page().status(status).because(Reason::NoLifetime).before(led);
    vec![
        (
            "slow-not-stored",
            vec![slow(Reason::NoLifetime), slow(Reason::VaryAny)],
            vec![
                slow(Reason::NoLifetime).millis(400),
                slow(Reason::NoLifetime).number(2),
                slow(Reason::NoLifetime).visited(),
                slow(Reason::Private),
                slow(Reason::NoStore),
                slow(Reason::SetCookie),
                page_with("s-maxage=60").stored().millis(500).number(3),
            ],
        ),
        (
            "not-found-again",
            vec![gone(), gone().status(410)],
            vec![
                gone().number(9),
                gone().visited(),
                gone().status(403),
                page().status(404).stored().number(10),
            ],
        ),
        (
            "redirect-again",
            vec![moved(301), moved(302), moved(308)],
            vec![
                moved(302).before(|before| before.led = 9),
                moved(302).says("vary", "Cookie"),
                moved(302).visited(),
                moved(303),
                page().status(302).because(Reason::Private).before(led),
                page().status(301).says("cache-control", "max-age=60").stored().before(led),
            ],
        ),
    ]
}

fn split() -> Vec<Row> {
    let html = |path| answer(path).says("content-type", "text/html").stored();
    let insignificant = "params=(\"utm_source\" \"gclid\")";
    vec![(
        "tracking-parameters",
        vec![
            html("/?utm_source=x"),
            html("/articles?page=2&fbclid=abc"),
            html("/?utm_medium=x&utm_source=y").says("no-vary-search", insignificant),
        ],
        vec![
            html("/?utm_source=x&gclid=1").says("no-vary-search", insignificant),
            html("/?source=utm_source&xgclid=1"),
            html("/utm_source=x"),
            answer("/?utm_source=x").says("content-type", "text/html").because(Reason::NoStore),
        ],
    )]
}

fn plain() -> Vec<Row> {
    let of = |media_type: &str, length: &str| -> Given {
        answer("/articles")
            .says("content-type", media_type)
            .says("content-length", length)
            .to("accept-encoding", "gzip, deflate, br")
    };
    let large = || of("text/html; charset=utf-8", "40000");
    vec![(
        "not-compressed",
        vec![large(), of("application/json", "4097"), of("Image/SVG+xml", "40000")],
        vec![
            of("text/html", "4096"),
            of("image/png", "40000"),
            of("text/event-stream", "40000"),
            of("text/html", "many"),
            large().says("content-encoding", "br"),
            large().says("cache-control", "no-transform"),
            large().says("cache-control", "private"),
            large().says("set-cookie", "a=b"),
            large().visited(),
            large().status(404),
            answer("/").says("content-type", "text/html").says("content-length", "40000"),
            answer("/")
                .says("content-type", "text/html")
                .says("content-length", "40000")
                .to("accept-encoding", "br, gzip;q=0.00"),
        ],
    )]
}
