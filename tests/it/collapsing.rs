//! Many ask, one fetches, and all get the same while it comes.

use crate::harness::{
    Connection, Gate, Larder, Origin, Response, get, reply, together, wait_until,
};
use std::io::Write;
use std::net::{Shutdown, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};

/// An origin whose answers begin when the first gate opens and end when the
/// second does.
fn halves(head: &'static str, begin: &Gate, end: &Gate) -> Origin {
    let (begin, end) = (begin.clone(), end.clone());
    Origin::scripted(move |_, stream| {
        begin.pass();
        stream
            .write_all(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\nfirst").as_bytes())
            .expect("half");
        end.pass();
        stream.write_all(b" half, last half").is_ok() && head.contains("Content-Length")
    })
}

const WHOLE: &str = "first half, last half";

/// Clients that have sent their request.
fn crowd(proxy: SocketAddr, count: usize, lines: &str) -> Vec<Connection> {
    (0..count)
        .map(|_| {
            let mut client = Connection::open(proxy);
            client.ask("/", lines);
            client
        })
        .collect()
}

#[test]
fn fifty_clients_are_one_request_to_the_origin() {
    let head = "Cache-Control: max-age=60\r\nContent-Length: 21";
    for head in [head, "Cache-Control: max-age=60"] {
        let (begin, end) = (Gate::closed(), Gate::closed());
        let origin = halves(head, &begin, &end);
        let larder = Larder::in_front_of(origin.address, &[]);
        let clients = crowd(larder.proxy, 50, "");
        wait_until("a request is at the origin", || origin.count() == 1);
        begin.open();
        // All of them have the first half before the origin has the second.
        let mut collapsed = 0;
        let mut begun: Vec<(Connection, Response)> = Vec::new();
        for mut client in clients {
            let head = client.head().expect("a head");
            collapsed += usize::from(head.cache_status().contains("; collapsed"));
            let first = if head.field("content-length").is_some() {
                client.read_exact(5)
            } else {
                client.chunk().expect("a chunk")
            };
            assert_eq!(first, b"first");
            begun.push((client, head));
        }
        assert_eq!((origin.count(), collapsed), (1, 49));
        end.open();
        for (mut client, head) in begun {
            let rest = if head.field("content-length").is_some() {
                client.read_exact(16)
            } else {
                client.chunk().expect("a chunk")
            };
            assert_eq!(rest, b" half, last half");
        }
        wait_until("it is stored", || larder.stat("/stored") == 1);
        assert!(larder.get("/").is_hit());
        assert_eq!(origin.count(), 1);
    }
}

#[test]
fn who_comes_while_the_body_comes_gets_all_of_it() {
    let (begin, end) = (Gate::closed(), Gate::closed());
    begin.open();
    let origin = halves("Cache-Control: max-age=60\r\nContent-Length: 21", &begin, &end);
    let larder = Larder::in_front_of(origin.address, &[]);
    let mut early = crowd(larder.proxy, 1, "").remove(0);
    early.head().expect("a head");
    assert_eq!(early.read_exact(5), b"first");
    let mut late = crowd(larder.proxy, 3, "");
    for client in &mut late {
        let head = client.head().expect("a head");
        assert_eq!(head.cache_status(), "larder; fwd=uri-miss; collapsed");
        assert_eq!(client.read_exact(5), b"first");
    }
    end.open();
    for client in late.iter_mut().chain([&mut early]) {
        assert_eq!(client.read_exact(16), b" half, last half");
    }
    assert_eq!(origin.count(), 1);
}

#[test]
fn followers_of_an_uncacheable_answer_go_alone_and_in_parallel() {
    const CLIENTS: usize = 20;
    let (first, all) = (Gate::closed(), Gate::closed());
    let (one, every) = (first.clone(), all.clone());
    let inside = AtomicUsize::new(0);
    let origin = Origin::answering(move |_| {
        let number = inside.fetch_add(1, Ordering::SeqCst) + 1;
        if number == 1 {
            one.pass();
        } else {
            // Opens only if all the others are here at the same time.
            if number == CLIENTS {
                every.open();
            }
            every.pass();
        }
        reply(200, &["Cache-Control: private"], &format!("yours {number}"))
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    let clients = crowd(larder.proxy, CLIENTS, "");
    wait_until("the first is at the origin", || origin.count() == 1);
    first.open();
    let mut texts: Vec<String> = clients
        .into_iter()
        .map(|mut client| client.answer("GET").expect("an answer").text())
        .collect();
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), CLIENTS, "each has its own");
    assert_eq!(origin.count(), CLIENTS);
}

#[test]
fn a_target_that_was_uncacheable_makes_nobody_wait() {
    let gate = Gate::closed();
    let waits = gate.clone();
    let origin = Origin::answering(move |seen| {
        if seen.field("x-slow").is_some() {
            waits.pass();
        }
        reply(200, &["Cache-Control: no-store"], "page")
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    larder.get("/");
    let mut slow = crowd(larder.proxy, 1, "X-Slow: 1\r\n").remove(0);
    wait_until("the slow one is at the origin", || origin.count() == 2);
    assert_eq!(larder.get("/").text(), "page", "while the slow one is not done");
    gate.open();
    assert_eq!(slow.answer("GET").expect("an answer").text(), "page");
}

#[test]
fn variants_do_not_mix() {
    let gate = Gate::closed();
    let waits = gate.clone();
    let origin = Origin::answering(move |seen| {
        waits.pass();
        let language = seen.field("accept-language").unwrap_or("none").to_string();
        reply(200, &["Cache-Control: max-age=60", "Vary: Accept-Language"], &language)
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    let languages = ["de", "en", "fr", "it"];
    let clients: Vec<Connection> = (0..40)
        .map(|n| {
            let lines = format!("Accept-Language: {}\r\n", languages[n % 4]);
            crowd(larder.proxy, 1, &lines).remove(0)
        })
        .collect();
    wait_until("one is at the origin", || origin.count() == 1);
    gate.open();
    for (number, mut client) in clients.into_iter().enumerate() {
        assert_eq!(client.answer("GET").expect("an answer").text(), languages[number % 4]);
    }
    assert!(origin.count() <= 8, "{} requests for four variants", origin.count());
}

#[test]
fn visitors_who_say_who_they_are_wait_for_nobody() {
    let origin = Origin::answering(|seen| {
        let who = seen.field("cookie").unwrap_or("nobody").to_string();
        reply(200, &["Cache-Control: max-age=60", "Vary: Cookie"], &who)
    });
    let larder = Larder::in_front_of(origin.address, &["--cookies", "sessionid"]);
    let proxy = larder.proxy;
    let texts = together(20, move |number| {
        let cookie = format!("sessionid={}", number % 5);
        (get(proxy, "/", &[("Cookie", &cookie)]).text(), cookie)
    });
    for (text, cookie) in texts {
        assert_eq!(text, cookie);
    }
}

#[test]
fn who_shows_a_key_waits_for_nobody() {
    let gate = Gate::closed();
    let held = gate.clone();
    let origin = Origin::answering(move |seen| {
        held.pass();
        reply(200, &["Cache-Control: max-age=60"], seen.field("x-api-key").unwrap_or("nobody"))
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    let clients = crowd(larder.proxy, 5, "X-Api-Key: secret\r\n");
    wait_until("each asks for itself", || origin.count() == 5);
    gate.open();
    for mut client in clients {
        assert_eq!(client.answer("GET").expect("an answer").text(), "secret");
    }
}

#[test]
fn a_leader_that_leaves_takes_nobody_along() {
    for before_the_head in [true, false] {
        let (begin, end) = (Gate::closed(), Gate::closed());
        let origin = halves("Cache-Control: max-age=60\r\nContent-Length: 21", &begin, &end);
        let larder = Larder::in_front_of(origin.address, &[]);
        let mut leader = crowd(larder.proxy, 1, "").remove(0);
        wait_until("the leader is at the origin", || origin.count() == 1);
        let followers = crowd(larder.proxy, 10, "");
        if !before_the_head {
            begin.open();
            leader.head().expect("a head");
        }
        leader.stream().shutdown(Shutdown::Both).expect("it leaves");
        drop(leader);
        begin.open();
        end.open();
        for mut client in followers {
            assert_eq!(client.answer("GET").expect("an answer").text(), WHOLE);
        }
        assert_eq!(origin.count(), 1);
        wait_until("it is stored", || larder.stat("/stored") == 1);
    }
}

#[test]
fn a_page_whose_only_client_leaves_is_stored_all_the_same() {
    let (begin, end) = (Gate::closed(), Gate::closed());
    let origin = halves("Cache-Control: max-age=60\r\nContent-Length: 21", &begin, &end);
    let larder = Larder::in_front_of(origin.address, &[]);
    let client = crowd(larder.proxy, 1, "").remove(0);
    wait_until("it is at the origin", || origin.count() == 1);
    client.stream().shutdown(Shutdown::Both).expect("it leaves");
    drop(client);
    begin.open();
    end.open();
    wait_until("it is stored", || larder.stat("/stored") == 1);
    assert_eq!(larder.get("/").text(), WHOLE);
}

/// An origin that breaks off so many answers before they begin, and is good then.
fn breaking(count: usize, gate: &Gate) -> Origin {
    let (broken, waits) = (AtomicUsize::new(0), gate.clone());
    Origin::scripted(move |_, stream| {
        waits.pass();
        let breaks = broken.fetch_add(1, Ordering::SeqCst) < count;
        !breaks
            && stream.write_all(reply(200, &["Cache-Control: max-age=9"], "x").as_bytes()).is_ok()
    })
}

/// What breaks off is not asked for again by the pool.
fn without_retries(origin: &Origin) -> Larder {
    Larder::with_env(origin.address, &[], &[("LARDER_ORIGIN__RETRY_BUDGET", "0")])
}

#[test]
fn when_the_fetch_fails_one_of_those_who_waited_tries_again_for_all() {
    let gate = Gate::closed();
    let origin = breaking(1, &gate);
    let larder = without_retries(&origin);
    let clients = crowd(larder.proxy, 10, "");
    wait_until("one is at the origin", || origin.count() == 1);
    gate.open();
    let answers = clients.into_iter().map(|mut client| client.answer("GET").expect("an answer"));
    let failed = answers.filter(|answer| answer.status == 502).count();
    assert_eq!((failed, origin.count()), (1, 2), "who led, and nobody else");
    assert_eq!(larder.get("/").status, 200);
}

#[test]
fn an_origin_that_always_fails_is_not_tried_for_each_who_waits() {
    let gate = Gate::closed();
    let origin = breaking(usize::MAX, &gate);
    let larder = without_retries(&origin);
    let clients = crowd(larder.proxy, 20, "");
    wait_until("one is at the origin", || origin.count() == 1);
    gate.open();
    for mut client in clients {
        let answer = client.answer("GET").expect("an answer");
        assert_eq!(answer.status, 502);
        assert!(answer.cache_status().ends_with("detail=broken-response"), "{answer:?}");
    }
    assert!(origin.count() < 10, "{} requests", origin.count());
}

#[test]
fn one_variant_that_is_uncacheable_lets_others_be_waited_for() {
    let gate = Gate::closed();
    let held = gate.clone();
    let origin = Origin::answering(move |seen| match seen.field("accept-language") {
        Some("en") => reply(200, &["Cache-Control: no-store", "Vary: Accept-Language"], "yours"),
        _ => {
            held.pass();
            reply(200, &["Cache-Control: max-age=60", "Vary: Accept-Language"], "alle")
        }
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    assert_eq!(larder.get_with("/", &[("Accept-Language", "en")]).text(), "yours");
    let clients = crowd(larder.proxy, 10, "Accept-Language: de\r\n");
    wait_until("one is at the origin", || origin.count() == 2);
    for _ in 0..2 {
        // Its own visitors wait for nobody, though others are waited for.
        assert_eq!(larder.get_with("/", &[("Accept-Language", "en")]).text(), "yours");
    }
    gate.open();
    for mut client in clients {
        assert_eq!(client.answer("GET").expect("an answer").text(), "alle");
    }
    assert_eq!(origin.count(), 4, "one for all who read German");
}

#[test]
fn a_broken_body_breaks_for_all_and_is_not_stored() {
    let (begin, end) = (Gate::closed(), Gate::closed());
    let (first, second) = (begin.clone(), end.clone());
    let origin = Origin::scripted(move |_, stream| {
        first.pass();
        let head =
            "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 21\r\n\r\nfirst";
        stream.write_all(head.as_bytes()).expect("half");
        second.pass();
        false
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    let clients = crowd(larder.proxy, 10, "");
    wait_until("one is at the origin", || origin.count() == 1);
    begin.open();
    let begun: Vec<Connection> = clients
        .into_iter()
        .map(|mut client| {
            assert_eq!(client.head().expect("a head").status, 200);
            assert_eq!(client.read_exact(5), b"first");
            client
        })
        .collect();
    end.open();
    for mut client in begun {
        assert!(client.is_closed());
    }
    assert_eq!(larder.stat("/memory/targets"), 0);
}

#[test]
fn what_one_visitor_is_answered_does_not_switch_collapsing_off() {
    let gate = Gate::closed();
    let held = gate.clone();
    let origin = Origin::scripted(move |seen, stream| {
        let answer = match seen.field("cookie") {
            Some(_) => reply(200, &["Cache-Control: private"], "yours"),
            None => {
                held.pass();
                reply(200, &["Cache-Control: max-age=60"], "everybody's")
            }
        };
        stream.write_all(answer.as_bytes()).is_ok()
    });
    let larder = Larder::in_front_of(origin.address, &["--cookies", "session"]);
    assert_eq!(larder.get_with("/", &[("Cookie", "session=me")]).text(), "yours");
    let clients = crowd(larder.proxy, 20, "");
    wait_until("one is at the origin", || origin.count() == 2);
    gate.open();
    for mut client in clients {
        assert_eq!(client.answer("GET").expect("an answer").text(), "everybody's");
    }
    assert_eq!(origin.count(), 2);
}
