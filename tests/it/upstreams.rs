//! Several upstreams, and what becomes of requests while some or all of them are
//! away.

use crate::harness::{
    Connection, Gate, Larder, Origin, get, nobody, read_request, reply, request, together,
    wait_until,
};
use larder::clock::{Clock, SystemClock};
use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

const ONE_THREAD: (&str, &str) = ("LARDER_THREADS", "1");

fn plain(body: &'static str) -> Origin {
    Origin::answering(move |_| reply(200, &["Cache-Control: no-store"], body))
}

fn both(one: SocketAddr, other: SocketAddr) -> String {
    format!("{one},{other}")
}

#[test]
fn requests_go_to_both() {
    let (one, other) = (plain("one"), plain("other"));
    let more = ["--to", &other.address.to_string()];
    let larder = Larder::in_front_of(one.address, &more);
    for number in 0..40 {
        assert_eq!(larder.get(&format!("/{number}")).status, 200);
    }
    assert_eq!(one.count() + other.count(), 40);
    assert!(one.count() > 5 && other.count() > 5, "{} and {}", one.count(), other.count());
}

#[test]
fn a_slow_one_is_asked_less() {
    let gate = Gate::closed();
    let waits = gate.clone();
    let slow = Origin::answering(move |_| {
        waits.pass();
        reply(200, &["Cache-Control: no-store"], "slow")
    });
    let quick = plain("quick");
    let larder = Larder::with_env(both(slow.address, quick.address), &[], &[]);
    let mut held = Vec::new();
    while slow.count() == 0 {
        let mut client = Connection::open(larder.proxy);
        client.ask(&format!("/{}", held.len()), "");
        held.push(client);
        wait_until("one is asked", || slow.count() + quick.count() == held.len());
    }
    for number in 0..20 {
        let answer = larder.get(&format!("/more/{number}"));
        assert_eq!(answer.text(), "quick", "of two the less busy one");
    }
    gate.open();
}

#[test]
fn what_one_refuses_goes_to_another_a_post_too() {
    let (_held, away) = nobody();
    let here = Origin::answering(|seen| {
        reply(200, &["Cache-Control: no-store"], &String::from_utf8_lossy(&seen.body))
    });
    let larder = Larder::with_env(both(away, here.address), &[], &[]);
    for _ in 0..20 {
        let answer = request(larder.proxy, "POST", "/", &[], b"words");
        assert_eq!((answer.status, answer.text().as_str()), (200, "words"));
    }
    assert_eq!(here.count(), 20, "each once");
}

#[test]
fn what_one_breaks_off_is_asked_of_another_once_unless_it_is_a_post() {
    let breaking = || Origin::scripted(|_, _| false);
    let (one, other, here) = (breaking(), breaking(), plain("here"));
    let env = [("LARDER_ORIGIN__EJECT_AFTER", "0")];
    let larder = Larder::with_env(both(one.address, here.address), &[], &env);
    for _ in 0..10 {
        assert_eq!(larder.get("/").text(), "here");
    }
    let (before, asked) = (here.count(), one.count());
    let posts = (0..20).map(|_| request(larder.proxy, "POST", "/", &[], b"x").status);
    let failed = posts.filter(|status| *status == 502).count();
    assert_eq!(one.count() - asked, failed);
    assert_eq!(here.count() - before, 20 - failed);
    assert!(failed > 0);

    let hopeless = Larder::with_env(both(one.address, other.address), &[], &env);
    let asked = one.count() + other.count();
    let answer = hopeless.get("/");
    assert_eq!(
        (answer.status, answer.cache_status()),
        (502, "larder; fwd=uri-miss; detail=broken-response")
    );
    assert_eq!(one.count() + other.count() - asked, 2, "twice and no more");
}

#[test]
fn an_answer_that_has_begun_is_not_asked_for_again() {
    let begins = || Origin::scripted(|_, stream| stream.write_all(b"HTTP/1.1 2").is_err());
    let (one, other) = (begins(), begins());
    let larder = Larder::with_env(both(one.address, other.address), &[], &[]);
    assert_eq!(larder.get("/").status, 502);
    assert_eq!(one.count() + other.count(), 1);
}

#[test]
fn who_accepts_and_hangs_up_is_not_taken_for_a_restart() {
    let accepted = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&accepted);
    let origin = Origin::raw(move |_, _| {
        count.fetch_add(1, Ordering::SeqCst);
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    for number in 1..=3 {
        let answer = larder.get("/");
        assert_eq!(
            (answer.status, answer.cache_status()),
            (502, "larder; fwd=uri-miss; detail=broken-response")
        );
        assert!(accepted.load(Ordering::SeqCst) <= 2 * number);
    }
}

#[test]
fn retries_are_bounded() {
    let breaking = || Origin::scripted(|_, _| false);
    let (one, other) = (breaking(), breaking());
    for (budget, least, most) in [("0", 40, 40), ("10", 50, 70)] {
        let env = [("LARDER_ORIGIN__EJECT_AFTER", "0"), ("LARDER_ORIGIN__RETRY_BUDGET", budget)];
        let larder = Larder::with_env(both(one.address, other.address), &[], &env);
        let before = one.count() + other.count();
        let clock = SystemClock::start();
        for number in 0..40 {
            assert_eq!(larder.get(&format!("/{number}")).status, 502);
        }
        let asked = one.count() + other.count() - before;
        // Ten a second besides the share.
        let most = most + 10 * usize::try_from(clock.now().0 / 1000).expect("seconds");
        assert!((least..=most).contains(&asked), "{budget} %: {asked}");
    }
}

#[test]
fn one_that_fails_is_left_out_and_comes_back() {
    let broken = Arc::new(AtomicBool::new(true));
    let is_broken = Arc::clone(&broken);
    let ill = Origin::scripted(move |_, stream| {
        let answer = reply(200, &["Cache-Control: no-store"], "ill");
        !is_broken.load(Ordering::SeqCst) && stream.write_all(answer.as_bytes()).is_ok()
    });
    let well = plain("well");
    let env = [
        ("LARDER_ORIGIN__EJECT_AFTER", "3"),
        ("LARDER_ORIGIN__EJECT_FOR", "300ms"),
        ("LARDER_ORIGIN__RETRY_BUDGET", "100"),
    ];
    let larder = Larder::with_env(both(ill.address, well.address), &[], &env);
    for _ in 0..60 {
        assert_eq!(larder.get("/").text(), "well");
    }
    // Three times until it was left out, and a probe or two if the machine is slow.
    assert!((3..=8).contains(&ill.count()), "{}", ill.count());
    broken.store(false, Ordering::SeqCst);
    wait_until("it is asked again", || larder.get("/").text() == "ill");
    wait_until("as often as the other", || {
        let answers: Vec<String> = (0..20).map(|_| larder.get("/").text()).collect();
        answers.iter().filter(|text| *text == "ill").count() > 3
    });
}

#[test]
fn errors_that_the_app_states_do_not_eject() {
    let (one, other) = (plain("one"), Origin::answering(|_| reply(500, &[], "other")));
    let env = [("LARDER_ORIGIN__EJECT_AFTER", "1")];
    let larder = Larder::with_env(both(one.address, other.address), &[], &env);
    for _ in 0..40 {
        larder.get("/");
    }
    assert!(other.count() > 5, "{}", other.count());
}

#[test]
fn each_takes_as_many_as_is_set_and_the_queue_no_more() {
    let gate = Gate::closed();
    let waiting = || {
        let waits = gate.clone();
        Origin::answering(move |_| {
            waits.pass();
            reply(200, &["Cache-Control: no-store"], "page")
        })
    };
    let (one, other) = (waiting(), waiting());
    let env = [
        ("LARDER_ORIGIN__MAX_CONNECTIONS", "2"),
        ("LARDER_ORIGIN__QUEUE", "3"),
        ("LARDER_ORIGIN__QUEUE_TIMEOUT", "30s"),
    ];
    let larder = Larder::with_env(both(one.address, other.address), &[], &env);
    let ask = |count: usize| -> Vec<Connection> {
        let open = |_| {
            let mut client = Connection::open(larder.proxy);
            client.ask("/", "Cookie: sessionid=1\r\n");
            client
        };
        (0..count).map(open).collect()
    };
    let mut clients = ask(4);
    wait_until("four are at the origin", || one.count() == 2 && other.count() == 2);
    clients.extend(ask(3));
    let full = "larder; fwd=uri-miss; detail=queue-full";
    wait_until("three wait", || {
        let answer = larder.stat("/origin/queued");
        answer == 3
    });
    let answer = larder.get("/");
    assert_eq!((answer.status, answer.cache_status()), (503, full));
    assert_eq!(answer.field("retry-after"), Some("1"));
    gate.open();
    for mut client in clients {
        assert_eq!(client.answer("GET").expect("an answer").text(), "page");
    }
    assert_eq!(one.count() + other.count(), 7);
}

#[test]
fn a_restart_of_the_app_is_waited_for() {
    let (held, address) = nobody();
    let larder = Larder::with_env(address, &[], &[("LARDER_ORIGIN__HOLD", "30s")]);
    let proxy = larder.proxy;
    let waiting = std::thread::spawn(move || {
        together(20, move |number| match number % 2 {
            0 => get(proxy, &format!("/{number}"), &[]).status,
            _ => request(proxy, "POST", "/", &[], b"words").status,
        })
    });
    wait_until("all wait", || larder.stat("/origin/held") == 20);
    held.listen(64).expect("it listens");
    let origin = Origin::listening(held.into(), |_, stream| {
        stream.write_all(reply(200, &["Cache-Control: no-store"], "back").as_bytes()).is_ok()
    });
    assert_eq!(waiting.join().expect("the clients"), [200; 20]);
    assert_eq!(origin.count(), 20, "each once");
}

#[test]
fn the_wait_for_a_restart_ends() {
    let (_held, address) = nobody();
    let larder = Larder::with_env(address, &[], &[("LARDER_ORIGIN__HOLD", "300ms")]);
    let clock = SystemClock::start();
    let answer = larder.get("/");
    assert_eq!(
        (answer.status, answer.cache_status()),
        (502, "larder; fwd=uri-miss; detail=connect")
    );
    assert!(clock.now().0 >= 300);
}

#[test]
fn no_more_wait_for_a_restart_than_the_queue_holds() {
    let (_held, address) = nobody();
    let env = [("LARDER_ORIGIN__HOLD", "30s"), ("LARDER_ORIGIN__QUEUE", "1")];
    let larder = Larder::with_env(address, &[], &env);
    let mut waits = Connection::open(larder.proxy);
    waits.ask("/one", "");
    wait_until("one waits", || larder.stat("/origin/held") == 1);
    assert_eq!(larder.get("/other").status, 502);
}

#[test]
fn who_can_be_given_something_stale_does_not_wait_for_a_restart() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let app = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let text = reply(200, &["Cache-Control: max-age=1", "Connection: close"], "old");
        let mut head = BufReader::new(stream.try_clone().expect("the other half"));
        crate::harness::read_head(&mut head).expect("a request");
        stream.write_all(text.as_bytes()).expect("an answer");
    });
    let larder = Larder::with_env(address, &[], &[("LARDER_ORIGIN__HOLD", "1h"), ONE_THREAD]);
    assert_eq!(larder.get("/").text(), "old");
    app.join().expect("the app has gone");
    wait_until("it is stale", || {
        let answer = larder.get("/");
        assert_eq!(answer.text(), "old");
        answer.cache_status().contains("detail=stale-when-down")
    });
}

#[test]
fn checks_leave_an_ill_one_out_and_bring_it_back() {
    let ill = Arc::new(AtomicBool::new(true));
    let is_ill = Arc::clone(&ill);
    let one = Origin::answering(move |seen| match seen.target.as_str() {
        "/healthz" if is_ill.load(Ordering::SeqCst) => reply(503, &[], ""),
        _ => reply(200, &["Cache-Control: no-store"], "one"),
    });
    let other = plain("other");
    let env = [
        ("LARDER_ORIGIN__HEALTH_PATH", "/healthz"),
        ("LARDER_ORIGIN__HEALTH_INTERVAL", "20ms"),
        ("LARDER_ORIGIN__HOST", "site.test"),
    ];
    let larder = Larder::with_env(both(one.address, other.address), &[], &env);
    let state = || {
        let stats = get(larder.admin, "/v1/stats", &[("Host", "localhost")]);
        let stats: serde_json::Value = serde_json::from_slice(&stats.body).expect("JSON");
        let state = stats.pointer("/origin/upstreams/0/state").expect("a state");
        state.as_str().expect("a word").to_string()
    };
    wait_until("it is left out", || state() == "ejected");
    for _ in 0..20 {
        assert_eq!(larder.get("/").text(), "other");
    }
    let check = one.seen().into_iter().find(|seen| seen.target == "/healthz").expect("a check");
    assert_eq!((check.method.as_str(), check.field("host")), ("GET", Some("site.test")));
    ill.store(false, Ordering::SeqCst);
    wait_until("it is back", || state() == "well");
    wait_until("it is asked", || larder.get("/").text() == "one");
}

#[test]
fn one_that_hangs_holds_up_no_others_check() {
    let hanging = Origin::raw(|_, stream| std::mem::forget(stream));
    let other = plain("other");
    let env = [
        ("LARDER_ORIGIN__HEALTH_PATH", "/healthz"),
        ("LARDER_ORIGIN__HEALTH_INTERVAL", "20ms"),
        ("LARDER_ORIGIN__HEALTH_TIMEOUT", "1h"),
    ];
    let _larder = Larder::with_env(both(hanging.address, other.address), &[], &env);
    wait_until("it is checked again and again", || other.asked_for("/healthz") > 3);
}

#[test]
fn connections_that_the_app_has_closed_are_let_go() {
    let (end, answers) = (Gate::closed(), [Gate::closed(), Gate::closed()]);
    let gates = (end.clone(), answers.clone());
    let origin = Origin::raw(move |number, mut stream| {
        let mut reader = BufReader::new(stream.try_clone().expect("the other half"));
        let page = reply(200, &["Cache-Control: no-store"], "x");
        let mut serve = |stream: &mut TcpStream| {
            read_request(&mut reader).is_some() && stream.write_all(page.as_bytes()).is_ok()
        };
        gates.1[number].pass();
        serve(&mut stream);
        match number {
            0 => gates.0.pass(),
            _ => while serve(&mut stream) {},
        }
    });
    let larder = Larder::with_env(origin.address, &[], &[ONE_THREAD]);
    let idle = || larder.stat("/origin/upstreams/0/idle");
    let mut clients: Vec<_> = (0..2).map(|_| Connection::open(larder.proxy)).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        client.ask(&format!("/{number}"), "");
        wait_until("it has a connection", || {
            larder.stat("/origin/upstreams/0/in_flight") == number as u64 + 1
        });
    }
    for (number, client) in clients.iter_mut().enumerate() {
        answers[number].open();
        assert_eq!(client.answer("GET").expect("an answer").text(), "x");
        wait_until("it is idle", || idle() == number as u64 + 1);
    }
    // The one that was used last is the second.
    end.open();
    wait_until("the first is let go", || {
        assert_eq!(larder.get("/again").text(), "x");
        idle() == 1
    });
}

#[test]
fn what_larder_lacks_itself_is_not_held_against_an_upstream() {
    let close = || Origin::answering(|_| reply(200, &["Connection: close"], "page"));
    let (one, other) = (close(), close());
    let env = [("LARDER_ORIGIN__EJECT_AFTER", "1"), ("LARDER_ORIGIN__EJECT_FOR", "1h")];
    let larder = Larder::with_env(both(one.address, other.address), &[], &env);
    larder.limit_descriptors(Some(40));
    let mut client = Connection::open(larder.proxy);
    client.ask("/", "");
    assert_eq!(client.answer("GET").expect("an answer").text(), "page");
    let idle: Vec<Connection> = (0..40).map(|_| Connection::open(larder.proxy)).collect();
    larder.says("cannot accept");
    for _ in 0..5 {
        client.ask("/", "");
        let busy = client.answer("GET").expect("an answer");
        let said = (busy.status, busy.cache_status(), busy.field("retry-after"));
        assert_eq!(said, (503, "larder; fwd=uri-miss; detail=no-socket", Some("1")));
    }
    drop(idle);
    wait_until("there are descriptors again", || {
        client.ask("/", "");
        client.answer("GET").is_some_and(|answer| answer.status == 200)
    });
    assert!(!larder.events().contains("an upstream fails"), "{}", larder.events());
}
