//! What responses have said about the queries of their paths
//! (`No-Vary-Search`): under which other keys a target may be found.

use crate::key::CacheKey;
use crate::semantics::no_vary_search::SearchVariance;
use parking_lot::RwLock;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// The most paths that are remembered; the oldest go.
const MOST_PATHS: usize = 4096;
/// Bytes of a path besides its variances: in the table, of which a part is empty,
/// and in the order.
const PER_PATH: usize = 3 * size_of::<(CacheKey, Vec<Arc<SearchVariance>>)>();
/// The most variances of one path; the oldest go.
const MOST_OF_A_PATH: usize = 4;

/// The variances known of each path. One that has been forgotten and is learnt
/// again is another one: what was stored by the first is not found any more.
#[derive(Debug)]
pub struct Variances {
    table: RwLock<Table>,
    /// Bytes that they may take; beyond it the oldest paths go.
    most: usize,
}

#[derive(Debug, Default)]
struct Table {
    paths: HashMap<CacheKey, Vec<Arc<SearchVariance>>>,
    /// In the order in which they were learnt.
    order: VecDeque<CacheKey>,
    /// Bytes that all of them take.
    weight: usize,
}

impl Table {
    /// Learns a variance of a path, the oldest of which may have to go.
    fn add(&mut self, path: CacheKey, variance: Arc<SearchVariance>) {
        if !self.paths.contains_key(&path) {
            self.weight += weigh_path(&path);
            self.order.push_back(path.clone());
        }
        self.weight += weigh(&variance);
        let of_path = self.paths.entry(path).or_default();
        if of_path.len() >= MOST_OF_A_PATH {
            self.weight -= weigh(&of_path.remove(0));
        }
        of_path.push(variance);
    }

    fn forget_oldest(&mut self) {
        let Some(path) = self.order.pop_front() else { return };
        self.weight -= weigh_path(&path);
        let variances = self.paths.remove(&path).unwrap_or_default();
        self.weight -= variances.iter().map(weigh).sum::<usize>();
    }
}

fn weigh_path(path: &CacheKey) -> usize {
    PER_PATH + path.weight()
}

/// Bytes of a variance, and of the pointer to it.
fn weigh(variance: &Arc<SearchVariance>) -> usize {
    variance.weight() + 4 * size_of::<usize>()
}

impl Variances {
    /// None yet; they may take so many bytes.
    pub fn new(most: usize) -> Variances {
        Variances { table: RwLock::default(), most }
    }

    /// Notes what a response to a request with this key says. Whoever asks for
    /// [others](Variances::others) after this is told.
    pub fn learn(&self, key: &CacheKey, variance: SearchVariance) -> Arc<SearchVariance> {
        let path = path_of(key);
        let mut table = self.table.write();
        let known = table.paths.get(&path).into_iter().flatten();
        if let Some(known) = known.clone().find(|known| ***known == variance) {
            return Arc::clone(known);
        }
        let variance = Arc::new(variance);
        table.add(path, Arc::clone(&variance));
        // The newest path stays, if it is the only one.
        while table.order.len() > 1 && (table.order.len() > MOST_PATHS || table.weight > self.most)
        {
            table.forget_oldest();
        }
        variance
    }

    /// Whether a variance is still known for the path of a key.
    pub fn knows(&self, key: &CacheKey, variance: &Arc<SearchVariance>) -> bool {
        self.of(key).iter().any(|known| Arc::ptr_eq(known, variance))
    }

    /// The keys under which what may answer a request with this key is stored,
    /// each with the variance that a response there has to bear. The key itself
    /// may be among them.
    pub fn others<'a>(
        &self,
        key: &'a CacheKey,
    ) -> impl Iterator<Item = (Arc<SearchVariance>, CacheKey)> + use<'a> {
        self.of(key).into_iter().map(|variance| {
            let key = canonical(key, &variance);
            (variance, key)
        })
    }

    fn of(&self, key: &CacheKey) -> Vec<Arc<SearchVariance>> {
        let table = self.table.read();
        if table.paths.is_empty() {
            return Vec::new();
        }
        table.paths.get(&path_of(key)).cloned().unwrap_or_default()
    }
}

/// The key under which a response with this variance is stored.
pub(super) fn canonical(key: &CacheKey, variance: &SearchVariance) -> CacheKey {
    let target = key.target();
    let query = target.path_and_query().split_once('?').map_or("", |(_, query)| query);
    let canonical = match variance.canonical(query) {
        query if query.is_empty() => target.path().to_string(),
        query => format!("{}?{query}", target.path()),
    };
    with_path(key, &canonical)
}

fn path_of(key: &CacheKey) -> CacheKey {
    with_path(key, key.target().path())
}

fn with_path(key: &CacheKey, path_and_query: &str) -> CacheKey {
    if key.target().path_and_query() == path_and_query {
        return key.clone();
    }
    // The path is a target's already, so it begins with "/".
    key.target().with_path(path_and_query).map_or_else(|_| key.clone(), CacheKey::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Target;
    use http::{HeaderMap, HeaderValue};

    fn key(path: &str) -> CacheKey {
        CacheKey::new(Target::from_url(&format!("http://a.example{path}")).expect("a URL"))
    }

    fn variance(field: &str) -> SearchVariance {
        let line = HeaderValue::from_str(field).expect("a value");
        let fields = HeaderMap::from_iter([("no-vary-search".parse().expect("a name"), line)]);
        SearchVariance::of(&fields).expect("a variance")
    }

    fn others(variances: &Variances, path: &str) -> Vec<CacheKey> {
        variances.others(&key(path)).map(|(_, key)| key).collect()
    }

    #[test]
    fn a_path_s_variances_lead_to_other_keys() {
        let variances = Variances::new(usize::MAX);
        assert!(others(&variances, "/a?x=1").is_empty());
        let all = variances.learn(&key("/a?y"), variance("params"));
        assert_eq!(others(&variances, "/a?x=1"), [key("/a")]);
        assert_eq!(others(&variances, "/a"), [key("/a")]);
        assert!(others(&variances, "/b?x=1").is_empty());
        assert!(Arc::ptr_eq(&all, &variances.learn(&key("/a"), variance("params"))));
        variances.learn(&key("/a"), variance("params=(\"x\")"));
        assert_eq!(others(&variances, "/a?x=1&y"), [key("/a"), key("/a?y=")]);
    }

    #[test]
    fn the_newest_are_kept_and_what_comes_again_is_another() {
        let variances = Variances::new(usize::MAX);
        let first = variances.learn(&key("/a"), variance("params"));
        for name in 0..MOST_OF_A_PATH {
            assert!(variances.knows(&key("/a?x"), &first));
            variances.learn(&key("/a"), variance(&format!("params=(\"{name}\")")));
        }
        assert_eq!(others(&variances, "/a?x=1").len(), MOST_OF_A_PATH);
        assert!(!variances.knows(&key("/a?x"), &first));
        variances.learn(&key("/a"), variance("params"));
        assert!(!variances.knows(&key("/a?x"), &first));

        for path in 0..MOST_PATHS {
            variances.learn(&key(&format!("/{path}")), variance("params"));
        }
        assert!(others(&variances, "/a?x=1").is_empty());
        assert_eq!(others(&variances, "/0?x=1"), [key("/0")]);
    }

    #[test]
    fn long_paths_and_long_variances_take_no_more_than_they_may() {
        const MOST: usize = 1 << 20;
        let variances = Variances::new(MOST);
        let weight = || variances.table.read().weight;
        for number in 0..2_000 {
            let path = format!("/{number}/{}", "x".repeat(number));
            let line = format!("params=(\"{number}{}\")", "y".repeat(1_900));
            for field in ["params", "key-order", &line] {
                variances.learn(&key(&path), variance(field));
                assert_eq!(others(&variances, &path).len(), variances.of(&key(&path)).len());
            }
            assert!(variances.of(&key(&path)).len() == 3 && weight() <= MOST, "{number}");
        }
        assert!(weight() > MOST / 2 && others(&variances, "/0/").is_empty());
        let mut table = variances.table.write();
        while !table.order.is_empty() {
            table.forget_oldest();
        }
        assert_eq!((table.weight, table.paths.len()), (0, 0));
    }

    #[test]
    fn one_variance_is_known_however_little_room_there_is() {
        let variances = Variances::new(0);
        for path in ["/a", "/b"] {
            let learnt = variances.learn(&key(path), variance("params"));
            assert!(variances.knows(&key(path), &learnt));
        }
        assert!(others(&variances, "/a").is_empty());
    }
}
