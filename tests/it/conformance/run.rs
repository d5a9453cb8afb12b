//! Runs a case against a house, and says what was not as expected.

use super::case::{Ask, Case, Step, Way};
use crate::harness::{Connection, House, Origin, Response, Seen, wait_until};
use larder::clock::Clock;
use std::io::Write;
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

/// What the origin is to answer now.
type Script = Arc<Mutex<(usize, Option<Ask>, Begun)>>;

/// An origin that plays the steps of cases.
pub struct Stage {
    pub origin: Origin,
    script: Script,
}

/// When and where a case began.
#[derive(Clone, Default)]
struct Begun {
    path: String,
    at: Option<SystemTime>,
}

impl Stage {
    pub fn start() -> Stage {
        let script = Script::default();
        let played = Arc::clone(&script);
        let origin = Origin::scripted(move |seen, stream| {
            let (number, ask, begun) = played.lock().expect("the script").clone();
            ask.is_some_and(|ask| play(seen, stream, number, &ask, &begun))
        });
        Stage { origin, script }
    }

    /// Runs a case to its end, or to the first step that is not as expected.
    pub fn run(&self, house: &House, case: &Case) -> Result<(), String> {
        let begun = Begun { path: format!("/{}", case.id), at: Some(house.clock.wall()) };
        let mut number = 0;
        for step in &case.steps {
            match step {
                Step::Pass(seconds) => house.pass(*seconds),
                Step::Ask(ask) => {
                    number += 1;
                    self.step(house, number, ask, &begun)
                        .map_err(|why| format!("request {number}: {why}"))?;
                }
            }
        }
        Ok(())
    }

    fn step(&self, house: &House, number: usize, ask: &Ask, begun: &Begun) -> Result<(), String> {
        *self.script.lock().expect("the script") = (number, Some(ask.clone()), begun.clone());
        let mut tries = if ask.expected.in_the_end { 400 } else { 1 };
        loop {
            let before = self.origin.count();
            let (interim, answer) = send(house, ask, begun)?;
            if ask.expected.way == Way::Behind {
                wait_until("the origin is asked behind", || self.origin.count() > before);
            }
            let seen = self.origin.seen().split_off(before);
            let result = judge(ask, number, &interim, &answer, &seen, begun);
            tries -= 1;
            if result.is_ok() || tries == 0 {
                return result.map_err(|why| format!("{why}; {}", happened(&answer, &seen)));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Begun {
    /// Puts dates and the path in.
    fn fill(&self, line: &str) -> String {
        let mut text = String::new();
        let mut rest = line;
        while let Some((before, after)) = rest.split_once('{') {
            let (inside, behind) = after.split_once('}').expect("a closing brace");
            text.push_str(before);
            text.push_str(&match inside {
                "path" => self.path.clone(),
                seconds => self.date(seconds.parse().expect("seconds")),
            });
            rest = behind;
        }
        text + rest
    }

    fn date(&self, seconds: i64) -> String {
        let begun = self.at.expect("a case has begun");
        let span = Duration::from_secs(seconds.unsigned_abs());
        httpdate::fmt_http_date(if seconds < 0 { begun - span } else { begun + span })
    }
}

/// Sends the request on a connection of its own; interim statuses, and the answer.
fn send(house: &House, ask: &Ask, begun: &Begun) -> Result<(Vec<u16>, Response), String> {
    let version = if ask.http_1_0 { "1.0" } else { "1.1" };
    let mut head = format!("{} {}{} HTTP/{version}\r\n", ask.method, begun.path, ask.at);
    if !ask.fields.iter().any(|line| line.starts_with("Host:")) {
        head.push_str("Host: site.test\r\n");
    }
    if !ask.fields.iter().any(|line| line.starts_with("Connection:")) {
        head.push_str("Connection: close\r\n");
    }
    for line in &ask.fields {
        head.push_str(&format!("{}\r\n", begun.fill(line)));
    }
    if !ask.bearing.is_empty() {
        head.push_str(&format!("Content-Length: {}\r\n", ask.bearing.len()));
    }
    let mut connection = Connection::open(house.proxy());
    connection.send(format!("{head}\r\n{}", ask.bearing).as_bytes());
    let mut interim = Vec::new();
    loop {
        let response = connection.head().ok_or("no answer")?;
        if !(100..200).contains(&response.status) {
            let answer = connection.with_body(ask.method, response).ok_or("no body")?;
            return Ok((interim, answer));
        }
        interim.push(response.status);
    }
}

/// Writes the origin's answer; whether the connection stays open.
fn play(seen: &Seen, stream: &mut TcpStream, number: usize, ask: &Ask, begun: &Begun) -> bool {
    let origin = &ask.origin;
    if origin.gone {
        return false;
    }
    let mut text = String::new();
    for (status, line) in &origin.interim {
        text.push_str(&format!("HTTP/1.1 {status} Early\r\n{line}\r\n\r\n"));
    }
    let conditional =
        ["if-none-match", "if-modified-since"].iter().any(|n| seen.field(n).is_some());
    let (status, fields) = match &origin.confirms {
        Some(fields) if conditional => (304, fields),
        _ => (origin.status, &origin.fields),
    };
    text.push_str(&format!("HTTP/1.1 {status} Whatever\r\n"));
    for field in fields {
        text.push_str(&format!("{}\r\n", begun.fill(field)));
    }
    let body = origin.body.map_or_else(|| format!("step {number}"), str::to_string);
    let bodiless = status == 304 || status == 204;
    let framed = fields
        .iter()
        .map(|line| line.to_ascii_lowercase())
        .any(|line| line.starts_with("content-length:") || line.starts_with("transfer-encoding:"));
    if !bodiless && !framed {
        let missing = if origin.cut_short { 10 } else { 0 };
        text.push_str(&format!("Content-Length: {}\r\n", body.len() + missing));
    }
    text.push_str("\r\n");
    if !bodiless && seen.method != "HEAD" {
        text.push_str(&body);
    }
    stream.write_all(text.as_bytes()).is_ok() && !origin.cut_short && !framed
}

fn judge(
    ask: &Ask,
    number: usize,
    interim: &[u16],
    answer: &Response,
    seen: &[Seen],
    begun: &Begun,
) -> Result<(), String> {
    way_taken(ask, answer, seen)?;
    seen_by_origin(ask, seen, begun)?;
    let expected = &ask.expected;
    // What was asked for plainly comes as the origin sent it.
    let plain = expected.way == Way::Asked
        && !ask.origin.gone
        && ask.origin.confirms.is_none()
        && !ask.fields.iter().any(|line| line.starts_with("If-"));
    let status = expected.status.or(plain.then_some(ask.origin.status));
    check("status", status.as_ref(), &answer.status)?;
    let text = answer.text();
    let origins = ask.origin.body.map_or_else(|| format!("step {number}"), str::to_string);
    let has_body = ask.method != "HEAD" && !matches!(answer.status, 204 | 304);
    let body = expected
        .body
        .clone()
        .or((plain && has_body && expected.status.is_none()).then_some(origins));
    check("body", body.as_ref(), &text)?;
    check("interim responses", expected.interim.as_ref(), &interim.to_vec())?;
    for line in &expected.shows {
        let line = begun.fill(line);
        if !holds(&answer.fields, &line) {
            return Err(format!("expected the field `{line}`"));
        }
    }
    if let Some(name) = expected.lacks.iter().find(|name| named(&answer.fields, name)) {
        return Err(format!("expected no field `{name}`"));
    }
    for wanted in &expected.cache_status {
        let has = |wanted: &str| answer.cache_status().split("; ").any(|p| p == wanted);
        let right = wanted.strip_prefix('!').map_or_else(|| has(wanted), |not| !has(not));
        if !right {
            return Err(format!("expected `{wanted}` in Cache-Status"));
        }
    }
    Ok(())
}

fn way_taken(ask: &Ask, answer: &Response, seen: &[Seen]) -> Result<(), String> {
    let expected = &ask.expected;
    let conditional = |seen: &Seen| {
        seen.field("if-none-match").is_some() || seen.field("if-modified-since").is_some()
    };
    let right = match expected.way {
        Way::Any => true,
        Way::Hit => seen.is_empty() && answer.is_hit(),
        Way::Behind => seen.len() == 1 && answer.is_hit(),
        Way::Asked if ask.origin.gone => !seen.is_empty(),
        Way::Asked => seen.len() == expected.asked,
        Way::Validated => seen.len() == 1 && conditional(&seen[0]),
    };
    if !right {
        let what = match expected.way {
            Way::Hit => "an answer from the store",
            Way::Behind => "an answer from the store, and a request behind",
            Way::Validated => "a conditional request to the origin",
            Way::Any | Way::Asked => "a request to the origin",
        };
        return Err(format!("expected {what}"));
    }
    Ok(())
}

fn seen_by_origin(ask: &Ask, seen: &[Seen], begun: &Begun) -> Result<(), String> {
    let expected = &ask.expected;
    let last = seen.last().map(|seen| seen.fields.as_slice()).unwrap_or_default();
    let mut wanted = expected.origin_saw.iter().map(|line| begun.fill(line));
    if let Some(line) = wanted.find(|line| !holds(last, line)) {
        return Err(format!("expected that the origin sees `{line}`"));
    }
    match expected.origin_lacked.iter().find(|name| named(last, name)) {
        Some(name) => Err(format!("expected that the origin does not see `{name}`")),
        None => Ok(()),
    }
}

fn check<T: PartialEq + std::fmt::Debug>(
    what: &str,
    expected: Option<&T>,
    is: &T,
) -> Result<(), String> {
    match expected {
        Some(expected) if expected != is => {
            Err(format!("expected the {what} {expected:?}, not {is:?}"))
        }
        _ => Ok(()),
    }
}

fn holds(fields: &[(String, String)], line: &str) -> bool {
    let (name, value) = line.split_once(':').expect("a field line");
    let value = value.trim();
    fields.iter().any(|(n, v)| n.eq_ignore_ascii_case(name) && v == value)
}

fn named(fields: &[(String, String)], name: &str) -> bool {
    fields.iter().any(|(n, _)| n.eq_ignore_ascii_case(name))
}

fn happened(answer: &Response, seen: &[Seen]) -> String {
    let asked: Vec<String> = seen
        .iter()
        .map(|seen| {
            let conditions =
                seen.fields.iter().filter(|(name, _)| name.starts_with("if-") || name == "range");
            let conditions: Vec<String> =
                conditions.map(|(name, value)| format!(" {name}: {value}")).collect();
            format!("{} {}{}", seen.method, seen.target, conditions.concat())
        })
        .collect();
    format!(
        "got {} {:?} with {:?}; the origin saw {asked:?}",
        answer.status,
        answer.text(),
        answer.fields,
    )
}
