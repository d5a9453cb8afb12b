//! Our semantics beside `http-cache-semantics`, over the domain where that crate
//! is right: lower-case directives on one line, known statuses, dates in one
//! form, ages of a sensible size. What lies outside, and why, is in
//! `docs/adr/0001-own-semantics.md`.

use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_cache_semantics::{CacheOptions, CachePolicy};
use larder::semantics::directives::ResponseDirectives;
use larder::semantics::freshness::Freshness;
use larder::semantics::identity::Visitor;
use larder::semantics::policy::Policy;
use larder::semantics::storable::{self, Asked, Reason, Storability};
use larder::semantics::time::{DeltaSeconds, Exchange, Moment};
use proptest::prelude::*;
use std::time::{Duration, SystemTime};

/// A response of the domain, as its field lines.
#[derive(Clone, Debug)]
struct Drawn {
    status: u16,
    directives: Vec<String>,
    expires_in: Option<i64>,
    age: Option<u32>,
    modified_ago: Option<u64>,
    authorized: bool,
}

const NOW: u64 = 1_800_000_000;

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(NOW)
}

fn date(seconds: u64) -> HeaderValue {
    let text = httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
    HeaderValue::from_str(&text).expect("a value")
}

impl Drawn {
    fn fields(&self) -> HeaderMap {
        let mut fields = HeaderMap::new();
        fields.insert(header::DATE, date(NOW));
        if !self.directives.is_empty() {
            let line = HeaderValue::from_str(&self.directives.join(", ")).expect("a value");
            fields.insert(header::CACHE_CONTROL, line);
        }
        if let Some(seconds) = self.expires_in {
            fields.insert(header::EXPIRES, date(NOW.saturating_add_signed(seconds)));
        }
        if let Some(age) = self.age {
            fields.insert(header::AGE, HeaderValue::from(age));
        }
        if let Some(ago) = self.modified_ago {
            fields.insert(header::LAST_MODIFIED, date(NOW - ago));
        }
        fields
    }

    fn request(&self) -> HeaderMap {
        let mut fields = HeaderMap::new();
        if self.authorized {
            fields.insert(header::AUTHORIZATION, HeaderValue::from_static("Bearer x"));
        }
        fields
    }
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let directive = prop_oneof![
        (0u32..100).prop_map(|s| format!("max-age={s}")),
        (0u32..100).prop_map(|s| format!("s-maxage={s}")),
        Just("public".to_string()),
        Just("private".to_string()),
        Just("no-store".to_string()),
        Just("must-revalidate".to_string()),
        Just("extension=\"a, b\"".to_string()),
    ];
    (
        prop_oneof![Just(200u16), Just(203), Just(301), Just(404), Just(410), Just(302)],
        prop::collection::vec(directive, 0..4),
        prop::option::of(-50i64..50),
        prop::option::of(0u32..50),
        prop::option::of(0u64..5000),
        any::<bool>(),
    )
        .prop_map(|(status, mut directives, expires_in, age, modified_ago, authorized)| {
            // Repeated directives are outside: that crate takes the last, we the first.
            let mut seen = std::collections::HashSet::new();
            directives.retain(|d| seen.insert(d.split('=').next().map(str::to_string)));
            Drawn { status, directives, expires_in, age, modified_ago, authorized }
        })
}

fn ours(drawn: &Drawn) -> (Storability, u64) {
    let (fields, request) = (drawn.fields(), drawn.request());
    let status = StatusCode::from_u16(drawn.status).expect("a status");
    let exchange = Exchange { sent: Moment(0), received: Moment(0), received_at: now() };
    let policy = Policy { heuristic_max: Some(DeltaSeconds::MAX), ..Policy::default() };
    let asked = Asked::of(&Method::GET, "/", &request, Visitor::of(&request, &policy));
    let directives = ResponseDirectives::of(&fields);
    let freshness = Freshness::of(status, &fields, &directives, &exchange, &policy, false);
    let left = freshness.fresh_until().since(Moment(0)).as_secs();
    (storable::decide(&asked, status, &fields, &directives, &freshness, &policy), left)
}

fn theirs(drawn: &Drawn) -> (bool, u64) {
    let mut request = Request::builder().uri("http://a.example/").body(()).expect("a request");
    *request.headers_mut() = drawn.request();
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::from_u16(drawn.status).expect("a status");
    *response.headers_mut() = drawn.fields();
    let options = CacheOptions { shared: true, ..CacheOptions::default() };
    let policy = CachePolicy::new_options(&request, &response, now(), options);
    (policy.is_storable(), policy.time_to_live(now()).as_secs())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn the_same_is_stored_and_for_as_long(drawn in drawn()) {
        let (storability, left) = ours(&drawn);
        let (storable, their_left) = theirs(&drawn);
        let has = |name: &str| drawn.directives.iter().any(|d| d.starts_with(name));
        match storability {
            // RFC 9111 section 3.5 permits it; we do not take must-revalidate
            // for a word on who may see an answer.
            Storability::Refuse(Reason::Authorization) if has("must-revalidate") => {}
            // Nothing could come of storing it: that crate stores it all the same.
            Storability::Refuse(Reason::NoLifetime) => prop_assert_eq!(their_left, 0),
            Storability::Refuse(_) => prop_assert!(!storable),
            Storability::Store => {
                prop_assert!(storable);
                prop_assert_eq!(left, their_left);
            }
        }
    }
}
