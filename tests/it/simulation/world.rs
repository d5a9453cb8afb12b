//! What has happened so far, in order, and what was wrong with it.

use super::operator::Door;
use super::random::Random;
use super::site::{Edition, Page, Rules};
use larder::clock::Clock;
use larder::semantics::time::Moment;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// When something happened: in which order, and at which millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct When {
    pub order: u64,
    pub millis: u64,
}

/// A request that has reached the origin.
#[derive(Clone, Debug)]
pub struct Exchange {
    pub edition: Edition,
    pub rules: Rules,
    pub tags: Vec<String>,
    pub method: String,
    /// A GET of the whole by nobody in particular: one at a time is enough.
    pub plain: bool,
    /// The status of its answer, 0 if it has none.
    pub status: u16,
    pub began: When,
    pub head: Option<When>,
    pub ended: Option<When>,
    /// Something was wrong with it on purpose.
    pub faulty: bool,
    /// How many clients were given it.
    pub given: usize,
}

/// What a purge met.
#[derive(Clone, Debug)]
pub enum Met {
    Page(usize),
    Tag(String),
    Group(String),
    Prefix(String),
    All,
}

/// A purge, or an unsafe request, which is one.
#[derive(Clone, Debug)]
pub struct Purge {
    pub met: Met,
    pub soft: bool,
    pub sent: When,
    pub answered: Option<When>,
}

pub struct World {
    pub pages: Vec<Page>,
    pub exchanges: Vec<Exchange>,
    pub purges: Vec<Purge>,
    /// When the origin was away, or went away: from, to.
    pub away: Vec<(When, Option<When>)>,
    /// When all its places were taken.
    pub full: Option<When>,
    /// Clients that wait.
    pub waiting: BTreeSet<u64>,
    /// POSTs that have reached the origin.
    pub posted: BTreeSet<u64>,
    /// How often each thing was seen.
    pub seen: BTreeMap<String, u64>,
    pub wrong: Vec<String>,
    pub diary: Vec<String>,
    /// New requests are answered well, whatever was drawn.
    pub healthy: bool,
    pub random: Random,
    start: Instant,
    order: u64,
}

/// The most requests in flight to the origin.
pub const PLACES: usize = 24;

impl World {
    pub fn new(seed: u64) -> World {
        let mut random = Random::new(seed);
        let pages = (0..5).map(|number| Page::draw(number, &mut random)).collect();
        World {
            pages,
            exchanges: Vec::new(),
            purges: Vec::new(),
            away: Vec::new(),
            full: None,
            waiting: BTreeSet::new(),
            posted: BTreeSet::new(),
            seen: BTreeMap::new(),
            wrong: Vec::new(),
            diary: Vec::new(),
            healthy: false,
            random: Random::new(!seed),
            start: Instant::now(),
            order: 0,
        }
    }

    /// Something happens now.
    pub fn now(&mut self) -> When {
        self.order += 1;
        let millis = self.start.elapsed().as_millis();
        When { order: self.order, millis: u64::try_from(millis).expect("a short time") }
    }

    /// Writes down what happens.
    pub fn note(&mut self, what: &str) -> When {
        let when = self.now();
        self.diary.push(format!("{:>6} ms  {what}", when.millis));
        when
    }

    pub fn count(&mut self, what: &str) {
        *self.seen.entry(what.to_string()).or_default() += 1;
    }

    /// Notes that the proxy has done wrong.
    pub fn blame(&mut self, what: String) {
        self.note(&format!("WRONG: {what}"));
        self.wrong.push(what);
    }

    /// A purge is sent; its number.
    pub fn purge_begins(&mut self, met: Met, soft: bool, door: Door) -> usize {
        let sent = self.note(&format!("purge {met:?}, soft: {soft}, by {door:?}"));
        let purge = Purge { met, soft, sent, answered: None };
        if self.in_flight().any(|exchange| self.meets(&purge, exchange)) {
            self.count("purge during a fetch");
        }
        self.purges.push(purge);
        self.purges.len() - 1
    }

    /// A purge is answered: from now on it has to hold.
    pub fn purge_ends(&mut self, at: usize, status: u16) {
        let now = self.note(&format!("purge of {:?} answered: {status}", self.purges[at].met));
        self.purges[at].answered = Some(now);
        if status != 200 {
            self.blame(format!("a purge was answered with {status}"));
        }
    }

    /// The exchanges under way.
    pub fn in_flight(&self) -> impl Iterator<Item = &Exchange> {
        self.exchanges.iter().filter(|exchange| exchange.ended.is_none())
    }

    /// Whether a purge meets what an exchange brought.
    pub fn meets(&self, purge: &Purge, brought: &Exchange) -> bool {
        let page = brought.edition.page;
        match &purge.met {
            Met::Page(number) => *number == page,
            Met::Tag(tag) => brought.tags.contains(tag),
            Met::Group(group) => self.pages[page].group.as_ref() == Some(group),
            Met::Prefix(prefix) => self.pages[page].path.starts_with(prefix),
            Met::All => true,
        }
    }
}

/// The world, as the origin, the clients and the steps share it.
#[derive(Clone)]
pub struct Shared(Arc<Mutex<World>>);

impl Shared {
    pub fn new(world: World) -> Shared {
        Shared(Arc::new(Mutex::new(world)))
    }

    pub fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().expect("no panic")
    }
}

/// The runtime's time, which stands still while anything can be done.
pub struct Simulated(pub Instant);

impl Clock for Simulated {
    fn precise(&self) -> Duration {
        self.now().since(Moment(0))
    }

    fn now(&self) -> Moment {
        Moment(u64::try_from(self.0.elapsed().as_millis()).expect("a short time"))
    }

    fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000) + self.0.elapsed()
    }
}
