//! `No-Vary-Search` (draft-ietf-httpbis-no-vary-search): what is stored for one
//! query answers others.

use crate::harness::{Connection, Gate, Larder, Origin, get, reply, request, wait_until};
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Answers with its target, and with this field.
fn site(field: &'static str) -> Origin {
    Origin::answering(move |seen| {
        let tag = "Cache-Tag: t";
        reply(200, &["Cache-Control: max-age=60", field, tag], &seen.target)
    })
}

#[test]
fn what_does_not_matter_is_a_hit_and_the_origin_sees_what_was_asked() {
    let origin = site("No-Vary-Search: key-order, params=(\"utm_source\" \"utm_medium\")");
    let larder = Larder::in_front_of(origin.address, &[]);
    assert_eq!(larder.get("/p?b=2&utm_source=x&a=1").text(), "/p?b=2&utm_source=x&a=1");
    assert_eq!(origin.last().target, "/p?b=2&utm_source=x&a=1");
    for target in
        ["/p?b=2&utm_source=x&a=1", "/p?a=1&b=2", "/p?utm_medium=mail&b=%32&a=1&utm_source=y"]
    {
        let hit = larder.get(target);
        assert!(hit.is_hit(), "{target}");
        assert_eq!(hit.text(), "/p?b=2&utm_source=x&a=1");
    }
    for target in ["/p?a=1", "/p", "/p?a=1&b=2&c", "/p?a=2&b=1", "/q?a=1&b=2"] {
        let miss = larder.get(target);
        assert_eq!((miss.is_hit(), miss.text().as_str()), (false, target));
    }
    let elsewhere = larder.get_with("/p?a=1&b=2", &[("Host", "other.test")]);
    assert!(!elsewhere.is_hit());
}

#[test]
fn without_the_field_or_with_a_broken_one_everything_matters() {
    for field in
        ["X-Nothing: 1", "No-Vary-Search: params=(a)", "No-Vary-Search: params, except=\"a\""]
    {
        let origin = site(field);
        let larder = Larder::in_front_of(origin.address, &[]);
        larder.get("/p?a=1");
        assert!(!larder.get("/p?a=2").is_hit(), "{field}");
        assert!(!larder.get("/p?a=1&").is_hit(), "{field}");
        assert!(larder.get("/p?a=1").is_hit(), "{field}");
    }
}

#[test]
fn only_a_response_that_says_so_answers_another_query() {
    // The page without a query says nothing: it is for itself alone.
    let origin = Origin::answering(|seen| {
        let field = match seen.target.as_str() {
            "/p" | "/p?plain" => "X-Nothing: 1",
            _ => "No-Vary-Search: params",
        };
        reply(200, &["Cache-Control: max-age=60", field], &seen.target)
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    assert_eq!(larder.get("/p?plain").text(), "/p?plain");
    assert_eq!(larder.get("/p?a").text(), "/p?a");
    assert_eq!(larder.get("/p?plain").text(), "/p?plain", "its own response goes first");
    assert_eq!(larder.get("/p?b").text(), "/p?a");
    assert!(larder.get("/p").is_hit(), "it is one of those that the field means");

    let larder = Larder::in_front_of(origin.address, &[]);
    larder.get("/p?a");
    request(larder.proxy, "PURGE", "/p?a", &[], b"");
    assert_eq!(larder.get("/p").text(), "/p");
    assert_eq!(larder.get("/p?b").text(), "/p?b", "what /p says is not for others");
}

#[test]
fn a_purge_of_any_of_the_urls_forgets_it() {
    let origin = site("No-Vary-Search: params=(\"x\")");
    let larder = Larder::in_front_of(origin.address, &[]);
    let url = |query: &str| format!(r#"{{"urls":["http://site.test/p{query}"]}}"#);
    for purge in [
        url("?x=1"),
        url("?x=3"),
        url(""),
        r#"{"urls":["https://site.test/p?x=1"],"tags":["other"]}"#.to_string(),
        r#"{"tags":["t"]}"#.to_string(),
        r#"{"prefixes":["http://site.test/p"]}"#.to_string(),
        r#"{"patterns":[{"url":"x=1$"}]}"#.to_string(),
        r#"{"patterns":[{"url":"^/p\\?x=[34]"}]}"#.to_string(),
        r#"{"all":true}"#.to_string(),
    ] {
        larder.get("/p?x=1");
        assert!(larder.get("/p?x=2").is_hit());
        let said = larder.purge(&purge).text();
        assert!(said.contains("\"purged\":1"), "{purge}: {said}");
        assert!(!larder.get("/p?x=2").is_hit(), "{purge}");
    }
    for (method, target) in [("PURGE", "/p?x=7"), ("POST", "/p?x=8"), ("DELETE", "/p")] {
        larder.get("/p?x=2");
        assert!(larder.get("/p?x=3").is_hit());
        assert_eq!(request(larder.proxy, method, target, &[], b"").status, 200);
        assert!(!larder.get("/p?x=1").is_hit(), "{method} {target}");
    }
    larder.get("/p?x=2");
    larder.purge(&url("?y=1"));
    larder.purge(r#"{"patterns":[{"url":"^/(m|n)"},{"url":"^/p/"},{"url":"^/q\\?x=2"}]}"#);
    assert!(larder.get("/p?x=3").is_hit(), "another page");
}

#[test]
fn what_answers_for_another_query_is_explained_and_told() {
    let origin = site("No-Vary-Search: params=(\"x\")");
    let larder = Larder::in_front_of(origin.address, &[]);
    larder.get("/p?x=1");
    let told = |path: &str| {
        let host = [("Host", "localhost")];
        let path = format!("/v1/{path}http%3A%2F%2Fsite.test%2Fp%3Fx%3D2");
        let answer = get(larder.admin, &path, &host);
        assert_eq!(answer.status, 200, "{}", answer.text());
        serde_json::from_slice::<serde_json::Value>(&answer.body).expect("JSON")
    };
    let explained = told("explain?url=");
    assert_eq!(explained["outcome"]["token"], "hit", "{explained}");
    assert_eq!(explained["variants"][0]["selected"], true, "{explained}");
    assert_eq!(told("stored/one?url=")["variants"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_fetch_under_way_can_not_get_round_a_purge_of_another_of_its_urls() {
    for known in [false, true] {
        let (gate, there, version) =
            (Gate::closed(), Gate::closed(), Arc::new(AtomicUsize::new(0)));
        let (waits, told, now) = (gate.clone(), there.clone(), Arc::clone(&version));
        let origin = Origin::scripted(move |seen, stream| {
            let fields = ["Cache-Control: max-age=60", "No-Vary-Search: params"];
            let text = reply(200, &fields, &format!("version {}", now.load(Ordering::SeqCst)));
            if seen.target == "/p?slow" {
                told.open();
                waits.pass();
            }
            stream.write_all(text.as_bytes()).is_ok()
        });
        let larder = Larder::in_front_of(origin.address, &[]);
        if known {
            larder.get("/p?first");
            larder.purge(r#"{"all":true}"#);
        }
        let mut reader = Connection::open(larder.proxy);
        reader.ask("/p?slow", "");
        there.pass();
        version.store(1, Ordering::SeqCst);
        assert_eq!(larder.purge(r#"{"urls":["http://site.test/p?a"]}"#).status, 200);
        gate.open();
        assert_eq!(reader.answer("GET").expect("an answer").text(), "version 0");
        for _ in 0..2 {
            assert_eq!(larder.get("/p?a").text(), "version 1", "known: {known}");
        }
        // Nor is it stored for its own URL, where no purge of another one would meet it.
        assert_eq!(larder.get("/p?slow").text(), "version 1", "known: {known}");
    }
}

#[test]
fn the_answer_to_a_post_can_not_get_round_a_purge_of_another_of_its_urls() {
    let (arrived, answer) = (Gate::closed(), Gate::closed());
    let gates = (arrived.clone(), answer.clone());
    let origin = Origin::answering(move |seen| {
        let fields =
            ["Cache-Control: max-age=60", "Content-Location: /p", "No-Vary-Search: params"];
        if seen.method == "POST" {
            gates.0.open();
            gates.1.pass();
        }
        reply(200, &fields, &seen.method)
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    let proxy = larder.proxy;
    let posting = std::thread::spawn(move || request(proxy, "POST", "/p", &[], b"x"));
    arrived.pass();
    larder.purge(r#"{"urls":["http://site.test/p?a"]}"#);
    answer.open();
    assert_eq!(posting.join().expect("no panic").text(), "POST");
    assert_eq!(larder.get("/p?a").text(), "GET");
}

#[test]
fn a_stale_response_is_validated_by_whoever_asks() {
    let origin = Origin::answering(|seen| match seen.field("if-none-match") {
        Some(_) => reply(304, &["ETag: \"1\"", "Cache-Control: max-age=60"], ""),
        None => {
            let fields = ["ETag: \"1\"", "Cache-Control: max-age=0", "No-Vary-Search: params"];
            reply(200, &fields, "page")
        }
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    larder.get("/p?a");
    let validated = larder.get("/p?b");
    assert_eq!(validated.cache_status(), "larder; fwd=stale; fwd-status=304; stored");
    assert_eq!(origin.last().target, "/p?b");
    for target in ["/p?a", "/p?b", "/p?c", "/p"] {
        assert!(larder.get(target).is_hit(), "{target}");
    }
    assert_eq!(origin.count(), 2);
}

#[test]
fn what_has_overtaken_a_purge_of_another_page_is_met_by_those_that_come() {
    for (method, target) in [("", "/p?b"), ("POST", "/p?b"), ("", "/p"), ("POST", "/p")] {
        let (gate, there) = (Gate::closed(), Gate::closed());
        let (waits, told) = (gate.clone(), there.clone());
        let origin = Origin::answering(move |seen| {
            if seen.method == "GET" {
                told.open();
                waits.pass();
            }
            reply(200, &["Cache-Control: max-age=60", "No-Vary-Search: params"], "page")
        });
        let larder = Larder::in_front_of(origin.address, &[]);
        let mut reader = Connection::open(larder.proxy);
        reader.ask("/p?a", "");
        there.pass();
        larder.purge(r#"{"urls":["http://site.test/elsewhere"], "tags":["elsewhere"]}"#);
        gate.open();
        assert_eq!(reader.answer("GET").expect("an answer").text(), "page");
        wait_until("it is stored", || larder.stat("/memory/targets") == 1);
        for target in ["/p?a", "/p?b", "/p"] {
            assert!(larder.get(target).is_hit(), "nobody has named it, nor one like it: {target}");
        }
        match method {
            "" => {
                larder.purge(&format!(r#"{{"urls":["http://site.test{target}"]}}"#));
            }
            method => assert_eq!(request(larder.proxy, method, target, &[], b"x").status, 200),
        }
        assert!(!larder.get("/p?a").is_hit(), "{method} {target}");
    }
}

#[test]
fn vary_and_queries_count_beside_it() {
    let origin = Origin::answering(|seen| {
        let fields = ["Cache-Control: max-age=60", "Vary: Accept", "No-Vary-Search: params"];
        let accept = seen.field("accept").unwrap_or_default();
        reply(200, &fields, &format!("{} {accept}{}", seen.method, seen.body.len()))
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    assert_eq!(larder.get_with("/p?a", &[("Accept", "x")]).text(), "GET x0");
    assert_eq!(larder.get_with("/p?b", &[("Accept", "y")]).text(), "GET y0");
    assert_eq!(larder.get_with("/p?c", &[("Accept", "x")]).text(), "GET x0");
    assert_eq!(larder.get_with("/p?d", &[("Accept", "y")]).text(), "GET y0");
    let query = |target, content: &[u8]| request(larder.proxy, "QUERY", target, &[], content);
    assert_eq!(query("/p?a", b"1").text(), "QUERY 1");
    assert!(query("/p?b", b"1").is_hit());
    assert_eq!(query("/p?b", b"22").text(), "QUERY 2");
    assert_eq!(origin.count(), 4);
}

#[test]
fn nobody_joins_a_fetch_that_left_before_a_purge_of_an_equivalent_url() {
    let (gate, there) = (Gate::closed(), Gate::closed());
    let (waits, told) = (gate.clone(), there.clone());
    let count = AtomicUsize::new(0);
    let origin = Origin::answering(move |seen| {
        let number = count.fetch_add(1, Ordering::SeqCst);
        if seen.target == "/p?x=1&utm=1" && number == 1 {
            told.open();
            waits.pass();
        }
        let fields = ["Cache-Control: max-age=60", "No-Vary-Search: params=(\"utm\")"];
        reply(200, &fields, &number.to_string())
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    larder.get("/p?x=0");
    let mut early = Connection::open(larder.proxy);
    early.ask("/p?x=1&utm=1", "");
    there.pass();
    larder.purge(r#"{"urls":["http://site.test/p?x=1"]}"#);
    // It does not wait for the fetch that is held at the gate.
    assert_eq!(larder.get("/p?x=1&utm=1").text(), "2");
    gate.open();
    assert_eq!(early.answer("GET").expect("an answer").text(), "1");
    assert_eq!(larder.get("/p?x=1&utm=1").text(), "2");
}
