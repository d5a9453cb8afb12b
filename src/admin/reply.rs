//! Answers of the admin port: JSON, and problems as RFC 9457 writes them.

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};

/// A JSON document.
pub(super) fn document(value: &Value) -> Response<Full<Bytes>> {
    with_type(StatusCode::OK, value, "application/json")
}

/// A problem, with a sentence that says what is wrong.
pub(super) fn problem(status: StatusCode, detail: &str) -> Response<Full<Bytes>> {
    let title = status.canonical_reason().unwrap_or("Problem");
    let value = json!({ "status": status.as_u16(), "title": title, "detail": detail });
    with_type(status, &value, "application/problem+json")
}

/// 401: a token is needed, or another one.
pub(super) fn unauthorized() -> Response<Full<Bytes>> {
    let detail = "a token is needed (Authorization: Bearer ...), or a connection from an allowed \
                  network that nobody forwarded";
    let mut response = problem(StatusCode::UNAUTHORIZED, detail);
    let scheme = HeaderValue::from_static("Bearer");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
    response
}

/// 405, with the methods that are allowed.
pub(super) fn not_allowed(methods: &'static str) -> Response<Full<Bytes>> {
    let mut response = problem(StatusCode::METHOD_NOT_ALLOWED, &format!("allowed: {methods}"));
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(methods));
    response
}

fn with_type(status: StatusCode, value: &Value, media_type: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(format!("{value}\n"))));
    *response.status_mut() = status;
    let fields = response.headers_mut();
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
