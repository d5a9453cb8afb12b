//! Small documents that clients send, to be read whole.

use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use std::time::Duration;
use tokio::time::timeout;

/// The longest time for a document to come whole.
const PATIENCE: Duration = Duration::from_secs(30);
/// Of a document that is too large so many bytes more are read and dropped. If they
/// were left, the connection would be reset, and the answer lost with it.
const DROPPED: usize = 16 << 20;

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
pub async fn document(mut body: Incoming, most: usize) -> Result<Bytes, Unread> {
    let reading = async {
        match Limited::new(&mut body, most).collect().await {
            Ok(collected) => Ok(collected.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => {
                drop_some(&mut body).await;
                Err(Unread::TooLarge)
            }
            Err(_) => Err(Unread::Broken),
        }
    };
    timeout(PATIENCE, reading).await.unwrap_or(Err(Unread::Late))
}

async fn drop_some(body: &mut Incoming) {
    let mut left = DROPPED;
    while let Some(Ok(frame)) = body.frame().await {
        match left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) {
            Some(less) => left = less,
            None => return,
        }
    }
}
