//! HTTP cache groups (RFC 9875): an unsafe request names what it has changed, and
//! the page that it redirects to is new already.

use crate::harness::{Connection, Gate, Larder, Origin, reply, request};
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const INVALIDATION: &str = "Cache-Group-Invalidation: \"articles\", \"no one\"";

/// Pages of the group that their path names; `POST /...` answers with the status
/// that its path names, and outdates the articles, as all other answers would.
fn site() -> Origin {
    Origin::answering(|seen| {
        let name = seen.target.trim_start_matches('/');
        if seen.method != "GET" {
            return reply(name.parse().expect("a status"), &[INVALIDATION], "");
        }
        let group = format!("Cache-Groups: \"all\", \"{name}\";x=1");
        reply(200, &["Cache-Control: max-age=60", &group, INVALIDATION], "page")
    })
}

fn hits(larder: &Larder, path: &str, host: &str) -> bool {
    larder.get_with(path, &[("Host", host)]).is_hit()
}

#[test]
fn an_unsafe_request_outdates_a_group_of_its_own_origin() {
    for (method, status) in [("POST", 200), ("DELETE", 204), ("POST", 303), ("PATCH", 201)] {
        let origin = site();
        let larder = Larder::in_front_of(origin.address, &[]);
        for path in ["/articles", "/shop"] {
            for host in ["site.test", "other.test", "site.test:81"] {
                assert!(!hits(&larder, path, host));
            }
        }
        let answer = request(larder.proxy, method, &format!("/{status}"), &[], b"");
        assert_eq!(answer.status, status);
        assert_eq!(answer.field("cache-group-invalidation"), Some("\"articles\", \"no one\""));
        for (path, host, expected) in [
            ("/articles", "site.test", false),
            ("/shop", "site.test", true),
            ("/articles", "other.test", true),
            ("/articles", "site.test:81", true),
        ] {
            assert_eq!(hits(&larder, path, host), expected, "{method} {status}: {path} at {host}");
        }
        let hit = larder.get("/articles");
        assert!(hit.is_hit(), "{method} {status}: stored anew");
        assert_eq!(hit.field("cache-groups"), Some("\"all\", \"articles\";x=1"));
    }
}

#[test]
fn safe_requests_and_errors_outdate_nothing() {
    let origin = site();
    let larder = Larder::in_front_of(origin.address, &[]);
    larder.get("/articles");
    for (method, status) in [
        ("GET", 200),
        ("HEAD", 200),
        ("OPTIONS", 200),
        ("QUERY", 200),
        ("POST", 404),
        ("POST", 500),
        ("DELETE", 412),
    ] {
        request(larder.proxy, method, &format!("/{status}"), &[], b"");
        assert!(larder.get("/articles").is_hit(), "{method} {status}");
    }
}

#[test]
fn space_is_given_back_behind() {
    let origin = site();
    let larder = Larder::in_front_of(origin.address, &[]);
    for path in ["/articles", "/shop", "/start"] {
        larder.get(path);
    }
    request(larder.proxy, "POST", "/200", &[], b"");
    crate::harness::wait_until("the sweep has been", || larder.stat("/memory/targets") == 2);
}

#[test]
fn a_fetch_under_way_is_outdated_too() {
    for before_the_head in [true, false] {
        let (gate, there, version) =
            (Gate::closed(), Gate::closed(), Arc::new(AtomicUsize::new(1)));
        let (waits, told, now) = (gate.clone(), there.clone(), Arc::clone(&version));
        let origin = Origin::scripted(move |seen, stream| {
            if seen.method == "POST" {
                now.store(2, Ordering::SeqCst);
                return stream.write_all(reply(204, &[INVALIDATION], "").as_bytes()).is_ok();
            }
            let version = now.load(Ordering::SeqCst);
            let fields = ["Cache-Control: max-age=60", "Cache-Groups: \"articles\""];
            let text = reply(200, &fields, &format!("version {version}"));
            let split = if before_the_head { 0 } else { text.len() - 3 };
            stream.write_all(&text.as_bytes()[..split]).expect("the first half");
            if version == 1 {
                told.open();
                waits.pass();
            }
            stream.write_all(&text.as_bytes()[split..]).is_ok()
        });
        let larder = Larder::in_front_of(origin.address, &[]);
        let mut reader = Connection::open(larder.proxy);
        reader.ask("/page", "");
        there.pass();
        assert_eq!(request(larder.proxy, "POST", "/edit", &[], b"").status, 204);
        gate.open();
        assert_eq!(reader.answer("GET").expect("an answer").text(), "version 1");
        for _ in 0..3 {
            assert_eq!(larder.get("/page").text(), "version 2", "{before_the_head}");
        }
    }
}

#[test]
fn groups_are_kept_through_a_304() {
    let origin =
        Origin::answering(|seen| match (seen.method.as_str(), seen.field("if-none-match")) {
            ("GET", None) => reply(
                200,
                &[
                    "Cache-Control: no-cache, max-age=60",
                    "ETag: \"1\"",
                    "Cache-Groups: \"articles\"",
                ],
                "page",
            ),
            ("GET", _) => reply(304, &["Cache-Control: max-age=60", "ETag: \"1\""], ""),
            _ => reply(200, &[INVALIDATION], ""),
        });
    let larder = Larder::in_front_of(origin.address, &[]);
    larder.get("/page");
    assert_eq!(larder.get("/page").cache_status(), "larder; fwd=stale; fwd-status=304; stored");
    assert!(larder.get("/page").is_hit());
    request(larder.proxy, "POST", "/edit", &[], b"");
    assert_eq!(larder.get("/page").cache_status(), "larder; fwd=uri-miss; stored");
}
