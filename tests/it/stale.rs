//! After the freshness: unsafe methods, an origin that is down or slow, and
//! validation behind the visitor's back.

use crate::harness::{
    Connection, Gate, House, Larder, Origin, reply, request, together, wait_until,
};
use larder::config::{Settings, Target};
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

fn fresh_pages() -> Origin {
    Origin::answering(|seen| match (seen.method.as_str(), seen.target.as_str()) {
        ("GET", _) => reply(200, &["Cache-Control: max-age=60"], "page"),
        (_, "/refused") => reply(403, &["Location: /located"], "no"),
        (_, "/broken") => reply(500, &[], "oh"),
        (_, "/created") => {
            reply(201, &["Location: /located", "Content-Location: http://site.test/content"], "")
        }
        (_, "/moved") => reply(303, &["Location: http://other.test/located"], ""),
        _ => reply(204, &[], ""),
    })
}

#[test]
fn unsafe_methods_invalidate_what_they_may_have_changed() {
    for method in ["POST", "PUT", "DELETE", "PATCH", "FROBNICATE"] {
        let origin = fresh_pages();
        let larder = Larder::in_front_of(origin.address, &[]);
        let pages = ["/page", "/created", "/moved", "/located", "/content", "/bystander"];
        for path in pages {
            larder.get(path);
        }
        let other = [("Host", "other.test")];
        larder.get_with("/located", &other);
        for path in ["/page", "/created", "/moved"] {
            let answer = request(larder.proxy, method, path, &[], b"x");
            assert_eq!(answer.cache_status(), "larder; fwd=method", "{method}");
        }
        for path in pages {
            assert_eq!(larder.get(path).is_hit(), path == "/bystander", "{method} {path}");
        }
        assert!(larder.get_with("/located", &other).is_hit(), "another host's is not theirs");
    }
}

#[test]
fn errors_and_safe_methods_invalidate_nothing() {
    let origin = fresh_pages();
    let larder = Larder::in_front_of(origin.address, &[]);
    let pages = ["/refused", "/broken", "/located", "/page"];
    for path in pages {
        larder.get(path);
    }
    for (method, path) in
        [("POST", "/refused"), ("DELETE", "/broken"), ("OPTIONS", "/page"), ("HEAD", "/page")]
    {
        request(larder.proxy, method, path, &[], b"");
    }
    for path in pages {
        assert!(larder.get(path).is_hit(), "{path}");
    }
}

#[test]
fn all_variants_are_invalidated_before_the_answer_is_given() {
    let version = Arc::new(AtomicUsize::new(1));
    let now = Arc::clone(&version);
    let origin = Origin::answering(move |seen| {
        if seen.method == "POST" {
            now.fetch_add(1, Ordering::SeqCst);
            return reply(302, &["Location: /page"], "");
        }
        let text = format!("version {}", now.load(Ordering::SeqCst));
        reply(200, &["Cache-Control: max-age=60", "Vary: Accept"], &text)
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    for round in 1..20 {
        for accept in ["text/html", "text/plain"] {
            for _ in 0..2 {
                let answer = larder.get_with("/page", &[("Accept", accept)]);
                assert_eq!(answer.text(), format!("version {round}"));
            }
        }
        assert_eq!(request(larder.proxy, "POST", "/page", &[], b"x").status, 302);
    }
    assert_eq!(origin.count(), 19 * 3);
}

#[test]
fn only_if_cached_never_asks_the_origin() {
    let origin = Origin::answering(|seen| {
        let fields: &[&str] = match seen.target.as_str() {
            "/stale" => &["Cache-Control: max-age=0", "ETag: \"1\""],
            _ => &["Cache-Control: max-age=60"],
        };
        reply(200, fields, "page")
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    let only = [("Cache-Control", "only-if-cached")];
    let none = larder.get_with("/fresh", &only);
    assert_eq!((none.status, none.cache_status()), (504, "larder; detail=only-if-cached"));
    assert!(none.text().contains("only-if-cached"));
    larder.get("/fresh");
    larder.get("/stale");
    assert_eq!(larder.get_with("/fresh", &only).text(), "page");
    let stale = larder.get_with("/stale", &only);
    assert_eq!((stale.status, stale.cache_status()), (504, "larder; detail=only-if-cached"));
    assert_eq!(origin.count(), 2);
}

/// Stale at once; down or in error when it is told so.
fn failing(trouble: Arc<AtomicUsize>) -> Origin {
    Origin::scripted(move |seen, stream| {
        let cache = match seen.target.as_str() {
            "/plain" => "Cache-Control: max-age=0",
            "/must" => "Cache-Control: max-age=0, must-revalidate, stale-if-error=60",
            "/shared" => "Cache-Control: s-maxage=0",
            "/no-cache" => "Cache-Control: no-cache, stale-if-error=60",
            "/if-error" => "Cache-Control: max-age=0, stale-if-error=60",
            other => panic!("{other}"),
        };
        let text = match trouble.load(Ordering::SeqCst) {
            0 => reply(200, &[cache, "ETag: \"1\""], "good"),
            1 => return false,
            status => reply(u16::try_from(status).expect("a status"), &[], "trouble"),
        };
        stream.write_all(text.as_bytes()).is_ok()
    })
}

#[test]
fn a_stale_page_stands_in_for_an_origin_that_is_down() {
    let trouble = Arc::new(AtomicUsize::new(0));
    let origin = failing(Arc::clone(&trouble));
    // Each is asked for, however many have failed.
    let env = ("LARDER_ORIGIN__EJECT_AFTER", "0");
    let larder = Larder::with_env(origin.address, &[], &[env]);
    let pages = ["/plain", "/must", "/shared", "/no-cache", "/if-error"];
    for path in pages {
        larder.get(path);
    }
    trouble.store(1, Ordering::SeqCst);
    for path in pages {
        let answer = larder.get(path);
        if matches!(path, "/plain" | "/if-error") {
            assert_eq!((answer.status, answer.text().as_str()), (200, "good"), "{path}");
            let said = answer.cache_status();
            assert_eq!(said, "larder; fwd=stale; ttl=0; detail=stale-when-down", "{path}");
        } else {
            assert_eq!(answer.status, 502, "{path}: {}", answer.text());
            assert_eq!(answer.cache_status(), "larder; fwd=stale; detail=broken-response");
        }
    }
    trouble.store(0, Ordering::SeqCst);
    for path in pages {
        assert_eq!(larder.get(path).text(), "good");
    }
}

#[test]
fn a_stale_page_stands_in_for_an_error_only_if_someone_says_so() {
    let trouble = Arc::new(AtomicUsize::new(0));
    let origin = failing(Arc::clone(&trouble));
    let larder = Larder::in_front_of(origin.address, &[]);
    let pages = ["/plain", "/must", "/shared", "/no-cache", "/if-error"];
    for status in [500, 502, 503, 504, 404] {
        trouble.store(0, Ordering::SeqCst);
        for path in pages {
            larder.get(path);
        }
        trouble.store(status, Ordering::SeqCst);
        for path in pages {
            let answer = larder.get(path);
            if path == "/if-error" && status >= 500 {
                assert_eq!((answer.status, answer.text().as_str()), (200, "good"));
                let said =
                    format!("larder; fwd=stale; fwd-status={status}; ttl=0; detail=stale-if-error");
                assert_eq!(answer.cache_status(), said);
            } else {
                assert_eq!(answer.status, u16::try_from(status).expect("a status"), "{path}");
                assert_eq!(answer.text(), "trouble", "{path}");
            }
        }
    }
}

#[test]
fn the_operator_can_allow_stale_pages_for_errors() {
    let trouble = Arc::new(AtomicUsize::new(0));
    let origin = failing(Arc::clone(&trouble));
    let env = [("LARDER_CACHE__STALE_IF_ERROR", "1h")];
    let larder = Larder::with_env(origin.address, &[], &env);
    larder.get("/plain");
    larder.get("/must");
    trouble.store(503, Ordering::SeqCst);
    assert_eq!(larder.get("/plain").text(), "good");
    assert_eq!(larder.get("/must").status, 503);
}

#[test]
fn stale_while_revalidate_is_served_at_once_and_validated_once_behind() {
    let gate = Gate::closed();
    let waits = gate.clone();
    let first = AtomicBool::new(true);
    let origin = Origin::answering(move |seen| {
        if first.swap(false, Ordering::SeqCst) {
            let cache = "Cache-Control: max-age=0, stale-while-revalidate=60";
            return reply(200, &[cache, "ETag: \"1\""], "old");
        }
        assert_eq!(seen.field("if-none-match"), Some("\"1\""));
        waits.pass();
        reply(200, &["Cache-Control: max-age=60", "ETag: \"2\""], "new")
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    assert_eq!(larder.get("/").text(), "old");
    let proxy = larder.proxy;
    for answer in together(10, move |_| crate::harness::get(proxy, "/", &[])) {
        assert_eq!(answer.text(), "old");
        assert_eq!(answer.cache_status(), "larder; hit; ttl=0; detail=stale-while-revalidate");
    }
    wait_until("it is validated", || origin.count() == 2);
    gate.open();
    wait_until("the new page is there", || larder.get("/").text() == "new");
    assert_eq!(larder.get("/").field("etag"), Some("\"2\""));
    assert_eq!(origin.count(), 2, "once, for all of them");
}

#[test]
fn a_failed_validation_behind_keeps_the_stale_page() {
    let count = AtomicUsize::new(0);
    let origin = Origin::scripted(move |_, stream| match count.fetch_add(1, Ordering::SeqCst) {
        0 => {
            let cache = "Cache-Control: max-age=0, stale-while-revalidate=60";
            stream.write_all(reply(200, &[cache], "old").as_bytes()).is_ok()
        }
        _ => false,
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    let mut client = Connection::open(larder.proxy);
    for _ in 0..5 {
        client.ask("/", "");
        assert_eq!(client.answer("GET").expect("an answer").text(), "old");
    }
    wait_until("it was tried", || larder.stat("/origin/failures") > 0);
    assert_eq!(larder.get("/").text(), "old");
}

#[test]
fn while_the_origin_is_known_to_be_away_nobody_waits_for_it() {
    let (away, gate) = (Arc::new(AtomicBool::new(false)), Gate::closed());
    let (is_away, waits) = (Arc::clone(&away), gate.clone());
    let origin = Origin::scripted(move |seen, stream| {
        let is_away = is_away.load(Ordering::SeqCst);
        if is_away && seen.target == "/slow" {
            waits.pass();
        }
        // Hangs up, or goes on.
        !is_away
            && stream
                .write_all(reply(200, &["Cache-Control: max-age=10"], "page").as_bytes())
                .is_ok()
    });
    let mut settings = Settings::new(Target::Tcp {
        host: origin.address.ip().to_string(),
        port: origin.address.port(),
    });
    (settings.cache.jitter, settings.cache.early_refresh) = (0, 0);
    (settings.origin.eject_after, settings.origin.eject_for) = (1, Duration::from_secs(3600));
    let house = House::with(settings);
    for path in ["/", "/slow"] {
        house.get(path);
    }
    house.pass(11);
    away.store(true, Ordering::SeqCst);
    assert_eq!(house.status("/"), "larder; fwd=stale; ttl=-1; detail=stale-when-down");
    for _ in 0..2 {
        assert_eq!(house.status("/slow"), "larder; hit; ttl=-1; detail=stale-when-down");
    }
    gate.open();
    away.store(false, Ordering::SeqCst);
    wait_until("what comes behind is seen", || house.status("/") == "larder; hit; ttl=10");
}
