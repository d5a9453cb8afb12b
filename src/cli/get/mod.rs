//! `larder get`: an answer's head, what the cache decided, and why.

mod explained;
mod words;

use super::args::GetArgs;
use super::asking::{self, Field};
use super::client::{Admin, Answer, Client};
use super::{failed, say};
use crate::key::Scheme;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, header};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::process::ExitCode;

/// Asks for an explanation beside the answer.
const LARDER_DEBUG: HeaderName = HeaderName::from_static("larder-debug");

/// Says for which scheme a request is; larder believes its trusted proxies.
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The field that it comes in.
const LARDER_EXPLAIN: &str = "larder-explain";

pub(super) fn run(args: &GetArgs) -> ExitCode {
    match ask(args) {
        Ok((answer, url)) => {
            if args.json {
                say(&document(&answer, &url).to_string());
            } else {
                print(&answer, &url, args.body);
            }
            ExitCode::SUCCESS
        }
        Err(error) => failed(&format!("error: {error}")),
    }
}

/// Asks for the page; its answer, and its URL as it was understood.
fn ask(args: &GetArgs) -> Result<(Answer, String), String> {
    let target = &args.url;
    let address = asking::address(target, args.via.as_deref())?;
    let mut fields = fields(args)?;
    fields.push((LARDER_DEBUG, token(args, &address)?));
    let is_said = fields.iter().any(|(name, _)| *name == X_FORWARDED_PROTO);
    if target.scheme() == Scheme::Https && !is_said {
        fields.push((X_FORWARDED_PROTO, HeaderValue::from_static("https")));
    }
    let client = Client::new(&address, target.host());
    let answer = client
        .send(&Method::GET, target.path_and_query(), &fields, Bytes::new())
        .map_err(|error| format!("{client}: {error}"))?;
    Ok((answer, target.to_string()))
}

/// The fields that are given, and the cookies, in one line.
fn fields(args: &GetArgs) -> Result<Vec<Field>, String> {
    let mut fields = args.headers.clone();
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

fn print(answer: &Answer, url: &str, body: bool) {
    say(&format!("HTTP/1.1 {}", answer.status));
    for (name, value) in answer.fields.iter().filter(|(name, _)| *name != LARDER_EXPLAIN) {
        say(&format!("{name}: {}", harmless(&String::from_utf8_lossy(value.as_bytes()))));
    }
    say("");
    match answer.field("cache-status") {
        Some(status) => say(&words::in_words(status)),
        None => say("There is no Cache-Status: this answer did not come through larder."),
    }
    let told = explanation(answer);
    if let Some(note) = about_https(url, told.as_ref()) {
        say("");
        say(&note);
    }
    match told {
        Some(told) => explained::lines(&told).iter().for_each(|line| say(&harmless(line))),
        None if url.starts_with("https://") => {}
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

/// What there is to say of an https URL: whether larder has read the request so.
fn about_https(url: &str, told: Option<&Value>) -> Option<String> {
    url.strip_prefix("https://")?;
    match told.and_then(|told| told["request"]["url"].as_str()) {
        Some(read) if read.starts_with("https://") => None,
        Some(read) => Some(format!(
            "Note: larder has read this as {}: it doesn't believe who asks from here about https. To ask \
             for what visitors get over https, name this address in `trust.proxies`, or ask from one that is.",
            harmless(read)
        )),
        None => Some(
            "Note: this is for https if this address is in `trust.proxies`, and else for http. larder says \
             which, and more, to who bears the admin token (--token, LARDER_TOKEN): a request that says \
             https counts as forwarded, for which being on its own machine is not enough."
                .to_string(),
        ),
    }
}

/// What could speak to a terminal is left out.
fn harmless(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}
