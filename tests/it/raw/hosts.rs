//! `Host` (RFC 9110 section 7.2, RFC 9112 section 3.2).

use super::case::{Case, answered, refused, taken};

/// Field lines in place of a good `Host`.
const WRONG: &[&str] = &[
    "",
    "Host:\r\n",
    "Host: \r\n",
    "Host: site.test\r\nHost: site.test\r\n",
    "Host: site.test\r\nHost: evil.test\r\n",
    "Host: site.test\r\nhost: evil.test\r\n",
    "Host: site.test\r\nX: y\r\nHost: evil.test\r\n",
    "Host: site.test\r\nHost:\r\n",
    "Host:\r\nHost: site.test\r\n",
    "Host : site.test\r\n",
    "Host\t: site.test\r\n",
    " Host: site.test\r\n",
    "X: y\r\n Host: site.test\r\n",
    "Host: site.test\r\n evil.test\r\n",
    "Host: site.test, evil.test\r\n",
    "Host: site.test evil.test\r\n",
    "Host: site.test\tevil.test\r\n",
    "Host: site.test/path\r\n",
    "Host: /site.test\r\n",
    "Host: site.test?x\r\n",
    "Host: site.test#x\r\n",
    "Host: site.test\\x\r\n",
    "Host: user@site.test\r\n",
    "Host: user:pass@site.test\r\n",
    "Host: site.test@evil.test\r\n",
    "Host: http://site.test\r\n",
    "Host: //site.test\r\n",
    "Host: <script>\r\n",
    "Host: \"site.test\"\r\n",
    "Host: site.test:\r\n",
    "Host: :80\r\n",
    "Host: site.test:http\r\n",
    "Host: site.test:99999\r\n",
    "Host: site.test:-1\r\n",
    "Host: site.test:+1\r\n",
    "Host: site.test:80:80\r\n",
    "Host: site.test:80 \t80\r\n",
    "Host: site.test:0x50\r\n",
    "Host: site.test:80@evil.test\r\n",
    "Host: [::1\r\n",
    "Host: ::1]\r\n",
    "Host: [::1]x\r\n",
    "Host: [::1]:\r\n",
    "Host: [evil.test]\r\n",
    "Host: []\r\n",
    "Host: ::1\r\n",
    "Host: [::1%25lo]\r\n",
    "Host: site\u{e9}.test\r\n",
    "Host: site.test\x00\r\n",
    "Host: site.test\x7f\r\n",
    "Host: site^.test\r\n",
    "Host: site|test\r\n",
    "Host: {site}\r\n",
    "Host=site.test\r\n",
];

/// Where `site.test` and what is below it are served, and nothing else.
pub fn not_served() -> Vec<Case> {
    let ask = |host: &str| format!("GET /cached/1 HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let sees = |host: &str| format!("GET /cached/1 | host: {host} | x-forwarded-host: {host}");
    let mut cases = vec![
        answered(&[200, 200], ask("site.test").repeat(2), &["GET /cached/1"]),
        answered(&[200, 200], ask("a.site.test:8080").repeat(2), &[&sees("a.site.test:8080")]),
        taken(
            "GET http://b.site.test/x HTTP/1.1\r\nHost: evil.test\r\n\r\n",
            "GET /x | host: b.site.test | x-forwarded-host: b.site.test",
        ),
        answered(&[200, 421], ask("SITE.test") + &ask("evil.test"), &[]).and_closed(),
    ];
    for host in ["evil.test", "127.0.0.1", "site.test.evil.test", "evilsite.test", "site.test."] {
        cases.push(refused(421, ask(host)));
        let purge = format!("PURGE /cached/1 HTTP/1.1\r\nHost: {host}\r\n\r\n");
        cases.push(refused(421, purge));
    }
    // Nobody is believed who says otherwise.
    cases.push(refused(421, ask("evil.test\r\nX-Forwarded-Host: site.test")));
    cases.push(refused(421, "GET http://evil.test/ HTTP/1.1\r\nHost: site.test\r\n\r\n"));
    cases.push(refused(421, "GET /cached/1 HTTP/1.0\r\n\r\n"));
    cases
}

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for lines in WRONG {
        cases.push(refused(400, format!("GET / HTTP/1.1\r\n{lines}\r\n")));
    }
    // A target with a host of its own needs a good Host all the same.
    for lines in ["", "Host: a b\r\n", "Host: site.test\r\nHost: site.test\r\n"] {
        let head = format!("GET http://site.test/ HTTP/1.1\r\n{lines}\r\n");
        cases.push(refused(400, head));
    }
    for (host, seen) in [
        ("other.test", "other.test"),
        ("OTHER.Test", "other.test"),
        ("site.test:8080", "site.test:8080"),
        ("site.test.", "site.test."),
        ("under_score.test", "under_score.test"),
        ("xn--bcher-kva.test", "xn--bcher-kva.test"),
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.1:5000", "127.0.0.1:5000"),
        ("[::1]", "[::1]"),
        ("[2001:DB8::1]:8080", "[2001:db8::1]:8080"),
        ("a!$&'()*+;=~", "a!$&'()*+;=~"),
        ("localhost", "localhost"),
    ] {
        let sees = format!("GET / | host: {seen} | x-forwarded-host: {seen}");
        cases.push(taken(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"), &sees));
    }
    // The scheme's own port is left out, as it is where the request is keyed.
    for line in [
        "host:site.test",
        "HOST: site.test",
        "Host: site.test:80",
        "Host:\t site.test \t",
        "hOsT: SITE.test",
    ] {
        cases.push(taken(format!("GET / HTTP/1.1\r\n{line}\r\n\r\n"), "GET /"));
    }
    cases
}
