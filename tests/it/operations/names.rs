//! The application's name stands for another address from now on.

use super::preloaded;
use crate::harness::{Connection, Gate, Larder, read_request, reply, wait_until};
use std::fs::File;
use std::io::{BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// An application that counts its connections and requests.
#[derive(Default)]
struct App {
    open: AtomicUsize,
    asked: AtomicUsize,
}

impl App {
    fn at(listener: TcpListener, gate: &Gate) -> Arc<App> {
        let app = Arc::new(App::default());
        let (own, gate) = (Arc::clone(&app), gate.clone());
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let (app, gate) = (Arc::clone(&own), gate.clone());
                app.open.fetch_add(1, Ordering::SeqCst);
                std::thread::spawn(move || {
                    let mut reader = BufReader::new(stream.try_clone().expect("the other half"));
                    while let Some(seen) = read_request(&mut reader) {
                        app.asked.fetch_add(1, Ordering::SeqCst);
                        if seen.target == "/slow" {
                            gate.pass();
                        }
                        let answer = reply(200, &["Cache-Control: no-store"], "page");
                        if stream.write_all(answer.as_bytes()).is_err() {
                            break;
                        }
                    }
                    app.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        app
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// The system's table of hosts, as larder sees it, says so from now on. When it was
/// written is looked at by the second.
fn hosts_say(file: &Path, address: &str, second: u64) {
    let next = file.with_extension("next");
    let mut written = File::create(&next).expect("a file");
    writeln!(written, "{address} app.test").expect("it is written");
    let at = std::time::UNIX_EPOCH + Duration::from_secs(second);
    written.set_modified(at).expect("its time");
    std::fs::rename(next, file).expect("it is in place");
}

#[test]
fn when_the_name_moves_requests_follow_and_none_fails() {
    let gate = Gate::closed();
    let listener = TcpListener::bind("127.0.0.2:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let there = TcpListener::bind(("127.0.0.3", port)).expect("the same port");
    let (old, new) = (App::at(listener, &gate), App::at(there, &gate));
    let directory = tempfile::tempdir().expect("a directory");
    let hosts = directory.path().join("hosts");
    hosts_say(&hosts, "127.0.0.2", 1_000);
    let env = [
        ("LD_PRELOAD", &*preloaded("libnss_wrapper.so")),
        ("NSS_WRAPPER_HOSTS", hosts.to_str().expect("a path")),
        ("LARDER_ORIGIN__RESOLVE_EVERY", "100ms"),
    ];
    let to = format!("app.test:{port}");
    let larder = Larder::with_env(to, &["--access-log", "off"], &env);
    let mut slow = Connection::open(larder.proxy);
    slow.ask("/slow", "");
    wait_until("it is at the application", || old.asked() == 1);
    let done = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let (address, done) = (larder.proxy, Arc::clone(&done));
            std::thread::spawn(move || {
                let mut client = Connection::open(address);
                while !done.load(Ordering::SeqCst) {
                    client.ask("/page", "");
                    let answer = client.answer("GET").expect("an answer");
                    assert_eq!((answer.status, answer.complete), (200, true));
                }
            })
        })
        .collect();
    wait_until("the old address is asked", || old.asked() > 200);
    assert_eq!(new.asked(), 0);
    hosts_say(&hosts, "127.0.0.3", 2_000);
    wait_until("the new address is asked", || new.asked() > 200);
    wait_until("only what is under way is left at the old one", || {
        old.open.load(Ordering::SeqCst) == 1
    });
    let asked = old.asked();
    let before = new.asked();
    wait_until("the new address is asked on", || new.asked() > before + 200);
    assert_eq!(old.asked(), asked, "the old one is asked no more");
    gate.open();
    assert_eq!(slow.answer("GET").expect("an answer").text(), "page");
    // Its connection is closed when the next request on its thread looks for one.
    slow.ask("/page", "");
    assert_eq!(slow.answer("GET").expect("an answer").text(), "page");
    wait_until("the old one is let go", || old.open.load(Ordering::SeqCst) == 0);
    // A name that is lost keeps what it stood for.
    std::fs::write(&hosts, "").expect("an empty file");
    let before = new.asked();
    larder.says("a name does not resolve any more");
    wait_until("the new address is asked on", || new.asked() > before + 200);
    done.store(true, Ordering::SeqCst);
    clients.into_iter().for_each(|client| client.join().expect("no request has failed"));
}
