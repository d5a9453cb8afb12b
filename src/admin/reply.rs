//! Answers of the admin port: JSON.

use super::problem::{Kind, Problem};
use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::channel::Channel;
use http_body_util::{Either, Full};
use serde::Serialize;

/// What is sent: a whole document, or a stream for as long as somebody takes it.
pub(super) type Sent = Either<Full<Bytes>, Channel<Bytes>>;

/// A JSON document.
pub(super) fn document(value: &impl Serialize) -> Response<Full<Bytes>> {
    with_type(StatusCode::OK, value, "application/json")
}

/// Seconds as they are told: to the microsecond, and no digit that nobody has measured.
pub(super) fn rounded(seconds: f64) -> f64 {
    (seconds * 1e6).round() / 1e6
}

/// A problem, with a sentence that says what is wrong.
pub(super) fn problem(kind: Kind, detail: impl Into<String>) -> Response<Full<Bytes>> {
    Problem::new(kind, detail).answer()
}

/// As many streams are open as may be; one may end soon.
pub(super) fn too_many_streams(detail: impl Into<String>) -> Response<Full<Bytes>> {
    let mut refusal = problem(Kind::TooManyStreams, detail);
    refusal.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    refusal
}

/// 405, with the methods that are allowed.
pub(super) fn not_allowed(methods: &'static str) -> Response<Full<Bytes>> {
    let mut response = problem(Kind::MethodNotAllowed, format!("allowed: {methods}"));
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(methods));
    response
}

/// A document that is JSON already.
pub(super) fn json(bytes: Bytes) -> Response<Full<Bytes>> {
    with_bytes(StatusCode::OK, bytes, "application/json")
}

/// A document of this type.
pub(super) fn with_type(
    status: StatusCode,
    value: &impl Serialize,
    media_type: &'static str,
) -> Response<Full<Bytes>> {
    // Nothing that is answered here can't be written as JSON.
    let mut text = serde_json::to_vec(value).unwrap_or_default();
    text.push(b'\n');
    with_bytes(status, text.into(), media_type)
}

/// Bytes of this type.
pub(super) fn with_bytes(
    status: StatusCode,
    bytes: Bytes,
    media_type: &'static str,
) -> Response<Full<Bytes>> {
    let mut response = begun(media_type).map(|()| Full::new(bytes));
    *response.status_mut() = status;
    response
}

/// An answer of this type before its body. Nobody is to keep it, take it for something else,
/// or put it into a page of another site.
pub(super) fn begun(media_type: &'static str) -> Response<()> {
    let mut response = Response::new(());
    let fields = response.headers_mut();
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    fields.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    fields.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    response
}
