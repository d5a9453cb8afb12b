//! What one request can cost larder: processor time, beside that of its sender, and
//! memory while it waits for the application.
//!
//! The sender is as thrifty as it can be: it has its requests ready, sends many at a time
//! over one connection, and looks at nothing of the answers.

use crate::harness::{Connection, Gate, Larder, Origin, get, reply, wait_until};
use rustix::time::{ClockId, clock_gettime};
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// How much more processor time than its sender's one request may cost.
const MOST: f64 = 10.0;

/// What is known to cost more where little else runs on the machine, and how much at most.
const DEAR: [(&str, f64); 3] = [
    ("a path of 2 KB with many readings", 16.0),
    ("an upload of one byte", 12.0),
    ("2,000 chunks of one byte", 16.0),
];

/// Measurements of each.
const ROUNDS: usize = 9;

/// Requests that wait at a time while memory is measured.
const WAITING: usize = 64;

struct Case {
    name: &'static str,
    method: &'static str,
    target: String,
    /// The fields, and the body.
    rest: String,
    /// By this field others have had as many variants stored as there may be. The request
    /// wants none that isn't.
    many: Option<&'static str>,
}

impl Case {
    fn bytes(&self, before: &str) -> Vec<u8> {
        let Case { method, target, rest, .. } = self;
        format!("{method} {before}{target} HTTP/1.1\r\nHost: site.test\r\n{rest}").into_bytes()
    }

    /// Has the variants stored that there are before it.
    fn prepare(&self, larder: &Larder) {
        let Some(name) = self.many else { return };
        for number in 0..64 {
            get(larder.proxy, &self.target, &[(name, &format!("sessionid={number}"))]);
        }
        wait_until("they are stored", || larder.stat("/memory/responses") == 64);
    }
}

/// Three lines of one field, each as long as a line may be, full of this.
fn full(name: &str, begin: &str, piece: &str) -> String {
    let value = piece.repeat((8100 - begin.len()) / piece.len());
    format!("{name}: {begin}{}\r\n", value.trim_end_matches([',', ';', ' '])).repeat(3)
}

const ONLY_IF_CACHED: &str = "Cache-Control: only-if-cached\r\n";
const CHUNKED: &str = "Transfer-Encoding: chunked\r\n";

/// So many parameters of which each has another name, in no order.
fn mixed(count: usize) -> String {
    (0..count).map(|number| format!("{:x}&", number * 7919 % count)).collect()
}

/// A path of so many bytes that no two servers read alike.
fn disguised(bytes: usize) -> String {
    let piece = "/a%25252f%2e%2e;b%5c.%2525;%3b//";
    piece.repeat(bytes / piece.len())
}

fn cases() -> Vec<Case> {
    let case = |name, method, target: &str, rest| {
        let target = target.into();
        Case { name, method, target, rest, many: None }
    };
    let get = |name, target: &str, fields: String| case(name, "GET", target, fields + "\r\n");
    let fields =
        |value: &str| -> String { (0..88).map(|n| format!("X-{n}: {value}\r\n")).collect() };
    let parts: Vec<String> = (0..16).map(|n| format!("{}-{}", n * 100, n * 100 + 1)).collect();
    let one_line =
        |line: String| line.lines().next().map(|l| format!("{l}\r\n")).unwrap_or_default();
    vec![
        get("the least", "/", String::new()),
        get("88 fields", "/", fields("v")),
        get("88 fields of 300 bytes", "/", fields(&"v".repeat(300))),
        get("88 fields, all in `Vary`", "/all", fields(&"v".repeat(300))),
        get("8 KiB of `Cookie`, in `Vary`", "/cookie", one_line(full("Cookie", "", "a=b; "))),
        get("24 KiB of `Accept-Language`, in `Vary`", "/lang", full("Accept-Language", "", "a,")),
        get(
            "24 KiB of `Accept-Encoding`, in `Vary`",
            "/enc",
            full("Accept-Encoding", "", "x;q=.1,"),
        ),
        get("24 KiB of `If-None-Match`", "/", full("If-None-Match", "", "\"a\",")),
        get("24 KiB of `Cache-Control`", "/", full("Cache-Control", "", "a=1,")),
        get("128 hops of `Via`", "/", format!("Via: {}\r\n", "1 a,".repeat(128))),
        get("24 KiB of `X-Forwarded-For`", "/", full("X-Forwarded-For", "", "1,")),
        get("100 options of `Connection`, 88 fields", "/", {
            let named: Vec<String> = (0..100).map(|n| format!("X-{n}")).collect();
            format!("Connection: {}\r\n{}", named.join(","), fields("v"))
        }),
        get("16 ranges", "/", format!("Range: bytes={}\r\n", parts.join(","))),
        get("8 KiB of ranges", "/", one_line(full("Range", "bytes=", "1-2,"))),
        get("a target of 8 KB", &"/a".repeat(3900), String::new()),
        get("a path of 2 KB with many readings", &disguised(1_900), String::new()),
        get(
            "2,000 parameters, `No-Vary-Search`",
            &format!("/search?{}", "1&".repeat(2000)),
            String::new(),
        ),
        get(
            "2,000 parameters, `key-order`",
            &format!("/order?{}", "z&b&".repeat(1000)),
            String::new(),
        ),
        get("128 parameters, `key-order`", &format!("/order?{}", mixed(128)), String::new()),
        case("an upload of one byte", "PUT", "/", "Content-Length: 1\r\n\r\nx".into()),
        case("2,000 chunks of one byte", "PUT", "/", {
            format!("{CHUNKED}\r\n{}0\r\n\r\n", "1\r\nx\r\n".repeat(2000))
        }),
        case("12 KB of extensions", "PUT", "/", {
            format!("{CHUNKED}\r\n1;{}\r\nx\r\n0\r\n\r\n", "a".repeat(12_000))
        }),
        case("12 KB of trailers", "PUT", "/", {
            let trailers = format!("a: {}\r\n", "x".repeat(12_000));
            format!("{CHUNKED}Trailer: a\r\n\r\n1\r\nx\r\n0\r\n{trailers}\r\n")
        }),
    ]
}

/// Requests for what has many variants.
fn cases_of_many() -> [Case; 3] {
    let many = |name, target: &str, field, value: &str, count| {
        let rest = format!("{ONLY_IF_CACHED}{field}: {}\r\n\r\n", value.repeat(count));
        Case { name, method: "GET", target: target.into(), rest, many: Some(field) }
    };
    [
        many("63 languages, 64 variants", "/lang", "Accept-Language", "a,", 63),
        many("60 codings, 64 variants", "/enc", "Accept-Encoding", "b,a,", 30),
        many("256 cookies, 64 variants", "/cookie", "Cookie", "a=b; ", 256),
    ]
}

/// Answers by what the path begins with, and holds back what is below `/held`.
fn app(gate: &Gate) -> Origin {
    let gate = gate.clone();
    let all: Vec<String> = (0..90).map(|number| format!("X-{number}")).collect();
    let all = format!("Vary: {}", all.join(", "));
    let body = "x".repeat(2000);
    Origin::answering(move |seen| {
        if seen.target.starts_with("/held") {
            gate.pass();
        }
        let vary = match seen.target.get(..4) {
            Some("/all") => &all,
            Some("/coo") => "Vary: Cookie",
            Some("/lan") => "Vary: Accept-Language\r\nContent-Language: a",
            Some("/enc") => "Vary: Accept-Encoding",
            Some("/sea") => "No-Vary-Search: params=(\"a\")",
            Some("/ord") => "No-Vary-Search: key-order",
            _ => "X: x",
        };
        reply(200, &["Cache-Control: max-age=600", "ETag: \"e\"", vary], &body)
    })
}

/// Processor time of the thread that asks, so far.
fn own_time() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().expect("not negative")
}

/// Processor time of all threads of larder so far.
fn time_of(larder: &Larder) -> Duration {
    let threads = fs::read_dir(format!("/proc/{}/task", larder.pid())).expect("its threads");
    let each = threads.map(|thread| {
        let path = thread.expect("a thread").path().join("schedstat");
        let text = fs::read_to_string(path).expect("its times");
        let first = text.split(' ').next().and_then(|text| text.parse().ok());
        Duration::from_nanos(first.expect("a number"))
    });
    each.sum()
}

/// Sends a request so many times over one connection, and takes all answers. Returns the
/// time that it took here.
fn send(address: SocketAddr, request: &[u8], times: usize) -> Duration {
    let stream = TcpStream::connect(address).expect("a connection");
    let mut answers = stream.try_clone().expect("the same socket");
    let taking = std::thread::spawn(move || {
        let mut buffer = vec![0; 1 << 20];
        while matches!(answers.read(&mut buffer), Ok(1..)) {}
        own_time()
    });
    let at_once = ((1 << 16) / request.len()).clamp(1, times);
    let many = request.repeat(at_once);
    let request = request.to_vec();
    let sending = std::thread::spawn(move || {
        let mut stream = stream;
        for _ in 0..times / at_once {
            stream.write_all(&many).expect("they are read");
        }
        for _ in 0..times % at_once {
            stream.write_all(&request).expect("it is read");
        }
        stream.shutdown(Shutdown::Write).expect("an end");
        own_time()
    });
    sending.join().expect("its time") + taking.join().expect("its time")
}

/// Of several measurements, larder's time and its sender's, the one whose ratio is in the
/// middle.
fn median(measure: impl FnMut() -> [f64; 2]) -> [f64; 2] {
    let mut all: Vec<[f64; 2]> = std::iter::repeat_with(measure).take(ROUNDS).collect();
    let ratio = |[ours, theirs]: &[f64; 2]| ours / theirs;
    all.sort_by(|one, other| ratio(one).total_cmp(&ratio(other)));
    all[ROUNDS / 2]
}

/// What a request takes of memory, in bytes, while it is at the application.
fn memory(larder: &Larder, origin: &Origin, case: &Case) -> u64 {
    let (before, there) = (larder.resident(), origin.count());
    let waiting: Vec<Connection> = (0..WAITING)
        .map(|number| {
            let mut connection = Connection::open(larder.proxy);
            connection.send(&case.bytes(&format!("/held/{number}")));
            connection
        })
        .collect();
    wait_until("all are there", || origin.count() == there + WAITING);
    let taken = larder.resident().saturating_sub(before);
    drop(waiting);
    taken / WAITING as u64
}

#[test]
#[ignore = "it measures; see docs/security.md"]
fn what_one_request_can_cost() {
    let mut missed = Vec::new();
    println!("{:42} bytes  larder µs  sender µs  ratio  KiB", "request");
    for case in cases().into_iter().chain(cases_of_many()) {
        let gate = Gate::closed();
        let origin = app(&gate);
        let larder = Larder::with_env(
            origin.address,
            &["--access-log", "off"],
            &[
                ("LARDER_THREADS", "1"),
                ("LARDER_LIMITS__ORIGIN_PER_IP", "0"),
                ("LARDER_CACHE__COOKIES", "sessionid"),
                ("LARDER_CACHE__BYPASS_PATHS", "/admin/,/accounts/"),
            ],
        );
        let request = case.bytes("");
        let times = (8_000_000 / request.len()).clamp(100, 5000);
        case.prepare(&larder);
        send(larder.proxy, &request, 10);
        let [ours, theirs] = median(|| {
            let before = time_of(&larder);
            let theirs = send(larder.proxy, &request, times);
            [time_of(&larder) - before, theirs].map(|time| 1e6 * time.as_secs_f64() / times as f64)
        });
        let kib = case.many.is_none().then(|| memory(&larder, &origin, &case) / 1024);
        let kib = kib.map_or("-".into(), |kib| kib.to_string());
        gate.open();
        let (name, bytes, ratio) = (case.name, request.len(), ours / theirs);
        println!("{name:42} {bytes:5}  {ours:9.1}  {theirs:9.1}  {ratio:5.1}  {kib:>3}");
        let most = DEAR.iter().find(|(dear, _)| *dear == name).map_or(MOST, |(_, most)| *most);
        if ratio > most {
            missed.push(format!("{name}: {ratio:.1}"));
        }
    }
    assert_eq!(missed, Vec::<String>::new());
}
