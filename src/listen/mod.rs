//! The front doors: sockets, connections, and the patience that is had with
//! them. Knows the proxy only as something that answers.

mod ahead;
mod alone;
mod anew;
mod glance;
mod patience;
mod phases;
mod socket;
mod strict;
mod through;

pub use socket::{Listener, Passed, Sockets, bind};
#[doc(hidden)]
pub use through::{Through, through};

use crate::account::Room;
use crate::error::BodyError;
use crate::gate::{Gate, TooMany};
use crate::interim::Outlet;
use crate::message::{HeadLimits, Peer};
use crate::metrics::{Leave, Trouble};
use crate::moving;
use crate::proxy::Proxy;
use alone::Next;
use glance::Glances;
use http::header::CONNECTION;
use http::{HeaderValue, Request, StatusCode};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use patience::{Inside, Patient};
use phases::Phases;
use socket2::SockRef;
use std::error::Error;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use strict::{Refusals, Refused, Strict};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

/// What a door needs to know.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The most bytes of a request's head.
    pub max_head: usize,
    /// The most fields of a request's head.
    pub max_fields: usize,
    /// The longest time for a head, from its first byte to its last.
    pub header_timeout: Duration,
    /// The longest time without a request on a kept-alive connection.
    pub keep_alive: Duration,
    /// The longest time that a client takes no byte of a response.
    pub write_stall: Duration,
    /// The longest time for requests under way to end when the door closes.
    pub drain: Duration,
}

/// What stands behind a door until the next reload. A connection takes the
/// options when it comes, and the proxy anew for each of its requests.
#[derive(Clone)]
pub struct Configured {
    /// Who answers.
    pub proxy: Arc<Proxy>,
    /// How connections are held.
    pub options: Options,
}

/// How long nothing is accepted when the process has no descriptor left.
const OUT_OF_DESCRIPTORS: Duration = Duration::from_millis(50);

/// What a connection takes in memory while it is idle (measured: 4.0 KiB; ADR 36).
const PER_CONNECTION: usize = 5 << 10;

/// What it takes besides once hyper serves it, with two buffers of 8 KiB for what is
/// read and written (measured: 21.4 KiB; ADR 36).
const WITH_HYPER: usize = 22 << 10;

/// What the kernel holds of an answer besides what is on its way, in bytes: without a bound
/// it would be megabytes for each client that takes nothing, and no account knows of them.
const UNSENT: u32 = 128 << 10;

/// How long a client that has connected and said nothing is waited for when the
/// door closes.
const FIRST_WORDS: Duration = Duration::from_secs(1);

/// Accepts and serves connections until `closing` says so, then lets requests
/// under way end, for at most [`Options::drain`]. Tunnels are not waited for:
/// they have no end of their own.
///
/// # Errors
/// If the listener cannot be used by this runtime.
pub async fn serve(
    listener: Listener,
    current: watch::Receiver<Configured>,
    gate: Arc<Gate>,
    mut closing: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let Listener { socket, passed } = listener;
    let listener = TcpListener::from_std(socket)?;
    // Its connections have these from it (tcp(7)). They work without, only dearer.
    let _ = SockRef::from(&listener).set_tcp_notsent_lowat(UNSENT);
    let _ = SockRef::from(&listener).set_tcp_keepalive(&moving::keep_alive());
    // Every connection holds a sender; when the last is gone, all are over.
    let (alive, mut all_over) = mpsc::channel::<()>(1);
    // Connections look at this each time that they have done something; what all
    // threads have in common they would wait for.
    let (here, closing_here) = watch::channel(false);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = told(&mut closing) => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                admit(stream, peer, &current, &gate, &closing_here, alive.clone());
            }
            Err(error) => {
                let leave = current.borrow().proxy.met(Trouble::Descriptors);
                if let Some(Leave { unlogged }) = leave {
                    tracing::warn!(%error, unlogged, "cannot accept");
                }
                tokio::time::sleep(OUT_OF_DESCRIPTORS).await;
            }
        }
    }
    here.send_replace(true);
    if !passed {
        // Who has connected already is served still. Who waits at a socket that
        // others hold too is theirs.
        while let Ok(Ok((stream, peer))) =
            tokio::time::timeout(Duration::ZERO, listener.accept()).await
        {
            admit(stream, peer, &current, &gate, &closing_here, alive.clone());
        }
    }
    drop((listener, alive));
    let drain = current.borrow().options.drain;
    if tokio::time::timeout(drain, all_over.recv()).await.is_err() {
        tracing::warn!("requests were still under way when the time to end them was over");
    }
    Ok(())
}

/// Waits until the process closes.
async fn told(closing: &mut watch::Receiver<bool>) {
    // An error means that the one who would tell is gone: the same.
    let _ = closing.wait_for(|closing| *closing).await;
}

fn admit(
    stream: TcpStream,
    peer: SocketAddr,
    current: &watch::Receiver<Configured>,
    gate: &Arc<Gate>,
    closing: &watch::Receiver<bool>,
    alive: mpsc::Sender<()>,
) {
    let proxy = Arc::clone(&current.borrow().proxy);
    let inside = match enter(&proxy, gate, peer) {
        Ok(inside) => inside,
        Err(trouble) => {
            // Counted first: who reads the answer may look at the numbers.
            let leave = proxy.met(trouble);
            patience::turn_away(&stream);
            if let Some(Leave { unlogged }) = leave {
                tracing::warn!(%peer, why = trouble.name(), unlogged, "a connection was turned away");
            }
            return;
        }
    };
    let (current, closing) = (current.clone(), closing.clone());
    let options = current.borrow().options;
    tokio::spawn(async move {
        let told_each_other = Told::default();
        // A socket without it works, only slower.
        let _ = stream.set_nodelay(true);
        let Told { phases, outlet, refusals } = told_each_other.clone();
        let course = phases.clone();
        let peer = Arc::new(Peer::new(peer));
        let limits = HeadLimits { bytes: options.max_head, fields: options.max_fields };
        let strict = Strict::new(limits, refusals);
        let glances = Glances::new(current.clone(), Arc::clone(&peer));
        let stream = Patient::new(stream, phases, outlet, strict, glances, options, inside);
        let connection = Connection { stream, told_each_other, peer, current, options, closing };
        let (peer, current) = (Arc::clone(&connection.peer), connection.current.clone());
        let served = connection.serve().await;
        let trouble = match &served {
            _ if course.had_slow_head() => Some(Trouble::SlowHead),
            Err(error) if patience::is_slow_reader(&**error) => Some(Trouble::SlowReader),
            _ => None,
        };
        trouble.map(|trouble| current.borrow().proxy.met(trouble));
        if let Err(error) = served {
            tracing::debug!(peer = %peer.address(), %error, "a connection ended");
        }
        drop(alive);
    });
}

/// Lets a connection in, if there is room for it.
fn enter(proxy: &Proxy, gate: &Arc<Gate>, peer: SocketAddr) -> Result<Inside, Trouble> {
    let ticket = gate.enter(peer.ip()).map_err(|too_many| match too_many {
        TooMany::InAll => Trouble::Connections,
        TooMany::OfOne => Trouble::ConnectionsPerIp,
    })?;
    let account = proxy.account();
    if account.room() == Room::Over {
        return Err(Trouble::Memory);
    }
    Ok(Inside { charge: account.charge(PER_CONNECTION), _ticket: ticket })
}

/// What a connection's stream and its service tell each other.
#[derive(Clone, Default)]
struct Told {
    phases: Phases,
    outlet: Outlet,
    refusals: Refusals,
}

/// A connection that has been let in.
struct Connection {
    stream: Patient,
    told_each_other: Told,
    peer: Arc<Peer>,
    current: watch::Receiver<Configured>,
    options: Options,
    closing: watch::Receiver<bool>,
}

impl Connection {
    /// Answers alone as long as that will do, and then has hyper serve it to its end.
    async fn serve(mut self) -> Result<(), Box<dyn Error + Send + Sync>> {
        let phases = &self.told_each_other.phases;
        match alone::answer(&mut self.stream, phases, &mut self.closing).await? {
            Next::Over => Ok(()),
            Next::Whole => {
                self.stream.takes(WITH_HYPER);
                // In a box: most connections never need the room.
                Ok(Box::pin(serve_by_hyper(self)).await?)
            }
        }
    }
}

async fn serve_by_hyper(connection: Connection) -> hyper::Result<()> {
    let Connection { stream, told_each_other, peer, current, options, mut closing } = connection;
    let Told { phases, outlet, refusals } = told_each_other;
    let phase = phases.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let proxy = Arc::clone(&current.borrow().proxy);
        let (mut busy, turn) = (phases.begin(), outlet.begin());
        let refused = refusals.next().cloned();
        let peer = Arc::clone(&peer);
        async move {
            let interims = turn.interims(request.version());
            let answering = pin!(async {
                match refused {
                    Some(Refused { refusal, line }) => proxy.refuse(&refusal, &line, &peer),
                    None => proxy.handle(request, &peer, interims).await,
                }
            });
            let mut response = turn.until(answering).await;
            if let Some(ahead) = response.body().ahead() {
                busy.reads_ahead(ahead);
            }
            if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                busy.becomes_tunnel();
            } else if busy.is_last() {
                // The last answer of this connection says so (RFC 9112 section 9.6).
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, std::convert::Infallible>(response.map(|body| During { body, busy }))
        }
    });
    let connection = http1::Builder::new()
        .half_close(true)
        .max_headers(options.max_fields)
        .max_header_size(options.max_head)
        .max_buf_size(moving::buffer(options.max_head))
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return ended,
        () = told(&mut closing) => phase.end(),
    }
    // hyper would close a connection that it has read nothing of, though its
    // first request may be there or on its way.
    let spoken = poll_fn(|cx| match connection.as_mut().poll(cx) {
        Poll::Pending if phase.is_new() => Poll::Pending,
        polled => Poll::Ready(polled),
    });
    if let Ok(Poll::Ready(ended)) = tokio::time::timeout(FIRST_WORDS, spoken).await {
        return ended;
    }
    connection.as_mut().graceful_shutdown();
    connection.await
}

/// A body during which the connection is busy.
struct During<B> {
    body: B,
    busy: phases::Busy,
}

impl<B: Body<Error = BodyError> + Unpin> Body for During<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        let is_endless = polled.is_pending() && self.body.size_hint().exact().is_none();
        self.busy.awaits(polled.is_pending(), is_endless);
        if matches!(polled, Poll::Ready(Some(Err(BodyError::TooSlow)))) {
            self.busy.cut_off();
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
