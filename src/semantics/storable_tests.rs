use super::super::testing::{exchange, fields};
use super::*;
use proptest::prelude::*;

const PLAIN: Asked<'static> = Asked {
    method: &Method::GET,
    path: "/",
    ranged: false,
    visitor: Visitor { authorized: false, identified: false, credentials: false },
};

const AUTHORIZED: Asked<'static> =
    Asked { visitor: Visitor { authorized: true, ..PLAIN.visitor }, ..PLAIN };

/// What is forbidden at first sight has to be refused for the same reason.
fn decided(asked: &Asked<'_>, status: u16, lines: &[(&str, &str)]) -> Storability {
    let fields = fields(lines);
    let directives = ResponseDirectives::of(&fields);
    let policy = Policy { default_lifetime: DeltaSeconds::new(60), ..Policy::default() };
    let status = StatusCode::from_u16(status).expect("a status");
    let freshness =
        Freshness::of(status, &fields, &directives, &exchange(), &policy, asked.visitor.is_known());
    let decided = decide(asked, status, &fields, &directives, &freshness, &policy);
    if let Some(reason) = forbidden(asked.method, status, &directives) {
        assert_eq!(decided, Storability::Refuse(reason), "{status} {lines:?}");
    }
    decided
}

#[test]
fn section_3_clause_by_clause() {
    use Storability::{Refuse, Store};
    let cc = "cache-control";
    type Case<'a> = (u16, &'a [(&'a str, &'a str)], Storability);
    let cases: &[Case<'_>] = &[
        (200, &[(cc, "max-age=60")], Store),
        (200, &[], Store), // by the configured default
        (200, &[(cc, "no-store, max-age=60")], Refuse(Reason::NoStore)),
        (200, &[(cc, "NO-STORE"), (cc, "max-age=60")], Refuse(Reason::NoStore)),
        (200, &[(cc, "Private, max-age=60")], Refuse(Reason::Private)),
        (200, &[(cc, "private=\"x\", max-age=60")], Store),
        (200, &[(cc, "private=\"vary\", max-age=60")], Refuse(Reason::Private)),
        (200, &[(cc, "private=\"\", max-age=60")], Refuse(Reason::Private)),
        (200, &[(cc, "max-age=60"), ("set-cookie", "a=b")], Refuse(Reason::SetCookie)),
        (200, &[(cc, "max-age=60"), ("vary", "*")], Refuse(Reason::VaryAny)),
        (200, &[(cc, "max-age=60"), ("vary", "Accept, *")], Refuse(Reason::VaryAny)),
        (200, &[("content-type", "text/event-stream")], Refuse(Reason::EventStream)),
        (200, &[("content-type", "Text/Event-Stream ;x=y")], Refuse(Reason::EventStream)),
        (200, &[("content-type", "text/event-streams")], Store),
        (206, &[(cc, "max-age=60")], Refuse(Reason::Status)),
        (304, &[(cc, "max-age=60")], Refuse(Reason::Status)),
        (299, &[(cc, "max-age=60")], Store),
        (599, &[(cc, "max-age=60")], Store),
        (599, &[], Refuse(Reason::NoLifetime)),
        (404, &[], Refuse(Reason::NoLifetime)),
        (500, &[("etag", "\"a\"")], Refuse(Reason::NoLifetime)),
        (599, &[(cc, "max-age=60, must-understand")], Refuse(Reason::NotUnderstood)),
        (200, &[(cc, "max-age=60, no-store, must-understand")], Store),
        (200, &[(cc, "no-cache")], Refuse(Reason::NoLifetime)),
        (200, &[(cc, "no-cache"), ("etag", "\"a\"")], Store),
        (200, &[(cc, "max-age=0"), ("etag", "\"a\"")], Store),
        (200, &[(cc, "max-age=0, stale-while-revalidate=9")], Store),
    ];
    for (status, lines, expected) in cases {
        assert_eq!(decided(&PLAIN, *status, lines), *expected, "{status} {lines:?}");
    }
    let post = Asked { method: &Method::POST, ..PLAIN };
    assert_eq!(decided(&post, 200, &[(cc, "max-age=60")]), Refuse(Reason::Method));
    // RFC 10008: as GET, with a lifetime that is stated.
    let query = Asked { method: &Method::QUERY, ..PLAIN };
    let expires = ("expires", "Sun, 06 Nov 1994 08:49:37 GMT");
    for (lines, expected) in [
        (&[(cc, "max-age=60")][..], Store),
        (&[expires, ("etag", "\"a\"")], Store),
        (&[], Refuse(Reason::NoLifetime)),
        (&[("etag", "\"a\"")], Refuse(Reason::NoLifetime)),
        (&[("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT")], Refuse(Reason::NoLifetime)),
        (&[(cc, "max-age=60, private")], Refuse(Reason::Private)),
        (&[(cc, "max-age=60"), ("set-cookie", "a=b")], Refuse(Reason::SetCookie)),
    ] {
        assert_eq!(decided(&query, 200, lines), expected, "{lines:?}");
    }
}

#[test]
fn what_a_request_provokes_is_not_for_others() {
    use Storability::{Refuse, Store};
    let (stated, guessed) = ([("cache-control", "max-age=60")], [("etag", "\"a\"")]);
    for status in [408, 411, 413, 417, 421, 425, 426, 428, 429, 431, 505, 511] {
        assert_eq!(decided(&PLAIN, status, &stated), Refuse(Reason::Provoked), "{status}");
    }
    for status in [400, 405, 414, 415, 501] {
        assert_eq!(decided(&PLAIN, status, &stated), Store, "{status}");
        assert_eq!(decided(&PLAIN, status, &guessed), Refuse(Reason::Provoked), "{status}");
    }
}

#[test]
fn a_pretence_is_stored_only_if_the_application_says_for_how_long() {
    use Storability::{Refuse, Store};
    let html = ("content-type", "text/html; charset=utf-8");
    let css = Asked { path: "/account.css", ..PLAIN };
    for lines in [&[html][..], &[html, ("etag", "\"a\"")], &[html, ("cache-control", "public")]] {
        assert_eq!(decided(&css, 200, lines), Refuse(Reason::Pretence), "{lines:?}");
        assert_eq!(decided(&PLAIN, 200, lines), Store, "{lines:?}");
    }
    assert_eq!(decided(&css, 200, &[html, ("cache-control", "max-age=60")]), Store);
    assert_eq!(decided(&css, 200, &[("content-type", "text/css")]), Store);
}

#[test]
fn what_is_forbidden_at_first_sight_is_refused_for_the_same_reason() {
    let mut forbidden_at_all = 0;
    let values = ["no-store", "private", "private=\"x\"", "no-store, must-understand"];
    for (status, value) in (100..600).flat_map(|s| values.map(|value| (s, value))) {
        let lines = [("cache-control", value), ("content-range", "bytes 0-4/10")];
        let directives = ResponseDirectives::of(&fields(&lines));
        for (method, ranged) in [(Method::GET, false), (Method::GET, true), (Method::POST, true)] {
            let visitor = Visitor { authorized: ranged, ..PLAIN.visitor };
            let asked = Asked { method: &method, ranged, visitor, ..PLAIN };
            decided(&asked, status, &lines);
            let status = StatusCode::from_u16(status).expect("a status");
            forbidden_at_all += usize::from(forbidden(&method, status, &directives).is_some());
        }
    }
    assert!(forbidden_at_all > 1000, "{forbidden_at_all}");
}

#[test]
fn section_3_3_a_part_is_stored_if_it_was_asked_for_and_its_place_is_known() {
    use Storability::{Refuse, Store};
    let (cc, cr) = ("cache-control", "content-range");
    let ranged = Asked { ranged: true, ..PLAIN };
    let here = (cr, "bytes 0-4/10");
    type Case<'a> = (u16, &'a [(&'a str, &'a str)], Storability);
    let cases: &[Case<'_>] = &[
        (206, &[(cc, "max-age=60"), here], Store),
        (206, &[here, ("etag", "\"a\""), (cc, "no-cache")], Store),
        (206, &[here, (cc, "max-age=60, must-understand, no-store")], Store),
        (206, &[here, (cc, "no-store")], Refuse(Reason::NoStore)),
        (206, &[here, (cc, "private, max-age=60")], Refuse(Reason::Private)),
        (206, &[here, (cc, "no-cache")], Refuse(Reason::NoLifetime)),
        (206, &[(cc, "max-age=60")], Refuse(Reason::Part)),
        (206, &[(cc, "max-age=60"), (cr, "bytes 0-4/*")], Refuse(Reason::Part)),
        (416, &[(cc, "max-age=60"), (cr, "bytes */10")], Refuse(Reason::Part)),
        (200, &[(cc, "max-age=60")], Store),
        (404, &[(cc, "max-age=60")], Store),
    ];
    for (status, lines, expected) in cases {
        assert_eq!(decided(&ranged, *status, lines), *expected, "{status} {lines:?}");
    }
    assert_eq!(decided(&PLAIN, 206, &[(cc, "max-age=60"), here]), Refuse(Reason::Status));
}

#[test]
fn the_authorized_and_the_identified_are_kept_apart() {
    use Storability::{Refuse, Store};
    let cc = "cache-control";
    let identified = Asked { visitor: Visitor { identified: true, ..PLAIN.visitor }, ..PLAIN };
    for (line, expected) in [
        ("max-age=60", Refuse(Reason::Authorization)),
        ("max-age=60, must-revalidate", Refuse(Reason::Authorization)),
        ("max-age=60, s-maxage=x", Refuse(Reason::Authorization)),
        ("max-age=60, public", Store),
        ("s-maxage=60", Store),
    ] {
        assert_eq!(decided(&AUTHORIZED, 200, &[(cc, line)]), expected, "{line}");
    }
    assert_eq!(decided(&identified, 200, &[]), Refuse(Reason::IdentityCookie));
    assert_eq!(decided(&identified, 200, &[("etag", "\"a\"")]), Refuse(Reason::IdentityCookie));
    assert_eq!(decided(&identified, 200, &[(cc, "max-age=60")]), Store);
    for line in ["max-age=0", "s-maxage=x", "no-cache"] {
        let lines = [(cc, line), ("etag", "\"a\"")];
        assert_eq!(decided(&identified, 200, &lines), Refuse(Reason::IdentityCookie));
    }
    let expired = [("expires", "0"), ("etag", "\"a\"")];
    assert_eq!(decided(&identified, 200, &expired), Refuse(Reason::IdentityCookie));
    assert_eq!(decided(&identified, 200, &[(cc, "public, max-age=0"), ("etag", "\"a\"")]), Store);
    // One variant a visitor: Vary: Cookie, and no assumption about its lifetime.
    assert_eq!(decided(&identified, 200, &[("vary", "Cookie")]), Refuse(Reason::NoLifetime));
    assert_eq!(decided(&identified, 200, &[("vary", "Cookie"), (cc, "max-age=9")]), Store);
}

proptest! {
    #[test]
    fn the_authorized_share_nothing_without_permission(
        directives in prop::collection::vec(
            "max-age=[0-9]{1,3}|must-revalidate|no-transform|immutable|[a-z]{1,4}=\"[a-z, =]{0,9}\"|public=[a-z]|s-maxage=[a-z-]{1,3}",
            0..5,
        ),
        expires in prop::bool::ANY,
    ) {
        let line = directives.join(", ");
        let mut lines = vec![("cache-control", line.as_str()), ("etag", "\"a\"")];
        if expires {
            lines.push(("expires", "Fri, 31 Dec 2100 00:00:00 GMT"));
        }
        prop_assert_eq!(decided(&AUTHORIZED, 200, &lines), Storability::Refuse(Reason::Authorization));
    }

    #[test]
    fn no_store_and_private_hold_whatever_stands_around_them(
        before in "[ -~]{0,20}", after in "[ -~]{0,20}", upper: bool, private: bool, own_line: bool
    ) {
        // A quote or an escape could open a string around the directive: a
        // different, and rightly different, field.
        prop_assume!(!before.contains('"') && !before.contains('\\'));
        let word = if private { "private" } else { "no-store" };
        let word = if upper { word.to_uppercase() } else { word.to_string() };
        let lines = if own_line {
            vec![("cache-control", before), ("cache-control", word), ("cache-control", after)]
        } else {
            vec![("cache-control", format!("{before},{word},{after}"))]
        };
        let mut lines: Vec<(&str, &str)> =
            lines.iter().map(|(n, v)| (*n, v.as_str())).collect();
        lines.push(("cache-control", "max-age=60"));
        let understood = lines.iter().any(|(_, v)| v.to_lowercase().contains("must-understand"));
        prop_assume!(!understood);
        prop_assert_ne!(decided(&PLAIN, 200, &lines), Storability::Store);
    }
}
