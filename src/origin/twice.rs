//! A request that is sent again, and when the first was sent whole.

use crate::body::Body;
use http::Request;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::oneshot;

/// What has become of a request's body that is still coming, if there is any.
#[derive(Clone, Debug, Default)]
pub(super) struct Upload(Option<Arc<AtomicBool>>);

impl Upload {
    /// It broke, and the connection to the origin with it.
    pub fn has_broken(&self) -> bool {
        self.0.as_ref().is_some_and(|broken| broken.load(Ordering::Acquire))
    }
}

/// Tells when the request's body has gone, if it has one that is not in hand.
pub(super) fn when_sent(request: &mut Request<Body>) -> (Option<oneshot::Receiver<()>>, Upload) {
    match std::mem::replace(request.body_mut(), Body::empty()) {
        Body::Passing(passing) => {
            let (sender, receiver) = oneshot::channel();
            let broken = Arc::<AtomicBool>::default();
            let upload = Upload(Some(Arc::clone(&broken)));
            let passing = passing.on_end(move |ended| {
                broken.store(ended.is_err(), Ordering::Release);
                // Nobody may be waiting any more.
                let _ = sender.send(());
            });
            *request.body_mut() = Body::Passing(Box::new(passing));
            (Some(receiver), upload)
        }
        other => {
            *request.body_mut() = other;
            (None, Upload::default())
        }
    }
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
