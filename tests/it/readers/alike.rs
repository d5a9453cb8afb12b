//! Whether a reader reads what is written there.

use super::reader::{AtOnce, End, LAST, Reader, Reading};
use super::{is_framing, refusals};
use crate::fuzz::reference::{Message, message};
use std::collections::BTreeMap;

/// A piece of what was written on a connection, and the requests in it.
pub struct Part {
    bytes: Vec<u8>,
    /// Where each request begins.
    starts: Vec<usize>,
    pub requests: Vec<Message>,
    end: End,
}

/// A connection in pieces: requests that are whole, behind which there could be others,
/// unless the last says that it is; one for a WebSocket, behind which a reader may see no HTTP; one that broke off.
pub fn parts(bytes: &[u8]) -> Vec<Part> {
    let (mut parts, mut part, mut at) = (Vec::new(), Part::empty(), 0);
    while let Some((request, count)) = message(&bytes[at..]).filter(|one| one.0.complete) {
        let written = &bytes[at..at + count];
        at += count;
        if is_upgrade(&request) {
            parts.push(std::mem::replace(&mut part, Part::empty()).and_the_last());
            let requests = vec![request];
            assert_eq!(at, bytes.len(), "there is more behind an upgrade");
            let (bytes, starts) = (written.to_vec(), vec![0]);
            parts.push(Part { bytes, starts, requests, end: End::Answered });
        } else {
            part.starts.push(part.bytes.len());
            part.bytes.extend(written);
            let closes = closes(&request);
            part.requests.push(request);
            if closes {
                assert_eq!(at, bytes.len(), "there is more behind the last");
                parts.push(std::mem::replace(&mut part, Part::empty()));
            }
        }
    }
    parts.push(part.and_the_last());
    if at < bytes.len() {
        parts.push(Part { bytes: bytes[at..].to_vec(), end: End::Breaks, ..Part::empty() });
    }
    parts
}

pub fn is_upgrade(request: &Message) -> bool {
    request.fields.iter().any(|(name, _)| name == "upgrade")
}

fn closes(request: &Message) -> bool {
    let mut fields = request.fields.iter();
    fields.any(|(name, value)| name == "connection" && value.ends_with(b"close"))
}

impl Part {
    /// There is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    fn empty() -> Part {
        Part { bytes: Vec::new(), starts: Vec::new(), requests: Vec::new(), end: End::Closes }
    }

    fn and_the_last(mut self) -> Part {
        if !self.requests.is_empty() {
            self.starts.push(self.bytes.len());
            self.bytes.extend(LAST);
            self.requests.push(message(LAST).expect("a request").0);
        }
        self
    }

    /// Has it read; how many requests the reader has refused.
    ///
    /// # Errors
    /// What it reads differently.
    pub fn read_by(&self, reader: &mut Reader) -> Result<usize, String> {
        let (mut from, mut refused) = (0, 0);
        loop {
            let until = self.until(from, reader);
            let (bytes, requests, end) = self.run(from, until, reader);
            let reading = reader.read(&bytes, end);
            let fail = |what: String| {
                let text = String::from_utf8_lossy(&bytes[..bytes.len().min(4000)]).into_owned();
                let read = shown(&reading);
                Err(format!("{}: {what}\n  written: {text:?}\n  read:    {read:?}", reader.name))
            };
            let mut expected = requests.iter();
            for outcome in &reading {
                match (outcome, expected.next()) {
                    (Ok(_), None) => return fail("there is a request too many".into()),
                    (Ok(read), Some(expected)) => {
                        if let Some(what) = difference(reader, read, expected) {
                            return fail(what);
                        }
                    }
                    // What broke off.
                    (Err(_), None) => {}
                    (Err(why), Some(one)) if refusals::known(reader.name, why, one) => refused += 1,
                    (Err(why), Some(one)) => {
                        return fail(format!("{why}: {} {}", one.method, one.target));
                    }
                }
            }
            let left = expected.len();
            if left > 0 && !matches!(reading.last(), Some(Err(_))) {
                return fail(format!("{left} requests are not read"));
            }
            // What is behind a refusal is read by itself.
            from = if left > 0 { from + requests.len() - left } else { until };
            if from == self.requests.len() {
                return Ok(refused);
            }
        }
    }

    /// Up to which request the reader is given them at once.
    fn until(&self, from: usize, reader: &Reader) -> usize {
        let all = self.requests.len();
        let is_refused = |at: &usize| refusals::known(reader.name, "400", &self.requests[*at]);
        match reader.habits.at_once {
            AtOnce::All => all,
            AtOnce::One => all.min(from + 1),
            AtOnce::NoneRefused => (from + 1..all).find(is_refused).unwrap_or(all),
        }
    }

    /// Some of the requests, as if there were no more.
    fn run(&self, from: usize, until: usize, reader: &Reader) -> (Vec<u8>, Vec<Message>, End) {
        let start = self.starts.get(from).copied().unwrap_or(0);
        let mut requests = self.requests[from..until].to_vec();
        let next = self.starts.get(until);
        let mut bytes = self.bytes[start..next.copied().unwrap_or(self.bytes.len())].to_vec();
        if reader.habits.at_once == AtOnce::One && !requests.is_empty() {
            return (bytes, requests, End::Answered);
        }
        if next.is_none() {
            return (bytes, requests, self.end);
        }
        bytes.extend(LAST);
        requests.push(message(LAST).expect("a request").0);
        (bytes, requests, End::Closes)
    }
}

fn shown(reading: &Reading) -> Vec<String> {
    let shown = reading.iter().map(|outcome| match outcome {
        Ok(read) => format!("{} {}, {} bytes", read.method, read.target, read.body.len()),
        Err(why) => format!("refused: {why}"),
    });
    shown.collect()
}

fn difference(reader: &Reader, read: &Message, expected: &Message) -> Option<String> {
    let told = |what, read: &str, expected: &str| format!("{what} {read:?}, not {expected:?}");
    if read.method != expected.method {
        return Some(told("method", &read.method, &expected.method));
    }
    let dropped = reader.habits.drops_empty_queries.then(|| expected.target.strip_suffix('?'));
    if read.target != expected.target && Some(&*read.target) != dropped.flatten() {
        return Some(told("target", &read.target, &expected.target));
    }
    if read.body != expected.body {
        let text = |body: &[u8]| String::from_utf8_lossy(body).into_owned();
        return Some(told("body", &text(&read.body), &text(&expected.body)));
    }
    let (read, expected) = (by_name(reader, read), by_name(reader, expected));
    (read != expected).then(|| format!("fields {read:?}, not {expected:?}"))
}

/// The values of each field in order; as one, if that is how the reader has them.
fn by_name(reader: &Reader, message: &Message) -> BTreeMap<String, Vec<String>> {
    let mut fields: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let counts = |name: &str| !(reader.habits.measures && is_framing(name));
    for (name, value) in message.fields.iter().filter(|(name, _)| counts(name)) {
        let text: String = value.iter().copied().map(char::from).collect();
        fields.entry(name.clone()).or_default().push(text);
    }
    if let Some(between) = reader.habits.joins_by {
        // With empty ones at the ends there is white space around it.
        let joined = |values: &[String]| values.join(between).trim_matches(' ').to_string();
        fields.values_mut().for_each(|values| *values = vec![joined(values)]);
    }
    fields
}
