//! What clients look for in the answer to a purge: 200 even if nothing was there,
//! a reason phrase, a number, JSON of a certain shape.

use http::StatusCode;
use serde_json::json;
use std::borrow::Cow;

/// How a client is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Manner {
    /// `Purged`.
    Purged,
    /// `Banned`.
    Banned,
    /// `Ban added.`
    BanAdded,
    /// `Purged`, or `Not found`, with 200 in either case.
    Found,
    /// `Invalidated N objects`.
    Invalidated,
    /// `Purged N objects, expired M objects`.
    Xkey,
    /// `Successful <what> request: N objects removed`, as the body too.
    Successful(&'static str),
    /// Fastly's JSON for one purge.
    Fastly,
    /// Fastly's JSON for a purge of these keys.
    FastlyKeys(Vec<Box<str>>),
    /// Cloudflare's JSON for this zone.
    Cloudflare(Box<str>),
}

/// An answer, as it is put into words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Its status.
    pub status: StatusCode,
    /// Its reason phrase; empty for the status's own.
    pub reason: Cow<'static, str>,
    /// The type of its body.
    pub content_type: &'static str,
    /// Its body.
    pub body: String,
}

const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

impl Manner {
    /// What is said of a purge that is done: how many responses are gone, how many
    /// are stale, and the purge's number.
    pub fn done(&self, gone: usize, stale: usize, number: u64) -> Said {
        let all = gone + stale;
        let said = |reason: Cow<'static, str>, content_type, body| Said {
            status: StatusCode::OK,
            reason,
            content_type,
            body,
        };
        let counted = |reason: Cow<'static, str>| said(reason, JSON, line(&json!({"purged": all})));
        let id = number.to_string();
        match self {
            Manner::Purged => counted("Purged".into()),
            Manner::Banned => counted("Banned".into()),
            Manner::BanAdded => counted("Ban added.".into()),
            Manner::Found if all == 0 => counted("Not found".into()),
            Manner::Found => counted("Purged".into()),
            Manner::Invalidated => counted(format!("Invalidated {all} objects").into()),
            Manner::Xkey => {
                counted(format!("Purged {gone} objects, expired {stale} objects").into())
            }
            Manner::Successful(what) => {
                let sentence = format!("Successful {what} request: {all} objects removed");
                let body = format!("{sentence}\n");
                said(sentence.into(), TEXT, body)
            }
            Manner::Fastly => said("".into(), JSON, line(&json!({"status": "ok", "id": id}))),
            Manner::FastlyKeys(keys) => {
                let mut document = json!({});
                for key in keys {
                    document[&**key] = id.as_str().into();
                }
                said("".into(), JSON, line(&document))
            }
            Manner::Cloudflare(zone) => {
                let result = json!({"id": zone});
                let none: [&str; 0] = [];
                let document =
                    json!({"success": true, "errors": none, "messages": none, "result": result});
                said("".into(), JSON, line(&document))
            }
        }
    }
}

pub(super) fn refusal(status: StatusCode, detail: &str) -> Said {
    let body = format!("{status}\n\n{detail}\n");
    Said { status, reason: "".into(), content_type: TEXT, body }
}

pub(super) fn fastly_refusal(status: StatusCode, detail: &str) -> Said {
    let message = status.canonical_reason().unwrap_or_default();
    let body = line(&json!({"msg": message, "detail": detail}));
    Said { status, reason: "".into(), content_type: JSON, body }
}

pub(super) fn cloudflare_refusal(status: StatusCode, detail: &str) -> Said {
    let none: [&str; 0] = [];
    // 1012 is the code of a request that can't be read; 10000 of one without right.
    let code = if status == StatusCode::BAD_REQUEST { 1012 } else { 10000 };
    let error = json!({"code": code, "message": detail});
    let document = json!({"success": false, "errors": [error], "messages": none, "result": null});
    Said { status, reason: "".into(), content_type: JSON, body: line(&document) }
}

fn line(document: &serde_json::Value) -> String {
    format!("{document}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_each_client_looks_for() {
        let keys = Manner::FastlyKeys(vec!["a".into(), "b".into()]);
        for (manner, gone, stale, reason, body) in [
            (Manner::Purged, 0, 0, "Purged", "{\"purged\":0}\n"),
            (Manner::Banned, 2, 0, "Banned", "{\"purged\":2}\n"),
            (Manner::BanAdded, 1, 0, "Ban added.", "{\"purged\":1}\n"),
            (Manner::Found, 0, 0, "Not found", "{\"purged\":0}\n"),
            (Manner::Found, 0, 1, "Purged", "{\"purged\":1}\n"),
            (Manner::Invalidated, 3, 0, "Invalidated 3 objects", "{\"purged\":3}\n"),
            (Manner::Xkey, 2, 1, "Purged 2 objects, expired 1 objects", "{\"purged\":3}\n"),
            (
                Manner::Successful("purgetag"),
                4,
                0,
                "Successful purgetag request: 4 objects removed",
                "Successful purgetag request: 4 objects removed\n",
            ),
            (Manner::Fastly, 1, 0, "", "{\"id\":\"7\",\"status\":\"ok\"}\n"),
            (keys, 1, 0, "", "{\"a\":\"7\",\"b\":\"7\"}\n"),
            (
                Manner::Cloudflare("z".into()),
                1,
                0,
                "",
                "{\"errors\":[],\"messages\":[],\"result\":{\"id\":\"z\"},\"success\":true}\n",
            ),
        ] {
            let said = manner.done(gone, stale, 7);
            assert_eq!(said.status, StatusCode::OK, "{manner:?}");
            assert_eq!((&*said.reason, said.body.as_str()), (reason, body), "{manner:?}");
        }
    }
}
