//! What the cache says of itself: RFC 9211.

use super::case::{Case, ask, case, get};

const CLAUSE: &str = "RFC 9211 s2";
const FRESH: &str = "Cache-Control: max-age=60";

pub fn cases() -> Vec<Case> {
    let mut all = hits_and_stored();
    all.extend(forwarded());
    all.extend(more());
    all
}

fn says(member: &str) -> String {
    format!("Cache-Status: larder; {member}")
}

fn hits_and_stored() -> Vec<Case> {
    vec![
        case(
            "cache-status-hit",
            "RFC 9211 s2.1",
            "`hit`, and `ttl` with the seconds that are left.",
        )
        .store(&[FRESH])
        .pass(10)
        .ask(get().hit().shows(says("hit; ttl=50"))),
        case("cache-status-miss", "RFC 9211 s2.2", "`fwd=uri-miss`, and `stored`.")
            .ask(get().says(FRESH).asked().shows(says("fwd=uri-miss; stored"))),
        case("cache-status-not-stored", "RFC 9211 s2.5", "Without `stored`, `detail` says why.")
            .ask(
                get()
                    .says("Cache-Control: private")
                    .asked()
                    .shows(says("fwd=uri-miss; detail=private")),
            ),
    ]
}

fn forwarded() -> Vec<Case> {
    vec![
        case(
            "cache-status-vary-miss",
            "RFC 9211 s2.2",
            "`fwd=vary-miss` if variants are stored for others.",
        )
        .ask(get().says(FRESH).says("Vary: X-Foo").asked())
        .ask(get().with("X-Foo: 1").asked().status("fwd=vary-miss")),
        case(
            "cache-status-stale",
            "RFC 9211 s2.2",
            "`fwd=stale`, and `fwd-status` where it is not the client's.",
        )
        .store(&[FRESH, "ETag: \"a\""])
        .pass(60)
        .ask(
            get()
                .confirms(&["ETag: \"a\""])
                .validated()
                .shows(says("fwd=stale; fwd-status=304; stored")),
        ),
        case(
            "cache-status-method",
            "RFC 9211 s2.2",
            "`fwd=method` for what caches have no part in.",
        )
        .ask(ask("POST").bearing("x").asked().shows(says("fwd=method"))),
        case("cache-status-bypass", "RFC 9211 s2.2", "`fwd=bypass` where the operator wants none.")
            .when("cache.bypass_cookies", "preview")
            .store(&[FRESH])
            .ask(get().with("Cookie: preview=1").asked().status("fwd=bypass")),
        case(
            "cache-status-request",
            "RFC 9211 s2.2",
            "`fwd=request` for what a client may ask anew.",
        )
        .when("refresh.networks", "127.0.0.0/8")
        .store(&[FRESH])
        .ask(get().with("Cache-Control: no-cache").says(FRESH).asked().status("fwd=request")),
    ]
}

fn more() -> Vec<Case> {
    vec![
        case("cache-status-stale-served", CLAUSE, "What is served stale has a `ttl` below zero.")
            .store(&["Cache-Control: max-age=10, stale-if-error=60"])
            .pass(15)
            .ask(get().answered(503).asked().gives(200).status("ttl=-5").status("fwd-status=503")),
        case("cache-status-appended", CLAUSE, "The members of caches behind stay in front.").ask(
            get()
                .says("Cache-Status: inner; hit")
                .asked()
                .shows("Cache-Status: inner; hit")
                .status("fwd=uri-miss"),
        ),
        case("cache-status-not-stored-itself", CLAUSE, "Its own member is not stored.")
            .store(&[FRESH])
            .ask(get().hit().status("!stored").status("!fwd=uri-miss")),
        case("cache-status-key", "RFC 9211 s2.7", "`key` is said if the operator wants it.")
            .when("cache.status_key", "true")
            .ask(get().says(FRESH).asked().status("key=\"http://site.test/cache-status-key\"")),
        case("cache-status-no-key", "RFC 9211 s2.7", "And not by default.")
            .ask(get().says(FRESH).asked().status("!key=\"http://site.test/cache-status-no-key\"")),
    ]
}
