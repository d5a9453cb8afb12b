//! Each way in which an origin can go wrong: what is answered, by the real binary,
//! and that nothing wrong is stored, nor taken for the answer to another request.

mod document;
mod framing;
mod table;

use crate::harness::{
    Gate, Larder, Origin, Response, get, read_request, reply, request, wait_until,
};
use std::collections::HashMap;
use std::io::{BufReader, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use table::{Fault, Then, faults};

/// An origin that goes wrong as its path says: `/plain/ID` always, `/covered/ID`
/// from the second time on, `/good/ID` never.
struct Broken {
    origin: Origin,
    asked: Asked,
    end: Gate,
}

/// How often, by method and target.
type Asked = Arc<Mutex<HashMap<String, usize>>>;

fn ask(asked: &Asked, method: &str, target: &str) -> usize {
    let mut asked = asked.lock().expect("the counts");
    let count = asked.entry(format!("{method} {target}")).or_default();
    *count += 1;
    *count
}

impl Broken {
    fn start() -> Broken {
        let (asked, end) = (Asked::default(), Gate::closed());
        let (counts, closed, faults) = (Arc::clone(&asked), end.clone(), faults());
        let origin = Origin::raw(move |_, mut stream| {
            let mut reader = BufReader::new(stream.try_clone().expect("the other half"));
            while let Some(seen) = read_request(&mut reader) {
                let count = ask(&counts, &seen.method, &seen.target);
                let (when, id) = seen.target[1..].split_once('/').expect("two words");
                let goes_on = if when == "good" || when == "covered" && count == 1 {
                    let fields = ["Cache-Control: max-age=0", "ETag: \"a\""];
                    stream.write_all(reply(200, &fields, "good").as_bytes()).is_ok()
                } else {
                    let fault = faults.iter().find(|fault| fault.id == id).expect("a fault");
                    fault.does.act(&mut stream, &closed)
                };
                if !goes_on {
                    return;
                }
            }
        });
        Broken { origin, asked, end }
    }

    fn asked_for(&self, method: &str, target: &str) -> usize {
        let asked = self.asked.lock().expect("the counts");
        asked.get(&format!("{method} {target}")).copied().unwrap_or_default()
    }
}

impl Drop for Broken {
    fn drop(&mut self) {
        self.end.open();
    }
}

/// What an answer is, in the words of this test.
fn shown(answer: &Response) -> String {
    let (status, text) = (answer.cache_status(), answer.text());
    let own = answer.field("content-type") == Some("text/plain; charset=utf-8")
        && answer.field("cache-control") == Some("no-store")
        && text.starts_with(&answer.status.to_string());
    let text = if own { "a page" } else { &text };
    let end = if answer.complete { "" } else { ", broken off" };
    format!("{} [{status}] {text}{end}", answer.status)
}

/// What has to be shown of a first and a second GET of what is not stored, of a
/// POST, of a GET of what is stored and stale, and of a HEAD of what is not stored.
fn expected(then: Then) -> [String; 5] {
    let with = |shown: [&str; 5]| shown.map(String::from);
    match then {
        Then::Fails(status, detail) => {
            let page = |fwd| format!("{status} [larder; fwd={fwd}; detail={detail}] a page");
            let covered = "200 [larder; fwd=stale; detail=stale-when-down] good";
            let head = page("uri-miss").replace("a page", "");
            [page("uri-miss"), page("uri-miss"), page("method"), covered.to_string(), head]
        }
        Then::BreaksOff => with([
            "200 [larder; fwd=uri-miss; stored] page, broken off",
            "200 [larder; fwd=uri-miss; stored] page, broken off",
            "200 [larder; fwd=method] page, broken off",
            "200 [larder; fwd=stale; stored] page, broken off",
            "200 [larder; fwd=uri-miss; detail=head] ",
        ]),
        Then::Stored => with([
            "200 [larder; fwd=uri-miss; stored] page",
            "200 [larder; hit] page",
            "200 [larder; fwd=method] page",
            "200 [larder; fwd=stale; stored] page",
            "200 [larder; fwd=uri-miss; detail=head] ",
        ]),
        Then::HeadAlone => with([
            "204 [larder; fwd=uri-miss; detail=no-lifetime] ",
            "204 [larder; fwd=uri-miss; detail=no-lifetime] ",
            "204 [larder; fwd=method] ",
            "204 [larder; fwd=stale; detail=no-lifetime] ",
            "204 [larder; fwd=uri-miss; detail=head] ",
        ]),
    }
}

/// What is wrong with how a fault is met.
fn complaints(fault: &Fault, proxy: SocketAddr, broken: &Broken) -> Vec<String> {
    let plain = format!("/plain/{}", fault.id);
    let covered = format!("/covered/{}", fault.id);
    let head = format!("/head/{}", fault.id);
    let seen = |path: &str| without_ttl(&shown(&get(proxy, path, &[])));
    let plainly = |method: &str, path: &str, body: &[u8]| {
        let answer = request(proxy, method, path, &[], body);
        (without_ttl(&shown(&answer)), answer.all("content-length").join(" and "))
    };
    let (first, second) = (plainly("GET", &plain, b""), plainly("GET", &plain, b""));
    let post = plainly("POST", &plain, b"x");
    let good = seen(&covered);
    let shown = [first, second, post, plainly("GET", &covered, b""), plainly("HEAD", &head, b"")];
    let mut complaints: Vec<String> = shown
        .iter()
        .filter(|(_, length)| !(length.is_empty() || is_canonical(length)))
        .map(|(shown, length)| format!("{}: {shown:?} is {length:?} long", fault.id))
        .collect();
    let wrong = expected(fault.then)
        .into_iter()
        .zip(shown.into_iter().map(|(shown, _)| shown))
        .filter(|(expected, shown)| expected != shown)
        .map(|(expected, shown)| format!("{}: expected {expected:?}, got {shown:?}", fault.id));
    complaints.extend(wrong);
    if good != "200 [larder; fwd=uri-miss; stored] good" {
        complaints.push(format!("{}: before, there was {good:?}", fault.id));
    }
    // Whatever the fault has left on a connection is not for the next request.
    let next = seen(&format!("/good/{}", fault.id));
    if next != "200 [larder; fwd=uri-miss; stored] good" {
        complaints.push(format!("{}: the next was answered {next:?}", fault.id));
    }
    let (gets, posts) = (broken.asked_for("GET", &plain), broken.asked_for("POST", &plain));
    let heads = broken.asked_for("HEAD", &head);
    let gets_are_right = match fault.then {
        Then::Stored => gets == 1,
        // Once more at most, if not a byte came.
        _ => gets == 2 || gets == 4 && ["closes", "resets"].contains(&fault.id),
    };
    let again = usize::from(["closes", "resets"].contains(&fault.id));
    if !gets_are_right || posts != 1 || heads != 1 + again {
        let sent = format!("{gets} GETs, {posts} POSTs and {heads} HEADs were sent");
        complaints.push(format!("{}: {sent}", fault.id));
    }
    complaints
}

/// A number as everybody writes it, which any client can read.
fn is_canonical(length: &str) -> bool {
    length.parse::<u32>().is_ok_and(|number| number.to_string() == length)
}

/// `ttl` counts real seconds here.
fn without_ttl(shown: &str) -> String {
    match shown.split_once("; ttl=") {
        Some((before, rest)) => {
            before.to_string() + rest.trim_start_matches(|c: char| c == '-' || c.is_ascii_digit())
        }
        None => shown.to_string(),
    }
}

#[test]
fn whatever_an_origin_does_is_met_as_the_document_says() {
    let broken = Broken::start();
    let quick = ["--first-byte-timeout", "300ms", "--between-bytes-timeout", "300ms"];
    // Five failures in a row would leave the origin out, and these are many at once.
    let never_left_out = [("LARDER_ORIGIN__EJECT_AFTER", "0")];
    let larder = Larder::with_env(broken.origin.address, &quick, &never_left_out);
    let faults = faults();
    let groups: Vec<&[Fault]> = faults.chunks(faults.len().div_ceil(8)).collect();
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let (proxy, broken) = (larder.proxy, &broken);
        let all = move |group: &[Fault]| -> Vec<String> {
            group.iter().flat_map(|fault| complaints(fault, proxy, broken)).collect()
        };
        let threads: Vec<_> = groups.iter().map(|group| scope.spawn(move || all(group))).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Of each fault there is the page that it left or replaced, and the one after it;
    // what was stored of the fault itself has been invalidated by the POST.
    let removed = faults.iter().filter(|fault| matches!(fault.then, Then::HeadAlone)).count();
    let targets = 2 * faults.len() - removed;
    wait_until("nothing else is stored", || larder.stat("/memory/targets") == targets as u64);
    document::compare(&faults);
}
