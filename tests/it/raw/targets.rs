//! Request targets (RFC 9112 section 3.2): origin-form and absolute-form, `*` for
//! OPTIONS, byte for byte.

use super::case::{Case, answered, refused, taken};

/// For GET.
const WRONG: &[&str] = &[
    "",
    "page",
    "page.html",
    "?x=y",
    "*",
    "**",
    "*/",
    "\\",
    "\\page",
    ".",
    "../etc/passwd",
    "site.test",
    "site.test:80",
    "site.test/page",
    "user@site.test",
    ":80",
    "#",
    "#fragment",
    "/#",
    "/page#fragment",
    "/page?x#fragment",
    "/page#?x",
    "/page%23#x",
    "http://site.test/#x",
    "http://site.test#x",
    "http:",
    "http:/",
    "http:/site.test/",
    "http://",
    "http:///page",
    "http://?x",
    "http:site.test",
    "https:/page",
    "://site.test/",
    "ftp://site.test/",
    "file:///etc/passwd",
    "ws://site.test/",
    "javascript:alert(1)",
    "data:text/html,x",
    "gopher://site.test/",
    "unix:/tmp/app.sock",
    "http://user@site.test/",
    "http://user:pass@site.test/",
    "http://@site.test/",
    "http://site.test@evil.test/",
    "http://site.test:http/",
    "http://site.test:99999/",
    "http://site.test:-1/",
    "http://[::1/",
    "http://[evil.test]/",
    "http://site test/",
    "http://site.test\\page",
    "http://si<te.test/",
    "/page\x00",
    "/\x01page",
    "/page\x0b",
    "/page\x0c",
    "/page\x7f",
    "/a\tb",
    "/a b",
    "/page HTTP/1.1 HTTP/1.1",
    " /page",
    "/page ",
    "\t/page",
    "/page\r",
    "/page\n",
    "/?x=\"quoted\"",
    "/<page>",
    "/?x=<y>",
];

/// Through as they are.
const FINE: &[&str] = &[
    "/",
    "//",
    "//site.test/page",
    "///page",
    "/page",
    "/page/",
    "/page//two",
    "/a/../b",
    "/a/./b",
    "/..",
    "/../../etc/passwd",
    "/%2e%2e/%2fetc",
    "/%",
    "/%zz",
    "/%00",
    "/%0d%0aX:%20y",
    "/%23not-a-fragment",
    "/%3fnot-a-query",
    "/caf%C3%A9",
    "/caf%c3%a9",
    "/?",
    "/??",
    "/?x",
    "/?x=y&x=z",
    "/?x=y;z=w",
    "/?x[]=1&y{}=2",
    "/?q=a+b%20c",
    "/?url=http://evil.test/?x=y",
    "/page;v=1",
    "/page;jsessionid=1?x",
    "/a:b@c",
    "/http://evil.test/",
    "/-._~!$&'()*+,;=:@",
    "/page|x",
    "/[x]",
    "/{x}",
    "/^x",
    "/x\\y",
    "/caf\u{e9}",
    "/?q=caf\u{e9}",
    "/*",
];

pub fn cases() -> Vec<Case> {
    let get = |target: &str| format!("GET {target} HTTP/1.1\r\nHost: site.test\r\n\r\n");
    let mut cases: Vec<Case> = WRONG.iter().map(|target| refused(400, get(target))).collect();
    let mut latin = b"GET /caf\xe9 HTTP/1.1\r\nHost: site.test\r\n\r\n".to_vec();
    cases.push(refused(400, &latin));
    latin[4..8].copy_from_slice(b"/?q=");
    cases.push(refused(400, &latin));
    cases.extend(FINE.iter().map(|target| taken(get(target), &format!("GET {target}"))));
    for (target, sees) in [
        ("http://site.test/page?x", "GET /page?x"),
        ("HTTP://SITE.test/Page", "GET /Page"),
        ("http://site.test", "GET /"),
        ("http://site.test/", "GET /"),
        ("http://site.test?x=y", "GET /?x=y"),
    ] {
        cases.push(taken(get(target), sees));
    }
    // The target's host counts (RFC 9112 section 3.2.2).
    for (target, host) in [
        ("http://other.test/page", "other.test"),
        ("http://other.test:8080/page", "other.test:8080"),
        ("https://other.test/page", "other.test"),
        ("http://[::1]:80/page", "[::1]"),
    ] {
        let sees = format!("GET /page | host: {host} | x-forwarded-host: {host}");
        cases.push(taken(get(target), &sees));
    }
    for (target, sees) in
        [("*", "OPTIONS *"), ("/", "OPTIONS /"), ("http://site.test/x", "OPTIONS /x")]
    {
        let head = format!("OPTIONS {target} HTTP/1.1\r\nHost: site.test\r\n\r\n");
        cases.push(answered(&[200], head, &[sees]));
    }
    for method in ["POST", "HEAD", "DELETE", "PURGE"] {
        cases.push(refused(400, format!("{method} * HTTP/1.1\r\nHost: site.test\r\n\r\n")));
    }
    cases
}
