//! `Cache-Control` and `Pragma` of requests: RFC 9111 sections 5.2.1 and 5.4. A cache that works
//! for the origin listens to nobody in this but whom its operator trusts.

use super::case::{Case, case, get};

const FRESH: &str = "Cache-Control: max-age=60";

/// Name, clause, what the client says, how old the response is, whether it needs validation.
const DIRECTIVES: [(&str, &str, &str, u64); 6] = [
    ("max-age-0", "RFC 9111 s5.2.1.1", "Cache-Control: max-age=0", 5),
    ("max-age", "RFC 9111 s5.2.1.1", "Cache-Control: max-age=10", 20),
    ("min-fresh", "RFC 9111 s5.2.1.3", "Cache-Control: min-fresh=50", 20),
    ("no-cache", "RFC 9111 s5.2.1.4", "Cache-Control: no-cache", 5),
    ("no-cache-other-case", "RFC 9111 s5.2.1.4", "Cache-Control: No-Cache", 5),
    ("pragma", "RFC 9111 s5.4", "Pragma: no-cache", 5),
];

pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for (id, clause, line, age) in DIRECTIVES {
        all.push(
            case(
                format!("request-{id}-ignored"),
                clause,
                format!("`{line}` of a client nobody trusts makes no request to the origin."),
            )
            .store(&[FRESH])
            .pass(age)
            .ask(get().with(line).hit_of(1)),
        );
        all.push(
            case(
                format!("request-{id}-honoured"),
                clause,
                format!("`{line}` from a network the operator trusts is followed."),
            )
            .when("refresh.networks", "127.0.0.0/8")
            .store(&[FRESH, "ETag: \"a\""])
            .pass(age)
            .ask(get().with(line).confirms(&["ETag: \"a\"", FRESH]).validated().of(1)),
        );
    }
    all.extend(untrusted());
    all.extend(trusted());
    all
}

fn untrusted() -> Vec<Case> {
    vec![
        case(
            "request-no-store-ignored",
            "RFC 9111 s5.2.1.5",
            "A client's no-store neither hinders storing nor reuse.",
        )
        .ask(get().with("Cache-Control: no-store").says(FRESH).asked())
        .ask(get().with("Cache-Control: no-store").hit_of(1)),
        case(
            "request-max-stale-ignored",
            "RFC 9111 s5.2.1.2",
            "A client's max-stale brings nothing stale: the RFC allows, and does not ask for it.",
        )
        .store(&[FRESH])
        .pass(60)
        .ask(get().with("Cache-Control: max-stale=600").asked()),
        case("request-pragma-other", "RFC 9111 s5.4", "Another Pragma means nothing.")
            .store(&[FRESH])
            .ask(get().with("Pragma: something").hit_of(1)),
        case(
            "only-if-cached",
            "RFC 9111 s5.2.1.7",
            "only-if-cached is answered with 504 if nothing stored can be used.",
        )
        .ask(get().with("Cache-Control: only-if-cached").gives(504).asked_times(0)),
        case("only-if-cached-fresh", "RFC 9111 s5.2.1.7", "And from the store if something can.")
            .store(&[FRESH])
            .ask(get().with("Cache-Control: only-if-cached").hit_of(1)),
        case("only-if-cached-stale", "RFC 9111 s5.2.1.7", "What is stale cannot.")
            .store(&[FRESH])
            .pass(60)
            .ask(get().with("Cache-Control: only-if-cached").gives(504).asked_times(0)),
    ]
}

fn trusted() -> Vec<Case> {
    let from_trusted =
        |id, clause, behaviour| case(id, clause, behaviour).when("refresh.networks", "127.0.0.0/8");
    let token = "Larder-Refresh: let-me-in-please-0123456789abcdef";
    vec![
        from_trusted(
            "request-max-stale-honoured",
            "RFC 9111 s5.2.1.2",
            "A trusted client's max-stale brings what is stale by that much.",
        )
        .store(&[FRESH])
        .pass(70)
        .ask(get().with("Cache-Control: max-stale=20").hit_of(1)),
        from_trusted(
            "request-no-store-honoured",
            "RFC 9111 s5.2.1.5",
            "The answer to a trusted client's no-store is not stored.",
        )
        .ask(get().with("Cache-Control: no-store").says(FRESH).asked())
        .asked(),
        case(
            "request-token",
            "RFC 9111 s5.2.1.4",
            "Who bears the operator's token is trusted, and the origin does not see the token.",
        )
        .when("refresh.token", "let-me-in-please-0123456789abcdef")
        .store(&[FRESH])
        .ask(get().with("Cache-Control: no-cache").hit_of(1))
        .ask(
            get()
                .with("Cache-Control: no-cache")
                .with(token)
                .says(FRESH)
                .asked()
                .origin_lacked("Larder-Refresh"),
        ),
    ]
}
