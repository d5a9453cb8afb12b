//! Kept-alive connections of one runtime to one upstream.

use super::connect::{Connection, Way};
use crate::body::{self, Body, Passing, ReadAhead};
use crate::error::BodyError;
use http::{HeaderMap, Response, StatusCode};
use http_body::Body as _;
use hyper::body::Incoming;
use parking_lot::Mutex;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// Connections that nobody uses at the moment.
#[derive(Clone, Debug)]
pub(super) struct Idle {
    connections: Arc<Mutex<Vec<Waiting>>>,
    /// Those of all runtimes to this upstream.
    in_all: Arc<AtomicUsize>,
    most: usize,
    longest: Duration,
}

#[derive(Debug)]
struct Waiting {
    connection: Connection,
    until: Instant,
    _counted: Counted,
}

impl Waiting {
    /// Whether it may be used still, if that is where the upstream is.
    fn is_good(&self, now: Instant, there: Option<&[SocketAddr]>) -> bool {
        let leads_there = match (there, self.connection.to) {
            (Some(there), Some(to)) => there.contains(&to),
            _ => true,
        };
        leads_there && now < self.until && !self.connection.sender.is_closed()
    }
}

/// Counts as one until it is dropped.
#[derive(Debug)]
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn among(all: &Arc<AtomicUsize>) -> Counted {
        all.fetch_add(1, Ordering::Relaxed);
        Counted(Arc::clone(all))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How a response's body is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    /// The longest time without a byte.
    pub stall: Duration,
    /// When it has to have ended.
    pub end: Option<Instant>,
    /// Bytes that are read though nobody takes them.
    pub ahead: usize,
}

/// How long a connection that has just been given back may take to notice that
/// its response is over.
const SETTLING: Duration = Duration::from_millis(50);

impl Idle {
    /// None yet, and never more than `most`, each for at most `longest`; they count
    /// `in_all`.
    pub fn new(most: usize, longest: Duration, in_all: Arc<AtomicUsize>) -> Idle {
        Idle { connections: Arc::default(), in_all, most, longest }
    }

    /// The connection that was used last, so that the others can age. Those that
    /// are closed, too old, or do not lead where this way does any more are let go.
    pub async fn take(&self, way: &Way) -> Option<Connection> {
        let (now, there) = (Instant::now(), way.leads_to());
        self.connections.lock().retain(|waiting| waiting.is_good(now, there.as_deref()));
        loop {
            let mut waiting = self.connections.lock().pop()?;
            if let Ok(Ok(())) = timeout(SETTLING, waiting.connection.sender.ready()).await {
                return Some(waiting.connection);
            }
        }
    }

    /// Ties a connection to the response's body: it comes back when the body has come
    /// to its end. If it does not, the connection is closed. `over` is called then too,
    /// or when the body has broken.
    pub fn lease(
        &self,
        response: Response<Incoming>,
        connection: Connection,
        over: impl FnOnce(Result<(), &BodyError>) + Send + 'static,
        reading: Reading,
        reusable: bool,
    ) -> Response<Body> {
        let (parts, incoming) = response.into_parts();
        if parts.status == StatusCode::SWITCHING_PROTOCOLS {
            // The connection is a tunnel now: bounded like the client's, not
            // like a request.
            return Response::from_parts(parts, Body::empty());
        }
        let longest = keep_alive(&parts.headers).map_or(self.longest, |stated| {
            stated.saturating_sub(Duration::from_millis(500)).min(self.longest)
        });
        let idle = self.clone();
        let ended = incoming.is_end_stream();
        let limits = body::Limits { stall: reading.stall, rate: 0, size: u64::MAX };
        let body = Passing::new(incoming, limits).until(reading.end).on_end(move |how| {
            over(how);
            if how.is_ok() && reusable && !connection.sender.is_closed() {
                idle.put(connection, longest);
            }
        });
        let body = match ended {
            true => Body::empty(),
            false => Body::Ahead(ReadAhead::new(body, reading.ahead)),
        };
        Response::from_parts(parts, body)
    }

    fn put(&self, connection: Connection, longest: Duration) {
        let mut all = self.connections.lock();
        if all.len() < self.most {
            let counted = Counted::among(&self.in_all);
            all.push(Waiting { connection, until: Instant::now() + longest, _counted: counted });
        }
    }
}

/// How long the origin says that it keeps an idle connection.
fn keep_alive(fields: &HeaderMap) -> Option<Duration> {
    let value = fields.get("keep-alive")?.to_str().ok()?;
    let seconds = value.split(',').find_map(|item| item.trim().strip_prefix("timeout="))?;
    Some(Duration::from_secs(seconds.trim().parse().ok()?))
}
