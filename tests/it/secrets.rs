//! What somebody is let in by is in no log, at whichever level, whatever becomes of the
//! request that bears it.

use crate::harness::{Larder, Origin, exchange, reply};
use std::io::Write as _;
use std::time::Duration;

/// What must not be found. Each credential has it in it.
const SECRET: &str = "hushed";

const TOKENS: [(&str, &str); 5] = [
    ("LARDER_LOG__LEVEL", "trace"),
    ("LARDER_CACHE__COOKIES", "sessionid"),
    ("LARDER_PURGE__TOKEN", "hushed-purge"),
    ("LARDER_REFRESH__TOKEN", "hushed-refresh"),
    ("LARDER_ADMIN__TOKEN", "hushed-admin"),
];

/// Field lines that say who somebody is.
const CREDENTIALS: [&str; 16] = [
    "Authorization: Bearer hushed",
    "Authorization: Bearer hushed-purge",
    "Authorization: Basic hushed",
    "Authorization: hushed",
    "Proxy-Authorization: Basic hushed",
    "Cookie: sessionid=hushed",
    "Cookie: hushed",
    "Cookie: messages=hushed; csrftoken=hushed\r\nCookie: a=hushed",
    "Larder-Refresh: hushed-refresh",
    "Larder-Refresh: hushed",
    "Larder-Debug: hushed-admin",
    "Larder-Debug: hushed",
    "Fastly-Key: hushed-purge",
    "X-Auth-Key: hushed",
    "X-Invalidate-Token: hushed",
    "X-CSRFToken: hushed",
];

/// What else is in a head, its first line left out, and its body: answered, or refused.
const REST: [(&str, &str); 7] = [
    ("Host: site.test", ""),
    ("Host: site.test\r\nCache-Control: no-cache\r\nContent-Length: 8", "a=hushed"),
    ("Host: site.test\r\nTransfer-Encoding: chunked", "8\r\na=hushed\r\nx\r\n"),
    ("Host: site.test\r\nBad : x", ""),
    ("Host: site.test\r\n folded", ""),
    ("Host: a b", ""),
    ("Host: site.test\r\nContent-Length: 1\r\nContent-Length: 2", "hushed"),
];

fn requests() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    let mut ask = |line: &str, fields: &str, body: &str| {
        all.push(format!("{line}\r\n{fields}\r\nConnection: close\r\n\r\n{body}").into_bytes());
    };
    for credential in CREDENTIALS {
        for target in ["/page", "/personal", "/broken", "/cut", "/no-page"] {
            for method in ["GET", "POST", "PURGE", "BAN", "REFRESH", "TRACE"] {
                let line = format!("{method} {target} HTTP/1.1");
                ask(&line, &format!("Host: site.test\r\n{credential}"), "");
            }
        }
        for (rest, body) in REST {
            ask("POST /page HTTP/1.1", &format!("{credential}\r\n{rest}"), body);
            ask("PURGE /page HTTP/1.1", &format!("{rest}\r\n{credential}"), body);
        }
        for longer in ["\x01".to_string(), "x".repeat(9000), "\r\n folded".into()] {
            ask("GET / HTTP/1.1", &format!("Host: site.test\r\n{credential}{longer}"), "");
        }
        // Where the request line should be.
        ask(credential, "Host: site.test", "");
        ask(&credential.replacen(": ", ":", 1), "Host: site.test", "");
    }
    for target in
        ["http://user:hushed@site.test/", "http://hushed@site.test", "hushed@site.test:80"]
    {
        for method in ["GET", "CONNECT", "PURGE"] {
            ask(&format!("{method} {target} HTTP/1.1"), "Host: site.test", "");
            ask(&format!("{method} {target} HTTP/9.1"), "Host: site.test", "");
        }
        ask("GET / HTTP/1.1", &format!("Host: site.test\r\nReferer: {target}"), "");
    }
    ask("GET / HTTP/1.1", "Host: user:hushed@site.test", "");
    all
}

/// To the admin port: with a right token and with a wrong one, let in and refused.
fn of_the_operator() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for token in ["Bearer hushed-admin", "Bearer hushed", "Basic hushed", "hushed"] {
        for (line, body) in [
            ("POST /v1/purge", r#"{"all":true}"#),
            ("POST /v1/purge", r#"{"all":hushed"#),
            ("GET /v1/stats", ""),
            ("GET /v1/purges", ""),
            ("GET /v1/explain?url=http://site.test/page", ""),
            ("POST /v1/reload", ""),
            ("PUT /nothing", ""),
        ] {
            let length = body.len();
            all.push(
                format!(
                    "{line} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {token}\r\n\
                     Cookie: a=hushed\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
                )
                .into_bytes(),
            );
        }
    }
    all
}

fn origin() -> Origin {
    Origin::scripted(|seen, stream| {
        let secret = "Set-Cookie: a=hushed";
        let answer = match seen.target.as_str() {
            "/personal" => reply(200, &["Cache-Control: max-age=60", "Vary: Cookie", secret], "p"),
            "/broken" => format!("HTTP/1.1 200 OK\r\n{secret}\r\nBad Name: hushed\r\n\r\n"),
            "/cut" => format!("HTTP/1.1 200 OK\r\n{secret}\r\nContent-Length: 9\r\n\r\nhushed"),
            "/no-page" => reply(404, &["WWW-Authenticate: Basic realm=hushed"], "hushed"),
            _ => reply(200, &["Cache-Control: max-age=60"], "page"),
        };
        stream.write_all(answer.as_bytes()).is_ok() && seen.target != "/cut"
    })
}

#[test]
fn no_log_tells_whom_somebody_is_let_in_as() {
    for format in ["combined", "json"] {
        let origin = origin();
        let more = ["--access-log", format];
        let mut larder = Larder::with_env(origin.address, &more, &TOKENS);
        let mut answered = 0;
        for request in requests() {
            answered += usize::from(!exchange(larder.proxy, &request).is_empty());
        }
        for request in of_the_operator() {
            let answer = exchange(larder.admin, &request);
            assert!(answer.starts_with(b"HTTP/1.1 "), "{}", String::from_utf8_lossy(&request));
        }
        assert_eq!(answered, requests().len());
        larder.says("a purge was refused");
        larder.terminate();
        assert!(larder.wait().success());
        let mut lines = Vec::new();
        while let Some(line) = larder.line_within(Duration::from_secs(5)) {
            lines.push(line);
        }
        assert_eq!(lines.len(), answered, "{format}: a line for each");
        for line in lines.iter().map(String::as_str).chain(larder.events().lines()) {
            assert!(!line.contains(SECRET), "{format}: {line}");
        }
        assert!(lines.iter().any(|line| line.contains("http://*@site.test/")), "{format}");
    }
}
