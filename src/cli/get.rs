//! `larder get`: an answer's head, and what the cache decided, in words.

use super::args::GetArgs;
use super::client::{Answer, Client};
use super::{failed, say};
use crate::key::{Scheme, Target};
use crate::semantics::storable::Reason;
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
    let detail = find("detail");
    let mut words = match (find("hit"), find("fwd")) {
        (Some(_), _) => hit(find("ttl")),
        (None, Some(forward)) => forwarded(forward, detail),
        (None, None) => "larder answered by itself.".to_string(),
    };
    if find("collapsed").is_some() {
        words.push_str(" Another request had gone to the app already; this one shared its answer.");
    }
    if find("stored").is_some() {
        words.push_str(" The answer was stored.");
    } else if let Some(reason) = detail.and_then(Reason::from_code) {
        words.push_str(&format!(" It was not stored: {}.", reason.sentence()));
    }
    if let Some(sentence) = detail.and_then(what_happened) {
        words.push_str(&format!(" {sentence}"));
    }
    words
}

/// What a `detail` that is not a reason against storing says.
fn what_happened(detail: &str) -> Option<&'static str> {
    Some(match detail {
        "connect" => "The app could not be reached.",
        "connect-timeout" => "The app did not accept the connection in time.",
        "first-byte-timeout" => "The app did not begin to answer in time.",
        "total-timeout" => "The app and the wait for it took too long altogether.",
        "broken-response" => "The app broke off its answer.",
        "unasked-upgrade" => "The app answered what was not asked.",
        "origin-busy" => "Every connection to the app was in use.",
        "queue-full" => "Every connection to the app was in use, and as many waited as may.",
        "stale-while-revalidate" => "It is being validated meanwhile.",
        "soft-purge" => "It was purged softly, and is being validated meanwhile.",
        "stale-if-error" => "The app answered with an error; the stale page stands in.",
        "stale-when-down" => "The app could not be reached; the stale page stands in.",
        _ => return None,
    })
}

fn hit(ttl: Option<&str>) -> String {
    match ttl.and_then(|ttl| ttl.parse::<i64>().ok()) {
        Some(ttl) if ttl >= 0 => format!("A hit: from the cache, fresh for another {ttl} s."),
        Some(ttl) => format!("A hit: from the cache, stale for {} s.", -ttl),
        None => "A hit: from the cache.".to_string(),
    }
}

fn forwarded(forward: &str, detail: Option<&str>) -> String {
    let why = match (forward, detail) {
        ("bypass", Some("bypass-cookie")) => "the request bears a cookie of bypass_cookies",
        ("bypass", Some("precondition")) => "only the app can judge If-Match and the like",
        ("bypass", Some("request-body")) => "a GET with a body is none of the cache's business",
        ("bypass", Some("range")) => "parts of an answer to QUERY are not the cache's business",
        ("bypass", Some("query-size")) => "the content of the QUERY is larger than limits.query",
        ("bypass", _) => "such requests are not the cache's business",
        ("method", _) => "answers to this method do not come from a cache",
        ("uri-miss", _) => "nothing was stored for this URL",
        ("vary-miss", _) => "what was stored for this URL is for requests with other fields (Vary)",
        ("miss", _) => "nothing that was stored could be used",
        ("request", _) => {
            "what was stored has the default lifetime, which is not for visitors who are identified"
        }
        ("stale", _) => "what was stored was stale",
        ("partial", _) => "only a part was stored",
        _ => "the cache could not answer",
    };
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
