//! Which statuses are stored: RFC 9111 section 3.

use super::case::{Case, case, get};

const CLAUSE: &str = "RFC 9111 s3";

/// Known ones, and others of each class.
const STATUSES: [u16; 28] = [
    200, 201, 202, 203, 204, 226, 299, 300, 301, 302, 303, 307, 308, 400, 403, 404, 405, 410, 414,
    418, 451, 499, 500, 501, 502, 503, 504, 599,
];

/// What speaks of the request or of who sent it.
const PROVOKED: [(u16, &str); 8] = [
    (408, CLAUSE),
    (413, CLAUSE),
    (417, CLAUSE),
    (421, CLAUSE),
    (428, "RFC 6585 s3"),
    (429, "RFC 6585 s4"),
    (431, "RFC 6585 s5"),
    (511, "RFC 6585 s6"),
];

pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for status in STATUSES {
        let fresh = || get().answered(status).says("Cache-Control: max-age=60").asked();
        all.push(
            case(
                format!("status-{status}-fresh"),
                CLAUSE,
                format!("A {status} with a lifetime is used again."),
            )
            .ask(fresh())
            .pass(59)
            .ask(get().hit().gives(status)),
        );
        all.push(
            case(
                format!("status-{status}-stale"),
                CLAUSE,
                format!("A {status} is not used when its lifetime is over."),
            )
            .ask(fresh())
            .pass(60)
            .ask(get().asked().of(2)),
        );
    }
    for (status, clause) in PROVOKED {
        all.push(
            case(
                format!("status-{status}-provoked"),
                clause,
                format!("A {status} is not stored, whatever it says."),
            )
            .ask(get().answered(status).says("Cache-Control: public, max-age=60").asked())
            .ask(get().asked().of(2)),
        );
    }
    all.push(
        case("status-304-unasked", CLAUSE, "A 304 that nobody asked for is not stored.")
            .ask(get().answered(304).says("Cache-Control: max-age=60").asked().gives(502))
            .asked(),
    );
    all.push(
        case(
            "status-206-unasked",
            CLAUSE,
            "A 206 that nobody asked for is no answer, and not stored.",
        )
        .ask(
            get()
                .answered(206)
                .says("Cache-Control: max-age=60")
                .says("Content-Range: bytes 0-3/10")
                .sends("0123")
                .gives(502),
        )
        .ask(get().asked()),
    );
    all
}
