//! The best of a great many rows: no more of them are held than will be told of, twice.

use crate::key::CacheKey;
use crate::storage::StoredResponse;
use std::cmp::{Ordering, Reverse};
use std::sync::Arc;
use std::time::Duration;

/// By what rows are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Hits,
    Bytes,
    Age,
}

impl Sort {
    /// What to say to who names another.
    pub const NAMES: &str = "sort is hits, bytes or age";

    /// The one with this name.
    pub fn named(name: &str) -> Option<Sort> {
        match name {
            "hits" => Some(Sort::Hits),
            "bytes" => Some(Sort::Bytes),
            "age" => Some(Sort::Age),
            _ => None,
        }
    }
}

/// What is told of a URL.
pub(super) struct Row {
    pub key: CacheKey,
    /// The newest of its variants that were looked for.
    pub stored: Arc<StoredResponse>,
    /// Of all variants: how many, their bytes, the requests that they have answered.
    pub variants: usize,
    pub bytes: u64,
    pub hits: u64,
    /// Of the newest.
    pub age: Duration,
}

/// The best so far.
pub(super) struct Best {
    sort: Sort,
    ascending: bool,
    limit: usize,
    seen: usize,
    rows: Vec<Row>,
}

impl Best {
    /// Of nothing.
    pub fn new(sort: Sort, ascending: bool, limit: usize) -> Best {
        Best { sort, ascending, limit, seen: 0, rows: Vec::new() }
    }

    /// One more; it is forgotten if enough others are better.
    pub fn add(&mut self, row: Row) {
        self.seen += 1;
        self.rows.push(row);
        if self.rows.len() >= 2 * self.limit {
            self.cut();
        }
    }

    /// How many there were.
    pub fn seen(&self) -> usize {
        self.seen
    }

    /// The best, in order.
    pub fn rows(mut self) -> Vec<Row> {
        self.cut();
        self.rows
    }

    fn cut(&mut self) {
        let (sort, ascending) = (self.sort, self.ascending);
        self.rows.sort_unstable_by(|one, other| {
            let order = match sort {
                Sort::Hits => one.hits.cmp(&other.hits),
                Sort::Bytes => one.bytes.cmp(&other.bytes),
                Sort::Age => one.age.cmp(&other.age),
            };
            if ascending { order } else { order.reverse() }.then_with(|| by_url(one, other))
        });
        self.rows.truncate(self.limit);
    }
}

/// So that equal ones do not change places from one look to the next.
fn by_url(one: &Row, other: &Row) -> Ordering {
    let (one, other) = (one.key.target(), other.key.target());
    let parts = (one.host(), one.path_and_query(), Reverse(one.scheme().as_str()));
    parts.cmp(&(other.host(), other.path_and_query(), Reverse(other.scheme().as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Target;
    use crate::storage::Content;
    use bytes::Bytes;
    use http::HeaderMap;

    fn row(number: u64) -> Row {
        let target = Target::from_url(&format!("http://a.test/{number:03}")).expect("a URL");
        let content = Content::plain(HeaderMap::new(), Bytes::new());
        Row {
            key: CacheKey::new(target),
            stored: Arc::new(StoredResponse::new(content)),
            variants: 1,
            // The same for all, so that the URL decides.
            bytes: 1,
            // All numbers below 101, in disorder.
            hits: number * 37 % 101,
            age: Duration::from_secs(number),
        }
    }

    fn told(sort: Sort, ascending: bool) -> (usize, Vec<u64>) {
        let mut best = Best::new(sort, ascending, 3);
        (0..101).for_each(|number| best.add(row(number)));
        let seen = best.seen();
        let rows = best.rows();
        let of = |row: &Row| if sort == Sort::Hits { row.hits } else { row.age.as_secs() };
        (seen, rows.iter().map(of).collect())
    }

    #[test]
    fn the_best_are_kept_in_order_whatever_order_they_come_in() {
        assert_eq!(told(Sort::Hits, false), (101, vec![100, 99, 98]));
        assert_eq!(told(Sort::Hits, true), (101, vec![0, 1, 2]));
        assert_eq!(told(Sort::Age, false), (101, vec![100, 99, 98]));
        assert_eq!(told(Sort::Bytes, false), (101, vec![0, 1, 2]));
        assert_eq!(told(Sort::Bytes, true), (101, vec![0, 1, 2]));
        let mut few = Best::new(Sort::Hits, false, 3);
        few.add(row(1));
        assert_eq!(few.rows().len(), 1);
    }
}
