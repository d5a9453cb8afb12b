//! What is in a span: names and values by OpenTelemetry's semantic conventions for HTTP,
//! and larder's own beside them.
//!
//! Never a query, a cookie or the value of a field, which may be somebody's secret.

use crate::access_log::Entry;
use crate::key::Scheme;
use crate::message::TraceContext;
use crate::origin::{Address, Visited};
use http::{Request, StatusCode, Version, header};
use opentelemetry::trace::{SpanContext, SpanKind, Status, TraceFlags, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue, SpanId, TraceId};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::SystemTime;

/// The most bytes of a text that a client has sent.
const LONGEST: usize = 1024;

/// What is known of a request before it is answered.
#[derive(Debug)]
pub(super) struct Served {
    pub own: TraceContext,
    pub parent: Option<u64>,
    pub peer: SocketAddr,
    pub target: Option<(Scheme, Box<str>)>,
}

/// What is known of a request to the origin before that has answered.
#[derive(Debug)]
pub(super) struct Asked {
    own: TraceContext,
    parent: u64,
    method: Box<str>,
    /// `Host` and path, as they are sent.
    url: Box<str>,
    visited: Visited,
}

impl Asked {
    pub fn by<B>(request: &Request<B>, own: TraceContext, parent: u64, visited: Visited) -> Asked {
        let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
        let url = [host.unwrap_or_default(), capped(request.uri().path())].concat().into();
        Asked { own, parent, method: request.method().as_str().into(), url, visited }
    }
}

/// The span of a request that has been answered.
pub(super) fn server_span(served: &Served, entry: &Entry<'_>) -> SpanData {
    let method = known_method(entry.method);
    let mut all = vec![
        KeyValue::new("http.request.method", method.unwrap_or("_OTHER")),
        KeyValue::new("url.path", path(entry.target)),
        KeyValue::new("http.response.status_code", i64::from(entry.status)),
        KeyValue::new("http.response.body.size", number(entry.bytes)),
        KeyValue::new("network.protocol.version", version(entry.version)),
        KeyValue::new("network.peer.address", served.peer.ip().to_canonical().to_string()),
        KeyValue::new("network.peer.port", i64::from(served.peer.port())),
        KeyValue::new("client.address", entry.client.to_string()),
    ];
    if let Some((scheme, host)) = &served.target {
        all.push(KeyValue::new("url.scheme", scheme.as_str()));
        let (host, port) = host_and_port(host);
        all.push(KeyValue::new("server.address", host.to_string()));
        all.extend(port.map(|port| KeyValue::new("server.port", port)));
    }
    all.extend(of_the_cache(entry));
    let error = match entry.status {
        status @ 500.. => Some(status.to_string()),
        _ if entry.broken => Some("broken".to_string()),
        _ => None,
    };
    let times = (entry.at.checked_sub(entry.took).unwrap_or(entry.at), entry.at);
    let name = method.unwrap_or("HTTP");
    span((served.own, served.parent, true), SpanKind::Server, name, times, (all, error))
}

/// What larder itself has to say of a request.
fn of_the_cache(entry: &Entry<'_>) -> impl Iterator<Item = KeyValue> {
    let cache = entry.cache;
    let is = |name, is_so: bool| is_so.then(|| KeyValue::new(name, true));
    let id = entry.id.map(|id| String::from_utf8_lossy(id).into_owned());
    [
        Some(KeyValue::new("larder.outcome", cache.outcome.token())),
        cache.detail.map(|reason| KeyValue::new("larder.reason", reason.code())),
        cache.ttl.map(|ttl| KeyValue::new("larder.ttl", ttl)),
        entry.age.map(|age| KeyValue::new("larder.age", i64::from(age))),
        id.map(|id| KeyValue::new("larder.request_id", id)),
        is("larder.stored", cache.stored),
        is("larder.collapsed", cache.collapsed),
    ]
    .into_iter()
    .flatten()
}

/// The span of a request to the origin: the status of its answer, or why there is none.
pub(super) fn client_span(
    asked: Asked,
    times: (SystemTime, SystemTime),
    outcome: Result<StatusCode, &'static str>,
) -> SpanData {
    let method = known_method(&asked.method);
    let (address, times_sent) = asked.visited.last();
    let scheme = if matches!(address, Some(Address::Tls { .. })) { "https" } else { "http" };
    let mut all = vec![
        KeyValue::new("http.request.method", method.unwrap_or("_OTHER")),
        KeyValue::new("url.full", format!("{scheme}://{}", asked.url)),
        KeyValue::new("network.protocol.version", "1.1"),
    ];
    match address {
        Some(Address::Tcp { host, port } | Address::Tls { host, port, .. }) => {
            all.push(KeyValue::new("server.address", host));
            all.push(KeyValue::new("server.port", i64::from(port)));
        }
        Some(Address::Unix(path)) => {
            all.push(KeyValue::new("server.address", path.display().to_string()));
            all.push(KeyValue::new("network.transport", "unix"));
        }
        None => {}
    }
    if times_sent > 1 {
        all.push(KeyValue::new("http.request.resend_count", i64::from(times_sent - 1)));
    }
    let error = match outcome {
        Ok(status) => {
            all.push(KeyValue::new("http.response.status_code", i64::from(status.as_u16())));
            let is_error = status.is_client_error() || status.is_server_error();
            is_error.then(|| status.as_u16().to_string())
        }
        Err(why) => Some(why.to_string()),
    };
    let (place, name) = ((asked.own, Some(asked.parent), false), method.unwrap_or("HTTP"));
    span(place, SpanKind::Client, name, times, (all, error))
}

/// A span at a place in a trace (its parent, and whether that is somebody else's), with
/// what is said of it and the type of its error, if it is one.
fn span(
    (own, parent, is_remote): (TraceContext, Option<u64>, bool),
    kind: SpanKind,
    name: &'static str,
    (start, end): (SystemTime, SystemTime),
    (mut attributes, error): (Vec<KeyValue>, Option<String>),
) -> SpanData {
    static SCOPE: LazyLock<InstrumentationScope> = LazyLock::new(|| {
        InstrumentationScope::builder("larder").with_version(env!("CARGO_PKG_VERSION")).build()
    });
    let status = if error.is_some() { Status::error("") } else { Status::Unset };
    attributes.extend(error.map(|error| KeyValue::new("error.type", error)));
    let (trace, id) = (TraceId::from(own.trace), SpanId::from(own.span));
    SpanData {
        span_context: SpanContext::new(trace, id, TraceFlags::SAMPLED, false, TraceState::NONE),
        parent_span_id: parent.map_or(SpanId::INVALID, SpanId::from),
        parent_span_is_remote: is_remote && parent.is_some(),
        span_kind: kind,
        name: name.into(),
        start_time: start,
        end_time: end,
        attributes,
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status,
        instrumentation_scope: SCOPE.clone(),
    }
}

/// The methods that the conventions know; what a client makes up is no name.
fn known_method(method: &str) -> Option<&'static str> {
    const KNOWN: [&str; 10] =
        ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY"];
    KNOWN.into_iter().find(|known| *known == method)
}

fn version(version: Version) -> &'static str {
    if version == Version::HTTP_10 { "1.0" } else { "1.1" }
}

/// The path of a target as it came, without its query; of an absolute one too.
fn path(target: &[u8]) -> String {
    let text = String::from_utf8_lossy(target);
    let path = text.split(['?', '#']).next().unwrap_or_default();
    let path = match path.split_once("://") {
        Some((_, rest)) if !path.starts_with('/') => {
            rest.find('/').map_or("/", |begin| &rest[begin..])
        }
        _ => path,
    };
    capped(path).to_string()
}

/// No more of it than this many bytes.
fn capped(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST)]
}

fn host_and_port(host: &str) -> (&str, Option<i64>) {
    let split = host.rsplit_once(':').filter(|(_, port)| !port.ends_with(']'));
    let (name, port) = split.map_or((host, None), |(name, port)| (name, port.parse().ok()));
    (name.trim_start_matches('[').trim_end_matches(']'), port)
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_query_is_left_of_a_target() {
        for (target, expected) in [
            ("/a/b?token=secret", "/a/b"),
            ("/a?b?c", "/a"),
            ("/a#b", "/a"),
            ("/go/http://b.test/c?d", "/go/http://b.test/c"),
            ("http://user@a.test/b?c", "/b"),
            ("http://a.test?c", "/"),
            ("*", "*"),
            ("", ""),
        ] {
            assert_eq!(path(target.as_bytes()), expected, "{target}");
        }
        assert_eq!(path("ä".repeat(LONGEST).as_bytes()).len(), LONGEST);
        assert_eq!(path(b"/\xff"), "/\u{fffd}");
    }

    #[test]
    fn hosts_and_ports() {
        for (host, expected) in [
            ("a.test", ("a.test", None)),
            ("a.test:8080", ("a.test", Some(8080))),
            ("[::1]", ("::1", None)),
            ("[::1]:80", ("::1", Some(80))),
        ] {
            assert_eq!(host_and_port(host), expected);
        }
    }

    #[test]
    fn a_method_that_nobody_knows_is_no_name() {
        assert_eq!(known_method("QUERY"), Some("QUERY"));
        assert_eq!(known_method("BREW"), None);
        assert_eq!(known_method("get"), None);
    }
}
