//! File descriptors: some are left for whoever needs them most.

use super::origin_of_large_bodies;
use crate::harness::{Connection, Larder, Origin, wait_until};
use std::process::Command;

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
