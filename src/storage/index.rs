//! What is stored, by names and by places: so that a purge finds what it meets,
//! and knows how much that is, without looking at everything.
//!
//! Each slot that is in the map, or about to be, holds its responses in the
//! index; a response is there as long as one slot holds it. So a response that
//! can be found in the map is in the index before it can be, and until after.

use super::memory::Slot;
use super::names::{BuildPlain, Name};
use super::stored::{Content, StoredResponse};
use crate::key::{CacheKey, Host, Scheme, Target};
use hashbrown::HashTable;
use parking_lot::Mutex;
use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::BuildHasher;
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

#[derive(Debug)]
struct Record {
    key: CacheKey,
    response: Arc<StoredResponse>,
    /// Slots that hold it.
    slots: u32,
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

/// A response by its key: a part of that one's hash, so that the table can grow
/// without a look at the records.
#[derive(Debug)]
struct Keyed {
    hash: u32,
    id: Id,
}

impl Keyed {
    fn new(key: &CacheKey, id: Id) -> Keyed {
        Keyed { hash: key.hash() as u32, id }
    }

    /// The table looks at the highest bits as well as at the lowest.
    fn spread(&self) -> u64 {
        BuildPlain::default().hash_one(self.hash)
    }
}

#[derive(Debug, Default)]
struct Table {
    records: Vec<Option<Record>>,
    free: Vec<Id>,
    keyed: HashTable<Keyed>,
    named: HashMap<Name, Members, BuildPlain>,
    placed: BTreeSet<Placed>,
}

/// The index.
#[derive(Debug, Default)]
pub(super) struct Index(Mutex<Table>);

impl Index {
    /// Has a slot hold its responses, before it is in the map. Refuses if one of
    /// them but `newest` has left the map meanwhile: it is not to come back.
    pub fn enter(&self, key: &CacheKey, slot: &Slot, newest: Option<&Arc<StoredResponse>>) -> bool {
        let mut table = self.0.lock();
        let is_new = |stored| newest.is_some_and(|newest| Arc::ptr_eq(newest, stored));
        if slot.variants().iter().any(|stored| stored.id().is_none() && !is_new(stored)) {
            return false;
        }
        slot.variants().iter().for_each(|stored| table.hold(key, stored));
        true
    }

    /// The slot is not in the map any more.
    pub fn leave(&self, slot: &Slot) {
        let mut table = self.0.lock();
        slot.variants().iter().for_each(|stored| table.release(stored));
    }

    /// Notes that a response has been judged by all purges that may not have found
    /// it here; if it is still here.
    pub fn settle(&self, stored: &StoredResponse) {
        let _table = self.0.lock();
        stored.set_settled(stored.id().is_some());
    }

    /// The number of responses.
    pub fn count(&self) -> usize {
        let table = self.0.lock();
        table.records.len() - table.free.len()
    }

    /// One more than the highest number that is in use.
    pub fn end(&self) -> Id {
        self.0.lock().records.len() as Id
    }

    /// The responses that each of these looks for.
    pub fn find<'a>(&self, all: impl Iterator<Item = Wanted<'a>>) -> Vec<Vec<Id>> {
        let table = self.0.lock();
        all.map(|wanted| table.find(wanted)).collect()
    }

    /// The responses with these numbers, as far as they are still there, each with
    /// the key that it is stored under.
    pub fn resolve(
        &self,
        ids: impl Iterator<Item = Id>,
    ) -> Vec<(Id, CacheKey, Arc<StoredResponse>)> {
        let table = self.0.lock();
        let record = |id| table.records.get(id as usize)?.as_ref().map(|record| (id, record));
        ids.filter_map(record)
            .map(|(id, record)| (id, record.key.clone(), Arc::clone(&record.response)))
            .collect()
    }
}

impl Table {
    fn hold(&mut self, key: &CacheKey, stored: &Arc<StoredResponse>) {
        if let Some(id) = stored.id() {
            if let Some(Some(record)) = self.records.get_mut(id as usize) {
                record.slots += 1;
            }
            return;
        }
        let record = Record { key: key.clone(), response: Arc::clone(stored), slots: 1 };
        let id = self.free.pop().unwrap_or_else(|| {
            self.records.push(None);
            (self.records.len() - 1) as Id
        });
        stored.set_id(Some(id));
        for name in names(key, stored) {
            match self.named.get_mut(&name) {
                Some(members) => members.add(id),
                None => drop(self.named.insert(name, Members::One(id))),
            }
        }
        let keyed = Keyed::new(key, id);
        self.keyed.insert_unique(keyed.spread(), keyed, Keyed::spread);
        self.placed.insert(Placed { target: Arc::clone(key.shared_target()), id });
        self.records[id as usize] = Some(record);
    }

    fn release(&mut self, stored: &Arc<StoredResponse>) {
        let Some(id) = stored.id() else { return };
        let Some(place) = self.records.get_mut(id as usize) else { return };
        let Some(record) = place else { return };
        record.slots -= 1;
        if record.slots > 0 {
            return;
        }
        let Some(Record { key, .. }) = place.take() else { return };
        stored.set_settled(false);
        stored.set_id(None);
        for name in names(&key, stored) {
            if self.named.get_mut(&name).is_some_and(|members| !members.remove(id)) {
                self.named.remove(&name);
            }
        }
        let keyed = Keyed::new(&key, id);
        if let Ok(entry) = self.keyed.find_entry(keyed.spread(), |other| other.id == id) {
            entry.remove();
        }
        self.placed.remove(&Placed { target: Arc::clone(key.shared_target()), id });
        self.free.push(id);
    }

    fn find(&self, wanted: Wanted<'_>) -> Vec<Id> {
        match wanted {
            Wanted::Named(name) => match self.named.get(&name) {
                None => Vec::new(),
                Some(Members::One(id)) => vec![*id],
                Some(Members::Many(ids)) => ids.iter().copied().collect(),
            },
            Wanted::Key(key) => {
                let wanted = Keyed::new(key, 0);
                let is_its = |keyed: &&Keyed| {
                    let record = self.records.get(keyed.id as usize).and_then(Option::as_ref);
                    keyed.hash == wanted.hash && record.is_some_and(|record| record.key == *key)
                };
                let alike = self.keyed.iter_hash(wanted.spread());
                alike.filter(is_its).map(|keyed| keyed.id).collect()
            }
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
/// Bytes of a response: its record, its place in the order, among its host's and
/// by its key, each in a table of which a part is empty.
const PER_RECORD: usize =
    size_of::<Option<Record>>() * 3 / 2 + 2 * size_of::<Placed>() + 2 * size_of::<Keyed>() + 16;

/// Bytes that a response takes in the index.
pub(super) fn weight(content: &Content) -> usize {
    let tags = content.tags.global.len() + content.tags.groups.len();
    PER_RECORD + tags * PER_NAME
}
