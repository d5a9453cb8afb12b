//! Small documents that clients send, to be read whole.

use bytes::Bytes;
use http_body::Body as _;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use std::time::Duration;
use tokio::time::timeout;

/// The longest time for a document to come whole.
const PATIENCE: Duration = Duration::from_secs(30);
/// Of a document that is too large so many bytes more are read and dropped. If they
/// were left, the connection would be reset, and the answer lost with it.
const DROPPED: usize = 16 << 20;

/// Of a body that nobody wants at most so many bytes are read, and for so long, to keep its
/// connection.
const UNWANTED: usize = 64 << 10;
const UNWANTED_PATIENCE: Duration = Duration::from_millis(50);

/// Why a document could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// It is larger than allowed.
    TooLarge,
    /// It broke off.
    Broken,
    /// It did not come within 30 s.
    Late,
}

/// Reads a document of at most so many bytes.
///
/// # Errors
/// [`Unread`], why not.
pub async fn document(body: &mut Incoming, most: usize) -> Result<Bytes, Unread> {
    let reading = async {
        match Limited::new(&mut *body, most).collect().await {
            Ok(collected) => Ok(collected.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => {
                drop_some(body, DROPPED).await;
                Err(Unread::TooLarge)
            }
            Err(_) => Err(Unread::Broken),
        }
    };
    timeout(PATIENCE, reading).await.unwrap_or(Err(Unread::Late))
}

/// Whether a body that nobody wants is over, once what is short and has come is read. If it
/// isn't, nothing more can be read on its connection. One that its client would only send
/// when it is told to is not read: that would tell it.
pub async fn is_over(body: &mut Incoming, is_expected: bool) -> bool {
    if body.is_end_stream() || is_expected {
        return body.is_end_stream();
    }
    timeout(UNWANTED_PATIENCE, drop_some(body, UNWANTED)).await.unwrap_or(false)
}

/// Reads at most so many bytes. Returns whether there were no more.
async fn drop_some(body: &mut Incoming, most: usize) -> bool {
    let mut left = most;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return false };
        match left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) {
            Some(less) => left = less,
            None => return false,
        }
    }
    true
}
