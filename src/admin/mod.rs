//! The operator's door: purging, health, numbers. On a port of its own; never
//! talks to the origin.

mod inspect;
mod purge;
mod reload;
mod reply;

pub use reload::{ReloadRequest, Reloaded, Reloader};

use crate::proxy::Shared;
use crate::purge::{Access, bearer};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

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
}

/// The longest time for the head of a request, and between two.
const PATIENCE: Duration = Duration::from_secs(10);

impl Admin {
    /// A door to what is configured. While the process is `closing` it says that
    /// it is not ready; when it has `closed`, it ends.
    pub fn new(
        current: watch::Receiver<Configured>,
        reloader: Option<Reloader>,
        closing: watch::Receiver<bool>,
        closed: watch::Receiver<bool>,
    ) -> Admin {
        Admin { current, reloader, closing, closed }
    }

    /// Serves until the process has closed.
    ///
    /// # Errors
    /// If the listener cannot be used by this runtime.
    pub async fn serve(self, listener: std::net::TcpListener) -> std::io::Result<()> {
        let listener = TcpListener::from_std(listener)?;
        let mut closed = self.closed.clone();
        let admin = Arc::new(self);
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        tokio::spawn(Arc::clone(&admin).serve_connection(stream, peer));
                    }
                    Err(error) => {
                        tracing::warn!(%error, "cannot accept on the admin port");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                },
                () = told(&mut closed) => return Ok(()),
            }
        }
    }

    async fn serve_connection(self: Arc<Self>, stream: TcpStream, peer: SocketAddr) {
        let service = service_fn(move |request| {
            let admin = Arc::clone(&self);
            async move { Ok::<_, std::convert::Infallible>(admin.answer(request, peer).await) }
        });
        let served = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(PATIENCE)
            .serve_connection(TokioIo::new(stream), service)
            .await;
        if let Err(error) = served {
            tracing::debug!(%peer, %error, "an admin connection ended");
        }
    }

    async fn answer(&self, request: Request<Incoming>, peer: SocketAddr) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let open = match head.uri.path() {
            "/livez" | "/healthz" => Some(inspect::alive()),
            "/readyz" => Some(inspect::ready(*self.closing.borrow())),
            _ => None,
        };
        if let Some(reply) = open {
            return match head.method {
                Method::GET | Method::HEAD => reply,
                _ => reply::not_allowed("GET, HEAD"),
            };
        }
        // A page that a browser shows may send requests to loopback; it cannot
        // help saying where it is from.
        if head.headers.contains_key(http::header::ORIGIN) {
            return reply::problem(StatusCode::FORBIDDEN, "requests from web pages are refused");
        }
        let Configured { shared, access } = self.current.borrow().clone();
        if access.tokens.is_empty() && !is_local(&head.headers) {
            // So may a name that somebody points at loopback.
            let detail = "without a token, Host has to be an address or localhost";
            return reply::problem(StatusCode::FORBIDDEN, detail);
        }
        let forwarded = crate::message::is_forwarded(&head.headers);
        if !access.permits(peer.ip(), forwarded, bearer(&head.headers)) {
            tracing::warn!(%peer, path = head.uri.path(), "an admin request was refused");
            return reply::unauthorized();
        }
        match (head.uri.path(), &head.method) {
            ("/v1/purge", &Method::POST) => purge::answer(&shared, body, peer).await,
            ("/v1/purge", _) => reply::not_allowed("POST"),
            ("/v1/stats", &Method::GET) => inspect::stats(&shared),
            ("/v1/stats", _) => reply::not_allowed("GET"),
            ("/v1/reload", &Method::POST) => reload::answer(self.reloader.as_ref()).await,
            ("/v1/reload", _) => reply::not_allowed("POST"),
            _ => reply::problem(
                StatusCode::NOT_FOUND,
                "there are POST /v1/purge, POST /v1/reload, GET /v1/stats, GET /livez and \
                 GET /readyz",
            ),
        }
    }
}

/// Waits until the process has closed.
async fn told(closed: &mut watch::Receiver<bool>) {
    // An error means that the one who would tell is gone: the same.
    let _ = closed.wait_for(|closed| *closed).await;
}

/// Whether `Host` is an address or `localhost`.
fn is_local(fields: &http::HeaderMap) -> bool {
    let host = fields.get(http::header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("");
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let is_address = |text: &str| text.parse::<std::net::IpAddr>().is_ok();
    bare.eq_ignore_ascii_case("localhost") || is_address(bare) || host.parse::<SocketAddr>().is_ok()
}
