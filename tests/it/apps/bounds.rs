//! What larder lets in is not too much for gunicorn with its defaults, whatever larder
//! adds.

use super::{Site, shop};
use crate::harness::Connection;

/// It has two validators, and is validated each time: gunicorn reads every request for it.
const PAGE: &str = "/static/shop.css";

/// Requests that larder adds to as much as it can, and how many fields they have already: no
/// `Host`, or `TE` without `Connection`.
const HEADS: [(&str, usize); 3] = [
    ("HTTP/1.0\r\n", 0),
    ("HTTP/1.0\r\nTE: trailers\r\n", 1),
    ("HTTP/1.1\r\nHost: site.test\r\nTE: trailers\r\n", 2),
];

fn asked(site: &Site, head: &str, fields: &[String]) -> (u16, String) {
    let lines: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
    let mut client = Connection::open(site.larder.proxy);
    client.send(format!("GET {PAGE} {head}{lines}\r\n").as_bytes());
    let answer = client.answer("GET").expect("an answer");
    (answer.status, answer.cache_status().to_string())
}

/// What larder answers itself: gunicorn hears nothing of it.
fn refused() -> (u16, String) {
    (431, "larder".into())
}

fn fields(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("X-{number}: y")).collect()
}

#[test]
fn as_many_fields_as_may_be_are_not_too_many_for_gunicorn() {
    // Each of these has the application told one field more.
    let site = shop()
        .larder_env("LARDER_LOG__MAKE_TRACEPARENT", "true")
        .larder_env("LARDER_FORMS__CSRF", "true")
        .open();
    for (head, own) in HEADS {
        assert_eq!(asked(&site, head, &fields(0)).0, 200);
        let (status, outcome) = asked(&site, head, &fields(90 - own));
        assert_eq!(status, 200, "{head}");
        assert!(outcome.starts_with("larder; fwd=stale; fwd-status=304"), "{head} {outcome}");
        assert_eq!(asked(&site, head, &fields(91 - own)), refused());
    }
}

#[test]
fn a_field_as_long_as_may_be_is_not_too_long_for_gunicorn() {
    let site = shop().open();
    let field = |length: usize| format!("X: {}", "y".repeat(length - "X: \r\n".len()));
    let cookies = |length: usize| {
        let (one, other) = ("a=b".to_string(), "c".repeat(length - "Cookie: a=b; \r\n".len()));
        vec![format!("Cookie: {one}"), format!("Cookie: {other}")]
    };
    for (longest, longer) in
        [(vec![field(8190)], vec![field(8191)]), (cookies(8190), cookies(8191))]
    {
        assert_eq!(asked(&site, HEADS[1].0, &longest).0, 200);
        assert_eq!(asked(&site, HEADS[1].0, &longer), refused());
    }
}
