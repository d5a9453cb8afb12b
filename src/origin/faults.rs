//! What a failed exchange means, and which answers are none.

use crate::error::{BodyError, OriginError};
use crate::message::stated_length;
use crate::semantics::validation::may_be_not_modified;
use crate::tls;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version, header};
use std::error::Error;
use std::io;
use std::sync::Arc;

/// Which answers a request asks for, besides those that any may get.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    /// 101.
    pub upgrade: bool,
    head: bool,
    condition: bool,
    range: bool,
}

impl Asked {
    /// What this request asks for.
    pub fn by<B>(request: &Request<B>) -> Asked {
        let fields = request.headers();
        Asked {
            upgrade: fields.contains_key(header::UPGRADE),
            head: request.method() == Method::HEAD,
            condition: may_be_not_modified(fields),
            range: fields.contains_key(header::RANGE),
        }
    }

    /// Refuses a response that is no answer to the request: a 101, 206 or 304
    /// that it does not ask for, or a body in a transfer coding other than
    /// `chunked`, of which larder has said that it takes none (RFC 9112 section
    /// 7.4). A name that is registered for no coding means nothing: the body
    /// is what comes until the connection ends (section 6.3). Nor is one that does
    /// not say in one way where its body ends.
    ///
    /// What is left of an answer states a length once, as a number, or not at all.
    /// Tells whether its connection may be used again.
    ///
    /// # Errors
    /// [`OriginError`], the origin's fault.
    pub fn judge<B>(self, response: &mut Response<B>) -> Result<bool, OriginError> {
        match response.status() {
            StatusCode::SWITCHING_PROTOCOLS if !self.upgrade => Err(OriginError::Switched),
            StatusCode::PARTIAL_CONTENT if !self.range => Err(OriginError::Partial),
            StatusCode::NOT_MODIFIED if !self.condition => Err(OriginError::NotModified),
            _ if is_coded(response.headers()) => Err(OriginError::Coding),
            _ => Ok(settle_length(response, self.head)? && !self.upgrade),
        }
    }
}

/// Reads what a head says of the length of its body, which hyper does only where
/// a body follows: it is handed on to HEAD too, and with a 304. Tells whether the
/// connection may be used again: not if a body may come that nobody waits for. It
/// would be read as the answer to another request.
fn settle_length<B>(response: &mut Response<B>, head: bool) -> Result<bool, OriginError> {
    let (version, status) = (response.version(), response.status());
    let fields = response.headers_mut();
    let coded = fields.contains_key(header::TRANSFER_ENCODING);
    if coded && version == Version::HTTP_10 {
        // Its framing is faulty (RFC 9112 section 6.1).
        return Err(OriginError::Length);
    }
    if status.is_informational() || status == StatusCode::NO_CONTENT {
        // Neither may be there (RFC 9110 section 8.6, RFC 9112 section 6.1): a client
        // may wait for a body, and who sends them may send one.
        let empty = fields.get_all(header::CONTENT_LENGTH).iter().all(|length| length == "0");
        fields.remove(header::CONTENT_LENGTH);
        return Ok(empty && !coded);
    }
    if coded {
        // The chunks count (RFC 9112 section 6.3); a length beside them is wrong,
        // and who sends both may mean another end of the body than we do.
        let alone = fields.remove(header::CONTENT_LENGTH).is_none();
        return Ok(alone && !head && status != StatusCode::NOT_MODIFIED);
    }
    let length = length(fields)?;
    if let Some(length) = length {
        fields.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    Ok(match length {
        Some(0) => true,
        Some(_) => !head && status != StatusCode::NOT_MODIFIED,
        None => !head,
    })
}

/// The length that a head states: one number, or the same one again, in lists
/// and lines (RFC 9110 section 8.6).
fn length(fields: &HeaderMap) -> Result<Option<u64>, OriginError> {
    let lines = fields.get_all(header::CONTENT_LENGTH).iter();
    let mut stated = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    let Some(first) = stated.next() else { return Ok(None) };
    let read = |member: &[u8]| stated_length(member.trim_ascii()).ok_or(OriginError::Length);
    let length = read(first)?;
    for other in stated {
        if read(other)? != length {
            return Err(OriginError::Length);
        }
    }
    Ok(Some(length))
}

/// Codings that change a body, by their registered names.
const CODINGS: [&str; 5] = ["compress", "deflate", "gzip", "x-compress", "x-gzip"];

/// Whether a body is in a coding that is not undone here, or may be: a misspelt
/// `chunked` is no other name.
fn is_coded(fields: &HeaderMap) -> bool {
    let mut lines = fields.get_all(header::TRANSFER_ENCODING).iter();
    let Some(first) = lines.next() else { return false };
    let name = first.to_str().unwrap_or_default().to_ascii_lowercase();
    let is_one = lines.next().is_none() && is_plain(&name);
    !is_one || CODINGS.contains(&name.as_str()) || (name.contains("chunk") && name != "chunked")
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
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
