use super::*;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, VARY};

const ALL: Offer = Offer { csrf: true, nonce: true };
const NONE: Offer = Offer { csrf: false, nonce: false };

fn nonce_alone() -> String {
    format!("nonce=\"{}\"", "n".repeat(32))
}

fn fields(lines: &[(&'static str, &str)]) -> HeaderMap {
    let mut fields = HeaderMap::new();
    for (name, value) in lines {
        fields.append(*name, HeaderValue::from_str(value).expect("a value"));
    }
    fields
}

#[test]
fn the_app_is_told_what_is_offered_and_nothing_else_is_asked_for() {
    for (offer, told) in [
        (NONE, None),
        (Offer { csrf: true, ..NONE }, Some("csrf")),
        (Offer { nonce: true, ..NONE }, Some("nonce")),
        (ALL, Some("csrf, nonce")),
    ] {
        let mut request = HeaderMap::new();
        offer.make(&mut request);
        assert_eq!(request.get(LARDER_FILL).map(|value| value.to_str().expect("text")), told);
        assert!(!request.contains_key(ACCEPT_ENCODING));
    }
    for (accepted, asked) in [
        ("gzip, deflate, br, zstd", "gzip"),
        ("br", "identity"),
        ("*", "identity"),
        ("", "identity"),
        ("X-GZIP;q=0.5 , identity ; q=0.1", "X-GZIP;q=0.5, identity ; q=0.1"),
        ("gzip;q=0, br", "gzip;q=0"),
        ("gzipped", "identity"),
    ] {
        let mut request = fields(&[("accept-encoding", accepted)]);
        ALL.make(&mut request);
        assert_eq!(request[ACCEPT_ENCODING], asked, "{accepted}");
        let mut request = fields(&[("accept-encoding", accepted)]);
        NONE.make(&mut request);
        assert_eq!(request[ACCEPT_ENCODING], accepted);
    }
}

/// What is made of an answer to a GET with these fields, and what is left of them.
fn taken(
    offer: Offer,
    status: u16,
    lines: &[(&'static str, &str)],
) -> (Result<Option<Coded>, Unfillable>, HeaderMap) {
    let mut fields = fields(lines);
    let status = StatusCode::from_u16(status).expect("a status");
    let taken = offer.take(&Method::GET, status, &mut fields);
    assert!(!fields.contains_key(LARDER_FILL), "nobody is shown it");
    (taken.map(|taken| taken.map(|(_, coded)| coded)), fields)
}

#[test]
fn what_can_not_be_filled_is_told_apart() {
    let nonce = nonce_alone();
    let csrf = format!("csrf=\"{}\";cookie=\"c\"", "t".repeat(64));
    let only_nonce = Offer { nonce: true, ..NONE };
    const CODED: (&str, &str) = ("content-encoding", "br");
    for (offer, status, lines, expected) in [
        (ALL, 200, vec![], Ok(None)),
        (ALL, 200, vec![("larder-fill", &*nonce)], Ok(Some(Coded::Plain))),
        (ALL, 404, vec![("larder-fill", &csrf)], Ok(Some(Coded::Plain))),
        (NONE, 200, vec![("larder-fill", &nonce)], Err(Unfillable::NotOffered)),
        (only_nonce, 200, vec![("larder-fill", &nonce)], Ok(Some(Coded::Plain))),
        (only_nonce, 200, vec![("larder-fill", &csrf)], Err(Unfillable::NotOffered)),
        (ALL, 200, vec![("larder-fill", "x")], Err(Unfillable::Malformed)),
        (NONE, 200, vec![("larder-fill", "x")], Err(Unfillable::Malformed)),
        (
            ALL,
            200,
            vec![("larder-fill", &nonce), ("larder-fill", &csrf)],
            Err(Unfillable::Malformed),
        ),
        (ALL, 206, vec![("larder-fill", &nonce)], Err(Unfillable::Part)),
        (ALL, 304, vec![("larder-fill", "x")], Err(Unfillable::Malformed)),
        (ALL, 304, vec![("larder-fill", &nonce)], Ok(Some(Coded::Plain))),
        // It has no body.
        (ALL, 304, vec![("larder-fill", &nonce), CODED], Ok(Some(Coded::Plain))),
        (ALL, 200, vec![("larder-fill", &nonce), CODED], Err(Unfillable::Coding)),
        (only_nonce, 304, vec![("larder-fill", &csrf)], Err(Unfillable::NotOffered)),
        (ALL, 101, vec![("larder-fill", &nonce)], Ok(Some(Coded::Plain))),
    ] {
        assert_eq!(taken(offer, status, &lines).0, expected, "{status} {lines:?}");
    }
}

#[test]
fn a_coding_is_undone_or_the_page_is_not_shown() {
    let nonce = nonce_alone();
    for (coding, expected) in [
        ("gzip", Ok(Some(Coded::Gzip))),
        ("X-Gzip", Ok(Some(Coded::Gzip))),
        ("identity", Ok(Some(Coded::Plain))),
        ("identity, gzip", Ok(Some(Coded::Gzip))),
        ("br", Err(Unfillable::Coding)),
        ("deflate", Err(Unfillable::Coding)),
        ("gzip, gzip", Err(Unfillable::Coding)),
        ("gzip, br", Err(Unfillable::Coding)),
    ] {
        let lines = [
            ("larder-fill", &*nonce),
            ("content-encoding", coding),
            ("content-length", "5"),
            ("etag", "\"a\""),
        ];
        let (taken, left) = taken(ALL, 200, &lines);
        assert_eq!(taken, expected, "{coding}");
        if let Ok(Some(coded)) = taken {
            assert!(!left.contains_key(CONTENT_ENCODING) && left.contains_key("etag"));
            assert_eq!(left.contains_key(CONTENT_LENGTH), coded == Coded::Plain);
        }
        // What has no placeholders is nobody's business.
        let mut others = fields(&lines[1..]);
        assert_eq!(ALL.take(&Method::GET, StatusCode::OK, &mut others), Ok(None));
        assert_eq!(others[CONTENT_ENCODING], coding);
        assert_eq!(others[CONTENT_LENGTH], "5");
    }
    // A head alone has nothing to be undone.
    let mut head = fields(&[("larder-fill", &nonce), ("content-encoding", "gzip")]);
    let taken = ALL.take(&Method::HEAD, StatusCode::OK, &mut head);
    assert!(matches!(taken, Ok(Some((_, Coded::Plain)))) && head.is_empty());
}

#[test]
fn that_it_varies_by_the_offer_is_for_the_apps_own_caches() {
    let nonce = nonce_alone();
    for (given, left) in [
        ("Larder-Fill", None),
        ("larder-fill, Cookie", Some("Cookie")),
        ("Accept, LARDER-FILL,Cookie", Some("Accept, Cookie")),
        ("*", Some("*")),
        ("X-Larder-Fill", Some("X-Larder-Fill")),
    ] {
        for offer in [ALL, NONE] {
            for more in [&[][..], &[("larder-fill", &*nonce)]] {
                let lines = [&[("vary", given)], more].concat();
                let (_, fields) = taken(offer, 200, &lines);
                let vary = fields.get(VARY).map(|value| value.to_str().expect("text"));
                assert_eq!(vary, left, "{lines:?}");
            }
        }
    }
}
