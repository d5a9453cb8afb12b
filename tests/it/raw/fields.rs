//! Lines and fields (RFC 9112 sections 2.2 and 5): one way to read them.

use super::case::{Case, answered, refused, taken};

/// Behind a good `Host`.
const WRONG: &[&[u8]] = &[
    b"nocolon\r\n",
    b": value\r\n",
    b" : value\r\n",
    b"X A: 1\r\n",
    b"X-A : 1\r\n",
    b"X-A\t: 1\r\n",
    b" X-A: 1\r\n",
    b"\tX-A: 1\r\n",
    b"X-A: 1\r\n 2\r\n",
    b"X-A: 1\r\n\t2\r\n",
    b"X-A: 1\r\n \r\n",
    b"X-A:\r\n 1\r\n",
    b"X-A\r\n: 1\r\n",
    b"X-A: 1\n",
    b"X-A: 1\nX-B: 2\r\n",
    b"X-A: 1\r\nX-B: 2\n",
    b"X-A: 1\n\r\n",
    b"X-A: 1\n\n",
    b"\n",
    b"X-A: 1\rX-B: 2\r\n",
    b"X-A: 1\r\r\n",
    b"X-A: \r1\r\n",
    b"\rX-A: 1\r\n",
    b"X\r-A: 1\r\n",
    b"X-A: a\x00b\r\n",
    b"X-A: \x00\r\n",
    b"X\x00A: b\r\n",
    b"\x00X-A: b\r\n",
    b"X-A: a\x01b\r\n",
    b"X-A: a\x08b\r\n",
    b"X-A: a\x0bb\r\n",
    b"X-A: a\x0cb\r\n",
    b"X-A: a\x1bb\r\n",
    b"X-A: a\x1fb\r\n",
    b"X-A: a\x7fb\r\n",
    b"X\x7fA: b\r\n",
    b"X\x01A: b\r\n",
    b"X(A): b\r\n",
    b"X,A: b\r\n",
    b"X/A: b\r\n",
    b"X;A: b\r\n",
    b"X<A: b\r\n",
    b"X=A: b\r\n",
    b"X@A: b\r\n",
    b"X[A: b\r\n",
    b"X\\A: b\r\n",
    b"X{A: b\r\n",
    b"\"X\": b\r\n",
    b"X\xe9: b\r\n",
    b"\xef\xbb\xbfX: b\r\n",
    b"GET /hidden HTTP/1.1\r\n",
    b"=\r\n",
];

/// Names that are dropped: a WSGI application can't tell them from others, or
/// builds pages from them that are kept for all.
const DROPPED: &[&str] = &[
    "X_A",
    "_",
    "_X",
    "X_",
    "Content_Length",
    "X_Forwarded_For",
    "X-Forwarded_Host",
    "Forwarded",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    "X-Forwarded-Server",
    "X-Forwarded-Ssl",
    "X-Forwarded-Scheme",
    "X-Forwarded-Path",
    "X-Forwarded-By",
    "X-Real-IP",
    "X-Client-IP",
    "Client-IP",
    "True-Client-IP",
    "CF-Connecting-IP",
    "Fastly-Client-IP",
    "X-Cluster-Client-IP",
    "X-Originating-IP",
    "X-Original-URL",
    "X-Original-URI",
    "X-Original-Host",
    "X-Rewrite-URL",
    "X-Host",
    "X-HTTP-Host-Override",
    "X-Script-Name",
    "X-Scheme",
    "X-URL-Scheme",
    "X-Forwarded-Proto",
    "X-Forwarded-Host",
    "X-Forwarded-For",
    "X-ProxyUser-IP",
    "X-Remote-IP",
    "X-Remote-Addr",
    "X-Remote-User",
    "Remote-User",
    "X-Forwarded-User",
    "Front-End-Https",
    "Proxy",
];

pub fn cases() -> Vec<Case> {
    let get = |lines: &[u8]| [b"GET / HTTP/1.1\r\nHost: site.test\r\n", lines, b"\r\n"].concat();
    let mut cases: Vec<Case> = WRONG.iter().map(|lines| refused(400, get(lines))).collect();
    for head in [
        "GET / HTTP/1.1\nHost: site.test\n\n",
        "GET / HTTP/1.1\nHost: site.test\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: site.test\n\r\n",
        "GET / HTTP/1.1\r\nHost: site.test\r\n\n",
        "GET / HTTP/1.1\r\n\r\nHost: site.test\r\n\r\n",
        "GET / HTTP/1.1\rHost: site.test\r\r",
    ] {
        cases.push(refused(400, head));
    }
    for name in DROPPED {
        let sees = "GET /";
        cases.push(taken(get(format!("{name}: 6.6.6.6\r\n").as_bytes()), sees));
    }
    for (line, sees) in [
        ("X:", "x: "),
        ("X: ", "x: "),
        ("X:y", "x: y"),
        ("X:\ty\t", "x: y"),
        ("X: y  z", "x: y  z"),
        ("X: a\tb", "x: a\tb"),
        ("X: a:b", "x: a:b"),
        ("X: \"a, b\"", "x: \"a, b\""),
        ("x!#$%&'*+-.^`|~9: y", "x!#$%&'*+-.^`|~9: y"),
        ("9: y", "9: y"),
        ("X: y\r\nX: z", "x: y | x: z"),
        ("X: <script>", "x: <script>"),
        ("Accept: */*", "accept: */*"),
        ("Referer: http://other.test/#x", "referer: http://other.test/#x"),
    ] {
        cases.push(taken(get(format!("{line}\r\n").as_bytes()), &format!("GET / | {sees}")));
    }
    let cases_of_expect = [
        ("100-continue", Some(())),
        ("100-Continue", Some(())),
        ("tea", None),
        ("100-continue, tea", None),
        ("100-continue;x=y", None),
        ("x100-continue", None),
        ("", None),
    ];
    for (value, met) in cases_of_expect {
        let lines = format!("Expect: {value}\r\nContent-Length: 5\r\n\r\nhello");
        let head = format!("POST / HTTP/1.1\r\nHost: site.test\r\n{lines}");
        cases.push(match met {
            Some(()) => answered(&[200], head, &["POST / | content-length: 5 | hello"]),
            None => refused(417, head),
        });
    }
    let twice = "Expect: 100-continue\r\nExpect: tea\r\nContent-Length: 5\r\n\r\nhello";
    cases.push(refused(417, format!("POST / HTTP/1.1\r\nHost: site.test\r\n{twice}")));
    cases.push(taken(get(b"Expect: 100-continue\r\n"), "GET /"));
    cases
}
