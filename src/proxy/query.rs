//! QUERY (RFC 10008): safe as GET, and its answers are stored, each for the
//! content that it answers.
//!
//! They lie in the slot of their target, so that whatever purges the target
//! purges them.

use super::{Answer, Proxy};
use crate::body::{Body, Passing};
use crate::error::OriginError;
use crate::message::Presented;
use crate::semantics::cache_status::{CacheStatus, Forward};
use crate::semantics::query::QueryContent;
use crate::semantics::reason::Reason;
use bytes::Bytes;
use http_body::{Body as _, Frame};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use std::sync::Arc;

impl Proxy {
    /// Reads the content of a QUERY whole, and goes on as with a GET. What is
    /// larger than may be held is handed on as it comes. Trailers are left out
    /// (RFC 9110 section 6.5.1).
    pub(super) async fn query(self: &Arc<Self>, request: &Presented, body: Incoming) -> Answer {
        let mut status = CacheStatus::forwarded(Forward::Bypass);
        let mut body = Passing::new(body, self.shared.options.request_body);
        body = body.counted(&self.shared.account);
        let mut pieces: Vec<Bytes> = Vec::new();
        let (mut length, most) = (0, self.shared.options.max_query);
        // What is known to be too large is not waited for.
        let mut too_large = body.size_hint().lower() > most as u64;
        while !too_large && let Some(frame) = body.frame().await {
            match frame.map(Frame::into_data) {
                Ok(Ok(piece)) => {
                    length += piece.len();
                    pieces.push(piece);
                    too_large = length > most;
                }
                Ok(Err(_)) => {}
                Err(error) => {
                    return self.no_answer(request, OriginError::RequestBody(error), status);
                }
            }
        }
        if too_large {
            status.detail = Some(Reason::QuerySize);
            return match self.begun(body.put_back(pieces.into_iter().map(Frame::data))).await {
                Ok(body) => self.pass_with(request, body, status).await,
                Err(error) => self.no_answer(request, error, status),
            };
        }
        let query = QueryContent::of(&request.fields, &pieces.concat());
        let request = Presented { query: Some(Arc::new(query)), ..request.clone() };
        self.through_the_cache(&Arc::new(request)).await
    }
}

/// The body of a request as the cache sends it: the content of a QUERY, and else
/// none.
pub(super) fn held(request: &Presented) -> Body {
    let content = request.query.as_ref().map(|query| Bytes::copy_from_slice(query.bytes()));
    content.map_or_else(Body::empty, Body::from)
}
