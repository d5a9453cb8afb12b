//! How long a response is fresh: RFC 9111 section 4.2.1.

use super::case::{Case, case, get, not_reused, reused};

const MAX_AGE: &str = "RFC 9111 s5.2.2.1";
const S_MAXAGE: &str = "RFC 9111 s5.2.2.10";
const ORDER: &str = "RFC 9111 s4.2.1";
const EXPIRES: &str = "RFC 9111 s5.3";
const SECONDS: &str = "RFC 9111 s1.2.2";

pub fn cases() -> Vec<Case> {
    let mut all = max_age();
    all.extend(max_age_and_date());
    all.extend(long());
    all.extend(shared());
    all.extend(expires());
    all.extend(expires_and_age());
    all
}

fn max_age() -> Vec<Case> {
    vec![
        not_reused(
            "no-lifetime",
            ORDER,
            "A response that states no lifetime and has no validator is not used again.",
            0,
            &[],
        ),
        reused(
            "max-age-not-over",
            MAX_AGE,
            "A response is used again until its max-age is over.",
            59,
            &["Cache-Control: max-age=60"],
        ),
        not_reused(
            "max-age-over",
            ORDER,
            "A response as old as its max-age is stale: the lifetime has to exceed the age.",
            60,
            &["Cache-Control: max-age=60"],
        ),
        not_reused(
            "max-age-zero",
            MAX_AGE,
            "max-age=0 is no lifetime.",
            0,
            &["Cache-Control: max-age=0"],
        ),
        not_reused(
            "max-age-zero-over-expires",
            ORDER,
            "max-age=0 counts, whatever Expires promises.",
            0,
            &["Cache-Control: max-age=0", "Date: {+0}", "Expires: {+600}"],
        ),
        reused(
            "max-age-over-past-expires",
            ORDER,
            "max-age counts, though Expires is long past.",
            50,
            &["Cache-Control: max-age=60", "Date: {+0}", "Expires: {-600}"],
        ),
        reused(
            "max-age-over-invalid-expires",
            ORDER,
            "max-age counts, though Expires is not a date.",
            50,
            &["Cache-Control: max-age=60", "Expires: 0"],
        ),
    ]
}

fn max_age_and_date() -> Vec<Case> {
    vec![
        not_reused(
            "max-age-from-the-origin-on",
            "RFC 9111 s4.2.3",
            "A lifetime is counted from when the origin made the response: Age is used up.",
            0,
            &["Cache-Control: max-age=60", "Age: 60"],
        ),
        not_reused(
            "max-age-by-date",
            "RFC 9111 s4.2.3",
            "A response whose Date is further back than its lifetime is stale: apparent_age.",
            0,
            &["Cache-Control: max-age=60", "Date: {-60}"],
        ),
        reused(
            "date-ahead",
            "RFC 9111 s4.2.3",
            "A Date in the future makes no response younger than new.",
            59,
            &["Cache-Control: max-age=60", "Date: {+600}"],
        ),
        not_reused(
            "date-ahead-adds-nothing",
            "RFC 9111 s4.2.3",
            "A Date in the future adds nothing to max-age.",
            60,
            &["Cache-Control: max-age=60", "Date: {+600}"],
        ),
    ]
}

fn long() -> Vec<Case> {
    let mut all = Vec::new();
    for (id, value) in [
        ("2147483647", "2147483647"),
        ("2147483648", "2147483648"),
        ("2147483649", "2147483649"),
        ("99999999999", "99999999999"),
        ("above-64-bits", "99999999999999999999999999"),
    ] {
        let line = format!("Cache-Control: max-age={value}");
        let behaviour = format!("max-age={value} is a long time, and no mistake.");
        all.push(reused(format!("max-age-{id}"), SECONDS, behaviour, 100_000, &[line.as_str()]));
    }
    all
}

fn shared() -> Vec<Case> {
    let fresh = |id, behaviour, lines: &[&str]| reused(id, S_MAXAGE, behaviour, 50, lines);
    let stale = |id, behaviour, lines: &[&str]| not_reused(id, S_MAXAGE, behaviour, 10, lines);
    vec![
        fresh("s-maxage", "s-maxage is a lifetime.", &["Cache-Control: s-maxage=60"]),
        fresh(
            "s-maxage-over-shorter-max-age",
            "s-maxage counts in a shared cache, and a shorter max-age does not.",
            &["Cache-Control: max-age=10, s-maxage=60"],
        ),
        fresh(
            "s-maxage-over-max-age-zero",
            "s-maxage counts beside max-age=0 and an Expires that is past.",
            &["Cache-Control: max-age=0, s-maxage=60", "Expires: {-600}"],
        ),
        stale(
            "s-maxage-over-longer-max-age",
            "s-maxage counts, and a longer max-age does not.",
            &["Cache-Control: max-age=600, s-maxage=10"],
        ),
        stale(
            "s-maxage-first",
            "The order of s-maxage and max-age makes no difference.",
            &["Cache-Control: s-maxage=10, max-age=600"],
        ),
        stale(
            "s-maxage-on-another-line",
            "s-maxage counts on a line of its own too.",
            &["Cache-Control: max-age=600", "Cache-Control: s-maxage=10"],
        ),
        stale(
            "s-maxage-zero",
            "s-maxage=0 is no lifetime, whatever max-age says.",
            &["Cache-Control: s-maxage=0, max-age=600"],
        ),
        stale(
            "s-maxage-invalid",
            "An s-maxage that cannot be read is no lifetime, and max-age does not step in.",
            &["Cache-Control: s-maxage=long, max-age=600"],
        ),
    ]
}

fn expires() -> Vec<Case> {
    let fresh = |id, behaviour, lines: &[&str]| reused(id, EXPIRES, behaviour, 50, lines);
    let stale = |id, behaviour, lines: &[&str]| not_reused(id, EXPIRES, behaviour, 0, lines);
    vec![
        fresh(
            "expires-ahead",
            "Without Cache-Control a response is fresh from Date to Expires.",
            &["Date: {+0}", "Expires: {+60}"],
        ),
        not_reused(
            "expires-over",
            EXPIRES,
            "At Expires it is stale.",
            60,
            &["Date: {+0}", "Expires: {+60}"],
        ),
        stale(
            "expires-past",
            "An Expires before Date is no lifetime.",
            &["Date: {+0}", "Expires: {-60}"],
        ),
        stale(
            "expires-now",
            "An Expires equal to Date is no lifetime.",
            &["Date: {+0}", "Expires: {+0}"],
        ),
        stale(
            "expires-before-a-fast-date",
            "Expires is compared with Date, not with this machine's clock.",
            &["Date: {+600}", "Expires: {+300}"],
        ),
        stale("expires-zero", "Expires: 0 is a time in the past.", &["Expires: 0"]),
        stale("expires-empty", "An empty Expires is a time in the past.", &["Expires:"]),
        fresh(
            "expires-without-date",
            "Without Date, the time of receipt stands in for it.",
            &["Expires: {+60}"],
        ),
        fresh(
            "expires-beside-invalid-date",
            "The same beside a Date that is not one.",
            &["Date: not a date", "Expires: {+60}"],
        ),
    ]
}

fn expires_and_age() -> Vec<Case> {
    let stale = |id, behaviour, lines: &[&str]| not_reused(id, EXPIRES, behaviour, 0, lines);
    vec![
        stale(
            "expires-used-up-by-age",
            "Age counts against the lifetime that Expires gives.",
            &["Date: {+0}", "Expires: {+60}", "Age: 61"],
        ),
        stale(
            "expires-slow-date-and-age",
            "The same where the origin's clock is slow.",
            &["Date: {-600}", "Expires: {-540}", "Age: 61"],
        ),
        stale(
            "expires-fast-date-and-age",
            "The same where the origin's clock is fast.",
            &["Date: {+600}", "Expires: {+660}", "Age: 61"],
        ),
        case("query-is-part-of-the-target", "RFC 9111 s2", "Each query is a target of its own.")
            .ask(get().at("?a=1").says("Cache-Control: max-age=60").asked())
            .ask(get().at("?a=2").asked())
            .ask(get().at("?a=1").hit_of(1)),
    ]
}
