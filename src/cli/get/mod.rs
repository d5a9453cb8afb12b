//! `larder get`: an answer's head, what the cache decided, and why.

mod explained;
mod words;

use super::args::GetArgs;
use super::client::{Admin, Answer, Client};
use super::{asking, failed, say};
use crate::key::Target;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, header};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::process::ExitCode;

/// Asks for an explanation beside the answer.
const LARDER_DEBUG: HeaderName = HeaderName::from_static("larder-debug");

/// The field that it comes in.
const LARDER_EXPLAIN: &str = "larder-explain";

pub(super) fn run(args: &GetArgs) -> ExitCode {
    match ask(args) {
        Ok((answer, url)) => {
            if args.json {
                say(&document(&answer, &url).to_string());
            } else {
                print(&answer, args.body);
            }
            ExitCode::SUCCESS
        }
        Err(error) => failed(&format!("error: {error}")),
    }
}

/// Asks for the page; its answer, and its URL as it was understood.
fn ask(args: &GetArgs) -> Result<(Answer, String), String> {
    let target = Target::from_url(&args.url).map_err(|error| format!("{:?}: {error}", args.url))?;
    let address = asking::address(&target, args.via.as_deref())?;
    let mut fields = fields(args)?;
    fields.push((LARDER_DEBUG, token(args, &address)?));
    let client = Client::new(&address, target.host());
    let answer = client
        .send(&Method::GET, target.path_and_query(), &fields, Bytes::new())
        .map_err(|error| format!("{client}: {error}"))?;
    Ok((answer, target.to_string()))
}

/// The fields that are given, and the cookies, in one line.
fn fields(args: &GetArgs) -> Result<Vec<(HeaderName, HeaderValue)>, String> {
    let mut fields = asking::fields(&args.headers)?;
    if !args.cookies.is_empty() {
        let cookies = HeaderValue::try_from(args.cookies.join("; "))
            .map_err(|_| "a cookie has characters that cannot be sent")?;
        fields.push((header::COOKIE, cookies));
    }
    Ok(fields)
}

/// The admin token; nothing, which is enough for who asks from the same machine, where
/// there is none. It goes to where larder is said to be, or to this machine, and to
/// nobody whom a URL names.
fn token(args: &GetArgs, address: &str) -> Result<HeaderValue, String> {
    let is_here = address.parse::<SocketAddr>().is_ok_and(|address| address.ip().is_loopback())
        || address.split(':').next() == Some("localhost");
    if !is_here && args.via.is_none() {
        return Ok(HeaderValue::from_static(""));
    }
    let secret = match &args.token {
        Some(token) => Some(token.clone()),
        None => Admin::secret(args.config.as_deref())?,
    };
    HeaderValue::try_from(secret.unwrap_or_default())
        .map_err(|_| "the token has characters that cannot be sent".into())
}

/// The answer's explanation, if there is one.
fn explanation(answer: &Answer) -> Option<Value> {
    serde_json::from_str(answer.field(LARDER_EXPLAIN)?).ok()
}

fn document(answer: &Answer, url: &str) -> Value {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let fields: Vec<(String, String)> = (answer.fields.iter())
        .filter(|(name, _)| *name != LARDER_EXPLAIN)
        .map(|(name, value)| (name.to_string(), text(value)))
        .collect();
    let status = answer.field("cache-status");
    json!({
        "url": url,
        "status": answer.status.as_u16(),
        "fields": fields,
        "in_words": status.map(words::in_words),
        "explanation": explanation(answer),
    })
}

fn print(answer: &Answer, body: bool) {
    say(&format!("HTTP/1.1 {}", answer.status));
    for (name, value) in answer.fields.iter().filter(|(name, _)| *name != LARDER_EXPLAIN) {
        say(&format!("{name}: {}", harmless(&String::from_utf8_lossy(value.as_bytes()))));
    }
    say("");
    match answer.field("cache-status") {
        Some(status) => say(&words::in_words(status)),
        None => say("There is no Cache-Status: this answer did not come through larder."),
    }
    match explanation(answer) {
        Some(told) => explained::lines(&told).iter().for_each(|line| say(&harmless(line))),
        None if answer.field("cache-status").is_some() => {
            say("");
            say("larder says more to who bears the admin token (--token, LARDER_TOKEN), or asks");
            say("from its own machine if there is none.");
        }
        None => {}
    }
    if body {
        say("");
        say(&String::from_utf8_lossy(&answer.body));
    }
}

/// What could speak to a terminal is left out.
fn harmless(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}
