//! A request that is sent again, and when the first was sent whole.

use crate::body::Body;
use http::Request;
use tokio::sync::oneshot;

/// Tells when the request's body has gone; `None` if it has none.
pub(super) fn when_sent(request: &mut Request<Body>) -> Option<oneshot::Receiver<()>> {
    let body = std::mem::replace(request.body_mut(), Body::empty());
    let (body, receiver) = match body {
        Body::Passing(passing) => {
            let (sender, receiver) = oneshot::channel();
            let passing = passing.on_end(move || {
                // Nobody may be waiting any more.
                let _ = sender.send(());
            });
            (Body::Passing(Box::new(passing)), Some(receiver))
        }
        other => (other, None),
    };
    *request.body_mut() = body;
    receiver
}

/// Whether a request may be sent twice: it is idempotent, and its body in hand.
pub(super) fn may_be_sent_twice(request: &Request<Body>) -> bool {
    request.method().is_idempotent() && matches!(request.body(), Body::Chunks(_))
}

/// The same request once more, if it may be sent twice.
pub(super) fn spare(request: &Request<Body>) -> Option<Request<Body>> {
    let Body::Chunks(chunks) = request.body() else { return None };
    if !may_be_sent_twice(request) {
        return None;
    }
    let mut again = Request::new(Body::Chunks(chunks.clone()));
    *again.method_mut() = request.method().clone();
    *again.uri_mut() = request.uri().clone();
    *again.headers_mut() = request.headers().clone();
    *again.extensions_mut() = request.extensions().clone();
    Some(again)
}
