//! Forms on pages that many visitors share: what the app is offered, and how what it left
//! out is filled in, for one visitor, in the very last step before an answer is sent.
//!
//! What is stored, collapsed, observed and explained is what the app sent. A visitor's
//! token exists in their own answer alone.

use super::errand::Watch;
use super::{Answer, Proxy, Shared, respond};
use crate::body::{Body, Decoding, Replacing};
use crate::error::OriginError;
use crate::message::Presented;
use crate::semantics::cache_status::CacheStatus;
use crate::semantics::csrf::{Secret, letters};
use crate::semantics::form::{Csrf, Filling, Form, for_one_visitor};
use crate::semantics::offer::{Coded, Offer, Unfillable};
use crate::storage::Content;
use http::Response;
use http::header::{COOKIE, HeaderMap, HeaderValue, SET_COOKIE};
use http_body::Body as _;
use std::sync::Arc;

/// Takes what the origin's answer says of placeholders off its head, and remembers it
/// beside. Its body is not coded then.
pub(super) fn received(
    mut response: Response<Body>,
    request: &Presented,
    offer: Offer,
    shared: &Shared,
) -> Response<Body> {
    let status = response.status();
    match offer.take(&request.method, status, response.headers_mut()) {
        Ok(None) => response,
        Ok(Some((form, coded))) => {
            response.extensions_mut().insert(Arc::new(form));
            match coded {
                Coded::Plain => response,
                Coded::Gzip => response.map(|body| {
                    let watch = Watch::over(request, shared);
                    let decoding = Decoding::new(body, &shared.account);
                    Body::Decoding(Box::new(decoding.on_broken(move |error| watch.broke(error))))
                }),
            }
        }
        Err(why) => {
            response.extensions_mut().insert(why);
            response
        }
    }
}

/// Sees to it that nobody is shown placeholders that can't be filled.
///
/// # Errors
/// [`OriginError::Unfillable`].
pub(super) fn can_be_shown(response: &Response<Body>) -> Result<(), OriginError> {
    match response.extensions().get::<Unfillable>() {
        None => Ok(()),
        Some(why) => Err(OriginError::Unfillable(*why)),
    }
}

/// What is to be filled in a response, if anything.
pub(super) fn of(response: &Response<Body>) -> Option<&Arc<Form>> {
    response.extensions().get()
}

/// Whether a response says anything of placeholders: a 304 that does is no answer to the
/// condition of a client, whose copy bears what was filled in it for somebody, or is of
/// another page.
pub(super) fn are_spoken_of(response: &Response<Body>) -> bool {
    of(response).is_some() || can_be_shown(response).is_err()
}

/// Whether a response can be about a stored page by what it says of placeholders: the same
/// as is stored, or nothing, and then it has none where they were.
pub(super) fn may_be_about(stored: &Content, response: &Response<Body>) -> bool {
    let said = of(response);
    can_be_shown(response).is_ok()
        && match &stored.rare.form {
            None => said.is_none(),
            Some(form) => {
                said.is_none_or(|said| form.has(said))
                    && form.stays_in(&stored.lines.fields(), response.headers())
            }
        }
}

/// Remembers beside a response what is to be filled in it.
pub(super) fn remember(form: Option<&Arc<Form>>, response: &mut Response<Body>) {
    if let Some(form) = form {
        response.extensions_mut().insert(Arc::clone(form));
    }
}

impl Proxy {
    /// Fills an answer for the visitor who asked, if there is anything to be filled.
    pub(super) fn fill_in(&self, request: &Presented, mut answer: Answer) -> Answer {
        let Some(form) = answer.response.extensions_mut().remove::<Arc<Form>>() else {
            return answer;
        };
        match filling(&form, &cookies(request), answer.response.headers()) {
            Ok((filling, cookie)) => {
                self.shared.metrics.filled.count();
                answer.response = filled(&form, &filling, cookie, answer.response);
                answer
            }
            Err(error) => {
                tracing::error!(%error, "the system gives no random numbers");
                respond::internal(CacheStatus { filled: false, ..answer.status })
            }
        }
    }
}

/// The cookies that a visitor bears, those too that the app was not shown. Not to know them
/// would be to give the visitor another, and forms that are open elsewhere would fail.
fn cookies(request: &Presented) -> HeaderMap {
    let borne = request.fields.get(COOKIE).or(request.left_out.cookies.as_ref());
    borne.map(|cookies| (COOKIE, cookies.clone())).into_iter().collect()
}

/// What one answer is filled with, and the cookie that its visitor is given if they bear
/// none: the one that the app gives them goes before the one that they bear.
fn filling(
    form: &Form,
    cookies: &HeaderMap,
    response: &HeaderMap,
) -> Result<(Filling, Option<HeaderValue>), getrandom::Error> {
    let mut cookie = None;
    let csrf = match &form.csrf {
        None => None,
        Some(Csrf { cookie: own, .. }) => {
            let secret = match own.set_by(response).or_else(|| own.of_visitor(cookies)) {
                Some(secret) => secret,
                None => {
                    let new = Secret::new(letters(getrandom::fill)?);
                    cookie = Some(own.set_to(&new));
                    new
                }
            };
            Some(secret.masked(letters(getrandom::fill)?))
        }
    };
    let nonce = form.nonce.as_ref().map(|_| letters(getrandom::fill)).transpose()?;
    Ok((Filling { csrf, nonce }, cookie))
}

/// A response with its placeholders filled: from here on it is its visitor's alone.
fn filled(
    form: &Form,
    filling: &Filling,
    cookie: Option<HeaderValue>,
    response: Response<Body>,
) -> Response<Body> {
    let (mut head, body) = response.into_parts();
    for_one_visitor(&mut head.headers);
    form.fill_fields(filling, &mut head.headers);
    if let Some(cookie) = cookie {
        head.headers.append(SET_COOKIE, cookie);
    }
    let body = match body.is_end_stream() {
        true => body,
        false => Body::Replacing(Box::new(Replacing::new(body, form.pairs(filling)))),
    };
    Response::from_parts(head, body)
}
