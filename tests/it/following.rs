//! `GET /v1/log`: whoever follows is told of requests as they are answered.

use crate::harness::{Connection, Larder, Origin, get, reply, wait_until};
use serde_json::Value;

fn pages() -> Origin {
    Origin::answering(|seen| match seen.target.as_str() {
        "/broken" => reply(500, &[], "no"),
        _ => reply(200, &["Cache-Control: max-age=60"], "page"),
    })
}

/// One who follows, and knows that it does.
struct Following(Connection);

impl Following {
    fn of(larder: &Larder, filter: &str) -> Following {
        Following::by(Connection::open(larder.admin), filter)
    }

    fn by(mut following: Connection, filter: &str) -> Following {
        following.send(
            format!("GET /v1/log?filter={filter} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes(),
        );
        let head = following.head().expect("a head");
        assert_eq!((head.status, head.field("content-type")), (200, Some("application/x-ndjson")));
        assert_eq!(following.chunk().as_deref(), Some(&b"\n"[..]));
        Following(following)
    }

    /// The next lines that come together.
    fn lines(&mut self) -> Vec<Value> {
        let chunk = self.0.chunk().expect("a chunk");
        let text = String::from_utf8(chunk).expect("text");
        let lines = text.lines().filter(|line| !line.is_empty());
        lines.map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }
}

#[test]
fn whoever_follows_is_told_of_the_requests_that_its_filter_lets_through() {
    let origin = pages();
    let larder = Larder::in_front_of(origin.address, &["--access-log", "off"]);
    let mut all = Following::of(&larder, "");
    let mut errors = Following::of(&larder, "status%3E%3D500+path%3D/b*");
    for path in ["/a", "/a", "/broken"] {
        larder.get(path);
    }
    let mut seen = Vec::new();
    while seen.len() < 3 {
        seen.extend(all.lines());
    }
    let told: Vec<_> = seen.iter().map(|line| (&line["target"], &line["outcome"])).collect();
    let expected = [("/a", "uri-miss"), ("/a", "hit"), ("/broken", "uri-miss")];
    for ((target, outcome), expected) in told.into_iter().zip(expected) {
        assert_eq!((target.as_str(), outcome.as_str()), (Some(expected.0), Some(expected.1)));
    }
    let lines = errors.lines();
    assert_eq!((lines.len(), &lines[0]["status"]), (1, &500.into()));
}

#[test]
fn so_many_follow_at_a_time_and_a_wrong_filter_is_told() {
    let origin = pages();
    let mut larder = Larder::in_front_of(origin.address, &["--access-log", "off"]);
    let ask = |path: &str| get(larder.admin, path, &[("Host", "localhost")]);
    let answer = ask("/v1/log?filter=path%3D/a+staus%3D1");
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("at character 9 of the filter: `staus`"), "{}", answer.text());
    let mut four: Vec<Following> = (0..4).map(|_| Following::of(&larder, "")).collect();
    let refused = ask("/v1/log");
    assert_eq!((refused.status, refused.field("retry-after")), (503, Some("5")));
    assert!(refused.text().contains("/problems/too-many-streams"), "{}", refused.text());
    four.pop();
    wait_until("the place of who has gone is free", || {
        let mut connection = Connection::open(larder.admin);
        connection.send(b"GET /v1/log HTTP/1.1\r\nHost: localhost\r\n\r\n");
        connection.head().is_some_and(|head| head.status == 200)
    });
    // Those who follow hold up nobody who stops it.
    larder.terminate();
    assert_eq!(larder.wait().code(), Some(0));
    assert!(!larder.events().contains("were not over in time"), "{}", larder.events());
}

#[test]
fn who_never_reads_loses_lines_costs_little_and_is_told_how_many() {
    // Fast enough to be over before it is dropped for having read nothing for so long.
    const COUNT: u64 = 15_000;
    let origin = pages();
    let larder = Larder::in_front_of(origin.address, &["--access-log", "off"]);
    larder.get("/a");
    let mut idle = Following::by(Connection::from_afar(larder.admin), "");
    let (before, mut client) = (larder.resident(), Connection::open(larder.proxy));
    let hundred = "GET /a HTTP/1.1\r\nHost: site.test\r\n\r\n".repeat(100);
    for _ in 0..COUNT / 100 {
        client.send(hundred.as_bytes());
        for _ in 0..100 {
            assert_eq!(client.answer("GET").expect("an answer").status, 200);
        }
    }
    let grown = larder.resident().saturating_sub(before);
    // All of the lines would be over 4 MiB.
    assert!(grown < 3 << 20, "{grown}");
    let (mut told, mut lost) = (0, 0);
    while told + lost < COUNT {
        for line in idle.lines() {
            match line["lost"].as_u64() {
                Some(count) => lost += count,
                None => told += 1,
            }
        }
    }
    assert_eq!(told + lost, COUNT);
    println!("{told} told, {lost} lost, {} KiB", grown / 1024);
    assert!(lost > 0, "all {told} went into what the sockets hold");
}
