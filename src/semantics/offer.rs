//! What larder offers to fill in pages, and what an app's answer makes of that.
//!
//! The request field `Larder-Fill: csrf, nonce` tells the app what can be filled; the
//! response field of the same name says what is to be ([`Form`]).

use super::fields::{is_there, members};
use super::form::Form;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use std::fmt;

/// What the app is told that it may leave out, and what it says that it has.
pub const LARDER_FILL: HeaderName = HeaderName::from_static("larder-fill");

/// What may be filled: the operator's choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// Tokens of forms.
    pub csrf: bool,
    /// Nonces of content security policies.
    pub nonce: bool,
}

/// Why a page with placeholders can't be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfillable {
    /// It speaks of what it was not offered.
    NotOffered,
    /// Its field can't be understood.
    Malformed,
    /// Its body is in a content coding that can't be undone.
    Coding,
    /// It is a part, which may begin or end within a placeholder.
    Part,
}

/// The content coding of a page that is to be filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coded {
    /// None.
    Plain,
    /// gzip: to be undone.
    Gzip,
}

impl Offer {
    /// Whether anything is offered.
    pub fn is_any(self) -> bool {
        self.csrf || self.nonce
    }

    /// Whether all that a form wants is offered.
    pub fn covers(self, form: &Form) -> bool {
        (self.csrf || form.csrf.is_none()) && (self.nonce || form.nonce.is_none())
    }

    /// Tells the app, in a request for it. It is asked for no content coding that could
    /// not be undone: whether a page has a form nobody knows before.
    ///
    /// ```
    /// use http::{HeaderMap, HeaderValue};
    /// use larder::semantics::offer::Offer;
    ///
    /// let mut fields = HeaderMap::new();
    /// fields.insert("accept-encoding", HeaderValue::from_static("br, gzip;q=0.8, *;q=0.1"));
    /// Offer { csrf: true, nonce: true }.make(&mut fields);
    /// assert_eq!(fields["larder-fill"], "csrf, nonce");
    /// assert_eq!(fields["accept-encoding"], "gzip;q=0.8");
    /// ```
    pub fn make(self, request: &mut HeaderMap) {
        let offered = match self {
            Offer { csrf: false, nonce: false } => return,
            Offer { csrf: true, nonce: false } => "csrf",
            Offer { csrf: false, nonce: true } => "nonce",
            Offer { csrf: true, nonce: true } => "csrf, nonce",
        };
        request.insert(LARDER_FILL, HeaderValue::from_static(offered));
        if !request.contains_key(header::ACCEPT_ENCODING) {
            return;
        }
        let is_undone = |member: &&[u8]| {
            let coding = member.split(|byte| *byte == b';').next().unwrap_or_default();
            let coding = coding.trim_ascii();
            coding.eq_ignore_ascii_case(b"identity") || is_gzip(coding)
        };
        let narrowed: Vec<&[u8]> =
            members(request, &header::ACCEPT_ENCODING).filter(is_undone).collect();
        let narrowed = HeaderValue::from_bytes(&narrowed.join(&b", "[..])).ok();
        let narrowed = narrowed.filter(|value| !value.is_empty());
        let value = narrowed.unwrap_or_else(|| HeaderValue::from_static("identity"));
        request.insert(header::ACCEPT_ENCODING, value);
    }

    /// Takes what a response says of placeholders off its head, and that it varies by
    /// the offer, which is the same for all. If its body is coded, nothing says so any
    /// more. A 304 has none, but fields that may bear placeholders as any other's: what it
    /// says is about a page of which somebody has a copy.
    ///
    /// # Errors
    /// Why the response can't be shown.
    pub fn take(
        self,
        method: &Method,
        status: StatusCode,
        fields: &mut HeaderMap,
    ) -> Result<Option<(Form, Coded)>, Unfillable> {
        if !is_there(fields, &LARDER_FILL) {
            if is_there(fields, &header::VARY) {
                remove_from_vary(fields);
            }
            return Ok(None);
        }
        remove_from_vary(fields);
        let mut lines = fields.get_all(LARDER_FILL).iter();
        let (line, other) = (lines.next().cloned(), lines.next().is_some());
        fields.remove(LARDER_FILL);
        let line = line.filter(|_| !other).ok_or(Unfillable::Malformed)?;
        let form = Form::read(line.as_bytes()).ok_or(Unfillable::Malformed)?;
        if !self.covers(&form) {
            return Err(Unfillable::NotOffered);
        }
        match status {
            StatusCode::PARTIAL_CONTENT => Err(Unfillable::Part),
            StatusCode::SWITCHING_PROTOCOLS | StatusCode::NOT_MODIFIED => {
                Ok(Some((form, Coded::Plain)))
            }
            _ => Ok(Some((form, take_coding(method, fields)?))),
        }
    }
}

impl fmt::Display for Unfillable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unfillable::NotOffered => {
                "its Larder-Fill field asks for what [forms] doesn't offer; was this page in a \
                 cache of the app's own?"
            }
            Unfillable::Malformed => "its Larder-Fill field can't be understood",
            Unfillable::Coding => {
                "it has a Larder-Fill field, and its body is in a content coding other than gzip"
            }
            Unfillable::Part => "it has a Larder-Fill field, and is a part (206)",
        })
    }
}

fn is_gzip(coding: &[u8]) -> bool {
    coding.eq_ignore_ascii_case(b"gzip") || coding.eq_ignore_ascii_case(b"x-gzip")
}

/// Takes the content coding off a head, and the length of what is coded.
fn take_coding(method: &Method, fields: &mut HeaderMap) -> Result<Coded, Unfillable> {
    let codings = members(fields, &header::CONTENT_ENCODING)
        .filter(|coding| !coding.eq_ignore_ascii_case(b"identity"));
    let codings: Vec<&[u8]> = codings.collect();
    let coded = match codings.as_slice() {
        [] => Coded::Plain,
        [coding] if is_gzip(coding) => Coded::Gzip,
        _ => return Err(Unfillable::Coding),
    };
    fields.remove(header::CONTENT_ENCODING);
    if coded == Coded::Gzip {
        fields.remove(header::CONTENT_LENGTH);
    }
    Ok(if *method == Method::HEAD { Coded::Plain } else { coded })
}

/// Removes `Larder-Fill` from `Vary`.
fn remove_from_vary(fields: &mut HeaderMap) {
    let is_it = |member: &[u8]| member.eq_ignore_ascii_case(LARDER_FILL.as_str().as_bytes());
    if !members(fields, &header::VARY).any(is_it) {
        return;
    }
    let others: Vec<&[u8]> =
        members(fields, &header::VARY).filter(|member| !is_it(member)).collect();
    match HeaderValue::from_bytes(&others.join(&b", "[..])) {
        Ok(value) if !value.is_empty() => drop(fields.insert(header::VARY, value)),
        _ => drop(fields.remove(header::VARY)),
    }
}

#[cfg(test)]
#[path = "offer_tests.rs"]
mod tests;
