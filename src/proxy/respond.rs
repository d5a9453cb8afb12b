//! Answers: from the store, from what arrives, and larder's own.

use super::Answer;
use super::fetch::Filling;
use super::{forms, parts};
use crate::body::Body;
use crate::error::{OriginError, Refusal};
use crate::message::Presented;
use crate::semantics::cache_status::{CacheStatus, Forward, Outcome};
use crate::semantics::conditional::{self, Precondition};
use crate::semantics::range::{self, Wanted};
use crate::semantics::reason::Reason;
use crate::semantics::time::{Exchange, Moment};
use crate::storage::{Content, StoredResponse};
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, Response, StatusCode};
use std::time::SystemTime;

/// An origin that failed.
#[derive(Clone, Debug)]
pub(super) enum Failed {
    /// It did not answer.
    Silent(OriginError),
    /// It answered with this error.
    Status(StatusCode),
}

impl Failed {
    /// The status that the origin answered, if it did.
    pub fn origin_status(&self) -> Option<u16> {
        match self {
            Failed::Silent(_) => None,
            Failed::Status(status) => Some(status.as_u16()),
        }
    }
}

/// Answers with a stored response: whole, in parts, or with 304 if the client
/// has it already. One that is filled for each visitor nobody has already, and it is
/// given whole.
pub(super) fn from_store(
    request: &Presented,
    stored: &StoredResponse,
    now: Moment,
    most_ranges: usize,
    status: CacheStatus,
) -> Answer {
    let content = stored.content();
    let mut fields = content.lines.fields();
    fields.insert(header::AGE, HeaderValue::from(content.freshness.age(now).get()));
    if has_stored(request, content, &fields) {
        return not_modified(fields, status);
    }
    let (first, length) =
        content.rare.part.map_or((0, content.length()), |p| (p.first, p.complete));
    let wanted = wanted(request, content, most_ranges).unwrap_or(Wanted::Unsatisfiable);
    let (code, body) = match wanted {
        Wanted::Whole if request.method == Method::HEAD => (content.status, Body::empty()),
        Wanted::Whole => (content.status, Body::Chunks(content.chunks.iter().cloned().collect())),
        Wanted::Parts(ranges) => {
            let body = parts::partial(&mut fields, &content.chunks, first, length, &ranges);
            (StatusCode::PARTIAL_CONTENT, body)
        }
        Wanted::Unsatisfiable => {
            let body = parts::unsatisfiable(&mut fields, length);
            (StatusCode::RANGE_NOT_SATISFIABLE, body)
        }
    };
    let mut response = response(code, fields, body);
    forms::remember(content.rare.form.as_ref(), &mut response);
    Answer { response, status }
}

/// What a request is to be given of a stored response; `None` if that is a part
/// which doesn't have it.
pub(super) fn wanted(request: &Presented, content: &Content, most: usize) -> Option<Wanted> {
    let (method, fields, length) = (&request.method, &request.fields, content.length());
    // What is stored matters for ranges alone.
    let stored = match fields.contains_key(header::RANGE) {
        true => content.lines.fields(),
        false => HeaderMap::new(),
    };
    match content.rare.part {
        Some(part) => part.wanted(length, method, fields, &stored, most).map(Wanted::Parts),
        None if content.rare.form.is_some() => Some(Wanted::Whole),
        None => Some(range::wanted(method, fields, content.status, &stored, length, most)),
    }
}

/// Answers with a response whose body is still coming; `None` if its beginning
/// is gone already.
pub(super) fn from_filling(
    request: &Presented,
    filling: &Filling,
    now: Moment,
    status: CacheStatus,
) -> Option<Answer> {
    let content = &filling.content;
    let mut fields = content.lines.fields();
    if filling.aged {
        fields.insert(header::AGE, HeaderValue::from(content.freshness.age(now).get()));
    }
    if has_stored(request, content, &fields) {
        return Some(not_modified(fields, status));
    }
    let body = Body::Shared(filling.source.read()?);
    let mut response = response(content.status, fields, body);
    forms::remember(content.rare.form.as_ref(), &mut response);
    Some(Answer { response, status })
}

/// Hands on a response that is not stored. A client that has it already is
/// spared the body, unless it is to be filled.
pub(super) fn handed_on(
    request: &Presented,
    origin: Response<Body>,
    exchange: &Exchange,
    status: CacheStatus,
) -> Answer {
    let is_filled = forms::of(&origin).is_some();
    let (head, body) = origin.into_parts();
    let has_validator =
        head.headers.contains_key(header::ETAG) || head.headers.contains_key(header::LAST_MODIFIED);
    let may_be_had = has_validator && !is_filled;
    if may_be_had && has_it(request, head.status, &head.headers, exchange.received_at) {
        return not_modified(head.headers, status);
    }
    let mut response = response(head.status, head.headers, body);
    forms::remember(head.extensions.get(), &mut response);
    Answer { response, status }
}

/// Whether the client has what is stored already; of a page that is filled for each
/// visitor nobody can tell.
fn has_stored(request: &Presented, content: &Content, fields: &HeaderMap) -> bool {
    content.rare.form.is_none()
        && has_it(request, content.status, fields, content.received_at.time())
}

fn has_it(
    request: &Presented,
    status: StatusCode,
    fields: &HeaderMap,
    received_at: SystemTime,
) -> bool {
    let value = |name: &_| fields.get(name).map(HeaderValue::as_bytes);
    conditional::evaluate(&request.fields, status, value, received_at) == Precondition::NotModified
}

fn not_modified(mut fields: HeaderMap, status: CacheStatus) -> Answer {
    conditional::not_modified_fields(&mut fields);
    Answer { response: response(StatusCode::NOT_MODIFIED, fields, Body::empty()), status }
}

pub(super) fn response(status: StatusCode, fields: HeaderMap, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = fields;
    response
}

/// The methods that a 405 names (RFC 9110 section 15.5.6). Others that the application has are
/// handed on too.
const METHODS: HeaderValue =
    HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, QUERY");

/// A short page in plain text that nobody is to keep.
pub(super) fn page(status: StatusCode, sentence: &str) -> Response<Body> {
    let mut fields = HeaderMap::new();
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    fields.insert(header::CONTENT_TYPE, plain);
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        fields.insert(header::ALLOW, METHODS);
    }
    response(status, fields, Body::from(format!("{status}\n\n{sentence}\n")))
}

/// Has an answer be the last on its connection, and say so.
pub(super) fn say_closed(answer: &mut Answer) {
    let fields = answer.response.headers_mut();
    fields.insert(header::CONNECTION, HeaderValue::from_static("close"));
}

/// Refuses a request, and closes the connection.
pub(super) fn refusal(refusal: &Refusal) -> Answer {
    let response = page(refusal.status, refusal.message);
    let mut answer = Answer { response, status: CacheStatus::new(Outcome::Own) };
    say_closed(&mut answer);
    answer
}

/// The origin failed, and there is nothing to stand in for it.
pub(super) fn failure(failed: &Failed, mut status: CacheStatus) -> Answer {
    let (code, sentence) = match failed {
        Failed::Silent(error) => {
            status.detail = Some(error.reason());
            (error.status(), error.sentence())
        }
        Failed::Status(code) => (*code, "The app behind this server reported an error."),
    };
    let mut response = page(code, sentence);
    if code == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    let mut answer = Answer { response, status };
    if matches!(failed, Failed::Silent(OriginError::RequestBody(_))) {
        say_closed(&mut answer);
    }
    answer
}

/// The client wants an answer from the cache or none (RFC 9111 section 5.2.1.7).
pub(super) fn only_if_cached() -> Answer {
    let mut status = CacheStatus::new(Outcome::Own);
    status.detail = Some(Reason::OnlyIfCached);
    let sentence = "The request says only-if-cached, and nothing that is stored can be used.";
    Answer { response: page(StatusCode::GATEWAY_TIMEOUT, sentence), status }
}

/// The task that fetched has gone without an answer.
pub(super) fn fetch_lost(forward: Forward) -> Answer {
    tracing::error!("a fetch ended without an answer");
    internal(CacheStatus::forwarded(forward))
}

/// Something in larder went wrong, and has been written down.
pub(super) fn internal(mut status: CacheStatus) -> Answer {
    status.detail = Some(Reason::Internal);
    let sentence = "Something went wrong in this server; it has been written down.";
    Answer { response: page(StatusCode::INTERNAL_SERVER_ERROR, sentence), status }
}
