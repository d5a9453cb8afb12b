//! What the app is told of the client, and what stays on its hop.

use crate::harness::{Connection, Larder, Origin, reply, request};
use std::io::Write;

const CLAIMS: &[(&str, &str)] = &[
    ("X-Forwarded-For", "203.0.113.9"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Host", "evil.test"),
    ("X-Forwarded-Port", "444"),
    ("X-Forwarded-Server", "evil"),
    ("X-Forwarded-Prefix", "/evil"),
    ("X-Real-IP", "203.0.113.9"),
    ("Forwarded", "for=203.0.113.9"),
    ("Proxy", "http://evil.test"),
];

fn echo() -> Origin {
    Origin::answering(|_| reply(200, &["Cache-Control: max-age=60"], "page"))
}

#[test]
fn what_a_stranger_says_of_itself_is_replaced() {
    let origin = echo();
    let larder = Larder::in_front_of(origin.address, &[]);
    for (method, body) in [("GET", ""), ("HEAD", ""), ("POST", "x")] {
        for claims in [CLAIMS, &[]] {
            request(larder.proxy, method, &format!("/{method}"), claims, body.as_bytes());
            if method == "GET" && claims.is_empty() {
                continue; // a hit: its target was the same in spite of the claims
            }
            let seen = origin.last();
            assert_eq!(seen.method, method);
            assert_eq!(seen.field("x-forwarded-for"), Some("127.0.0.1"));
            assert_eq!(seen.field("x-forwarded-proto"), Some("http"));
            assert_eq!(seen.field("x-forwarded-host"), Some("site.test"));
            assert_eq!(seen.field("host"), Some("site.test"));
            for (name, _) in &CLAIMS[3..] {
                assert_eq!(seen.field(&name.to_ascii_lowercase()), None, "{name}");
            }
        }
    }
    assert_eq!(origin.asked_for("/GET"), 1);
}

#[test]
fn a_trusted_proxy_is_believed() {
    let origin = echo();
    let env = [("LARDER_TRUST__PROXIES", "127.0.0.0/8")];
    let larder = Larder::with_env(origin.address, &[], &env);
    let claims = [
        ("X-Forwarded-For", "198.51.100.7, 203.0.113.9"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "Shop.Test"),
    ];
    larder.get_with("/page", &claims);
    let seen = origin.last();
    assert_eq!(seen.field("x-forwarded-for"), Some("198.51.100.7, 203.0.113.9, 127.0.0.1"));
    assert_eq!(seen.field("x-forwarded-proto"), Some("https"));
    assert_eq!(seen.field("x-forwarded-host"), Some("shop.test"));
    assert_eq!(seen.field("host"), Some("shop.test"));
    assert!(larder.get_with("/page", &claims).is_hit());
    // The scheme and the host are of the target.
    assert!(!larder.get_with("/page", &claims[1..2]).is_hit());
    assert!(!larder.get("/page").is_hit());
    assert_eq!(origin.count(), 3);
}

#[test]
fn trust_is_for_the_named_networks_alone() {
    let origin = echo();
    let env = [("LARDER_TRUST__PROXIES", "192.0.2.0/24,2001:db8::/32")];
    let larder = Larder::with_env(origin.address, &[], &env);
    larder.get_with("/page", CLAIMS);
    assert_eq!(origin.last().field("x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(origin.last().field("x-forwarded-proto"), Some("http"));
}

#[test]
fn names_that_an_app_could_confuse_are_dropped() {
    let origin = echo();
    let larder = Larder::in_front_of(origin.address, &[]);
    larder.get_with("/", &[("X_Forwarded_For", "6.6.6.6"), ("Content_Length", "5"), ("X-A", "1")]);
    let seen = origin.last();
    assert!(seen.fields.iter().all(|(name, _)| !name.contains('_')), "{seen:?}");
    assert_eq!(seen.field("x-a"), Some("1"));
}

#[test]
fn the_host_that_the_app_sees_can_be_fixed() {
    let origin = echo();
    let env = [("LARDER_ORIGIN__HOST", "app.internal")];
    let larder = Larder::with_env(origin.address, &[], &env);
    for (method, body) in [("GET", ""), ("POST", "x")] {
        request(larder.proxy, method, "/", &[], body.as_bytes());
        assert_eq!(origin.last().field("host"), Some("app.internal"));
        assert_eq!(origin.last().field("x-forwarded-host"), Some("site.test"));
    }
    assert!(!larder.get_with("/", &[("Host", "other.test")]).is_hit());
}

#[test]
fn fields_of_one_hop_stay_on_it() {
    let origin = Origin::scripted(|_, stream| {
        let fields = [
            "Cache-Control: max-age=60",
            "Connection: keep-alive, X-Hop, Cache-Control",
            "Keep-Alive: timeout=5",
            "X-Hop: 1",
            "Proxy-Authenticate: Basic",
            "Upgrade: h2c",
            "X-End: 1",
        ];
        stream.write_all(reply(200, &fields, "page").as_bytes()).is_ok()
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    let mut client = Connection::open(larder.proxy);
    let lines = "Connection: keep-alive, X-Mine, Cookie, Host\r\nX-Mine: 1\r\nCookie: a=b\r\n\
                 Keep-Alive: 5\r\nProxy-Authorization: Basic x\r\nProxy-Connection: close\r\n\
                 TE: gzip\r\nX-Theirs: 1\r\n";
    for (number, method) in ["GET", "GET", "POST"].iter().enumerate() {
        client.send(format!("{method} / HTTP/1.1\r\nHost: site.test\r\n{lines}\r\n").as_bytes());
        let answer = client.answer(method).expect("an answer");
        for name in ["x-hop", "keep-alive", "proxy-authenticate", "upgrade", "connection"] {
            assert_eq!(answer.field(name), None, "{number} {name}");
        }
        assert_eq!(answer.field("x-end"), Some("1"));
        assert_eq!(answer.field("cache-control"), Some("max-age=60"));
        let seen = origin.last();
        for name in ["x-mine", "keep-alive", "proxy-authorization", "proxy-connection", "te"] {
            assert_eq!(seen.field(name), None, "{name}");
        }
        assert_eq!((seen.field("cookie"), seen.field("x-theirs")), (Some("a=b"), Some("1")));
        assert_eq!(seen.field("host"), Some("site.test"));
    }
}

#[test]
fn repeated_fields_and_odd_bytes_survive() {
    let origin = Origin::scripted(|_, stream| {
        let text = b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nLink: <a>\r\nLink: <b>\r\n\
                     X-Latin: caf\xe9\r\nContent-Length: 4\r\n\r\npage";
        stream.write_all(text).is_ok()
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    for _ in 0..2 {
        let answer = larder.get_with("/?q=a%20b&c=%C3%A9+/;:@'()", &[("X-A", "1"), ("X-A", "2")]);
        assert_eq!(answer.all("link"), ["<a>", "<b>"]);
        assert_eq!(answer.field("x-latin"), Some("caf\u{fffd}"));
    }
    let seen = origin.last();
    assert_eq!(seen.target, "/?q=a%20b&c=%C3%A9+/;:@'()");
    let values: Vec<&str> =
        seen.fields.iter().filter(|(name, _)| name == "x-a").map(|(_, v)| v.as_str()).collect();
    assert_eq!(values, ["1", "2"]);
    assert_eq!(origin.count(), 1);
}

#[test]
fn every_answer_says_what_was_done_and_by_whom() {
    let origin = echo();
    let larder = Larder::in_front_of(origin.address, &[]);
    for (method, path, said) in [
        ("GET", "/", "larder; fwd=uri-miss; stored"),
        ("HEAD", "/x", "larder; fwd=uri-miss; detail=head"),
        ("POST", "/x", "larder; fwd=method"),
        ("TRACE", "/", "larder"),
        ("PURGE", "/x", "larder"),
    ] {
        let answer = request(larder.proxy, method, path, &[], b"");
        assert_eq!(answer.all("cache-status"), [said], "{method}");
        assert_eq!(answer.all("via"), ["1.1 larder"], "{method}");
    }
    let hit = larder.get("/");
    assert!(["larder; hit; ttl=60", "larder; hit; ttl=59"].contains(&hit.cache_status()));
}

#[test]
fn options_about_the_server_itself_goes_through() {
    let origin = echo();
    let larder = Larder::in_front_of(origin.address, &[]);
    let answer = request(larder.proxy, "OPTIONS", "*", &[], b"");
    assert_eq!(answer.status, 200);
    assert_eq!((origin.last().method.as_str(), origin.last().target.as_str()), ("OPTIONS", "*"));
}
