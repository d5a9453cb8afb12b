//! HTTP/1.1 and 1.0 in front, HTTP/1.1 behind: connections, framing, trailers,
//! expectations, HEAD.

use crate::harness::{
    Connection, Gate, Larder, Origin, get, read_head, reply, request, together, wait_until,
};
use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

const UNSTORED: &[&str] = &["Cache-Control: no-store"];

#[test]
fn connections_are_kept_alive_on_both_sides() {
    let origin = Origin::answering(|seen| reply(200, UNSTORED, &seen.target));
    let larder = Larder::with_env(origin.address, &[], &[("LARDER_THREADS", "1")]);
    let mut client = Connection::open(larder.proxy);
    for path in ["/one", "/two", "/three"] {
        client.ask(path, "");
        assert_eq!(client.answer("GET").expect("an answer").text(), path);
    }
    // Another client's request goes over the same connection to the origin.
    larder.get("/four");
    let connections: Vec<usize> = origin.seen().iter().map(|seen| seen.connection).collect();
    assert_eq!(connections, [0, 0, 0, 0]);
}

/// An app that takes what is behind a head for the next request, whatever the head says.
fn reads_no_body(_: usize, stream: TcpStream) {
    let mut reader = BufReader::new(stream);
    while let Some(seen) = read_head(&mut reader) {
        let answer =
            reply(200, &["Cache-Control: max-age=60"], &format!("this is {}", seen.target));
        if reader.get_mut().write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

#[test]
fn a_body_that_the_app_does_not_read_is_nobodys_request() {
    let origin = Origin::raw(reads_no_body);
    let larder = Larder::with_env(origin.address, &[], &[("LARDER_THREADS", "1")]);
    for method in ["GET", "DELETE", "OPTIONS", "SHOW"] {
        // Its last line goes on in the next request on the connection.
        let hidden = b"GET /hidden HTTP/1.1\r\nHost: site.test\r\nX: ";
        let fat = request(larder.proxy, method, "/fat", &[], hidden);
        assert_eq!(fat.text(), "this is /fat");
        let path = format!("/after/{method}");
        for _ in 0..2 {
            assert_eq!(larder.get(&path).text(), format!("this is {path}"));
        }
    }
}

#[test]
fn what_bears_an_odd_body_is_the_last_on_its_connection() {
    let origin = Origin::answering(|_| reply(200, UNSTORED, ""));
    let larder = Larder::with_env(origin.address, &[], &[("LARDER_THREADS", "1")]);
    for (method, body, is_last) in [
        ("GET", "x", true),
        ("HEAD", "x", true),
        ("DELETE", "x", true),
        ("OPTIONS", "x", true),
        ("SHOW", "x", true),
        ("DELETE", "", false),
        ("POST", "x", false),
        ("PUT", "x", false),
        ("PATCH", "x", false),
    ] {
        larder.get("/before");
        let trailers = [("Connection", "te"), ("TE", "trailers")];
        assert_eq!(request(larder.proxy, method, "/odd", &trailers, body.as_bytes()).status, 200);
        larder.get("/behind");
        let seen = origin.seen();
        let [.., odd, behind] = seen.as_slice() else { panic!("{seen:?}") };
        assert_eq!((&*odd.target, &*behind.target), ("/odd", "/behind"));
        assert_eq!(odd.connection != behind.connection, is_last, "{method} {body}");
        // By itself: waitress looks for it nowhere else.
        let says = [odd.field("connection"), odd.field("te")];
        let meant = if is_last { [Some("close"), None] } else { [Some("te"), Some("trailers")] };
        assert_eq!(says, meant, "{method} {body}");
    }
}

#[test]
fn requests_that_come_in_one_piece_are_answered_in_order() {
    let origin = Origin::answering(|seen| reply(200, UNSTORED, &seen.target));
    let larder = Larder::in_front_of(origin.address, &[]);
    let mut client = Connection::open(larder.proxy);
    client.send(
        b"GET /a HTTP/1.1\r\nHost: x\r\n\r\nPOST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc\
          GET /c HTTP/1.1\r\nHost: x\r\n\r\n",
    );
    for path in ["/a", "/b", "/c"] {
        assert_eq!(client.answer("GET").expect("an answer").text(), path);
    }
    assert_eq!(origin.seen()[1].body, b"abc");
}

#[test]
fn a_connection_that_the_origin_closes_is_not_used_again() {
    let origin = Origin::scripted(|_, stream| {
        let fields = ["Cache-Control: no-store", "Connection: close"];
        stream.write_all(reply(200, &fields, "last").as_bytes()).expect("written");
        false
    });
    let larder = Larder::with_env(origin.address, &[], &[("LARDER_THREADS", "1")]);
    let mut client = Connection::open(larder.proxy);
    for _ in 0..5 {
        client.ask("/", "");
        let answer = client.answer("GET").expect("an answer");
        assert_eq!((answer.status, answer.text().as_str()), (200, "last"));
        assert_eq!(answer.field("connection"), None, "it is about the other hop");
        client.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx");
        assert_eq!(client.answer("POST").expect("an answer").status, 200);
    }
    assert_eq!(origin.last().connection, 9);
}

#[test]
fn an_idle_connection_is_not_used_for_longer_than_is_set() {
    let origin = Origin::answering(|_| reply(200, UNSTORED, "x"));
    let env = [("LARDER_THREADS", "1"), ("LARDER_ORIGIN__IDLE_TIMEOUT", "0s")];
    let larder = Larder::with_env(origin.address, &[], &env);
    larder.get("/");
    larder.get("/");
    assert_eq!(origin.last().connection, 1);
}

#[test]
fn an_origin_behind_a_unix_socket() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("app.sock");
    let origin = Origin::answering(|seen| reply(200, &["Cache-Control: max-age=9"], &seen.target));
    origin.behind_unix_socket(&path);
    let larder = Larder::in_front_of(format!("unix:{}", path.display()), &[]);
    assert_eq!(larder.get("/page").text(), "/page");
    assert!(larder.get("/page").is_hit());
    let posted = request(larder.proxy, "POST", "/form", &[], b"a=b");
    assert_eq!(posted.status, 200);
    assert_eq!(origin.last().body, b"a=b");
    assert_eq!(origin.last().field("host"), Some("site.test"));
}

#[test]
fn a_client_of_http_1_0_gets_no_chunks_and_a_closed_connection() {
    let origin = Origin::scripted(|_, stream| {
        let text = "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n\
                    3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
        stream.write_all(text.as_bytes()).is_ok()
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    for hit in [false, true] {
        let mut client = Connection::open(larder.proxy);
        client.send(b"GET /page HTTP/1.0\r\nHost: site.test\r\n\r\n");
        let answer = client.answer("GET").expect("an answer");
        assert_eq!((answer.status, answer.text().as_str()), (200, "abcde"));
        assert_eq!((answer.is_hit(), answer.field("transfer-encoding")), (hit, None));
        assert!(client.is_closed());
    }
    assert_eq!(origin.last().field("via"), Some("1.0 larder"));

    let mut client = Connection::open(larder.proxy);
    for _ in 0..2 {
        client.send(b"GET /page HTTP/1.0\r\nHost: site.test\r\nConnection: keep-alive\r\n\r\n");
        assert!(client.answer("GET").expect("an answer").is_hit());
    }
    // Without Host it is the origin's own name.
    client.send(b"GET /nameless HTTP/1.0\r\n\r\n");
    assert_eq!(client.answer("GET").expect("an answer").status, 200);
    assert_eq!(origin.last().field("host"), Some(origin.address.to_string().as_str()));
}

#[test]
fn chunked_bodies_pass_both_ways_and_trailers_to_the_client() {
    for (path, cache) in [("/pass", "no-store"), ("/stored", "max-age=60")] {
        let origin = Origin::scripted(move |_, stream| {
            let text = format!(
                "HTTP/1.1 200 OK\r\nCache-Control: {cache}\r\nTrailer: X-Sum\r\n\
                 Transfer-Encoding: chunked\r\n\r\n5;ext=1\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: 42\r\n\r\n"
            );
            stream.write_all(text.as_bytes()).is_ok()
        });
        let larder = Larder::in_front_of(origin.address, &[]);
        let mut client = Connection::open(larder.proxy);
        client.ask(path, "TE: trailers\r\nConnection: te\r\n");
        let answer = client.answer("GET").expect("an answer");
        assert!(answer.complete);
        assert_eq!(answer.text(), "hello world", "{path}");
        assert_eq!(answer.trailers, [("x-sum".to_string(), "42".to_string())], "{path}");
        assert_eq!(origin.last().field("te"), Some("trailers"));

        // Who does not say that they take trailers gets none.
        let other = format!("{path}/other");
        client.ask(&other, "");
        let answer = client.answer("GET").expect("an answer");
        assert_eq!((answer.text().as_str(), answer.trailers.len()), ("hello world", 0));
        assert_eq!(origin.last().field("te"), None);

        client.send(
            b"POST /up HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n\
              3\r\nabc\r\n4;x=\"y\"\r\ndefg\r\n0\r\nX-Sum: 7\r\n\r\n",
        );
        assert_eq!(client.answer("POST").expect("an answer").status, 200);
        let seen = origin.last();
        assert_eq!((seen.body.as_slice(), seen.complete), (&b"abcdefg"[..], true));
        // A client's trailers reach nobody.
        assert_eq!((seen.trailers.len(), seen.field("trailer")), (0, None));
        assert_eq!(seen.field("content-length"), Some("7"));
    }
}

#[test]
fn a_stored_chunked_response_has_a_length() {
    let origin = Origin::scripted(|_, stream| {
        let text = "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\
                    Trailer: X-Sum\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n";
        stream.write_all(text.as_bytes()).is_ok()
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    larder.get("/");
    let hit = larder.get_with("/", &[("TE", "trailers")]);
    assert!(hit.is_hit());
    assert_eq!((hit.field("content-length"), hit.text().as_str()), (Some("3"), "abc"));
    assert_eq!((hit.field("transfer-encoding"), hit.field("trailer")), (None, None));
}

#[test]
fn a_body_that_ends_with_the_connection_passes_and_is_stored() {
    let origin = Origin::scripted(|_, stream| {
        let text = "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n\r\nto the end";
        stream.write_all(text.as_bytes()).expect("written");
        false
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    assert_eq!(larder.get("/").text(), "to the end");
    let hit = larder.get("/");
    assert_eq!((hit.is_hit(), hit.text().as_str()), (true, "to the end"));
}

#[test]
fn a_client_that_expects_100_is_told_to_go_on() {
    let origin = Origin::answering(|seen| reply(200, &[], &format!("{}", seen.body.len())));
    let larder = Larder::in_front_of(origin.address, &[]);
    let mut client = Connection::open(larder.proxy);
    client.send(b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    assert_eq!(client.head().expect("an interim answer").status, 100);
    client.send(b"hello");
    assert_eq!(client.answer("POST").expect("an answer").text(), "5");
    assert_eq!(origin.last().field("expect"), None);

    // No other expectation can be met.
    client.send(b"POST / HTTP/1.1\r\nHost: x\r\nExpect: a-miracle\r\nContent-Length: 5\r\n\r\n");
    let refused = client.answer("POST").expect("an answer");
    assert_eq!((refused.status, refused.field("connection")), (417, Some("close")));
    assert!(client.is_closed());
    assert_eq!(origin.count(), 1);
}

#[test]
fn a_final_answer_before_the_body_is_passed_on() {
    let refuse = |expect: &str, keep: bool| {
        let origin = Origin::raw(move |_, stream| {
            let mut reader = BufReader::new(stream);
            read_head(&mut reader).expect("a request");
            let fields: &[&str] = if keep { &[] } else { &["Connection: close"] };
            let answer = reply(403, fields, "no");
            reader.get_mut().write_all(answer.as_bytes()).expect("written");
            while keep && reader.fill_buf().is_ok_and(|bytes| !bytes.is_empty()) {
                let all = reader.buffer().len();
                reader.consume(all);
            }
        });
        let larder = Larder::in_front_of(origin.address, &[]);
        let mut client = Connection::open(larder.proxy);
        let head = format!("POST / HTTP/1.1\r\nHost: x\r\n{expect}Content-Length: 100000\r\n\r\n");
        // As much as is read before the origin is asked.
        client.send(format!("{head}{}", "x".repeat(65_536)).as_bytes());
        let answer = client.answer("POST").expect("an answer");
        assert_eq!((answer.status, answer.text().as_str()), (403, "no"), "{expect:?} {keep}");
    };
    for expect in ["", "Expect: 100-continue\r\n"] {
        refuse(expect, true);
        refuse(expect, false);
    }
}

#[test]
fn head_is_handed_on_and_answered_from_the_store() {
    let origin = Origin::scripted(|seen, stream| {
        let head = "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 5\r\n\r\n";
        let body = if seen.method == "HEAD" { "" } else { "hello" };
        stream.write_all(format!("{head}{body}").as_bytes()).is_ok()
    });
    let larder = Larder::with_env(origin.address, &[], &[("LARDER_THREADS", "1")]);
    let mut client = Connection::open(larder.proxy);
    for _ in 0..2 {
        client.send(b"HEAD /page HTTP/1.1\r\nHost: site.test\r\n\r\n");
        let miss = client.answer("HEAD").expect("an answer");
        assert_eq!((miss.status, miss.field("content-length")), (200, Some("5")));
        assert_eq!(miss.cache_status(), "larder; fwd=uri-miss; detail=head");
        assert_eq!(origin.last().method, "HEAD");
    }
    client.ask("/page", "");
    assert_eq!(client.answer("GET").expect("an answer").text(), "hello");
    client.send(b"HEAD /page HTTP/1.1\r\nHost: site.test\r\n\r\n");
    let hit = client.answer("HEAD").expect("an answer");
    assert!(hit.is_hit());
    assert_eq!(hit.field("content-length"), Some("5"));
    client.ask("/page", "");
    assert!(client.answer("GET").expect("an answer").is_hit(), "nothing came in between");
    // A body may follow a HEAD all the same: no other answer is awaited there.
    assert_eq!((origin.count(), origin.last().connection), (3, 2));
}

#[test]
fn answers_without_a_body_keep_their_connection() {
    let origin = Origin::scripted(|seen, stream| {
        let text = match seen.target.as_str() {
            "/204" => "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n".to_string(),
            "/304" => "HTTP/1.1 304 Not Modified\r\nCache-Control: no-store\r\n\r\n".to_string(),
            _ => reply(200, UNSTORED, "body"),
        };
        stream.write_all(text.as_bytes()).is_ok()
    });
    let larder = Larder::with_env(origin.address, &[], &[("LARDER_THREADS", "1")]);
    let mut client = Connection::open(larder.proxy);
    for (path, status) in [("/204", 204), ("/", 200), ("/304", 304), ("/", 200), ("/204", 204)] {
        let fields = "Host: x\r\nIf-None-Match: \"a\"";
        client.send(format!("OPTIONS {path} HTTP/1.1\r\n{fields}\r\n\r\n").as_bytes());
        let answer = client.answer("OPTIONS").expect("an answer");
        assert_eq!(answer.status, status);
        // RFC 9110 section 8.6: a 204 has no length.
        assert!(status != 204 || answer.field("content-length").is_none());
    }
    assert_eq!(origin.last().connection, 0);
}

#[test]
fn interim_answers_of_the_origin_are_not_taken_for_the_answer() {
    let origin = Origin::scripted(|_, stream| {
        let hints =
            "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n";
        let text = format!("{hints}{}", reply(200, &["Cache-Control: max-age=9"], "final"));
        stream.write_all(text.as_bytes()).is_ok()
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    assert_eq!(larder.get("/").text(), "final");
    assert!(larder.get("/").is_hit());
}

/// Answers the first request of each connection, and then closes without a word
/// when the next one has come.
fn one_answer_a_connection() -> Origin {
    let answered = Mutex::new(HashSet::new());
    Origin::scripted(move |seen, stream| {
        let first = answered.lock().expect("the set").insert(seen.connection);
        first && stream.write_all(reply(200, UNSTORED, "first").as_bytes()).is_ok()
    })
}

#[test]
fn a_get_on_a_connection_that_has_died_is_sent_once_more() {
    let origin = one_answer_a_connection();
    let larder = Larder::with_env(origin.address, &[], &[("LARDER_THREADS", "1")]);
    for count in [1, 3, 5] {
        assert_eq!(larder.get("/").status, 200);
        wait_until("the requests have come", || origin.count() == count);
    }
}

#[test]
fn a_post_is_sent_once_and_over_a_new_connection() {
    let origin = one_answer_a_connection();
    let larder = Larder::with_env(origin.address, &[], &[("LARDER_THREADS", "1")]);
    assert_eq!(larder.get("/").status, 200);
    for body in ["", "x=1"] {
        let count = origin.count();
        let post = request(larder.proxy, "POST", "/", &[], body.as_bytes());
        assert_eq!(post.status, 200, "{body:?}");
        assert_eq!(origin.count(), count + 1);
    }
}

#[test]
fn a_post_whose_connection_dies_is_not_sent_again() {
    let origin = Origin::scripted(|_, _| false);
    let larder = Larder::with_env(origin.address, &[], &[("LARDER_THREADS", "1")]);
    for (count, body) in [(1, ""), (2, "x=1")] {
        let post = request(larder.proxy, "POST", "/", &[], body.as_bytes());
        assert_eq!((post.status, origin.count()), (502, count), "{body:?}");
    }
}

#[test]
fn a_connection_that_keeps_dying_is_an_error_after_one_retry() {
    let origin = Origin::scripted(|seen, stream| {
        seen.target == "/first" && stream.write_all(reply(200, UNSTORED, "").as_bytes()).is_ok()
    });
    let larder = Larder::with_env(origin.address, &[], &[("LARDER_THREADS", "1")]);
    assert_eq!(larder.get("/first").status, 200);
    assert_eq!(larder.get("/dies").status, 502);
    assert_eq!(origin.asked_for("/dies"), 2);
}

/// As after a restart of the origin that nobody has noticed yet: every connection
/// of the pool is dead, and says so only when it is used.
#[test]
fn sixty_requests_after_a_restart_of_the_origin_all_succeed_and_no_post_is_sent_twice() {
    let (restarted, warm) = (Arc::new(AtomicBool::new(false)), Gate::closed());
    let (is_dead, waits) = (Arc::clone(&restarted), warm.clone());
    let old: Arc<Mutex<HashSet<usize>>> = Arc::default();
    let posts: Arc<Mutex<HashMap<String, usize>>> = Arc::default();
    let (counted, before) = (Arc::clone(&posts), Arc::clone(&old));
    let origin = Origin::scripted(move |seen, stream| {
        if seen.method == "POST" {
            *counted.lock().expect("counts").entry(seen.target.clone()).or_default() += 1;
        }
        if !is_dead.load(Ordering::SeqCst) {
            before.lock().expect("connections").insert(seen.connection);
            waits.pass();
        } else if before.lock().expect("connections").contains(&seen.connection) {
            return false;
        }
        stream.write_all(reply(200, &["Cache-Control: no-store"], "page").as_bytes()).is_ok()
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    let proxy = larder.proxy;
    let warming = std::thread::spawn(move || {
        together(60, move |number| get(proxy, &format!("/warm/{number}"), &[]).status)
    });
    wait_until("each has a connection of its own", || origin.count() == 60);
    warm.open();
    assert_eq!(warming.join().expect("they are answered"), [200; 60]);
    assert_eq!(old.lock().expect("connections").len(), 60);
    restarted.store(true, Ordering::SeqCst);
    let answers = together(60, move |number| {
        let path = format!("/{number}");
        let method = if number % 3 == 0 { "POST" } else { "GET" };
        let body = if method == "POST" { &b"x"[..] } else { b"" };
        let answer = request(proxy, method, &path, &[], body);
        (method, answer.status, answer.cache_status().to_string())
    });
    let failed: Vec<_> = answers.iter().filter(|(_, status, _)| *status != 200).collect();
    assert!(failed.is_empty(), "{} of 60: {failed:?}", failed.len());
    let posts = posts.lock().expect("counts");
    assert_eq!((posts.len(), posts.values().max()), (20, Some(&1)));
}
