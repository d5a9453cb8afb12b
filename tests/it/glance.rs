//! Hits by the short way are those of the whole way, byte for byte.

use crate::harness::{Connection, House, Larder, Origin, get, reply, request, wait_until};
use larder::config::{Settings, Target};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A field that the short way knows nothing of.
const WHOLE_WAY: &str = "X-Whole-Way: 1";

/// All that comes over one connection on which these requests are sent at once.
pub fn sent(proxy: SocketAddr, requests: &str) -> String {
    let mut connection = Connection::open(proxy);
    connection.send(requests.as_bytes());
    connection.stream().shutdown(Shutdown::Write).expect("no more is sent");
    let mut all = Vec::new();
    connection.reader().read_to_end(&mut all).expect("answers");
    String::from_utf8(all).expect("text")
}

pub fn written(path: &str, lines: &[&str]) -> String {
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    format!("GET {path} HTTP/1.1\r\nHost: site.test\r\n{lines}\r\n")
}

/// One of the numbers.
fn stat(house: &House, pointer: &str) -> u64 {
    let admin = house.running.admin().expect("an admin port");
    let stats = request(admin, "GET", "/v1/stats", &[("Host", "localhost")], b"").text();
    let stats: serde_json::Value = serde_json::from_str(&stats).expect("a document");
    stats.pointer(pointer).and_then(serde_json::Value::as_u64).expect("a number")
}

/// How many hits went the short way.
pub fn short(house: &House) -> u64 {
    stat(house, "/requests/short_way")
}

/// An app with a response of each kind.
pub fn app() -> Origin {
    Origin::answering(|seen| {
        let cookie = seen.field("cookie").unwrap_or("nobody").to_string();
        let encoding = seen.field("accept-encoding").unwrap_or("none").to_string();
        let fresh = "Cache-Control: max-age=100";
        match seen.target.split('?').next().unwrap_or_default() {
            "/etag" => reply(
                200,
                &[fresh, "ETag: \"a\"", "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT"],
                "text",
            ),
            "/modified" => {
                reply(200, &[fresh, "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT"], "text")
            }
            "/encoding" => reply(200, &[fresh, "Vary: Accept-Encoding"], &encoding),
            "/cookie" | "/static/cookie" => reply(200, &[fresh, "Vary: Cookie"], &cookie),
            "/both" => reply(200, &[fresh, "Vary: Cookie, Accept-Encoding"], &(cookie + &encoding)),
            "/forwarded" => reply(200, &[fresh, "Vary: X-Forwarded-Proto"], "text"),
            "/other" => reply(200, &[fresh, "Vary: X-Other"], "text"),
            "/star" => reply(200, &[fresh, "Vary: *"], "text"),
            "/missing" => reply(404, &[fresh], "no"),
            "/moved" => reply(301, &[fresh, "Location: /there"], ""),
            "/empty" => reply(204, &[fresh], ""),
            "/guessed" => reply(200, &["Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT"], "text"),
            "/chain" => reply(
                200,
                &[
                    fresh,
                    "Cache-Status: other; hit",
                    "Via: 1.1 other",
                    "Set-Thing: a",
                    "Set-Thing: b",
                ],
                "text",
            ),
            "/stale" => {
                reply(200, &["Cache-Control: max-age=10, stale-while-revalidate=100"], "text")
            }
            "/tagged" => reply(200, &[fresh, "Cache-Tag: soft"], "text"),
            "/search" => reply(200, &[fresh, "No-Vary-Search: params=(\"a\")"], "text"),
            "/large" => reply(200, &[fresh], &"0123456789".repeat(100_000)),
            _ => reply(200, &[fresh], "text"),
        }
    })
}

const PATHS: &[&str] = &[
    "/",
    "/?a=b",
    "/etag",
    "/modified",
    "/encoding",
    "/cookie",
    "/both",
    "/forwarded",
    "/other",
    "/star",
    "/missing",
    "/moved",
    "/empty",
    "/guessed",
    "/chain",
    "/search?a=1",
    "/search?a=2",
    "/large",
    "/purge/me",
    "//",
    "/%41",
];

/// More for the one that leaves out something of requests.
const MORE_PATHS: &[&str] = &[
    "/?utm_source=x",
    "/?a=b&utm_medium=y&%75tm_id",
    "/static/a",
    "/static/cookie",
    "/static/cookie?utm_id=1&a",
    "/static/../cookie",
    "/admin/x",
    "/%61dmin/x",
];

const VISITORS: &[&[&str]] = &[
    &[],
    &[
        "User-Agent: x",
        "Accept: text/html",
        "Accept-Language: de, en;q=0.5",
        "Connection: keep-alive",
    ],
    &["Accept-Encoding: gzip, br"],
    &["accept-encoding:br,GZIP"],
    &["Accept-Encoding: gzip", "Accept-Encoding: br"],
    &["Accept-Encoding: identity"],
    &["Cookie: sessionid=a"],
    &["Cookie: _ga=1"],
    &["Cookie: preview=1"],
    &["Cookie: _ga=1", "COOKIE: sessionid=b; c=d", "Accept-Encoding: gzip"],
    &["If-None-Match: \"a\""],
    &["If-None-Match: \"b\", W/\"a\""],
    &["If-None-Match: *"],
    &["If-None-Match: \"c\""],
    &["If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT"],
    &["If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT"],
    &["If-None-Match: \"c\"", "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT"],
    &["Cache-Control: no-cache", "Pragma: no-cache"],
    &["Cache-Control: only-if-cached"],
    &["X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https", "X-Forwarded-Host: else.test"],
    &["X-Real-IP: 192.0.2.1", "X-Forwarded-Port: 1"],
    &["X-Forwarded-Proto: HTTPS"],
    &["X-Forwarded-Proto: gopher"],
    &["X-Forwarded-Host: Upper.test"],
    &["Range: bytes=0-1"],
    &["Authorization: Basic YTpi"],
    &["If-Match: \"a\""],
    &["Via: 1.1 other"],
    &["TE: trailers"],
    &["Connection: cookie", "Cookie: sessionid=a"],
    &["Content-Length: 0"],
    &["Origin: http://else.test", "Sec-Fetch-Mode: cors", "Priority: u=1"],
];

fn houses() -> Vec<(&'static str, House, Origin)> {
    let mut houses = Vec::new();
    for name in ["as it comes", "cookies named", "behind a proxy", "obeys", "leaves out"] {
        let origin = app();
        let (host, port) = (origin.address.ip().to_string(), origin.address.port());
        let mut settings = Settings::new(Target::Tcp { host, port });
        (settings.cache.jitter, settings.cache.early_refresh) = (0, 0);
        let loopback = "127.0.0.0/8".parse().expect("a network");
        match name {
            "cookies named" => {
                settings.cache.cookies = Some(vec!["sessionid".into()]);
                settings.cache.bypass_cookies = vec!["preview".into()];
            }
            "behind a proxy" => settings.trust.proxies = vec![loopback],
            "obeys" => settings.refresh.networks = vec![loopback],
            "leaves out" => {
                settings.cache.cookies = Some(vec!["sessionid".into()]);
                settings.cache.ignored_parameters = vec!["utm_*".into()];
                settings.cache.static_paths = vec!["/static/".into()];
                settings.cache.bypass_paths = vec!["/admin/".into(), "/chain".into()];
            }
            _ => {}
        }
        houses.push((name, House::with(settings), origin));
    }
    houses
}

/// An answer with the lines of its head in the order of their names, but for `Date`: of
/// what isn't stored it is the real one.
fn sorted(answer: &str) -> String {
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let mut lines: Vec<&str> =
        head.split("\r\n").filter(|line| !line.starts_with("date:")).collect();
    lines[1..].sort_by_key(|line| line.split(':').next().unwrap_or_default());
    format!("{}\r\n\r\n{body}", lines.join("\r\n"))
}

/// Whatever is asked for, after whatever has happened, the short way gives what the
/// whole way does.
#[test]
fn both_ways_give_the_same() {
    for (name, house, _origin) in houses() {
        let proxy = house.proxy();
        let ask = |path: &str, lines: &[&str]| sorted(&sent(proxy, &written(path, lines)));
        let more = if name == "leaves out" { MORE_PATHS } else { &[] };
        let paths = [PATHS, more].concat();
        let compare = |when: &str| {
            for (path, visitor) in paths.iter().flat_map(|p| VISITORS.iter().map(move |v| (p, v))) {
                let whole = [visitor, &[WHOLE_WAY][..]].concat();
                // What isn't stored yet is now.
                ask(path, &whole);
                let expected = ask(path, &whole);
                assert_eq!(ask(path, visitor), expected, "{name}, {when}: {path} for {visitor:?}");
            }
        };
        compare("at first");
        house.pass(2);
        compare("a little later");
        house.purge_all_of("{\"prefixes\": [\"http://site.test/e\"]}");
        compare("after a purge");
        house.pass(200);
        compare("when all is stale");
        assert!(short(&house) > 1000, "{name}: {} went the short way", short(&house));
    }
}

/// What is stored but would not be answered as it is, or not without more ado, goes the
/// whole way; so does what isn't plain.
#[test]
fn what_is_in_doubt_goes_the_whole_way() {
    let origin = app();
    let house = House::in_front_of(&origin, |cache| cache.early_refresh = 50);
    let proxy = house.proxy();
    let is_short = |path: &str, lines: &[&str]| {
        let before = short(&house);
        sent(proxy, &written(path, lines));
        short(&house) > before
    };
    for path in ["/", "/tagged", "/stale", "/guessed", "/etag"] {
        assert!(!is_short(path, &[]), "{path} is not stored yet");
        assert!(is_short(path, &[]), "{path}");
    }
    for (path, lines) in [
        ("/guessed", &["Cookie: sessionid=a"][..]),
        ("/", &[WHOLE_WAY]),
        ("/", &["Range: bytes=0-1"]),
        ("/", &["Connection: close"]),
        ("/etag", &["If-Match: \"a\""]),
        ("http://site.test/", &[]),
    ] {
        assert!(!is_short(path, lines), "{path} {lines:?}");
    }
    let refused = "GET / HTTP/1.1\r\nHost: a\r\nHost: site.test\r\n\r\n";
    assert!(sent(proxy, refused).starts_with("HTTP/1.1 400 "));
    house.purge_softly("soft");
    assert!(!is_short("/tagged", &[]), "it was purged softly");
    house.pass(6);
    assert!(!is_short("/stale", &[]), "it is near its end");
    house.pass(5);
    assert!(!is_short("/stale", &[]), "it is stale");
}

/// A page that stands in for an origin that is known to be away goes the short way too,
/// while nobody is to be asked; and the origin is asked again and again.
#[test]
fn what_stands_in_goes_the_short_way() {
    let away = Arc::new(AtomicBool::new(false));
    let is_away = Arc::clone(&away);
    let origin = Origin::scripted(move |_, stream| {
        let text = reply(200, &["Cache-Control: max-age=10", "ETag: \"a\""], "page");
        !is_away.load(Ordering::SeqCst) && stream.write_all(text.as_bytes()).is_ok()
    });
    let (host, port) = (origin.address.ip().to_string(), origin.address.port());
    let mut settings = Settings::new(Target::Tcp { host, port });
    (settings.cache.jitter, settings.cache.early_refresh) = (0, 0);
    (settings.origin.eject_after, settings.origin.eject_for) = (1, Duration::from_secs(3600));
    let house = House::with(settings);
    sent(house.proxy(), &written("/", &[]));
    house.pass(11);
    away.store(true, Ordering::SeqCst);
    let first = sent(house.proxy(), &written("/", &[]));
    assert!(first.contains("cache-status: larder; fwd=stale; "), "{first}");

    let ask = |lines: &[&str]| {
        let before = short(&house);
        let answer = sent(house.proxy(), &written("/", lines));
        (sorted(&answer), short(&house) - before)
    };
    // The first has the origin asked behind it, and that takes the whole way.
    let (first, count) = ask(&[]);
    assert!(first.contains("cache-status: larder; hit; ttl=-1; detail=stale-when-down"), "{first}");
    assert_eq!(count, 0);
    assert_eq!(ask(&[]), (first.clone(), 1));
    assert_eq!(ask(&[WHOLE_WAY]), (first, 0), "both ways give the same");
    let has_it = ["If-None-Match: \"a\""];
    let (not_modified, count) = ask(&has_it);
    assert!(not_modified.starts_with("HTTP/1.1 304 ") && count == 1, "{not_modified}");
    assert_eq!(ask(&[&has_it[..], &[WHOLE_WAY]].concat()), (not_modified, 0));
    let asked = origin.count();
    wait_until("it is asked again", || {
        house.clock.advance(Duration::from_millis(100));
        ask(&[]);
        origin.count() > asked
    });
    away.store(false, Ordering::SeqCst);
    wait_until("what comes behind is seen", || {
        house.clock.advance(Duration::from_millis(100));
        let (answer, _) = ask(&[]);
        answer.contains("larder; hit; ttl=") && !answer.contains("detail=")
    });
}

/// Requests that are sent at once are answered in their order, whichever way they go.
#[test]
fn answers_keep_their_order() {
    let origin = app();
    let house = House::in_front_of(&origin, |_| {});
    let proxy = house.proxy();
    for path in ["/", "/large", "/missing"] {
        house.get(path);
    }
    let mut connection = Connection::open(proxy);
    connection.send(written("/large", &[]).as_bytes());
    let first = connection.head().expect("a head");
    // The client takes no more yet: answers wait in the socket, and behind it.
    let order = ["/", "/large?b", "/missing", "/large", "/large?b", "/"];
    for path in order {
        connection.send(written(path, &[]).as_bytes());
    }
    let first = connection.with_body("GET", first).expect("an answer");
    assert_eq!(first.body.len(), 1_000_000);
    for path in order {
        let answer = connection.answer("GET").expect("an answer");
        let expected = match path {
            "/missing" => (404, "no".len()),
            path if path.starts_with("/large") => (200, 1_000_000),
            _ => (200, "text".len()),
        };
        assert_eq!((answer.status, answer.body.len()), expected, "{path}");
    }
    assert!(short(&house) > 0, "at least the first");
}

/// What a connection takes is counted, and hyper's part of it only from its first
/// request on that goes the whole way.
#[test]
fn a_connection_takes_little_until_a_request_goes_the_whole_way() {
    const MANY: usize = 20;
    let origin = app();
    let house = House::in_front_of(&origin, |_| {});
    let mut all: Vec<Connection> = (0..MANY).map(|_| Connection::open(house.proxy())).collect();
    all[0].ask("/", "");
    assert_eq!(all[0].answer("GET").expect("an answer").status, 200);
    let mut taken_when_all_ask = |more: &str| {
        for connection in &mut all {
            connection.ask("/", more);
            assert!(connection.answer("GET").expect("an answer").is_hit());
        }
        stat(&house, "/memory/with_in_flight/bytes")
    };
    let plain = taken_when_all_ask("");
    assert_eq!(taken_when_all_ask(""), plain, "it is as plain as before");
    let whole = taken_when_all_ask(&format!("{WHOLE_WAY}\r\n"));
    let (one, others) = (8 << 10, MANY as u64 - 1);
    assert!(whole - plain >= others * one, "{plain}, {whole}");
    assert_eq!(taken_when_all_ask(""), whole, "hyper stays");
}

/// The log has the same lines for both.
#[test]
fn both_ways_are_written_down() {
    let origin = app();
    let larder = Larder::in_front_of(origin.address, &["--access-log", "json"]);
    let fields = ["Host: site.test", "Referer: http://from.test/", "User-Agent: a \"b\""];
    let lines: Vec<serde_json::Value> = [&[][..], &[WHOLE_WAY], &[]]
        .into_iter()
        .map(|more: &[&str]| {
            sent(larder.proxy, &written("/a?b", &[&fields[1..], more].concat()));
            serde_json::from_str(&larder.next_line()).expect("a document")
        })
        .collect();
    let shown = |line: &serde_json::Value| {
        let mut line = line.clone();
        let members = line.as_object_mut().expect("an object");
        for changing in ["id", "time", "seconds", "ttl"] {
            members.remove(changing);
        }
        line.to_string()
    };
    assert_eq!(shown(&lines[1]), shown(&lines[2]));
    assert_eq!(larder.stat("/requests/short_way"), 1);
}

/// A client that takes its large answer slowly gets all of it, and is written down when
/// it has; one that goes away before is written down as that.
#[test]
fn a_large_answer_goes_at_the_clients_pace() {
    let origin = app();
    let larder = Larder::in_front_of(origin.address, &["--access-log", "json"]);
    get(larder.proxy, "/large", &[("Host", "site.test")]);
    larder.next_line();
    let mut slow = Connection::open(larder.proxy);
    slow.send(written("/large", &[]).as_bytes());
    let head = slow.head().expect("a head");
    assert!(head.is_hit());
    let body: Vec<u8> = (0..1000).flat_map(|_| slow.read_exact(1000)).collect();
    assert!(body == "0123456789".repeat(100_000).into_bytes());
    assert!(larder.next_line().contains("1000000"));

    let mut gone = Connection::open(larder.proxy);
    gone.send(written("/large", &[]).as_bytes());
    gone.head().expect("a head");
    drop(gone);
    assert!(larder.next_line().contains("\"outcome\":\"hit\""));
    assert_eq!(larder.stat("/requests/short_way"), 2);
}
