//! Stopping, and another process that takes over: nobody is refused.

use crate::harness::{Connection, DEADLINE, Gate, Larder, Origin, get, reply, wait_until};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Requests between two changes: some thousand a second come.
const FLOOD: usize = 1_000;

fn pages() -> Origin {
    Origin::answering(|seen| match seen.target.as_str() {
        "/hit" => reply(200, &["Cache-Control: max-age=3600"], "page"),
        _ => reply(200, &["Cache-Control: no-store"], "page"),
    })
}

/// `larder` with this socket passed on as systemd does it: as descriptor 3, in a
/// process whose id is known only to itself.
fn with_socket(socket: &TcpListener, args: &[&str], env: &[(&str, &str)]) -> Command {
    let larder = Larder::command(args, env);
    let mut shell = Command::new("sh");
    shell.arg("-c").arg("LISTEN_PID=$$ LISTEN_FDS=1 exec \"$@\" 3<&0 0</dev/null").arg("sh");
    shell.arg(larder.get_program()).args(larder.get_args());
    for (name, value) in larder.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell.stdin(Stdio::from(OwnedFd::from(socket.try_clone().expect("the same socket"))));
    shell
}

fn args<'a>(to: &'a str, listen: &'a str) -> [&'a str; 9] {
    let admin = "127.0.0.1:0";
    ["proxy", "--to", to, "--listen", listen, "--admin", admin, "--access-log", "off"]
}

/// One request on a connection of its own, which must not fail at any step.
fn ask_once(address: SocketAddr, path: &str) {
    let mut stream = TcpStream::connect(address).expect("nobody is refused");
    stream.set_read_timeout(Some(DEADLINE)).expect("a time-out");
    let head = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).expect("the request goes");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("page"), "{answer:?}");
}

/// As many requests on one connection as it is kept open for. One that is closed
/// while it is idle is no failure (RFC 9112 section 9.3.1), and a new one is made.
fn ask_on_one(address: SocketAddr, done: &AtomicBool, answered: &AtomicUsize) {
    let mut connection = Connection::open(address);
    let mut used = false;
    while !done.load(Ordering::SeqCst) {
        let request = b"GET /hit HTTP/1.1\r\nHost: x\r\n\r\n";
        let sent = connection.stream().write_all(request).is_ok();
        match connection.answer("GET").filter(|_| sent) {
            Some(answer) => {
                assert_eq!((answer.status, answer.complete), (200, true));
                answered.fetch_add(1, Ordering::SeqCst);
                used = answer.field("connection") != Some("close");
            }
            None => {
                assert!(used, "a new connection is served");
                used = false;
            }
        }
        if !used {
            connection = Connection::open(address);
        }
    }
}

#[test]
fn another_process_takes_over_a_passed_socket_and_nobody_is_refused() {
    let origin = pages();
    let held = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = held.local_addr().expect("an address");
    let (to, listen) = (origin.address.to_string(), address.to_string());
    let start = || Larder::started(with_socket(&held, &args(&to, &listen), &[]));
    let mut larder = start();
    let (done, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..9)
        .map(|number| {
            let (done, answered) = (Arc::clone(&done), Arc::clone(&answered));
            std::thread::spawn(move || match number % 3 {
                0 => ask_on_one(address, &done, &answered),
                _ => {
                    while !done.load(Ordering::SeqCst) {
                        ask_once(address, if number % 3 == 1 { "/hit" } else { "/miss" });
                        answered.fetch_add(1, Ordering::SeqCst);
                    }
                }
            })
        })
        .collect();
    let so_far = || answered.load(Ordering::SeqCst);
    #[expect(clippy::disallowed_methods, reason = "what is measured is real time")]
    let begun = std::time::Instant::now();
    for _ in 0..3 {
        // One that cannot start harms nobody.
        let mistaken = [("LARDER_CACHE__MEMORY", "much")];
        let before = so_far();
        let failed = with_socket(&held, &args(&to, &listen), &mistaken).output().expect("it runs");
        assert_eq!(failed.status.code(), Some(1), "{failed:?}");
        wait_until("the old one goes on", || so_far() > before + FLOOD);
        let before = so_far();
        let next = start();
        wait_until("both serve", || so_far() > before + FLOOD);
        let before = so_far();
        larder.terminate();
        assert_eq!(larder.wait().code(), Some(0));
        larder = next;
        wait_until("the next one serves", || so_far() > before + FLOOD);
    }
    // Nor when nobody is there for a while: who comes waits in the socket.
    larder.terminate();
    assert_eq!(larder.wait().code(), Some(0));
    let before = answered.load(Ordering::SeqCst);
    let _last = start();
    wait_until("the last one serves", || so_far() > before + FLOOD);
    let seconds = begun.elapsed().as_secs_f64();
    println!("{:.0} requests a second, for {seconds:.1} s", so_far() as f64 / seconds);
    done.store(true, Ordering::SeqCst);
    clients.into_iter().for_each(|client| client.join().expect("no request has failed"));
}

/// Purges are told to the one that serves from then on.
#[test]
fn one_that_shares_its_sockets_answers_nothing_from_its_store_once_it_is_stopped() {
    let (gate, version) = (Gate::closed(), Arc::new(AtomicUsize::new(1)));
    let (waits, now) = (gate.clone(), Arc::clone(&version));
    let origin = Origin::answering(move |seen| {
        if seen.target == "/slow" {
            waits.pass();
        }
        reply(200, &["Cache-Control: max-age=60"], &now.load(Ordering::SeqCst).to_string())
    });
    let held = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = held.local_addr().expect("an address");
    let (to, listen) = (origin.address.to_string(), address.to_string());
    let one_thread = [("LARDER_THREADS", "1")];
    let mut old = Larder::started(with_socket(&held, &args(&to, &listen), &one_thread));
    assert_eq!(get(address, "/", &[]).text(), "1");
    assert!(get(address, "/", &[]).is_hit());
    let (mut slow, mut silent) = (Connection::open(address), Connection::open(address));
    slow.ask("/slow", "");
    wait_until("it is at the origin", || origin.asked_for("/slow") == 1);
    // Who comes later and is answered shows that the silent one has been accepted.
    assert!(get(address, "/", &[]).is_hit());
    old.terminate();
    let host = [("Host", "localhost")];
    wait_until("it stops", || get(old.admin, "/readyz", &host).status == 503);
    version.store(2, Ordering::SeqCst);
    silent.ask("/", "");
    assert_eq!(silent.answer("GET").expect("an answer").text(), "2");
    gate.open();
    slow.answer("GET").expect("an answer");
    assert_eq!(old.wait().code(), Some(0));
}

#[test]
fn a_passed_socket_is_shared_by_all_threads_and_taken_by_its_address_alone() {
    let origin = pages();
    let held = TcpListener::bind("127.0.0.1:0").expect("a port");
    let listen = held.local_addr().expect("an address").to_string();
    let to = origin.address.to_string();
    let env = [("LARDER_THREADS", "3")];
    let larder = Larder::started(with_socket(&held, &args(&to, &listen), &env));
    get(larder.proxy, "/hit", &[]);
    assert!(get(larder.proxy, "/hit", &[]).is_hit());
    drop(larder);
    let mut command = with_socket(&held, &args(&to, "127.0.0.1:0"), &[]);
    let output = command.output().expect("larder runs");
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains(&format!("a socket was passed for {listen}")), "{errors}");
}

#[test]
fn systemd_is_told_how_it_goes() {
    let origin = pages();
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("notify");
    let told = UnixDatagram::bind(&path).expect("a socket");
    told.set_read_timeout(Some(DEADLINE)).expect("a time-out");
    let next = || {
        let mut bytes = [0; 256];
        let count = told.recv(&mut bytes).expect("a message");
        String::from_utf8_lossy(&bytes[..count]).into_owned()
    };
    let file = directory.path().join("larder.toml");
    let doors = "listen = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n";
    std::fs::write(&file, format!("{doors}[origin]\nto = \"{}\"\n", origin.address)).expect("it");
    let args = ["run", "--config", file.to_str().expect("a path")];
    let larder = Larder::spawn(&args, &[("NOTIFY_SOCKET", path.to_str().expect("a path"))]);
    assert_eq!(next(), "READY=1\n");
    larder.hang_up();
    let reloading = next();
    assert!(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{reloading:?}");
    assert_eq!(next(), "READY=1\n");
    larder.terminate();
    assert_eq!(next(), "STOPPING=1\n");
}

#[test]
fn while_requests_end_it_is_not_ready_and_a_second_sigterm_ends_it_at_once() {
    let gate = Gate::closed();
    let waits = gate.clone();
    let origin = Origin::answering(move |_| {
        waits.pass();
        reply(200, &[], "late")
    });
    let mut larder = Larder::in_front_of(origin.address, &[]);
    let mut waiting = Connection::open(larder.proxy);
    waiting.ask("/", "");
    wait_until("it is at the origin", || origin.count() == 1);
    larder.terminate();
    wait_until("nobody is let in any more", || TcpStream::connect(larder.proxy).is_err());
    let host = [("Host", "localhost")];
    assert_eq!(get(larder.admin, "/readyz", &host).status, 503);
    assert_eq!(get(larder.admin, "/livez", &host).status, 200);
    assert_eq!(larder.reload().status, 501, "there is no file");
    larder.terminate();
    assert_eq!(larder.wait().code(), Some(0));
    larder.says("told again: stopped at once");
    assert!(waiting.is_closed());
    gate.open();
}

#[test]
fn who_has_connected_and_not_asked_yet_is_answered() {
    let origin = pages();
    let mut larder = Larder::with_env(origin.address, &[], &[("LARDER_THREADS", "1")]);
    let mut silent = Connection::open(larder.proxy);
    // Who comes later and is answered shows that the silent one has been accepted.
    larder.get("/hit");
    larder.terminate();
    wait_until("nobody is let in any more", || TcpStream::connect(larder.proxy).is_err());
    silent.ask("/hit", "");
    let answer = silent.answer("GET").expect("an answer");
    assert_eq!((answer.text().as_str(), answer.field("connection")), ("page", Some("close")));
    assert_eq!(larder.wait().code(), Some(0));
}

#[test]
fn a_websocket_is_not_waited_for() {
    let origin = Origin::scripted(|_, stream| {
        let agreed = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
                      Connection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\nhello";
        stream.write_all(agreed.as_bytes()).is_ok()
    });
    let mut larder = Larder::in_front_of(origin.address, &[]);
    let mut client = Connection::open(larder.proxy);
    let ask = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\
               Sec-WebSocket-Version: 13\r\n";
    client.ask("/socket", ask);
    assert_eq!(client.head().expect("an answer").status, 101);
    assert_eq!(client.read_exact(5), b"hello");
    larder.terminate();
    assert_eq!(larder.wait().code(), Some(0));
    assert!(client.is_closed());
    larder.says("stopped");
    assert!(!larder.events().contains("still under way"), "{}", larder.events());
}
