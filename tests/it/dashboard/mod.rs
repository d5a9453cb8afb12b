//! The dashboard: who gets its page and its figures, the endpoints that it needs, and the
//! page itself in Chromium.

mod chromium;
mod doors;
mod events;
mod stored;

use crate::harness::{Larder, Origin, Response, reply, request};
use serde_json::Value;

/// A site whose answers bear a tag each, and vary by language.
fn site() -> Origin {
    Origin::answering(|seen| {
        let tag = format!("Cache-Tag: all, {}", seen.target.replace('/', "t"));
        let fields = ["Cache-Control: max-age=60", "Vary: Accept-Language", &tag];
        reply(200, &fields, &format!("the page {}", seen.target))
    })
}

/// Asks the admin port.
fn ask(larder: &Larder, path: &str, fields: &[(&str, &str)]) -> Response {
    let host = [("Host", "localhost")];
    let named = fields.iter().any(|(name, _)| *name == "Host");
    let fields = [if named { &[][..] } else { &host[..] }, fields].concat();
    request(larder.admin, "GET", path, &fields, b"")
}

/// A document of the admin port.
fn look(larder: &Larder, path: &str) -> Value {
    let answer = ask(larder, path, &[]);
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    serde_json::from_slice(&answer.body).expect("a JSON document")
}
