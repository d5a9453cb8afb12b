//! What one address may have under way.

use super::{holding, is_refused, origin_of_large_bodies};
use crate::harness::{Connection, Gate, House, Larder, Origin, get, request, together, wait_until};
use larder::config::{Settings, Target};
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

fn of(address: &'static str) -> [(&'static str, &'static str); 1] {
    [("X-Forwarded-For", address)]
}

fn two_at_a_time(origin: &Origin, proxies: &[&str]) -> House {
    let (host, port) = (origin.address.ip().to_string(), origin.address.port());
    let mut settings = Settings::new(Target::Tcp { host, port });
    settings.limits.origin_per_ip = 2;
    settings.trust.proxies =
        proxies.iter().map(|network| network.parse().expect("a network")).collect();
    House::with(settings)
}

/// Asks for these addresses, each once, for what the origin holds, and waits until they
/// are there.
fn hold(proxy: SocketAddr, origin: &Origin, addresses: &[&str]) -> Vec<Connection> {
    let before = origin.count();
    let ask = |(number, address): (usize, &&str)| {
        let mut client = Connection::open(proxy);
        client.ask(&format!("/held/{number}"), &format!("X-Forwarded-For: {address}\r\n"));
        client
    };
    let held = addresses.iter().enumerate().map(ask).collect();
    wait_until("they are there", || origin.count() == before + addresses.len());
    held
}

#[test]
fn one_address_can_not_take_all_places_at_the_origin() {
    let gate = Gate::closed();
    let origin = holding(&gate);
    let house = two_at_a_time(&origin, &["127.0.0.0/8"]);
    let proxy = house.proxy();
    assert_eq!(get(proxy, "/page", &of("192.0.2.1")).status, 200);
    let mut held = hold(proxy, &origin, &["192.0.2.1", "192.0.2.1", "2001:db8::1", "2001:db8::2"]);
    for address in ["192.0.2.1", "2001:db8::3"] {
        is_refused(&get(proxy, "/new", &of(address)), "origin-per-ip");
        is_refused(&request(proxy, "POST", "/new", &of(address), b"x"), "origin-per-ip");
        assert!(get(proxy, "/page", &of(address)).is_hit(), "a hit needs no place");
    }
    assert_eq!(get(proxy, "/new", &of("192.0.2.2")).status, 200);
    assert_eq!(get(proxy, "/newer", &of("2001:db8:0:1::1")).status, 200);
    assert_eq!(get(proxy, "/newest", &[]).status, 200, "the proxy itself");
    gate.open();
    for client in &mut held {
        assert_eq!(client.answer("GET").expect("an answer").status, 200);
    }
    assert_eq!(get(proxy, "/last", &of("192.0.2.1")).status, 200);
    assert_eq!(get(proxy, "/last/6", &of("2001:db8::3")).status, 200);
}

#[test]
fn what_strangers_say_of_their_address_does_not_count() {
    let gate = Gate::closed();
    let origin = holding(&gate);
    let house = two_at_a_time(&origin, &[]);
    let proxy = house.proxy();
    // All of this machine's get there.
    let _held = hold(proxy, &origin, &["192.0.2.1"; 5]);
    gate.open();
}

#[test]
fn who_may_not_ask_fails_for_nobody_else() {
    let gate = Gate::closed();
    let origin = holding(&gate);
    let house = two_at_a_time(&origin, &["127.0.0.0/8"]);
    let proxy = house.proxy();
    let _held = hold(proxy, &origin, &["192.0.2.1"; 2]);
    for round in 0..30 {
        // Many who may not, one after the other, are in front of those who may.
        let answers = together(24, move |number| {
            let address = if number % 6 > 0 { "192.0.2.1" } else { "192.0.2.2" };
            (address, get(proxy, &format!("/page/{round}"), &of(address)).status)
        });
        for (address, status) in answers {
            assert!(status == 200 || (status == 503 && address == "192.0.2.1"), "{address}");
        }
    }
    gate.open();
}

#[test]
fn who_may_not_ask_is_told_with_all_who_wait_and_does_not_lead_them_one_after_another() {
    let gate = Gate::closed();
    let origin = holding(&gate);
    let env = [
        ("LARDER_THREADS", "1"),
        ("LARDER_TRUST__PROXIES", "127.0.0.0/8"),
        ("LARDER_LIMITS__ORIGIN_PER_IP", "1"),
    ];
    let larder = Larder::with_env(origin.address, &[], &env);
    let _held = hold(larder.proxy, &origin, &["192.0.2.1"]);
    let mut clients: Vec<Connection> = (0..50).map(|_| Connection::open(larder.proxy)).collect();
    // All of them are there when it looks again.
    larder.signal("-STOP");
    for client in &mut clients {
        client.ask("/page", "X-Forwarded-For: 192.0.2.1\r\n");
    }
    larder.signal("-CONT");
    let answers = clients.iter_mut().map(|client| client.answer("GET").expect("an answer"));
    let collapsed = answers.filter(|answer| {
        is_refused(answer, "origin-per-ip");
        answer.cache_status().contains("collapsed")
    });
    let collapsed = collapsed.count();
    assert!(collapsed > 10, "{collapsed}");
    assert_eq!(larder.stat("/troubles/origin_per_ip"), 50);
    gate.open();
}

/// An address of this machine that isn't loopback, if there is one.
fn own_address() -> Option<IpAddr> {
    // Nothing is sent: the machine only says from where it would be.
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    Some(address).filter(|address| !address.is_loopback() && !address.is_unspecified())
}

#[test]
fn one_address_has_so_many_connections_and_others_have_theirs() {
    let Some(address) = own_address() else {
        eprintln!("left out: this machine has loopback alone, which has no bound of its own");
        return;
    };
    let origin = origin_of_large_bodies(1);
    let to = origin.address.to_string();
    let args = ["proxy", "--to", &to, "--listen", "0.0.0.0:0", "--admin", "127.0.0.1:0"];
    let larder = Larder::spawn(&args, &[("LARDER_LIMITS__CONNECTIONS_PER_IP", "3")]);
    let from_there = SocketAddr::new(address, larder.proxy.port());
    let from_here = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), larder.proxy.port());
    let enter = |at: SocketAddr| {
        let mut connection = Connection::open(at);
        connection.ask("/stored", "");
        assert_eq!(connection.answer("GET").expect("an answer").status, 200);
        connection
    };
    let mut inside: Vec<Connection> = (0..3).map(|_| enter(from_there)).collect();
    for count in 1..=5 {
        let mut beyond = Connection::open(from_there);
        let head = beyond.head().expect("an answer");
        assert_eq!((head.status, head.field("retry-after")), (503, Some("1")));
        assert_eq!(head.field("connection"), Some("close"));
        assert!(beyond.is_closed());
        assert_eq!(larder.stat("/troubles/connections_per_ip"), count);
    }
    larder.says("why=\"connections_per_ip\"");
    let _others: Vec<Connection> = (0..10).map(|_| enter(from_here)).collect();
    for connection in &mut inside {
        connection.ask("/stored", "");
        assert!(connection.answer("GET").expect("who is inside stays").is_hit());
    }
    drop(inside.pop());
    wait_until("there is room for another one", || {
        let mut connection = Connection::open(from_there);
        let _ = connection.stream().write_all(b"GET /stored HTTP/1.1\r\nHost: site.test\r\n\r\n");
        connection.head().is_some_and(|head| head.status == 200)
    });
    assert_eq!(larder.stat("/troubles/connections"), 0);
}
