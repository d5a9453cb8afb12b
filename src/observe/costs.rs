//! What things cost the origin, for a bounded number of things.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

/// The most things that are told apart. When there are more, the cheaper half goes.
pub(super) const MOST: usize = 1024;

/// The longest URL that is remembered, in bytes; what is longer is cut.
const LONGEST: usize = 512;

/// What something cost.
#[derive(Clone, Debug, Default)]
pub struct Cost {
    /// How many requests went to the origin.
    pub requests: u64,
    /// How long they took until their answers began, together.
    pub took: Duration,
    /// The URL of the first of them.
    pub example: Box<str>,
}

/// Something, and what it cost.
#[derive(Clone, Debug)]
pub struct Costly<K> {
    /// What it is.
    pub what: K,
    /// What it cost.
    pub cost: Cost,
}

#[derive(Clone, Debug)]
pub(super) struct Costs<K>(HashMap<K, Cost>);

impl<K> Default for Costs<K> {
    fn default() -> Costs<K> {
        Costs(HashMap::new())
    }
}

/// The beginning of a text, no longer than is remembered.
pub(super) fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST)]
}

/// What can be remembered of something that is looked at.
pub(super) trait Remembered<K> {
    fn remembered(&self) -> K;
}

impl Remembered<Box<str>> for str {
    fn remembered(&self) -> Box<str> {
        self.into()
    }
}

impl Remembered<super::Cause> for super::Cause {
    fn remembered(&self) -> super::Cause {
        *self
    }
}

impl<K: Hash + Eq + Clone> Costs<K> {
    /// Counts a request.
    pub fn add<Q>(&mut self, what: &Q, took: Duration, url: &str)
    where
        K: Borrow<Q>,
        Q: Hash + Eq + Remembered<K> + ?Sized,
    {
        if let Some(cost) = self.0.get_mut(what) {
            cost.requests += 1;
            cost.took += took;
            return;
        }
        self.make_room();
        let cost = Cost { requests: 1, took, example: cut(url).into() };
        self.0.insert(what.remembered(), cost);
    }

    /// Adds what another one has counted.
    pub fn merge(&mut self, other: &Costs<K>) {
        for (what, theirs) in &other.0 {
            let own = self
                .0
                .entry(what.clone())
                .or_insert_with(|| Cost { example: theirs.example.clone(), ..Cost::default() });
            own.requests += theirs.requests;
            own.took += theirs.took;
        }
    }

    /// The dearest, the first of them first.
    pub fn dearest(self, most: usize) -> Vec<Costly<K>> {
        let mut all: Vec<_> =
            self.0.into_iter().map(|(what, cost)| Costly { what, cost }).collect();
        all.sort_by_key(|costly| std::cmp::Reverse((costly.cost.took, costly.cost.requests)));
        all.truncate(most);
        all
    }

    fn make_room(&mut self) {
        if self.0.len() < MOST {
            return;
        }
        let mut all: Vec<Duration> = self.0.values().map(|cost| cost.took).collect();
        let (_, median, _) = all.select_nth_unstable(MOST / 2);
        let median = *median;
        // Of those that cost as much as the median, as many as there is room for.
        let mut left = (MOST / 2).saturating_sub(all.iter().filter(|took| **took > median).count());
        self.0.retain(|_, cost| {
            let is_equal = cost.took == median && left > 0;
            left -= usize::from(is_equal);
            cost.took > median || is_equal
        });
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}
