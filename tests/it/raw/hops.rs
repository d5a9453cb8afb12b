//! Fields of one hop, `Connection`, upgrades (RFC 9110 sections 7.6.1 and 7.8).

use super::case::{Case, answered, refused, taken};

/// Field lines, and which of them the application sees.
const LINES: &[(&str, &str)] = &[
    ("Connection: X-Mine\r\nX-Mine: 1\r\nX-Theirs: 2", " | x-theirs: 2"),
    ("Connection: x-mine\r\nX-MINE: 1", ""),
    ("Connection: X-A, X-B\r\nX-A: 1\r\nX-B: 2", ""),
    ("Connection: X-A,,X-B\r\nX-A: 1\r\nX-B: 2", ""),
    ("Connection: X-A\r\nConnection: X-B\r\nX-A: 1\r\nX-B: 2", ""),
    ("X-A: 1\r\nX-A: 2\r\nConnection: X-A", ""),
    ("Connection:", ""),
    ("Connection: ,", ""),
    ("Connection: keep-alive", ""),
    ("Connection: \"X-A\"\r\nX-A: 1", " | x-a: 1"),
    // What routing, framing, identity and caching rest on stays.
    ("Connection: Host", ""),
    ("Connection: Cookie\r\nCookie: a=b", " | cookie: a=b"),
    ("Connection: Authorization\r\nAuthorization: Basic x", " | authorization: Basic x"),
    ("Connection: Cache-Control\r\nCache-Control: no-cache", " | cache-control: no-cache"),
    ("Connection: X-Forwarded-For", ""),
    ("Connection: X-Forwarded-Host, X-Forwarded-Proto, Via", ""),
    ("Connection: X-Forwarded-For\r\nX-Forwarded-For: 6.6.6.6", ""),
    ("Connection: Range\r\nRange: bytes=0-1", ""),
    ("Connection: If-None-Match\r\nIf-None-Match: \"a\"", ""),
    ("Connection: Accept-Encoding\r\nAccept-Encoding: gzip", ""),
    // Of this hop whether named or not.
    ("Keep-Alive: timeout=5", ""),
    ("Proxy-Connection: keep-alive", ""),
    ("Proxy-Authorization: Basic x", ""),
    ("Proxy-Authenticate: Basic", ""),
    ("TE: gzip", ""),
    ("TE: trailers", " | te: trailers | connection: te"),
    ("TE: trailers, gzip;q=0.5", " | te: trailers | connection: te"),
    // The only upgrade is to a WebSocket, and it has to be asked for properly.
    ("Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk", ""),
    ("Upgrade: h2c\r\nConnection: Upgrade", ""),
    ("Upgrade: h2c", ""),
    ("Upgrade: websocket", ""),
    ("Upgrade: TLS/1.0\r\nConnection: Upgrade", ""),
    ("Upgrade: websocketx\r\nConnection: Upgrade", ""),
    ("Upgrade:\r\nConnection: Upgrade", ""),
    ("Connection: Upgrade", ""),
];

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (lines, sees) in LINES {
        let head = format!("GET / HTTP/1.1\r\nHost: site.test\r\n{lines}\r\n\r\n");
        cases.push(taken(head, &format!("GET /{sees}")));
    }
    for option in ["close", "Close", "keep-alive, close", "close, keep-alive", "x, close"] {
        let head = format!("GET / HTTP/1.1\r\nHost: site.test\r\nConnection: {option}\r\n\r\n");
        cases.push(taken(head, "GET /").and_closed());
    }
    let length = "Connection: Content-Length\r\nContent-Length: 5\r\n\r\nhello";
    let head = format!("POST / HTTP/1.1\r\nHost: site.test\r\n{length}");
    cases.push(taken(head, "POST / | content-length: 5 | hello"));
    let coding = "Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let head = format!("POST / HTTP/1.1\r\nHost: site.test\r\n{coding}");
    cases.push(taken(head, "POST / | content-length: 5 | hello"));
    // A refused upgrade leaves HTTP on the connection: what was sent behind it is
    // a request, and never went through a tunnel.
    let socket = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13";
    let sees = "GET /ws | sec-websocket-version: 13 | connection: upgrade | upgrade: websocket";
    let head = format!("GET /ws HTTP/1.1\r\nHost: site.test\r\n{socket}\r\n\r\n");
    cases.push(answered(&[200], &head, &[sees]));
    let second = format!("{head}GET /x HTTP/1.1\r\nHost: site.test\r\n\r\n");
    cases.push(answered(&[200, 200], second, &[sees, "GET /x"]));
    let broken = format!("{head}GET /x HTTP/1.1\nHost: site.test\r\n\r\n");
    cases.push(answered(&[200, 400], broken, &[sees]).and_closed());
    for length in ["Content-Length: 5", "Transfer-Encoding: chunked"] {
        let head =
            format!("GET /ws HTTP/1.1\r\nHost: site.test\r\n{socket}\r\n{length}\r\n\r\nhello");
        cases.push(refused(400, head));
    }
    let post =
        format!("POST /ws HTTP/1.1\r\nHost: site.test\r\n{socket}\r\nContent-Length: 0\r\n\r\n");
    cases.push(taken(post, "POST /ws | content-length: 0 | sec-websocket-version: 13"));
    cases
}
