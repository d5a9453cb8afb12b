//! Which fields are stored: RFC 9111 section 3.1, RFC 9110 section 7.6.1.

use super::case::{Case, case, get};

const STORED: &str = "RFC 9111 s3.1";
const HOP: &str = "RFC 9110 s7.6.1";
const FRESH: &str = "Cache-Control: max-age=60";

/// Stored as they came.
const KEPT: [(&str, &str); 22] = [
    ("Cache-Control", "max-age=60, example"),
    ("Clear-Site-Data", "\"cookies\""),
    ("Content-Encoding", "example"),
    ("Content-Foo", "1"),
    ("Content-Language", "de"),
    ("Content-Location", "/elsewhere"),
    ("Content-MD5", "rL0Y20zC+Fzt72VPzMSk2A=="),
    ("Content-Security-Policy", "default-src 'self'"),
    ("Content-Type", "text/plain;charset=utf-8"),
    ("ETag", "\"abc\""),
    ("Expires", "Fri, 01 Jan 2038 00:00:00 GMT"),
    ("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"),
    ("Link", "</a>; rel=preload"),
    ("Public-Key-Pins", "max-age=1"),
    ("Set-Cookie2", "a=b"),
    ("Strict-Transport-Security", "max-age=1"),
    ("Test-Header", "1"),
    ("Vary", "X-Any"),
    ("X-Content-Foo", "1"),
    ("X-Frame-Options", "deny"),
    ("X-Test-Header", "1"),
    ("X-XSS-Protection", "1"),
];

/// Meant for one hop, and not handed on.
const DROPPED: [(&str, &str); 8] = [
    ("Keep-Alive", "timeout=5"),
    ("Proxy-Authenticate", "Basic"),
    ("Proxy-Authentication-Info", "a=b"),
    ("Proxy-Authorization", "Basic abc"),
    ("Proxy-Connection", "keep-alive"),
    ("TE", "trailers"),
    ("Upgrade", "example/1"),
    ("Connection", "X-Nobody"),
];

pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for (name, value) in KEPT {
        let id = format!("keeps-{}", name.to_ascii_lowercase());
        let line = format!("{name}: {value}");
        let step = get().says(&line).asked();
        let step = if name == "Cache-Control" { step } else { step.says(FRESH) };
        all.push(
            case(id, STORED, format!("{name} is stored."))
                .ask(step.shows(&line))
                .ask(get().hit_of(1).shows(line)),
        );
    }
    for (name, value) in DROPPED {
        let id = format!("drops-{}", name.to_ascii_lowercase());
        let what = format!("{name} is meant for one hop: not stored.");
        // Without a Content-Length as well, the body would have no end.
        all.push(
            case(id, HOP, what)
                .ask(get().says(FRESH).says(format!("{name}: {value}")).gives(200))
                .ask(match name {
                    "Connection" => get().gives(200),
                    _ => get().hit_of(1).lacks(name),
                }),
        );
    }
    all.push(
        case(
            "refuses-transfer-encoding",
            "RFC 9112 s7",
            "A body in a transfer coding other than chunked is not understood, and nothing of it is stored.",
        )
        .ask(get().says(FRESH).says("Transfer-Encoding: gzip").gives(502))
        .ask(get().asked()),
    );
    all.extend(more());
    all
}

fn more() -> Vec<Case> {
    vec![
        case("drops-named-by-connection", HOP, "What Connection names is not stored.")
            .ask(
                get()
                    .says(FRESH)
                    .says("Connection: X-Hop, x-other")
                    .says("X-Hop: 1")
                    .says("X-Other: 2")
                    .asked(),
            )
            .ask(get().hit_of(1).lacks("X-Hop").lacks("X-Other")),
        case(
            "connection-can-not-drop-cache-control",
            HOP,
            "Connection cannot make a cache overlook what forbids storing.",
        )
        .ask(get().says("Cache-Control: no-store").says("Connection: Cache-Control").asked())
        .asked(),
        case("keeps-lines-apart", STORED, "A field on several lines keeps all of them, in order.")
            .ask(get().says(FRESH).says("Link: </a>").says("X: 1").says("Link: </b>").asked())
            .ask(get().hit_of(1).shows("Link: </a>").shows("Link: </b>")),
        case("keeps-bytes", STORED, "Bytes over 0x7f are kept as they are.")
            .ask(get().says(FRESH).says("X-Name: Zo\u{eb}").asked())
            .ask(get().hit_of(1).shows("X-Name: Zo\u{eb}")),
        case("stored-content-length", STORED, "A stored response states the length of its body.")
            .ask(get().says(FRESH).asked())
            .ask(get().hit_of(1).shows("Content-Length: 6")),
        case(
            "drops-request-hop-fields",
            HOP,
            "A client's hop-by-hop fields do not reach the origin.",
        )
        .ask(
            get()
                .with("Connection: X-Mine")
                .with("X-Mine: 1")
                .with("Keep-Alive: 5")
                .with("X-End: 1")
                .asked()
                .origin_lacked("X-Mine")
                .origin_lacked("Keep-Alive")
                .origin_saw("X-End: 1"),
        ),
        case("via", "RFC 9110 s7.6.3", "Both sides see that larder stands between.")
            .ask(get().says(FRESH).asked().shows("Via: 1.1 larder").origin_saw("Via: 1.1 larder"))
            .ask(get().hit().shows("Via: 1.1 larder")),
        case("no-warning", "RFC 9111 s5.5", "Warning is not made any more.")
            .store(&["Cache-Control: max-age=10, stale-if-error=60"])
            .pass(20)
            .ask(get().gone().gives(200).of(1).lacks("Warning")),
    ]
}
