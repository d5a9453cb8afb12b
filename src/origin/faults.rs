//! What a failed exchange means: by whose fault it is.

use crate::error::{BodyError, OriginError};
use crate::tls;
use std::error::Error;
use std::io;
use std::sync::Arc;

/// The origin's fault, unless it was the request's own body that broke.
pub(super) fn broken(error: hyper::Error) -> OriginError {
    if let Some(error) = cause::<BodyError>(&error) {
        return OriginError::RequestBody(error.clone());
    }
    match cause::<io::Error>(&error) {
        // It has taken no byte for too long.
        Some(error) if error.kind() == io::ErrorKind::TimedOut => OriginError::FirstByteTimeout,
        // Under TLS 1.3 it says only after the handshake what is wrong with our certificate.
        Some(error) if let Some(why) = tls::failure(error) => {
            OriginError::Tls(Arc::new(io::Error::new(error.kind(), why)))
        }
        _ => OriginError::Broken(Arc::new(error)),
    }
}

/// The first cause of this type.
fn cause<E: Error + 'static>(error: &hyper::Error) -> Option<&E> {
    let mut causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.find_map(|cause| cause.downcast_ref())
}
