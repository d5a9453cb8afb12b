//! Kept-alive connections to the origin, and one safe retry.
//!
//! Each runtime has a pool of its own; the number of requests in flight is
//! bounded over all of them.

use super::connect::{Bounds, Upstream, connect};
use crate::body::{self, Body, Passing};
use crate::error::OriginError;
use http::header;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, sleep, timeout};

/// What a pool needs to know.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the origin is.
    pub upstream: Upstream,
    /// The longest time to connect.
    pub connect_timeout: Duration,
    /// The longest time from the request to the head of its response.
    pub first_byte_timeout: Duration,
    /// The longest time without a byte of a response's body.
    pub between_bytes_timeout: Duration,
    /// The longest time that a connection is idle and still used again; has to
    /// be shorter than the app keeps it open.
    pub idle_timeout: Duration,
    /// The most requests in flight, over all runtimes.
    pub max_connections: usize,
    /// The longest time that a request waits for one of these places.
    pub queue_timeout: Duration,
    /// The most bytes of a response's head.
    pub max_head: usize,
    /// The most fields of a response's head.
    pub max_fields: usize,
}

/// The connections of one runtime.
#[derive(Debug)]
pub struct Pool {
    options: Arc<Options>,
    places: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Idle>>>,
}

#[derive(Debug)]
struct Idle {
    sender: SendRequest<Body>,
    until: Instant,
}

/// How long a connection that has just been given back may take to notice that
/// its response is over.
const SETTLING: Duration = Duration::from_millis(50);

impl Pool {
    /// An empty pool.
    pub fn new(options: Options) -> Pool {
        let places = Arc::new(Semaphore::new(options.max_connections));
        Pool { options: Arc::new(options), places, idle: Arc::default() }
    }

    /// An empty pool for another runtime, with the same bound on requests in
    /// flight.
    pub fn sibling(&self) -> Pool {
        Pool {
            options: Arc::clone(&self.options),
            places: Arc::clone(&self.places),
            idle: Arc::default(),
        }
    }

    /// Sends a request and waits for the head of the response. The wait is
    /// counted from when the request has been sent whole.
    ///
    /// A request is sent again, once and over a new connection, if a kept-alive
    /// connection turns out to be dead: when it was not sent at all, or when its
    /// body, if any, is in hand, it is idempotent, and not a byte of an answer
    /// came.
    ///
    /// # Errors
    /// [`OriginError`]: no connection, no answer, or none in time.
    pub async fn send(&self, mut request: Request<Body>) -> Result<Response<Body>, OriginError> {
        let place = self.place().await?;
        let sent = when_sent(&mut request);
        let upgrade = request.headers().contains_key(header::UPGRADE);
        let patience = async {
            if let Some(sent) = sent {
                // An error means that the body was dropped: sent or not, it is over.
                let _ = sent.await;
            }
            sleep(self.options.first_byte_timeout).await;
        };
        tokio::select! {
            answer = self.send_once_or_twice(request) => {
                let (response, sender) = answer?;
                if response.status() == StatusCode::SWITCHING_PROTOCOLS && !upgrade {
                    return Err(OriginError::Switched);
                }
                Ok(self.lease(response, sender, place, !upgrade))
            }
            () = patience => Err(OriginError::FirstByteTimeout),
        }
    }

    async fn place(&self) -> Result<OwnedSemaphorePermit, OriginError> {
        let waiting = Arc::clone(&self.places).acquire_owned();
        match timeout(self.options.queue_timeout, waiting).await {
            Ok(Ok(place)) => Ok(place),
            _ => Err(OriginError::Busy),
        }
    }

    async fn send_once_or_twice(
        &self,
        request: Request<Body>,
    ) -> Result<(Response<Incoming>, SendRequest<Body>), OriginError> {
        let Some(mut sender) = self.take_idle().await else {
            return self.send_on_new(request).await;
        };
        let spare = spare(&request);
        match sender.try_send_request(request).await {
            Ok(response) => Ok((response, sender)),
            Err(mut failed) => match failed.take_message().or(spare) {
                Some(request) => self.send_on_new(request).await,
                None => Err(broken(failed.into_error())),
            },
        }
    }

    async fn send_on_new(
        &self,
        request: Request<Body>,
    ) -> Result<(Response<Incoming>, SendRequest<Body>), OriginError> {
        let limits = Bounds {
            bytes: self.options.max_head,
            fields: self.options.max_fields,
            stall: self.options.first_byte_timeout,
        };
        let mut sender =
            connect(&self.options.upstream, self.options.connect_timeout, limits).await?;
        match sender.send_request(request).await {
            Ok(response) => Ok((response, sender)),
            Err(error) => Err(broken(error)),
        }
    }

    /// The connection that was used last, so that the others can age.
    async fn take_idle(&self) -> Option<SendRequest<Body>> {
        loop {
            let mut idle = {
                let mut all = self.idle.lock();
                let idle = all.pop()?;
                if idle.until <= Instant::now() {
                    all.clear();
                    return None;
                }
                idle
            };
            if let Ok(Ok(())) = timeout(SETTLING, idle.sender.ready()).await {
                return Some(idle.sender);
            }
        }
    }

    /// Ties connection and place to the response's body: both come back when
    /// the body has come to its end. If it does not, the connection is closed.
    fn lease(
        &self,
        response: Response<Incoming>,
        sender: SendRequest<Body>,
        place: OwnedSemaphorePermit,
        reusable: bool,
    ) -> Response<Body> {
        let (mut parts, incoming) = response.into_parts();
        if parts.headers.contains_key(header::TRANSFER_ENCODING) {
            // The chunks count (RFC 9112 section 6.3); a length beside them is wrong.
            parts.headers.remove(header::CONTENT_LENGTH);
        }
        if parts.status == StatusCode::NO_CONTENT {
            // Must not be there (RFC 9110 section 8.6): a client may wait for it.
            parts.headers.remove(header::CONTENT_LENGTH);
        }
        if parts.status == StatusCode::SWITCHING_PROTOCOLS {
            // The connection is a tunnel now: bounded like the client's, not
            // like a request.
            return Response::from_parts(parts, Body::empty());
        }
        let idle_for = keep_alive(&parts.headers).map_or(self.options.idle_timeout, |stated| {
            stated.saturating_sub(Duration::from_millis(500)).min(self.options.idle_timeout)
        });
        let idle = Arc::clone(&self.idle);
        let most = self.options.max_connections;
        let limits = body::Limits { stall: self.options.between_bytes_timeout, size: u64::MAX };
        let ended = incoming.is_end_stream();
        let body = Passing::new(incoming, limits).on_end(move || {
            drop(place);
            let mut idle = idle.lock();
            if reusable && !sender.is_closed() && idle.len() < most {
                idle.push(Idle { sender, until: Instant::now() + idle_for });
            }
        });
        let body = if ended { Body::empty() } else { Body::Passing(Box::new(body)) };
        Response::from_parts(parts, body)
    }
}

/// Tells when the request's body has gone; `None` if it has none.
fn when_sent(request: &mut Request<Body>) -> Option<oneshot::Receiver<()>> {
    let body = std::mem::replace(request.body_mut(), Body::empty());
    let (body, receiver) = match body {
        Body::Passing(passing) => {
            let (sender, receiver) = oneshot::channel();
            let passing = passing.on_end(move || {
                // Nobody may be waiting any more.
                let _ = sender.send(());
            });
            (Body::Passing(Box::new(passing)), Some(receiver))
        }
        other => (other, None),
    };
    *request.body_mut() = body;
    receiver
}

/// The same request once more, if it may be sent twice.
fn spare(request: &Request<Body>) -> Option<Request<Body>> {
    let Body::Chunks(chunks) = request.body() else { return None };
    if !request.method().is_idempotent() {
        return None;
    }
    let mut again = Request::new(Body::Chunks(chunks.clone()));
    *again.method_mut() = request.method().clone();
    *again.uri_mut() = request.uri().clone();
    *again.headers_mut() = request.headers().clone();
    *again.extensions_mut() = request.extensions().clone();
    Some(again)
}

/// How long the origin says that it keeps an idle connection.
fn keep_alive(fields: &HeaderMap) -> Option<Duration> {
    let value = fields.get("keep-alive")?.to_str().ok()?;
    let seconds = value.split(',').find_map(|item| item.trim().strip_prefix("timeout="))?;
    Some(Duration::from_secs(seconds.trim().parse().ok()?))
}

/// Whether the origin has taken no byte for too long.
fn took_nothing(error: &hyper::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(error) = cause.downcast_ref::<std::io::Error>() {
            return error.kind() == std::io::ErrorKind::TimedOut;
        }
        source = cause.source();
    }
    false
}

/// The origin's fault, unless it was the request's own body that broke.
fn broken(error: hyper::Error) -> OriginError {
    match body_error(&error) {
        Some(error) => OriginError::RequestBody(error),
        None if took_nothing(&error) => OriginError::FirstByteTimeout,
        None => OriginError::Broken(Arc::new(error)),
    }
}

fn body_error(error: &hyper::Error) -> Option<crate::error::BodyError> {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(error) = cause.downcast_ref::<crate::error::BodyError>() {
            return Some(error.clone());
        }
        source = cause.source();
    }
    None
}
