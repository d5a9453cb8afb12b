//! What is refused of a request whatever it is about: its method, its size, how long its body
//! is, what it expects.

use super::{Framing, Options};
use crate::error::Refusal;
use crate::semantics::cache_status::NAME;
use crate::semantics::fields::members;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, StatusCode, Uri, Version};

/// How often this cache may stand in `Via` before a request is taken for one
/// that goes round in circles.
const MOST_HOPS: usize = 4;

/// How many hops `Via` may have: no request comes through so many, but on its way in a circle.
const MOST_HOPS_IN_ALL: usize = 128;

/// How many options `Connection` may have: more than a request may have fields to be
/// dropped by name.
const MOST_OPTIONS: usize = 128;

pub(super) fn method(method: &Method) -> Result<(), Refusal> {
    if *method == Method::CONNECT || *method == Method::TRACE {
        let status = StatusCode::METHOD_NOT_ALLOWED;
        return Err(Refusal::new(status, "CONNECT and TRACE are not served"));
    }
    // To an ASGI application a method is told in capitals: it would see another one than is
    // asked for here (RFC 9110 section 9.1).
    if method.as_str().bytes().any(|byte| byte.is_ascii_lowercase()) {
        let status = StatusCode::NOT_IMPLEMENTED;
        return Err(Refusal::new(status, "only methods in capital letters are served"));
    }
    Ok(())
}

pub(super) fn sizes(uri: &Uri, fields: &HeaderMap, options: &Options) -> Result<(), Refusal> {
    let target = uri.path_and_query().map_or(0, |path| path.as_str().len());
    if target > options.max_target {
        return Err(Refusal::new(StatusCode::URI_TOO_LONG, "the request target is too long"));
    }
    let mut fields = fields.iter();
    if fields.any(|(name, value)| options.is_too_long(name.as_str().len(), value.len())) {
        let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        return Err(Refusal::new(status, "a header field is too long"));
    }
    Ok(())
}

/// Checks what the body's length rests on, and writes it in one way; tells
/// whether there is a body.
pub(super) fn framing(
    fields: &mut HeaderMap,
    version: Version,
    options: &Options,
) -> Result<bool, Refusal> {
    let lines = |name| fields.get_all(name).iter().map(HeaderValue::as_bytes);
    let framing =
        Framing::of(version, lines(header::TRANSFER_ENCODING), lines(header::CONTENT_LENGTH))?;
    match framing {
        Framing::Chunked => Ok(true),
        Framing::Length(length) if length > options.max_body => {
            Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "the request body is too large"))
        }
        Framing::Length(length) => {
            if let Some(given) = fields.get_mut(header::CONTENT_LENGTH) {
                *given = HeaderValue::from(length);
            }
            Ok(length > 0)
        }
    }
}

/// The only expectation there is, is met by this server itself: the client is
/// told to go on as soon as the origin takes the body.
pub(super) fn expectation(fields: &mut HeaderMap) -> Result<(), Refusal> {
    let only_continue = fields
        .get_all(header::EXPECT)
        .iter()
        .all(|expected| expected.as_bytes().eq_ignore_ascii_case(b"100-continue"));
    if !only_continue {
        let status = StatusCode::EXPECTATION_FAILED;
        return Err(Refusal::new(status, "the only expectation here is \"100-continue\""));
    }
    fields.remove(header::EXPECT);
    Ok(())
}

/// Counts the caches that a request has come through, and what it names for this hop.
pub(super) fn hops(fields: &HeaderMap) -> Result<(), Refusal> {
    let is_own = |hop: &&[u8]| hop.split(u8::is_ascii_whitespace).nth(1) == Some(NAME.as_bytes());
    let hops = || members(fields, &header::VIA);
    if hops().nth(MOST_HOPS_IN_ALL).is_some() || hops().filter(is_own).count() >= MOST_HOPS {
        return Err(Refusal::new(StatusCode::LOOP_DETECTED, "the request goes in circles"));
    }
    if members(fields, &header::CONNECTION).nth(MOST_OPTIONS).is_some() {
        return Err(Refusal::bad_request("Connection has too many options"));
    }
    Ok(())
}
