//! Asking whether a stored response still holds, and what a 304 changes: RFC 9111 sections 4.3
//! and 3.2.

use super::case::{Case, case, get};

const SENT: &str = "RFC 9111 s4.3.1";
const FRESHENED: &str = "RFC 9111 s4.3.4";
const UPDATED: &str = "RFC 9111 s3.2";
const OLD: &str = "Cache-Control: max-age=10";
const NEW: &str = "Cache-Control: max-age=60";

/// What a 304 brings anew is stored in place of the old.
const TAKEN: [(&str, &str, &str); 17] = [
    ("Clear-Site-Data", "\"cookies\"", "\"cache\""),
    ("Content-Disposition", "inline", "attachment"),
    ("Content-Foo", "1", "2"),
    ("Content-Language", "de", "en"),
    ("Content-Location", "/a", "/b"),
    ("Content-MD5", "rL0Y20zC+Fzt72VPzMSk2A==", "N7UdGUp1E+RbVvZSTy1R8g=="),
    ("Content-Security-Policy", "default-src 'self'", "default-src 'none'"),
    ("Content-Type", "text/plain;charset=utf-8", "text/plain;charset=us-ascii"),
    ("Expires", "Fri, 01 Jan 2038 00:00:00 GMT", "Fri, 01 Jan 2038 00:00:01 GMT"),
    ("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:38 GMT"),
    ("Public-Key-Pins", "1", "2"),
    ("Set-Cookie2", "a=b", "c=d"),
    ("Test-Header", "1", "2"),
    ("X-Content-Foo", "1", "2"),
    ("X-Frame-Options", "deny", "sameorigin"),
    ("X-Test-Header", "1", "2"),
    ("X-XSS-Protection", "1", "0"),
];

/// What describes the stored bytes is not.
const LEFT: [(&str, &str, &str); 2] =
    [("Content-Encoding", "one", "two"), ("Content-Range", "bytes 0-5/6", "bytes 0-6/7")];

pub fn cases() -> Vec<Case> {
    let mut all = sent();
    all.extend(freshened());
    for (name, old, new) in TAKEN {
        let (old, new) = (format!("{name}: {old}"), format!("{name}: {new}"));
        all.push(
            case(
                format!("updates-{}", name.to_ascii_lowercase()),
                UPDATED,
                format!("{name} is taken from the 304."),
            )
            .store(&[OLD, "ETag: \"a\"", &old])
            .pass(10)
            .ask(get().confirms(&[NEW, "ETag: \"a\"", &new]).validated().of(1).shows(&new))
            .ask(get().hit_of(1).shows(&new)),
        );
    }
    for (name, old, new) in LEFT {
        let (old, new) = (format!("{name}: {old}"), format!("{name}: {new}"));
        all.push(
            case(
                format!("leaves-{}", name.to_ascii_lowercase()),
                UPDATED,
                format!("{name} describes the stored bytes, and stays."),
            )
            .store(&[OLD, "ETag: \"a\"", &old])
            .pass(10)
            .ask(get().confirms(&[NEW, "ETag: \"a\"", &new]).validated().of(1).shows(&old))
            .ask(get().hit_of(1).shows(&old)),
        );
    }
    all.extend(merged());
    all
}

fn sent() -> Vec<Case> {
    vec![
        case("validates-by-strong-tag", SENT, "What is stale is validated by its ETag.")
            .store(&[OLD, "ETag: \"a\""])
            .pass(10)
            .ask(
                get()
                    .confirms(&["ETag: \"a\""])
                    .validated()
                    .of(1)
                    .origin_saw("If-None-Match: \"a\""),
            ),
        case("validates-by-weak-tag", SENT, "By a weak one too.")
            .store(&[OLD, "ETag: W/\"a\""])
            .pass(10)
            .ask(
                get()
                    .confirms(&["ETag: W/\"a\""])
                    .validated()
                    .of(1)
                    .origin_saw("If-None-Match: W/\"a\""),
            ),
        case("validates-by-unquoted-tag", SENT, "An ETag goes back as it came, quotes or none.")
            .store(&[OLD, "ETag: a"])
            .pass(10)
            .ask(get().confirms(&["ETag: a"]).validated().of(1).origin_saw("If-None-Match: a")),
        case("validates-by-date", SENT, "Without ETag, by its Last-Modified.")
            .store(&[OLD, "Last-Modified: {-3000}"])
            .pass(10)
            .ask(
                get()
                    .confirms(&[])
                    .validated()
                    .of(1)
                    .origin_saw("If-Modified-Since: {-3000}")
                    .origin_lacked("If-None-Match"),
            ),
        case("validates-by-both", SENT, "With both, by both.")
            .store(&[OLD, "ETag: \"a\"", "Last-Modified: {-3000}"])
            .pass(10)
            .ask(
                get()
                    .confirms(&["ETag: \"a\""])
                    .validated()
                    .of(1)
                    .origin_saw("If-None-Match: \"a\"")
                    .origin_saw("If-Modified-Since: {-3000}"),
            ),
        case("validation-has-the-clients-fields", SENT, "Other fields are the client's.")
            .store(&[OLD, "ETag: \"a\""])
            .pass(10)
            .ask(get().with("X-Mine: 1").confirms(&[]).validated().of(1).origin_saw("X-Mine: 1")),
    ]
}

fn freshened() -> Vec<Case> {
    let stale = |id, clause, what| case(id, clause, what).store(&[OLD, "ETag: \"a\""]).pass(10);
    vec![
        stale("304-freshens", FRESHENED, "A 304 makes fresh again, for as long as it says.")
            .ask(get().confirms(&[NEW, "ETag: \"a\""]).validated().of(1).gives(200))
            .pass(59)
            .hit()
            .pass(1)
            .asked(),
        stale(
            "304-without-lifetime",
            FRESHENED,
            "Without a new lifetime the old one counts again.",
        )
        .ask(get().confirms(&["ETag: \"a\""]).validated().of(1))
        .pass(9)
        .hit()
        .pass(1)
        .asked(),
        stale("304-without-tag", FRESHENED, "A 304 without a validator is about what was offered.")
            .ask(get().confirms(&[NEW]).validated().of(1))
            .hit(),
        stale("304-no-store", UPDATED, "A 304 that says no-store: answered with, kept no longer.")
            .ask(get().confirms(&["Cache-Control: no-store"]).validated().of(1))
            .ask(get().asked().origin_lacked("If-None-Match")),
        stale("304-age", "RFC 9111 s4.2.3", "The Age of the 304 counts.")
            .ask(get().confirms(&[NEW, "Age: 50"]).validated().of(1))
            .pass(9)
            .hit()
            .pass(1)
            .asked(),
        stale(
            "304-about-another",
            "RFC 9111 s4.3.3",
            "A 304 about another strong ETag confirms nothing: the origin is asked again.",
        )
        .ask(
            get()
                .confirms(&[NEW, "ETag: \"b\""])
                .says(NEW)
                .says("ETag: \"b\"")
                .asked_times(2)
                .of(2),
        )
        .ask(get().hit_of(2).shows("ETag: \"b\"")),
        stale("200-replaces", "RFC 9111 s4.3.3", "A 200 takes the place of the stored response.")
            .ask(get().says(NEW).says("ETag: \"b\"").validated().of(2))
            .ask(get().hit_of(2).shows("ETag: \"b\"")),
        stale(
            "500-is-passed-on",
            "RFC 9111 s4.3.3",
            "A 500 is passed on, and keeps what is stored.",
        )
        .ask(get().answered(500).validated().gives(500).of(2))
        .ask(get().confirms(&[NEW]).validated().of(1)),
        case("404-replaces", "RFC 9111 s4.3.3", "A 404 with a lifetime takes its place too.")
            .store(&[OLD, "ETag: \"a\""])
            .pass(10)
            .ask(get().answered(404).says(NEW).validated().gives(404).of(2))
            .ask(get().hit_of(2).gives(404)),
    ]
}

fn merged() -> Vec<Case> {
    let stale = |id, what, lines: &[&str]| {
        case(id, UPDATED, what).store(&[&[OLD, "ETag: \"a\""], lines].concat()).pass(10)
    };
    vec![
        stale("304-leaves-what-it-omits", "What the 304 does not mention stays.", &["X-Old: 1"])
            .ask(get().confirms(&[NEW]).validated().of(1).shows("X-Old: 1"))
            .ask(get().hit_of(1).shows("X-Old: 1").shows("ETag: \"a\"")),
        stale("304-adds-fields", "What is new in it is added.", &[])
            .ask(get().confirms(&[NEW, "X-New: 1"]).validated().of(1).shows("X-New: 1"))
            .ask(get().hit_of(1).shows("X-New: 1")),
        stale(
            "304-replaces-all-lines",
            "A field with several lines is replaced whole.",
            &["Link: </a>", "Link: </b>"],
        )
        .ask(get().confirms(&[NEW, "Link: </c>", "Link: </d>"]).validated().of(1))
        .ask(get().hit_of(1).shows("Link: </c>").shows("Link: </d>")),
        stale("304-keeps-the-length", "Content-Length stays that of the body.", &[])
            .ask(
                get()
                    .confirms(&[NEW, "Content-Length: 36"])
                    .validated()
                    .of(1)
                    .shows("Content-Length: 6"),
            )
            .ask(get().hit_of(1).shows("Content-Length: 6")),
        stale("304-keeps-a-strong-tag", "A strong ETag is not weakened by a 304.", &[])
            .ask(get().confirms(&[NEW, "ETag: W/\"a\""]).validated().of(1))
            .ask(get().hit_of(1).shows("ETag: \"a\"")),
        stale("304-set-cookie", "Set-Cookie of a 304 is not stored for others.", &[])
            .ask(get().confirms(&[NEW, "Set-Cookie: a=b"]).validated().of(1))
            .ask(get().hit_of(1).lacks("Set-Cookie"))
            .by_default(),
        stale("304-hop-by-hop", "Nor is what is meant for one hop.", &[])
            .ask(
                get()
                    .confirms(&[NEW, "Connection: X-Hop", "X-Hop: 1", "Keep-Alive: 1"])
                    .validated()
                    .of(1),
            )
            .ask(get().hit_of(1).lacks("X-Hop").lacks("Keep-Alive")),
        stale("304-date", "Date is the 304's.", &["Date: {+0}"])
            .ask(get().confirms(&[NEW, "Date: {+10}"]).validated().of(1))
            .ask(get().hit_of(1).shows("Date: {+10}")),
    ]
}
