//! A seed's steps, one after the other, and its end.

use super::client::{Ask, Kept};
use super::judge::{HOLD, SOFT_WINDOW, UNCACHEABLE, WHEN_DOWN};
use super::operator::{self, Door};
use super::origin::Origin;
use super::random::Random;
use super::site::MAX_OBJECT;
use super::world::{Met, PLACES, Shared, Simulated, World};
use larder::app::{Here, start_here};
use larder::config::{AccessLog, Listen, Settings, Target};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

const MEMORY: u64 = 48 * 1024;

/// What came of a seed.
pub struct Told {
    pub wrong: Option<String>,
    pub diary: Vec<String>,
    pub seen: BTreeMap<String, u64>,
}

/// Runs a seed for at most so many steps.
pub fn run(seed: u64, most: usize, folder: &Path) -> Told {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let mut house = House::build(seed, folder.join(format!("{seed}.sock")));
        house.live(most).await;
        let mut world = house.world.lock();
        Told {
            wrong: world.wrong.first().cloned(),
            diary: std::mem::take(&mut world.diary),
            seen: std::mem::take(&mut world.seen),
        }
    })
}

struct House {
    world: Shared,
    here: Here,
    address: SocketAddr,
    admin: SocketAddr,
    origin: Option<Origin>,
    socket: PathBuf,
    random: Random,
    clients: Vec<JoinHandle<()>>,
    purges: Vec<JoinHandle<()>>,
    kept: Kept,
    last: u64,
}

impl House {
    fn build(seed: u64, socket: PathBuf) -> House {
        let mut settings = Settings::new(Target::Unix(socket.clone()));
        let any = "127.0.0.1:0".parse().expect("an address");
        settings.listen = vec![Listen { text: "any".into(), addresses: vec![any] }];
        settings.admin.listen = Some(any);
        settings.log.access = AccessLog::Off;
        settings.origin.max_connections = PLACES;
        settings.origin.hold = Duration::from_millis(HOLD);
        settings.origin.first_byte_timeout = Duration::from_secs(5);
        settings.origin.between_bytes_timeout = Duration::from_secs(5);
        settings.cache.memory = MEMORY;
        settings.cache.max_object = MAX_OBJECT;
        settings.cache.stale_when_down = Duration::from_secs(WHEN_DOWN);
        settings.cache.soft_purge_window = Duration::from_secs(SOFT_WINDOW);
        settings.cache.stale_if_slow = Duration::from_millis(100 * (seed % 2));
        // By key, and by a number that each process draws.
        settings.cache.jitter = 0;
        settings.cache.uncacheable_ttl = Duration::from_secs(UNCACHEABLE);
        let world = Shared::new(World::new(seed));
        let here = start_here(&settings, Arc::new(Simulated(Instant::now()))).expect("it starts");
        let origin = Some(Origin::start(&world, &socket));
        House {
            address: here.addresses()[0],
            admin: here.admin().expect("a door"),
            world,
            here,
            origin,
            socket,
            random: Random::new(seed.wrapping_mul(0x2545_F491_4F6C_DD1D)),
            clients: Vec::new(),
            purges: Vec::new(),
            kept: Kept::default(),
            last: 0,
        }
    }

    async fn live(&mut self, most: usize) {
        for _ in 0..most {
            self.step().await;
            if self.is_wrong().await {
                return;
            }
        }
        self.end().await;
    }

    async fn is_wrong(&self) -> bool {
        let stored = operator::stored(self.admin).await;
        let mut world = self.world.lock();
        if stored > MEMORY {
            world.blame(format!("{stored} bytes are stored, of {MEMORY}"));
        }
        !world.wrong.is_empty()
    }

    /// Something happens, and then a moment goes by, or none. What was purged is
    /// still being swept, or not.
    async fn step(&mut self) {
        for _ in 0..self.random.below(3) {
            self.here.sweep_a_little();
        }
        match self.random.below(100) {
            0..56 => {
                let many = self.random.pick(&[1, 1, 1, 2, 4]);
                let page = self.any_page();
                for _ in 0..many {
                    self.ask(page);
                }
            }
            56..62 => self.leave(),
            62..70 => sleep(self.moment(&[900, 2_000, 4_000, 8_000, 31_000])).await,
            70..75 => {
                let page = self.any_page();
                self.purge(page).await;
            }
            75..77 => self.cross().await,
            77..80 => self.purge_by_method(),
            80..86 => self.post(),
            86..92 => self.change(),
            92..97 => self.come_or_go(),
            _ => self.crowd(),
        }
        sleep(self.moment(&[0, 1, 10, 60, 250])).await;
    }

    fn moment(&mut self, of: &[u64]) -> Duration {
        Duration::from_millis(self.random.pick(of))
    }

    fn any_page(&mut self) -> usize {
        usize::try_from(self.random.below(5)).expect("a page")
    }

    fn ask(&mut self, page: usize) {
        self.last += 1;
        let ask = Ask::draw(&self.world.lock(), self.last, page, &mut self.random);
        self.send(ask);
    }

    fn send(&mut self, ask: Ask) {
        let run = ask.run(self.world.clone(), self.address, Arc::clone(&self.kept));
        self.clients.push(tokio::spawn(run));
    }

    /// Everybody wants the same page at once.
    fn crowd(&mut self) {
        let page = self.any_page();
        for _ in 0..8 {
            self.last += 1;
            let ask = Ask::plain(&self.world.lock(), self.last, page);
            self.send(ask);
        }
    }

    /// A client leaves in the middle.
    fn leave(&mut self) {
        self.clients.retain(|client| !client.is_finished());
        if !self.clients.is_empty() {
            let at = self.random.below(self.clients.len() as u64);
            self.clients.swap_remove(usize::try_from(at).expect("a client")).abort();
            let mut world = self.world.lock();
            world.note("a client leaves");
            world.count("left");
        }
    }

    fn post(&mut self) {
        let page = self.any_page();
        self.last += 1;
        let mut ask = Ask::plain(&self.world.lock(), self.last, page);
        ask.method = "POST";
        self.send(ask);
    }

    /// The application changes a page and tells nobody.
    fn change(&mut self) {
        let page = self.any_page();
        let vanishes = self.random.percent(25);
        let mut world = self.world.lock();
        world.pages[page].version += 1;
        world.pages[page].gone ^= vanishes;
        world.note(&format!("page {page} changes"));
    }

    /// The origin goes away with all its connections, or comes back.
    fn come_or_go(&mut self) {
        match self.origin.take() {
            Some(origin) => {
                drop(origin);
                let _ = std::fs::remove_file(&self.socket);
                let mut world = self.world.lock();
                let now = world.note("the origin goes away");
                world.away.push((now, None));
            }
            None => self.come_back(),
        }
    }

    fn come_back(&mut self) {
        if self.origin.is_some() {
            return;
        }
        self.origin = Some(Origin::start(&self.world, &self.socket));
        let mut world = self.world.lock();
        let now = world.note("the origin is back");
        if let Some((_, to)) = world.away.last_mut() {
            *to = Some(now);
        }
    }

    /// A purge meets a fetch under way, and somebody asks after it.
    async fn cross(&mut self) {
        let page = self.any_page();
        self.ask(page);
        sleep(self.moment(&[0, 10, 40])).await;
        self.purge(page).await;
        for _ in 0..2 {
            self.ask(page);
        }
    }

    /// `PURGE` among other requests, at the same moment.
    fn purge_by_method(&mut self) {
        let page = self.any_page();
        let many = self.random.below(3);
        for _ in 0..many {
            self.ask(page);
        }
        let (world, met) = (self.world.clone(), Met::Page(page));
        let purge = operator::purge(world, Door::Proxy, self.address, met, false);
        self.purges.push(tokio::spawn(purge));
        for _ in 0..many {
            self.ask(page);
        }
    }

    /// Purges a page, or what it has in common with others. It is done on
    /// another thread; so all that can be done at this moment is done before.
    async fn purge(&mut self, page: usize) {
        let tags = self.world.lock().pages[page].tags.clone();
        let soft = self.random.percent(40);
        let met = match self.random.below(10) {
            0..4 => Met::Page(page),
            4..7 if tags.is_empty() => Met::Tag("t0".into()),
            4..7 => Met::Tag(self.random.pick(&tags)),
            7..9 => Met::Prefix(self.random.pick(&["/a/", "/b/"]).into()),
            _ => Met::All,
        };
        sleep(Duration::from_millis(1)).await;
        operator::purge(self.world.clone(), Door::Admin, self.admin, met, soft).await;
    }

    /// Nothing new happens, and all that is under way has to end. Then every
    /// page has to be had, by whoever asks.
    async fn end(&mut self) {
        self.world.lock().healthy = true;
        self.come_back();
        self.wait_for_all().await;
        sleep(Duration::from_secs(60)).await;
        for page in 0..5 {
            self.last += 1;
            let ask = Ask::plain(&self.world.lock(), self.last, page);
            self.send(ask);
        }
        self.wait_for_all().await;
        let under_way = self.here.fetches_under_way();
        let mut world = self.world.lock();
        if under_way > 0 {
            world.blame(format!("{under_way} fetches are under way, of nobody"));
        }
        if !world.waiting.is_empty() {
            let waiting = world.waiting.clone();
            world.blame(format!("clients wait for ever: {waiting:?}"));
        }
        if !self.purges.iter().all(JoinHandle::is_finished) {
            world.blame("a purge is never answered".into());
        }
        if world.in_flight().next().is_some() {
            world.blame("an exchange with the origin doesn't end".into());
        }
    }

    async fn wait_for_all(&mut self) {
        for _ in 0..600 {
            let over = self.world.lock().waiting.is_empty()
                && self.world.lock().in_flight().next().is_none()
                && self.clients.iter().chain(&self.purges).all(JoinHandle::is_finished);
            if over && self.here.fetches_under_way() == 0 {
                return;
            }
            sleep(Duration::from_millis(100)).await;
        }
    }
}
