//! The process: how it starts, ends, and writes down what it did.

use crate::harness::{Connection, Gate, Larder, Origin, get, read_all, reply, request, wait_until};
use std::io::Write;
use std::net::TcpStream;
use std::process::Stdio;

/// The first half of an answer, and the second when the gate opens.
fn halves(gate: &Gate) -> Origin {
    let gate = gate.clone();
    Origin::scripted(move |seen, stream| {
        if seen.target == "/quick" {
            return stream.write_all(reply(200, &[], "quick").as_bytes()).is_ok();
        }
        if seen.target == "/body" {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst").expect("half");
            gate.pass();
            return stream.write_all(b"after").is_ok();
        }
        gate.pass();
        stream.write_all(reply(200, &["Cache-Control: max-age=9"], "late").as_bytes()).is_ok()
    })
}

#[test]
fn sigterm_stops_accepting_and_lets_requests_under_way_end() {
    let gate = Gate::closed();
    let origin = halves(&gate);
    let mut larder = Larder::in_front_of(origin.address, &[]);
    let mut idle = Connection::open(larder.proxy);
    idle.ask("/quick", "");
    idle.answer("GET").expect("an answer");
    let mut waiting = Connection::open(larder.proxy);
    waiting.ask("/head", "");
    let mut streaming = Connection::open(larder.proxy);
    streaming.ask("/body", "");
    streaming.head().expect("a head");
    assert_eq!(streaming.read_exact(5), b"first");
    wait_until("all are at the origin", || origin.count() == 3);

    larder.terminate();
    wait_until("nobody is let in any more", || TcpStream::connect(larder.proxy).is_err());
    assert!(idle.is_closed(), "who asks for nothing is not waited for");
    gate.open();
    assert_eq!(streaming.read_exact(5), b"after");
    let answer = waiting.answer("GET").expect("an answer");
    assert_eq!((answer.text().as_str(), answer.field("connection")), ("late", Some("close")));
    assert!(waiting.is_closed());
    assert_eq!(larder.wait().code(), Some(0));
    larder.says("stopped");
}

#[test]
fn who_takes_too_long_to_end_is_cut_off() {
    let gate = Gate::closed();
    let origin = halves(&gate);
    let env = [("LARDER_TIMEOUTS__DRAIN", "300ms")];
    let mut larder = Larder::with_env(origin.address, &[], &env);
    let mut streaming = Connection::open(larder.proxy);
    streaming.ask("/body", "");
    streaming.head().expect("a head");
    larder.terminate();
    assert_eq!(larder.wait().code(), Some(0));
    assert_eq!(streaming.read_exact(5), b"first");
    assert!(streaming.is_closed());
    larder.says("still under way");
    gate.open();
}

#[test]
fn it_ends_at_once_when_nothing_is_under_way() {
    let (_held, nobody) = crate::harness::nobody();
    let mut larder = Larder::in_front_of(nobody, &[]);
    let _connected = TcpStream::connect(larder.proxy).expect("a connection");
    larder.terminate();
    assert_eq!(larder.wait().code(), Some(0));
}

#[test]
fn one_combined_line_a_request() {
    let origin = Origin::answering(|_| reply(200, &["Cache-Control: max-age=60"], "hello"));
    let larder = Larder::in_front_of(origin.address, &[]);
    let fields = [("Referer", "http://from.test/"), ("User-Agent", "a \"b\" \\c")];
    larder.get_with("/page?x=1", &fields);
    let line = larder.next_line();
    let (before, rest) = line.split_once('[').expect("a time");
    assert_eq!(before, "127.0.0.1 - - ");
    let (time, rest) = rest.split_once("] ").expect("the end of the time");
    assert!(time.len() == 26 && time.ends_with(" +0000"), "{time}");
    let expected = "\"GET /page?x=1 HTTP/1.1\" 200 5 \"http://from.test/\" \
                    \"a \\\"b\\\" \\\\c\" uri-miss ";
    assert!(rest.starts_with(expected), "{rest}");
    assert!(rest[expected.len()..].parse::<f64>().expect("seconds") < 5.0);

    larder.get("/page?x=1");
    let line = larder.next_line();
    assert!(line.contains("\"GET /page?x=1 HTTP/1.1\" 200 5 \"-\" \"-\" hit "), "{line}");
    request(larder.proxy, "TRACE", "/", &[], b"");
    let line = larder.next_line();
    assert!(line.contains("\"TRACE / HTTP/1.1\" 405 ") && line.contains(" none "), "{line}");
}

#[test]
fn one_json_line_a_request() {
    let origin = Origin::scripted(|seen, stream| {
        let text = match seen.target.as_str() {
            "/broken" => "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf".to_string(),
            _ => reply(200, &["Cache-Control: max-age=60"], "hello"),
        };
        stream.write_all(text.as_bytes()).is_ok() && seen.target != "/broken"
    });
    let larder = Larder::in_front_of(origin.address, &["--access-log", "json"]);
    let next = || -> serde_json::Value {
        serde_json::from_str(&larder.next_line()).expect("a JSON object")
    };
    larder.get_with("/page", &[("User-Agent", "curl \"x\" é"), ("Referer", "r")]);
    let line = next();
    for (name, value) in [
        ("client", "127.0.0.1"),
        ("method", "GET"),
        ("host", "site.test"),
        ("target", "/page"),
        ("version", "HTTP/1.1"),
        ("outcome", "uri-miss"),
        ("referer", "r"),
    ] {
        assert_eq!(line[name], value, "{name}");
    }
    assert_eq!((&line["status"], &line["bytes"]), (&200.into(), &5.into()));
    assert_eq!((&line["stored"], &line["broken"]), (&true.into(), &false.into()));
    assert!(line["seconds"].as_f64().is_some_and(|seconds| seconds < 5.0));
    let time = line["time"].as_str().expect("a time");
    assert!(time.len() == 24 && time.starts_with("20") && time.ends_with('Z'), "{time}");

    request(larder.proxy, "HEAD", "/page", &[], b"");
    let line = next();
    assert_eq!((&line["outcome"], &line["bytes"]), (&"hit".into(), &0.into()));
    assert!(line["ttl"].as_i64().is_some_and(|ttl| (55..=60).contains(&ttl)));
    larder.get("/broken");
    let line = next();
    assert_eq!((&line["broken"], &line["bytes"]), (&true.into(), &4.into()));
    assert_eq!(line["reason"], "no-lifetime");
}

#[test]
fn every_line_is_written_before_the_process_ends() {
    let origin = Origin::answering(|_| reply(200, &["Cache-Control: max-age=60"], "page"));
    let mut larder = Larder::in_front_of(origin.address, &["--access-log", "json"]);
    let mut client = Connection::open(larder.proxy);
    for number in 0..500 {
        client.ask(&format!("/{}", number % 3), "");
        client.answer("GET").expect("an answer");
    }
    larder.terminate();
    assert_eq!(larder.wait().code(), Some(0));
    for _ in 0..500 {
        assert!(larder.next_line().starts_with('{'));
    }
    assert_eq!(larder.line_within(std::time::Duration::ZERO), None);
}

#[test]
fn the_access_log_can_be_off() {
    let origin = Origin::answering(|_| reply(200, &["Cache-Control: max-age=60"], "page"));
    let mut larder = Larder::in_front_of(origin.address, &["--access-log", "off"]);
    larder.get("/");
    larder.terminate();
    assert_eq!(larder.wait().code(), Some(0));
    assert_eq!(larder.line_within(crate::harness::DEADLINE), None, "its output has ended");
}

#[test]
fn an_address_in_use_is_said_and_ends_the_start() {
    let origin = Origin::answering(|_| reply(200, &[], "page"));
    let larder = Larder::in_front_of(origin.address, &[]);
    let to = origin.address.to_string();
    let (proxy, admin) = (larder.proxy.to_string(), larder.admin.to_string());
    for (listen, taken) in [(proxy.as_str(), "127.0.0.1:0"), ("127.0.0.1:0", admin.as_str())] {
        let args = ["proxy", "--to", &to, "--listen", listen, "--admin", taken];
        let (status, _, errors) = Larder::run(&args, &[]);
        assert_eq!(status, Some(1));
        let address = if listen.ends_with(":0") { taken } else { listen };
        assert!(errors.contains(&format!("cannot listen on {address}")), "{errors}");
        assert!(errors.contains("`timeouts.drain`"), "{errors}");
    }
    assert_eq!(larder.get("/").status, 200, "the first one is not disturbed");
}

#[test]
fn it_listens_on_several_addresses_with_a_socket_for_each_thread() {
    let origin = Origin::answering(|_| reply(200, &["Cache-Control: max-age=60"], "page"));
    let env = [("LARDER_THREADS", "3")];
    let larder = Larder::with_env(origin.address, &["--listen", "127.0.0.1:0"], &env);
    let addresses: Vec<std::net::SocketAddr> = larder
        .events()
        .lines()
        .filter_map(|line| {
            line.split("listening on http://").nth(1)?.split(',').next()?.parse().ok()
        })
        .collect();
    assert_eq!(addresses.len(), 2);
    get(addresses[0], "/", &[]);
    assert!(get(addresses[1], "/", &[]).is_hit(), "they share what is stored");
    let threads = std::fs::read_dir(format!("/proc/{}/task", larder.pid())).expect("its threads");
    let workers = threads
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok())
        .filter(|name| name.starts_with("worker-"));
    assert_eq!(workers.count(), 3);
    // Connections go to all of them: the kernel spreads them over the sockets.
    let tcp = std::fs::read_to_string("/proc/net/tcp").expect("the sockets");
    let port = format!(":{:04X} ", addresses[0].port());
    let listening = tcp.lines().filter(|line| line.contains(&port) && line.contains(" 0A "));
    assert_eq!(listening.count(), 3);
}

#[test]
fn a_pipe_that_nobody_reads_holds_nobody_up() {
    let origin = Origin::answering(|_| reply(200, &["Cache-Control: max-age=60"], "page"));
    let mut child = Larder::command(
        &[
            "proxy",
            "--to",
            &origin.address.to_string(),
            "--listen",
            "127.0.0.1:0",
            "--admin",
            "off",
        ],
        &[],
    )
    .stdout(Stdio::piped())
    .stderr(Stdio::piped())
    .spawn()
    .expect("larder starts");
    let mut errors = std::io::BufReader::new(child.stderr.take().expect("its standard error"));
    let mut line = String::new();
    std::io::BufRead::read_line(&mut errors, &mut line).expect("a line");
    let address = line.split("http://").nth(1).and_then(|rest| rest.split(',').next());
    let address: std::net::SocketAddr = address.expect("an address").parse().expect("an address");
    let mut client = Connection::open(address);
    let long = format!("X: {}\r\nUser-Agent: {}\r\n", "x".repeat(10), "y".repeat(500));
    for _ in 0..2000 {
        client.ask("/", &long);
        assert_eq!(client.answer("GET").expect("an answer").status, 200);
    }
    child.kill().expect("killed");
    child.wait().expect("ended");
    assert!(!read_all(errors).contains("panicked"));
}
