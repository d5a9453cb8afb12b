//! What a purge names: keys, tags, groups, prefixes, everything.

use crate::key::{BadTarget, CacheKey, Target};
use crate::semantics::tags::Tags;
use std::collections::BTreeSet;

/// A host and the beginning of a path, which ends where a segment ends:
/// `/blog` covers `/blog`, `/blog/1` and `/blog?page=2`, but not `/blogger`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Prefix {
    host: Box<str>,
    /// Without a slash at the end; empty for all of the host.
    path: Box<str>,
}

impl Prefix {
    /// Reads the prefix that a URL stands for; its scheme does not matter.
    ///
    /// # Errors
    /// [`BadTarget`], by what is wrong with the URL.
    pub fn from_url(url: &str) -> Result<Prefix, BadTarget> {
        Ok(Prefix::of(&Target::from_url(url)?))
    }

    fn of(target: &Target) -> Prefix {
        let path = target.path().trim_end_matches('/');
        Prefix { host: target.host().as_str().into(), path: path.into() }
    }

    /// Bytes of the path.
    pub(super) fn length(&self) -> usize {
        self.path.len()
    }

    /// Every prefix that covers a target and whose path is as long as one of
    /// these: the lengths that occur. A path may have thousands of slashes.
    pub(super) fn covering(target: &Target, lengths: &BTreeSet<usize>) -> Vec<Prefix> {
        let (host, path) = (target.host().as_str(), target.path());
        let whole = path.trim_end_matches('/').len();
        lengths
            .iter()
            .filter(|end| **end == whole || path.as_bytes().get(**end) == Some(&b'/'))
            .map(|end| Prefix { host: host.into(), path: path[..*end].into() })
            .collect()
    }
}

/// A group of one host's responses (RFC 9875 section 2.1). As with targets, a
/// purge covers both schemes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Group {
    host: Box<str>,
    name: Box<str>,
}

impl Group {
    /// The group with this name at the host of a target.
    pub fn at(target: &Target, name: &str) -> Group {
        Group { host: target.host().as_str().into(), name: name.into() }
    }

    /// The groups that a response with this target bears.
    pub(super) fn borne(target: &Target, tags: &Tags) -> impl Iterator<Item = Group> {
        tags.groups.iter().map(|name| Group::at(target, name))
    }
}

/// What to purge.
#[derive(Clone, Debug, Default)]
pub struct Selectors {
    /// These targets, every variant.
    pub keys: Vec<CacheKey>,
    /// What bears one of these tags.
    pub tags: Vec<Box<str>>,
    /// What bears one of these groups.
    pub groups: Vec<Group>,
    /// What lies below one of these.
    pub prefixes: Vec<Prefix>,
    /// All there is.
    pub everything: bool,
}

impl Selectors {
    /// One target, under both schemes.
    pub fn target(key: &CacheKey) -> Selectors {
        Selectors { keys: key.in_both_schemes().into(), ..Selectors::default() }
    }

    pub(super) fn need_a_sweep(&self) -> bool {
        let named = !self.tags.is_empty() || !self.groups.is_empty() || !self.prefixes.is_empty();
        self.everything || named
    }
}
