//! What a failed exchange means, and which answers are none.

use crate::error::{BodyError, OriginError};
use crate::semantics::validation::may_be_not_modified;
use crate::tls;
use http::{HeaderMap, Request, Response, StatusCode, header};
use std::error::Error;
use std::io;
use std::sync::Arc;

/// Which answers a request asks for, besides those that any may get.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    /// 101.
    pub upgrade: bool,
    condition: bool,
    range: bool,
}

impl Asked {
    /// What this request asks for.
    pub fn by<B>(request: &Request<B>) -> Asked {
        let fields = request.headers();
        Asked {
            upgrade: fields.contains_key(header::UPGRADE),
            condition: may_be_not_modified(fields),
            range: fields.contains_key(header::RANGE),
        }
    }

    /// Refuses a response that is no answer to the request: a 101, 206 or 304
    /// that it does not ask for, or a body in a coding other than `chunked`, of
    /// which larder has said that it takes none (RFC 9112 section 7.4).
    ///
    /// # Errors
    /// [`OriginError`], the origin's fault.
    pub fn allows<B>(self, response: &Response<B>) -> Result<(), OriginError> {
        match response.status() {
            StatusCode::SWITCHING_PROTOCOLS if !self.upgrade => Err(OriginError::Switched),
            StatusCode::PARTIAL_CONTENT if !self.range => Err(OriginError::Partial),
            StatusCode::NOT_MODIFIED if !self.condition => Err(OriginError::NotModified),
            _ if !is_chunked_at_most(response.headers()) => Err(OriginError::Coding),
            _ => Ok(()),
        }
    }
}

fn is_chunked_at_most(fields: &HeaderMap) -> bool {
    let mut codings = fields.get_all(header::TRANSFER_ENCODING).iter();
    let chunked = |value: &http::HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"chunked");
    codings.next().is_none_or(chunked) && codings.next().is_none()
}

/// The origin's fault, unless it was the request's own body that broke.
pub(super) fn broken(error: hyper::Error) -> OriginError {
    if let Some(error) = cause::<BodyError>(&error) {
        return OriginError::RequestBody(error.clone());
    }
    match cause::<io::Error>(&error) {
        // It has taken no byte for too long.
        Some(error) if error.kind() == io::ErrorKind::TimedOut => OriginError::FirstByteTimeout,
        // Under TLS 1.3 it says only after the handshake what is wrong with our certificate.
        Some(error) if let Some(why) = tls::failure(error) => {
            OriginError::Tls(Arc::new(io::Error::new(error.kind(), why)))
        }
        _ => OriginError::Broken(Arc::new(error)),
    }
}

/// The first cause of this type.
fn cause<E: Error + 'static>(error: &hyper::Error) -> Option<&E> {
    let mut causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.find_map(|cause| cause.downcast_ref())
}
