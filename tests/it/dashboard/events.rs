//! `/v1/events`: what is told, to how many, and for how long to who takes nothing.

use super::{ask, site};
use crate::harness::{Connection, Larder, wait_until};
use serde_json::Value;
use std::net::SocketAddr;

/// Streams at a time.
const MOST: usize = 16;

/// A stream that has begun.
struct Stream {
    connection: Connection,
    text: String,
}

impl Stream {
    fn of(admin: SocketAddr, query: &str) -> Stream {
        let mut connection = Connection::open(admin);
        connection
            .send(format!("GET /v1/events{query} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes());
        let head = connection.head().expect("an answer");
        assert_eq!(head.status, 200);
        assert_eq!(head.field("content-type"), Some("text/event-stream"));
        Stream { connection, text: String::new() }
    }

    /// The next event: its name, its id, its document; `None` at the end.
    fn next(&mut self) -> Option<(String, Option<u64>, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let line = |name: &str| event.lines().find_map(|line| line.strip_prefix(name));
                let document = serde_json::from_str(line("data: ").expect("data")).expect("JSON");
                let id = line("id: ").map(|id| id.parse().expect("a number"));
                let name = line("event: ").expect("a name").to_string();
                self.text = rest.to_string();
                return Some((name, id, document));
            }
            let chunk = self.connection.chunk().filter(|chunk| !chunk.is_empty())?;
            self.text.push_str(std::str::from_utf8(&chunk).expect("text"));
        }
    }

    fn stats(&mut self) -> Value {
        loop {
            let (name, _, document) = self.next().expect("another event");
            if name == "stats" {
                return document;
            }
        }
    }
}

fn sent_away(larder: &Larder) -> bool {
    let mut connection = Connection::open(larder.admin);
    connection.send(b"GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    connection.head().expect("an answer").status == 503
}

#[test]
fn the_numbers_come_each_second_and_so_does_each_new_purge() {
    let origin = site();
    let larder = Larder::in_front_of(origin.address, &[]);
    larder.purge(r#"{"tags":["before"]}"#);
    let mut stream = Stream::of(larder.admin, "");
    assert_eq!(stream.stats()["requests"]["hit"], 0);
    larder.get("/a");
    larder.get("/a");
    let hits = |stream: &mut Stream| stream.stats()["requests"]["hit"].as_u64();
    wait_until("the hit is told", || hits(&mut stream) == Some(1));
    larder.purge(r#"{"tags":["one"]}"#);
    larder.purge(r#"{"tags":["two"]}"#);
    let mut purges = Vec::new();
    while purges.len() < 2 {
        let (name, id, document) = stream.next().expect("another event");
        if name == "purge" {
            assert_eq!(document["number"].as_u64(), id);
            purges.push(document["selectors"]["tags"][0].as_str().expect("a tag").to_string());
        }
    }
    assert_eq!(purges, ["one", "two"]);
    // Whoever comes back is told what was made meanwhile, the oldest first.
    let mut again = Stream::of(larder.admin, "?since=1");
    let (name, id, _) = again.next().expect("an event");
    assert_eq!((name.as_str(), id), ("purge", Some(2)));
    for query in ["since=x", "since", "other=1"] {
        assert_eq!(ask(&larder, &format!("/v1/events?{query}"), &[]).status, 400, "{query}");
    }
}

#[test]
fn only_so_many_listen_at_a_time() {
    let origin = site();
    let larder = Larder::in_front_of(origin.address, &[]);
    let mut streams: Vec<Stream> = (0..MOST).map(|_| Stream::of(larder.admin, "")).collect();
    let refused = ask(&larder, "/v1/events", &[]);
    assert_eq!((refused.status, refused.field("retry-after")), (503, Some("5")));
    assert!(refused.text().contains("/problems/too-many-streams"), "{}", refused.text());
    assert_eq!(ask(&larder, "/v1/stats", &[]).status, 200, "all else is answered");
    streams.pop();
    wait_until("the place of who left is free", || !sent_away(&larder));
    assert!(streams[0].next().is_some(), "the others listen on");
}

#[test]
fn who_never_reads_is_dropped_and_costs_little_meanwhile() {
    let origin = site();
    let larder = Larder::in_front_of(origin.address, &[]);
    Stream::of(larder.admin, "").stats();
    let before = larder.resident();
    let deaf: Vec<Connection> = (0..MOST)
        .map(|_| {
            let mut connection = Connection::from_afar(larder.admin);
            connection.send(b"GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
            connection
        })
        .collect();
    wait_until("all places are taken", || sent_away(&larder));
    wait_until("those who never read are dropped", || !sent_away(&larder));
    let more = larder.resident().saturating_sub(before);
    assert!(more < 8 << 20, "{more} bytes for {} of them", deaf.len());
}

#[test]
fn streams_do_not_outlive_the_process_or_the_configuration() {
    let origin = site();
    let dir = tempfile::tempdir().expect("a directory");
    let config = dir.path().join("larder.toml");
    let text = format!(
        "listen = '127.0.0.1:0'\norigin.to = '{}'\nadmin.listen = '127.0.0.1:0'\n",
        origin.address
    );
    std::fs::write(&config, &text).expect("a file");
    let mut larder = Larder::spawn(&["run", "--config", &config.display().to_string()], &[]);
    let mut stream = Stream::of(larder.admin, "");
    stream.stats();
    // From now on nobody is let in without the token.
    std::fs::write(&config, format!("{text}admin.token = 'secret'\n")).expect("a file");
    assert_eq!(larder.reload().status, 200);
    while stream.next().is_some() {}
    assert_eq!(ask(&larder, "/v1/events", &[]).status, 401);

    let mut connection = Connection::open(larder.admin);
    let fields = "Host: localhost\r\nAuthorization: Bearer secret\r\n";
    connection.send(format!("GET /v1/events HTTP/1.1\r\n{fields}\r\n").as_bytes());
    assert_eq!(connection.head().expect("an answer").status, 200);
    larder.terminate();
    assert!(larder.wait().success());
    assert!(!larder.events().contains("not over in time"), "{}", larder.events());
}
