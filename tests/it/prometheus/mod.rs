//! `/metrics`, as Prometheus itself reads it.

mod document;
mod files;
mod server;

use crate::harness::{Connection, Larder, Origin, Response, get, reply, request, wait_until};
use std::io::Write;
use std::process::{Command, Stdio};

fn scraped(larder: &Larder) -> Response {
    get(larder.admin, "/metrics", &[("Host", "localhost")])
}

/// A larder that has done a bit of everything.
fn busy() -> (Larder, Origin) {
    let origin = Origin::answering(|seen| match seen.target.as_str() {
        "/cookie" => reply(200, &["Set-Cookie: a=b"], "for you"),
        "/broken" => reply(500, &[], "no"),
        _ => reply(200, &["Cache-Control: max-age=60"], "page"),
    });
    let larder = Larder::in_front_of(origin.address, &["--access-log", "off"]);
    for path in ["/", "/", "/", "/a", "/a", "/cookie", "/cookie", "/broken"] {
        larder.get(path);
    }
    larder.get_with("/", &[("X-Other", "1")]);
    request(larder.proxy, "CONNECT", "/", &[], b"");
    larder.purge(r#"{"all":true,"soft":true}"#);
    larder.get("/");
    // What was purged softly is fetched behind that answer: then nothing changes any more.
    wait_until("it is stored anew", || larder.stat("/stored") == 3);
    (larder, origin)
}

/// The lines of a text without their numbers.
fn without_numbers(text: &str) -> Vec<&str> {
    text.lines().map(|line| line.rsplit_once(' ').map_or(line, |(name, _)| name)).collect()
}

/// What `promtool` says of this text to a command that reads it; nothing if it is good.
fn promtool(arguments: &[&str], text: &str) -> (bool, String) {
    let mut child = Command::new("promtool")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|why| panic!("promtool: {why}: run scripts/setup-tests"));
    let mut input = child.stdin.take().expect("its input");
    input.write_all(text.as_bytes()).expect("it reads");
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn promtool_has_nothing_to_say() {
    let (larder, _origin) = busy();
    let answer = scraped(&larder);
    let media_type = answer.field("content-type").expect("a type");
    assert_eq!(media_type, "text/plain; version=0.0.4; charset=utf-8");
    let text = answer.text();
    assert_eq!(promtool(&["check", "metrics"], &text), (true, String::new()), "{text}");
    let head = request(larder.admin, "HEAD", "/metrics", &[("Host", "localhost")], b"");
    assert_eq!((head.status, head.body.len()), (200, 0));
    let other = request(larder.admin, "POST", "/metrics", &[("Host", "localhost")], b"");
    assert_eq!((other.status, other.field("allow")), (405, Some("GET, HEAD")));
}

#[test]
fn no_client_makes_the_answer_larger() {
    let origin = Origin::answering(|_| reply(200, &["Cache-Control: no-store"], ""));
    let more = ["--access-log", "off"];
    let larder = Larder::in_front_of(origin.address, &more);
    larder.get("/");
    let before = scraped(&larder).text();
    let mut connection = Connection::open(larder.proxy);
    for hundred in 0..100 {
        let request = |number: u32| {
            format!("GET /{hundred}/{number} HTTP/1.1\r\nHost: h{hundred}x{number}.test\r\n\r\n")
        };
        connection.send((0..100).map(request).collect::<String>().as_bytes());
        for _ in 0..100 {
            assert_eq!(connection.answer("GET").expect("an answer").status, 200);
        }
    }
    let after = scraped(&larder).text();
    assert_eq!(origin.count(), 10_001);
    assert_eq!(without_numbers(&before), without_numbers(&after));
}

#[test]
fn an_address_that_is_given_twice_is_one_upstream() {
    let origin = Origin::answering(|_| reply(200, &[], ""));
    let twice = format!("{0},{0}", origin.address);
    let larder = Larder::in_front_of(&twice, &["--access-log", "off"]);
    let text = scraped(&larder).text();
    assert_eq!(text.matches("larder_upstream_in_flight_requests{").count(), 1, "{text}");
    assert_eq!(promtool(&["check", "metrics"], &text), (true, String::new()));
}
