//! What the selectors of one purge reach, each and together.

use super::pattern::Searcher;
use super::selectors::Selectors;
use crate::key::CacheKey;
use crate::storage::{Id, Name, Wanted};

/// How many stored responses a purge has met. One that several selectors meet
/// counts for each of them, and once in the total. One that an earlier purge has
/// forgotten counts until its space has been given back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// In all.
    pub total: usize,
    /// For each of [`Selectors::keys`].
    pub keys: Vec<usize>,
    /// For each of [`Selectors::tags`].
    pub tags: Vec<usize>,
    /// For each of [`Selectors::groups`].
    pub groups: Vec<usize>,
    /// For each of [`Selectors::hosts`].
    pub hosts: Vec<usize>,
    /// For each of [`Selectors::paths`].
    pub paths: Vec<usize>,
    /// For each of [`Selectors::prefixes`].
    pub prefixes: Vec<usize>,
    /// For each of [`Selectors::patterns`].
    pub patterns: Vec<usize>,
}

/// What a purge has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Its number: every later purge has a higher one. A soft one is
    /// [undone](super::Purger::undo) by it.
    pub number: u64,
    /// What it has met.
    pub counts: Counts,
}

/// What a purge would meet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// How many stored responses.
    pub counts: Counts,
    /// Bytes that all of them together take in memory.
    pub bytes: u64,
}

/// The selectors of a purge, laid out in a row: first those of each list, in
/// order, and then what patterns stand for.
pub(super) struct Reach<'a> {
    selectors: &'a Selectors,
    /// What is looked for, under which name it is marked, and for which selector it
    /// counts, as a place among the counts.
    row: Vec<(Wanted<'a>, Name, usize)>,
    /// The place of the first pattern.
    patterns: usize,
    /// All there is is met, and counts for these patterns too.
    everything: Option<Vec<usize>>,
}

impl<'a> Reach<'a> {
    pub fn new(selectors: &'a Selectors) -> Reach<'a> {
        let mut row: Vec<_> = listed(selectors).zip(0..).map(|((w, n), at)| (w, n, at)).collect();
        let patterns = row.len();
        let mut everything = selectors.everything.then(Vec::new);
        for (pattern, place) in selectors.patterns.iter().zip(patterns..) {
            let Some(same) = pattern.same() else { continue };
            row.extend(listed(same).map(|(wanted, name)| (wanted, name, place)));
            if same.everything {
                everything.get_or_insert_default().push(place);
            }
        }
        Reach { selectors, row, patterns, everything }
    }

    /// The names under which marks are left: those of the selectors, and what is near keys.
    pub fn names(&self) -> Vec<Name> {
        let mut near: Vec<Name> = self.keys().map(|(key, _)| Name::near(key)).collect();
        // A purge of a URL covers both schemes.
        near.dedup();
        self.row.iter().map(|(_, name, _)| *name).chain(near).collect()
    }

    /// All keys, each with the place that it counts for.
    pub fn keys(&self) -> impl Iterator<Item = (&'a CacheKey, usize)> {
        self.row.iter().filter_map(|(wanted, _, place)| match wanted {
            Wanted::Key(key) => Some((*key, *place)),
            _ => None,
        })
    }

    /// What is looked for, in the order in which it is tallied.
    pub fn wanted(&self) -> impl Iterator<Item = (Wanted<'a>, usize)> {
        self.row.iter().map(|(wanted, _, place)| (*wanted, *place))
    }

    /// Everything is met.
    pub fn is_everything(&self) -> bool {
        self.everything.is_some()
    }

    /// Who looks for the patterns that have to be looked for in each response, and the
    /// places of these.
    pub fn searchers(&self) -> impl Iterator<Item = (Searcher<'a>, usize)> {
        let all = self.selectors.patterns.iter().zip(self.patterns..);
        all.filter_map(|(pattern, place)| Some((pattern.searcher()?, place)))
    }

    /// A tally of nothing yet.
    pub fn tally(&self) -> Tally {
        let patterns = self.selectors.patterns.len();
        Tally {
            counts: vec![0; self.patterns],
            patterns: vec![Found::default(); patterns],
            met: Found::default(),
        }
    }

    /// The counts, in lists again. `all` is the number of stored responses.
    pub fn counts(&self, tally: Tally, all: usize) -> Counts {
        let Selectors { keys, tags, groups, hosts, paths, prefixes, patterns, .. } = self.selectors;
        let Tally { mut counts, patterns: searched, met } = tally;
        counts.extend(searched.into_iter().map(|found| found.settled().len()));
        self.everything.iter().flatten().for_each(|place| counts[*place] = all);
        let mut rest = counts.into_iter();
        let mut take = |count: usize| rest.by_ref().take(count).collect();
        Counts {
            total: if self.is_everything() { all } else { met.settled().len() },
            keys: take(keys.len()),
            tags: take(tags.len()),
            groups: take(groups.len()),
            hosts: take(hosts.len()),
            paths: take(paths.len()),
            prefixes: take(prefixes.len()),
            patterns: take(patterns.len()),
        }
    }
}

/// All selectors that are looked up, in the order of the lists.
fn listed(selectors: &Selectors) -> impl Iterator<Item = (Wanted<'_>, Name)> {
    let Selectors { keys, tags, groups, hosts, paths, prefixes, .. } = selectors;
    let named =
        (tags.iter().map(|tag| Name::tag(tag))).chain(groups.iter().map(|group| group.name()));
    let hosts = hosts.iter().map(|host| (Wanted::Of(host), Name::host(host.as_str())));
    (keys.iter().map(|key| (Wanted::Key(key), Name::key(key))))
        .chain(named.map(|name| (Wanted::Named(name), name)))
        .chain(hosts)
        .chain(paths.iter().map(|path| (path.wanted(), path.name())))
        .chain(prefixes.iter().map(|prefix| (prefix.wanted(), prefix.name())))
}

/// What has been met.
pub(super) struct Tally {
    /// For each selector of a list: none of them meets the same twice.
    counts: Vec<usize>,
    patterns: Vec<Found>,
    met: Found,
}

impl Tally {
    /// Adds what the selector at this place has met.
    pub fn add(&mut self, place: usize, ids: Vec<Id>) {
        match self.counts.get_mut(place) {
            Some(count) => *count += ids.len(),
            None => self.patterns[place - self.counts.len()].add(ids.clone()),
        }
        self.met.add(ids);
    }

    /// All that has been met, each once.
    pub fn met(&mut self) -> &[Id] {
        self.met.settle();
        &self.met.ids
    }
}

/// Stored responses, by their numbers.
#[derive(Clone, Debug, Default)]
struct Found {
    ids: Vec<Id>,
    /// More than one list of them: some may be there twice.
    lists: usize,
}

impl Found {
    fn add(&mut self, ids: Vec<Id>) {
        self.lists += usize::from(!ids.is_empty());
        match self.ids.is_empty() {
            true => self.ids = ids,
            false => self.ids.extend(ids),
        }
    }

    fn settle(&mut self) {
        if self.lists > 1 {
            self.ids.sort_unstable();
            self.ids.dedup();
            self.lists = 1;
        }
    }

    fn settled(mut self) -> Vec<Id> {
        self.settle();
        self.ids
    }
}
