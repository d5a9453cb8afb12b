//! `GET /v1/log`: requests as they are answered, one JSON object a line, for as long as
//! somebody takes them.

use super::problem::Kind;
use super::query::parameters;
use super::routes::Asker;
use super::{Admin, Configured, reply, until};
use crate::access_log::{Filter, Onlooker};
use bytes::Bytes;
use http::HeaderValue;
use http::Response;
use http_body_util::Either;
use http_body_util::channel::{Channel, Sender};
use std::time::Duration;
use tokio::sync::watch;

/// After what time without a request an empty line is sent: who has gone without a word is
/// found out by it.
const STILL_HERE: Duration = Duration::from_secs(15);

/// Begins to tell of requests.
pub(super) fn answer(
    admin: &Admin,
    asker: &Asker<'_>,
    query: Option<&str>,
) -> Response<reply::Sent> {
    let filter = match filter(query) {
        Ok(filter) => filter,
        Err(detail) => return reply::problem(Kind::InvalidRequest, detail).map(Either::Left),
    };
    let onlooker = match asker.shared.log.follow(filter) {
        Ok(onlooker) => onlooker,
        Err(too_many) => {
            return reply::too_many_streams(too_many.to_string()).map(Either::Left);
        }
    };
    let (sender, body) = Channel::new(1);
    let (configured, closed) = (admin.current.clone(), admin.closed.clone());
    tokio::spawn(tell(onlooker, sender, configured, closed));
    let mut response = reply::begun("application/x-ndjson");
    // nginx would keep lines until there are enough of them.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response.map(|()| Either::Right(body))
}

/// Which requests are wanted.
fn filter(query: Option<&str>) -> Result<Filter, String> {
    let mut filter = Filter::default();
    for (name, value) in parameters(query)? {
        if name != "filter" {
            return Err("the only parameter is filter".to_string());
        }
        filter = Filter::parse(&value).map_err(|mistake| mistake.to_string())?;
    }
    Ok(filter)
}

/// Ends when nobody takes lines any more, when the process has closed, and when the
/// configuration has changed: whoever follows has to be let in anew.
async fn tell(
    onlooker: Onlooker,
    mut sender: Sender<Bytes>,
    mut configured: watch::Receiver<Configured>,
    mut closed: watch::Receiver<bool>,
) {
    configured.mark_unchanged();
    // At once, so that whoever follows knows that it does.
    let mut lines = Bytes::from_static(b"\n");
    loop {
        tokio::select! {
            sent = sender.send_data(lines) => if sent.is_err() { return },
            _ = configured.changed() => return,
            () = until(&mut closed) => return,
        }
        lines = tokio::select! {
            lines = onlooker.lines() => lines.into(),
            () = tokio::time::sleep(STILL_HERE) => Bytes::from_static(b"\n"),
            _ = configured.changed() => return,
            () = until(&mut closed) => return,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_read_from_the_query() {
        let read = |text: &str| Filter::parse(text).expect("a filter");
        for (query, expected) in [
            (None, ""),
            (Some(""), ""),
            (Some("filter="), ""),
            (Some("filter=status%3E%3D500+path%3D/a%2Fb*"), "status>=500 path=/a/b*"),
        ] {
            assert_eq!(filter(query), Ok(read(expected)), "{query:?}");
        }
        for (query, what) in [
            ("other=1", "the only parameter is filter"),
            ("filter=%FF", "\"%FF\" is not UTF-8, percent-encoded"),
            ("filter=status%3Ea", "at character 8 of the filter: `a` is no number"),
        ] {
            assert_eq!(filter(Some(query)), Err(what.to_string()));
        }
    }
}
