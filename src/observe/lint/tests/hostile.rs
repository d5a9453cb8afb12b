//! Whatever stands in an answer, it is judged.

use super::given::{NOON, answer, date, page_with};
use super::{RULES, met};
use crate::semantics::reason::Reason;
use proptest::prelude::*;

/// Fields that rules read, and one that they don't.
const NAMES: [&str; 17] = [
    "cache-control",
    "cdn-cache-control",
    "expires",
    "date",
    "age",
    "etag",
    "last-modified",
    "vary",
    "set-cookie",
    "content-type",
    "content-length",
    "content-encoding",
    "pragma",
    "warning",
    "no-vary-search",
    "location",
    "x-other",
];

/// Bytes that may stand in a field, and pieces of what is expected there.
fn value() -> impl Strategy<Value = Vec<u8>> {
    let allowed = |byte: &u8| *byte >= 0x20 && *byte != 0x7f;
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>().prop_filter("a field's byte", allowed), 0..24),
        prop::sample::select(vec![
            "max-age=",
            "s-maxage=60",
            "no-cache",
            "=\"",
            "\"",
            "W/",
            ",",
            ";",
            ":",
            "immutable",
            "99999999999999999999",
            "-1",
            "text/html",
            "Sun, 06 Nov 9999 08:49:37 GMT",
            "*",
            "cookie",
            "q=0",
            "gzip",
            "params=(\"utm_a\")",
            "sessionid=",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_answer_makes_a_rule_panic(
        lines in prop::collection::vec((prop::sample::select(NAMES.to_vec()), value()), 0..12),
        path in "/[a-z0-9./%;é?&=_-]{0,40}",
        status in 200u16..500,
        took in any::<u32>(),
        counts in any::<[u32; 4]>(),
        encoding in "[a-z0-9;=., *]{0,30}",
    ) {
        let mut given = answer(&path)
            .status(status)
            .millis(took.into())
            .to("accept-encoding", &encoding)
            .visited()
            .before(|before| {
                [before.count, before.changed, before.dated, before.led] = counts;
            });
        for (name, value) in &lines {
            given = given.says_bytes(name, value);
        }
        prop_assert!(met(&given).len() <= RULES.len());
        met(&given.clone().stored());
        met(&given.because(Reason::NoLifetime));
    }
}

#[test]
fn heads_as_long_as_they_may_be_are_judged_at_once() {
    // As many members as such a head holds: each compared with each would be felt.
    let long = |text: &str, bytes: usize| text.repeat(bytes / text.len());
    let given = page_with(&["max_age=1,x:y;", &long("max-age=1,", 6_000)].concat())
        .says("vary", &long("a,", 6_000))
        .says("age", &long("1,", 2_000))
        .says("etag", &long("\"", 2_000))
        .to("accept-encoding", &"gzip;q=0,".repeat(7_000))
        .says("expires", &date(NOON));
    for _ in 0..50 {
        assert!(met(&given).contains(&"directive-semicolon"));
    }
    assert!(given.says("x-long", &long("a", 1_000)).sample().is_none());
}

#[test]
fn what_larder_or_a_stored_response_answers_is_nobodys_finding() {
    let odd = page_with("max_age=1");
    assert!(odd.sample().is_some());
    for given in [
        odd.clone().because(Reason::Connect),
        odd.clone().because(Reason::StaleIfError),
        odd.clone().cache(|cache| cache.collapsed = true),
        odd.clone().status(502),
    ] {
        assert!(given.sample().is_none(), "{given:?}");
    }
}
