//! Ranges, from what is stored whole and from parts: RFC 9110 section 14, RFC 9111 sections 3.3
//! and 3.4.

use super::case::{Ask, Case, case, get};

const SERVED: &str = "RFC 9110 s14.2";
const STORED: &str = "RFC 9111 s3.3";
const COMBINED: &str = "RFC 9111 s3.4";
const FRESH: &str = "Cache-Control: max-age=60";
const TAG: &str = "ETag: \"a\"";

pub fn cases() -> Vec<Case> {
    let mut all = whole();
    all.extend(parts());
    all.extend(combined());
    all.extend(malformed());
    all
}

fn range(range: &str) -> Ask {
    get().with(format!("Range: bytes={range}"))
}

/// The origin answers with this part of `0123456789`.
fn part(asked: &str, place: &str, body: &'static str) -> Ask {
    range(asked).answered(206).says(FRESH).says(format!("Content-Range: bytes {place}")).sends(body)
}

fn whole() -> Vec<Case> {
    let mut all = Vec::new();
    for (id, asked, status, body, place) in [
        ("first-two", "0-1", 206, "01", "bytes 0-1/10"),
        ("middle", "2-4", 206, "234", "bytes 2-4/10"),
        ("open", "8-", 206, "89", "bytes 8-9/10"),
        ("suffix", "-1", 206, "9", "bytes 9-9/10"),
        ("long-suffix", "-20", 206, "0123456789", "bytes 0-9/10"),
        ("past-the-end", "5-99", 206, "56789", "bytes 5-9/10"),
        ("beyond", "10-", 416, "", "bytes */10"),
    ] {
        let what = format!("`bytes={asked}` of ten stored bytes: {status}, `{place}`.");
        all.push(
            case(format!("range-{id}"), SERVED, what)
                .ask(get().says(FRESH).says("X-Kept: 1").sends("0123456789").asked())
                .ask({
                    let ask = range(asked).hit().gives(status).brings(body);
                    let ask = ask.shows(format!("Content-Range: {place}"));
                    if status == 206 { ask.shows("X-Kept: 1") } else { ask }
                }),
        );
    }
    let stored = |id, what| {
        case(id, SERVED, what).ask(get().says(FRESH).says(TAG).sends("0123456789").asked())
    };
    let cut = || range("2-4").hit();
    all.extend([
        stored("range-other-unit", "Another unit than bytes is ignored.")
            .ask(get().with("Range: lines=1-2").hit().gives(200).brings("0123456789")),
        stored("range-malformed", "A malformed Range is ignored.")
            .ask(range("4-2").hit().gives(200).brings("0123456789")),
        stored("if-range-same", "If-Range with the stored strong ETag: the part.")
            .ask(cut().with("If-Range: \"a\"").gives(206).brings("234")),
        stored("if-range-other", "With another: the whole.")
            .ask(cut().with("If-Range: \"b\"").gives(200).brings("0123456789")),
        stored("if-range-weak", "With a weak one: the whole.")
            .ask(cut().with("If-Range: W/\"a\"").gives(200).brings("0123456789")),
        stored("range-with-condition", "If-None-Match is evaluated before Range.")
            .ask(cut().with("If-None-Match: \"a\"").gives(304)),
        case("range-of-404", SERVED, "A Range is for a 200 only.")
            .ask(get().answered(404).says(FRESH).asked())
            .ask(range("0-1").hit().gives(404)),
    ]);
    all
}

fn parts() -> Vec<Case> {
    let stored = |id, what| {
        case(id, STORED, what).ask(part("2-6", "2-6/10", "23456").says(TAG).asked().gives(206))
    };
    let mut all = vec![
        stored("part-same", "A 206 is stored, and answers the same range.").ask(
            range("2-6").hit().gives(206).brings("23456").shows("Content-Range: bytes 2-6/10"),
        ),
        stored("part-inside", "And one inside it.")
            .ask(range("3-4").hit().gives(206).brings("34").shows("Content-Range: bytes 3-4/10")),
        stored("part-not-inside", "Not one that reaches out of it.").ask(
            range("5-8").answered(206).says("Content-Range: bytes 5-8/10").sends("5678").asked(),
        ),
        stored("part-not-whole", "Nor a GET of the whole.")
            .ask(get().says(FRESH).sends("0123456789").asked().gives(200).brings("0123456789")),
        stored("part-stale", "Not when it is stale.")
            .pass(60)
            .ask(part("2-6", "2-6/10", "23456").asked().gives(206)),
        case("part-open", STORED, "A suffix and an open range are found in a part at the end.")
            .ask(part("-5", "5-9/10", "56789").says(TAG).asked())
            .ask(range("-2").hit().gives(206).brings("89"))
            .ask(range("6-").hit().gives(206).brings("6789")),
        case("part-not-storable", STORED, "no-store holds for a 206 too.")
            .ask(
                range("2-4")
                    .answered(206)
                    .says("Cache-Control: no-store")
                    .says("Content-Range: bytes 2-4/10")
                    .sends("234")
                    .asked(),
            )
            .ask(part("2-4", "2-4/10", "234").asked()),
    ];
    all.push(
        case("range-answered-whole", STORED, "A 200 to a request for a range is stored whole.")
            .ask(
                range("2-4")
                    .says(FRESH)
                    .sends("0123456789")
                    .asked_times(1)
                    .gives(200)
                    .brings("0123456789"),
            )
            .ask(get().hit().brings("0123456789")),
    );
    all
}

fn combined() -> Vec<Case> {
    vec![
        case("parts-combined", COMBINED, "Parts with the same strong ETag are put together.")
            .ask(part("0-4", "0-4/10", "01234").says(TAG).asked())
            .ask(part("5-9", "5-9/10", "56789").says(TAG).asked())
            .ask(get().hit().gives(200).brings("0123456789").lacks("Content-Range")),
        case("parts-overlapping", COMBINED, "Overlapping ones too.")
            .ask(part("0-4", "0-4/10", "01234").says(TAG).asked())
            .ask(part("3-7", "3-7/10", "34567").says(TAG).asked())
            .ask(range("1-6").hit().gives(206).brings("123456")),
        case("parts-of-others", COMBINED, "Not those with different ETags.")
            .ask(part("0-4", "0-4/10", "01234").says(TAG).asked())
            .ask(part("5-9", "5-9/10", "fghij").says("ETag: \"b\"").asked())
            .ask(get().says(FRESH).sends("abcdefghij").gives(200).brings("abcdefghij").asked()),
        case("parts-weak", COMBINED, "Nor those with weak ones.")
            .ask(part("0-4", "0-4/10", "01234").says("ETag: W/\"a\"").asked())
            .ask(part("5-9", "5-9/10", "56789").says("ETag: W/\"a\"").asked())
            .ask(
                range("3-6")
                    .answered(206)
                    .says("Content-Range: bytes 3-6/10")
                    .sends("3456")
                    .asked(),
            ),
        case("part-completed", COMBINED, "A GET of the whole asks the origin for the rest only.")
            .ask(part("0-4", "0-4/10", "01234").says(TAG).asked())
            .ask(
                get()
                    .answered(206)
                    .says(FRESH)
                    .says(TAG)
                    .says("Content-Range: bytes 5-9/10")
                    .sends("56789")
                    .asked()
                    .gives(200)
                    .brings("0123456789")
                    .origin_saw("Range: bytes=5-")
                    .origin_saw("If-Range: \"a\"")
                    .status("fwd=partial"),
            )
            .ask(get().hit().brings("0123456789")),
        case("part-changed", COMBINED, "If it has changed meanwhile, the new whole is used.")
            .ask(part("0-4", "0-4/10", "01234").says(TAG).asked())
            .ask(
                get()
                    .says(FRESH)
                    .says("ETag: \"b\"")
                    .sends("abcdefghij")
                    .asked()
                    .brings("abcdefghij"),
            )
            .ask(get().hit().brings("abcdefghij")),
    ]
}

fn malformed() -> Vec<Case> {
    let short = || part("-5", "4-9/10", "01234").asked();
    let lenient = |id: &str, asked: &str, body: &str| {
        let what = format!("`bytes={asked}` of five bytes that were said to be six: `{body}`.");
        case(id, STORED, what)
            .ask(short())
            .ask(range(asked).hit().gives(206).brings(body))
            .in_profile()
    };
    vec![
        case(
            "part-shorter-than-said",
            STORED,
            "A 206 whose body is shorter than its place is not stored.",
        )
        .by_default()
        .ask(short())
        .ask(short()),
        lenient("part-lenient-same", "-5", "01234"),
        lenient("part-lenient-inside", "6-8", "234"),
        lenient("part-lenient-open", "6-", "234"),
        lenient("part-lenient-suffix", "-1", "4"),
    ]
}
