//! How much a head may be: 414 for its target, 431 for the rest.

use super::case::{Case, refused, taken};

pub fn cases() -> Vec<Case> {
    let get = |target: &str, lines: &str| {
        format!("GET {target} HTTP/1.1\r\nHost: site.test\r\n{lines}\r\n")
    };
    let path = |length: usize| format!("/{}", "a".repeat(length - 1));
    let field = |length: usize| format!("X: {}\r\n", "a".repeat(length - "X: \r\n".len()));
    let fields = |count: usize, length: usize| {
        let line = |number: usize| format!("X-{number}: {}\r\n", "a".repeat(length));
        (0..count).map(line).collect::<String>()
    };
    let mut cases = vec![
        taken(get(&path(8192), ""), &format!("GET {}", path(8192))),
        refused(414, get(&path(8193), "")),
        refused(414, get(&path(20_000), "")),
        refused(431, get(&path(40_000), "")),
        refused(414, get(&format!("/?{}", "a".repeat(8191)), "")),
        refused(414, get(&format!("http://site.test{}", path(8193)), "")),
        taken(get("/", &field(8190)), &format!("GET / | x: {}", "a".repeat(8185))),
        refused(431, get("/", &field(8191))),
        refused(431, get("/", &format!("{}: y\r\n", "x".repeat(8190)))),
        refused(431, get("/", &format!("Host: {}\r\n", "a".repeat(9000)))),
        refused(431, get("/", &fields(90, 1))),
        refused(431, get("/", &fields(100, 1))),
        refused(431, get("/", &fields(1000, 1))),
        refused(431, get("/", &fields(5, 8000))),
        refused(431, get("/", &"X:\r\n".repeat(100))),
        refused(431, "\r\n".repeat(20_000)),
        refused(431, "a".repeat(40_000)),
        refused(431, format!("GET {}", "/".repeat(40_000))),
        refused(431, format!("GET / HTTP/1.1\r\nX: {}", "a".repeat(40_000))),
        refused(431, format!("GET / HTTP/1.1\r\n{}", "x".repeat(40_000))),
    ];
    for count in [1, 50, 89] {
        let sees: String = (0..count).map(|number| format!(" | x-{number}: a")).collect();
        cases.push(taken(get("/", &fields(count, 1)), &format!("GET /{sees}")));
    }
    for length in [100, 1000] {
        let method = "M".repeat(length);
        let sent = format!("{method} / HTTP/1.1\r\nHost: site.test\r\n\r\n");
        cases.push(taken(sent, &format!("{method} /")));
    }
    cases
}
