//! The numbers tell what was done.

use crate::harness::{House, Origin, get, reply, request, wait_until};
use larder::clock::ManualClock;
use larder::config::{Settings, Target};
use serde_json::{Value, json};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// An app whose pages take two seconds by the proxy's clock, and say which page they are.
fn slow(cache: fn(&mut Settings)) -> (House, Origin) {
    let clock: Arc<OnceLock<Arc<ManualClock>>> = Arc::default();
    let turned = Arc::clone(&clock);
    let origin = Origin::answering(move |seen| {
        turned.get().expect("a clock").advance(Duration::from_secs(2));
        match seen.target.as_str() {
            "/broken" => reply(503, &[], ""),
            target => reply(200, &["Cache-Control: max-age=3600"], &target.repeat(100)),
        }
    });
    let (host, port) = (origin.address.ip().to_string(), origin.address.port());
    let mut settings = Settings::new(Target::Tcp { host, port });
    cache(&mut settings);
    let house = House::with(settings);
    clock.set(house.clock.clone()).expect("the only clock");
    (house, origin)
}

fn stats(house: &House) -> Value {
    let admin = house.running.admin().expect("an admin port");
    let answer = request(admin, "GET", "/v1/stats", &[("Host", "localhost")], b"");
    serde_json::from_slice(&answer.body).expect("a document")
}

#[test]
fn what_was_sent_how_long_it_took_and_what_that_saved() {
    let (house, _origin) = slow(|_| {});
    assert_eq!(stats(&house)["latency"]["hit"], json!({ "p50": null, "p99": null }));
    assert_eq!(house.get("/a").status, 200);
    for number in 0..10 {
        // The whole way and the short one.
        let fields: &[_] = if number % 2 == 0 { &[("X-Other", "1")] } else { &[] };
        assert!(get(house.proxy(), "/a", fields).is_hit());
    }
    wait_until("the last answer is counted", || stats(&house)["bytes_sent"] == 11 * 200);
    let stats = stats(&house);
    assert_eq!(stats["requests"]["hit"], 10);
    assert_eq!(stats["bytes_sent"], 11 * 200);
    assert_eq!(stats["saved_seconds"], 20.0);
    assert_eq!(stats["origin"]["seconds"], 2.0);
    let miss = stats["latency"]["miss"]["p50"].as_f64().expect("a time");
    assert!((1.0..=2.0).contains(&miss), "{miss}");
    // By this clock a hit takes no time.
    assert!(stats["latency"]["hit"]["p99"].as_f64().expect("a time") <= 1e-6);
    house.pass(100);
    assert_eq!(self::stats(&house)["latency"]["miss"]["p50"], Value::Null);
}

#[test]
fn what_the_origin_answered_and_what_is_stored() {
    let (house, _origin) = slow(|settings| {
        settings.cache.memory = 1 << 20;
        settings.cache.max_object = 1 << 20;
    });
    house.get("/broken");
    let many = format!("/{}", "x".repeat(3000));
    for number in 0..10 {
        assert_eq!(house.get(&format!("{many}/{number}")).status, 200);
    }
    // An answer is here before all is put away.
    let number = |stats: &Value, pointer: &str| stats.pointer(pointer).and_then(Value::as_u64);
    wait_until("all is counted", || {
        let now = stats(&house);
        let kept = number(&now, "/evicted").zip(number(&now, "/memory/responses"));
        kept.map(|(gone, here)| gone + here) == Some(10)
            && number(&now, "/connections/open") == Some(0)
            && number(&now, "/origin/upstreams/0/idle") == Some(1)
    });
    let stats = stats(&house);
    assert_eq!(stats["origin"]["answers"]["2xx"], 10);
    assert_eq!(stats["origin"]["answers"]["5xx"], 1);
    let (evicted, responses) = (&stats["evicted"], &stats["memory"]["responses"]);
    assert!(evicted.as_u64().expect("a number") > 0);
    assert!(responses.as_u64().expect("a number") > 0);
    assert_eq!(stats["purges"], 0);
    house.purge_softly("none");
    assert_eq!(self::stats(&house)["purges"], 1);
    assert_eq!(stats["started"], "2027-01-15T08:00:00.000Z");
}
