//! Who may share an answer: Vary, cookies, files that are the same for all.

use super::super::given::{NOON, answer, date, page, page_with, style};
use super::Row;
use crate::semantics::cookies::Cookies;
use http::HeaderName;

pub fn rows() -> Vec<Row> {
    [vary(), encodings(), set_cookies(), personal(), files(), lifetimes_of_files()].concat()
}

fn vary() -> Vec<Row> {
    let every = |policy: &mut crate::semantics::policy::Policy| policy.cookies = Cookies::All;
    let varies = || page_with("s-maxage=60").says("vary", "Accept-Language, Cookie").policy(every);
    vec![
        (
            "vary-any",
            vec![page().says("vary", "*"), page().says("vary", "Accept").says("vary", "cookie, *")],
            vec![page().says("vary", "Accept"), page_with("private").says("vary", "*")],
        ),
        (
            "vary-unreadable",
            vec![page().says("vary", "Accept-Encoding; Cookie"), page().says("vary", "a b")],
            vec![
                page().says("vary", "Accept-Encoding,Cookie,"),
                page().says("vary", "*"),
                page_with("no-store").says("vary", "a b"),
            ],
        ),
        (
            "vary-unbounded",
            vec![
                page().says("vary", "User-Agent"),
                page().says("vary", "Accept-Encoding, X-Request-ID"),
            ],
            vec![
                page().says("vary", "Accept-Encoding, Accept-Language, Origin, HX-Request"),
                page_with("private").says("vary", "User-Agent"),
            ],
        ),
        (
            "vary-every-cookie",
            vec![varies().to("cookie", "_ga=1")],
            vec![
                varies(),
                page().says("vary", "Cookie").to("cookie", "_ga=1"),
                varies().to("cookie", "_ga=1").says("cache-control", "private"),
                page().says("vary", "*").to("cookie", "_ga=1").policy(every),
            ],
        ),
        (
            "vary-answer-field",
            vec![
                page().says("vary", "Content-Encoding"),
                page().says("vary", "Set-Cookie, Accept"),
            ],
            vec![page().says("vary", "Accept-Encoding, Cookie"), page().says("vary", "*")],
        ),
    ]
}

fn encodings() -> Vec<Row> {
    let gzip =
        |path| answer(path).says("content-type", "text/css").says("content-encoding", "gzip");
    vec![(
        "vary-encoding-missing",
        vec![gzip("/a").stored(), gzip("/a").says("cache-control", "max-age=60")],
        vec![
            gzip("/a").stored().says("vary", "Cookie, accept-encoding"),
            gzip("/a").stored().says("vary", "*"),
            gzip("/a"),
            gzip("/a").says("cache-control", "private, max-age=60"),
            gzip("/logs.tar.gz").stored(),
            page().says("content-encoding", "identity").stored(),
        ],
    )]
}

fn set_cookies() -> Vec<Row> {
    let sets =
        |given: super::Given, name: &str| given.says("set-cookie", &format!("{name}=abc; Path=/"));
    vec![
        (
            "set-cookie-shared",
            vec![
                sets(page_with("public"), "a"),
                sets(page_with("s-maxage=60"), "a"),
                sets(page_with("max-age=60"), "a").visited(),
            ],
            vec![
                sets(page_with("private, max-age=60"), "a"),
                sets(page_with("max-age=60, no-store"), "a"),
                sets(page_with("max-age=0"), "a"),
                sets(page_with("max-age=60, no-cache=\"set-cookie\""), "a"),
                sets(page(), "a"),
                page_with("public"),
            ],
        ),
        (
            "csrf-cookie",
            vec![sets(page(), "csrftoken"), sets(sets(page(), "a"), "XSRF-TOKEN")],
            vec![
                sets(page(), "csrftoken").visited(),
                sets(page_with("no-store"), "csrftoken"),
                sets(page(), "csrftoken").status(302),
                sets(page(), "theme"),
            ],
        ),
        (
            "session-cookie",
            vec![
                sets(page(), "sessionid"),
                sets(page(), "PHPSESSID"),
                sets(page(), "member").policy(|policy| {
                    policy.cookies = Cookies::Named(vec!["member".into()]);
                }),
            ],
            vec![
                sets(page(), "member"),
                sets(page(), "sessionid").visited(),
                sets(page_with("private"), "sessionid"),
                sets(page(), "session").status(302),
            ],
        ),
    ]
}

fn personal() -> Vec<Row> {
    let json = || answer("/api").says("content-type", "application/problem+json");
    vec![(
        "personal-shared",
        vec![
            page_with("max-age=60").visited(),
            page().says("expires", &date(NOON + 60)).visited(),
            json().says("cache-control", "max-age=60").visited(),
        ],
        vec![
            page_with("max-age=60"),
            page_with("public, max-age=60").visited(),
            page_with("s-maxage=60, max-age=0").visited(),
            page_with("private, max-age=60").visited(),
            page_with("max-age=60, no-cache").visited(),
            page_with("max-age=0").visited(),
            page_with("max-age=60").says("vary", "Cookie").visited(),
            page_with("max-age=60").says("cdn-cache-control", "max-age=60").visited(),
            // It is not known which cookie says who somebody is.
            page_with("max-age=60").visited().policy(|policy| policy.cookies = Cookies::All),
            // Others are not given this (RFC 9111 section 3.5).
            page_with("max-age=60").to("authorization", "Bearer abc"),
            style("/static/a.css").says("cache-control", "max-age=60").visited(),
        ],
    )]
}

fn files() -> Vec<Row> {
    let picture = |path| answer(path).says("content-type", "image/png");
    vec![
        (
            "static-vary-cookie",
            vec![
                style("/static/a.css").says("vary", "Accept-Encoding, Cookie"),
                style("/assets/a.css").says("vary", "Cookie"),
                picture("/static/logo.png").says("vary", "Cookie"),
            ],
            vec![
                style("/static/a.css").says("vary", "Accept-Encoding"),
                style("/static/a.css").says("vary", "*"),
                picture("/media/logo.png").says("vary", "Cookie"),
                // Made for a visitor: it has no date.
                answer("/settings.js")
                    .says("content-type", "text/javascript")
                    .says("vary", "Cookie"),
                // A page that pretends to be a file.
                page().says("vary", "Cookie"),
                answer("/static/a.css").says("content-type", "text/html").says("vary", "Cookie"),
            ],
        ),
        (
            "static-set-cookie",
            vec![style("/static/a.css").says("set-cookie", "session=abc")],
            vec![
                style("/static/a.css"),
                style("/static/a.css").status(404).says("set-cookie", "session=abc"),
                page().says("set-cookie", "session=abc"),
            ],
        ),
        (
            "static-no-store",
            vec![style("/static/a.css").says("cache-control", "no-store")],
            vec![
                style("/static/a.css").says("cache-control", "no-cache"),
                style("/static/a.css").says("cache-control", "no-store").visited(),
                page_with("no-store"),
            ],
        ),
        (
            "static-private",
            vec![style("/static/a.css").says("cache-control", "private, max-age=60")],
            vec![
                style("/static/a.css").says("cache-control", "private=\"x-user\", max-age=60"),
                style("/static/a.css").says("cache-control", "private").visited(),
                style("/static/a.css")
                    .says("cache-control", "private")
                    .says("cdn-cache-control", "max-age=60"),
                picture("/media/me.png").says("cache-control", "private"),
            ],
        ),
    ]
}

fn lifetimes_of_files() -> Vec<Row> {
    let hashed = || style("/static/base.27e20196a850.css");
    let asked = || style("/static/a.css").says("cache-control", "no-cache").stored();
    vec![
        (
            "static-fingerprint-short",
            vec![
                hashed().says("cache-control", "max-age=60"),
                hashed().says("cache-control", "no-cache"),
                hashed(),
                answer("/js/main-3f2a9c1b.js").says("content-type", "text/javascript"),
            ],
            vec![
                hashed().says("cache-control", "max-age=86400"),
                hashed().says("expires", &date(NOON + 900_000)),
                hashed().says("cache-control", "no-store"),
                style("/static/jquery-3.6.0.min.css").says("cache-control", "max-age=60"),
                style("/static/report-20260101.css").says("cache-control", "max-age=60"),
                style("/static/feedface.css").says("cache-control", "max-age=60"),
            ],
        ),
        (
            "static-no-cache",
            vec![asked().number(10)],
            vec![
                asked().number(9),
                asked().number(10).says("cdn-cache-control", "max-age=60"),
                style("/static/a.css").says("cache-control", "max-age=60").number(10),
                page_with("no-cache").number(10),
            ],
        ),
        (
            "targeted-unreadable",
            vec![
                page().says("cdn-cache-control", "max-age = 60"),
                page().says("cdn-cache-control", "Max-Age=60"),
            ],
            vec![
                page().says("cdn-cache-control", "max-age=60"),
                page().says("cdn-cache-control", ""),
                page().says("cdn-cache-control", "max-age = 60").policy(|policy| {
                    policy.targeted = vec![HeaderName::from_static("larder-cache-control")];
                }),
            ],
        ),
    ]
}
