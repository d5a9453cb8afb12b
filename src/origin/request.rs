//! A request as the origin is to see it: written anew by larder, target byte for
//! byte as it is keyed.

use crate::body::Body;
use crate::interim::Interims;
use crate::message::Presented;
use crate::semantics::fields::remove_hop_by_hop;
use crate::semantics::offer::LARDER_FILL;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, Request, StatusCode, Version};
use http_body::Body as _;

/// The request for the origin, with these fields and this body. `host` replaces
/// the `Host` field if the operator has fixed one.
pub fn outbound(
    presented: &Presented,
    mut fields: HeaderMap,
    body: Body,
    host: Option<&HeaderValue>,
) -> Request<Body> {
    if let Some(host) = host {
        fields.insert(header::HOST, host.clone());
    }
    fields.append(header::VIA, via(presented.version));
    if presented.takes_trailers {
        fields.insert(header::TE, HeaderValue::from_static("trailers"));
        fields.insert(header::CONNECTION, HeaderValue::from_static("te"));
    }
    if body.is_end_stream() && fields.get(header::CONTENT_LENGTH).is_some_and(|l| l != "0") {
        // No head may state a length that is not sent: the next request would
        // be read as the missing body.
        fields.remove(header::CONTENT_LENGTH);
    }
    if presented.has_body && !fields.contains_key(header::CONTENT_LENGTH) {
        // hyper leaves out a body of unknown length with GET and HEAD.
        match body.size_hint().exact() {
            Some(length) => fields.insert(header::CONTENT_LENGTH, HeaderValue::from(length)),
            None => fields.insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked")),
        };
    }
    let mut request = Request::new(body);
    *request.method_mut() = presented.method.clone();
    *request.uri_mut() = presented.uri.clone();
    *request.headers_mut() = fields;
    if !presented.interims.is_nobody() {
        request.extensions_mut().insert(presented.interims.clone());
    }
    request
}

/// Whether a connection is to bear nothing behind this request, which then says so: it has
/// a body, though its method means none (RFC 9110 section 9.3.1). Who reads no body there
/// takes it for the next request, and what that is answered would be given to whoever comes
/// next.
pub(super) fn say_last(request: &mut Request<Body>) -> bool {
    let means_one = [Method::POST, Method::PUT, Method::PATCH, Method::QUERY];
    let is_odd = !request.body().is_end_stream() && !means_one.contains(request.method());
    if is_odd {
        let fields = request.headers_mut();
        // By itself: not every server looks for it in a list.
        fields.insert(header::CONNECTION, HeaderValue::from_static("close"));
        fields.remove(header::TE);
    }
    is_odd
}

/// Who is to be told of the interim responses to such a request.
pub(super) fn told_of_interims(request: &Request<Body>) -> Option<Interims> {
    request.extensions().get().cloned()
}

/// Hands an interim response on (RFC 9110 section 15.2). A 100 was not asked for,
/// since larder meets expectations itself; 101 is an answer.
pub(super) fn hand_on_interim(
    told: &Interims,
    status: StatusCode,
    version: Version,
    fields: &HeaderMap,
) {
    if matches!(status, StatusCode::CONTINUE | StatusCode::SWITCHING_PROTOCOLS) {
        return;
    }
    // What bears placeholders can't be filled before the answer is there.
    if fields.contains_key(LARDER_FILL) {
        return;
    }
    let mut fields = fields.clone();
    remove_hop_by_hop(&mut fields);
    // There is no content (RFC 9110 section 8.6).
    fields.remove(header::CONTENT_LENGTH);
    fields.append(header::VIA, via(version));
    told.tell(status, &fields);
}

/// The same for a WebSocket: with the fields that ask for it.
pub fn upgrade_outbound(presented: &Presented, host: Option<&HeaderValue>) -> Request<Body> {
    let mut request = outbound(presented, presented.fields.clone(), Body::empty(), host);
    let fields = request.headers_mut();
    fields.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    fields.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    request
}

/// The `Via` member for a message received in this version (RFC 9110 section
/// 7.6.3).
pub fn via(version: Version) -> HeaderValue {
    match version {
        Version::HTTP_10 => HeaderValue::from_static("1.0 larder"),
        _ => HeaderValue::from_static("1.1 larder"),
    }
}
