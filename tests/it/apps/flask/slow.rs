//! Clients who take their time, in front of an app that can do one thing at a time.

use super::super::gunicorn::{App, Kind, Place};
use crate::harness::{Larder, get, request, wait_until};
use crate::siege::crowd::{Crowd, Manner};
use std::time::Duration;

/// An app with one sync worker, and a larder that knows it: one request at a time, and nobody
/// waits for longer than twenty seconds. That is for a machine with much else to do: a single
/// slow client that held the worker would hold it for minutes.
fn one_worker() -> (App, Larder) {
    let place = Place::new();
    let socket = place.origin();
    let app = App::start(Kind::Shop, place, 1, &[("SHOP_SLOW".into(), "0".into())]);
    let env = [("LARDER_ORIGIN__MAX_CONNECTIONS", "1"), ("LARDER_ORIGIN__QUEUE_TIMEOUT", "20s")];
    (app, Larder::with_env(socket, &[], &env))
}

/// Everybody else is answered by the app, again and again.
fn others_are_served(larder: &Larder) {
    for page in 1..=25 {
        let answer = get(larder.proxy, &format!("/products?page={page}"), &[]);
        assert_eq!((answer.status, answer.is_hit()), (200, false), "{}", answer.text());
        let answer = request(larder.proxy, "POST", "/upload", &[], &[b'x'; 10_240]);
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
}

#[test]
fn fifty_who_take_a_page_slowly_hold_up_nobody() {
    let (app, larder) = one_worker();
    let manner = Manner::Sips {
        request: b"GET /report?kib=150 HTTP/1.1\r\nHost: site.test\r\n\r\n".to_vec(),
        bytes: 1024,
        pause: Duration::from_secs(1),
    };
    let crowd = Crowd::of(50, larder.proxy, &manner);
    wait_until("all of them have asked", || crowd.engaged() == 50);
    // None of them has its page within the time that this takes.
    others_are_served(&larder);
    assert!(crowd.engaged() == 50 && crowd.ended() == 0);
    wait_until("the app is done with them", || app.computed("/report?kib=150") == 50);
    assert!(crowd.engaged() == 50 && crowd.ended() == 0);
}

#[test]
fn fifty_who_send_a_form_byte_by_byte_hold_up_nobody() {
    let (app, larder) = one_worker();
    let head = "POST /upload HTTP/1.1\r\nHost: site.test\r\n";
    for framing in ["Content-Length: 10240\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n"] {
        let piece = if framing.starts_with('C') { &b"x"[..] } else { b"1\r\nx\r\n" };
        let manner = Manner::Drips {
            beginning: format!("{head}{framing}").into_bytes(),
            piece,
            times: 10_240,
            pause: Duration::from_millis(50),
        };
        let before = app.computed("POST:/upload");
        let crowd = Crowd::of(50, larder.proxy, &manner);
        wait_until("all of them have begun", || crowd.engaged() == 50);
        others_are_served(&larder);
        assert!(crowd.engaged() == 50 && crowd.ended() == 0);
        assert_eq!(app.computed("POST:/upload") - before, 25, "the app has seen the others alone");
    }
}
