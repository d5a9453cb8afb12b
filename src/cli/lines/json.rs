//! A line of larder's access log in JSON.

use super::{Record, time};
use serde::Deserialize;
use std::borrow::Cow;

/// The members that matter; others may come.
#[derive(Deserialize)]
struct Members<'a> {
    #[serde(borrow)]
    method: Cow<'a, str>,
    #[serde(borrow)]
    target: Cow<'a, str>,
    #[serde(borrow, default)]
    host: Option<Cow<'a, str>>,
    status: u16,
    bytes: u64,
    #[serde(borrow, default)]
    outcome: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    reason: Option<Cow<'a, str>>,
    #[serde(default)]
    broken: bool,
    #[serde(default)]
    stored: Option<bool>,
    #[serde(borrow, default)]
    time: Option<Cow<'a, str>>,
}

pub(super) fn read(line: &str) -> Option<Record<'_>> {
    let members: Members<'_> = serde_json::from_str(line).ok()?;
    Some(Record {
        method: members.method,
        target: members.target,
        host: members.host,
        status: members.status,
        bytes: members.bytes,
        cache: members.outcome,
        detail: members.reason,
        broken: members.broken,
        stored: members.stored,
        time: members.time.as_deref().and_then(time::rfc3339),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn larders_own_lines_are_read() {
        let line = r#"{"agent":null,"broken":false,"bytes":5,"outcome":"uri-miss","reason":"private","host":"a.test","method":"GET","seconds":0.012,"status":200,"stored":false,"target":"/a\"b"}"#;
        let record = read(line).expect("a record");
        assert_eq!((&*record.target, record.host.as_deref()), ("/a\"b", Some("a.test")));
        assert_eq!((record.status, record.bytes, record.stored), (200, 5, Some(false)));
        assert_eq!(record.detail.as_deref(), Some("private"));
        for other in
            ["{}", "{\"method\":\"GET\"}", "{", "[]", "{\"level\":\"info\",\"status\":\"x\"}"]
        {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
