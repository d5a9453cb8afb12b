//! Names of what responses are found and forgotten by, all of one size: a table
//! of them needs no texts.

use crate::key::{CacheKey, Target};
use crate::semantics::seed::seed;
use crate::semantics::tags::Tags;
use std::hash::{BuildHasherDefault, Hasher};
use xxhash_rust::xxh3::{xxh3_64_with_seed, xxh3_128_with_seed};

/// A tag, a group of a host, a host, a path, a prefix, a key or what is near one, as a hash of 128
/// bits that is seeded afresh in each process. Should two be confused, more is
/// forgotten than was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(u128);

impl Name {
    /// A tag, which means the same on every host.
    pub fn tag(tag: &str) -> Name {
        Name::of(1, "", tag)
    }

    /// A group of one host.
    pub fn group(host: &str, group: &str) -> Name {
        Name::of(2, host, group)
    }

    /// A host, with its port as [`Target::host`] has it.
    pub fn host(host: &str) -> Name {
        Name::of(3, "", host)
    }

    /// A path of a host, with all queries.
    pub fn path(host: &str, path: &str) -> Name {
        Name::of(4, host, path)
    }

    /// A path of a host, and what lies below it; without a slash at its end.
    pub fn prefix(host: &str, path: &str) -> Name {
        Name::of(5, host, path)
    }

    /// That of a key whose URL was named, for those that may turn out to be the same: all
    /// with its path.
    pub fn near(key: &CacheKey) -> Name {
        Name::of(6, key.target().host(), key.target().path())
    }

    /// A key.
    pub fn key(key: &CacheKey) -> Name {
        Name(key.hash())
    }

    /// The names of all tags and groups that a response with this target bears.
    pub fn borne<'a>(target: &'a Target, tags: &'a Tags) -> impl Iterator<Item = Name> + 'a {
        let host = target.host();
        let global = tags.global.iter().map(|tag| Name::tag(tag));
        global.chain(tags.groups.iter().map(move |group| Name::group(host, group)))
    }

    fn of(kind: u64, first: &str, second: &str) -> Name {
        // The first part is hashed into the seed of the second: nothing is glued together.
        let seed = xxh3_64_with_seed(first.as_bytes(), seed().wrapping_add(kind));
        Name(xxh3_128_with_seed(second.as_bytes(), seed))
    }
}

/// Hashes what is a hash already, or a number.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain(u64);

/// For tables of [names](Name), which are hashes already, and of numbers.
pub type BuildPlain = BuildHasherDefault<Plain>;

impl Hasher for Plain {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64_with_seed(bytes, self.0);
    }

    fn write_u32(&mut self, number: u32) {
        // Tables look at the highest bits as well as at the lowest.
        self.0 = u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32);
    }

    fn write_u128(&mut self, hash: u128) {
        let [first, second] = [hash as u64, (hash >> 64) as u64];
        self.0 = first ^ second;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn kinds_and_parts_are_told_apart() {
        let names = [
            Name::tag("a"),
            Name::host("a"),
            Name::group("a", "b"),
            Name::group("ab", ""),
            Name::group("", "ab"),
            Name::path("a", "b"),
            Name::prefix("a", "b"),
            Name::tag("ab"),
            Name::tag(""),
        ];
        let different: HashSet<Name, BuildPlain> = names.into_iter().collect();
        assert_eq!(different.len(), names.len());
        assert_eq!(Name::tag("a"), names[0]);
    }
}
