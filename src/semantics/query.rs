//! What a QUERY asks for besides its target (RFC 10008): its content belongs to
//! the key.

use super::seed::seed;
use http::header::{self, HeaderMap, HeaderName};
use std::hash::{Hash, Hasher};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The content of a QUERY, and the fields that describe it. Two queries of one
/// target ask for the same if these are equal, byte for byte: what a format
/// takes for the same is the app's knowledge.
///
/// ```
/// use http::{HeaderMap, HeaderValue, header::{ACCEPT, CONTENT_TYPE}};
/// use larder::semantics::query::QueryContent;
///
/// let fields = |media_type| {
///     HeaderMap::from_iter([
///         (ACCEPT, HeaderValue::from_static("*/*")),
///         (CONTENT_TYPE, HeaderValue::from_static(media_type)),
///     ])
/// };
/// let json = QueryContent::of(&fields("application/json"), b"{}");
/// assert_eq!(json, QueryContent::of(&fields("application/json"), b"{}"));
/// assert_ne!(json, QueryContent::of(&fields("application/json"), b"{ }"));
/// assert_ne!(json, QueryContent::of(&fields("text/plain"), b"{}"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryContent {
    /// Of all that follows, seeded afresh in each process: whoever has a table of these looks
    /// at the content itself only to compare it with an equal one.
    hash: u64,
    /// By name; lines of one name in their order.
    described: Box<[(HeaderName, Box<[u8]>)]>,
    bytes: Box<[u8]>,
}

impl QueryContent {
    /// Content with these request fields. Every field whose name begins with
    /// `Content-` describes it, but for its length.
    pub fn of(request: &HeaderMap, content: &[u8]) -> QueryContent {
        let mut described: Vec<(HeaderName, Box<[u8]>)> = request
            .iter()
            .filter(|(name, _)| {
                name.as_str().starts_with("content-") && **name != header::CONTENT_LENGTH
            })
            .map(|(name, value)| (name.clone(), value.as_bytes().into()))
            .collect();
        described.sort_by(|(one, _), (other, _)| one.as_str().cmp(other.as_str()));
        let texts = described.iter().flat_map(|(name, value)| [name.as_str().as_bytes(), value]);
        // Each is hashed into the seed of the next: nothing is glued together.
        let seed = texts.fold(seed(), |seed, text| xxh3_64_with_seed(text, seed));
        let hash = xxh3_64_with_seed(content, seed);
        QueryContent { hash, described: described.into(), bytes: content.into() }
    }

    /// The content.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Bytes that it takes in memory.
    pub fn weight(&self) -> usize {
        let member = size_of::<(HeaderName, Box<[u8]>)>() + 16;
        let described = self.described.iter();
        let described: usize = described.map(|(n, v)| n.as_str().len() + v.len() + member).sum();
        size_of::<QueryContent>() + described + self.bytes.len()
    }
}

impl Hash for QueryContent {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantics::testing::fields;

    #[test]
    fn what_describes_the_content_counts_and_nothing_else_does() {
        let of = |lines: &[(&str, &str)]| QueryContent::of(&fields(lines), b"x");
        let plain = [("content-type", "text/plain"), ("content-encoding", "gzip")];
        let base = of(&plain);
        let with = |line| of(&[plain[0], plain[1], line]);
        for same in [
            with(("content-length", "1")),
            with(("accept", "text/html")),
            of(&[plain[1], plain[0]]),
        ] {
            assert_eq!(base, same);
        }
        for other in [
            of(&plain[..1]),
            with(("content-language", "de")),
            with(("content-type", "text/plain")),
            of(&[("content-type", "text/html"), plain[1]]),
        ] {
            assert_ne!(base, other);
        }
    }
}
