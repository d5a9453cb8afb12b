//! What is said about a request when it is done: `Cache-Status` and `Via` to the
//! client, a line to the access log, a count.

use super::{Answer, Proxy, Shared};
use crate::access_log::Entry;
use crate::body::{Body, ReadAhead};
use crate::error::BodyError;
use crate::message::{self, Notes, Peer, Plain, Presented};
use crate::origin;
use crate::semantics::cache_status::{CacheStatus, Outcome};
use crate::telemetry::Span;
use bytes::{Bytes, BytesMut};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode, Version};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use std::fmt::Write;
use std::net::IpAddr;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

/// What has to be remembered of a request for the line that is written at its
/// end.
pub(super) struct Line {
    began: Duration,
    /// Who asked, as far as it is known.
    pub client: IpAddr,
    method: Method,
    version: Version,
    texts: Texts,
    /// What the app is told as its id; none if the head was refused.
    id: Option<HeaderValue>,
    /// The `traceparent` that the app is told.
    trace: Option<HeaderValue>,
    notes: Option<Arc<Notes>>,
    /// What it is in a trace, if it is sampled.
    span: Option<Span>,
}

/// The texts of a line, one after the other in the same memory.
#[derive(Default)]
struct Texts {
    bytes: Vec<u8>,
    /// Where each ends that there is: target, `Host`, `Referer`, `User-Agent`.
    ends: [Option<usize>; 4],
}

/// The fields that a line tells of.
const TOLD: [HeaderName; 3] = [header::HOST, header::REFERER, header::USER_AGENT];

impl Texts {
    /// Of a target, and of the first field with each of these names that there is.
    fn of<'a>(target: &[u8], field: impl Fn(&HeaderName) -> Option<&'a [u8]>) -> Texts {
        let texts = [Some(target), field(&TOLD[0]), field(&TOLD[1]), field(&TOLD[2])];
        let length = texts.iter().flatten().map(|text| text.len()).sum();
        let (mut bytes, mut ends) = (Vec::with_capacity(length), [None; 4]);
        for (at, (text, end)) in texts.iter().zip(&mut ends).enumerate() {
            let Some(text) = text else { continue };
            // Agents may name an address for mail, and no URL with a user.
            match user(text).filter(|_| at < 3) {
                Some(user) => {
                    bytes.extend_from_slice(&text[..user.start]);
                    bytes.push(b'*');
                    bytes.extend_from_slice(&text[user.end..]);
                }
                None => bytes.extend_from_slice(text),
            }
            *end = Some(bytes.len());
        }
        Texts { bytes, ends }
    }

    fn get(&self, at: usize) -> Option<&[u8]> {
        let end = self.ends[at]?;
        let before = self.ends[..at].iter().rev().flatten().next();
        self.bytes.get(before.copied().unwrap_or_default()..end)
    }
}

/// The longest name of a host, with a port (RFC 1035 section 2.3.4).
const LONGEST_HOST: usize = 260;

/// Where in a URL or a host stands who somebody is, and by which password. A request with it
/// is refused (RFC 9110 section 4.2.4), and has a line all the same. Where it isn't clear what
/// the host is, all before the last `@` is taken for it; what is too long for a host may be
/// the beginning of it.
fn user(text: &[u8]) -> Option<Range<usize>> {
    let has_any = || text.len() > LONGEST_HOST || memchr::memchr(b'@', text).is_some();
    if text.first() == Some(&b'/') || !has_any() {
        return None;
    }
    let host = memchr::memmem::find(text, b"://").map_or(0, |at| at + 3);
    let rest = &text[host..];
    let end = rest.iter().position(|b| b"/?#".contains(b)).unwrap_or(rest.len());
    let authority = if host == 0 || end == 0 { rest } else { &rest[..end] };
    let is_long = host > 0 && end > LONGEST_HOST;
    let user = memchr::memrchr(b'@', authority).or(is_long.then_some(end))?;
    Some(host..host + user)
}

impl Line {
    /// `None` if nothing is written, nor traced.
    pub fn begin(
        request: &Request<Incoming>,
        peer: &Peer,
        began: Duration,
        shared: &Shared,
    ) -> Option<Line> {
        let fields = request.headers();
        let options = &shared.options.presented;
        let span = shared.telemetry.begin(peer, options, || traceparent(fields));
        (shared.log.is_on() || span.is_some()).then(|| Line {
            began,
            client: peer.ip(),
            method: request.method().clone(),
            version: request.version(),
            texts: Texts::of(request.uri().to_string().as_bytes(), |name| {
                fields.get(name).map(HeaderValue::as_bytes)
            }),
            id: None,
            trace: None,
            notes: None,
            span,
        })
    }

    /// Remembers what is known of the request now that it has been let in, and has whatever
    /// it causes belong to its trace.
    pub fn is_about(&mut self, request: &mut Presented) {
        if let Some(span) = &mut self.span {
            span.is_for(request.target.scheme(), request.target.host());
            request.traced = Some(span.context());
            request.fields.insert(message::TRACEPARENT, span.context().traceparent());
            if span.is_first() {
                // It belongs to the trace of a `traceparent` that was none.
                request.fields.remove(message::TRACESTATE);
            }
        }
        self.client = request.client;
        self.id = request.fields.get(message::REQUEST_ID).cloned();
        self.trace = request.fields.get(message::TRACEPARENT).cloned();
        self.notes = Some(Arc::clone(&request.notes));
    }

    /// The same of a request that is answered at a glance.
    pub fn of_plain(
        plain: &Plain<'_>,
        peer: &Peer,
        began: Option<Duration>,
        shared: &Shared,
    ) -> Option<Line> {
        let options = &shared.options.presented;
        let traceparent = || plain.only_field(&message::TRACEPARENT);
        let mut span = shared.telemetry.begin(peer, options, traceparent);
        if let Some(span) = &mut span {
            span.is_for(plain.sought.scheme(), plain.sought.host());
        }
        let own = span.as_ref().map(Span::context);
        let trace = || match own {
            Some(own) => Some(own.traceparent()),
            None => HeaderValue::from_bytes(plain.field(&message::TRACEPARENT)?).ok(),
        };
        let tells_all = shared.log.tells_all() || own.is_some();
        (shared.log.is_on() || own.is_some()).then(|| Line {
            began: began.unwrap_or_else(|| shared.clock.precise()),
            client: plain.client(peer, options),
            method: Method::GET,
            version: Version::HTTP_11,
            texts: Texts::of(plain.sought.path_and_query().as_bytes(), |name| plain.field(name)),
            id: tells_all.then(|| plain.request_id(peer, options)),
            trace: tells_all.then(trace).flatten(),
            notes: None,
            span,
        })
    }

    /// Of a request whose head was not read, but for this first line.
    pub fn unread(line: &str, peer: &Peer, shared: &Shared) -> Option<Line> {
        let field = line.split_once(':').map(|(name, _)| name);
        let field = field.filter(|name| HeaderName::from_bytes(name.as_bytes()).is_ok());
        let (method, rest) = line.split_once(' ').unwrap_or(("-", line));
        let (method, target) = match (field, Method::from_bytes(method.as_bytes())) {
            // A field where the request line should be may be whom somebody is let in as.
            (Some(name), _) => (Method::from_bytes(b"-").unwrap_or_default(), name),
            (None, Ok(method)) => (method, rest.split(' ').next().unwrap_or_default()),
            (None, Err(_)) => (Method::from_bytes(b"-").unwrap_or_default(), line),
        };
        shared.log.is_on().then(|| Line {
            began: shared.clock.precise(),
            client: peer.ip(),
            method,
            version: Version::HTTP_11,
            texts: Texts::of(target.as_bytes(), |_| None),
            id: None,
            trace: None,
            notes: None,
            span: None,
        })
    }
}

/// The one `traceparent` of a request (W3C Trace Context, section 3.2).
fn traceparent(fields: &HeaderMap) -> Option<&[u8]> {
    let mut given = fields.get_all(message::TRACEPARENT).iter();
    match (given.next(), given.next()) {
        (Some(traceparent), None) => Some(traceparent.as_bytes()),
        _ => None,
    }
}

/// Writes what the cache did into the response, counts it, and has the line
/// written when the body has gone.
pub(super) fn finish(
    proxy: &Arc<Proxy>,
    line: Option<Line>,
    began: Duration,
    answer: Answer,
) -> Response<Recorded> {
    let Answer { mut response, status } = answer;
    let fields = response.headers_mut();
    let mut member = BytesMut::with_capacity(64);
    let written = write!(member, "{status}");
    if let (Ok(()), Ok(value)) = (written, HeaderValue::from_maybe_shared(member.freeze())) {
        fields.append(CACHE_STATUS, value);
    }
    fields.append(header::VIA, origin::via(Version::HTTP_11));
    count(&proxy.shared, &status, began);
    let code = response.status();
    let age = line.as_ref().and_then(|_| age(response.headers()));
    response.map(|body| Recorded {
        body,
        sent: 0,
        broken: false,
        proxy: Arc::clone(proxy),
        entry: line.map(|line| Pending { line, code, status, age }),
    })
}

/// The age that a response says it has.
fn age(fields: &HeaderMap) -> Option<u32> {
    fields.get(header::AGE)?.to_str().ok()?.parse().ok()
}

/// Counts a request that has been answered up to the body, and times it if it is one of
/// those that are timed.
fn count(shared: &Shared, status: &CacheStatus, began: Duration) {
    let Shared { metrics, clock, .. } = shared;
    let times = match status.outcome {
        Outcome::Hit => metrics.times_next_hit().then_some(&metrics.hits_took),
        Outcome::Forwarded(_) => Some(&metrics.misses_took),
        Outcome::Own => None,
    };
    metrics.count(status);
    if let Some(times) = times {
        times.add(clock.precise().saturating_sub(began), clock.now());
    }
}

/// A response's body that is written down when it is gone.
pub struct Recorded {
    body: Body,
    sent: u64,
    broken: bool,
    proxy: Arc<Proxy>,
    entry: Option<Pending>,
}

impl Recorded {
    /// What of it can be read while nobody takes it, if anything.
    pub fn ahead(&self) -> Option<&ReadAhead> {
        self.body.ahead()
    }
}

/// A line that is written when the answer has gone.
pub(super) struct Pending {
    pub line: Line,
    pub code: StatusCode,
    pub status: CacheStatus,
    pub age: Option<u32>,
}

impl Pending {
    /// So many bytes of the body have been sent, and all there were unless it is broken.
    pub fn write(self, shared: &Shared, sent: u64, broken: bool) {
        let (Pending { line, code, status, age }, Shared { log, clock, .. }) = (self, shared);
        let notes = line.notes.as_deref();
        let purged = notes.map(Notes::take_purged).unwrap_or_default();
        let entry = Entry {
            at: clock.wall(),
            took: clock.precise().saturating_sub(line.began),
            client: line.client,
            method: line.method.as_str(),
            target: line.texts.get(0).unwrap_or_default(),
            version: line.version,
            host: line.texts.get(1),
            referer: line.texts.get(2),
            agent: line.texts.get(3),
            status: code.as_u16(),
            bytes: sent,
            broken,
            cache: &status,
            age,
            origin: notes.and_then(Notes::origin),
            id: line.id.as_ref().map(HeaderValue::as_bytes),
            trace: line.trace.as_ref().and_then(|trace| message::trace_id(trace.as_bytes())),
            purged: &purged,
        };
        log.write(&entry);
        if let Some(span) = line.span {
            shared.telemetry.answered(span, &entry);
        }
    }
}

impl http_body::Body for Recorded {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let mut polled = Pin::new(&mut self.body).poll_frame(cx);
        match &mut polled {
            Poll::Ready(Some(Ok(frame))) => match frame.trailers_mut() {
                // What is taken off heads.
                Some(trailers) => {
                    for name in &*self.proxy.shared.unshown {
                        trailers.remove(name);
                    }
                }
                None => self.sent += frame.data_ref().map_or(0, |data| data.len() as u64),
            },
            Poll::Ready(Some(Err(_))) => self.broken = true,
            _ => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Recorded {
    fn drop(&mut self) {
        let shared = &self.proxy.shared;
        shared.metrics.bytes_sent.add(self.sent);
        if let Some(entry) = self.entry.take() {
            entry.write(shared, self.sent, self.broken);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_somebody_is_stands_before_the_host() {
        let long = format!("http://a.test/{}", "x".repeat(300));
        for (text, expected) in [
            ("/a@b", "/a@b"),
            ("//user:pass@a/", "//user:pass@a/"),
            ("*", "*"),
            ("http://a.test/b@c?d@e", "http://a.test/b@c?d@e"),
            ("a.test:80", "a.test:80"),
            ("http://user:pass@a.test/b@c", "http://*@a.test/b@c"),
            ("http://user:p@ss@a.test", "http://*@a.test"),
            ("http://user@a.test?x", "http://*@a.test?x"),
            ("user:pass@a.test:443", "*@a.test:443"),
            ("user:pa/ss@a.test", "*@a.test"),
            ("http:/user:pass@a.test/", "*@a.test/"),
            ("http:///user:pass@a.test/", "http://*@a.test/"),
            ("http://\\user:pass@a.test/", "http://*@a.test/"),
            (&format!("http://user:{}", "pass".repeat(99)), "http://*"),
            (&long, &long),
        ] {
            let texts = Texts::of(text.as_bytes(), |_| Some(text.as_bytes()));
            for (at, expected) in [(0, expected), (1, expected), (2, expected), (3, text)] {
                assert_eq!(texts.get(at), Some(expected.as_bytes()), "{at}");
            }
        }
    }
}
