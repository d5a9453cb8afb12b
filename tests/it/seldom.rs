//! Reasons that come up seldom: in races, and for who may demand something.

use crate::harness::{Connection, Gate, House, Larder, Origin, get, reply, wait_until};
use larder::config::{Settings, Target};
use std::sync::atomic::{AtomicUsize, Ordering};

fn settings(origin: &Origin) -> Settings {
    let (host, port) = (origin.address.ip().to_string(), origin.address.port());
    let mut settings = Settings::new(Target::Tcp { host, port });
    (settings.cache.jitter, settings.cache.early_refresh) = (0, 0);
    settings
}

#[test]
fn what_nobody_understands_and_what_is_no_answer_is_not_stored() {
    let origin = Origin::answering(|seen| match (&*seen.target, seen.field("if-none-match")) {
        ("/odd", _) => reply(299, &["Cache-Control: must-understand, max-age=60"], "odd"),
        (_, Some(_)) => reply(304, &["ETag: \"1\"", "Cache-Control: no-store"], ""),
        _ => reply(200, &["ETag: \"1\"", "Cache-Control: no-store"], "page"),
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    let said = |path: &str, fields: &[(&str, &str)]| {
        larder.get_with(path, fields).cache_status().to_string()
    };
    assert_eq!(said("/odd", &[]), "larder; fwd=uri-miss; detail=must-understand");
    assert_eq!(said("/page", &[]), "larder; fwd=uri-miss; detail=no-store");
    // It is known that nothing will be stored: the client's own copy may do.
    let own = [("If-None-Match", "\"1\"")];
    assert_eq!(said("/page", &own), "larder; fwd=uri-miss; detail=status");
}

#[test]
fn a_trusted_clients_demands_are_told() {
    let origin = Origin::answering(|_| reply(200, &["Cache-Control: max-age=10"], "page"));
    let mut settings = settings(&origin);
    settings.refresh.networks = vec!["127.0.0.0/8".parse().expect("a network")];
    let house = House::with(settings);
    assert_eq!(house.status("/"), "larder; fwd=uri-miss; stored");
    house.pass(15);
    let ask = |demand| get(house.proxy(), "/", &[("Cache-Control", demand)]);
    let stale = ask("max-stale=60");
    assert_eq!(stale.cache_status(), "larder; hit; ttl=-5; detail=max-stale");
    let other = ask("no-store");
    assert_eq!(other.cache_status(), "larder; fwd=request; detail=request-no-store");
}

/// Who waits for a fetch that is purged again and again goes alone in the end.
#[test]
fn who_waits_in_vain_several_times_goes_alone() {
    let gates: Vec<Gate> = (0..8).map(|_| Gate::closed()).collect();
    let (held, count) = (gates.clone(), AtomicUsize::new(0));
    let origin = Origin::answering(move |seen| {
        if seen.target == "/" {
            held[count.fetch_add(1, Ordering::SeqCst)].pass();
        }
        reply(200, &["Cache-Control: max-age=60"], "page")
    });
    let house = House::with(settings(&origin));
    let mut clients: Vec<Connection> = (0..6)
        .map(|_| {
            let mut client = Connection::open(house.proxy());
            client.ask("/", "");
            client
        })
        .collect();
    // One after the other brings what has been purged meanwhile; the others wait on.
    for (round, gate) in gates.iter().enumerate().take(4) {
        wait_until("the next one asks", || origin.asked_for("/") == round + 1);
        // There is one thread: when this has been answered, it has looked at all before.
        assert_eq!(house.get("/other").status, 200);
        house.purge_all_of(r#"{"urls": ["http://site.test/"]}"#);
        gate.open();
    }
    wait_until("who waited in vain asks", || origin.asked_for("/") == 6);
    gates.iter().for_each(Gate::open);
    let told: Vec<String> = clients
        .iter_mut()
        .map(|client| client.answer("GET").expect("an answer").cache_status().to_string())
        .collect();
    let alone = "larder; fwd=uri-miss; stored; detail=too-many-tries";
    assert_eq!(told.iter().filter(|told| *told == alone).count(), 2, "{told:?}");
}

/// What is too large to be kept streams past who has not begun to read in time. If the page
/// is smaller by then, that is all there is to say.
#[test]
fn who_comes_to_a_fetch_when_its_beginning_is_gone_goes_alone() {
    let gate = Gate::closed();
    let (held, asked) = (gate.clone(), AtomicUsize::new(0));
    let origin = Origin::answering(move |seen| {
        if seen.target == "/other" {
            return reply(200, &["Cache-Control: no-store"], "other");
        }
        held.pass();
        if asked.fetch_add(1, Ordering::Relaxed) > 0 {
            return reply(200, &["Cache-Control: max-age=60"], "less");
        }
        let head =
            "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n";
        format!("{head}4000\r\n{}\r\n0\r\n\r\n", "x".repeat(0x4000))
    });
    let house = House::in_front_of(&origin, |cache| cache.max_object = 4);
    let mut clients: Vec<Connection> = (0..4)
        .map(|_| {
            let mut client = Connection::open(house.proxy());
            client.ask("/", "");
            client
        })
        .collect();
    wait_until("one asks", || origin.asked_for("/") == 1);
    // There is one thread: when this has been answered, the others follow.
    assert_eq!(house.get("/other").status, 200);
    gate.open();
    let told: Vec<String> = clients
        .iter_mut()
        .map(|client| client.answer("GET").expect("an answer").cache_status().to_string())
        .collect();
    assert!(told.iter().any(|told| told.ends_with("detail=came-too-late")), "{told:?}");
}
