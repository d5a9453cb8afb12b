//! What else is stored, and what is not: RFC 9111 section 3.

use super::case::{Case, ask, case, get, reused};

const STORE: &str = "RFC 9111 s3";
const INCOMPLETE: &str = "RFC 9111 s3.3";
const COOKIES: &str = "RFC 9111 s7.3";
const FRESH: &str = "Cache-Control: max-age=60";

pub fn cases() -> Vec<Case> {
    let mut all = bodies();
    all.extend(cookies());
    all.extend(post());
    all
}

fn bodies() -> Vec<Case> {
    vec![
        case("incomplete", INCOMPLETE, "A response that broke off is not used for anybody else.")
            .ask(get().says(FRESH).sends("half of").cut_short().gives(200).asked_times(1))
            .asked(),
        case(
            "body-longer-than-stated",
            "RFC 9112 s6.3",
            "Content-Length ends the body; what comes behind it belongs to nobody.",
        )
        .ask(
            get()
                .says(FRESH)
                .says("Content-Length: 10")
                .sends("0123456789 and more")
                .asked()
                .brings("0123456789"),
        )
        .ask(get().hit().brings("0123456789")),
        reused(
            "attachment",
            STORE,
            "Content-Disposition: attachment makes no difference.",
            50,
            &[FRESH, "Content-Disposition: attachment; filename=example.txt"],
        ),
        case("request-body", "RFC 9110 s9.3.1", "A GET with a body goes to the origin.")
            .store(&[FRESH])
            .ask(get().bearing("x").asked()),
        case("validator-alone", STORE, "A response with a validator and no lifetime is stored.")
            .store(&["ETag: \"a\""])
            .ask(get().confirms(&[]).validated().of(1)),
        case("another-method", STORE, "An answer to OPTIONS is not stored.")
            .ask(ask("OPTIONS").says(FRESH).asked())
            .ask(ask("OPTIONS").asked())
            .asked(),
        case("another-host", "RFC 9111 s2", "A path on another host is another target.")
            .store(&[FRESH])
            .ask(get().with("Host: other.test").asked())
            .hit(),
        case("empty-body", STORE, "An empty body is one.")
            .ask(get().says(FRESH).sends("").asked())
            .ask(get().hit().brings("").shows("Content-Length: 0")),
    ]
}

fn cookies() -> Vec<Case> {
    let setting = || get().says(FRESH).says("Set-Cookie: a=b").asked().shows("Set-Cookie: a=b");
    vec![
        case("set-cookie", COOKIES, "A response with Set-Cookie is not stored: it is for one.")
            .by_default()
            .ask(setting())
            .asked(),
        case("set-cookie-stored", COOKIES, "It is stored, and replayed to everybody.")
            .in_profile()
            .ask(setting())
            .ask(get().hit_of(1).shows("Set-Cookie: a=b")),
        case("cookie", COOKIES, "A Cookie in the request is no obstacle to an explicit lifetime.")
            .ask(get().with("Cookie: a=b").says(FRESH).asked())
            .ask(get().with("Cookie: a=b").hit_of(1))
            .ask(get().with("Cookie: c=d").hit_of(1)),
        case(
            "cookie-without-lifetime",
            COOKIES,
            "What a visitor with a cookie got without an explicit lifetime is not for others.",
        )
        .ask(get().with("Cookie: a=b").says("Last-Modified: {-6000}").asked())
        .asked(),
    ]
}

fn post() -> Vec<Case> {
    let posted = || ask("POST").bearing("12345").says(FRESH).asked();
    let clause = "RFC 9110 s9.3.3";
    vec![
        case(
            "post-stored-for-get",
            clause,
            "A POST's 200 with a lifetime and its own Content-Location answers a later GET.",
        )
        .ask(posted().says("Content-Location: {path}"))
        .pass(5)
        .hit(),
        case("post-not-for-post", clause, "It does not answer a later POST.")
            .ask(posted().says("Content-Location: {path}"))
            .ask(ask("POST").bearing("12345").asked()),
        case("post-elsewhere", clause, "Not if Content-Location is another URI.")
            .ask(posted().says("Content-Location: {path}/1"))
            .asked(),
        case("post-without-content-location", clause, "Not without Content-Location.")
            .ask(posted())
            .asked(),
        case("post-without-lifetime", clause, "Not without an explicit lifetime.")
            .ask(
                ask("POST")
                    .bearing("1")
                    .says("Content-Location: {path}")
                    .says("Last-Modified: {-6000}")
                    .asked(),
            )
            .asked(),
        case("post-created", clause, "Not with another status than 200.")
            .ask(posted().says("Content-Location: {path}").answered(201))
            .asked(),
        case("post-not-stored", clause, "Not at all if the operator says so.")
            .when("semantics.store_post", "false")
            .ask(posted().says("Content-Location: {path}"))
            .asked(),
    ]
}
