//! What a purge names: keys, tags, groups, hosts, paths, prefixes, patterns,
//! everything.

use super::pattern::Pattern;
use crate::key::{BadTarget, CacheKey, Host, Target};
use crate::storage::{Name, Wanted};
use std::fmt;

/// A path of a host, with whatever query, under both schemes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Path {
    host: Host,
    path: Box<str>,
}

impl Path {
    /// Reads the path that a URL stands for; its scheme and query don't matter.
    ///
    /// # Errors
    /// [`BadTarget`], by what is wrong with the URL.
    pub fn from_url(url: &str) -> Result<Path, BadTarget> {
        Ok(Path::of(&Target::from_url(url)?))
    }

    /// The path of a target.
    pub fn of(target: &Target) -> Path {
        Path { host: target.host_alone(), path: target.path().into() }
    }

    /// The host, with its port unless that is the scheme's own.
    pub(super) fn host(&self) -> &str {
        self.host.as_str()
    }

    pub(super) fn wanted(&self) -> Wanted<'_> {
        Wanted::Path(&self.host, &self.path)
    }

    pub(super) fn name(&self) -> Name {
        Name::path(self.host.as_str(), &self.path)
    }
}

/// Writes the path without a scheme: `example.org/blog`.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.host(), self.path)
    }
}

/// A host and the beginning of a path, which ends where a segment ends:
/// `/blog` covers `/blog`, `/blog/1` and `/blog?page=2`, but not `/blogger`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Prefix {
    host: Host,
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

    /// What lies below the path of a target, and itself.
    pub fn of(target: &Target) -> Prefix {
        let path = target.path().trim_end_matches('/');
        Prefix { host: target.host_alone(), path: path.into() }
    }

    /// The host, with its port unless that is the scheme's own.
    pub(super) fn host(&self) -> &str {
        self.host.as_str()
    }

    pub(super) fn wanted(&self) -> Wanted<'_> {
        match self.path.is_empty() {
            true => Wanted::Of(&self.host),
            false => Wanted::Below(&self.host, &self.path),
        }
    }

    /// Bytes of the path.
    pub(super) fn length(&self) -> usize {
        self.path.len()
    }

    pub(super) fn name(&self) -> Name {
        Name::prefix(self.host.as_str(), &self.path)
    }

    /// The names of the prefixes that cover a target and whose paths are as long as
    /// one of these: the lengths that occur. A path may have thousands of slashes.
    pub(super) fn covering<'a>(
        target: &'a Target,
        lengths: impl Iterator<Item = &'a usize> + 'a,
    ) -> impl Iterator<Item = Name> + 'a {
        let (host, path) = (target.host(), target.path());
        let whole = path.trim_end_matches('/').len();
        lengths
            .filter(move |end| **end == whole || path.as_bytes().get(**end) == Some(&b'/'))
            .map(move |end| Name::prefix(host, &path[..*end]))
    }
}

/// Writes the prefix without a scheme: `example.org/blog`.
impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.host(), self.path)
    }
}

/// A group of one host's responses (RFC 9875 section 2.1). As with targets, a
/// purge covers both schemes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Group {
    host: Host,
    name: Box<str>,
}

impl Group {
    /// The group with this name at the host of a target.
    pub fn at(target: &Target, name: &str) -> Group {
        Group { host: target.host_alone(), name: name.into() }
    }

    /// The host, with its port unless that is the scheme's own.
    pub(super) fn host(&self) -> &str {
        self.host.as_str()
    }

    pub(super) fn name(&self) -> Name {
        Name::group(self.host.as_str(), &self.name)
    }
}

/// Writes the host and the group's name, which may be any text.
impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.host(), self.name)
    }
}

/// What a selector takes besides its texts: its place in a list, and allocations.
const PER_SELECTOR: usize = 64;

/// What to purge.
#[derive(Clone, Debug, Default)]
pub struct Selectors {
    /// These targets, every variant.
    pub keys: Vec<CacheKey>,
    /// What bears one of these tags.
    pub tags: Vec<Box<str>>,
    /// What bears one of these groups.
    pub groups: Vec<Group>,
    /// All of these hosts, under both schemes, as [`Host::of_any_scheme`] gives them:
    /// another port is another host.
    pub hosts: Vec<Host>,
    /// These targets with whatever query.
    pub paths: Vec<Path>,
    /// What lies below one of these.
    pub prefixes: Vec<Prefix>,
    /// What meets one of these.
    pub patterns: Vec<Pattern>,
    /// All there is.
    pub everything: bool,
}

impl Selectors {
    /// One target, under both schemes.
    pub fn target(key: &CacheKey) -> Selectors {
        Selectors { keys: key.in_both_schemes().into(), ..Selectors::default() }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        let Selectors { keys, tags, groups, hosts, paths, prefixes, patterns, everything } = self;
        let named = keys.len() + tags.len() + groups.len() + hosts.len() + paths.len();
        named + prefixes.len() + patterns.len() + usize::from(*everything)
    }

    /// Bytes that they take in memory.
    pub fn weight(&self) -> usize {
        let Selectors { keys, tags, groups, hosts, paths, prefixes, patterns, everything: _ } =
            self;
        let texts = (keys.iter().map(CacheKey::weight))
            .chain(tags.iter().map(|tag| tag.len()))
            .chain(groups.iter().map(|group| group.host().len() + group.name.len()))
            .chain(hosts.iter().map(|host| host.as_str().len()))
            .chain(paths.iter().map(|path| path.host().len() + path.path.len()))
            .chain(prefixes.iter().map(|prefix| prefix.host().len() + prefix.path.len()))
            .chain(patterns.iter().map(Pattern::weight));
        size_of::<Selectors>() + texts.map(|bytes| bytes + PER_SELECTOR).sum::<usize>()
    }

    /// There is none.
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }
}
