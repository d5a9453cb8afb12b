//! `larder get`: an answer's head, and what the cache decided, in words.

use super::args::GetArgs;
use super::client::{Answer, Client};
use super::{failed, say};
use crate::key::{Scheme, Target};
use crate::semantics::cache_status::Forward;
use crate::semantics::reason::{Kind, Reason};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method};
use std::process::ExitCode;

pub(super) fn run(args: &GetArgs) -> ExitCode {
    let target = match Target::from_url(&args.url) {
        Ok(target) => target,
        Err(error) => return failed(&format!("error: {:?}: {error}", args.url)),
    };
    let mut fields = Vec::new();
    for line in &args.headers {
        match header(line) {
            Some(field) => fields.push(field),
            None => return failed(&format!("error: {line:?} is not a field: \"Name: value\"")),
        }
    }
    let host = target.host();
    let address = match &args.via {
        Some(via) => via.strip_prefix("http://").unwrap_or(via).trim_end_matches('/').to_string(),
        None if target.scheme() == Scheme::Https => {
            return failed("error: for an https URL, say where larder listens: --via HOST:PORT");
        }
        None if has_port(host) => host.to_string(),
        None => format!("{host}:80"),
    };
    let client = Client::new(&address, host);
    match client.send(&Method::GET, target.path_and_query(), &fields, Bytes::new()) {
        Ok(answer) => {
            print(&answer, args.body);
            ExitCode::SUCCESS
        }
        Err(error) => failed(&format!("error: {client}: {error}")),
    }
}

fn has_port(host: &str) -> bool {
    host.rfind(':').is_some_and(|at| !host[at..].contains(']'))
}

fn header(line: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = line.split_once(':')?;
    let name = HeaderName::from_bytes(name.trim().as_bytes()).ok()?;
    Some((name, HeaderValue::from_str(value.trim()).ok()?))
}

fn print(answer: &Answer, body: bool) {
    say(&format!("HTTP/1.1 {}", answer.status));
    for (name, value) in &answer.fields {
        say(&format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())));
    }
    say("");
    match answer.field("cache-status") {
        Some(status) => say(&in_words(status)),
        None => say("There is no Cache-Status: this answer did not come through larder."),
    }
    if body {
        say("");
        say(&String::from_utf8_lossy(&answer.body));
    }
}

/// The last member of `Cache-Status`, in a sentence or two.
fn in_words(field: &str) -> String {
    let member = field.rsplit(',').next().unwrap_or_default().trim();
    let parameters: Vec<(&str, &str)> = member
        .split(';')
        .skip(1)
        .map(|p| p.trim().split_once('=').unwrap_or((p.trim(), "")))
        .collect();
    let find = |name: &str| parameters.iter().find(|(n, _)| *n == name).map(|(_, value)| *value);
    let reason = find("detail").and_then(Reason::from_code);
    let mut words = match (find("hit"), find("fwd")) {
        (Some(_), _) => hit(find("ttl")),
        (None, Some(forward)) => forwarded(forward, reason),
        (None, None) => "larder answered by itself.".to_string(),
    };
    if find("collapsed").is_some() {
        words.push_str(" Another request had gone to the app already; this one shared its answer.");
    }
    if find("stored").is_some() {
        words.push_str(" The answer was stored.");
    }
    match reason.map(|reason| (reason.kind(), reason.sentence())) {
        Some((Kind::NotStored, why)) => words.push_str(&format!(" It was not stored: {why}.")),
        Some((Kind::Served | Kind::Failed, what)) => {
            words.push_str(&format!(" {}.", capitalized(what)));
        }
        // It has been said why.
        Some((Kind::Passed, _)) | None => {}
    }
    words
}

fn capitalized(sentence: &str) -> String {
    let mut rest = sentence.chars();
    rest.next().map_or(String::new(), |first| first.to_uppercase().chain(rest).collect())
}

fn hit(ttl: Option<&str>) -> String {
    match ttl.and_then(|ttl| ttl.parse::<i64>().ok()) {
        Some(ttl) if ttl >= 0 => format!("A hit: from the cache, fresh for another {ttl} s."),
        Some(ttl) => format!("A hit: from the cache, stale for {} s.", -ttl),
        None => "A hit: from the cache.".to_string(),
    }
}

fn forwarded(token: &str, reason: Option<Reason>) -> String {
    let passed = reason.filter(|reason| reason.kind() == Kind::Passed).map(Reason::sentence);
    let forward = Forward::from_token(token).map(Forward::sentence);
    let why = passed.or(forward).unwrap_or("the cache could not answer");
    format!("Forwarded to the app: {why}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_decision_has_words() {
        for (field, words) in [
            ("larder; hit; ttl=57", "A hit: from the cache, fresh for another 57 s."),
            (
                "Other; hit, larder; fwd=uri-miss; stored",
                "Forwarded to the app: nothing was stored for this URL. The answer was stored.",
            ),
            (
                "larder; fwd=uri-miss; detail=private",
                "Forwarded to the app: nothing was stored for this URL. It was not stored: the \
                 response says private: it is for one visitor.",
            ),
            (
                "larder; fwd=stale; detail=connect",
                "Forwarded to the app: what was stored was stale. The app could not be reached.",
            ),
            ("larder", "larder answered by itself."),
        ] {
            assert_eq!(in_words(field), words);
        }
    }
}
