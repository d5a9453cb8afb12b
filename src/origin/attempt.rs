//! One request, one upstream: a connection, the request, the head of the answer.

use super::connect::{Bounds, Connection};
use super::faults::broken;
use super::idle::Idle;
use super::pool::{Options, Pool};
use super::twice::{may_be_sent_twice, spare};
use super::upstream::Upstream;
use crate::body::Body;
use crate::error::OriginError;
use http::{Request, Response};
use hyper::body::Incoming;
use std::pin::pin;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

/// What is known of a request while it is tried here and there.
pub(super) struct Attempt {
    /// Tells when its body has gone; `None` if there is nothing to wait for.
    pub sent: Option<oneshot::Receiver<()>>,
    /// It is sent for the second time: over a new connection, and no more after.
    pub again: bool,
}

/// The head of an answer, and the connection that it came on.
pub(super) struct Answered {
    pub response: Response<Incoming>,
    pub connection: Connection,
}

/// How it came to no answer.
pub(super) enum Failure {
    /// There was no connection: nothing was sent.
    NotConnected { request: Request<Body>, error: OriginError },
    /// Not a byte came; here it is again if it was not sent, or may be sent twice.
    /// `reused` says that the connection was a kept-alive one.
    Unanswered { again: Option<Request<Body>>, reused: bool, error: OriginError },
    /// It may have been taken, or there is no use in going on.
    Final(OriginError),
}

impl Attempt {
    /// Sends a request to an upstream, and keeps in mind how that stands.
    pub async fn send(
        &mut self,
        pool: &Pool,
        idle: &Idle,
        upstream: &Upstream,
        request: Request<Body>,
    ) -> Result<Answered, Failure> {
        let again = self.again;
        let patience = async {
            if let Some(sent) = &mut self.sent {
                // An error means that the body was dropped: sent or not, it is over.
                let _ = sent.await;
            }
            self.sent = None;
            sleep(pool.options.first_byte_timeout).await;
        };
        // Pinned where it is made: `select!` would move it, and it is large.
        let mut exchanging = pin!(exchange(pool, idle, upstream, request, again));
        let result = tokio::select! {
            result = exchanging.as_mut() => result,
            () = patience => Err(Failure::Final(OriginError::FirstByteTimeout)),
        };
        match &result {
            Ok(_) => upstream.answered(),
            Err(failure) if failure.is_upstreams() => {
                upstream.failed(Instant::now(), pool.options.ejection);
            }
            Err(_) => {}
        }
        result
    }
}

impl Failure {
    /// It speaks against the upstream: not if the request itself broke off, nor
    /// if a kept-alive connection turned out to be over, nor if larder could not
    /// even try.
    fn is_upstreams(&self) -> bool {
        match self {
            Failure::NotConnected { error, .. } => !matches!(error, OriginError::NoSocket),
            Failure::Unanswered { reused, .. } => !reused,
            Failure::Final(error) => error.is_origins_fault(),
        }
    }
}

async fn exchange(
    pool: &Pool,
    idle: &Idle,
    upstream: &Upstream,
    mut request: Request<Body>,
    again: bool,
) -> Result<Answered, Failure> {
    // A kept-alive connection may be dying. Who can't be sent again is not sent on one.
    let may_reuse = !again && may_be_sent_twice(&request);
    while may_reuse && let Some(connection) = idle.take(&upstream.way).await {
        match send_on(connection, request, true, true).await {
            Sent::Answered(answered) => return Ok(answered),
            Sent::Failed(failure) => return Err(failure),
            Sent::Not(unsent, _) => request = unsent,
        }
    }
    let options = &pool.options;
    // In a box: most requests find a connection, and move no room for this.
    let connecting = Box::pin(upstream.way.connect(options.connect_timeout, bounds(options)));
    let connection = match connecting.await {
        Ok(connection) => connection,
        Err(error) => return Err(Failure::NotConnected { request, error }),
    };
    pool.hold.accepted();
    match send_on(connection, request, false, !again).await {
        Sent::Answered(answered) => Ok(answered),
        Sent::Failed(failure) => Err(failure),
        Sent::Not(unsent, error) => {
            let again = (!again).then_some(unsent);
            Err(Failure::Unanswered { again, reused: false, error })
        }
    }
}

/// What a connection is to bear.
pub(super) fn bounds(options: &Options) -> Bounds {
    Bounds {
        bytes: options.max_head,
        fields: options.max_fields,
        stall: options.first_byte_timeout,
    }
}

enum Sent {
    Answered(Answered),
    /// The connection was over before anything was sent.
    Not(Request<Body>, OriginError),
    Failed(Failure),
}

async fn send_on(
    mut connection: Connection,
    mut request: Request<Body>,
    reused: bool,
    may_again: bool,
) -> Sent {
    let spare = if may_again { spare(&request) } else { None };
    let heard = connection.heard();
    connection.count_interims(&mut request);
    let mut failed = match connection.sender.try_send_request(request).await {
        Ok(response) => return Sent::Answered(Answered { response, connection }),
        Err(failed) => failed,
    };
    let unsent = failed.take_message();
    let error = broken(failed.into_error());
    if let Some(unsent) = unsent {
        return Sent::Not(unsent, error);
    }
    let unanswered = error.is_origins_fault() && connection.heard() == heard;
    Sent::Failed(match unanswered {
        true => Failure::Unanswered { again: spare, reused, error },
        false => Failure::Final(error),
    })
}
