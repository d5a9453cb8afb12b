//! Requests sent behind one another without waiting (RFC 9112 section 9.3.2):
//! answered in order, and nothing is read behind one that is refused.

use super::case::{Case, answered};

pub fn cases() -> Vec<Case> {
    let get = |target: &str| format!("GET {target} HTTP/1.1\r\nHost: site.test\r\n\r\n");
    let post = |target: &str| {
        format!("POST {target} HTTP/1.1\r\nHost: site.test\r\nContent-Length: 5\r\n\r\nhello")
    };
    let chunked = |target: &str| {
        let head =
            format!("POST {target} HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked");
        format!("{head}\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
    };
    let (a, b, c) = ("GET /a", "GET /b", "GET /c");
    let posted = "POST /p | content-length: 5 | hello";
    let in_chunks = "POST /p | content-length: 5 | hello";
    let mut cases = vec![
        answered(&[200, 200], get("/a") + &get("/b"), &[a, b]),
        answered(&[200, 200, 200], get("/a") + &get("/b") + &get("/c"), &[a, b, c]),
        answered(&[200, 200, 200], get("/a") + &post("/p") + &get("/c"), &[a, posted, c]),
        answered(&[200, 200, 200], get("/a") + &chunked("/p") + &get("/c"), &[a, in_chunks, c]),
        answered(&[200, 200], post("/p") + &chunked("/p"), &[posted, in_chunks]),
        answered(&[200, 200], chunked("/p") + &post("/p"), &[in_chunks, posted]),
        answered(&[200, 200], get("/cached/a") + &get("/cached/a"), &["GET /cached/a"]),
        answered(&[200, 200], format!("{}\r\n{}", get("/a"), get("/b")), &[a, b]),
        answered(&[200, 200], format!("{}\r\n{}", post("/p"), get("/b")), &[posted, b]),
    ];
    // One that is refused, with a good one before and one behind it.
    for (status, wrong) in [
        (400, "GET / HTTP/1.1\nHost: site.test\r\n\r\n"),
        (400, "GET /#x HTTP/1.1\r\nHost: site.test\r\n\r\n"),
        (400, "GET / HTTP/1.1\r\n\r\n"),
        (400, "GET / HTTP/1.1\r\nHost: site.test\r\nHost: site.test\r\n\r\n"),
        (
            400,
            "POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        ),
        (400, "POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: +5\r\n\r\nhello"),
        (400, "\x00\x01\x02\r\n\r\n"),
        (405, "TRACE / HTTP/1.1\r\nHost: site.test\r\n\r\n"),
        (405, "CONNECT site.test:443 HTTP/1.1\r\nHost: site.test\r\n\r\n"),
        (417, "GET / HTTP/1.1\r\nHost: site.test\r\nExpect: tea\r\n\r\n"),
        (501, "POST / HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"),
        (505, "GET / HTTP/2.0\r\nHost: site.test\r\n\r\n"),
    ] {
        let sent = format!("{}{wrong}{}", get("/a"), get("/b"));
        cases.push(answered(&[200, status], sent, &[a]).and_closed());
        let sent = format!("{}{wrong}{}", post("/p"), get("/b"));
        cases.push(answered(&[200, status], sent, &[posted]).and_closed());
        let sent = format!("{}{wrong}{}", chunked("/p"), get("/b"));
        cases.push(answered(&[200, status], sent, &[in_chunks]).and_closed());
    }
    // The length of a body decides what is a request, not what it looks like.
    let short = "POST /p HTTP/1.1\r\nHost: site.test\r\nContent-Length: 5\r\n\r\nhelloworld";
    cases.push(answered(&[200, 400], format!("{short}\r\n\r\n"), &[posted]).and_closed());
    let last = "GET /a HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\n\r\n";
    cases.push(answered(&[200], format!("{last}{}", get("/b")), &[a]).and_closed());
    let many: String = (0..50).map(|_| get("/a")).collect();
    cases.push(answered(&[200; 50], many, &[a; 50]));
    cases
}
