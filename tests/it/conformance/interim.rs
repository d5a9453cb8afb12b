//! Interim responses: RFC 9110 section 15.2.

use super::case::{Case, ask, case, get};

const CLAUSE: &str = "RFC 9110 s15.2";
const FRESH: &str = "Cache-Control: max-age=60";
const LINK: &str = "Link: </style.css>; rel=preload";

pub fn cases() -> Vec<Case> {
    let hinted = |id, what| {
        case(id, CLAUSE, what).ask(get().early(103, LINK).says(FRESH).asked().interim(&[103]))
    };
    vec![
        hinted("103-handed-on", "A 103 is handed on before the answer, which is stored.").hit(),
        hinted("103-not-stored", "A 103 is not stored: the next client gets none.")
            .ask(get().hit_of(1).interim(&[])),
        hinted("103-fields-not-stored", "Nor are its fields stored with the answer.")
            .ask(get().hit_of(1).lacks("Link")),
        case("102-handed-on", CLAUSE, "A 102 is handed on too.")
            .ask(get().early(102, "X-Any: 1").says(FRESH).asked().interim(&[102]))
            .hit(),
        case("103-twice", CLAUSE, "Several are handed on in order.")
            .ask(get().early(102, "X-Any: 1").early(103, LINK).asked().interim(&[102, 103])),
        case("103-to-old-clients", CLAUSE, "A client of HTTP/1.0 gets none.")
            .ask(get().early(103, LINK).over_http_1_0().asked().interim(&[])),
        case("103-of-a-post", CLAUSE, "Also where the cache has no part in the request.")
            .ask(ask("POST").bearing("x").early(103, LINK).asked().interim(&[103])),
        case("103-before-304", CLAUSE, "A 103 before a 304 changes nothing that is stored.")
            .store(&["Cache-Control: max-age=10", "ETag: \"a\""])
            .pass(10)
            .ask(get().early(103, LINK).confirms(&[FRESH]).validated().of(1).lacks("Link"))
            .ask(get().hit_of(1).lacks("Link")),
        case("103-final-after", "RFC 9111 s3", "What is stored is the final response.")
            .ask(get().early(103, "Cache-Control: no-store").says(FRESH).asked())
            .hit(),
    ]
}
