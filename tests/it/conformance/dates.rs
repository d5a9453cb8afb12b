//! Which texts are dates: RFC 9110 section 5.6.7. Those in the cases lie in 2037, the clock
//! in 2027.

use super::case::{Case, case, get, not_reused, reused};

const DATES: &str = "RFC 9110 s5.6.7";
const EXPIRES: &str = "RFC 9111 s5.3";

pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for (id, date) in [
        ("imf-fixdate", "Thu, 01 Jan 2037 09:00:00 GMT"),
        ("rfc850-date", "Thursday, 01-Jan-37 09:00:00 GMT"),
        ("asctime-date", "Thu Jan  1 09:00:00 2037"),
        ("asctime-date-two-digits", "Wed Jan 14 09:00:00 2037"),
        ("day-in-another-case", "tHU, 01 Jan 2037 09:00:00 GMT"),
        ("month-in-another-case", "Thu, 01 jAN 2037 09:00:00 GMT"),
        ("gmt-in-another-case", "Thu, 01 Jan 2037 09:00:00 gMT"),
        ("rfc850-in-another-case", "THURSDAY, 01-JAN-37 09:00:00 gmt"),
        ("the-last-32-bit-second", "Tue, 19 Jan 2038 03:14:07 GMT"),
        ("after-32-bits", "Tue, 19 Jan 2038 03:14:08 GMT"),
        ("far-away", "Sun, 21 Nov 2286 04:46:39 GMT"),
        ("leap-day", "Fri, 29 Feb 2036 09:00:00 GMT"),
    ] {
        let behaviour = format!("`{date}` is a date.");
        let line = format!("Expires: {date}");
        all.push(reused(format!("date-{id}"), DATES, behaviour, 600, &[line.as_str()]));
    }
    for (id, date) in [
        ("utc", "Thu, 01 Jan 2037 09:00:00 UTC"),
        ("another-zone", "Thu, 01 Jan 2037 09:00:00 AEST"),
        ("numeric-zone", "Thu, 01 Jan 2037 09:00:00 +0000"),
        ("no-zone", "Thu, 01 Jan 2037 09:00:00"),
        ("two-digit-year", "Thu, 01 Jan 37 09:00:00 GMT"),
        ("no-comma", "Thu 01 Jan 2037 09:00:00 GMT"),
        ("two-spaces", "Thu, 01  Jan 2037 09:00:00 GMT"),
        ("dashes", "Thu, 01-Jan-2037 09:00:00 GMT"),
        ("periods", "Thu, 01 Jan 2037 09.00.00 GMT"),
        ("one-digit-hour", "Thu, 01 Jan 2037 9:00:00 GMT"),
        ("one-digit-day", "Thu, 1 Jan 2037 09:00:00 GMT"),
        ("no-day-name", "01 Jan 2037 09:00:00 GMT"),
        ("iso-8601", "2037-01-01T09:00:00Z"),
        ("seconds", "2114427600"),
        ("no-such-day", "Tue, 31 Feb 2037 09:00:00 GMT"),
        ("no-such-hour", "Thu, 01 Jan 2037 25:00:00 GMT"),
        ("more-behind", "Thu, 01 Jan 2037 09:00:00 GMT, later"),
        ("quoted", "\"Thu, 01 Jan 2037 09:00:00 GMT\""),
    ] {
        let behaviour = format!("`{date}` is no date, and as Expires a time in the past.");
        let line = format!("Expires: {date}");
        all.push(not_reused(format!("no-date-{id}"), EXPIRES, behaviour, 0, &[line.as_str()]));
    }
    all.extend(more());
    all
}

fn more() -> Vec<Case> {
    vec![
        not_reused(
            "expires-twice",
            EXPIRES,
            "Of two Expires lines with different dates the response is taken as stale.",
            0,
            &["Expires: {-60}", "Expires: {+600}"],
        ),
        reused(
            "rfc850-within-fifty-years",
            DATES,
            "A two-digit year that is less than 50 years ahead lies ahead.",
            0,
            &["Expires: Friday, 01-Jan-77 00:00:00 GMT"],
        ),
        not_reused(
            "rfc850-more-than-fifty-years",
            DATES,
            "A two-digit year that would be more than 50 years ahead lies in the past.",
            0,
            &["Expires: Saturday, 01-Jan-78 00:00:00 GMT"],
        ),
        case(
            "condition-in-an-obsolete-form",
            DATES,
            "If-Modified-Since may be written in an obsolete form.",
        )
        .store(&["Cache-Control: max-age=60", "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT"])
        .ask(get().with("If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT").hit().gives(304))
        .ask(get().with("If-Modified-Since: Sun Nov  6 08:49:37 1994").hit().gives(304)),
    ]
}
