//! A collector that is away, slow or mad costs requests nothing.

use super::collector::{Collector, respond};
use super::{app, larder, traceparent};
use crate::harness::{Connection, Larder, get, wait_until};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use prost::Message;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const SAYS: &str = "spans for OpenTelemetry were left out";

/// A sample of `/metrics`.
fn metric(larder: &Larder, name: &str) -> u64 {
    let text = get(larder.admin, "/metrics", &[("Host", "localhost")]).text();
    let line = text.lines().find(|line| line.starts_with(&format!("{name} ")));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).expect("a sample")
}

/// How long something takes.
#[expect(clippy::disallowed_methods, reason = "what a test waits for takes real time")]
fn took(what: impl FnOnce()) -> Duration {
    let began = Instant::now();
    what();
    began.elapsed()
}

#[test]
fn what_is_left_is_sent_before_the_end() {
    let (origin, collector) = (app(), Collector::new());
    let mut larder = larder(origin.address, &collector.url(), &[]);
    for _ in 0..3 {
        larder.get("/");
    }
    larder.terminate();
    assert!(larder.wait().success());
    assert_eq!(collector.spans().len(), 4);
}

#[test]
fn a_collector_that_is_away_is_said_and_counted_and_forgiven() {
    let origin = app();
    let away = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = away.local_addr().expect("an address");
    drop(away);
    let larder = larder(origin.address, &format!("http://{address}"), &[]);
    assert_eq!(larder.get("/").status, 200);
    larder.says(SAYS);
    larder.says("cannot connect");
    assert_eq!(metric(&larder, "larder_spans_lost_total"), 2);
    assert!(larder.get("/").is_hit());
    // It comes back.
    let listener = std::net::TcpListener::bind(address).expect("the port");
    let back = Collector {
        origin: crate::harness::Origin::listening(listener, |_, stream| {
            respond(stream, "200 OK", b"")
        }),
    };
    wait_until("spans come", || {
        larder.get("/");
        !back.spans().is_empty()
    });
    wait_until("they are counted", || metric(&larder, "larder_spans_exported_total") > 0);
}

#[test]
fn a_collector_that_never_answers_holds_up_nobody_and_not_the_end() {
    let (origin, silent) = (app(), Collector::answering(|_, _| true));
    let mut larder = larder(origin.address, &silent.url(), &[]);
    larder.says(&format!("traces go to {}, of 100% of requests", silent.url()));
    larder.get("/");
    wait_until("it is asked", || silent.origin.count() > 0);
    let mut connection = Connection::open(larder.proxy);
    // More than can wait.
    for _ in 0..60 {
        connection.send("GET / HTTP/1.1\r\nHost: site.test\r\n\r\n".repeat(100).as_bytes());
        for _ in 0..100 {
            assert_eq!(connection.answer("GET").expect("an answer").status, 200);
        }
    }
    wait_until("some are lost", || metric(&larder, "larder_spans_lost_total") > 0);
    assert_eq!(metric(&larder, "larder_spans_exported_total"), 0);
    let ending = took(|| {
        larder.terminate();
        assert!(larder.wait().success());
    });
    assert!(ending < Duration::from_secs(10), "{ending:?}");
    larder.says("spans were left");
}

#[test]
fn nonsense_from_a_collector_is_survived() {
    let origin = app();
    let asked = AtomicUsize::new(0);
    let mad = Collector::answering(move |_, stream| {
        let some = ExportTracePartialSuccess { rejected_spans: 1, error_message: "no".into() };
        let some = ExportTraceServiceResponse { partial_success: Some(some) }.encode_to_vec();
        match asked.fetch_add(1, Ordering::SeqCst) {
            0 => respond(stream, "400 Bad Request", b"what?"),
            1 => respond(stream, "200 OK", b"\xff\xff\xff\xff nonsense"),
            2 => respond(stream, "200 OK", &some),
            3 => respond(stream, "301 Moved", b""),
            4 => respond(stream, "200 OK", &vec![0; 200_000]),
            5 => {
                let _ = std::io::Write::write_all(stream, b"SSH-2.0-what\r\n");
                false
            }
            6 => respond(stream, "503 Busy", b""),
            _ => respond(stream, "200 OK", b""),
        }
    });
    let larder = larder(origin.address, &mad.url(), &[]);
    let mut paths = 0;
    wait_until("all of it has come", || {
        paths += 1;
        assert_eq!(larder.get(&format!("/{paths}")).status, 200);
        std::thread::sleep(Duration::from_millis(50));
        mad.origin.count() > 8
    });
    larder.says("the collector answered 400");
    wait_until("some are taken", || metric(&larder, "larder_spans_exported_total") > 4);
    assert!(metric(&larder, "larder_spans_lost_total") >= 3);
    let lines = larder.events().matches(SAYS).count();
    assert!((2..=6).contains(&lines), "{}", larder.events());
}

#[test]
fn what_a_client_sends_makes_no_span_large() {
    let (origin, collector) = (app(), Collector::new());
    let larder = larder(origin.address, &collector.url(), &[]);
    larder.get(&format!("/{}", "x".repeat(7000)));
    larder.get_with("/", &[("traceparent", &traceparent("01")), ("X-Y", &"y".repeat(7000))]);
    collector.all(4);
    let sizes: usize = collector.requests().iter().map(|(seen, _)| seen.body.len()).sum();
    assert!(sizes < 8000, "{sizes}");
}
