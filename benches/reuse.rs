//! What a hit costs in decisions: which of two variants a request selects, and
//! whether it may be used now.
//!
//! `cargo bench --bench reuse`. The target: `reuse::decide` under 150 ns.

use criterion::{Criterion, criterion_group, criterion_main};
use http::StatusCode;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use larder::semantics::cookies::Cookies;
use larder::semantics::directives::ResponseDirectives;
use larder::semantics::freshness::Freshness;
use larder::semantics::identity::Visitor;
use larder::semantics::policy::Policy;
use larder::semantics::request_directives::RequestDirectives;
use larder::semantics::reuse;
use larder::semantics::time::{Exchange, Moment};
use larder::semantics::vary::{NominatedFields, VariantKey};
use std::hint::black_box;
use std::time::SystemTime;

fn fields(lines: &[(HeaderName, &'static str)]) -> HeaderMap {
    let lines = lines.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
    lines.collect()
}

/// What a browser sends, with one identifying cookie or none.
fn request(encoding: &'static str) -> HeaderMap {
    fields(&[
        (header::HOST, "shop.example"),
        (header::USER_AGENT, "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"),
        (header::ACCEPT, "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
        (header::ACCEPT_LANGUAGE, "de,en-US;q=0.7,en;q=0.3"),
        (header::ACCEPT_ENCODING, encoding),
        (header::COOKIE, "_ga=GA1.1.1; theme=dark"),
    ])
}

struct Stored {
    nominated: NominatedFields,
    variant: VariantKey,
    freshness: Freshness,
}

fn stored(request: &HeaderMap, policy: &Policy) -> Stored {
    let response = fields(&[
        (header::CACHE_CONTROL, "max-age=600, stale-while-revalidate=60"),
        (header::VARY, "Accept-Encoding, Cookie"),
        (header::ETAG, "\"abc\""),
    ]);
    let directives = ResponseDirectives::of(&response);
    let exchange =
        Exchange { sent: Moment(0), received: Moment(0), received_at: SystemTime::UNIX_EPOCH };
    let nominated = NominatedFields::of(&response);
    Stored {
        variant: nominated.select(request, policy).expect("a variant"),
        nominated,
        freshness: Freshness::of(StatusCode::OK, &response, &directives, &exchange, policy, false),
    }
}

fn decisions(criterion: &mut Criterion) {
    let policy = Policy { cookies: Cookies::Named(vec!["sessionid".into()]), ..Policy::default() };
    let slot = [stored(&request("br"), &policy), stored(&request("gzip"), &policy)];
    let (asked, nothing, now) = (request("gzip"), RequestDirectives::default(), Moment(5_000));

    criterion.bench_function("reuse::decide", |bencher| {
        bencher.iter(|| {
            let freshness = black_box(&slot[1].freshness);
            reuse::decide(freshness, None, black_box(false), &nothing, black_box(now))
        });
    });
    criterion.bench_function("select one of two variants, and decide", |bencher| {
        bencher.iter(|| {
            let request = black_box(&asked);
            let personal = Visitor::of(request, &policy).is_known();
            let selected = slot.iter().find(|s| s.nominated.selects(request, &s.variant, &policy));
            selected.map(|s| reuse::decide(&s.freshness, None, personal, &nothing, now))
        });
    });
}

criterion_group!(benches, decisions);
criterion_main!(benches);
