//! Whose `Cache-Control` is heeded: a stranger's is not, or anybody could make
//! the app work.

use crate::message::Presented;
use crate::purge::Access;
use crate::semantics::request_directives::RequestDirectives;
use http::header::HeaderName;

/// Bears the token of those who may; never handed on.
const LARDER_REFRESH: HeaderName = HeaderName::from_static("larder-refresh");

/// Notes what a request demands, if whoever sent it may demand anything.
pub(super) fn settle(request: &mut Presented, may: &Access) {
    let token = request.fields.remove(LARDER_REFRESH);
    let token = token.as_ref().map(|token| token.as_bytes());
    if may.permits(request.peer.ip(), request.forwarded, token) {
        request.demands = RequestDirectives::of(&request.fields);
    }
}
