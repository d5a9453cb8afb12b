//! HTTP/1.0: no `Host` needed, one request a connection unless it asks to keep
//! it, and no codings (RFC 9112 section 9.3, appendix C.2).

use super::case::{Case, refused, taken};

pub fn cases() -> Vec<Case> {
    let get = |lines: &str| format!("GET /x HTTP/1.0\r\n{lines}\r\n");
    let post = |lines: &str, body: &str| {
        format!("POST /x HTTP/1.0\r\nHost: site.test\r\n{lines}\r\n\r\n{body}")
    };
    let via = "via: 1.0 larder";
    let mut cases = vec![
        taken(get("Host: site.test\r\n"), &format!("GET /x | {via}")).and_closed(),
        taken(get("Host: site.test\r\nConnection: close\r\n"), &format!("GET /x | {via}"))
            .and_closed(),
        taken(get("Host: site.test\r\nConnection: keep-alive\r\n"), &format!("GET /x | {via}")),
        taken(get("Host: site.test\r\nConnection: Keep-Alive\r\n"), &format!("GET /x | {via}")),
        taken(
            get("Host: site.test\r\nConnection: keep-alive, close\r\n"),
            &format!("GET /x | {via}"),
        )
        .and_closed(),
        taken(
            post("Content-Length: 5", "hello"),
            &format!("POST /x | content-length: 5 | {via} | hello"),
        )
        .and_closed(),
        // A body never ends with the connection.
        taken(post("X: y", ""), &format!("POST /x | x: y | {via}")).and_closed(),
        taken(get("Host: site.test\r\nExpect: 100-continue\r\n"), &format!("GET /x | {via}"))
            .and_closed(),
        // It can't be sent trailers.
        taken(
            get("Host: site.test\r\nTE: trailers\r\nConnection: TE\r\n"),
            &format!("GET /x | {via}"),
        )
        .and_closed(),
        taken(
            get("Host: site.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"),
            &format!("GET /x | {via}"),
        )
        .and_closed(),
    ];
    let hidden = "0\r\n\r\nGET /hidden HTTP/1.1\r\nHost: site.test\r\n\r\n";
    for lines in [
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: identity",
        "Transfer-Encoding:",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nConnection: keep-alive",
        "Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked",
        "Content-Length: 5\r\nContent-Length: 5",
        "Content-Length: 5\r\nContent-Length: 6",
    ] {
        cases.push(refused(400, post(lines, hidden)));
    }
    cases.push(refused(400, get("Host: a b\r\n")));
    cases.push(refused(400, get("Host: site.test\r\nHost: site.test\r\n")));
    cases.push(refused(400, "GET /x\r\n"));
    cases.push(refused(400, "GET /x HTTP/1.0\n\n"));
    cases
}
