//! What a visitor's browser does with an answer: the view of a private cache, by
//! `http-cache-semantics`.

use crate::semantics::fields::members;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Request, Response, StatusCode};
use http_cache_semantics::{CacheOptions, CachePolicy};
use serde::Serialize;
use std::time::SystemTime;

/// What a browser does.
#[derive(Debug, Serialize)]
pub struct Browser {
    /// In a sentence.
    pub sentence: String,
    /// For how many seconds it doesn't ask again.
    pub fresh_for: u64,
}

/// The fields that a private cache goes by.
const TOLD: [HeaderName; 8] = [
    header::CACHE_CONTROL,
    header::PRAGMA,
    header::EXPIRES,
    header::DATE,
    header::ETAG,
    header::LAST_MODIFIED,
    header::VARY,
    header::AGE,
];

/// The greatest age that is told; the crate does not take all that may be written.
const MOST_AGE: u64 = 1 << 31;

/// What a browser does with an answer to a GET of this target, received now.
pub fn browser(
    url: &str,
    status: StatusCode,
    fields: &HeaderMap,
    now: SystemTime,
) -> Option<Browser> {
    let request = Request::get(url).body(()).ok()?;
    let mut response = Response::new(());
    *response.status_mut() = status;
    *response.headers_mut() = canonical(fields);
    let options = CacheOptions { shared: false, ..CacheOptions::default() };
    let policy = CachePolicy::new_options(&request, &response, now, options);
    let fresh_for = policy.time_to_live(now).as_secs();
    let validates = fields.contains_key(header::ETAG) || fields.contains_key(header::LAST_MODIFIED);
    let sentence = match (policy.is_storable(), fresh_for, validates) {
        (false, _, _) => "keeps nothing, and asks again each time".to_string(),
        (true, 0, true) => "keeps it, and asks each time whether it has changed (304)".to_string(),
        (true, 0, false) => {
            "keeps it, and asks for all of it again each time: there is no validator".to_string()
        }
        (true, fresh, _) => format!(
            "shows it for {fresh} s without asking: a purge reaches who has it only after that"
        ),
    };
    Some(Browser { sentence, fresh_for: if policy.is_storable() { fresh_for } else { 0 } })
}

/// The same fields in lower case and one line each, which is all that the crate reads.
fn canonical(fields: &HeaderMap) -> HeaderMap {
    let mut canonical = HeaderMap::new();
    for name in TOLD {
        let is_list = name == header::CACHE_CONTROL || name == header::VARY;
        let value = match is_list {
            true => {
                let all: Vec<&[u8]> = members(fields, &name).collect();
                HeaderValue::from_bytes(&all.join(&b", "[..]).to_ascii_lowercase()).ok()
            }
            false => fields.get(&name).cloned(),
        };
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            canonical.insert(name, value);
        }
    }
    let age = fields.get(header::AGE).and_then(|age| age.to_str().ok());
    let age = age.and_then(|age| age.trim().parse::<u64>().ok()).unwrap_or_default();
    canonical.insert(header::AGE, HeaderValue::from(age.min(MOST_AGE)));
    canonical
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(lines: &[(&'static str, &'static str)]) -> (u64, String) {
        let mut fields = HeaderMap::new();
        for (name, value) in lines {
            fields.append(*name, HeaderValue::from_static(value));
        }
        let now = SystemTime::UNIX_EPOCH;
        let told = browser("http://a.example/", StatusCode::OK, &fields, now).expect("a URL");
        (told.fresh_for, told.sentence)
    }

    #[test]
    fn a_private_cache_is_not_a_shared_one() {
        for (lines, fresh, words) in [
            (&[("cache-control", "Private, MAX-AGE=60")][..], 60, "shows it for 60 s"),
            (&[("cache-control", "s-maxage=600")], 0, "no validator"),
            (&[("cache-control", "s-maxage=600"), ("etag", "\"1\"")], 0, "304"),
            (&[("cache-control", "No-Store")], 0, "keeps nothing"),
            (&[("cache-control", "max-age=60"), ("age", "50")], 10, "shows it for 10 s"),
            (&[("cache-control", "max-age=60"), ("age", "99999999999999999999999")], 60, "shows"),
            (&[("cache-control", "max-age=60"), ("age", "18446744073709551615")], 0, "asks"),
            (&[("cache-control", "max-age=99999999999999999999")], 0, "asks"),
        ] {
            let (seconds, sentence) = told(lines);
            assert_eq!(seconds, fresh, "{lines:?}: {sentence}");
            assert!(sentence.contains(words), "{lines:?}: {sentence}");
        }
    }
}
