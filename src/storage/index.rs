//! What is stored, by names and by places: so that a purge finds what it meets,
//! and knows how much that is, without looking at everything.
//!
//! A response that can be looked up is in the index before it can be, and until
//! after.

use super::names::{BuildPlain, Name};
use super::slab::Slab;
use super::stored::{Content, StoredResponse};
use crate::key::{CacheKey, Host, Scheme, Target};
use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Bound;
use std::sync::Arc;

/// A stored response, by its number in the index. Once it has gone, another may
/// bear the number.
pub type Id = u32;

/// Which stored responses are looked for.
#[derive(Clone, Copy, Debug)]
pub enum Wanted<'a> {
    /// What bears a tag or group.
    Named(Name),
    /// What is stored under a key.
    Key(&'a CacheKey),
    /// What is of a host, under whatever scheme.
    Of(&'a Host),
    /// What has this path at a host, under whatever scheme and query.
    Path(&'a Host, &'a str),
    /// That, and what lies below; the path has no slash at its end, and isn't empty.
    Below(&'a Host, &'a str),
}

#[derive(Clone, Debug)]
struct Record {
    key: CacheKey,
    response: Arc<StoredResponse>,
}

/// The responses of one name: most names have one.
#[derive(Debug)]
#[allow(clippy::box_collection, reason = "a name that has one is not to take room for a table")]
enum Members {
    One(Id),
    Many(Box<HashSet<Id, BuildPlain>>),
}

/// Ordered by host, path and query, and only then by scheme.
#[derive(Debug)]
struct Placed(CacheKey);

/// The index.
#[derive(Debug, Default)]
pub(super) struct Index {
    records: Slab<Option<Record>>,
    free: Vec<Id>,
    named: HashMap<Name, Members, BuildPlain>,
    placed: BTreeSet<Placed>,
}

impl Index {
    /// Has a response in the index from now on, under this number.
    pub fn enter(&mut self, key: &CacheKey, stored: &Arc<StoredResponse>) -> Id {
        let record = Some(Record { key: key.clone(), response: Arc::clone(stored) });
        let id = match self.free.pop() {
            Some(id) => {
                self.records.get_mut(id).into_iter().for_each(|place| *place = record.clone());
                id
            }
            None => self.records.push(record),
        };
        stored.set_id(Some(id));
        for name in Name::borne(key.target(), &stored.content().rare.tags) {
            match self.named.get_mut(&name) {
                Some(members) => members.add(id),
                None => drop(self.named.insert(name, Members::One(id))),
            }
        }
        id
    }

    /// Takes a response out, if it is there. Returns the number that it had.
    pub fn leave(&mut self, stored: &StoredResponse) -> Option<Id> {
        let id = stored.id()?;
        let Record { key, .. } = self.records.get_mut(id)?.take()?;
        stored.set_settled(false);
        stored.set_id(None);
        for name in Name::borne(key.target(), &stored.content().rare.tags) {
            if self.named.get_mut(&name).is_some_and(|members| !members.remove(id)) {
                self.named.remove(&name);
            }
        }
        self.free.push(id);
        Some(id)
    }

    /// Something is stored under a key from now on.
    pub fn place(&mut self, key: &CacheKey) {
        self.placed.insert(Placed(key.clone()));
    }

    /// Nothing is stored under a key any more.
    pub fn displace(&mut self, key: &CacheKey) {
        self.placed.remove(&Placed(key.clone()));
    }

    /// Notes that a response has been judged by all purges that may not have found
    /// it here; if it is still here.
    pub fn settle(&self, stored: &StoredResponse) {
        stored.set_settled(stored.id().is_some());
    }

    /// The number of responses.
    pub fn count(&self) -> usize {
        self.records.len() - self.free.len()
    }

    /// The number of targets.
    pub fn targets(&self) -> u64 {
        self.placed.len() as u64
    }

    /// One more than the highest number that is in use.
    pub fn end(&self) -> Id {
        self.records.len() as Id
    }

    /// The response with this number, with the key that it is stored under.
    pub fn get(&self, id: Id) -> Option<(&CacheKey, &Arc<StoredResponse>)> {
        self.records.get(id)?.as_ref().map(|record| (&record.key, &record.response))
    }

    /// The responses of a name.
    pub fn named(&self, name: Name) -> Vec<Id> {
        match self.named.get(&name) {
            None => Vec::new(),
            Some(Members::One(id)) => vec![*id],
            Some(Members::Many(ids)) => ids.iter().copied().collect(),
        }
    }

    /// The keys of a row, after this one if there is one.
    pub fn row<'a>(
        &'a self,
        row: &'a Row<'_>,
        after: Option<&CacheKey>,
    ) -> impl Iterator<Item = &'a CacheKey> {
        let first = match after {
            Some(key) => Some(Bound::Excluded(Placed(key.clone()))),
            None => row.first().map(|key| Bound::Included(Placed(key))),
        };
        let rest = first.map(|first| self.placed.range((first, Bound::Unbounded)));
        rest.into_iter().flatten().map(|placed| &placed.0).take_while(|key| row.has(key.target()))
    }
}

impl<'a> Wanted<'a> {
    /// Where it is, if it is looked for by its place.
    pub(super) fn rows(self) -> Vec<Row<'a>> {
        let row = |host, url, is_whole| Row { host, url, is_whole };
        match self {
            Wanted::Named(_) | Wanted::Key(_) => Vec::new(),
            Wanted::Of(host) => vec![row(host, "/".into(), false)],
            Wanted::Path(host, path) => {
                vec![row(host, path.into(), true), row(host, format!("{path}?"), false)]
            }
            Wanted::Below(host, path) => {
                let mut rows = Wanted::Path(host, path).rows();
                rows.push(row(host, format!("{path}/"), false));
                rows
            }
        }
    }
}

/// Targets that follow each other in the order: those of a host whose path and query
/// begin so, or are so.
#[derive(Debug)]
pub(super) struct Row<'a> {
    host: &'a Host,
    url: String,
    is_whole: bool,
}

impl Row<'_> {
    fn first(&self) -> Option<CacheKey> {
        // The scheme under which the port is not left out.
        let is_http_port = self.host.as_str().ends_with(":80");
        let scheme = if is_http_port { Scheme::Https } else { Scheme::Http };
        Target::new(scheme, self.host.clone(), &self.url).ok().map(CacheKey::new)
    }

    fn has(&self, target: &Target) -> bool {
        let url = target.path_and_query();
        let is_its = if self.is_whole { url == self.url } else { url.starts_with(&self.url) };
        is_its && target.host() == self.host.as_str()
    }
}

impl Members {
    fn add(&mut self, id: Id) {
        match self {
            Members::One(first) => {
                *self = Members::Many(Box::new([*first, id].into_iter().collect()));
            }
            Members::Many(ids) => drop(ids.insert(id)),
        }
    }

    /// Returns whether there are others.
    fn remove(&mut self, id: Id) -> bool {
        match self {
            Members::One(only) => *only != id,
            Members::Many(ids) => {
                ids.remove(&id);
                // What a great many have left gives its space back.
                if ids.len() * 8 < ids.capacity() && ids.capacity() > 64 {
                    ids.shrink_to(ids.len() * 2);
                }
                !ids.is_empty()
            }
        }
    }
}

impl Ord for Placed {
    fn cmp(&self, other: &Placed) -> Ordering {
        let (own, its) = (self.0.target(), other.0.target());
        (own.host().cmp(its.host()))
            .then_with(|| own.path_and_query().cmp(its.path_and_query()))
            .then_with(|| own.scheme().as_str().cmp(its.scheme().as_str()))
    }
}

impl PartialOrd for Placed {
    fn partial_cmp(&self, other: &Placed) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Placed {
    fn eq(&self, other: &Placed) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Placed {}

/// Bytes of a name that is nobody else's: its place in a table of which a part is
/// empty, or its number in a set of its own.
const PER_NAME: usize = 2 * size_of::<(Name, Members)>();
/// Bytes of a response: its record, and its place in the order, in a tree of which a
/// part is empty.
const PER_RECORD: usize = size_of::<Option<Record>>() + 3 * size_of::<Placed>();

/// Bytes that a response takes in the index.
pub(super) fn weight(content: &Content) -> usize {
    let tags = content.rare.tags.global.len() + content.rare.tags.groups.len();
    PER_RECORD + tags * PER_NAME
}
