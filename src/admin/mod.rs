//! The operator's door: purging, health, numbers, the dashboard. On a port of its own;
//! never talks to the origin.

mod best;
mod browser;
mod dashboard;
mod document;
mod events;
mod explain;
mod exposition;
mod follow;
mod idempotency;
mod inspect;
mod metrics;
mod observed;
mod openapi;
mod problem;
mod purge;
mod purges;
mod query;
mod reload;
mod reply;
mod routes;
mod stored;

#[doc(hidden)]
pub use document::selectors_of;
pub use reload::{ReloadRequest, Reloaded, Reloader};

use crate::metrics::{Leave, Trouble};
use crate::proxy::Shared;
use crate::purge::Access;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use idempotency::Keys;
use socket2::SockRef;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_io_timeout::TimeoutStream;

/// What stands behind the door until the next reload.
#[derive(Clone)]
pub struct Configured {
    /// What is stored and counted.
    pub shared: Shared,
    /// Who may enter.
    pub access: Access,
}

/// The operator's door.
pub struct Admin {
    current: watch::Receiver<Configured>,
    reloader: Option<Reloader>,
    closing: watch::Receiver<bool>,
    closed: watch::Receiver<bool>,
    most: usize,
    keys: Arc<Keys>,
    /// For the streams of events that there may still be.
    streams: Arc<Semaphore>,
    /// For whoever goes through all that is stored: one at a time.
    walks: Arc<Semaphore>,
}

/// What a connection beyond is told.
const TOO_MANY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 10\r\n\
    Connection: close\r\nContent-Length: 0\r\n\r\n";
/// The longest time for the head of a request, and between two.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest time for which nothing of an answer is taken.
const STALL: Duration = Duration::from_secs(10);
/// What the kernel holds of an answer besides what is on its way, in bytes: how much more a
/// stream of events may be behind its reader.
const UNSENT: u32 = 4 << 10;
/// How long requests under way get to end when the process has closed.
const LAST_PATIENCE: Duration = Duration::from_secs(5);

impl Admin {
    /// A door to what is configured. While the process is `closing` it says that
    /// it is not ready; when it has `closed`, it ends. It has at most so many connections
    /// at a time, streams included: whoever holds it open takes none from clients, the
    /// application or the log.
    pub fn new(
        current: watch::Receiver<Configured>,
        reloader: Option<Reloader>,
        closing: watch::Receiver<bool>,
        closed: watch::Receiver<bool>,
        most: usize,
    ) -> Admin {
        Admin {
            current,
            reloader,
            closing,
            closed,
            most,
            keys: Arc::default(),
            streams: Arc::new(Semaphore::new(events::MOST)),
            walks: Arc::new(Semaphore::new(1)),
        }
    }

    /// Serves until the process has closed; then requests under way are answered.
    ///
    /// # Errors
    /// If the listener cannot be used by this runtime.
    pub async fn serve(self, listener: std::net::TcpListener) -> std::io::Result<()> {
        let listener = TcpListener::from_std(listener)?;
        let mut closed = self.closed.clone();
        let admin = Arc::new(self);
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        while connections.try_join_next().is_some() {}
                        match connections.len() < admin.most {
                            true => {
                                let admin = Arc::clone(&admin);
                                connections.spawn(admin.serve_connection(stream, peer));
                            }
                            false => admin.turn_away(&stream, peer),
                        }
                    }
                    Err(error) => {
                        let shared = admin.current.borrow().shared.clone();
                        if let Some(Leave { unlogged }) = shared.met(Trouble::Descriptors) {
                            tracing::warn!(%error, unlogged, "cannot accept on the admin port");
                        }
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                },
                Some(_) = connections.join_next() => {}
                () = until(&mut closed) => break,
            }
        }
        drop(listener);
        let all = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(LAST_PATIENCE, all).await.is_err() {
            tracing::warn!("requests at the admin port were not over in time");
        }
        Ok(())
    }

    /// Tells a connection that there are too many.
    fn turn_away(&self, stream: &TcpStream, peer: SocketAddr) {
        let leave = self.current.borrow().shared.met(Trouble::AdminConnections);
        let _ = stream.try_write(TOO_MANY);
        if let Some(Leave { unlogged }) = leave {
            tracing::warn!(%peer, unlogged, "a connection to the admin port was turned away");
        }
    }

    async fn serve_connection(self: Arc<Self>, stream: TcpStream, peer: SocketAddr) {
        let mut closed = self.closed.clone();
        let service = service_fn(move |request| {
            let admin = Arc::clone(&self);
            async move { Ok::<_, std::convert::Infallible>(admin.answer(request, peer).await) }
        });
        // If it can't be bounded, it is dropped a little later.
        let _ = SockRef::from(&stream).set_tcp_notsent_lowat(UNSENT);
        let mut stream = Box::pin(TimeoutStream::new(stream));
        stream.as_mut().set_write_timeout_pinned(Some(STALL));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(PATIENCE)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        let served = tokio::select! {
            served = connection.as_mut() => served,
            () = until(&mut closed) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = served {
            tracing::debug!(%peer, %error, "an admin connection ended");
        }
    }
}

/// Waits until it is so, or nobody is left to say.
async fn until(so: &mut watch::Receiver<bool>) {
    let _ = so.wait_for(|so| *so).await;
}
