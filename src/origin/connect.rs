//! Where the origin is, and a connection to it.

use crate::body::Body;
use crate::error::OriginError;
use crate::moving::Moving;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

/// The address of an origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upstream {
    /// A host, by name or address, and a port.
    Tcp {
        /// Name or address.
        host: String,
        /// Port.
        port: u16,
    },
    /// A unix socket, as gunicorn listens on.
    Unix(PathBuf),
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Upstream::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Upstream::Tcp { host, port } => write!(f, "{host}:{port}"),
            Upstream::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// Bounds on what an origin may send as a head, and on how it takes requests.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Bytes of the head.
    pub bytes: usize,
    /// Fields.
    pub fields: usize,
    /// The longest time that the origin may take no byte.
    pub stall: Duration,
}

/// Connects and shakes hands. The connection's own task runs on the runtime
/// that calls this.
pub(super) async fn connect(
    upstream: &Upstream,
    within: Duration,
    limits: Bounds,
) -> Result<SendRequest<Body>, OriginError> {
    let connecting = async {
        match upstream {
            Upstream::Tcp { host, port } => {
                let stream = TcpStream::connect((host.as_str(), *port)).await?;
                stream.set_nodelay(true)?;
                Ok(Stream::Tcp(stream))
            }
            Upstream::Unix(path) => Ok(Stream::Unix(UnixStream::connect(path).await?)),
        }
    };
    let stream = tokio::time::timeout(within, connecting)
        .await
        .map_err(|_| OriginError::ConnectTimeout)?
        .map_err(|error: std::io::Error| OriginError::Connect(Arc::new(error)))?;
    match stream {
        Stream::Tcp(stream) => shake_hands(stream, limits).await,
        Stream::Unix(stream) => shake_hands(stream, limits).await,
    }
}

enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

async fn shake_hands<S>(stream: S, limits: Bounds) -> Result<SendRequest<Body>, OriginError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http1::Builder::new()
        .max_headers(limits.fields)
        .max_header_size(limits.bytes)
        .handshake(TokioIo::new(Moving::new(stream, limits.stall)))
        .await
        .map_err(|error| OriginError::Broken(Arc::new(error)))?;
    tokio::spawn(async move {
        // What ends a connection is told to whoever waits for its response.
        if let Err(error) = connection.with_upgrades().await {
            tracing::debug!(%error, "a connection to the origin ended");
        }
    });
    Ok(sender)
}
