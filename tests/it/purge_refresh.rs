//! Dry runs, undoing, fetching again; and purges at the same time as each other,
//! as a reload, and as the end.

use crate::harness::{Gate, House, Larder, Origin, Response, reply, request, together, wait_until};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

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
