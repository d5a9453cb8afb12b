//! `GET /v1/events`: the numbers once a second, and each new purge, as server-sent events.
//!
//! A stream is a task that makes an event only when the last one has been taken; whoever
//! takes none for a while is dropped by the connection (see [`super::STALL`]).

use super::problem::Kind;
use super::query::parameters;
use super::routes::Asker;
use super::{Admin, Configured, inspect, purges, reply};
use crate::proxy::Shared;
use bytes::Bytes;
use http::HeaderValue;
use http::Response;
use http_body_util::channel::{Channel, Sender};
use http_body_util::{BodyExt, Either};
use std::fmt::Write;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{MissedTickBehavior, interval};

/// Streams at a time.
pub(super) const MOST: usize = 16;
/// Purges that are told of with one set of numbers; of more, the newest.
const PURGES: usize = 50;
/// From one set of numbers to the next.
const PERIOD: Duration = Duration::from_secs(1);

/// Begins a stream. The purges are those with a higher number than `since`, or those that
/// are made from now on.
pub(super) fn answer(
    admin: &Admin,
    asker: &Asker<'_>,
    query: Option<&str>,
) -> Response<reply::Sent> {
    let since = match since(query) {
        Ok(since) => since,
        Err(detail) => return reply::problem(Kind::InvalidRequest, detail).map(Either::Left),
    };
    let Ok(permit) = Semaphore::try_acquire_owned(admin.streams.clone()) else {
        let detail = format!("there are {MOST} streams of events already");
        return reply::too_many_streams(detail).map(Either::Left);
    };
    let last = asker.shared.audit.list(0, 1, |_| true).first().map_or(0, |record| record.number);
    let (sender, body) = Channel::new(1);
    let stream = Stream {
        shared: asker.shared.clone(),
        since: since.unwrap_or(last),
        configured: admin.current.clone(),
        closed: admin.closed.clone(),
        _permit: permit,
    };
    tokio::spawn(stream.run(sender));
    let mut response = reply::begun("text/event-stream");
    // nginx would keep events until there are enough of them.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response.map(|()| Either::Right(body))
}

fn since(query: Option<&str>) -> Result<Option<u64>, String> {
    let mut since = None;
    for (name, value) in parameters(query)? {
        let digits = value.bytes().all(|b| b.is_ascii_digit()).then_some(&value);
        match (&*name, digits.and_then(|digits| digits.parse().ok())) {
            ("since", Some(number)) => since = Some(number),
            ("since", None) => return Err("since has to be the number of a purge".to_string()),
            _ => return Err("the only parameter is since".to_string()),
        }
    }
    Ok(since)
}

struct Stream {
    shared: Shared,
    /// The number of the last purge that was told of.
    since: u64,
    configured: watch::Receiver<Configured>,
    closed: watch::Receiver<bool>,
    _permit: OwnedSemaphorePermit,
}

impl Stream {
    /// Ends when nobody listens, when the process has closed, and when the configuration has
    /// changed: whoever listened has to be let in anew.
    async fn run(mut self, mut sender: Sender<Bytes>) {
        self.configured.mark_unchanged();
        let mut ticks = interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                _ = self.configured.changed() => return,
                _ = self.closed.wait_for(|closed| *closed) => return,
            }
            let events = self.events().await;
            tokio::select! {
                sent = sender.send_data(events) => if sent.is_err() { return },
                _ = self.configured.changed() => return,
                _ = self.closed.wait_for(|closed| *closed) => return,
            }
        }
    }

    /// The new purges, the oldest first, and the numbers.
    async fn events(&mut self) -> Bytes {
        let mut text = String::new();
        let records = self.shared.audit.list(self.since, PURGES, |_| true);
        for record in records.iter().rev() {
            let (number, document) = (record.number, purges::written(record));
            let _ = write!(text, "event: purge\nid: {number}\ndata: {document}\n\n");
            self.since = number;
        }
        let mut events = text.into_bytes();
        let Ok(numbers) = inspect::stats(&self.shared).into_body().collect().await;
        events.extend_from_slice(b"event: stats\ndata: ");
        events.extend_from_slice(numbers.to_bytes().trim_ascii());
        events.extend_from_slice(b"\n\n");
        events.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_only_parameter_is_the_number_of_a_purge() {
        assert_eq!(since(None), Ok(None));
        assert_eq!(since(Some("since=0")), Ok(Some(0)));
        for query in ["since=", "since=-1", "since=+1", "since=x", "other=1", "since=%FF"] {
            assert!(since(Some(query)).is_err(), "{query}");
        }
    }
}
