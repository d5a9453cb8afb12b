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
use std::sync::Arc;

/// A stored response, by its number in the index. Once it has gone, another may
/// bear the number.
pub type Id = u32;

/// Which stored responses are looked for.
#[derive(Clone, Copy, Debug)]
pub enum Wanted<'a> {
    /// What bears a tag or group, or is of a host.
    Named(Name),
    /// What is stored under a key.
    Key(&'a CacheKey),
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

/// Ordered by host, path and query: the scheme does not matter.
#[derive(Debug)]
struct Placed {
    target: Arc<Target>,
    id: Id,
}

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
        for name in names(key, stored) {
            match self.named.get_mut(&name) {
                Some(members) => members.add(id),
                None => drop(self.named.insert(name, Members::One(id))),
            }
        }
        self.placed.insert(Placed { target: Arc::clone(key.shared_target()), id });
        id
    }

    /// Takes a response out, if it is there. Returns the number that it had.
    pub fn leave(&mut self, stored: &StoredResponse) -> Option<Id> {
        let id = stored.id()?;
        let Record { key, .. } = self.records.get_mut(id)?.take()?;
        stored.set_settled(false);
        stored.set_id(None);
        for name in names(&key, stored) {
            if self.named.get_mut(&name).is_some_and(|members| !members.remove(id)) {
                self.named.remove(&name);
            }
        }
        self.placed.remove(&Placed { target: Arc::clone(key.shared_target()), id });
        self.free.push(id);
        Some(id)
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

    /// One more than the highest number that is in use.
    pub fn end(&self) -> Id {
        self.records.len() as Id
    }

    /// The response with this number, with the key that it is stored under.
    pub fn get(&self, id: Id) -> Option<(&CacheKey, &Arc<StoredResponse>)> {
        self.records.get(id)?.as_ref().map(|record| (&record.key, &record.response))
    }

    /// The responses that are looked for otherwise than by a key.
    pub fn find(&self, wanted: Wanted<'_>) -> Vec<Id> {
        match wanted {
            Wanted::Named(name) => match self.named.get(&name) {
                None => Vec::new(),
                Some(Members::One(id)) => vec![*id],
                Some(Members::Many(ids)) => ids.iter().copied().collect(),
            },
            Wanted::Key(_) => Vec::new(),
            Wanted::Path(host, path) => self.with_queries(host, path).collect(),
            Wanted::Below(host, path) => {
                let below = self.beginning(host, format!("{path}/"));
                self.with_queries(host, path).chain(below).collect()
            }
        }
    }

    fn with_queries(&self, host: &Host, path: &str) -> impl Iterator<Item = Id> + use<'_> {
        self.at(host, path).chain(self.beginning(host, format!("{path}?")))
    }

    /// What has this path and query at a host.
    fn at(&self, host: &Host, url: &str) -> impl Iterator<Item = Id> + use<'_> {
        let whole = url.to_string();
        self.from(host, url, move |other| other == whole)
    }

    /// What has a path and query at a host that begins so.
    fn beginning(&self, host: &Host, url: String) -> impl Iterator<Item = Id> + use<'_> {
        let begins = url.clone();
        self.from(host, &url, move |other| other.starts_with(&begins))
    }

    /// What has a path and query at a host from this one on, as long as it meets.
    fn from<M>(&self, host: &Host, url: &str, meets: M) -> impl Iterator<Item = Id> + use<'_, M>
    where
        M: Fn(&str) -> bool,
    {
        let host = host.clone();
        // The scheme under which the port is not left out.
        let scheme = if host.as_str().ends_with(":80") { Scheme::Https } else { Scheme::Http };
        let first = Target::new(scheme, host.clone(), url).ok();
        let first = first.map(|target| Placed { target: Arc::new(target), id: 0 });
        let rest = first.map(|first| self.placed.range(first..)).into_iter().flatten();
        rest.take_while(move |placed| {
            *placed.target.host() == host && meets(placed.target.path_and_query())
        })
        .map(|placed| placed.id)
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
        let (own, its) = (&self.target, &other.target);
        (own.host().as_str().cmp(its.host().as_str()))
            .then_with(|| own.path_and_query().cmp(its.path_and_query()))
            .then_with(|| self.id.cmp(&other.id))
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

fn names(key: &CacheKey, stored: &StoredResponse) -> impl Iterator<Item = Name> {
    let target = key.target();
    let host = Name::host(target.host().as_str());
    let borne: Vec<Name> = Name::borne(target, &stored.content().tags).collect();
    std::iter::once(host).chain(borne)
}

/// Bytes of a name that is nobody else's: its place in a table of which a part is
/// empty, or its number in a set of its own.
const PER_NAME: usize = 2 * size_of::<(Name, Members)>();
/// Bytes of a response: its record, its place in the order and among its host's,
/// each in a table of which a part is empty.
const PER_RECORD: usize = size_of::<Option<Record>>() + 2 * size_of::<Placed>() + 16;

/// Bytes that a response takes in the index.
pub(super) fn weight(content: &Content) -> usize {
    let tags = content.tags.global.len() + content.tags.groups.len();
    PER_RECORD + tags * PER_NAME
}
