//! The beginning of a body that a client sends, before anybody else is troubled
//! with it.

use super::Body;
use super::held::Held;
use super::passing::Passing;
use crate::error::BodyError;
use http_body::{Body as _, Frame};
use http_body_util::BodyExt;

/// Reads up to `most` bytes of a body, and one piece more at most. One that is no
/// longer is in hand then; of a longer one the rest follows as it comes.
///
/// # Errors
/// [`BodyError`]: it did not come so far.
pub async fn begun(mut body: Passing, most: usize) -> Result<Body, BodyError> {
    let mut held = Held::counted(body.account());
    while held.length() < most && !body.is_end_stream() {
        let Some(frame) = body.frame().await else {
            return Ok(Body::Chunks(held.into_pieces()));
        };
        // Trailers have been left out before.
        let Ok(data) = frame?.into_data() else { continue };
        if held.length() == 0 && body.is_end_stream() {
            return Ok(Body::from(data));
        }
        held.push(&data);
    }
    let pieces = held.into_pieces();
    if body.is_end_stream() {
        return Ok(Body::Chunks(pieces));
    }
    Ok(Body::Passing(Box::new(body.put_back(pieces.into_iter().map(Frame::data)))))
}
