//! `/v1/explain`: what a request would be given now, and why.

use super::problem::Kind;
use super::query::parameters;
use super::reply;
use crate::key::Target;
use crate::message::Presented;
use crate::proxy::Shared;
use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Method, Response};
use http_body_util::Full;

/// The most fields of a request that is explained.
const MOST_FIELDS: usize = 64;

/// Explains a GET of a URL with some fields; the origin is not asked.
pub(super) fn answer(shared: &Shared, query: Option<&str>) -> Response<Full<Bytes>> {
    match request(query) {
        Ok(mut request) => {
            request.leave_out(&shared.options.presented);
            reply::document(&shared.explain(&request))
        }
        Err(detail) => reply::problem(Kind::InvalidRequest, detail),
    }
}

fn request(query: Option<&str>) -> Result<Presented, String> {
    let (mut target, mut method, mut fields) = (None, Method::GET, HeaderMap::new());
    for (name, value) in parameters(query)? {
        match name.as_str() {
            "url" => {
                let read = Target::from_url(&value).map_err(|error| format!("url: {error}"))?;
                target = Some(read);
            }
            "method" => {
                method = Method::from_bytes(value.as_bytes())
                    .map_err(|_| format!("method: {value:?} is not a method"))?;
            }
            "header" if fields.len() < MOST_FIELDS => {
                let (name, value) = field(&value)
                    .ok_or_else(|| format!("header: {value:?} is not a field: \"Name: value\""))?;
                fields.append(name, value);
            }
            "header" => return Err(format!("header: at most {MOST_FIELDS}")),
            _ => return Err(format!("{name:?}: the parameters are url, method and header")),
        }
    }
    let target =
        target.ok_or("url has to be there: scheme, host and path as visitors write them")?;
    Ok(Presented { method, ..Presented::of_our_own(target, fields) })
}

fn field(line: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = line.split_once(':')?;
    let name = HeaderName::from_bytes(name.trim().as_bytes()).ok()?;
    Some((name, HeaderValue::from_str(value.trim()).ok()?))
}
