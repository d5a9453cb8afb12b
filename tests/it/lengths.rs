//! What an application says of how long its answers are (RFC 9110 section 8.6, RFC 9112
//! section 6.3): a client is told one number, or nothing.

use crate::harness::{Connection, Larder, Origin, Response, request};
use std::io::Write;

const MOST: &str = "9223372036854775807";

/// What is written, and what a client is told of it, whatever the method.
const TOLD: [(&str, Option<&str>); 19] = [
    ("4", Some("4")),
    ("04", Some("4")),
    ("4, 4", Some("4")),
    ("4 ,\t4,004", Some("4")),
    ("4\r\nContent-Length: 4", Some("4")),
    ("4,4\r\nContent-Length: 04\r\nContent-Length: 4", Some("4")),
    ("4x", None),
    ("-1", None),
    ("+4", None),
    ("", None),
    (",", None),
    ("4,", None),
    ("4, 5", None),
    ("4\r\nContent-Length: 5", None),
    ("4\r\nContent-Length:", None),
    ("4\u{b2}", None),
    ("9223372036854775808", None),
    ("18446744073709551612", None),
    ("18446744073709551620", None),
];

/// An origin that writes the lengths at `/0`, `/1` and so on, and behind them the largest.
fn writing() -> Origin {
    Origin::scripted(move |seen, stream| {
        let length = TOLD.get(number(&seen.target)).map_or(MOST, |(length, _)| length);
        let (status, body) = match seen.method.as_str() {
            _ if seen.field("if-none-match").is_some() => ("304 Not Modified", ""),
            "HEAD" => ("200 OK", ""),
            _ => ("200 OK", "page"),
        };
        let head = format!("HTTP/1.1 {status}\r\nCache-Control: max-age=60\r\nETag: \"a\"");
        let text = format!("{head}\r\nContent-Length: {length}\r\n\r\n{body}");
        stream.write_all(text.as_bytes()).is_ok()
    })
}

fn number(target: &str) -> usize {
    target[1..].parse().expect("a number")
}

/// What an answer tells: its status, its length if it is the app's, and why it isn't.
fn told(answer: &Response) -> (u16, Option<String>, bool) {
    let broken = answer.cache_status().ends_with("; detail=broken-response");
    let length = (!broken).then(|| answer.all("content-length").join(" and "));
    (answer.status, length, broken)
}

#[test]
fn one_length_is_told_to_everybody_however_the_app_has_written_it() {
    let origin = writing();
    let env = [("LARDER_THREADS", "1"), ("LARDER_ORIGIN__EJECT_AFTER", "0")];
    let larder = Larder::with_env(origin.address, &[], &env);
    let condition = [("If-None-Match", "\"a\"")];
    for (number, (written, length)) in TOLD.into_iter().enumerate() {
        let path = format!("/{number}");
        let expected = |status: u16| match length {
            Some(length) => (status, Some(length.to_string()), false),
            None => (502, None, true),
        };
        // Nothing is stored before the first GET.
        let asked = [("HEAD", &[][..], 200), ("HEAD", &condition, 304), ("PUT", &[], 200)];
        for (method, fields, status) in asked {
            let answer = request(larder.proxy, method, &path, fields, b"");
            assert_eq!(told(&answer), expected(status), "{method} of {written:?}");
        }
        for hit in [false, true] {
            let answer = larder.get(&path);
            assert_eq!(told(&answer), expected(200), "GET of {written:?}");
            assert_eq!(answer.is_hit(), hit && length.is_some(), "GET of {written:?}");
            assert!(length.is_none() || answer.text() == "page", "GET of {written:?}");
        }
    }
    let most = request(larder.proxy, "HEAD", &format!("/{}", TOLD.len()), &[], b"");
    assert_eq!(most.all("content-length"), [MOST]);
    assert_eq!(larder.stat("/memory/targets"), 6);
    // A connection on which a length could not be read is not used again, nor one on which
    // a body may follow a HEAD; all others are.
    for pair in origin.seen().windows(2) {
        let is_read = TOLD[number(&pair[0].target)].1.is_some();
        let is_kept = pair[0].connection == pair[1].connection;
        let may_be_kept = is_read && pair[0].method != "HEAD";
        assert_eq!(is_kept, may_be_kept, "{} {}", pair[0].method, pair[0].target);
    }
}

#[test]
fn a_head_with_two_lengths_is_answered_on_a_connection_that_goes_on() {
    let origin = Origin::scripted(|seen, stream| {
        let other = if seen.target == "/same" { 4 } else { 5 };
        let text =
            format!("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: {other}\r\n\r\n");
        stream.write_all(text.as_bytes()).is_ok()
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    let mut client = Connection::open(larder.proxy);
    for (path, status, lengths) in [("/same", 200, Some("4")), ("/two", 502, None)] {
        for _ in 0..2 {
            client.send(format!("HEAD {path} HTTP/1.1\r\nHost: site.test\r\n\r\n").as_bytes());
            let answer = client.answer("HEAD").expect("an answer");
            assert_eq!(answer.status, status, "{path}");
            assert_eq!(answer.all("content-length").len(), 1, "{path}");
            assert!(lengths.is_none_or(|length| answer.field("content-length") == Some(length)));
        }
    }
}

#[test]
fn who_may_mean_that_a_body_follows_is_not_asked_on_that_connection_again() {
    // Where none does, by the method or the status; whether its connection is used again.
    // A body that comes late would be the answer to the next request.
    let cases = [
        ("PUT", "204 No Content\r\nX: y", true),
        ("PUT", "204 No Content\r\nContent-Length: 0", true),
        ("PUT", "204 No Content\r\nContent-Length: 6", false),
        ("PUT", "204 No Content\r\nContent-Length: 0\r\nContent-Length: 6", false),
        ("PUT", "204 No Content\r\nTransfer-Encoding: chunked", false),
        ("PUT", "304 Not Modified\r\nX: y", true),
        ("PUT", "304 Not Modified\r\nContent-Length: 0", true),
        ("PUT", "304 Not Modified\r\nContent-Length: 6", false),
        ("PUT", "304 Not Modified\r\nTransfer-Encoding: chunked", false),
        ("HEAD", "200 OK\r\nContent-Length: 0", true),
        ("HEAD", "200 OK\r\nContent-Length: 6", false),
        ("HEAD", "200 OK\r\nTransfer-Encoding: chunked", false),
        ("HEAD", "200 OK\r\nX: y", false),
        ("HEAD", "304 Not Modified\r\nX: y", false),
    ];
    let origin = Origin::scripted(move |seen, stream| {
        let (_, head, _) = cases[number(&seen.target)];
        stream.write_all(format!("HTTP/1.1 {head}\r\nETag: \"a\"\r\n\r\n").as_bytes()).is_ok()
    });
    let larder = Larder::with_env(origin.address, &[], &[("LARDER_THREADS", "1")]);
    let condition = [("If-None-Match", "\"a\"")];
    for (at, (method, head, is_kept)) in cases.into_iter().enumerate() {
        for _ in 0..2 {
            let answer = request(larder.proxy, method, &format!("/{at}"), &condition, b"");
            assert_eq!(answer.status.to_string(), head[..3], "{method} {head:?}");
            assert_eq!(answer.field("content-length").filter(|_| answer.status == 204), None);
            assert_eq!(answer.field("transfer-encoding"), None, "{method} {head:?}");
        }
        let used: Vec<usize> = origin.seen().iter().rev().take(2).map(|s| s.connection).collect();
        assert_eq!(used[0] == used[1], is_kept, "{method} {head:?}");
    }
}

#[test]
fn an_app_cannot_have_dropped_what_caching_rests_on() {
    let named = ["Set-Cookie: a=b", "Vary: *", "Cache-Control: private", "Content-Length: 4"];
    let origin = Origin::scripted(move |seen, stream| {
        let field = named[seen.target[1..].parse::<usize>().expect("a number")];
        let (name, _) = field.split_once(':').expect("a field");
        let length = if name == "Content-Length" { "" } else { "Content-Length: 4\r\n" };
        let head = format!("HTTP/1.1 200 OK\r\nConnection: {name}\r\n{field}\r\n{length}");
        let mut fields = String::from("X: y\r\n");
        if name != "Cache-Control" {
            fields = String::from("Cache-Control: max-age=60\r\n");
        }
        stream.write_all(format!("{head}{fields}\r\npage").as_bytes()).is_ok()
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    for (number, field) in named.into_iter().enumerate() {
        let path = format!("/{number}");
        let (name, value) = field.split_once(": ").expect("a field");
        for again in [false, true] {
            let answer = larder.get(&path);
            assert_eq!(answer.field(&name.to_ascii_lowercase()), Some(value), "{answer:?}");
            let stored = name == "Content-Length";
            assert_eq!(answer.is_hit(), again && stored, "{field}: {answer:?}");
        }
    }
}
