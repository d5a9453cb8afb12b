//! Each way in which an origin can fail, and the stale page that stands in.

use crate::harness::{Gate, House, Origin, reply, wait_until};
use larder::config::{Settings, Target};
use std::io::{BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const COVERED: &str = "Cache-Control: max-age=10, stale-if-error=30";

/// A house whose stored pages stand in only if they say so themselves.
fn house(origin: &Origin) -> House {
    let (host, port) = (origin.address.ip().to_string(), origin.address.port());
    let mut settings = Settings::new(Target::Tcp { host, port });
    settings.cache.jitter = 0;
    settings.cache.stale_when_down = Duration::ZERO;
    settings.origin.first_byte_timeout = Duration::from_millis(100);
    House::with(settings)
}

/// Good once; then `trouble`, which tells whether the connection is kept.
fn good_once(trouble: impl Fn(&mut TcpStream) -> bool + Send + Sync + 'static) -> Origin {
    let count = AtomicUsize::new(0);
    Origin::scripted(move |_, stream| match count.fetch_add(1, Ordering::SeqCst) {
        0 => stream.write_all(reply(200, &[COVERED], "good").as_bytes()).is_ok(),
        _ => trouble(stream),
    })
}

/// The page stands in within its window, and not a second longer.
fn is_covered(origin: &Origin, said: &str, status: u16) {
    let house = house(origin);
    assert_eq!(house.get("/").text(), "good");
    house.pass(39);
    let covered = house.get("/");
    assert_eq!((covered.status, covered.text().as_str()), (200, "good"), "{said}");
    assert_eq!(covered.cache_status(), format!("larder; fwd=stale; {said}"));
    house.pass(1);
    assert_eq!(house.get("/").status, status, "{said}");
}

const DOWN: &str = "ttl=-29; detail=stale-when-down";

#[test]
fn an_origin_that_resets_before_the_head_is_covered() {
    is_covered(&good_once(|_| false), DOWN, 502);
}

#[test]
fn an_origin_that_breaks_off_its_head_is_covered() {
    is_covered(&good_once(|stream| stream.write_all(b"HTTP/1.1 200 OK\r\nX").is_err()), DOWN, 502);
}

#[test]
fn an_origin_that_speaks_no_http_is_covered() {
    is_covered(&good_once(|stream| stream.write_all(b"SSH-2.0-x\r\n\r\n").is_err()), DOWN, 502);
}

#[test]
fn an_origin_that_takes_too_long_is_covered() {
    let never = Gate::closed();
    let held = never.clone();
    is_covered(
        &good_once(move |_| {
            held.pass();
            false
        }),
        DOWN,
        504,
    );
    never.open();
}

#[test]
fn an_origin_that_answers_with_an_error_is_covered() {
    for status in [500, 502, 503, 504] {
        let origin =
            good_once(move |stream| stream.write_all(reply(status, &[], "").as_bytes()).is_ok());
        let said = format!("fwd-status={status}; ttl=-29; detail=stale-if-error");
        is_covered(&origin, &said, status);
    }
}

#[test]
fn an_origin_that_refuses_is_covered() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut reader = BufReader::new(stream.try_clone().expect("the same stream"));
        crate::harness::read_head(&mut reader).expect("a request");
        let text = reply(200, &[COVERED, "Connection: close"], "good");
        stream.write_all(text.as_bytes()).expect("an answer");
    });
    let origin = Origin::somewhere(address);
    let house = house(&origin);
    assert_eq!(house.get("/").text(), "good");
    server.join().expect("it closes");
    house.pass(39);
    assert_eq!(house.status("/"), format!("larder; fwd=stale; {DOWN}"));
    house.pass(1);
    let refused = house.get("/");
    assert_eq!(refused.status, 502);
    assert_eq!(refused.cache_status(), "larder; fwd=stale; detail=connect");
}

/// Whoever caused the fetch has the head already; the stale page is still there
/// for those who come after.
#[test]
fn a_body_that_breaks_off_leaves_the_stale_page() {
    let count = AtomicUsize::new(0);
    let origin = Origin::scripted(move |_, stream| match count.fetch_add(1, Ordering::SeqCst) {
        0 => stream.write_all(reply(200, &[COVERED], "good").as_bytes()).is_ok(),
        1 => {
            let half =
                "HTTP/1.1 200 OK\r\nCache-Control: max-age=99\r\nContent-Length: 9\r\n\r\nhalf";
            stream.write_all(half.as_bytes()).expect("half of it");
            false
        }
        _ => false,
    });
    let house = house(&origin);
    house.get("/");
    house.pass(20);
    assert!(!house.get("/").complete);
    wait_until("the stale page stands in", || {
        let answer = house.get("/");
        answer.complete && answer.text() == "good"
    });
}
