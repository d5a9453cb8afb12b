//! What odd requests are made of.

pub const METHODS: &[&str] =
    &["GET", "GET", "HEAD", "POST", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];
/// Some readers will have none of them.
pub const ODD_METHODS: &[&str] =
    &["PROPFIND", "REPORT", "M-SEARCH", "SOURCE", "LINK", "SHOW", "G!#$%&'*+.^_`|~9", "X"];

pub const SEGMENTS: &[&str] = &[
    "",
    "",
    "a",
    "page.html",
    ".",
    "%2e",
    "%2F",
    "%2f",
    "%5c",
    "%0d%0aX:y",
    "%ff",
    "%C3%A9",
    "~",
    "-._~!$&'()*+,;=:@",
    ";v=1",
    "a:b@c",
    "http:",
    "{x}",
    "|",
    "^",
    "\\",
    "[x]",
    "*",
    "%25%32%66",
];
/// Some readers will have none of them.
pub const ODD_SEGMENTS: &[&str] = &["..", "...", "%2e%2e", "%00", "%zz", "%", "\u{e9}"];
pub const QUERIES: &[&str] = &[
    "",
    "?",
    "??",
    "?x",
    "?x=y&x=z",
    "?x=y;z",
    "?%00",
    "?%zz",
    "?a+b%20c",
    "?/../",
    "?http://evil.test/?x",
    "?x[]=1&y{}=2",
    "?|^`\\",
    "?=&==",
];

pub const HOSTS: &[&str] =
    &["site.test", "site.test", "site.test", "SITE.test:8080", "[::1]:80", "127.0.0.1", "a-b.c_d"];
pub const NAMES: &[&str] = &[
    "X-Odd",
    "x",
    "1",
    "X-!#$%&'*+-.^`|~1",
    "Accept",
    "Accept-Charset",
    "Accept-Language",
    "From",
    "Link",
    "Pragma",
    "Warning",
    "X-Requested-With",
    "Priority",
    "Sec-Fetch-Mode",
    "Dnt",
    "Date",
    "Content-Language",
    "Content-Encoding",
    "X-Content-Length",
    "X-Transfer-Encoding",
];
/// At most one line of each: gunicorn refuses several of the first.
pub const SINGLE: &[&str] = &["Content-Type", "Authorization", "Referer", "User-Agent", "Origin"];
/// What nobody may tell the application, or is for this hop.
pub const NOT_HANDED_ON: &[&str] = &[
    "X_Odd",
    "Content_Length",
    "X-Forwarded_For",
    "_",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Forwarded-Prefix",
    "X-Real-IP",
    "Forwarded",
    "Proxy",
    "X-Original-URL",
    "X-HTTP-Method-Override",
    "Keep-Alive",
    "Proxy-Connection",
    "Proxy-Authorization",
    "Trailer",
];
pub const VALUES: &[&[u8]] = &[
    b"",
    b"v",
    b"a b",
    b"a  b\t\tc",
    b"a,b",
    b", ,",
    b",",
    b"\"quoted, \\\" string\"",
    b"a: b: c",
    b";",
    b"\xe9",
    b"\xff\x80\xfe",
    b"caf\xc3\xa9",
    b"=?utf-8?q?x?=",
    b"chunked",
    b"0",
    b"\\",
    b"GET / HTTP/1.1",
    b"<>",
    b"100-continue",
    b"%0d%0aX: y",
    b"(comment)",
    b"\xa0",
    b"\x85",
];
pub const COOKIES: &[&str] =
    &["a=b", "a=", "=", "session=\"x y\"", "a=b; c=d", "a=b;c=d", "", "name"];
