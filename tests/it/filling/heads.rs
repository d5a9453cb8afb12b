//! What the head of a filled page says, to clients and to caches behind larder; conditions,
//! ranges and HEAD.

use super::{FILL, NONCE, answer, assert_filled_for, between, cookie, filling};
use super::{minted, of_a_page, page};
use crate::harness::{Connection, Larder, Origin, Response, date, reply, request};
use std::io::Write;

#[test]
fn no_cache_behind_larder_is_told_to_keep_it() {
    let origin = of_a_page(&[
        "Cache-Control: public, max-age=600, no-transform",
        "CDN-Cache-Control: max-age=600",
        "Cloudflare-CDN-Cache-Control: max-age=600",
        "Surrogate-Control: max-age=600",
        "Larder-Cache-Control: max-age=60",
        "X-Accel-Expires: 600",
        "Edge-Control: !no-store, max-age=1d",
        "X-VC-Enabled: true",
        "X-VC-TTL: 600",
        "Expires: Thu, 01 Jan 2099 00:00:00 GMT",
        "Pragma: cache",
        "No-Vary-Search: params",
        "Content-Digest: sha-256=:YQ==:",
        "Repr-Digest: sha-256=:YQ==:",
        "Vary: Accept, Larder-Fill, Accept-Language",
        "X-Kept: yes",
    ]);
    let larder = filling(&origin, &[]);
    for _ in 0..2 {
        let page = larder.get("/");
        assert_filled_for(&page, &minted(&page));
        assert_eq!(page.all("cache-control"), ["private, no-cache, no-transform"]);
        let names: Vec<&str> = page.fields.iter().map(|(name, _)| name.as_str()).collect();
        for gone in [
            "surrogate-control",
            "x-accel-expires",
            "edge-control",
            "x-vc-enabled",
            "x-vc-ttl",
            "pragma",
            "no-vary-search",
        ] {
            assert!(!names.contains(&gone), "{gone}");
        }
        assert!(!names.iter().any(|name| name.ends_with("-cache-control")), "{names:?}");
        assert!(!names.iter().any(|name| name.ends_with("digest")), "{names:?}");
        assert_eq!(page.field("vary"), Some("Accept, Accept-Language"));
        assert_eq!(page.field("x-kept"), Some("yes"));
    }
    assert_eq!(origin.count(), 1);
}

#[test]
fn a_larder_behind_larder_keeps_nothing_of_it() {
    let origin = of_a_page(&["Cache-Control: public, max-age=600"]);
    let inner = filling(&origin, &[]);
    let outer = filling(&Origin::somewhere(inner.proxy), &[]);
    for letter in ['a', 'b'] {
        let page = outer.get_with("/", &[("Cookie", &cookie(letter))]);
        let text = page.text();
        let token = between(&text, "value=\"", "\"");
        let secret = |text: &str| larder::semantics::csrf::Secret::read(text.as_bytes());
        assert_eq!(secret(token), secret(&letter.to_string().repeat(32)));
        assert!(page.cache_status().ends_with("detail=private"), "{}", page.cache_status());
    }
}

#[test]
fn no_condition_is_evaluated_for_a_page_that_is_filled() {
    let modified = "Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT";
    let origin = Origin::answering(move |seen| match seen.target.as_str() {
        "/no-store" => answer(&["Cache-Control: no-store", "ETag: \"a\"", modified]),
        _ => answer(&["Cache-Control: max-age=60", "ETag: \"a\"", modified]),
    });
    let larder = filling(&origin, &[]);
    let tomorrow = date(86400);
    for path in ["/no-store", "/"] {
        for (name, value) in [
            ("If-None-Match", "\"a\""),
            ("If-None-Match", "W/\"a\""),
            ("If-None-Match", "*"),
            ("If-Modified-Since", &*tomorrow),
        ] {
            for _ in 0..2 {
                let page = larder.get_with(path, &[(name, value), ("Cookie", &cookie('a'))]);
                assert_eq!(page.status, 200, "{path} {name}: {value}");
                assert_filled_for(&page, &cookie('a'));
                let hit = larder.get_with(path, &[(name, value), ("Cookie", &cookie('b'))]);
                assert_eq!(hit.status, 200);
                assert_filled_for(&hit, &cookie('b'));
            }
        }
    }
    assert_eq!(origin.asked_for("/"), 1);
}

/// An app that confirms whatever somebody has, with a policy for it.
fn confirming() -> Origin {
    let policy = format!("Content-Security-Policy: script-src 'nonce-{NONCE}'");
    Origin::scripted(move |seen, stream| {
        let private = seen.target.starts_with("/private");
        let cached = ["Cache-Control: max-age=60", "Cache-Control: private"][usize::from(private)];
        let fields = [&*policy, "ETag: \"a\"", cached];
        let conditions = ["if-none-match", "if-modified-since"];
        let mut text = match conditions.iter().any(|name| seen.field(name).is_some()) {
            true if seen.target == "/nonsense" => {
                reply(304, &[&["Larder-Fill: nonsense"], &fields[..]].concat(), "")
            }
            true => reply(304, &[&[FILL], &fields[..]].concat(), ""),
            false => answer(&fields),
        };
        if seen.method == "HEAD" {
            text.truncate(text.find("\r\n\r\n").expect("the end") + 4);
        }
        stream.write_all(text.as_bytes()).is_ok()
    })
}

/// The policy has a nonce of its own; the page's, if the answer has one.
#[track_caller]
fn assert_policy(answer: &Response) {
    let policy = answer.field("content-security-policy").expect("a policy");
    let nonce = between(policy, "'nonce-", "'");
    assert!(nonce.len() == 32 && nonce != NONCE, "{nonce}");
    assert!(answer.body.is_empty() || answer.text().contains(nonce), "{nonce}");
}

#[test]
fn what_the_app_confirms_of_a_filled_page_is_asked_for_whole() {
    let origin = confirming();
    let env = [
        ("LARDER_CACHE__BYPASS_COOKIES", "messages"),
        ("LARDER_CACHE__BYPASS_PATHS", "/passed/"),
        ("LARDER_LIMITS__QUERY", "8"),
    ];
    let larder = filling(&origin, &env);
    let (own, yesterday) = (cookie('a'), date(-86400));
    let bypassing = format!("messages=x; {own}");
    let (any, mine) = (("If-None-Match", "*"), ("Cookie", &*own));
    let long: &[u8] = b"larger than may be held";
    for (method, path, fields, body) in [
        ("GET", "/", vec![any, mine, ("If-Match", "*")], &b""[..]),
        ("GET", "/", vec![any, ("Cookie", &*bypassing)], b""),
        ("GET", "/", vec![any, mine, ("Range", "bytes=0-1,4-5")], b""),
        ("GET", "/passed/", vec![("If-Modified-Since", &*yesterday), mine], b""),
        ("GET", "/passed/", vec![any, mine, ("Range", "bytes=0-9")], b""),
        ("GET", "/", vec![any, mine], b"x"),
        ("QUERY", "/", vec![any, mine, ("Content-Type", "a/b")], long),
        ("GET", "/private", vec![mine], b""),
        ("GET", "/private", vec![any, mine], b""),
        ("GET", "/private", vec![("If-None-Match", "\"a\""), mine, ("Range", "bytes=0-9")], b""),
        ("HEAD", "/private", vec![any, mine], b""),
        ("HEAD", "/passed/", vec![any, mine], b""),
    ] {
        let page = request(larder.proxy, method, path, &fields, body);
        assert_eq!(page.status, 200, "{method} {path} {fields:?}");
        assert_policy(&page);
        match method {
            "HEAD" => assert!(page.cache_status().contains("; filled")),
            _ => drop(assert_filled_for(&page, &own)),
        }
        let last = origin.last();
        assert!(last.field("if-none-match").is_none() && last.field("range").is_none());
    }
    // The condition that does not ask what somebody has is left to the app.
    larder.get_with("/", &[any, ("If-Match", "\"b\"")]);
    assert_eq!(origin.last().field("if-match"), Some("\"b\""));
}

#[test]
fn no_placeholder_comes_with_an_answer_that_can_not_be_asked_for_again() {
    let origin = confirming();
    for more in [&[][..], &[("LARDER_SEMANTICS__STORE_POST", "false")]] {
        let larder = filling(&origin, more);
        let before = origin.count();
        let posted = request(larder.proxy, "POST", "/", &[("If-None-Match", "*")], b"a=b");
        assert_eq!(origin.count(), before + 1, "it is done once");
        assert_policy(&posted);
        let conditions = [("If-None-Match", "*"), ("If-Match", "*")];
        for (method, fields) in [("POST", &conditions[..1]), ("PUT", &conditions[..])] {
            let body = if method == "PUT" { &b"x"[..] } else { b"" };
            let answer = request(larder.proxy, method, "/nonsense", fields, body);
            assert_eq!(answer.status, 502);
            assert!(answer.cache_status().ends_with("detail=unfillable"));
        }
        // Asked for again it can be filled.
        let page = larder.get_with("/nonsense", &conditions);
        assert_filled_for(&page, &minted(&page));
    }
    // Where nothing is offered neither is shown.
    let larder = Larder::in_front_of(origin.address, &[]);
    for conditions in [&[("If-None-Match", "*"), ("If-Match", "*")][..], &[]] {
        assert_eq!(larder.get_with("/", conditions).status, 502);
    }
}

#[test]
fn a_websocket_bears_no_placeholder() {
    let origin = Origin::scripted(|_, stream| {
        let text = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             {FILL}\r\nContent-Security-Policy: script-src 'nonce-{NONCE}'\r\n\r\nhello"
        );
        stream.write_all(text.as_bytes()).is_ok()
    });
    let larder = filling(&origin, &[]);
    let mut client = Connection::open(larder.proxy);
    client.ask("/socket", "Connection: Upgrade\r\nUpgrade: websocket\r\n");
    let head = client.head().expect("a head");
    assert_eq!((head.status, head.field("upgrade")), (101, Some("websocket")));
    assert_policy(&head);
    assert_eq!(client.read_exact(5), b"hello");
}

#[test]
fn a_range_is_given_the_whole() {
    let origin = of_a_page(&["Cache-Control: max-age=60", "ETag: \"a\"", "Accept-Ranges: bytes"]);
    let larder = filling(&origin, &[]);
    for range in ["bytes=0-9", "bytes=30-", "bytes=0-1,5-6", "bytes=9999-", "bytes=-1"] {
        for fields in [&[("Range", range)][..], &[("Range", range), ("If-Range", "\"a\"")]] {
            let page = larder.get_with("/", fields);
            assert_eq!(page.status, 200, "{range}");
            assert_eq!(page.field("content-range"), None);
            assert_filled_for(&page, &minted(&page));
        }
    }
    assert!(larder.get("/").is_hit());
    assert!(larder.get_with("/", &[("Range", "bytes=0-9")]).is_hit());
}

#[test]
fn head_agrees_with_get() {
    let origin = Origin::scripted(|seen, stream| {
        let fields: &[&str] = match seen.target.as_str() {
            "/no-store" => &["Cache-Control: no-store", "ETag: \"a\"", "Vary: Larder-Fill"],
            _ => &["Cache-Control: max-age=60", "ETag: \"a\"", "Vary: Larder-Fill"],
        };
        let mut text = answer(fields);
        if seen.method == "HEAD" {
            text.truncate(text.find("\r\n\r\n").expect("the end") + 4);
        }
        stream.write_all(text.as_bytes()).is_ok()
    });
    let larder = filling(&origin, &[]);
    let fields = [("Cookie", &*cookie('a'))];
    for path in ["/no-store", "/", "/"] {
        let head = request(larder.proxy, "HEAD", path, &fields, b"");
        let get = larder.get_with(path, &fields);
        assert_filled_for(&get, &cookie('a'));
        assert_eq!((head.status, head.body.len()), (200, 0));
        assert!(head.cache_status().contains("; filled"), "{}", head.cache_status());
        let plain = |answer: &Response| {
            let changing = ["cache-status", "age", "date", "connection", "x-request-id"];
            let mut fields = answer.fields.clone();
            fields.retain(|(name, _)| !changing.contains(&name.as_str()));
            fields.sort();
            fields
        };
        assert_eq!(plain(&head), plain(&get), "{path}");
    }
    assert!(request(larder.proxy, "HEAD", "/", &fields, b"").is_hit());
}

#[test]
fn early_hints_that_bear_placeholders_are_not_handed_on() {
    let origin = Origin::scripted(|seen, stream| {
        let hint = match seen.target.as_str() {
            "/bearing" => format!("HTTP/1.1 103 Early Hints\r\n{FILL}\r\nLink: </a>\r\n\r\n"),
            "/link" => format!("HTTP/1.1 103 Early Hints\r\nLink: </a>; Nonce={NONCE}\r\n\r\n"),
            "/policy" => format!(
                "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\
                 Content-Security-Policy: script-src 'nonce-{NONCE}'\r\n\r\n"
            ),
            _ => "HTTP/1.1 103 Early Hints\r\nLink: </b>\r\n\r\n".to_string(),
        };
        let text = hint + &answer(&["Cache-Control: no-store"]);
        stream.write_all(text.as_bytes()).is_ok()
    });
    let larder = filling(&origin, &[]);
    for (path, status) in [("/bearing", 200), ("/link", 200), ("/policy", 200), ("/plain", 103)] {
        let mut client = Connection::open(larder.proxy);
        client.ask(path, &format!("Cookie: {}\r\n", cookie('a')));
        let head = client.head().expect("a head");
        assert_eq!(head.status, status, "{path}");
        let answer = match status {
            103 => client.answer("GET").expect("an answer"),
            _ => client.with_body("GET", head).expect("a body"),
        };
        assert_filled_for(&answer, &cookie('a'));
    }
    // Whose nonces are its own says them when it likes.
    let larder = filling(&origin, &[("LARDER_FORMS__NONCE", "false")]);
    for path in ["/link", "/policy"] {
        let mut client = Connection::open(larder.proxy);
        client.ask(path, "");
        assert_eq!(client.head().expect("a head").status, 103, "{path}");
    }
}

#[test]
fn trailers_are_about_what_was_there_before() {
    let origin = Origin::scripted(|_, stream| {
        let page = page();
        let text = format!(
            "HTTP/1.1 200 OK\r\n{FILL}\r\nCache-Control: max-age=60\r\nTrailer: Content-Digest\r\n\
             Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{page}\r\n0\r\nContent-Digest: x\r\n\r\n",
            page.len(),
        );
        stream.write_all(text.as_bytes()).is_ok()
    });
    let larder = filling(&origin, &[]);
    for _ in 0..2 {
        let mut client = Connection::open(larder.proxy);
        client.ask("/", "TE: trailers\r\nConnection: te\r\n");
        let page = client.answer("GET").expect("an answer");
        assert!(page.complete && page.trailers.is_empty(), "{:?}", page.trailers);
        assert_eq!(page.field("trailer"), None);
        assert_filled_for(&page, &minted(&page));
    }
}

#[test]
fn what_says_nothing_is_as_it_was() {
    let origin = Origin::answering(|_| {
        let fields = ["Cache-Control: max-age=60", "ETag: \"a\"", "Vary: Larder-Fill"];
        reply(200, &fields, &page())
    });
    let larder = filling(&origin, &[]);
    for _ in 0..2 {
        let page = larder.get("/");
        assert_eq!(page.text(), super::page(), "nobody said that these are placeholders");
        assert_eq!(page.field("cache-control"), Some("max-age=60"));
        assert_eq!((page.field("etag"), page.field("vary")), (Some("\"a\""), None));
        assert!(!page.cache_status().contains("filled"));
    }
    assert_eq!(larder.get_with("/", &[("If-None-Match", "\"a\"")]).status, 304);
    assert_eq!(larder.stat("/requests/filled"), 0);
}
