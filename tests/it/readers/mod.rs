//! What larder writes for the application is read in the same way by h11, gunicorn, waitress,
//! uWSGI, uvicorn, hypercorn, Node, nginx and Apache, and in that way which larder meant, whatever
//! a client sends. And who is given the same stored response is the same to Django and Flask.
//!
//! `LARDER_READERS_COUNT` is how many requests of each kind are tried,
//! `LARDER_READERS_SEED` which; a failure names the seed.

mod alike;
mod bodies;
mod hostile;
mod reader;
mod recorder;
mod refusals;
mod selected;
mod servers;
mod valid;
mod words;

use crate::fuzz::reference::{Fields, Message};
use crate::harness::{DEADLINE, Larder};
use crate::simulation::random::Random;
use alike::{is_upgrade, parts};
use reader::Reader;
use recorder::{Place, Recorder};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Mutex;
use valid::Sent;

const SEED: u64 = 20_261_130;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

/// The seed, and how many requests.
fn told(count: u64) -> (u64, u64) {
    let seed = number("LARDER_READERS_SEED", SEED);
    println!("LARDER_READERS_SEED={seed}");
    (seed, number("LARDER_READERS_COUNT", count))
}

/// larder before a recorder. One thread: requests of several connections share those to
/// the origin.
fn larder(origin: &Recorder, more: &[(&str, &str)]) -> Larder {
    let env = [&[("LARDER_THREADS", "1")], more].concat();
    Larder::with_env(origin.address, &["--access-log", "json"], &env)
}

/// Sends all of this, and says no more; which requests have been answered by the origin.
fn answered(larder: &Larder, bytes: &[u8], ends: bool) -> Vec<Place> {
    let mut stream = TcpStream::connect(larder.proxy).expect("a connection");
    stream.set_read_timeout(Some(DEADLINE)).expect("a time-out");
    stream.set_write_timeout(Some(DEADLINE)).expect("a time-out");
    // Who is refused early may find the connection closed while still sending.
    let _ = stream.write_all(bytes);
    if ends {
        let _ = stream.shutdown(Shutdown::Write);
    }
    let mut answers = Vec::new();
    let _ = stream.read_to_end(&mut answers);
    let answers = String::from_utf8_lossy(&answers).into_owned();
    let places = answers.split("x-read: ").skip(1).map(|rest| {
        let place = rest.lines().next().and_then(|line| line.split_once('.'));
        let (connection, index) = place.expect("a place");
        (connection.parse().expect("a number"), index.parse().expect("a number"))
    });
    places.collect()
}

/// Has every reader read all connections, all at the same time.
fn read_by_all(origin: &Recorder, seed: u64) {
    let connections = origin.noted().connections;
    let parts: Vec<_> =
        connections.iter().flat_map(|bytes| parts(bytes)).filter(|part| !part.is_empty()).collect();
    let broken = parts.iter().filter(|part| part.requests.is_empty()).count();
    println!("{} connections, of which {broken} broke off", connections.len());
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for mut reader in Reader::all() {
            let (parts, wrong) = (&parts, &wrong);
            scope.spawn(move || {
                let (mut requests, mut refused) = (0, 0);
                for part in parts {
                    requests += part.requests.len();
                    match part.read_by(&mut reader) {
                        Ok(count) => refused += count,
                        Err(what) => wrong.lock().expect("what is wrong").push(what),
                    }
                }
                println!("{}: {requests} requests, {refused} refused", reader.name);
            });
        }
    });
    let wrong = wrong.into_inner().expect("what is wrong");
    let first = wrong.iter().take(10).cloned().collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "LARDER_READERS_SEED={seed}, {} times:\n{first}", wrong.len());
}

fn is_framing(name: &str) -> bool {
    matches!(name, "content-length" | "transfer-encoding")
}

fn sorted(fields: &Fields, kept: impl Fn(&str) -> bool) -> Fields {
    let mut fields: Fields = fields.iter().filter(|(name, _)| kept(name)).cloned().collect();
    // Lines with one name stay in order.
    fields.sort_by(|one, other| one.0.cmp(&other.0));
    fields
}

/// A request has one length, or none; and one of each field that says who asks for what.
fn is_canonical(request: &Message) {
    let count = |name: &str| request.fields.iter().filter(|(n, _)| n == name).count();
    assert!(count("content-length") + count("transfer-encoding") <= 1, "{request:?}");
    for name in ["host", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-request-id"]
    {
        assert_eq!(count(name), 1, "{name}: {request:?}");
    }
    assert!(request.fields.iter().all(|(name, _)| !name.contains('_')), "{request:?}");
    assert_eq!(request.minor, 1, "{request:?}");
}

/// What was written is what the client has sent, as far as it is for the application.
fn is_meant(sent: &Sent, written: &Message) {
    is_canonical(written);
    assert_eq!((&written.method, &written.target), (&sent.meant.method, &sent.meant.target));
    assert_eq!(written.body, sent.meant.body, "{written:?}");
    let fields = sorted(&written.fields, |name| !is_framing(name) && name != "x-request-id");
    let mut meant = sent.meant.fields.clone();
    let means_a_body = ["POST", "PUT", "PATCH", "QUERY"].contains(&sent.meant.method.as_str());
    if !means_a_body && !sent.meant.body.is_empty() {
        // Nothing is to come behind it, which is said so that every server sees it.
        meant.retain(|(name, _)| name != "connection" && name != "te");
        meant.push(("connection".into(), b"close".to_vec()));
    }
    assert_eq!(fields, sorted(&meant, |_| true), "{}", text(&sent.bytes));
    let framed = written.fields.iter().any(|(name, value)| is_framing(name) && value != b"0");
    assert!(sent.has_body || !framed, "{written:?}");
    assert_eq!(is_upgrade(written), sent.upgrade);
}

fn text(bytes: &[u8]) -> String {
    format!("{:?}", String::from_utf8_lossy(&bytes[..bytes.len().min(3000)]))
}

#[test]
fn what_is_written_is_read_as_it_was_meant_by_every_server() {
    let (seed, count) = told(400);
    let mut random = Random::new(seed);
    let origin = Recorder::start();
    let larder = larder(&origin, &[]);
    let mut sent = 0;
    while sent < count {
        let before = origin.count();
        let several = 1 + random.below(6);
        let requests: Vec<Sent> =
            (0..several).map(|at| valid::sent(&mut random, sent + at, at + 1 == several)).collect();
        sent += several;
        let bytes = requests.iter().flat_map(|sent| sent.bytes.clone()).collect::<Vec<_>>();
        let answered = answered(&larder, &bytes, false);
        let written = origin.since(before);
        let places: Vec<Place> = written.iter().map(|(place, _)| *place).collect();
        assert_eq!(
            (answered.len(), &answered),
            (requests.len(), &places),
            "seed {seed}: {}",
            text(&bytes)
        );
        for (sent, (_, written)) in requests.iter().zip(&written) {
            is_meant(sent, written);
        }
    }
    read_by_all(&origin, seed);
}

/// larder has written down the requests that it has handed on, and means the same.
fn is_logged(larder: &Larder, written: &[(Place, Message)]) {
    for (_, request) in written {
        let handed_on = |line: &Value| line["status"] == 200 && line["outcome"] != "none";
        let lines = std::iter::repeat_with(|| serde_json::from_str(&larder.next_line()));
        let line = lines.map(|line| line.expect("JSON")).find(handed_on).expect("a line");
        let (method, target) = (line["method"].as_str(), line["target"].as_str());
        assert_eq!(method, Some(&*request.method), "{line}");
        // Behind the scheme and the host, if it had them; those may stand alone.
        let [whole, rest] = [&*request.target, &request.target[1..]]
            .map(|path| target.expect("a target").strip_suffix(path));
        let before = whole.or(rest).unwrap_or("?");
        assert!(before.is_empty() || before.contains("://"), "{line} {request:?}");
    }
}

#[test]
fn what_hostile_requests_leave_is_read_in_one_way_by_every_server() {
    let (seed, count) = told(1500);
    let mut random = Random::new(seed);
    // Uploads that break off get to the origin only if they are not awaited.
    for ahead in ["64KiB", "0"] {
        let origin = Recorder::start();
        let larder = larder(&origin, &[("LARDER_LIMITS__REQUEST_AHEAD", ahead)]);
        let mut reached = 0;
        for number in 0..count / 2 {
            let before = origin.count();
            let mut bytes = hostile::bytes(&mut random, number);
            bytes.extend(
                format!("GET /behind?{number} HTTP/1.1\r\nHost: site.test\r\n\r\n").bytes(),
            );
            let answered = answered(&larder, &bytes, true);
            let written = origin.since(before);
            let places: Vec<Place> = written.iter().map(|(place, _)| *place).collect();
            assert_eq!(answered, places, "seed {seed}: {}", text(&bytes));
            written.iter().for_each(|(_, request)| is_canonical(request));
            is_logged(&larder, &written);
            reached += usize::from(written.iter().any(|(_, r)| !r.target.starts_with("/behind?")));
        }
        println!("request_ahead = {ahead}: {reached} of {} reached the origin", count / 2);
        assert!(reached as u64 > count / 20, "most are refused before they are tried");
        read_by_all(&origin, seed);
    }
}
