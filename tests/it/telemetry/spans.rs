//! What is in a span, what is not, and whose child it is.

use super::collector::{Collector, Told};
use super::{TRACE, app, larder, parent_of_others, traceparent};
use crate::harness::{Connection, Larder, Origin, get, reply, request, wait_until};
use std::collections::BTreeSet;
use std::time::Duration;

/// Checks attributes, each `name=value`; one that isn't there is empty.
fn assert_has(span: &Told, expected: &[&str]) {
    for pair in expected {
        let (name, value) = pair.split_once('=').expect("a name and a value");
        assert_eq!(span.get(name), value, "{name} of {span:#?}");
    }
}

#[test]
fn a_miss_has_a_span_and_asking_the_app_another_below_it() {
    let (origin, collector) = (app(), Collector::new());
    let larder = larder(origin.address, &collector.url(), &[]);
    larder.get_with("/a/b?c=d", &[("Host", "site.test:8080"), ("User-Agent", "test")]);
    let spans = collector.all(2);
    let (server, client) = (&spans[0], &spans[1]);
    assert!(server.is_server && !client.is_server);
    assert_eq!((server.name.as_str(), client.name.as_str()), ("GET", "GET"));
    let expected = [
        "http.request.method=GET",
        "url.scheme=http",
        "url.path=/a/b",
        "server.address=site.test",
        "server.port=8080",
        "http.response.status_code=200",
        "http.response.body.size=4",
        "network.protocol.version=1.1",
        "network.peer.address=127.0.0.1",
        "client.address=127.0.0.1",
        "larder.outcome=uri-miss",
        "larder.stored=true",
        "larder.reason=",
        "error.type=",
    ];
    assert_has(server, &expected);
    let expected = [
        "http.request.method=GET",
        "url.full=http://site.test:8080/a/b",
        "server.address=127.0.0.1",
        &format!("server.port={}", origin.address.port()),
        "http.response.status_code=200",
        "http.request.resend_count=",
    ];
    assert_has(client, &expected);
    assert_eq!((server.parent.as_str(), &client.parent), ("", &server.id));
    assert_eq!(client.trace, server.trace);
    assert_eq!(origin.last().field("traceparent"), Some(parent_of_others(client).as_str()));
    assert!(server.times.0 <= client.times.0 && client.times.1 <= server.times.1, "{spans:#?}");
    let line: serde_json::Value = serde_json::from_str(&larder.next_line()).expect("JSON");
    assert_eq!(line["trace"], server.trace.as_str());
    assert_eq!(line["id"], server.get("larder.request_id"));
    assert_eq!(line["id"].as_str(), origin.last().field("x-request-id"));
}

/// By the short way and the whole, the log written or not.
#[test]
fn a_hit_has_a_span_alone() {
    let (origin, collector) = (app(), Collector::new());
    for (number, log) in ["json", "off"].into_iter().enumerate() {
        let endpoint = collector.url();
        let env = [("LARDER_TELEMETRY__ENDPOINT", endpoint.as_str())];
        let larder = Larder::with_env(origin.address, &["--access-log", log], &env);
        larder.get("/");
        assert!(larder.get("/").is_hit());
        assert!(larder.get_with("/", &[("X-Other", "1")]).is_hit());
        let spans = collector.all(4 * (number + 1));
        let hits: Vec<_> =
            spans.iter().filter(|span| span.get("larder.outcome") == "hit").collect();
        assert_eq!(hits.len(), 2 * (number + 1), "{spans:#?}");
        for hit in &hits {
            assert_eq!((hit.about(), hit.get("larder.ttl").len()), ("/", 2), "{hit:?}");
            assert_eq!((hit.get("server.address"), hit.parent.as_str()), ("site.test", ""));
            assert_eq!(hit.get("larder.request_id").len(), 32);
        }
        let traces: BTreeSet<_> = spans.iter().map(|span| &span.trace).collect();
        assert_eq!(traces.len(), 3 * (number + 1), "each begins a trace: {spans:#?}");
    }
}

#[test]
fn what_could_be_private_is_in_no_span() {
    let (origin, collector) = (app(), Collector::new());
    let larder = larder(origin.address, &collector.url(), &[]);
    let fields = [
        ("Cookie", "sessionid=SECRET"),
        ("Authorization", "Bearer SECRET"),
        ("User-Agent", "SECRET"),
        ("Referer", "http://site.test/?SECRET"),
        ("X-Other", "SECRET"),
        ("tracestate", "a=SECRET"),
    ];
    larder.get_with("/a?token=SECRET", &fields);
    larder.get_with("/a?token=SECRET", &fields[..1]);
    request(larder.proxy, "POST", "/a?token=SECRET", &fields, b"SECRET");
    request(larder.proxy, "GET", "http://site.test/b?SECRET", &fields, b"");
    let target = "/private?SECRET";
    larder.get_with(target, &fields);
    let spans = collector.all(10);
    for (seen, _) in collector.requests() {
        let text = String::from_utf8_lossy(&seen.body).into_owned();
        assert!(text.contains("/private") && !text.contains("SECRET"), "{spans:#?}");
        assert!(!text.contains("sessionid"), "{spans:#?}");
    }
}

#[test]
fn it_is_a_child_of_whom_the_request_names() {
    let (origin, collector) = (app(), Collector::new());
    let proxies = ("LARDER_TRUST__PROXIES", "127.0.0.1");
    let larder = larder(origin.address, &collector.url(), &[proxies]);
    let given = traceparent("01");
    larder.get_with("/", &[("traceparent", &given), ("X-Forwarded-For", "192.0.2.7")]);
    assert!(
        larder.get_with("/", &[("traceparent", &given), ("X-Forwarded-Proto", "http")]).is_hit()
    );
    let spans = collector.all(3);
    for server in &spans[..2] {
        assert_eq!((server.trace.as_str(), server.parent.as_str()), (TRACE, "b7ad6b7169203331"));
        assert_ne!(server.id, "b7ad6b7169203331");
    }
    assert_eq!(spans[0].get("client.address"), "192.0.2.7");
    assert_eq!(spans[0].get("network.peer.address"), "127.0.0.1");
    assert_eq!((&spans[2].parent, spans[2].trace.as_str()), (&spans[0].id, TRACE));
    assert_eq!(origin.last().field("traceparent"), Some(parent_of_others(&spans[2]).as_str()));
}

#[test]
fn what_goes_wrong_is_an_error_with_a_type() {
    let (origin, collector) = (app(), Collector::new());
    let larder = larder(origin.address, &collector.url(), &[]);
    larder.get("/broken");
    larder.get("/missing");
    request(larder.proxy, "GET", "/no space here", &[], b"");
    request(larder.proxy, "BREW", "/", &[], b"");
    let spans = collector.all(6);
    let types: Vec<_> = spans
        .iter()
        .map(|span| (span.is_server, span.name.as_str(), span.get("error.type"), span.is_error))
        .collect();
    assert_eq!(
        types,
        [
            (true, "GET", "500", true),
            (true, "GET", "", false),
            (true, "HTTP", "", false),
            (false, "GET", "500", true),
            (false, "GET", "404", true),
            (false, "HTTP", "", false),
        ]
    );
    assert_eq!(spans[2].get("http.request.method"), "_OTHER");
}

#[test]
fn an_app_that_is_away_or_slow_is_told_by_its_span() {
    let collector = Collector::new();
    let away = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = away.local_addr().expect("an address");
    drop(away);
    let larder = larder(address, &collector.url(), &[("LARDER_ORIGIN__HOLD", "0")]);
    assert_eq!(larder.get("/").status, 502);
    let spans = collector.all(2);
    assert_eq!((spans[0].get("error.type"), spans[1].get("error.type")), ("502", "connect"));
    assert_eq!(spans[0].get("larder.reason"), "connect");
    assert_eq!(spans[1].get("server.port"), address.port().to_string());
}

/// What the end cuts off was at the app all the same.
#[test]
fn a_request_that_is_given_up_is_told_of() {
    let collector = Collector::new();
    let silent = Origin::raw(|_, stream| {
        let _ = std::io::copy(&mut &stream, &mut std::io::sink());
    });
    let env = [("LARDER_TIMEOUTS__DRAIN", "0")];
    let mut larder = larder(silent.address, &collector.url(), &env);
    let mut connection = Connection::open(larder.proxy);
    connection.send(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
    wait_until("it is at the app", || larder.stat("/origin/requests") == 1);
    larder.terminate();
    larder.wait();
    let spans = collector.spans();
    let client = spans.iter().find(|span| !span.is_server).expect("a span");
    assert_eq!((client.get("error.type"), client.is_error), ("cancelled", true));
}

#[test]
fn who_waits_for_anothers_fetch_has_a_span_that_says_so() {
    let collector = Collector::new();
    let origin = Origin::answering(|_| {
        std::thread::sleep(Duration::from_millis(200));
        reply(200, &["Cache-Control: max-age=60"], "page")
    });
    let larder = larder(origin.address, &collector.url(), &[]);
    let proxy = larder.proxy;
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| get(proxy, "/", &[]));
        }
    });
    assert_eq!(origin.count(), 1);
    let spans = collector.all(5);
    let collapsed = spans.iter().filter(|span| span.get("larder.collapsed") == "true").count();
    assert_eq!(collapsed, 3, "{spans:#?}");
}

#[test]
fn each_attribute_is_in_the_document() {
    let (origin, collector) = (app(), Collector::new());
    let larder = larder(origin.address, &collector.url(), &[]);
    for path in ["/", "/", "/broken", "/private"] {
        larder.get(path);
    }
    let document = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/telemetry.md");
    let document = std::fs::read_to_string(document).expect("a file");
    for span in collector.all(7) {
        for name in span.attributes.keys() {
            let row = |line: &str| line.starts_with('|') && line.contains(&format!("`{name}`"));
            assert!(document.lines().any(row), "{name} has no row");
        }
    }
}
