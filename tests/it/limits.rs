//! What is bounded besides the size of messages: memory, and what one address may
//! have under way; and how each refusal is told.

use crate::harness::{
    Connection, Gate, House, Larder, Origin, Response, get, nobody, reply, request, together,
    wait_until,
};
use larder::config::{Settings, Target};
use socket2::{Domain, Socket, Type};
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::process::Command;

const MIB: usize = 1 << 20;

/// A client that asks for a path and takes as little of the answer as it can.
struct Slow(TcpStream);

impl Slow {
    fn ask(address: SocketAddr, path: &str) -> Slow {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.set_recv_buffer_size(4096).expect("a small buffer");
        socket.connect(&address.into()).expect("a connection");
        let mut stream = TcpStream::from(socket);
        let head = format!("GET {path} HTTP/1.1\r\nHost: site.test\r\n\r\n");
        stream.write_all(head.as_bytes()).expect("a request");
        Slow(stream)
    }

    /// The status line of the answer, which stays unread.
    fn status(&self) -> String {
        let mut first = [0; 12];
        wait_until(
            "there is a head",
            || matches!(self.0.peek(&mut first), Ok(count) if count == first.len()),
        );
        String::from_utf8_lossy(&first[9..]).into_owned()
    }
}

/// One that answers `/large...` with so many bytes, and all else with few.
fn origin_of_large_bodies(size: usize) -> Origin {
    let body = vec![b'x'; size];
    Origin::scripted(move |seen, stream| {
        let body = if seen.target.starts_with("/large") { &body[..] } else { b"small" };
        let head = format!(
            "HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).is_ok() && stream.write_all(body).is_ok()
    })
}

fn is_refused(answer: &Response, detail: &str) {
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert_eq!(answer.field("retry-after"), Some("1"));
    let status = answer.cache_status();
    assert!(status.ends_with(&format!("detail={detail}")), "{status}");
}

/// What a process takes besides what it counts: its code, its threads, and what the
/// allocator keeps of memory that was given back.
const BESIDE: usize = 32 * MIB;

#[test]
fn slow_readers_of_many_large_bodies_can_not_take_all_memory() {
    const LIMIT: usize = 48 * MIB;
    let origin = origin_of_large_bodies(8 * MIB);
    let larder = Larder::with_env(
        origin.address,
        &[],
        &[
            ("LARDER_CACHE__MEMORY", "32MiB"),
            ("LARDER_CACHE__MAX_OBJECT", "8MiB"),
            ("LARDER_LIMITS__IN_FLIGHT", "16MiB"),
        ],
    );
    assert_eq!(larder.stat("/memory/with_in_flight/limit"), LIMIT as u64);
    (0..100).for_each(|_| drop(larder.get("/small")));
    let mut readers = Vec::new();
    let mut refused = 0;
    let mut number = 0;
    while refused < 8 {
        let reader = Slow::ask(larder.proxy, &format!("/large/{number}"));
        match reader.status().as_str() {
            "200" => readers.push(reader),
            "503" => refused += 1,
            other => panic!("{other}"),
        }
        assert!(larder.get("/small").is_hit(), "a hit takes no memory");
        number += 1;
        assert!(number < 500, "nobody is refused");
        assert!(larder.resident() < (LIMIT + BESIDE) as u64, "{}", larder.resident());
    }
    // Without a limit each of these would have all of its body in memory.
    assert!(readers.len() * 8 * MIB > 2 * LIMIT, "{} readers", readers.len());
    is_refused(&larder.get("/new"), "no-memory");
    assert!(larder.stat("/memory/with_in_flight/bytes") < (LIMIT + LIMIT / 20) as u64);
    assert!(larder.stat("/troubles/memory") >= 9);
    larder.says("no-memory");
    drop(readers);
    wait_until("there is room again", || {
        larder.get("/new").status == 200 && larder.get("/new").is_hit()
    });
    let large = larder.get("/large/new");
    assert_eq!((large.status, large.body.len()), (200, 8 * MIB));
    wait_until("it is stored", || larder.get("/large/new").is_hit());
    assert!(larder.resident() < (LIMIT + BESIDE) as u64, "{}", larder.resident());
}

#[test]
fn what_is_purged_while_somebody_reads_it_still_counts() {
    let origin = origin_of_large_bodies(8 * MIB);
    let larder = Larder::with_env(origin.address, &[], &[("LARDER_CACHE__MAX_OBJECT", "8MiB")]);
    let counted = || larder.stat("/memory/with_in_flight/bytes") as usize;
    let before = counted();
    assert_eq!(larder.get("/large").body.len(), 8 * MIB);
    wait_until("it is stored", || larder.stat("/memory/targets") == 1);
    wait_until("it counts once", || (8 * MIB..9 * MIB).contains(&(counted() - before)));
    let readers: Vec<Slow> = (0..20).map(|_| Slow::ask(larder.proxy, "/large")).collect();
    readers.iter().for_each(|reader| assert_eq!(reader.status(), "200"));
    assert!(counted() - before < 10 * MIB, "a hit shares what is stored");
    larder.purge(r#"{"all":true}"#);
    wait_until("nothing is stored", || larder.stat("/memory/bytes") == 0);
    assert!(counted() - before > 8 * MIB, "{}", counted() - before);
    drop(readers);
    wait_until("nobody reads any more", || counted() < before + MIB);
}

#[test]
fn heads_that_do_not_come_whole_count() {
    let (_socket, origin) = nobody();
    let larder = Larder::in_front_of(origin, &[]);
    let counted = || larder.stat("/memory/with_in_flight/bytes") as usize;
    let before = counted();
    let slow: Vec<Connection> = (0..50)
        .map(|_| {
            let mut connection = Connection::open(larder.proxy);
            connection.send(b"GET / HTTP/1.1\r\nHost: x\r\n");
            (0..3).for_each(|number| {
                let value = "x".repeat(8000);
                connection.send(format!("X-{number}: {value}\r\n").as_bytes());
            });
            connection
        })
        .collect();
    wait_until("they count", || counted() - before > 50 * 24_000);
    drop(slow);
    wait_until("they are gone", || counted() < before + 100_000);
}

#[test]
fn heads_that_came_in_pieces_count_no_more_once_they_are_read() {
    let origin = Origin::answering(|_| reply(200, &["Cache-Control: no-store"], "page"));
    let larder = Larder::in_front_of(origin.address, &[]);
    let counted = || larder.stat("/memory/with_in_flight/bytes") as usize;
    let mut client = Connection::open(larder.proxy);
    // The first one makes the connection one that takes more. What the request took
    // itself is given back behind its answer.
    let at_rest = counted();
    client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(client.answer("GET").expect("an answer").text(), "page");
    let (mut before, mut alike) = (0, 0);
    wait_until("it is over, and nothing changes any more", || {
        let now = counted();
        alike = if now == before { alike + 1 } else { 0 };
        before = now;
        alike == 10 && now < at_rest + 100_000
    });
    for _ in 0..10 {
        let value = "x".repeat(8000);
        client
            .send(format!("GET / HTTP/1.1\r\nHost: x\r\nX: {value}\r\nY: {value}\r\n").as_bytes());
        wait_until("they have come", || counted() >= before + 16_000);
        client.send(b"\r\n");
        assert_eq!(client.answer("GET").expect("an answer").text(), "page");
    }
    wait_until("they count no more", || counted() < before + 16_000);
}

/// An origin that holds what is asked for below `/held` until the gate opens.
fn holding(gate: &Gate) -> Origin {
    let gate = gate.clone();
    Origin::answering(move |seen| {
        if seen.target.starts_with("/held") {
            gate.pass();
        }
        let cache = if seen.target.starts_with("/held") { "no-store" } else { "max-age=60" };
        reply(200, &[&format!("Cache-Control: {cache}")], "page")
    })
}

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

#[test]
fn one_address_can_not_take_all_places_at_the_origin() {
    let gate = Gate::closed();
    let origin = holding(&gate);
    let house = two_at_a_time(&origin, &["127.0.0.0/8"]);
    let proxy = house.proxy();
    assert_eq!(get(proxy, "/page", &of("192.0.2.1")).status, 200);
    let mut held = Vec::new();
    for (number, address) in
        ["192.0.2.1", "192.0.2.1", "2001:db8::1", "2001:db8::2"].into_iter().enumerate()
    {
        let mut client = Connection::open(proxy);
        client.ask(&format!("/held/{number}"), &format!("X-Forwarded-For: {address}\r\n"));
        held.push(client);
    }
    wait_until("they are there", || origin.count() == 5);
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
    let mut held = Vec::new();
    for number in 0..5 {
        let mut client = Connection::open(proxy);
        client.ask(&format!("/held/{number}"), "X-Forwarded-For: 192.0.2.1\r\n");
        held.push(client);
    }
    wait_until("all of this machine's are there", || origin.count() == 5);
    gate.open();
}

#[test]
fn who_may_not_ask_fails_for_nobody_else() {
    let gate = Gate::closed();
    let origin = holding(&gate);
    let house = two_at_a_time(&origin, &["127.0.0.0/8"]);
    let proxy = house.proxy();
    let mut held = Vec::new();
    for number in 0..2 {
        let mut client = Connection::open(proxy);
        client.ask(&format!("/held/{number}"), "X-Forwarded-For: 192.0.2.1\r\n");
        held.push(client);
    }
    wait_until("they are there", || origin.count() == 2);
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
fn a_failing_origin_writes_a_line_a_second_and_counts_each() {
    let (_socket, origin) = nobody();
    let larder = Larder::with_env(origin, &[], &[("LARDER_ORIGIN__HOLD", "0s")]);
    #[expect(clippy::disallowed_methods, reason = "lines a second are counted in real time")]
    let begun = std::time::Instant::now();
    for number in 0..200 {
        assert_eq!(larder.get(&format!("/{number}")).status, 502);
    }
    let seconds = begun.elapsed().as_secs() as usize;
    assert_eq!(larder.stat("/troubles/origin"), 200);
    larder.says("the origin failed");
    let lines = larder.events().matches("the origin failed").count();
    assert!((1..=seconds + 1).contains(&lines), "{lines} lines in {seconds} s");
    // The next one says how many there were.
    wait_until("a line tells of the others", || {
        larder.get("/more");
        larder.events().contains("unlogged=")
    });
}

/// Sends this, and waits for the status of the answer.
fn status_of(address: SocketAddr, bytes: &[u8]) -> u16 {
    let mut connection = Connection::open(address);
    connection.send(bytes);
    connection.head().map_or(0, |head| head.status)
}

#[test]
fn each_limit_has_a_status_and_a_count() {
    let gate = Gate::closed();
    let origin = holding(&gate);
    let larder = Larder::with_env(
        origin.address,
        &[],
        &[
            ("LARDER_LIMITS__REQUEST_BODY", "10"),
            ("LARDER_TIMEOUTS__HEADER", "100ms"),
            ("LARDER_TIMEOUTS__BODY_STALL", "100ms"),
            ("LARDER_ORIGIN__MAX_CONNECTIONS", "1"),
            ("LARDER_ORIGIN__QUEUE_TIMEOUT", "50ms"),
            ("LARDER_PURGE__NETWORKS", "192.0.2.0/24"),
        ],
    );
    let field = format!("X: {}\r\n", "x".repeat(9000));
    let fields = "X: x\r\n".repeat(101);
    let target = "/".repeat(9000);
    let get = |target: &str, fields: &str| {
        format!("GET {target} HTTP/1.1\r\nHost: x\r\n{fields}\r\n").into_bytes()
    };
    let put = |fields: &str| format!("PUT / HTTP/1.1\r\nHost: x\r\n{fields}\r\n").into_bytes();
    let count = |name: &str| larder.stat(&format!("/troubles/{name}"));
    for (name, status, bytes) in [
        ("head", 431, get("/", &field)),
        ("head", 431, get("/", &fields)),
        ("head", 431, get("/", &"X: xxxxxxxxxx\r\n".repeat(4000))),
        ("target", 414, get(&target, "")),
        ("body", 413, put("Content-Length: 11\r\n")),
        ("refused", 400, get("/", "Host: x\r\n")),
        ("refused", 501, put("Transfer-Encoding: gzip, chunked\r\n")),
        ("slow_head", 408, b"GET / HTTP/1.1\r\n".to_vec()),
        ("slow_body", 408, put("Content-Length: 10\r\n")),
        ("purge", 403, b"PURGE / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec()),
    ] {
        let before = count(name);
        assert_eq!(status_of(larder.proxy, &bytes), status, "{name}");
        wait_until(&format!("{name} is counted"), || count(name) == before + 1);
    }
    let mut held = Connection::open(larder.proxy);
    held.ask("/held", "");
    wait_until("it is there", || origin.asked_for("/held") == 1);
    is_refused(&larder.get("/queued"), "origin-busy");
    assert_eq!(count("queue"), 1);
    gate.open();
}

#[test]
fn a_client_that_is_cut_off_is_counted() {
    let origin = origin_of_large_bodies(8 * MIB);
    let larder = Larder::with_env(
        origin.address,
        &[],
        &[("LARDER_TIMEOUTS__WRITE_STALL", "200ms"), ("LARDER_CACHE__MAX_OBJECT", "8MiB")],
    );
    let _reader = Slow::ask(larder.proxy, "/large");
    wait_until("it is counted", || larder.stat("/troubles/slow_reader") == 1);
}

#[test]
fn a_connection_that_is_turned_away_is_counted_and_written_down() {
    let origin = origin_of_large_bodies(1);
    let larder = Larder::with_env(origin.address, &[], &[("LARDER_LIMITS__CONNECTIONS", "1")]);
    let mut first = Connection::open(larder.proxy);
    first.ask("/", "");
    assert_eq!(first.answer("GET").expect("an answer").status, 200);
    for _ in 0..5 {
        assert_eq!(get(larder.proxy, "/", &[]).status, 503);
    }
    assert_eq!(larder.stat("/troubles/connections"), 5);
    larder.says("why=\"connections\"");
}

/// larder in front of this origin, with one worker and at most so many open files.
fn with_descriptors(most: usize, origin: &Origin) -> Larder {
    let origin = origin.address.to_string();
    let args = ["proxy", "--to", &origin, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
    let larder = Larder::command(&args, &[("LARDER_THREADS", "1")]);
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -n {most} && exec \"$0\" \"$@\"")]);
    command.arg(larder.get_program()).args(larder.get_args());
    for (name, value) in larder.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    Larder::started(command)
}

#[test]
fn clients_leave_descriptors_for_the_application_and_the_operator() {
    let origin = origin_of_large_bodies(1);
    let larder = with_descriptors(164, &origin);
    larder.says("at most 50 connections, though limits.connections is 10000");
    assert_eq!(larder.get("/stored").status, 200);
    let mut inside: Vec<Connection> = Vec::new();
    for number in 0..200 {
        let mut connection = Connection::open(larder.proxy);
        connection.ask("/stored", "");
        let status = connection.head().map_or(0, |head| head.status);
        match number {
            0..50 => assert_eq!(status, 200, "{number}"),
            // Closed with the request unread: the client may never see why.
            _ => assert!(matches!(status, 503 | 0), "{number} {status}"),
        }
        if status == 200 {
            connection.read_exact(5);
            inside.push(connection);
        }
    }
    assert!(larder.stat("/troubles/connections") >= 150);
    assert_eq!(larder.stat("/troubles/descriptors"), 0);
    for connection in &mut inside {
        connection.ask("/stored", "");
        assert!(connection.answer("GET").expect("an answer").is_hit());
    }
    inside[0].ask("/new", "");
    assert_eq!(inside[0].answer("GET").expect("an answer").status, 200);
    drop(inside);
    wait_until("others are let in", || larder.get("/stored").status == 200);
}

#[test]
fn who_holds_the_admin_port_open_leaves_descriptors_for_everybody_else() {
    let origin = origin_of_large_bodies(1);
    let larder = with_descriptors(164, &origin);
    assert_eq!(larder.get("/stored").status, 200);
    let mut held = Vec::new();
    for number in 0..200 {
        let mut connection = Connection::open(larder.admin);
        match number {
            0..32 => {
                connection.send(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: ");
                held.push(connection);
            }
            _ => {
                let head = connection.head().expect("an answer");
                assert_eq!(head.status, 503, "{number}");
                assert!(connection.is_closed());
            }
        }
    }
    larder.says("a connection to the admin port was turned away");
    let mut inside: Vec<Connection> = (0..50).map(|_| Connection::open(larder.proxy)).collect();
    for (number, connection) in inside.iter_mut().enumerate() {
        connection.ask("/stored", "");
        assert!(connection.answer("GET").expect("an answer").is_hit());
        connection.ask(&format!("/new/{number}"), "");
        assert_eq!(connection.answer("GET").expect("an answer").status, 200);
    }
    for connection in &mut held {
        connection.send(b"x\r\nConnection: close\r\n\r\n");
        assert_eq!(connection.answer("GET").expect("who was let in is answered").status, 200);
        assert!(connection.is_closed());
    }
    assert_eq!(larder.stat("/troubles/admin_connections"), 168);
    assert_eq!(larder.stat("/troubles/descriptors"), 0);
}

#[test]
fn without_descriptors_what_is_open_goes_on_and_the_log_is_short() {
    let origin = origin_of_large_bodies(1);
    let larder = Larder::in_front_of(origin.address, &[]);
    assert_eq!(larder.get("/stored").status, 200);
    let mut inside = Connection::open(larder.proxy);
    let mut ask = || {
        inside.ask("/stored", "");
        assert!(inside.answer("GET").expect("an answer").is_hit());
    };
    ask();
    larder.limit_descriptors(Some(4));
    #[expect(clippy::disallowed_methods, reason = "lines a second are counted in real time")]
    let begun = std::time::Instant::now();
    let outside: Vec<Connection> = (0..20).map(|_| Connection::open(larder.proxy)).collect();
    larder.says("cannot accept");
    wait_until("a line tells of others", || {
        ask();
        larder.events().contains("unlogged=")
    });
    let seconds = begun.elapsed().as_secs() as usize;
    let lines = larder.events().matches("cannot accept").count();
    assert!(lines <= seconds + 1, "{lines} lines in {seconds} s");
    larder.limit_descriptors(None);
    for mut waiting in outside {
        waiting.ask("/stored", "");
        assert!(waiting.answer("GET").expect("an answer").is_hit());
    }
    assert!(larder.stat("/troubles/descriptors") > 1);
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
