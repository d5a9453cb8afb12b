//! Chunked bodies (RFC 9112 section 7.1): written anew for the application, with
//! their length if they are read first; where they are broken it sees nothing of
//! them, or no end.

use super::case::{Case, answered, refused, taken};

/// Bodies that are not chunked as they should be.
const BROKEN: &[&str] = &[
    "\r\n5\r\nhello\r\n0\r\n\r\n",
    "x\r\nhello\r\n0\r\n\r\n",
    "5\nhello\r\n0\r\n\r\n",
    "5\rhello\r\n0\r\n\r\n",
    "5\r\r\nhello\r\n0\r\n\r\n",
    "+5\r\nhello\r\n0\r\n\r\n",
    "-5\r\nhello\r\n0\r\n\r\n",
    "0x5\r\nhello\r\n0\r\n\r\n",
    "5h\r\nhello\r\n0\r\n\r\n",
    "5 5\r\nhello\r\n0\r\n\r\n",
    " 5\r\nhello\r\n0\r\n\r\n",
    "\t5\r\nhello\r\n0\r\n\r\n",
    "5 \r\nhello\r\n0\r\n\r\n",
    "5_\r\nhello\r\n0\r\n\r\n",
    "5,\r\nhello\r\n0\r\n\r\n",
    ";a=b\r\nhello\r\n0\r\n\r\n",
    "5\x0b\r\nhello\r\n0\r\n\r\n",
    "\x005\r\nhello\r\n0\r\n\r\n",
    "8000000000000000\r\nhello\r\n0\r\n\r\n",
    "ffffffffffffffff\r\nhello\r\n0\r\n\r\n",
    "10000000000000005\r\nhello\r\n0\r\n\r\n",
    "5;a=b\nhello\r\n0\r\n\r\n",
    "5;a\rb\r\nhello\r\n0\r\n\r\n",
    "5;a=\x00\r\nhello\r\n0\r\n\r\n",
    "5;a=\x01\r\nhello\r\n0\r\n\r\n",
    "5;a=\x7f\r\nhello\r\n0\r\n\r\n",
    "5;\nGET /hidden HTTP/1.1\r\n",
    "4\r\nhello\r\n0\r\n\r\n",
    "5\r\nhelloo\r\n0\r\n\r\n",
    "5\r\nhello\n0\r\n\r\n",
    "5\r\nhello\r0\r\n\r\n",
    "5\r\nhelloXX0\r\n\r\n",
    "5\r\nhello0\r\n\r\n",
    "0\n\n",
    "0\r\n\n",
    "0\r\n\rX",
    "0\r\nX\r\n\r\n",
    "0\r\n X: y\r\n\r\n",
    "0\r\nX : y\r\n\r\n",
    "0\r\n: y\r\n\r\n",
    "0\r\nX: y\n\r\n",
    "0\r\nX: \x00\r\n\r\n",
    "0\r\nX: a\rb\r\n\r\n",
    "0\r\nX: a\r\n b\r\n\r\n",
];

/// Of a larder that reads them first, or hands them on as they come.
pub fn cases(read_first: bool) -> Vec<Case> {
    let framed = |length: usize| match read_first {
        true => format!("content-length: {length}"),
        false => "transfer-encoding: chunked".to_string(),
    };
    let head = "POST /up HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\n";
    let mut cases = Vec::new();
    let hello = &format!("POST /up | {} | hello", framed(5));
    for body in [
        "5\r\nhello\r\n0\r\n\r\n",
        "05\r\nhello\r\n00\r\n\r\n",
        "00000000000000000005\r\nhello\r\n0\r\n\r\n",
        "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        "5;a\r\nhello\r\n0;b\r\n\r\n",
        "5;a=b;c=\"d;e\"\r\nhello\r\n0\r\n\r\n",
        "5 ;a=b\r\nhello\r\n0\r\n\r\n",
        "5\t;\ta=b\r\nhello\r\n0\r\n\r\n",
    ] {
        cases.push(taken(format!("{head}\r\n{body}"), hello));
    }
    for (size, body) in [("a", "0123456789"), ("A", "0123456789"), ("09", "\r\n0\r\n\r\nab")] {
        let sees = format!("POST /up | {} | {body}", framed(body.len()));
        cases.push(taken(format!("{head}\r\n{size}\r\n{body}\r\n0\r\n\r\n"), &sees));
    }
    cases.push(taken(format!("{head}\r\n0\r\n\r\n"), &format!("POST /up | {}", framed(0))));
    // Trailers are dropped, whatever they are called.
    for trailer in
        ["Host: evil.test", "Content-Length: 5", "Cookie: a=b", "X-Forwarded-For: 6.6.6.6"]
    {
        let body = format!("5\r\nhello\r\n0\r\n{trailer}\r\n\r\n");
        cases.push(taken(format!("{head}\r\n{body}"), hello));
    }
    let get = b"GET /up HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\n\r\n";
    let sees = &format!("GET /up | {} | connection: close | hello", framed(5));
    cases.push(answered(&[200], [&get[..], b"5\r\nhello\r\n0\r\n\r\n"].concat(), &[sees]));
    for body in BROKEN {
        let case = refused(400, format!("{head}\r\n{body}"));
        // The application may have seen the beginning, and never an end; it may
        // notice late, so these come last.
        cases.push(if read_first { case } else { case.broken_off() });
    }
    cases
}
