//! Whose `Cache-Control` is heeded: a stranger's is not, or anybody could make
//! the app work.

use super::Options;
use crate::dialects::Dialect;
use crate::message::Presented;
use crate::semantics::directives::Value;
use crate::semantics::request_directives::RequestDirectives;
use crate::semantics::time::DeltaSeconds;
use http::header::HeaderName;

/// Bears the token of those who may; never handed on.
const LARDER_REFRESH: HeaderName = HeaderName::from_static("larder-refresh");

/// How FOSHttpCache says `no-cache` to nginx.
const X_REFRESH: HeaderName = HeaderName::from_static("x-refresh");

/// Notes what a request demands, if whoever sent it may demand anything.
pub(super) fn settle(request: &mut Presented, options: &Options) {
    let token = request.fields.remove(LARDER_REFRESH);
    let token = token.as_ref().map(|token| token.as_bytes());
    if options.refresh.permits(request.peer.ip(), request.forwarded, token) {
        request.demands = RequestDirectives::of(&request.fields);
        let anew = request.fields.get(X_REFRESH).is_some_and(|value| value == "1");
        request.demands.no_cache |= anew && options.dialects.has(Dialect::FosHttpCache);
    }
}

/// Whether only a fetch that begins now will do: one under way may bring what the origin
/// made before (RFC 9111 sections 5.2.1.1 and 5.2.1.4).
pub(super) fn want_what_is_now(demands: &RequestDirectives) -> bool {
    demands.no_cache || demands.max_age == Value::Given(DeltaSeconds::new(0))
}
