//! Methods, versions, and the rest of the request line (RFC 9112 section 3).

use super::case::{Case, answered, refused, taken};

/// Request lines that are none.
const WRONG: &[&str] = &[
    "GET",
    "GET ",
    "GET /",
    "GET / ",
    "GET  / HTTP/1.1",
    "GET /  HTTP/1.1",
    "GET / HTTP/1.1 ",
    "GET / HTTP/1.1\t",
    " GET / HTTP/1.1",
    "\tGET / HTTP/1.1",
    "GET\t/ HTTP/1.1",
    "GET /\tHTTP/1.1",
    "GET / HTTP/1.1 x",
    "GET / HTTP/1.1x",
    "GET / HTTP/1.11",
    "GET / HTTP/11",
    "GET / HTTP/1",
    "GET / HTTP/1.",
    "GET / HTTP/.1",
    "GET / HTTP/01.1",
    "GET / HTTP/-1.1",
    "GET / HTTP/x.y",
    "GET / HTTP 1.1",
    "GET / HTTP1.1",
    "GET / http/1.1",
    "GET / Http/1.1",
    "GET / HTTPS/1.1",
    "GET / ICY/1.1",
    "GET / RTSP/1.0",
    "GET / 1.1",
    "GET / HTTP/1,1",
    "GET / HTTP/1.1/",
    "/ HTTP/1.1",
    "G ET / HTTP/1.1",
    "G(T / HTTP/1.1",
    "GET, / HTTP/1.1",
    "GET: / HTTP/1.1",
    "G\"T / HTTP/1.1",
    "G\u{c9}T / HTTP/1.1",
    "G\x00T / HTTP/1.1",
    "G\x7fT / HTTP/1.1",
    "GET\x0b/ HTTP/1.1",
    "HTTP/1.1 200 OK",
    "SSH-2.0-OpenSSH_9.2",
    "\x16\x03\x01\x02",
    "{\"method\": \"GET\"}",
    "<html>",
];

pub fn cases() -> Vec<Case> {
    let with = |line: &str| format!("{line}\r\nHost: site.test\r\n\r\n");
    let mut cases: Vec<Case> = WRONG.iter().map(|line| refused(400, with(line))).collect();
    for version in ["0.9", "1.2", "1.9", "2.0", "3.0", "3.1", "9.9"] {
        cases.push(refused(505, with(&format!("GET / HTTP/{version}"))));
    }
    cases.push(refused(505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
    cases.push(refused(405, with("TRACE / HTTP/1.1")));
    cases.push(refused(405, with("CONNECT site.test:443 HTTP/1.1")));
    cases.push(refused(405, with("CONNECT site.test HTTP/1.1")));
    cases.push(refused(405, with("CONNECT / HTTP/1.1")));
    // Whoever tells an application of a method in capitals makes another one of these.
    for method in ["get", "Get", "GeT", "head", "trace", "Connect", "purge", "x-own"] {
        cases.push(refused(501, with(&format!("{method} /x HTTP/1.1"))));
    }
    for method in ["GET", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "M-SEARCH", "X!#$%&'*+.^_`|~9"]
    {
        cases.push(taken(with(&format!("{method} /x HTTP/1.1")), &format!("{method} /x")));
    }
    for method in ["POST", "PUT"] {
        let sees = format!("{method} /x | content-length: 2 | ab");
        let head =
            format!("{method} /x HTTP/1.1\r\nHost: site.test\r\nContent-Length: 2\r\n\r\nab");
        cases.push(answered(&[200], head, &[&sees]));
    }
    cases.push(taken(with("HEAD /x HTTP/1.1"), "HEAD /x"));
    // Empty lines before it are skipped (section 2.2).
    cases.push(taken(with("\r\nGET /x HTTP/1.1"), "GET /x"));
    cases.push(taken(with("\r\n\r\nGET /x HTTP/1.1"), "GET /x"));
    cases.push(refused(400, with("\nGET /x HTTP/1.1")));
    // Nobody gives an app another method than the cache has seen.
    for name in
        ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X_HTTP_Method_Override"]
    {
        let head = format!("GET /x HTTP/1.1\r\nHost: site.test\r\n{name}: DELETE\r\n\r\n");
        cases.push(taken(head, "GET /x"));
    }
    cases
}
