//! `Cache-Control` and the fields that go before it: doubt never stores more.

use super::reference::{fields, lines, value};
use http::header::{CACHE_CONTROL, DATE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_cache_semantics::{CacheOptions, CachePolicy};
use larder::semantics::directives::{ResponseDirectives, Scope, Value};
use larder::semantics::freshness::Freshness;
use larder::semantics::identity::Visitor;
use larder::semantics::policy::Policy;
use larder::semantics::request_directives::RequestDirectives;
use larder::semantics::storable::{self, Asked, Storability};
use larder::semantics::targeted;
use larder::semantics::time::{DeltaSeconds, Exchange, Moment};
use sfv::{BareItem, Dictionary, ListEntry, Parser};
use std::time::{Duration, SystemTime};

const CDN: HeaderName = HeaderName::from_static("cdn-cache-control");
const OTHERS: [HeaderName; 3] = [
    HeaderName::from_static("surrogate-control"),
    HeaderName::from_static("x-accel-expires"),
    HeaderName::from_static("x-litespeed-cache-control"),
];

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

/// Lines of `Cache-Control`; those with a colon are fields of other names.
pub fn check(data: &[u8]) {
    let mut response = HeaderMap::new();
    let mut plain: Vec<&[u8]> = Vec::new();
    for line in lines(data) {
        if line.contains(&b':') {
            for (name, value) in &fields([line]) {
                response.append(name, value.clone());
            }
        } else if let Some(value) = value(line) {
            response.append(CACHE_CONTROL, value);
            plain.push(line);
        }
    }
    let read = ResponseDirectives::of(&response);
    restrictions_count(&plain, &read);
    case_means_nothing(&response, &read);
    let _ = RequestDirectives::of(&response);
    structured(&response);
    for name in OTHERS {
        let others = targeted::directives(&response, &[name], now());
        assert!(others.targeted || others == read);
    }
    stores_no_more_than_others(&response, &plain, &read);
}

/// A restriction that stands by itself counts, whatever stands around it, unless it
/// is within quotes.
fn restrictions_count(lines: &[&[u8]], read: &ResponseDirectives) {
    for line in lines.iter().filter(|line| !line.contains(&b'"')) {
        for member in line.split(|b| *b == b',') {
            let name = member.split(|b| *b == b'=').next().unwrap_or_default();
            match name.trim_ascii().to_ascii_lowercase().as_slice() {
                b"no-store" => assert!(read.no_store),
                b"private" => assert_ne!(read.private, Scope::Absent),
                b"no-cache" => assert_ne!(read.no_cache, Scope::Absent),
                b"must-revalidate" => assert!(read.must_revalidate),
                b"max-age" => assert!(read.max_age.is_present()),
                b"s-maxage" => assert!(read.s_maxage.is_present()),
                _ => {}
            }
        }
    }
}

fn case_means_nothing(response: &HeaderMap, read: &ResponseDirectives) {
    let mut shouted = HeaderMap::new();
    for line in response.get_all(CACHE_CONTROL) {
        let line = HeaderValue::from_bytes(&line.as_bytes().to_ascii_uppercase()).unwrap();
        shouted.append(CACHE_CONTROL, line);
    }
    assert_eq!(ResponseDirectives::of(&shouted), *read);
}

/// A field that can't be parsed counts as absent; numbers are what they are.
fn structured(response: &HeaderMap) {
    let read = targeted::directives(response, std::slice::from_ref(&CDN), now());
    let all: Vec<&[u8]> = response.get_all(CDN).iter().map(HeaderValue::as_bytes).collect();
    let parsed = Parser::new(&all.join(&b", "[..])).parse::<Dictionary>();
    match parsed.ok().filter(|parsed| !parsed.is_empty()) {
        None => assert_eq!(read, ResponseDirectives::of(response)),
        Some(parsed) => {
            assert!(read.targeted);
            let max_age = match parsed.get("max-age") {
                None => Value::Absent,
                Some(ListEntry::Item(item)) => match &item.bare_item {
                    BareItem::Boolean(false) => Value::Absent,
                    BareItem::Integer(number) => u64::try_from(i64::from(*number))
                        .map_or(Value::Unusable, |n| Value::Given(DeltaSeconds::new(n))),
                    _ => Value::Unusable,
                },
                Some(ListEntry::InnerList(_)) => Value::Unusable,
            };
            assert_eq!(read.max_age, max_age);
        }
    }
}

/// What larder stores `http-cache-semantics` stores too, where it reads at all: of
/// directives given twice it takes the last, larder the first.
fn stores_no_more_than_others(response: &HeaderMap, lines: &[&[u8]], read: &ResponseDirectives) {
    let simple = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"=, -".contains(b);
    let [line] = lines else { return };
    let mut names: Vec<&[u8]> = line
        .split(|b| *b == b',')
        .map(|member| member.split(|b| *b == b'=').next().unwrap_or_default().trim_ascii())
        .collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    // A name behind `private` or `no-cache` is that of a field, which is left out.
    let named = [&read.private, &read.no_cache].iter().any(|s| matches!(s, Scope::Fields(_)));
    if names.len() < count || !line.iter().all(simple) || read.must_understand || named {
        return;
    }
    let mut fields = HeaderMap::new();
    fields.insert(CACHE_CONTROL, response[CACHE_CONTROL].clone());
    let date = httpdate::fmt_http_date(now());
    fields.insert(DATE, HeaderValue::from_str(&date).unwrap());
    let exchange = Exchange { sent: Moment(0), received: Moment(0), received_at: now() };
    let (policy, request) = (Policy::default(), HeaderMap::new());
    let asked = Asked::of(&Method::GET, "/", &request, Visitor::of(&request, &policy));
    let freshness = Freshness::of(StatusCode::OK, &fields, read, &exchange, &policy, false);
    let ours = storable::decide(&asked, StatusCode::OK, &fields, read, &freshness, &policy);
    if ours == Storability::Store {
        let request = Request::get("http://a.test/").body(()).unwrap();
        let mut theirs = Response::new(());
        *theirs.headers_mut() = fields;
        let options = CacheOptions { shared: true, ..CacheOptions::default() };
        let theirs = CachePolicy::new_options(&request, &theirs, now(), options);
        assert!(theirs.is_storable(), "{}", line.escape_ascii());
    }
}
