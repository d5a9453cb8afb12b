//! From a target URI to the key under which its responses are stored
//! (RFC 9111 section 2).
//!
//! Two requests have the same key exactly if the app could not tell their
//! targets apart: scheme, host with port, path and query, byte for byte. Keys
//! are compared whole; the hash only finds them.

mod target;

pub use target::{BadTarget, Host, Scheme, Target};

use equivalent::Equivalent;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::{Arc, OnceLock};
use xxhash_rust::xxh3::xxh3_128_with_seed;

/// The key of a stored response: its target, and a hash of it that is seeded
/// afresh in each process. Keys are equal if their targets are: two that collide
/// in the hash stay two keys.
#[derive(Clone, Debug)]
pub struct CacheKey(Arc<Hashed>);

#[derive(Debug)]
struct Hashed {
    hash: u128,
    target: Target,
}

impl CacheKey {
    /// The key of a target.
    pub fn new(target: Target) -> CacheKey {
        let hash = hash(target.scheme(), target.host(), target.path_and_query());
        CacheKey(Arc::new(Hashed { hash, target }))
    }

    /// The target that the key stands for.
    pub fn target(&self) -> &Target {
        &self.0.target
    }

    /// The hash, for tables that may confuse two keys without harm.
    pub fn hash(&self) -> u128 {
        self.0.hash
    }

    /// The keys of the same target under both schemes: what a purge covers,
    /// because the requests that purge do not say which is meant.
    pub fn in_both_schemes(&self) -> [CacheKey; 2] {
        [Scheme::Http, Scheme::Https].map(|scheme| CacheKey::new(self.target().with_scheme(scheme)))
    }

    /// Bytes that the key takes in memory, in two allocations.
    pub fn weight(&self) -> usize {
        size_of::<Hashed>() + 32 + self.target().length()
    }
}

/// A hash of a target's parts, each with its length, so that no two run into each
/// other.
fn hash(scheme: Scheme, host: &str, path_and_query: &str) -> u128 {
    static SEED: OnceLock<u64> = OnceLock::new();
    let seed = *SEED.get_or_init(|| RandomState::new().hash_one(0u8));
    let parts = [scheme.as_str(), host, path_and_query];
    let mut lengths = [0; 3 * size_of::<u64>()];
    for (length, part) in lengths.chunks_exact_mut(size_of::<u64>()).zip(parts) {
        length.copy_from_slice(&(part.len() as u64).to_be_bytes());
    }
    let pieces = [&lengths, scheme.as_str().as_bytes(), host.as_bytes(), path_and_query.as_bytes()];
    let length = pieces.iter().map(|piece| piece.len()).sum();
    let (mut short, mut long) = ([0; 512], Vec::new());
    let bytes = match short.get_mut(..length) {
        Some(bytes) => bytes,
        None => {
            long.resize(length, 0);
            &mut long[..]
        }
    };
    let mut rest = &mut bytes[..];
    for piece in pieces {
        let (own, others) = rest.split_at_mut(piece.len());
        own.copy_from_slice(piece);
        rest = others;
    }
    xxh3_128_with_seed(bytes, seed)
}

/// A key to look something up by, which borrows what it is made of.
#[derive(Clone, Copy, Debug)]
pub struct Sought<'a> {
    hash: u128,
    scheme: Scheme,
    host: &'a str,
    path_and_query: &'a str,
}

impl<'a> Sought<'a> {
    /// The key of this target; `None` if the host, which has to be
    /// [canonical](Host::canonical), ends with the scheme's own port, or the path
    /// doesn't begin with `/`: then a [`Target`] is written in another way.
    pub fn new(scheme: Scheme, host: &'a str, path_and_query: &'a str) -> Option<Sought<'a>> {
        let is_as_kept = !host.ends_with(scheme.default_port()) && path_and_query.starts_with('/');
        let hash = hash(scheme, host, path_and_query);
        is_as_kept.then_some(Sought { hash, scheme, host, path_and_query })
    }

    /// The [hash](CacheKey::hash) of the key.
    pub fn hash(&self) -> u128 {
        self.hash
    }

    /// The scheme.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host, without the scheme's own port.
    pub fn host(&self) -> &'a str {
        self.host
    }

    /// The path and query, byte for byte as they came.
    pub fn path_and_query(&self) -> &'a str {
        self.path_and_query
    }

    /// The path alone.
    pub fn path(&self) -> &'a str {
        self.path_and_query.split('?').next().unwrap_or_default()
    }
}

impl Hash for Sought<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.hash.hash(state);
    }
}

impl Equivalent<CacheKey> for Sought<'_> {
    fn equivalent(&self, key: &CacheKey) -> bool {
        let target = key.target();
        self.hash == key.hash()
            && self.scheme == target.scheme()
            && self.host == target.host()
            && self.path_and_query == target.path_and_query()
    }
}

impl PartialEq for CacheKey {
    fn eq(&self, other: &CacheKey) -> bool {
        self.hash() == other.hash() && self.target() == other.target()
    }
}

impl Eq for CacheKey {}

impl Hash for CacheKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(url: &str) -> CacheKey {
        CacheKey::new(Target::from_url(url).expect("a URL"))
    }

    #[test]
    fn keys_differ_in_whatever_the_app_can_see() {
        let base = key("http://example.com/a?b=1");
        assert_eq!(base, key("http://EXAMPLE.com:80/a?b=1"));
        assert_eq!(key("http://example.com/?b=1"), key("http://example.com?b=1"));
        for other in [
            "https://example.com/a?b=1",
            "http://example.com:8080/a?b=1",
            "http://example.org/a?b=1",
            "http://example.com/a?b=2",
            "http://example.com/A?b=1",
            "http://example.com/%61?b=1",
            "http://example.com/a/?b=1",
            "http://example.com/a",
        ] {
            assert_ne!(base, key(other), "{other}");
        }
    }

    #[test]
    fn what_is_written_is_no_command_to_a_terminal() {
        let written = |url: &str| key(url).target().to_string();
        assert_eq!(written("http://a.test/\u{9b}31mred"), "http://a.test/%C2%9B31mred");
        assert_eq!(written("http://a.test/\u{e4}?b"), "http://a.test/\u{e4}?b");
    }

    #[test]
    fn both_schemes_keep_host_port_and_path() {
        let both = key("https://example.com:8443/x?y").in_both_schemes();
        assert!(both.contains(&key("http://example.com:8443/x?y")));
        assert!(both.contains(&key("https://example.com:8443/x?y")));
        let both = key("http://example.com/").in_both_schemes();
        assert!(both.contains(&key("https://example.com/")));
    }
}
