//! Conditions of clients, answered by the cache: RFC 9111 section 4.3.2, RFC 9110 section 13.

use super::case::{Case, case, get};

const MATCH: &str = "RFC 9110 s13.1.2";
const SINCE: &str = "RFC 9111 s4.3.2";
const FRESH: &str = "Cache-Control: max-age=60";

pub fn cases() -> Vec<Case> {
    let mut all = tags();
    all.extend(dates());
    all.extend(both());
    all.extend(ways());
    all.extend(answers());
    all
}

fn tags() -> Vec<Case> {
    let mut all = Vec::new();
    for (id, stored, asked, same) in [
        ("strong", "\"abc\"", "\"abc\"", true),
        ("other", "\"abc\"", "\"abd\"", false),
        ("weak", "W/\"abc\"", "W/\"abc\"", true),
        ("weak-asked", "\"abc\"", "W/\"abc\"", true),
        ("weak-stored", "W/\"abc\"", "\"abc\"", true),
        ("first-of-three", "\"abc\"", "\"abc\", \"1\", \"2\"", true),
        ("second-of-three", "\"abc\"", "\"1\", \"abc\", \"2\"", true),
        ("last-of-three", "\"abc\"", "\"1\", \"2\", \"abc\"", true),
        ("star", "\"abc\"", "*", true),
        ("comma-inside", "\"a,b\"", "\"a,b\"", true),
        ("part-of-it", "\"a,b\"", "\"a\", \"b\"", false),
        ("obs-text", "\"ab\u{e4}\"", "\"ab\u{e4}\"", true),
        ("without-quotes", "abc", "abc", true),
        ("quotes-stored", "\"abc\"", "abc", false),
        ("quotes-asked", "abc", "\"abc\"", false),
        ("lower-case-w", "w/\"abc\"", "w/\"abc\"", true),
        ("backslash", "W\\\"abc\"", "W\\\"abc\"", true),
        ("no-slash", "W\"abc\"", "W\"abc\"", true),
        ("case-matters", "\"abc\"", "\"ABC\"", false),
    ] {
        let says = if same { "304" } else { "the whole" };
        let behaviour =
            format!("With ETag `{stored}` stored, If-None-Match `{asked}` gets {says}.");
        let status = if same { 304 } else { 200 };
        all.push(
            case(format!("if-none-match-{id}"), MATCH, behaviour)
                .ask(get().says(FRESH).says(format!("ETag: {stored}")).asked())
                .ask(get().with(format!("If-None-Match: {asked}")).hit().gives(status)),
        );
    }
    all
}

fn dates() -> Vec<Case> {
    let stored =
        |id, what| case(id, SINCE, what).store(&[FRESH, "Date: {+0}", "Last-Modified: {-3000}"]);
    let since = |seconds: &str| get().with(format!("If-Modified-Since: {{{seconds}}}")).hit();
    vec![
        stored("if-modified-since-same", "If-Modified-Since equal to Last-Modified gets 304.")
            .ask(since("-3000").gives(304)),
        stored("if-modified-since-later", "A later one too.").ask(since("-2000").gives(304)),
        stored("if-modified-since-earlier", "An earlier one gets the whole.")
            .ask(since("-4000").gives(200).of(1)),
        stored("if-modified-since-no-date", "What is no date is ignored.")
            .ask(get().with("If-Modified-Since: yesterday").hit().gives(200)),
        case("if-modified-since-by-date", SINCE, "Without Last-Modified, Date is compared: 304.")
            .store(&[FRESH, "Date: {+0}"])
            .ask(since("+0").gives(304)),
        case(
            "if-modified-since-before-date",
            SINCE,
            "Without Last-Modified, what is older than Date gets the whole.",
        )
        .store(&[FRESH, "Date: {+0}"])
        .ask(since("-3000").gives(200).of(1)),
        case(
            "if-modified-since-stale",
            SINCE,
            "Once stale it is validated, then answered with 304.",
        )
        .store(&[FRESH, "Last-Modified: {-3000}"])
        .pass(60)
        .ask(
            get()
                .with("If-Modified-Since: {-3000}")
                .confirms(&[FRESH])
                .validated()
                .gives(304)
                .origin_saw("If-Modified-Since: {-3000}"),
        ),
    ]
}

fn both() -> Vec<Case> {
    let clause = "RFC 9110 s13.2.2";
    let stored =
        |id, what| case(id, clause, what).store(&[FRESH, "ETag: \"a\"", "Last-Modified: {-3000}"]);
    vec![
        stored("tag-over-date", "If-None-Match goes before If-Modified-Since: 304 by the tag.")
            .ask(
                get()
                    .with("If-None-Match: \"a\"")
                    .with("If-Modified-Since: {-4000}")
                    .hit()
                    .gives(304),
            ),
        stored("tag-over-date-other", "And the whole by the tag, though the date says no change.")
            .ask(
                get().with("If-None-Match: \"b\"").with("If-Modified-Since: {+0}").hit().gives(200),
            ),
        case("tag-without-tag", clause, "A tag where none is stored gets the whole.")
            .store(&[FRESH, "Last-Modified: {-3000}"])
            .ask(
                get().with("If-None-Match: \"a\"").with("If-Modified-Since: {+0}").hit().gives(200),
            ),
    ]
}

fn ways() -> Vec<Case> {
    vec![
        case(
            "condition-on-a-miss",
            "RFC 9111 s4.3.1",
            "A miss with a condition fetches the whole for all, and gives 304 to whom it suffices.",
        )
        .ask(
            get()
                .with("If-None-Match: \"a\"")
                .says(FRESH)
                .says("ETag: \"a\"")
                .asked()
                .gives(304)
                .origin_lacked("If-None-Match"),
        )
        .hit(),
        case(
            "condition-when-stale",
            "RFC 9111 s4.3.1",
            "The origin is asked with the stored tag, not with the client's.",
        )
        .store(&[FRESH, "ETag: \"a\""])
        .pass(60)
        .ask(
            get()
                .with("If-None-Match: \"mine\"")
                .confirms(&["ETag: \"a\""])
                .validated()
                .gives(200)
                .of(1)
                .origin_saw("If-None-Match: \"a\""),
        ),
        case("if-match", "RFC 9110 s13.1.1", "If-Match is for the origin to judge.")
            .store(&[FRESH, "ETag: \"a\""])
            .ask(get().with("If-Match: \"b\"").answered(412).asked().gives(412)),
        case("if-unmodified-since", "RFC 9110 s13.1.4", "So is If-Unmodified-Since.")
            .store(&[FRESH])
            .ask(get().with("If-Unmodified-Since: {-9}").answered(412).asked().gives(412)),
    ]
}

fn answers() -> Vec<Case> {
    vec![
        case("condition-on-404", "RFC 9110 s13.2.1", "Only a 200 is subject to conditions.")
            .ask(get().answered(404).says(FRESH).says("ETag: \"a\"").asked())
            .ask(get().with("If-None-Match: \"a\"").hit().gives(404)),
        case("fields-of-304", "RFC 9110 s15.4.5", "A 304 has what guides the client's cache.")
            .store(&[
                FRESH,
                "ETag: \"a\"",
                "Vary: X-Any",
                "Date: {+0}",
                "Expires: {+60}",
                "Content-Location: /c",
            ])
            .ask(
                get()
                    .with("If-None-Match: \"a\"")
                    .hit()
                    .gives(304)
                    .shows(FRESH)
                    .shows("ETag: \"a\"")
                    .shows("Vary: X-Any")
                    .shows("Date: {+0}")
                    .shows("Expires: {+60}")
                    .shows("Content-Location: /c")
                    .lacks("Content-Length"),
            ),
    ]
}
