//! The body of an answer, as far as it is waited for: some have no end.

use bytes::Bytes;
use http::header::{self, HeaderMap};
use http_body::Body;
use http_body_util::BodyExt;
use std::fmt::Display;
use std::time::Duration;

/// How long nothing may come before it isn't waited for any more.
const QUIET: Duration = Duration::from_secs(5);

/// The longest that all of it may take.
const LONGEST: Duration = Duration::from_secs(60);

/// The most of it that is kept to be printed.
const MOST: usize = 64 << 20;

/// Why not all of a body was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    Events,
    Quiet,
    Long,
    Large,
}

impl Left {
    pub fn sentence(self) -> String {
        match self {
            Left::Events => {
                "The body is a stream of events, which has no end: it was not read.".into()
            }
            Left::Quiet => format!(
                "Nothing more of the body came for {} s: it was not waited for. What does not end is not kept.",
                QUIET.as_secs()
            ),
            Left::Long => format!(
                "The body had not ended after {} s: it was not waited for. What does not end is not kept.",
                LONGEST.as_secs()
            ),
            Left::Large => {
                format!("The body is larger than {} MiB: the rest is left out.", MOST >> 20)
            }
        }
    }
}

/// Whether an answer is a stream of events.
pub(super) fn is_of_events(fields: &HeaderMap) -> bool {
    let value = fields.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = value.and_then(|value| value.split(';').next()).unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case("text/event-stream")
}

/// Takes a body, since larder stores only what somebody has taken whole; keeps it if it is to
/// be shown.
///
/// # Errors
/// A sentence that says what failed.
pub(super) async fn take<B>(body: B, keep: bool) -> Result<(Vec<u8>, Option<Left>), String>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Display,
{
    let mut kept = Vec::new();
    match tokio::time::timeout(LONGEST, frames(body, keep.then_some(&mut kept))).await {
        Ok(ended) => ended.map(|left| (kept, left)),
        Err(_) => Ok((kept, Some(Left::Long))),
    }
}

async fn frames<B>(mut body: B, mut keep: Option<&mut Vec<u8>>) -> Result<Option<Left>, String>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Display,
{
    loop {
        let Ok(next) = tokio::time::timeout(QUIET, body.frame()).await else {
            return Ok(Some(Left::Quiet));
        };
        let Some(frame) = next.transpose().map_err(|error| error.to_string())? else {
            return Ok(None);
        };
        if let (Some(kept), Some(data)) = (&mut keep, frame.data_ref()) {
            let room = MOST - kept.len();
            kept.extend_from_slice(&data[..data.len().min(room)]);
            if data.len() > room {
                return Ok(Some(Left::Large));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use http_body_util::Full;
    use http_body_util::channel::Channel;
    use std::convert::Infallible;

    /// Time is not waited for here: it goes on by itself when all stand still.
    #[tokio::test(start_paused = true)]
    async fn a_body_without_an_end_is_left() {
        let whole = take(Full::new(Bytes::from("page")), true).await;
        assert_eq!(whole, Ok((b"page".to_vec(), None)));
        let (mut sender, body) = Channel::<Bytes, Infallible>::new(4);
        sender.send_data(Bytes::from("one")).await.expect("room");
        assert_eq!(take(body, true).await, Ok((b"one".to_vec(), Some(Left::Quiet))));
        drop(sender);
        let (mut sender, body) = Channel::<Bytes, Infallible>::new(1);
        tokio::spawn(async move {
            let mut seconds = tokio::time::interval(Duration::from_secs(1));
            while sender.send_data(Bytes::from("tick")).await.is_ok() {
                seconds.tick().await;
            }
        });
        assert_eq!(take(body, false).await, Ok((Vec::new(), Some(Left::Long))));
        let large = Full::new(Bytes::from(vec![0; MOST + 1]));
        assert!(
            take(large, true)
                .await
                .is_ok_and(|(kept, left)| { (kept.len(), left) == (MOST, Some(Left::Large)) })
        );
    }

    #[test]
    fn a_stream_of_events_is_known_by_its_type() {
        for (value, expected) in [
            ("text/event-stream", true),
            ("Text/Event-Stream; charset=utf-8", true),
            ("text/html", false),
        ] {
            let mut fields = HeaderMap::new();
            fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(value));
            assert_eq!(is_of_events(&fields), expected, "{value}");
        }
        assert!(!is_of_events(&HeaderMap::new()));
    }
}
