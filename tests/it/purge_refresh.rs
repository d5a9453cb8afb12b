//! Dry runs, undoing, fetching again; and purges at the same time as each other,
//! as a reload, and as the end.

use crate::harness::{Gate, House, Larder, Origin, Response, reply, request, together, wait_until};
use larder::config::{Settings, Target};
use serde_json::{Value, json};
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

fn said(answer: &Response) -> Value {
    serde_json::from_slice(&answer.body).expect("a JSON document")
}

fn site() -> Origin {
    Origin::answering(|seen| {
        let tag = format!("Cache-Tag: all, {}", seen.target.replace('/', "t"));
        let vary = "Vary: Accept-Encoding, Cookie";
        reply(200, &["Cache-Control: max-age=600", vary, &tag], "page")
    })
}

fn ask(larder: &Larder, method: &str, path: &str) -> Response {
    request(larder.admin, method, path, &[("Host", "localhost")], b"")
}

#[test]
fn a_dry_run_says_what_would_be_met_and_changes_nothing() {
    let origin = site();
    let house = House::in_front_of(&origin, |_| {});
    let purge = |document: Value| {
        let admin = house.running.admin().expect("an admin port");
        let body = document.to_string();
        said(&request(admin, "POST", "/v1/purge", &[("Host", "localhost")], body.as_bytes()))
    };
    for path in ["/a", "/a", "/a", "/a?x", "/b"] {
        house.get(path);
    }
    house.pass(4);
    house.get("/b");
    house.get("/b");
    let answer = purge(json!({
        "dry_run": true,
        "refresh": true,
        "urls": ["http://site.test/a"],
        "paths": ["http://site.test/a"],
        "hosts": ["site.test", "other.test"],
        "patterns": [{"url": "^/a"}, {"url": "b$", "host": "^site"}],
    }));
    assert_eq!((&answer["dry_run"], &answer["objects"]), (&json!(true), &json!(3)));
    // Two for /a and two for /b, in four seconds.
    assert_eq!(answer["requests_per_second"], 1.0);
    assert_eq!(answer["refresh"], json!({"wanted": 2, "left_out": 0}));
    assert!(answer["bytes"].as_u64().is_some_and(|bytes| bytes > 1000), "{answer}");
    let objects = |list: &str| {
        let entries = answer[list].as_array().expect("a list");
        entries.iter().map(|entry| entry["objects"].as_u64().expect("a count")).collect::<Vec<_>>()
    };
    assert_eq!(objects("urls"), [1]);
    assert_eq!(objects("paths"), [2]);
    assert_eq!(objects("hosts"), [3, 0]);
    assert_eq!(objects("patterns"), [2, 1]);
    assert_eq!(answer["patterns"][1]["pattern"], json!({"host": "^site", "url": "b$"}));
    assert!(answer.get("number").is_none(), "it is no purge");
    for path in ["/a", "/a?x", "/b"] {
        assert!(house.get(path).is_hit(), "{path}");
    }
    let answer = purge(json!({"paths": ["https://site.test/a?y"], "patterns": [{"url": "/b"}]}));
    assert_eq!((&answer["purged"], &answer["number"]), (&json!(3), &json!(1)));
    for path in ["/a", "/a?x", "/b"] {
        assert!(!house.get(path).is_hit(), "{path}");
    }
}

#[test]
fn a_soft_purge_is_undone_once_and_a_hard_one_never() {
    let origin = site();
    let larder = Larder::in_front_of(origin.address, &[]);
    larder.get("/a");
    larder.purge(r#"{"tags":["all"],"soft":true}"#);
    larder.purge(r#"{"tags":["none"]}"#);
    let answer = ask(&larder, "POST", "/v1/purges/1/undo");
    assert_eq!((answer.status, said(&answer)), (200, json!({"number": 1, "undone": 1})));
    assert_eq!(said(&ask(&larder, "GET", "/v1/purges/1"))["undone"], true);
    let again = larder.get("/a");
    assert!(again.is_hit() && !again.cache_status().contains("soft-purge"), "{again:?}");
    for (number, status) in [(1, 409), (2, 409), (3, 404)] {
        let answer = ask(&larder, "POST", &format!("/v1/purges/{number}/undo"));
        assert_eq!(answer.status, status, "{number}: {}", answer.text());
    }
    assert_eq!(origin.count(), 1);
}

/// An origin that counts how many requests it has at once, and answers nobody
/// until the gate opens.
fn crowded(gate: &Gate) -> (Origin, Arc<AtomicUsize>, Arc<AtomicUsize>) {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (own_now, own_most, gate) = (Arc::clone(&now), Arc::clone(&most), gate.clone());
    let origin = Origin::answering(move |seen| {
        let count = own_now.fetch_add(1, Ordering::SeqCst) + 1;
        own_most.fetch_max(count, Ordering::SeqCst);
        if seen.field("user-agent").is_some_and(|agent| agent.starts_with("larder/")) {
            gate.pass();
        }
        own_now.fetch_sub(1, Ordering::SeqCst);
        reply(200, &["Cache-Control: max-age=600", "Vary: Accept-Encoding"], "page")
    });
    (origin, now, most)
}

#[test]
fn what_was_asked_for_is_fetched_again_a_few_at_a_time() {
    for soft in [false, true] {
        let gate = Gate::closed();
        let (origin, now, most) = crowded(&gate);
        let env = [("LARDER_PURGE__REFRESH_AT_ONCE", "2"), ("LARDER_PURGE__REFRESH_MOST", "5")];
        let larder = Larder::with_env(origin.address, &[], &env);
        let coded = [("Accept-Encoding", "gzip, br")];
        for page in 0..6 {
            for _ in 0..2 + page {
                larder.get_with(&format!("/{page}"), &coded);
            }
        }
        larder.get("/once");
        most.store(0, Ordering::SeqCst);
        let asked = json!({"all": true, "refresh": true, "soft": soft}).to_string();
        let answer = said(&larder.purge(&asked));
        assert_eq!((&answer["purged"], &answer["refresh"]["wanted"]), (&json!(7), &json!(5)));
        assert_eq!(answer["refresh"]["left_out"], 1, "the one that was asked for least");
        wait_until("two are fetched", || now.load(Ordering::SeqCst) == 2);
        let progress = || said(&ask(&larder, "GET", "/v1/purges/1"))["refresh"].clone();
        assert_eq!(progress()["waiting"], 5);
        gate.open();
        wait_until("all are fetched", || progress()["waiting"] == 0);
        assert_eq!(progress()["fetched"], 5, "{}", progress());
        assert_eq!(most.load(Ordering::SeqCst), 2, "no more than two at once");
        let before = origin.count();
        for page in 1..6 {
            let answer = larder.get_with(&format!("/{page}"), &coded);
            let status = answer.cache_status();
            assert!(answer.is_hit() && !status.contains("soft-purge"), "{status}");
        }
        assert_eq!(origin.count(), before);
        let last = origin.last();
        assert_eq!(last.field("accept-encoding"), Some("br,gzip"));
        assert_eq!(last.field("host"), Some("site.test"));
    }
}

/// What has come of a soft purge of everything that is fetched again.
fn refreshed_softly(house: &House) -> Value {
    house.purge_all_of(r#"{"all":true,"soft":true,"refresh":true}"#);
    wait_until("it is over", || progress(house)["waiting"] == 0);
    progress(house)
}

/// How far the fetching of the first purge has come.
fn progress(house: &House) -> Value {
    let admin = house.running.admin().expect("an admin port");
    let record = request(admin, "GET", "/v1/purges/1", &[("Host", "localhost")], b"");
    said(&record)["refresh"].clone()
}

#[test]
fn what_the_app_confirms_is_fetched_too() {
    let origin = Origin::answering(|seen| match seen.field("if-none-match") {
        Some(_) => reply(304, &["Cache-Control: max-age=600", "ETag: \"v\""], ""),
        None => reply(200, &["Cache-Control: max-age=600", "ETag: \"v\""], "page"),
    });
    let house = House::in_front_of(&origin, |_| {});
    house.get("/a");
    house.get("/a");
    let progress = refreshed_softly(&house);
    assert_eq!((&progress["fetched"], &progress["failed"]), (&json!(1), &json!(0)), "{progress}");
    assert_eq!((house.status("/a").as_str(), origin.count()), ("larder; hit; ttl=600", 2));
}

/// A house with these pages, which were all asked for again, and one fetch at a
/// time; once it is away, the app waits for the page's gate and hangs up.
fn left_alone(
    gates: [(&'static str, Gate); 2],
    set: impl FnOnce(&mut Settings),
) -> (House, Origin) {
    let away = Arc::new(AtomicBool::new(false));
    let (is_away, waits) = (Arc::clone(&away), gates.clone());
    let origin = Origin::scripted(move |seen, stream| {
        if is_away.load(Ordering::SeqCst) {
            let its = waits.iter().find(|(path, _)| *path == seen.target);
            its.iter().for_each(|(_, gate)| gate.pass());
            return false;
        }
        let page = reply(200, &["Cache-Control: max-age=600"], "page");
        stream.write_all(page.as_bytes()).is_ok()
    });
    let (host, port) = (origin.address.ip().to_string(), origin.address.port());
    let mut settings = Settings::new(Target::Tcp { host, port });
    settings.purge.refresh_at_once = 1;
    set(&mut settings);
    let house = House::with(settings);
    for (times, (path, _)) in gates.iter().rev().enumerate() {
        for _ in 0..2 + times {
            house.get(path);
        }
    }
    away.store(true, Ordering::SeqCst);
    (house, origin)
}

#[test]
fn what_stands_in_for_an_app_that_is_away_is_not_fetched() {
    let gates = ["/a", "/b"].map(|path| (path, Gate::closed()));
    gates.iter().for_each(|(_, gate)| gate.open());
    let (house, _origin) = left_alone(gates, |settings| {
        settings.cache.soft_purge_window = Duration::ZERO;
        (settings.origin.eject_after, settings.origin.eject_for) = (1, Duration::from_secs(3600));
    });
    // The first finds out that it is away, and the second knows.
    let progress = refreshed_softly(&house);
    assert_eq!((&progress["failed"], &progress["fresh"]), (&json!(2), &json!(0)), "{progress}");
    assert!(house.status("/b").contains("stale-when-down"), "{}", house.status("/b"));
}

#[test]
fn what_stands_in_for_another_ones_fetch_that_failed_is_not_fetched() {
    let gates = ["/a", "/b"].map(|path| (path, Gate::closed()));
    let [(_, first), (_, second)] = gates.clone();
    let (house, origin) = left_alone(gates, |_| {});
    house.purge_all_of(r#"{"all":true,"soft":true,"refresh":true}"#);
    wait_until("the first is fetched", || origin.count() == 3);
    assert!(house.status("/b").contains("soft-purge"));
    wait_until("a visitor's is fetched too", || origin.count() == 4);
    first.open();
    wait_until("the first has failed", || progress(&house)["failed"] == 1);
    // Its one thread has been at the second since.
    house.get("/b");
    second.open();
    wait_until("it is over", || progress(&house)["waiting"] == 0);
    let progress = progress(&house);
    assert_eq!((&progress["failed"], &progress["fetched"]), (&json!(2), &json!(0)), "{progress}");
}

#[test]
fn nobody_is_impersonated_to_fetch_again() {
    let origin = site();
    let larder = Larder::in_front_of(origin.address, &[]);
    for fields in [&[("Cookie", "sessionid=secret")][..], &[]] {
        for _ in 0..2 {
            larder.get_with("/a", fields);
        }
    }
    let before = origin.count();
    let answer = said(&larder.purge(r#"{"all":true,"refresh":true}"#));
    let refresh = &answer["refresh"];
    assert_eq!((&refresh["wanted"], &refresh["left_out"]), (&json!(1), &json!(1)), "{answer}");
    wait_until("it is fetched", || origin.count() > before);
    assert_eq!(origin.last().field("cookie"), None);
}

#[test]
fn a_fetch_that_fails_is_told() {
    let count = AtomicUsize::new(0);
    let origin = Origin::answering(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 => reply(200, &["Cache-Control: max-age=600"], "page"),
        _ => reply(500, &[], "no"),
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    larder.get("/a");
    larder.get("/a");
    let admin = larder.admin.to_string();
    let args = ["purge", "--all", "--refresh", "--watch", "--admin", &admin];
    let (code, out, err) = Larder::run(&args, &[]);
    assert_eq!(code, Some(1), "{out}{err}");
    assert!(out.starts_with("1 response forgotten (purge 1)\n1 are fetched again"), "{out}");
    assert!(out.contains("1 of 1: 0 fetched, 0 fresh already, 1 failed"), "{out}");
    assert!(err.contains("1 response was not fetched again"), "{err}");
}

#[test]
fn the_command_says_what_was_done_and_what_was_refused() {
    let origin = site();
    let larder = Larder::with_env(origin.address, &[], &[("LARDER_ADMIN__TOKEN", "s3cret")]);
    larder.get("/a");
    larder.get("/a");
    let admin = larder.admin.to_string();
    let run = |args: &[&str], token: &str| {
        let args = [&["purge", "--admin", &admin][..], args].concat();
        Larder::run(&args, &[("LARDER_TOKEN", token)])
    };
    for (args, code, expected) in [
        (&["--host", "site.test", "--dry-run"][..], 0, "1 response would be forgotten\n"),
        (&["--path", "http://site.test/a?x", "--soft"], 0, "1 response made stale (purge 1)\n"),
        (&["--undo", "1"], 0, "1 response as fresh as before purge 1\n"),
        (&["--undo", "1"], 1, "error: 409 Conflict: it has been undone already\n"),
        (&["--pattern", "/("], 1, "patterns[0]: the expression for the URL: at byte 1"),
        (&["/a", "--tag", "ok"], 1, "error: 400 Bad Request: urls[0] \"/a\": an absolute URL"),
        (&["--pattern", "^/a$"], 0, "1 response forgotten\n  pattern ^/a$: 1 response\n"),
        (&["--all", "--json"], 0, "{\"number\":3,\"purged\":0,\"soft\":false}\n"),
        (&["--undo", "1", "--all"], 2, "cannot be used with"),
        (&["--all", "--watch"], 2, "--refresh"),
        (&[], 2, "required"),
    ] {
        let (ended, out, err) = run(args, "s3cret");
        assert_eq!(ended, Some(code), "{args:?}: {out}{err}");
        assert!(format!("{out}{err}").contains(expected), "{args:?}: {out}{err}");
    }
    let (ended, _, err) = run(&["--all"], "wrong");
    assert_eq!(ended, Some(1));
    assert!(err.contains("401 Unauthorized") && err.contains("LARDER_TOKEN"), "{err}");
    drop(larder);
    let (ended, _, err) = run(&["--all"], "s3cret");
    assert_eq!(ended, Some(1));
    assert!(err.contains(&format!("no larder answers at http://{admin}")), "{err}");
}

#[test]
fn purges_at_once_and_during_a_reload_are_all_done() {
    let origin = site();
    let dir = tempfile::tempdir().expect("a directory");
    let config = dir.path().join("larder.toml");
    let write = |ttl: usize| {
        let text = format!(
            "listen = '127.0.0.1:0'\norigin.to = '{}'\nadmin.listen = '127.0.0.1:0'\n\
             cache.default_ttl = '{ttl}s'\n",
            origin.address
        );
        std::fs::write(&config, text).expect("a file");
    };
    write(0);
    let larder = Larder::spawn(&["run", "--config", &config.display().to_string()], &[]);
    for page in 0..20 {
        larder.get(&format!("/{page}"));
    }
    let admin = larder.admin;
    let purges = std::thread::spawn(move || {
        together(4, move |number| {
            let numbers = (0..25).map(|at| {
                let soft = at % 2 == 0;
                let document = json!({"tags": ["all", format!("t{number}")], "soft": soft});
                let (host, body) = ([("Host", "localhost")], document.to_string());
                let answer = request(admin, "POST", "/v1/purge", &host, body.as_bytes());
                assert_eq!(answer.status, 200, "{}", answer.text());
                said(&answer)["number"].as_u64().expect("a number")
            });
            numbers.collect::<Vec<u64>>()
        })
    });
    for ttl in 1..10 {
        write(ttl);
        assert_eq!(larder.reload().status, 200);
    }
    let mut numbers: Vec<u64> = purges.join().expect("the purges").concat();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=100).collect::<Vec<u64>>());
    let recorded = said(&ask(&larder, "GET", "/v1/purges?limit=1000"))["purges"].clone();
    assert_eq!(recorded.as_array().map(Vec::len), Some(100));
    for page in 0..20 {
        assert!(!larder.get(&format!("/{page}")).is_hit());
    }
}

#[test]
fn a_purge_while_larder_is_closing_is_done() {
    let gate = Gate::closed();
    let (held, waiting) = (gate.clone(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&waiting);
    let origin = Origin::answering(move |seen| {
        if seen.target == "/slow" {
            counted.fetch_add(1, Ordering::SeqCst);
            held.pass();
        }
        reply(200, &["Cache-Control: max-age=600"], "page")
    });
    let mut larder = Larder::in_front_of(origin.address, &[]);
    larder.get("/a");
    let proxy = larder.proxy;
    let slow = std::thread::spawn(move || crate::harness::get(proxy, "/slow", &[]).status);
    wait_until("the app has the slow request", || waiting.load(Ordering::SeqCst) == 1);
    larder.terminate();
    wait_until("it is closing", || ask(&larder, "GET", "/readyz").status == 503);
    let answer = larder.purge(r#"{"all":true}"#);
    assert_eq!((answer.status, said(&answer)["purged"].as_u64()), (200, Some(1)));
    gate.open();
    assert_eq!(slow.join().expect("an answer"), 200);
    assert!(larder.wait().success());
}
