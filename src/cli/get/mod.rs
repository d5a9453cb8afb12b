//! `larder get`: an answer's head, what the cache decided, and why.

mod explained;
mod plain;
mod rest;
mod words;

use super::args::GetArgs;
use super::asking::{self, Field};
use super::client::{Admin, Answer, Client, PATIENCE};
use super::decision::Decision;
use super::{failed, say};
use crate::key::Scheme;
use crate::semantics::reason::Kind;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, header};
use rest::Left;
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
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&format!("error: {error}")),
    }
}

/// Asks for the page, and says what came: what there is to say of the head as soon as that is
/// there, since the body may have no end.
fn ask(args: &GetArgs) -> Result<(), String> {
    let target = &args.url;
    let address = asking::address(target, args.via.as_deref())?;
    let mut fields = fields(args)?;
    fields.push((LARDER_DEBUG, token(args, &address)?));
    let is_said = fields.iter().any(|(name, _)| *name == X_FORWARDED_PROTO);
    if target.scheme() == Scheme::Https && !is_said {
        fields.push((X_FORWARDED_PROTO, HeaderValue::from_static("https")));
    }
    let client = Client::new(&address, target.host());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let at_client = |error| format!("{client}: {error}");
        let asking = client.begin(&Method::GET, target.path_and_query(), &fields, Bytes::new());
        let begun = tokio::time::timeout(PATIENCE, asking).await;
        let begun =
            begun.unwrap_or_else(|_| Err(format!("no answer within {} s", PATIENCE.as_secs())));
        let (begun, _connection) = begun.map_err(at_client)?;
        let (head, body) = begun.into_parts();
        let answer = Answer { status: head.status, fields: head.headers, body: Bytes::new() };
        if !args.json {
            print(&answer, &target.to_string());
        }
        let (body, left) = match rest::is_of_events(&answer.fields) && !args.body {
            true => (Vec::new(), Some(Left::Events)),
            false => rest::take(body, args.body).await.map_err(at_client)?,
        };
        let left = left.map(Left::sentence);
        if args.json {
            say(&document(&answer, &target.to_string(), left.as_deref()).to_string());
            return Ok(());
        }
        if args.body {
            say("");
            say(&String::from_utf8_lossy(&body));
        }
        if let Some(left) = left {
            say("");
            say(&left);
        }
        Ok(())
    })
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

fn document(answer: &Answer, url: &str, left: Option<&str>) -> Value {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let fields: Vec<(String, String)> = (answer.fields.iter())
        .filter(|(name, _)| *name != LARDER_EXPLAIN)
        .map(|(name, value)| (name.to_string(), text(value)))
        .collect();
    let decision = answer.field("cache-status").map(Decision::read);
    json!({
        "url": url,
        "status": answer.status.as_u16(),
        "fields": fields,
        "in_words": decision.map(|decision| words::in_words(decision, answer.status)),
        "explanation": explanation(answer),
        "left": left,
    })
}

fn print(answer: &Answer, url: &str) {
    say(&format!("HTTP/1.1 {}", answer.status));
    for (name, value) in answer.fields.iter().filter(|(name, _)| *name != LARDER_EXPLAIN) {
        say(&format!("{name}: {}", harmless(&String::from_utf8_lossy(value.as_bytes()))));
    }
    say("");
    let decision = answer.field("cache-status").map(Decision::read);
    match decision {
        Some(decision) => say(&words::in_words(decision, answer.status)),
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
        None if decision.is_some() => {
            say("");
            say("larder says more to who bears the admin token (--token, LARDER_TOKEN), or asks");
            say("from its own machine if there is none.");
        }
        None => {}
    }
    let failure = decision.and_then(|decision| decision.reason);
    if let Some(reason) = failure.filter(|reason| reason.kind() == Kind::Failed) {
        explained::mending(reason).iter().for_each(|line| say(line));
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
