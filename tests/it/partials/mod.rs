//! Parts: stored, answered from, combined and made whole (RFC 9111 sections 3.3
//! and 3.4).

mod growing;
mod rules;
mod stale;

use crate::harness::{
    Gate, House, Larder, Origin, Response, Seen, get, reply, request, together, wait_until,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

pub const BODY: &str = "0123456789";
pub const FRESH: &str = "Cache-Control: max-age=60";

/// What an origin that knows ranges says of this body. `fields` are those of
/// every answer, validators among them.
pub fn served(seen: &Seen, fields: &[&str], body: &str) -> String {
    let tag = fields.iter().find_map(|field| field.strip_prefix("ETag: "));
    if tag.is_some() && seen.field("if-none-match") == tag {
        return reply(304, fields, "");
    }
    let unchanged = seen.field("if-range").is_none_or(|condition| tag == Some(condition));
    let range = seen.field("range").filter(|_| unchanged);
    let Some((first, last)) = range.and_then(|r| r.strip_prefix("bytes=")?.split_once('-')) else {
        return reply(200, fields, body);
    };
    let number = |text: &str, default| text.parse::<usize>().unwrap_or(default);
    let end = body.len() - 1;
    let (first, last) = match first {
        "" => (body.len().saturating_sub(number(last, 0)), end),
        first => (number(first, 0), number(last, end).min(end)),
    };
    if first > end {
        let place = format!("Content-Range: bytes */{}", body.len());
        return reply(416, &[fields, &[&place]].concat(), "");
    }
    let place = format!("Content-Range: bytes {first}-{last}/{}", body.len());
    reply(206, &[fields, &[&place]].concat(), &body[first..=last])
}

pub fn serving(fields: &'static [&'static str]) -> Origin {
    Origin::answering(move |seen| served(seen, fields, BODY))
}

impl House {
    fn ask(&self, fields: &[(&str, &str)]) -> Response {
        get(self.running.addresses()[0], "/", fields)
    }

    fn part(&self, range: &str) -> Response {
        self.ask(&[("Range", &format!("bytes={range}"))])
    }

    fn purge(&self, tag: &str) {
        let admin = self.running.admin().expect("an admin port");
        let document = format!("{{\"tags\": [\"{tag}\"]}}");
        let host = [("Host", "localhost")];
        assert_eq!(request(admin, "POST", "/v1/purge", &host, document.as_bytes()).status, 200);
    }
}

#[track_caller]
pub fn assert_part(answer: &Response, text: &str, place: &str, status: &str) {
    assert_eq!((answer.status, answer.text().as_str()), (206, text));
    assert_eq!(answer.field("content-range"), Some(format!("bytes {place}").as_str()));
    assert_eq!(answer.field("content-length"), Some(text.len().to_string().as_str()));
    assert_eq!(answer.cache_status(), format!("larder; {status}"));
}

#[track_caller]
pub fn assert_whole(answer: &Response, status: &str) {
    assert_eq!((answer.status, answer.text().as_str()), (200, BODY));
    assert_eq!(answer.field("content-range"), None);
    assert_eq!(answer.field("content-length"), Some("10"));
    assert_eq!(answer.cache_status(), format!("larder; {status}"));
}

pub const STORED: &str = "fwd=uri-miss; stored";
pub const MORE: &str = "fwd=partial; stored";
