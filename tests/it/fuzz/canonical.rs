//! A whole connection: what is let through hyper reads as it stands there, and what
//! is written for the origin is the one request that larder meant.

use super::reference::{self, Fields, Message};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{client, server};
use hyper_util::rt::TokioIo;
use larder::body::{Body, Limits, Passing};
use larder::key::Host;
use larder::listen::through;
use larder::message::{HeadLimits, Hosts, NewTraces, Options, Peer, Presented};
use larder::origin::{outbound, upgrade_outbound};
use larder::semantics::parameters::IgnoredParameters;
use larder::semantics::paths::Paths;
use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

const LIMITS: HeadLimits = HeadLimits { bytes: 8192, fields: 40 };
const ROOM: usize = 1 << 16;

pub fn check(data: &[u8]) {
    let Some((size, bytes)) = data.split_first() else { return };
    let read = through(bytes, usize::from(*size).max(1), LIMITS);
    let whole = through(bytes, bytes.len().max(1), LIMITS);
    assert_eq!(read.broken, whole.broken);
    assert_eq!(read.refused.is_some(), whole.refused.is_some());
    let ((sent, _), (at_once, _)) = (reference::messages(bytes), reference::messages(&whole.given));
    let (expected, count) = reference::messages(&read.given);
    if let Some((before, _)) = &read.refused {
        // What came before, and the stand-in for what is refused.
        assert_eq!((expected.len() as u64, count), (before + 1, read.given.len()));
        assert_eq!(expected[..expected.len() - 1], sent[..expected.len() - 1]);
        assert_eq!(expected, at_once);
    } else if read.broken {
        breaks_off(&expected, &sent);
        breaks_off(&at_once, &sent);
    } else {
        // As far as it came, too: nothing is held back.
        assert_eq!((&expected, &at_once), (&sent, &sent));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let seen = runtime.block_on(served(read.given));
    for (seen, expected) in seen.iter().zip(&expected) {
        seen.is(expected);
    }
    // hyper answers what is let through, or the connection has ended before.
    assert!(seen.len() <= expected.len());
    let is_last = |message: &Message| {
        let connection = message.fields.iter().filter(|(name, _)| name == "connection");
        let mut said = connection.map(|(_, value)| value.to_ascii_lowercase());
        let closes = said.any(|said| said.windows(5).any(|word| word == b"close"));
        message.minor == 0 || closes || !message.complete || message.method == "CONNECT"
    };
    let refused = |seen: &Seen| seen.written.is_none();
    if seen.len() < expected.len() {
        let ended = seen.last().is_some_and(refused) || expected[..seen.len()].iter().any(is_last);
        assert!(ended, "hyper has read {} of {expected:?}", seen.len());
    }
}

/// The first of what was sent, and the last of it only to the byte that is misplaced, or
/// less.
fn breaks_off(given: &[Message], sent: &[Message]) {
    let Some((last, before)) = given.split_last() else { panic!("there was a head") };
    assert_eq!(before, &sent[..before.len()]);
    let meant = &sent[before.len()];
    assert!(!last.complete && meant.body.starts_with(&last.body), "{last:?} {meant:?}");
    assert_eq!((&last.method, &last.fields), (&meant.method, &meant.fields));
}

/// A request as hyper read it, and what came of it.
struct Seen {
    method: String,
    target: String,
    fields: Fields,
    /// The request that larder meant, and the bytes that it wrote; none if it was
    /// not let in.
    written: Option<(Presented, Vec<u8>)>,
}

impl Seen {
    fn is(&self, expected: &Message) {
        assert_eq!(self.method, expected.method);
        let target: http::Uri = expected.target.parse().unwrap();
        assert_eq!(self.target, target.to_string());
        let sorted = |mut fields: Fields| {
            fields.sort_by(|one, other| one.0.cmp(&other.0));
            fields
        };
        assert_eq!(sorted(self.fields.clone()), sorted(expected.fields.clone()));
        if let Some((meant, written)) = &self.written {
            is_canonical(meant, written, expected);
        }
    }
}

/// Whether these bytes are the one request that was meant, with the client's body.
fn is_canonical(meant: &Presented, written: &[u8], sent: &Message) {
    let (all, count) = reference::messages(written);
    if !sent.complete && all.is_empty() {
        // It broke off before its head had been written.
        return;
    }
    let [one] = all.as_slice() else { panic!("{} requests: {:?}", all.len(), text(written)) };
    assert_eq!(one.complete, sent.complete, "{:?}", text(written));
    assert_eq!((&*one.method, one.minor), (meant.method.as_str(), 1));
    assert_eq!(one.target, meant.uri.to_string());
    if one.target != "*" {
        assert_eq!(one.target, meant.target.path_and_query());
        // Byte for byte what the client sent, behind its scheme and host if it had one.
        let own =
            sent.target.strip_suffix(&*one.target).or(sent.target.strip_suffix(&one.target[1..]));
        assert!(own.is_some_and(|own| own.is_empty() || own.contains("://")), "{sent:?} {one:?}");
    }
    if one.complete {
        assert_eq!((&one.body, count), (&sent.body, written.len()));
    }
    let hosts: Vec<_> = one.fields.iter().filter(|(name, _)| name == "host").collect();
    assert_eq!(hosts.len(), 1);
    for (name, value) in &one.fields {
        assert!(!name.contains('_'), "{name}");
        let ours = matches!(&**name, "via" | "te" | "connection" | "upgrade" | "transfer-encoding");
        if !ours && name != "content-length" {
            assert!(meant.fields.get_all(name).iter().any(|v| v == value.as_slice()), "{name}");
        }
    }
    for (name, value) in meant.fields.iter().filter(|(name, _)| *name != header::CONTENT_LENGTH) {
        let there = |(n, v): &(String, Vec<u8>)| n == name.as_str() && value == v.as_slice();
        assert!(one.fields.iter().any(there), "{name}: {value:?}");
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn listed(fields: &HeaderMap) -> Fields {
    fields.iter().map(|(name, value)| (name.to_string(), value.as_bytes().into())).collect()
}

/// Has hyper serve these bytes as larder has it do.
async fn served(given: Vec<u8>) -> Vec<Seen> {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let noted = Rc::clone(&seen);
    let service = service_fn(move |request: Request<Incoming>| {
        let noted = Rc::clone(&noted);
        async move {
            let one = forwarded(request).await;
            let mut response = Response::new(Full::new(Bytes::new()));
            if one.written.is_none() {
                *response.status_mut() = StatusCode::BAD_REQUEST;
                response
                    .headers_mut()
                    .insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            noted.borrow_mut().push(one);
            Ok::<_, Infallible>(response)
        }
    });
    let (near, far) = duplex(ROOM);
    let connection = server::conn::http1::Builder::new()
        .half_close(true)
        .max_headers(LIMITS.fields)
        .max_header_size(LIMITS.bytes)
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(near), service);
    let client = async {
        let (mut from, mut to) = tokio::io::split(far);
        let sending = async {
            let _ = to.write_all(&given).await;
            let _ = to.shutdown().await;
        };
        let mut answers = Vec::new();
        let (_, _) = tokio::join!(sending, from.read_to_end(&mut answers));
    };
    let (_, ()) = tokio::join!(connection, client);
    seen.take()
}

async fn forwarded(request: Request<Incoming>) -> Seen {
    let (parts, body) = request.into_parts();
    let (method, target) = (parts.method.to_string(), parts.uri.to_string());
    let fields = listed(&parts.headers);
    let options = Options {
        trusted: Vec::new(),
        max_target: 8192,
        max_field: 8190,
        max_body: 1 << 20,
        default_host: Host::localhost(),
        ignored_parameters: IgnoredParameters::default(),
        static_paths: Paths::default(),
        hosts: Hosts::default(),
        new_traces: NewTraces::None,
    };
    let peer = Peer::new(([127, 0, 0, 1], 1).into());
    let mut seen = Seen { method, target, fields, written: None };
    if let Ok(presented) = Presented::read(parts, &peer, &options) {
        let limits = Limits { stall: Duration::from_secs(60), rate: 0, size: options.max_body };
        let request = match presented.wants_websocket {
            true => upgrade_outbound(&presented, None),
            false => {
                let body = match presented.has_body {
                    true => Body::Passing(Box::new(Passing::new(body, limits))),
                    false => Body::empty(),
                };
                outbound(&presented, presented.fields.clone(), body, None)
            }
        };
        seen.written = Some((presented, written(request).await));
    }
    seen
}

/// The bytes that hyper writes for a request.
async fn written(request: Request<Body>) -> Vec<u8> {
    let (near, mut far) = duplex(ROOM);
    let handshake = client::conn::http1::handshake(TokioIo::new(near)).await;
    let (mut sender, connection) = handshake.unwrap();
    let client = async {
        let answer = sender.send_request(request).await;
        if let Ok(answer) = answer {
            let _ = answer.into_body().collect().await;
        }
        drop(sender);
    };
    let origin = async {
        let mut bytes = Vec::new();
        let mut answered = false;
        while far.read_buf(&mut bytes).await.is_ok_and(|count| count > 0) {
            let (all, _) = reference::messages(&bytes);
            if !answered && all.first().is_some_and(|message| message.complete) {
                answered = true;
                let answer = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
                let _ = far.write_all(answer).await;
            }
        }
        bytes
    };
    let (_, (), bytes) = tokio::join!(connection, client, origin);
    bytes
}
