//! Interim responses (1xx, RFC 9110 section 15.2): handed on while the answer is
//! still to come, in order, to whom they are for.

use crate::harness::{
    Connection, Gate, Larder, Origin, Response, read_head, reply, request, wait_until,
};
use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

const CACHED: &[&str] = &["Cache-Control: max-age=60"];
const UNSTORED: &[&str] = &["Cache-Control: no-store"];
const HINTS: &str = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nX-Hint: 1\r\n\r\n";

fn say(stream: &mut TcpStream, text: &str) -> bool {
    stream.write_all(text.as_bytes()).is_ok()
}

fn hint(number: usize) -> String {
    format!("HTTP/1.1 103 Early Hints\r\nX-Hint: {number}\r\n\r\n")
}

/// All heads up to that of the answer; its body is read.
fn heads(client: &mut Connection) -> Vec<Response> {
    let mut heads = Vec::new();
    loop {
        let head = client.head().expect("a head");
        let last = head.status >= 200;
        if last {
            let length = head.field("content-length").unwrap_or("0");
            client.read_exact(length.parse().expect("a length"));
        }
        heads.push(head);
        if last {
            return heads;
        }
    }
}

fn statuses(client: &mut Connection) -> Vec<u16> {
    heads(client).iter().map(|head| head.status).collect()
}

fn hints_of(heads: &[Response]) -> Vec<&str> {
    heads.iter().filter_map(|head| head.field("x-hint")).collect()
}

#[test]
fn a_hint_comes_before_the_answer_is_there_and_only_to_whom_it_is_for() {
    let gate = Gate::closed();
    let waits = gate.clone();
    let origin = Origin::scripted(move |_, stream| {
        assert!(say(stream, HINTS));
        waits.pass();
        say(stream, &reply(200, CACHED, "page"))
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    let mut client = Connection::open(larder.proxy);
    client.ask("/", "");
    let hint = client.head().expect("a head");
    assert_eq!(hint.status, 103);
    let expected = [("link", "</a.css>; rel=preload"), ("x-hint", "1"), ("via", "1.1 larder")];
    let fields: Vec<(&str, &str)> =
        hint.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(fields, expected);
    gate.open();
    let answer = client.head().expect("a head");
    assert_eq!((answer.status, answer.field("x-hint")), (200, None));
    client.read_exact("page".len());
    // A hit has none, and nothing of it.
    client.ask("/", "");
    let hit = client.head().expect("a head");
    assert_eq!((hit.status, hit.is_hit(), hit.field("x-hint")), (200, true, None));
    client.read_exact("page".len());
    assert_eq!(origin.count(), 1);
}

#[test]
fn all_that_come_with_the_answer_in_one_piece_go_before_it_in_order() {
    let origin = Origin::scripted(|seen, stream| {
        let fields = if seen.target == "/stored" { CACHED } else { UNSTORED };
        let unknown = "HTTP/1.1 142 Odd\r\nX-Hint: odd\r\n\r\n";
        let processing = "HTTP/1.1 102 Processing\r\n\r\n";
        let answer = reply(200, fields, "page");
        say(stream, &[&hint(1), processing, &hint(2), unknown, &answer].concat())
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    let mut client = Connection::open(larder.proxy);
    for ask in [
        "GET /stored HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /not-stored HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /part HTTP/1.1\r\nHost: x\r\nRange: bytes=0-1\r\n\r\n",
        "POST /form HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na=b",
        "DELETE /page HTTP/1.1\r\nHost: x\r\n\r\n",
    ] {
        client.send(ask.as_bytes());
        let heads = heads(&mut client);
        let statuses: Vec<u16> = heads.iter().map(|head| head.status).collect();
        assert_eq!(statuses, [103, 102, 103, 142, 200], "{ask}");
        assert_eq!(hints_of(&heads), ["1", "2", "odd"], "{ask}");
    }
    client.send(b"HEAD /cold HTTP/1.1\r\nHost: x\r\n\r\n");
    let statuses: Vec<u16> = (0..5).map(|_| client.head().expect("a head").status).collect();
    assert_eq!(statuses, [103, 102, 103, 142, 200]);
}

#[test]
fn a_client_of_http_1_0_gets_none() {
    let origin =
        Origin::scripted(|_, stream| say(stream, &[HINTS, &reply(200, CACHED, "")].concat()));
    let larder = Larder::in_front_of(origin.address, &[]);
    for head in ["GET / HTTP/1.0", "POST / HTTP/1.0"] {
        let mut client = Connection::open(larder.proxy);
        client.send(format!("{head}\r\nHost: x\r\n\r\n").as_bytes());
        assert_eq!(client.head().expect("a head").status, 200, "{head}");
    }
    assert_eq!(origin.count(), 2);
}

#[test]
fn continue_is_between_larder_and_each_side() {
    let origin = Origin::scripted(|_, stream| {
        let go_on = "HTTP/1.1 100 Continue\r\nX-Hint: unasked\r\n\r\n";
        say(stream, &[go_on, &hint(1), &reply(200, UNSTORED, "")].concat())
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    let mut client = Connection::open(larder.proxy);
    client.ask("/", "");
    assert_eq!(statuses(&mut client), [103, 200]);
    // Who asks for it has it once, from larder.
    client.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n");
    assert_eq!(client.head().expect("a head").fields, []);
    client.send(b"x");
    assert_eq!(statuses(&mut client), [103, 200]);
}

#[test]
fn what_is_for_one_hop_or_about_content_is_taken_off() {
    let origin = Origin::scripted(|_, stream| {
        let hint = "HTTP/1.1 103 Early Hints\r\nConnection: X-Hop, close\r\nX-Hop: 1\r\n\
            Keep-Alive: timeout=5\r\nUpgrade: x\r\nContent-Length: 5\r\nVia: 1.0 inner\r\n\
            Transfer-Encoding: chunked\r\nX-Hint: 1\r\nX-Hint: 2\r\n\r\n";
        say(stream, &[hint, &reply(200, UNSTORED, "page")].concat())
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    let mut client = Connection::open(larder.proxy);
    client.ask("/", "");
    let hint = client.head().expect("a head");
    let mut names: Vec<&str> = hint.fields.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["via", "via", "x-hint", "x-hint"]);
    assert_eq!(hint.all("via"), ["1.0 inner", "1.1 larder"]);
    assert_eq!(statuses(&mut client), [200]);
    client.ask("/", "");
    assert_eq!(statuses(&mut client), [103, 200], "the connection goes on");
}

#[test]
fn what_is_for_caches_reaches_nobody_before_an_answer_nor_behind_it() {
    let origin = Origin::scripted(|seen, stream| {
        let cached = if seen.target == "/stored" { CACHED[0] } else { UNSTORED[0] };
        let own = "Cache-Tag: a\r\nSurrogate-Key: a\r\nX-LiteSpeed-Purge: tag=a\r\n\
            Surrogate-Control: max-age=9\r\nCache-Groups: \"a\"\r\nX-Kept: 1\r\n";
        let hint = format!("HTTP/1.1 103 Early Hints\r\n{own}\r\n");
        let head = format!(
            "HTTP/1.1 200 OK\r\n{cached}\r\nTransfer-Encoding: chunked\r\nTrailer: Cache-Tag, \
             Surrogate-Key, X-LiteSpeed-Purge, Surrogate-Control, Larder-Fill, Cache-Groups, X-Kept\r\n\r\n"
        );
        say(stream, &format!("{hint}{head}2\r\nhi\r\n0\r\nLarder-Fill: x\r\n{own}\r\n"))
    });
    let env = [("LARDER_CACHE__TARGETED_FIELDS", "Surrogate-Control")];
    let larder = Larder::with_env(origin.address, &[], &env);
    for path in ["/stored", "/not-stored"] {
        let mut client = Connection::open(larder.proxy);
        client.ask(path, "TE: trailers\r\nConnection: te\r\n");
        let hint = client.head().expect("a head");
        let answer = client.answer("GET").expect("an answer");
        assert_eq!((hint.status, answer.status, answer.text().as_str()), (103, 200, "hi"));
        for fields in [&hint.fields, &answer.trailers] {
            let mut names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
            names.retain(|name| *name != "via");
            names.sort_unstable();
            assert_eq!(names, ["cache-groups", "x-kept"], "{path}");
        }
    }
}

#[test]
fn there_is_a_limit_and_the_answer_comes_all_the_same() {
    let origin = Origin::scripted(|seen, stream| {
        let long = format!("HTTP/1.1 103 Early Hints\r\nX-Hint: {}\r\n\r\n", "x".repeat(30_000));
        let hints = if seen.target == "/many" { hint(1).repeat(1000) } else { long.repeat(5) };
        say(stream, &[&hints, &reply(200, CACHED, "page")[..]].concat())
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    let mut client = Connection::open(larder.proxy);
    for (path, told) in [("/many", larder::interim::MOST), ("/long", 2)] {
        client.ask(path, "");
        assert_eq!(statuses(&mut client), [vec![103; told], vec![200]].concat(), "{path}");
    }
}

#[test]
fn pipelined_requests_each_have_their_own() {
    let origin = Origin::scripted(|seen, stream| {
        let hint = format!("HTTP/1.1 103 Early Hints\r\nX-Hint: {}\r\n\r\n", seen.target);
        let answer = format!("X-Answer: {}", seen.target);
        say(stream, &[hint, reply(200, &[CACHED[0], &answer], &"x".repeat(100_000))].concat())
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    for _ in 0..20 {
        let mut client = Connection::open(larder.proxy);
        let paths = ["/a", "/b", "/a", "/c", "/b", "/d"];
        for path in paths {
            client.ask(path, "");
        }
        for path in paths {
            let heads = heads(&mut client);
            let (answer, before) = heads.split_last().expect("an answer");
            assert_eq!(answer.field("x-answer"), Some(path));
            let expected = if answer.is_hit() { vec![] } else { vec![path] };
            assert_eq!(hints_of(before), expected);
        }
        assert_eq!(larder.purge("{\"all\": true}").status, 200);
    }
}

#[test]
fn a_client_that_reads_nothing_holds_no_fetch_up_and_finds_all_in_order() {
    let origin = Origin::scripted(|_, stream| {
        let hint = format!("HTTP/1.1 103 Early Hints\r\nX-Hint: {}\r\n\r\n", "x".repeat(4000));
        say(
            stream,
            &[&hint.repeat(larder::interim::MOST), &reply(200, CACHED, "page")[..]].concat(),
        )
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    let mut client = Connection::open(larder.proxy);
    client.ask("/", "");
    wait_until("it is asked for", || origin.count() == 1);
    wait_until("it is stored", || larder.get("/").is_hit());
    assert_eq!(origin.count(), 1);
    assert_eq!(statuses(&mut client), [vec![103; larder::interim::MOST], vec![200]].concat());
}

#[test]
fn hints_before_a_304_go_to_the_client_and_not_into_the_store() {
    let origin = Origin::scripted(|seen, stream| {
        let fields = ["Cache-Control: no-cache", "ETag: \"a\""];
        let answer = match seen.field("if-none-match") {
            Some(_) => reply(304, &fields, ""),
            None => reply(200, &fields, "page"),
        };
        let hints = "HTTP/1.1 103 Early Hints\r\nX-Hint: 1\r\nCache-Control: no-store\r\n\
            ETag: \"b\"\r\n\r\n";
        say(stream, &[hints, &answer].concat())
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    let mut client = Connection::open(larder.proxy);
    for status in ["fwd=uri-miss; stored", "fwd=stale; fwd-status=304; stored"] {
        client.ask("/", "");
        let heads = heads(&mut client);
        assert_eq!(hints_of(&heads), ["1"]);
        let answer = &heads[1];
        assert_eq!(answer.cache_status(), format!("larder; {status}"));
        assert_eq!(answer.all("etag"), ["\"a\""]);
        assert_eq!(answer.all("cache-control"), ["no-cache"]);
    }
}

#[test]
fn who_follows_another_ones_fetch_or_is_given_a_stale_page_is_told_nothing() {
    let gate = Gate::closed();
    let waits = gate.clone();
    let origin = Origin::scripted(move |seen, stream| {
        if seen.target == "/followed" {
            assert!(say(stream, HINTS));
            waits.pass();
            return say(stream, &reply(200, CACHED, "page"));
        }
        let fields = ["Cache-Control: max-age=0, stale-while-revalidate=60"];
        say(stream, &[HINTS, &reply(200, &fields, "page")].concat())
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    let mut leader = Connection::open(larder.proxy);
    leader.ask("/followed", "");
    assert_eq!(leader.head().expect("a head").status, 103);
    let mut follower = Connection::open(larder.proxy);
    follower.ask("/followed", "");
    gate.open();
    assert_eq!(statuses(&mut follower), [200]);
    assert_eq!(statuses(&mut leader), [200]);
    assert_eq!(origin.count(), 1);

    let mut client = Connection::open(larder.proxy);
    client.ask("/stale", "");
    assert_eq!(statuses(&mut client), [103, 200]);
    client.ask("/stale", "");
    assert_eq!(statuses(&mut client), [200]);
    wait_until("it is validated behind", || origin.asked_for("/stale") == 2);
    client.ask("/other", "");
    assert_eq!(statuses(&mut client), [103, 200], "its own, and no other");
}

#[test]
fn a_client_that_has_gone_spoils_nothing() {
    let (gate, left) = (Gate::closed(), Gate::closed());
    let (tells, waits) = (gate.clone(), left.clone());
    let origin = Origin::scripted(move |seen, stream| {
        if seen.target == "/left" {
            assert!(say(stream, HINTS));
            tells.open();
            waits.pass();
        }
        say(stream, &[HINTS, &reply(200, CACHED, "page")].concat())
    });
    let larder = Larder::with_env(origin.address, &[], &[("LARDER_THREADS", "1")]);
    let mut client = Connection::open(larder.proxy);
    client.ask("/left", "");
    gate.pass();
    drop(client);
    left.open();
    wait_until("the page is stored", || larder.get("/left").is_hit());
    assert_eq!(origin.asked_for("/left"), 1);
    assert_eq!(request(larder.proxy, "POST", "/form", &[], b"a=b").status, 200);
}

#[test]
fn an_answer_that_is_larders_own_ends_the_turn_of_the_origin() {
    // The origin hints again and again and never answers; 504 ends it.
    let origin = Origin::scripted(|seen, stream| match seen.target.as_str() {
        "/late" => {
            while say(stream, &hint(0)) {
                std::thread::sleep(Duration::from_millis(1));
            }
            false
        }
        _ => say(stream, &[&hint(1), &reply(200, UNSTORED, "page")[..]].concat()),
    });
    let env = [("LARDER_THREADS", "1"), ("LARDER_ORIGIN__FIRST_BYTE_TIMEOUT", "300ms")];
    let larder = Larder::with_env(origin.address, &[], &env);
    let mut client = Connection::open(larder.proxy);
    for _ in 0..3 {
        client.ask("/late", "");
        let all = heads(&mut client);
        assert_eq!(all.last().expect("an answer").status, 504);
        client.ask("/", "");
        assert_eq!(hints_of(&heads(&mut client)), ["1"]);
    }
}

#[test]
fn a_hint_may_come_while_the_request_is_still_being_sent() {
    let origin = Origin::raw(|_, stream| {
        let mut reader = BufReader::new(stream);
        read_head(&mut reader).expect("a request");
        assert!(say(reader.get_mut(), HINTS));
        let mut body = [0; 4];
        reader.read_exact(&mut body).expect("the body");
        let body = String::from_utf8_lossy(&body).into_owned();
        assert!(say(reader.get_mut(), &reply(200, UNSTORED, &body)));
    });
    let env = [("LARDER_LIMITS__REQUEST_AHEAD", "0")];
    let larder = Larder::with_env(origin.address, &[], &env);
    let mut client = Connection::open(larder.proxy);
    client.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab");
    assert_eq!(client.head().expect("a head").status, 103);
    client.send(b"cd");
    assert_eq!(client.answer("POST").expect("an answer").text(), "abcd");
}

#[test]
fn a_request_that_is_sent_again_is_hinted_too() {
    let origin = Origin::scripted(|seen, stream| {
        // The first connection is dead when it is used again.
        if seen.target == "/again" && seen.connection == 0 {
            return false;
        }
        say(stream, &[HINTS, &reply(200, UNSTORED, "")].concat())
    });
    let larder = Larder::with_env(origin.address, &[], &[("LARDER_THREADS", "1")]);
    let mut client = Connection::open(larder.proxy);
    for path in ["/", "/again"] {
        client.ask(path, "");
        assert_eq!(statuses(&mut client), [103, 200], "{path}");
    }
    assert_eq!(origin.asked_for("/again"), 2);
}

#[test]
fn a_websocket_is_hinted_before_it_is_one() {
    let origin = Origin::raw(|_, stream| {
        let mut reader = BufReader::new(stream);
        read_head(&mut reader).expect("a request");
        let agreed = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
            Connection: Upgrade\r\n\r\nhello";
        assert!(say(reader.get_mut(), &[HINTS, agreed, HINTS].concat()));
        let _ = reader.read(&mut [0]);
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    let mut client = Connection::open(larder.proxy);
    client.ask("/socket", "Connection: Upgrade\r\nUpgrade: websocket\r\n");
    for status in [103, 101] {
        assert_eq!(client.head().expect("a head").status, status);
    }
    let tunnel = ["hello", HINTS].concat();
    assert_eq!(client.read_exact(tunnel.len()), tunnel.as_bytes(), "byte for byte");
}
