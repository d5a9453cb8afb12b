//! What goes wrong on the way of a request, by whose fault it is.

use crate::semantics::offer::Unfillable;
use crate::semantics::reason::Reason;
use http::StatusCode;
use std::fmt;
use std::sync::Arc;

/// A request that is not let in: the client's fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status it is answered with.
    pub status: StatusCode,
    /// A sentence for whoever sent it.
    pub message: &'static str,
}

impl Refusal {
    /// A refusal with a status and a sentence.
    pub fn new(status: StatusCode, message: &'static str) -> Refusal {
        Refusal { status, message }
    }

    /// 400.
    pub fn bad_request(message: &'static str) -> Refusal {
        Refusal::new(StatusCode::BAD_REQUEST, message)
    }
}

/// An origin that did not answer: the origin's fault, or the way's to it.
#[derive(Clone, Debug)]
pub enum OriginError {
    /// No connection could be made.
    Connect(Arc<std::io::Error>),
    /// No connection could be made in time.
    ConnectTimeout,
    /// The connection was made, but one side did not show the other who it is, or
    /// did not speak TLS.
    Tls(Arc<std::io::Error>),
    /// larder has no file descriptor left for a connection.
    NoSocket,
    /// larder has no memory left for what would come.
    NoMemory,
    /// Every connection was in use for as long as a request may wait.
    Busy,
    /// As many requests wait for the origin as may.
    QueueFull,
    /// As many of the client's requests are at the origin as may be of one address.
    TooManyOfOne,
    /// No head of a response came in time.
    FirstByteTimeout,
    /// The whole took longer than it may.
    TotalTimeout,
    /// The connection ended, or what came was not HTTP.
    Broken(Arc<hyper::Error>),
    /// It changed to another protocol, which nobody had asked for.
    Switched,
    /// It answered 304, though no condition was made.
    NotModified,
    /// It answered 206, though no range was asked for.
    Partial,
    /// Its body is in a transfer coding that nobody had asked for.
    Coding,
    /// Its head does not say in one way where its body ends.
    Length,
    /// It is a page with placeholders that can't be filled, so that nobody is to see it.
    Unfillable(Unfillable),
    /// The client's own body broke off, stalled, or was too large.
    RequestBody(BodyError),
}

impl OriginError {
    /// The status that a client is given.
    pub fn status(&self) -> StatusCode {
        match self {
            OriginError::Connect(_)
            | OriginError::Tls(_)
            | OriginError::Broken(_)
            | OriginError::Switched
            | OriginError::NotModified
            | OriginError::Partial
            | OriginError::Coding
            | OriginError::Length
            | OriginError::Unfillable(_) => StatusCode::BAD_GATEWAY,
            OriginError::ConnectTimeout
            | OriginError::FirstByteTimeout
            | OriginError::TotalTimeout => StatusCode::GATEWAY_TIMEOUT,
            OriginError::Busy
            | OriginError::QueueFull
            | OriginError::TooManyOfOne
            | OriginError::NoSocket
            | OriginError::NoMemory => StatusCode::SERVICE_UNAVAILABLE,
            OriginError::RequestBody(BodyError::TooLarge) => StatusCode::PAYLOAD_TOO_LARGE,
            OriginError::RequestBody(BodyError::TimedOut) => StatusCode::REQUEST_TIMEOUT,
            OriginError::RequestBody(_) => StatusCode::BAD_REQUEST,
        }
    }

    /// What it is in `Cache-Status`, logs and metrics.
    pub fn reason(&self) -> Reason {
        match self {
            OriginError::Connect(_) => Reason::Connect,
            OriginError::ConnectTimeout => Reason::ConnectTimeout,
            OriginError::Tls(_) => Reason::Tls,
            OriginError::NoSocket => Reason::NoSocket,
            OriginError::NoMemory => Reason::NoMemory,
            OriginError::Busy => Reason::OriginBusy,
            OriginError::QueueFull => Reason::QueueFull,
            OriginError::TooManyOfOne => Reason::OriginPerIp,
            OriginError::FirstByteTimeout => Reason::FirstByteTimeout,
            OriginError::TotalTimeout => Reason::TotalTimeout,
            OriginError::Broken(_) | OriginError::Length => Reason::BrokenResponse,
            OriginError::Switched => Reason::UnaskedUpgrade,
            OriginError::NotModified => Reason::UnaskedNotModified,
            OriginError::Partial => Reason::UnaskedPart,
            OriginError::Coding => Reason::UnaskedCoding,
            OriginError::Unfillable(_) => Reason::Unfillable,
            OriginError::RequestBody(_) => Reason::BrokenUpload,
        }
    }

    /// A sentence for the page that a client is given; no names, no addresses.
    pub fn sentence(&self) -> &'static str {
        match self {
            OriginError::Connect(_) => "The app behind this server cannot be reached.",
            OriginError::ConnectTimeout => "The app behind this server did not accept in time.",
            OriginError::Tls(_) => "The app behind this server cannot be reached safely.",
            OriginError::Busy | OriginError::QueueFull => {
                "The app behind this server is busy. Try again in a moment."
            }
            OriginError::TooManyOfOne => {
                "Too many requests from your address are under way. Try again in a moment."
            }
            OriginError::NoSocket | OriginError::NoMemory => {
                "This server is busy. Try again in a moment."
            }
            OriginError::FirstByteTimeout | OriginError::TotalTimeout => {
                "The app behind this server did not answer in time."
            }
            OriginError::Broken(_) => "The app behind this server broke off its answer.",
            OriginError::Length => "The app behind this server left open where its answer ends.",
            OriginError::Switched
            | OriginError::NotModified
            | OriginError::Partial
            | OriginError::Coding => "The app behind this server answered what was not asked.",
            OriginError::Unfillable(_) => {
                "The app behind this server left out what could not be filled in."
            }
            OriginError::RequestBody(BodyError::TooLarge) => "The request's body is too large.",
            OriginError::RequestBody(_) => "The request's body did not come whole.",
        }
    }

    /// The request may not have been answered because the origin is away, so
    /// that a stale response may stand in (RFC 9111 section 4.2.4).
    pub fn is_origins_fault(&self) -> bool {
        !matches!(self, OriginError::RequestBody(_))
    }

    /// Nobody is there, as it is while an app is restarted: nobody accepts, or the
    /// connection ends before hands have been shaken.
    pub fn is_refusal(&self) -> bool {
        use std::io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
        match self {
            OriginError::Connect(_) => true,
            OriginError::Tls(error) => {
                matches!(error.kind(), UnexpectedEof | ConnectionReset | BrokenPipe)
            }
            _ => false,
        }
    }
}

impl fmt::Display for OriginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OriginError::Connect(error) => write!(f, "cannot connect: {error}"),
            OriginError::Tls(error) => write!(f, "no TLS connection: {error}"),
            OriginError::Broken(error) => {
                write!(f, "{error}")?;
                match std::error::Error::source(&**error) {
                    Some(cause) => write!(f, ": {cause}"),
                    None => Ok(()),
                }
            }
            OriginError::Length => f.write_str("it does not say in one way where its body ends"),
            OriginError::Unfillable(why) => write!(f, "a page can't be shown: {why}"),
            OriginError::RequestBody(error) => write!(f, "request body: {error}"),
            other => f.write_str(other.reason().code()),
        }
    }
}

/// A body that did not come to its end.
#[derive(Clone, Debug)]
pub enum BodyError {
    /// The other side sent nothing for too long.
    TimedOut,
    /// It is larger than is allowed.
    TooLarge,
    /// The connection ended early, or the framing is broken.
    Broken(Arc<hyper::Error>),
    /// Its content coding could not be undone.
    Coding,
    /// The fetch that this body comes from was given up.
    Abandoned,
    /// The one who reads it has held others up for too long.
    TooSlow,
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BodyError::TimedOut => f.write_str("nothing came for too long"),
            BodyError::TooLarge => f.write_str("larger than is allowed"),
            BodyError::Broken(error) => write!(f, "{error}"),
            BodyError::Coding => f.write_str("its content coding can't be undone"),
            BodyError::TooSlow => f.write_str("others were held up for too long"),
            BodyError::Abandoned => f.write_str("the fetch was given up"),
        }
    }
}

impl std::error::Error for BodyError {}
