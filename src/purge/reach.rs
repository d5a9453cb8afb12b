//! What the selectors of one purge reach, each and together.

use super::selectors::Selectors;
use crate::key::CacheKey;
use crate::storage::{BuildPlain, Name, StoredResponse};
use http::header::CONTENT_TYPE;
use std::collections::{BTreeSet, HashMap, HashSet};

/// How many stored responses a purge has met. One that several selectors meet
/// counts for each of them, and once in the total.
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

/// The selectors of a purge by their names, and a count for each.
pub(super) struct Reach<'a> {
    selectors: &'a Selectors,
    /// Which selectors have a name, as places among the counts.
    named: HashMap<Name, Vec<usize>, BuildPlain>,
    lengths: BTreeSet<usize>,
    /// Patterns that mean everything.
    everywhere: Vec<usize>,
    counts: Vec<usize>,
    total: usize,
    others: Vec<CacheKey>,
}

impl<'a> Reach<'a> {
    pub fn new(selectors: &'a Selectors) -> Reach<'a> {
        let mut reach = Reach {
            selectors,
            named: HashMap::default(),
            lengths: BTreeSet::new(),
            everywhere: Vec::new(),
            counts: Vec::new(),
            total: 0,
            others: Vec::new(),
        };
        reach.name_all(selectors, None);
        for pattern in &selectors.patterns {
            let place = reach.counts.len();
            reach.counts.push(0);
            if let Some(same) = pattern.same() {
                if same.everything {
                    reach.everywhere.push(place);
                }
                reach.name_all(same, Some(place));
            }
        }
        reach
    }

    /// Gives each selector a place among the counts, or all of them this one.
    fn name_all(&mut self, selectors: &Selectors, place: Option<usize>) {
        let Selectors { keys, tags, groups, hosts, paths, prefixes, .. } = selectors;
        let all = (keys.iter().map(Name::key))
            .chain(tags.iter().map(|tag| Name::tag(tag)))
            .chain(groups.iter().map(|group| group.name()))
            .chain(hosts.iter().map(|host| Name::host(host.as_str())))
            .chain(paths.iter().map(|path| path.name()))
            .chain(prefixes.iter().map(|prefix| prefix.name()));
        for name in all {
            let place = place.unwrap_or_else(|| {
                self.counts.push(0);
                self.counts.len() - 1
            });
            self.named.entry(name).or_default().push(place);
        }
        self.lengths.extend(prefixes.iter().map(|prefix| prefix.length()));
    }

    /// Has another key count for one of the selectors.
    pub fn name_also(&mut self, key: &CacheKey, place: usize) {
        self.named.entry(Name::key(key)).or_default().push(place);
        self.others.push(key.clone());
    }

    /// All keys, and the others that count for one of them; each once.
    pub fn every_key(&self) -> HashSet<CacheKey> {
        self.keys().into_iter().map(|(key, _)| key).chain(self.others.iter().cloned()).collect()
    }

    /// The names of all selectors, and of those that patterns stand for.
    pub fn names(&self) -> Vec<Name> {
        self.named.keys().copied().collect()
    }

    /// All keys, each with its place among the counts: those of the selectors, and
    /// those that patterns stand for.
    pub fn keys(&self) -> Vec<(CacheKey, usize)> {
        let Selectors { keys, patterns, .. } = self.selectors;
        let first = self.counts.len() - patterns.len();
        let own = keys.iter().cloned().zip(0..);
        let meant = patterns.iter().zip(first..).flat_map(|(pattern, place)| {
            let keys = pattern.same().into_iter().flat_map(|same| &same.keys);
            keys.map(move |key| (key.clone(), place))
        });
        own.chain(meant).collect()
    }

    /// Nothing but keys is named.
    pub fn is_keys_alone(&self) -> bool {
        let Selectors { keys, everything, .. } = self.selectors;
        !everything && self.counts.len() == keys.len()
    }

    /// Counts a response for each selector that meets it. Returns whether one
    /// does.
    pub fn count(&mut self, key: &CacheKey, stored: &StoredResponse) -> bool {
        let places = self.places(key, stored);
        let is_met = self.selectors.everything || !places.is_empty();
        for place in places {
            self.counts[place] += 1;
        }
        self.total += usize::from(is_met);
        is_met
    }

    /// The places of the selectors that meet a response, each once.
    fn places(&self, key: &CacheKey, stored: &StoredResponse) -> Vec<usize> {
        let (target, content) = (key.target(), stored.content());
        let mut places = self.everywhere.clone();
        let mut names = vec![Name::key(key)];
        if self.named.len() > self.selectors.keys.len() {
            let host = target.host().as_str();
            names.extend([Name::host(host), Name::path(host, target.path())]);
            names.extend(Name::borne(target, &content.tags));
            names.extend(super::selectors::Prefix::covering(target, self.lengths.iter()));
        }
        for name in names {
            places.extend(self.named.get(&name).into_iter().flatten());
        }
        let first = self.counts.len() - self.selectors.patterns.len();
        for (pattern, place) in self.selectors.patterns.iter().zip(first..) {
            if pattern.meets(target, &content.tags, Some(content_type(stored))) {
                places.push(place);
            }
        }
        places.sort_unstable();
        places.dedup();
        places
    }

    pub fn counts(self) -> Counts {
        let Selectors { keys, tags, groups, hosts, paths, prefixes, patterns, .. } = self.selectors;
        let mut rest = self.counts.into_iter();
        let mut take = |count: usize| rest.by_ref().take(count).collect();
        Counts {
            total: self.total,
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

/// The text that a pattern for the content type is searched for in.
pub(super) fn content_type(stored: &StoredResponse) -> &str {
    let value = stored.content().fields.get(CONTENT_TYPE);
    value.and_then(|value| value.to_str().ok()).unwrap_or_default()
}
