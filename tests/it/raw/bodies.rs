//! Bodies where none is usual: with GET and HEAD, with requests that larder
//! answers by itself. They are handed on or end the connection; nothing in them
//! is taken for a request.

use super::case::{Case, answered, taken};

const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nHost: site.test\r\n\r\n";

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let length = HIDDEN.len();
    for method in ["GET", "HEAD", "OPTIONS", "DELETE"] {
        let head = format!("{method} /x HTTP/1.1\r\nHost: site.test\r\n");
        let sees = format!("{method} /x | content-length: {length} | connection: close | {HIDDEN}");
        let sent = format!("{head}Content-Length: {length}\r\n\r\n{HIDDEN}");
        cases.push(taken(sent, &sees));
        let sent =
            format!("{head}Transfer-Encoding: chunked\r\n\r\n{length:x}\r\n{HIDDEN}\r\n0\r\n\r\n");
        cases.push(taken(sent, &sees));
        let sent = format!("{head}Content-Length: 0\r\n\r\n");
        // To GET and HEAD it describes what isn't there.
        let described = if matches!(method, "GET" | "HEAD") { "" } else { " | content-length: 0" };
        cases.push(taken(sent, &format!("{method} /x{described}")));
    }
    // What is stored is not the answer to a request with a body.
    let ask = "GET /cached/1 HTTP/1.1\r\nHost: site.test\r\n";
    let sent = format!("{ask}\r\n{ask}Content-Length: {length}\r\n\r\n{HIDDEN}{ask}\r\n");
    let fat = format!("GET /cached/1 | content-length: {length} | connection: close | {HIDDEN}");
    cases.push(answered(&[200, 200, 200], sent, &["GET /cached/1", &fat]));
    let ask = "GET /cached/2 HTTP/1.1\r\nHost: site.test\r\n";
    let sent = format!("{ask}\r\n{ask}Content-Length: 0\r\n\r\n");
    cases.push(answered(&[200, 200], sent, &["GET /cached/2"]));
    let ask = "GET /absent HTTP/1.1\r\nHost: site.test\r\nCache-Control: only-if-cached\r\n\r\n";
    cases.push(answered(&[504], ask, &[]));
    // Refused with its body behind it: the body is not the next request.
    for (line, status) in [("Host: a b", 400), ("Host: site.test\r\nExpect: tea", 417)] {
        let sent =
            format!("POST /x HTTP/1.1\r\n{line}\r\nContent-Length: {length}\r\n\r\n{HIDDEN}");
        cases.push(answered(&[status], sent, &[]).and_closed());
    }
    let purge =
        format!("PURGE /x HTTP/1.1\r\nHost: site.test\r\nContent-Length: {length}\r\n\r\n{HIDDEN}");
    cases.push(answered(&[200], purge, &[]));
    // What doesn't come is not waited for, nor what comes when it is asked for.
    for lines in ["Content-Length: 10000", "Expect: 100-continue\r\nContent-Length: 10"] {
        let purge = format!("PURGE /x HTTP/1.1\r\nHost: site.test\r\n{lines}\r\n\r\n{HIDDEN}");
        cases.push(answered(&[200], purge, &[]).and_closed());
    }
    cases
}
