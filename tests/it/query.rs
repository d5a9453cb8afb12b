//! QUERY (RFC 10008): its answers are stored by its content.

use crate::harness::{
    Connection, Gate, Larder, Origin, Response, Seen, get, reply, request, together, wait_until,
};
use std::io::Write;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

const JSON: (&str, &str) = ("Content-Type", "application/json");
const FRESH: &[&str] = &["Cache-Control: max-age=60"];

/// Answers with what it was asked, and with how many answers it has given.
fn echoing(fields: &'static [&'static str]) -> Origin {
    let count = AtomicUsize::new(0);
    Origin::answering(move |seen| {
        let number = count.fetch_add(1, Ordering::SeqCst) + 1;
        reply(200, fields, &format!("{number} {}", asked(seen)))
    })
}

fn asked(seen: &Seen) -> String {
    format!("{} {}", seen.method, String::from_utf8_lossy(&seen.body))
}

fn query(at: SocketAddr, path: &str, fields: &[(&str, &str)], content: &str) -> Response {
    request(at, "QUERY", path, fields, content.as_bytes())
}

#[test]
fn the_same_content_is_a_hit_and_anything_else_is_not() {
    let origin = echoing(FRESH);
    let larder = Larder::in_front_of(origin.address, &[]);
    let first = query(larder.proxy, "/find", &[JSON], "{}");
    assert_eq!(first.cache_status(), "larder; fwd=uri-miss; stored");
    assert_eq!(first.text(), "1 QUERY {}");
    let seen = origin.last();
    assert_eq!(
        (seen.field("content-type"), seen.field("content-length")),
        (Some(JSON.1), Some("2"))
    );
    let again = query(larder.proxy, "/find", &[JSON, ("Accept", "text/html")], "{}");
    assert!(again.is_hit());
    assert_eq!(again.text(), "1 QUERY {}");
    for (path, fields, content) in [
        ("/find", &[JSON][..], "{ }"),
        ("/find", &[JSON], ""),
        ("/find", &[("Content-Type", "text/plain")], "{}"),
        ("/find", &[], "{}"),
        ("/find", &[JSON, ("Content-Encoding", "zip")], "{}"),
        ("/find?page=2", &[JSON], "{}"),
    ] {
        let other = query(larder.proxy, path, fields, content);
        assert!(
            !other.is_hit() && other.text().ends_with(&format!("QUERY {content}")),
            "{other:?}"
        );
        assert!(query(larder.proxy, path, fields, content).is_hit());
    }
    assert!(query(larder.proxy, "/find", &[JSON], "{}").is_hit(), "the first is there still");
}

#[test]
fn get_and_query_are_apart() {
    let origin = echoing(FRESH);
    let larder = Larder::in_front_of(origin.address, &[]);
    assert_eq!(query(larder.proxy, "/", &[], "").text(), "1 QUERY ");
    assert_eq!(larder.get("/").text(), "2 GET ");
    assert_eq!(query(larder.proxy, "/", &[], "").text(), "1 QUERY ");
    assert_eq!(larder.get("/").text(), "2 GET ");
    let head = request(larder.proxy, "HEAD", "/", &[], b"");
    assert_eq!((head.is_hit(), head.field("content-length")), (true, Some("6")));
}

#[test]
fn content_in_chunks_is_the_same_content() {
    let origin = echoing(FRESH);
    let larder = Larder::in_front_of(origin.address, &[]);
    query(larder.proxy, "/find", &[JSON], "{}");
    let mut client = Connection::open(larder.proxy);
    client.send(
        b"QUERY /find HTTP/1.1\r\nHost: site.test\r\nContent-Type: application/json\r\n\
          Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
    );
    assert!(client.answer("QUERY").expect("an answer").is_hit());
}

#[test]
fn purges_and_unsafe_methods_forget_it_and_queries_forget_nothing() {
    let origin = echoing(&["Cache-Control: max-age=60", "Cache-Tag: t", "Cache-Groups: \"g\""]);
    let larder = Larder::in_front_of(origin.address, &[]);
    let fill = || {
        query(larder.proxy, "/find", &[JSON], "{}");
        assert!(query(larder.proxy, "/find", &[JSON], "{}").is_hit());
    };
    for selector in [
        r#""urls":["http://site.test/find"]"#,
        r#""prefixes":["http://site.test/"]"#,
        r#""tags":["t"]"#,
        r#""all":true"#,
    ] {
        fill();
        let said = larder.purge(&format!("{{{selector}}}")).text();
        assert!(said.contains("\"purged\":1"), "{selector}: {said}");
        assert!(!query(larder.proxy, "/find", &[JSON], "{}").is_hit(), "{selector}");
    }
    for method in ["PURGE", "POST"] {
        fill();
        request(larder.proxy, method, "/find", &[], b"");
        assert!(!query(larder.proxy, "/find", &[JSON], "{}").is_hit(), "{method}");
    }
    larder.get("/find");
    query(larder.proxy, "/find", &[JSON], "something else");
    assert!(larder.get("/find").is_hit());
}

#[test]
fn only_a_lifetime_that_is_stated_counts_and_a_visitor_s_answer_is_theirs() {
    for (fields, stored) in [
        (&["ETag: \"1\""][..], false),
        (&["Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT"], false),
        (&["Cache-Control: max-age=60, private"], false),
        (&["Cache-Control: max-age=60", "Set-Cookie: a=b"], false),
        (&["Expires: Fri, 06 Nov 2093 08:49:37 GMT"], true),
    ] {
        let origin = echoing(fields);
        let larder = Larder::in_front_of(origin.address, &["--default-ttl", "60s"]);
        query(larder.proxy, "/find", &[JSON], "{}");
        let again = query(larder.proxy, "/find", &[JSON], "{}");
        assert_eq!(again.is_hit(), stored, "{fields:?}");
    }
    let origin = echoing(FRESH);
    let larder = Larder::in_front_of(origin.address, &[]);
    let mine = query(larder.proxy, "/find", &[JSON, ("Authorization", "Bearer x")], "{}");
    assert_eq!(mine.cache_status(), "larder; fwd=uri-miss; detail=authorization");
}

#[test]
fn what_is_too_large_is_passed_whole() {
    let origin = Origin::answering(|seen| {
        let length = seen.body.len();
        assert!(seen.complete && seen.body.iter().all(|byte| *byte == b'x'));
        reply(200, FRESH, &length.to_string())
    });
    let larder = Larder::with_env(origin.address, &[], &[("LARDER_LIMITS__QUERY", "1000")]);
    for (length, stored) in [(1000, true), (1001, false), (1_000_000, false)] {
        let content = "x".repeat(length);
        let told = query(larder.proxy, "/find", &[JSON], &content);
        assert_eq!(told.text(), length.to_string());
        let passed = "larder; fwd=bypass; detail=query-size";
        assert_eq!(told.cache_status() == passed, !stored, "{}", told.cache_status());
        assert_eq!(query(larder.proxy, "/find", &[JSON], &content).is_hit(), stored);

        // In chunks, its length is known when it is too late.
        let mut client = Connection::open(larder.proxy);
        client
            .send(b"QUERY /find HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\n\r\n");
        for part in content.as_bytes().chunks(600) {
            client.send(format!("{:x}\r\n", part.len()).as_bytes());
            client.send(part);
            client.send(b"\r\n");
        }
        client.send(b"0\r\n\r\n");
        let chunked = client.answer("QUERY").expect("an answer");
        assert_eq!(chunked.text(), length.to_string());
        assert_eq!(chunked.cache_status() == passed, !stored, "{}", chunked.cache_status());
    }
}

#[test]
fn content_that_breaks_off_is_no_content() {
    let origin = echoing(FRESH);
    let larder = Larder::in_front_of(origin.address, &[]);
    let mut client = Connection::open(larder.proxy);
    client.send(b"QUERY /find HTTP/1.1\r\nHost: site.test\r\nContent-Length: 9\r\n\r\nhalf");
    client.stream().shutdown(std::net::Shutdown::Write).expect("it ends");
    if let Some(answer) = client.answer("QUERY") {
        assert_eq!(answer.status, 400);
    }
    assert_eq!(origin.count(), 0);
}

#[test]
fn a_client_s_conditions_are_answered_and_its_ranges_passed() {
    let origin = echoing(&["Cache-Control: max-age=60", "ETag: \"1\""]);
    let larder = Larder::in_front_of(origin.address, &[]);
    query(larder.proxy, "/find", &[JSON], "{}");
    let same = query(larder.proxy, "/find", &[JSON, ("If-None-Match", "\"1\"")], "{}");
    assert_eq!((same.status, same.is_hit()), (304, true));
    let part = query(larder.proxy, "/find", &[JSON, ("Range", "bytes=0-1")], "{}");
    assert_eq!(part.cache_status(), "larder; fwd=bypass; detail=range");
    assert_eq!((part.text().as_str(), origin.count()), ("2 QUERY {}", 2));
    let seen = origin.last();
    assert_eq!((seen.field("range"), seen.body.as_slice()), (Some("bytes=0-1"), &b"{}"[..]));
}

#[test]
fn a_stale_answer_is_validated_by_the_same_query() {
    let origin = Origin::answering(|seen| match seen.field("if-none-match") {
        Some("\"{}\"") => reply(304, &["ETag: \"{}\"", "Cache-Control: max-age=60"], ""),
        Some(other) => panic!("not ours: {other}"),
        None => {
            let etag = format!("ETag: \"{}\"", String::from_utf8_lossy(&seen.body));
            reply(200, &[&etag, "Cache-Control: max-age=0"], &asked(seen))
        }
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    query(larder.proxy, "/find", &[JSON], "{}");
    query(larder.proxy, "/find", &[JSON], "other");
    larder.get("/find");
    let validated = query(larder.proxy, "/find", &[JSON], "{}");
    assert_eq!(validated.cache_status(), "larder; fwd=stale; fwd-status=304; stored");
    assert_eq!(validated.text(), "QUERY {}");
    assert_eq!(asked(&origin.last()), "QUERY {}");
    assert!(query(larder.proxy, "/find", &[JSON], "{}").is_hit());
}

#[test]
fn a_stale_answer_is_given_while_the_query_is_repeated_behind() {
    let origin = echoing(&["Cache-Control: max-age=0, stale-while-revalidate=60"]);
    let larder = Larder::in_front_of(origin.address, &[]);
    query(larder.proxy, "/find", &[JSON], "{}");
    let stale = query(larder.proxy, "/find", &[JSON], "{}");
    assert!(stale.is_hit());
    assert_eq!(stale.text(), "1 QUERY {}");
    wait_until("the new one is stored", || {
        query(larder.proxy, "/find", &[JSON], "{}").text() != "1 QUERY {}"
    });
    assert!(origin.seen().iter().all(|seen| asked(seen) == "QUERY {}"));
}

#[test]
fn fifty_at_once_ask_once_and_other_queries_do_not_wait() {
    let (gate, there) = (Gate::closed(), Gate::closed());
    let (waits, told) = (gate.clone(), there.clone());
    let origin = Origin::answering(move |seen| {
        if seen.body == b"slow" {
            told.open();
            waits.pass();
        }
        reply(200, FRESH, &asked(seen))
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    let proxy = larder.proxy;
    let all = std::thread::spawn(move || together(50, move |_| query(proxy, "/find", &[], "slow")));
    there.pass();
    assert_eq!(query(proxy, "/find", &[], "quick").text(), "QUERY quick");
    assert_eq!(get(proxy, "/find", &[]).text(), "GET ");
    gate.open();
    for answer in all.join().expect("answers") {
        assert_eq!(answer.text(), "QUERY slow");
    }
    assert_eq!(origin.count(), 3);
}

#[test]
fn max_variants_bounds_the_queries_of_a_url() {
    let origin = echoing(FRESH);
    let larder = Larder::with_env(origin.address, &[], &[("LARDER_CACHE__MAX_VARIANTS", "3")]);
    for content in ["a", "b", "c", "d"] {
        query(larder.proxy, "/find", &[], content);
    }
    for (content, kept) in [("d", true), ("c", true), ("b", true), ("a", false)] {
        assert_eq!(query(larder.proxy, "/find", &[], content).is_hit(), kept, "{content}");
    }
}

#[test]
fn a_query_is_sent_once_more_where_a_kept_connection_dies() {
    let origin = Origin::scripted(|seen, stream| {
        let dies = seen.target == "/find" && seen.connection == 0;
        !dies && stream.write_all(reply(200, FRESH, &asked(seen)).as_bytes()).is_ok()
    });
    let larder = Larder::with_env(origin.address, &[], &[("LARDER_THREADS", "1")]);
    assert_eq!(larder.get("/first").status, 200);
    assert_eq!(query(larder.proxy, "/find", &[JSON], "{}").text(), "QUERY {}");
    assert_eq!(origin.asked_for("/find"), 2);
}
