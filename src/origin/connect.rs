//! A connection to an upstream.

use super::address::{Address, Name};
use super::request::{hand_on_interim, told_of_interims};
use crate::body::Body;
use crate::error::OriginError;
use crate::moving::{self, Moving};
use crate::tls::{self, Peer};
use http::Request;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::ext::on_informational;
use hyper_util::rt::TokioIo;
use rustix::io::Errno;
use socket2::SockRef;
use std::io::{self, Error, ErrorKind, IoSlice};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf, Take};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{Instant, sleep, timeout, timeout_at};

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

/// A connection that requests can be sent on.
#[derive(Debug)]
pub(super) struct Connection {
    pub sender: SendRequest<Body>,
    /// Where it leads; nowhere else than there through a unix socket.
    pub to: Option<SocketAddr>,
    heard: Arc<AtomicU64>,
    interims: Arc<AtomicUsize>,
}

impl Connection {
    /// How many bytes have come so far.
    pub fn heard(&self) -> u64 {
        self.heard.load(Ordering::Relaxed)
    }

    /// Counts the interim responses to this request, and hands them on to whoever
    /// is to be told of them. More than [`MOST_INTERIMS`] break the connection.
    pub fn count_interims(&self, request: &mut Request<Body>) {
        self.interims.store(0, Ordering::Relaxed);
        let (count, told) = (Arc::clone(&self.interims), told_of_interims(request));
        on_informational(request, move |interim| {
            count.fetch_add(1, Ordering::Relaxed);
            if let Some(told) = &told {
                hand_on_interim(told, interim.status(), interim.version(), interim.headers());
            }
        });
    }
}

/// The most interim responses before an answer.
const MOST_INTERIMS: usize = 1000;

/// The way to an upstream.
#[derive(Debug)]
pub(super) enum Way {
    Tcp(Arc<Name>),
    Tls(Arc<Name>, Peer),
    Unix(PathBuf),
}

impl Way {
    /// The way to an address; its name is resolved again after `resolve_every`.
    pub fn to(address: &Address, resolve_every: Duration) -> Way {
        match address {
            Address::Tcp { host, port } => {
                Way::Tcp(Arc::new(Name::new(host, *port, resolve_every)))
            }
            Address::Tls { host, port, peer } => {
                Way::Tls(Arc::new(Name::new(host, *port, resolve_every)), peer.clone())
            }
            Address::Unix(path) => Way::Unix(path.clone()),
        }
    }

    /// Where it leads: the name of the upstream may stand for other addresses by now.
    /// `None` if there is no name, or nothing is known of it.
    pub fn leads_to(&self) -> Option<Arc<[SocketAddr]>> {
        match self {
            Way::Tcp(name) | Way::Tls(name, _) => name.last(),
            Way::Unix(_) => None,
        }
    }

    /// Connects, and nothing more. Over TLS that is not done before each side
    /// has shown who it is.
    ///
    /// # Errors
    /// [`OriginError::Connect`], [`OriginError::ConnectTimeout`],
    /// [`OriginError::NoSocket`] and [`OriginError::Tls`].
    pub async fn open(&self, within: Duration) -> Result<Stream, OriginError> {
        let opening = async {
            let stream = match self {
                Way::Tcp(name) => Stream::Tcp(open_one_of(name, within).await?),
                Way::Unix(path) => Stream::Unix(open_unix(path).await?),
                Way::Tls(name, peer) => {
                    let stream = open_one_of(name, within).await?;
                    let shaken = peer.shake_hands(stream).await;
                    let not_shaken = |error| OriginError::Tls(Arc::new(error));
                    Stream::Tls(Box::new(shaken.map_err(not_shaken)?))
                }
            };
            Ok(stream)
        };
        timeout(within, opening).await.unwrap_or(Err(OriginError::ConnectTimeout))
    }

    /// Connects and shakes hands. The connection's own task runs on the runtime
    /// that calls this.
    ///
    /// # Errors
    /// As [`Way::open`], and [`OriginError::Broken`].
    pub async fn connect(
        &self,
        within: Duration,
        bounds: Bounds,
    ) -> Result<Connection, OriginError> {
        match self.open(within).await? {
            Stream::Tcp(stream) => {
                let to = stream.peer_addr().ok();
                shake_hands(stream, to, bounds).await
            }
            Stream::Tls(stream) => {
                let to = stream.get_ref().0.peer_addr().ok();
                shake_hands(*stream, to, bounds).await
            }
            Stream::Unix(stream) => shake_hands(stream, None, bounds).await,
        }
    }
}

fn not_connected(error: impl Into<Arc<Error>>) -> OriginError {
    let error = error.into();
    match error.kind() {
        ErrorKind::TimedOut => OriginError::ConnectTimeout,
        _ if is_ours(&error) => OriginError::NoSocket,
        _ => OriginError::Connect(error),
    }
}

pub(super) enum Stream {
    Tcp(TcpStream),
    Tls(Box<tls::Stream>),
    Unix(UnixStream),
}

/// No connection was tried, for want of something here: descriptors (`EMFILE`, `ENFILE`),
/// ports (`EADDRNOTAVAIL`), the kernel's memory (`ENOMEM`, `ENOBUFS`).
fn is_ours(error: &Error) -> bool {
    let code = error.raw_os_error().map(Errno::from_raw_os_error);
    code.is_some_and(|code| {
        [Errno::MFILE, Errno::NFILE, Errno::ADDRNOTAVAIL, Errno::NOMEM, Errno::NOBUFS]
            .contains(&code)
    })
}

/// Of the time for a connection, the part that a resolver may take which is asked again.
const FOR_THE_NAME: u32 = 4;

/// Tries the addresses of a name in turn, each for its share of the time.
async fn open_one_of(name: &Arc<Name>, within: Duration) -> Result<TcpStream, OriginError> {
    let end = Instant::now() + within;
    let addresses = name.addresses(within / FOR_THE_NAME).await.map_err(not_connected)?;
    let mut failed = Error::from(ErrorKind::NotFound);
    for (tried, address) in addresses.iter().enumerate() {
        let left = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
        let share = end.saturating_duration_since(Instant::now()) / left;
        match timeout_at(Instant::now() + share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                stream.set_nodelay(true).map_err(not_connected)?;
                // A tunnel has no other bound.
                let _ = SockRef::from(&stream).set_tcp_keepalive(&moving::keep_alive());
                return Ok(stream);
            }
            Ok(Err(error)) => failed = error,
            Err(_) => failed = Error::from(ErrorKind::TimedOut),
        }
    }
    Err(not_connected(failed))
}

/// How often it is tried again while an application has not accepted those before.
const TAKEN_UP: Duration = Duration::from_millis(10);

/// Connects to a unix socket. Where as many wait as it has room for, the kernel says so
/// at once instead of having this one wait too, as it does with TCP.
async fn open_unix(path: &Path) -> Result<UnixStream, OriginError> {
    loop {
        match UnixStream::connect(path).await {
            Err(error) if error.kind() == ErrorKind::WouldBlock => sleep(TAKEN_UP).await,
            other => return other.map_err(not_connected),
        }
    }
}

async fn shake_hands<S>(
    stream: S,
    to: Option<SocketAddr>,
    bounds: Bounds,
) -> Result<Connection, OriginError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (heard, interims) = (Arc::<AtomicU64>::default(), Arc::<AtomicUsize>::default());
    let stream = Heard {
        stream: Moving::new(stream, bounds.stall).take(0),
        heard: Arc::clone(&heard),
        interims: Arc::clone(&interims),
    };
    let (sender, connection) = http1::Builder::new()
        .max_headers(bounds.fields)
        .max_header_size(bounds.bytes)
        .max_buf_size(moving::buffer(bounds.bytes))
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| OriginError::Broken(Arc::new(error)))?;
    tokio::spawn(async move {
        // What ends a connection is told to whoever waits for its response.
        if let Err(error) = connection.with_upgrades().await {
            tracing::debug!(%error, "a connection to the origin ended");
        }
    });
    Ok(Connection { sender, to, heard, interims })
}

/// Bytes that are read at a time. A client that takes nothing holds two or three such
/// pieces besides what is read ahead for it. hyper doubles its buffer, up to its bound,
/// whenever a read fills it; this never fills one of 16 KiB.
const AT_ONCE: u64 = (16 << 10) - 1;

/// Counts the bytes that come: a request may be sent again only if none of an
/// answer to it has come. Reads no more once there are too many interim responses:
/// hyper would go on for ever.
struct Heard<S> {
    stream: Take<Moving<S>>,
    heard: Arc<AtomicU64>,
    interims: Arc<AtomicUsize>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Heard<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.interims.load(Ordering::Relaxed) > MOST_INTERIMS {
            return Poll::Ready(Err(Error::other("interim responses without end")));
        }
        let before = buf.filled().len();
        self.stream.set_limit(AT_ONCE);
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        let more = buf.filled().len() - before;
        if more > 0 {
            self.heard.fetch_add(more as u64, Ordering::Relaxed);
        }
        read
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Heard<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(self.stream.get_mut()).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(self.stream.get_mut()).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.get_ref().is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.stream.get_mut()).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.stream.get_mut()).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use socket2::{Domain, SockAddr, Socket, Type};
    use tokio::net::{TcpListener, TcpSocket};

    const WITHIN: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn the_addresses_of_a_name_are_tried_in_turn() {
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let refusing = TcpSocket::new_v4().unwrap();
        refusing.bind(any).unwrap();
        let listener = TcpListener::bind(any).await.unwrap();
        let (away, here) = (refusing.local_addr().unwrap(), listener.local_addr().unwrap());
        for (addresses, expected) in
            [(vec![away, here], Some(here)), (vec![here, away], Some(here)), (vec![away], None)]
        {
            let name = Arc::new(Name::new("app.test", 80, WITHIN));
            name.addresses_by(std::future::ready(Ok(addresses)), WITHIN).await.unwrap();
            let peer = match Way::Tcp(name).open(WITHIN).await {
                Ok(Stream::Tcp(stream)) => stream.peer_addr().ok(),
                Ok(Stream::Tls(_) | Stream::Unix(_)) => None,
                Err(error) => {
                    assert!(matches!(error, OriginError::Connect(_)), "{error}");
                    None
                }
            };
            assert_eq!(peer, expected);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_application_with_a_full_queue_is_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("app.sock");
        let listener = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        listener.bind(&SockAddr::unix(&path).unwrap()).unwrap();
        listener.listen(0).unwrap();
        let way = Way::Unix(path);
        let mut queued = Vec::new();
        let error = loop {
            match way.open(WITHIN).await {
                Ok(stream) => queued.push(stream),
                Err(error) => break error,
            }
        };
        assert!(matches!(error, OriginError::ConnectTimeout), "{error}");
        let (opened, ()) = tokio::join!(way.open(WITHIN), async {
            sleep(WITHIN / 2).await;
            listener.accept().unwrap();
        });
        assert!(opened.is_ok(), "it has accepted one");
    }

    #[test]
    fn what_this_machine_lacks_is_not_held_against_the_application() {
        for (code, ours) in
            [(24, true), (23, true), (99, true), (12, true), (105, true), (111, false)]
        {
            let error = not_connected(Error::from_raw_os_error(code));
            assert_eq!(matches!(error, OriginError::NoSocket), ours, "{code}: {error}");
        }
    }
}
