//! What a failed exchange means: by whose fault it is.

use crate::error::{BodyError, OriginError};
use std::sync::Arc;

/// Whether the origin has taken no byte for too long.
fn took_nothing(error: &hyper::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(error) = cause.downcast_ref::<std::io::Error>() {
            return error.kind() == std::io::ErrorKind::TimedOut;
        }
        source = cause.source();
    }
    false
}

/// The origin's fault, unless it was the request's own body that broke.
pub(super) fn broken(error: hyper::Error) -> OriginError {
    match body_error(&error) {
        Some(error) => OriginError::RequestBody(error),
        None if took_nothing(&error) => OriginError::FirstByteTimeout,
        None => OriginError::Broken(Arc::new(error)),
    }
}

fn body_error(error: &hyper::Error) -> Option<BodyError> {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(error) = cause.downcast_ref::<BodyError>() {
            return Some(error.clone());
        }
        source = cause.source();
    }
    None
}
