//! Answers that are right: no rule at all is met.

use super::given::{Given, NOON, answer, date, page, style};
use super::met;
use crate::semantics::cookies::Cookies;
use crate::semantics::reason::Reason;

/// With what gunicorn adds.
fn by_gunicorn(given: Given) -> Given {
    given.says("server", "gunicorn").says("date", &date(NOON))
}

/// Pages as a Django project sends them.
fn django() -> Vec<Given> {
    let never = "max-age=0, no-cache, no-store, must-revalidate, private";
    let page = || page().says("x-frame-options", "DENY").says("content-length", "3210");
    vec![
        page().says("cache-control", "s-maxage=600, max-age=0").stored(),
        // `cache_page(60)`, kept by Django for 20 seconds, and no cookie looked at.
        page()
            .says("cache-control", "max-age=60")
            .says("expires", &date(NOON + 40))
            .says("age", "20")
            .stored(),
        // `never_cache` on the login, which sets a token.
        page()
            .says("cache-control", never)
            .says("expires", &date(NOON))
            .says("vary", "Cookie")
            .says("set-cookie", "csrftoken=abc; Path=/; SameSite=Lax")
            .because(Reason::NoStore)
            .number(50),
        // A page of a visitor's own.
        page()
            .says("cache-control", "private")
            .says("vary", "Cookie, Accept-Language")
            .visited()
            .because(Reason::Private)
            .millis(900)
            .number(50),
        // The same for nobody in particular, confirmed by its tag.
        page()
            .says("cache-control", "s-maxage=60, stale-while-revalidate=30, max-age=0")
            .says("vary", "Accept-Encoding, Cookie")
            .says("content-encoding", "gzip")
            .says("etag", "W/\"0b8cf2\"")
            .to("cookie", "_ga=GA1.2; csrftoken=abc")
            .confirmed()
            .millis(700)
            .number(50),
        // To who isn't logged in, with a redirect to the login.
        page()
            .status(302)
            .says("location", "/login/?next=/account/")
            .says("vary", "Cookie")
            .because(Reason::NoLifetime)
            .before(|before| before.led = 50),
        answer("/feed/")
            .says("content-type", "application/rss+xml; charset=utf-8")
            .says("cache-control", "max-age=600")
            .says("last-modified", &date(NOON - 5_000))
            .stored(),
    ]
}

/// Answers as a Flask app sends them, with Flask-Login.
fn flask() -> Vec<Given> {
    vec![
        page().says("cache-control", "s-maxage=300, max-age=0").says("vary", "Cookie").stored(),
        page()
            .says("cache-control", "private, max-age=60")
            .says("set-cookie", "session=eyJ; HttpOnly; Path=/")
            .says("vary", "Cookie")
            .visited()
            .because(Reason::Private),
        // `send_file` of a download.
        answer("/download/manual.txt")
            .says("content-type", "text/plain; charset=utf-8")
            .says("content-length", "4096")
            .says("content-disposition", "attachment; filename=manual.txt")
            .says("last-modified", &date(NOON - 90_000))
            .says("cache-control", "max-age=3600")
            .says("expires", &date(NOON + 3600))
            .says("etag", "\"1759238479.2-4096-123\"")
            .to("accept-encoding", "gzip")
            .stored(),
        // `flash` before the login.
        page()
            .status(302)
            .says("location", "/login")
            .says("set-cookie", "session=eyJ; HttpOnly; Path=/")
            .says("vary", "Cookie")
            .because(Reason::SetCookie)
            .number(50),
        // A static file with Flask's own words, asked for now and then.
        style("/static/shop.css")
            .says("cache-control", "no-cache")
            .says("content-disposition", "inline; filename=shop.css")
            .stored()
            .number(4),
    ]
}

/// Files by WhiteNoise and nginx.
fn files() -> Vec<Given> {
    vec![
        style("/static/blog/base.27e20196a850.css")
            .says("cache-control", "max-age=315360000, public, immutable")
            .says("vary", "Accept-Encoding")
            .says("content-encoding", "gzip")
            .says("content-length", "40000")
            .says("access-control-allow-origin", "*")
            .stored(),
        style("/static/blog/blog.css").says("cache-control", "max-age=60, public").stored(),
        // `expires max` of nginx.
        style("/static/app.3f2a9c1b.css")
            .says("cache-control", "max-age=315360000")
            .says("expires", "Thu, 31 Dec 2099 23:55:55 GMT")
            .stored(),
        answer("/static/logo.png")
            .says("content-type", "image/png")
            .says("content-length", "250000")
            .says("cache-control", "max-age=86400, public")
            .to("accept-encoding", "gzip, br")
            .stored(),
        // A photograph of one visitor's.
        answer("/media/private/a1b2c3d4.jpg")
            .says("content-type", "image/jpeg")
            .says("cache-control", "private, max-age=600")
            .visited()
            .because(Reason::Private),
        answer("/data.csv.gz")
            .says("content-type", "text/csv")
            .says("content-encoding", "gzip")
            .says("cache-control", "max-age=600")
            .stored(),
    ]
}

/// Data, for programs.
fn apis() -> Vec<Given> {
    let json = |path: &str| answer(path).says("content-type", "application/json");
    vec![
        json("/api/articles?page=2&utm=1")
            .says("cache-control", "public, max-age=30, stale-while-revalidate=30")
            .says("vary", "Accept, Origin")
            .says("etag", "\"abc\"")
            .to("authorization", "Bearer abc")
            .stored()
            .millis(900)
            .number(50),
        json("/api/me")
            .says("cache-control", "no-store")
            .to("authorization", "Bearer abc")
            .because(Reason::NoStore)
            .millis(900)
            .number(50),
        json("/api/unknown").status(404).says("cache-control", "max-age=10").stored().number(50),
        json("/api/prices")
            .says("cache-control", "max-age=0")
            .says("cdn-cache-control", "max-age=300")
            .says("last-modified", &date(NOON - 60))
            .stored()
            .before(|before| before.changed = 3),
        // It says itself that it is soon another one.
        json("/api/ticker")
            .says("cache-control", "s-maxage=2, max-age=0")
            .says("etag", "\"abc\"")
            .says("last-modified", &date(NOON))
            .stored()
            .before(|before| (before.changed, before.dated) = (50, 50)),
        answer("/events")
            .says("content-type", "text/event-stream")
            .says("cache-control", "no-cache")
            .because(Reason::EventStream)
            .number(50),
        json("/api/articles/1").status(304).says("etag", "\"abc\"").because(Reason::Status),
    ]
}

#[test]
fn answers_that_are_right_meet_no_rule() {
    for given in [django(), flask(), files(), apis()].concat() {
        let given = by_gunicorn(given);
        assert_eq!(met(&given), [""; 0], "{given:?}");
    }
}

#[test]
fn they_are_right_where_every_cookie_counts_too() {
    for given in [django(), flask(), files(), apis()].concat() {
        let given = given.policy(|policy| policy.cookies = Cookies::All);
        let others: Vec<_> =
            met(&given).into_iter().filter(|code| *code != "vary-every-cookie").collect();
        assert_eq!(others, [""; 0], "{given:?}");
    }
}
