//! Which upstream a request goes to, and the wait when all are busy.
//!
//! All runtimes share this. Who waits is given a place in the order of coming;
//! whoever comes later stands behind.

use super::health::Standing;
use super::upstream::Upstream;
use crate::error::OriginError;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

/// The upstreams, and who waits for one.
#[derive(Debug)]
pub(super) struct Places {
    pub upstreams: Vec<Upstream>,
    queue: Mutex<VecDeque<Waiting>>,
    waiting: AtomicUsize,
    /// The most requests that wait.
    longest: usize,
    drawn: AtomicUsize,
}

#[derive(Debug)]
struct Waiting {
    tried: Tried,
    given: oneshot::Sender<Place>,
}

/// The upstreams that a request has been refused by.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tried(u64);

impl Tried {
    /// The most upstreams that there may be.
    pub const MOST: usize = 64;

    /// The same, and this one.
    pub fn and(self, at: usize) -> Tried {
        Tried(self.0 | 1 << at)
    }

    fn is_nothing(self) -> bool {
        self.0 == 0
    }

    fn has(self, at: usize) -> bool {
        self.0 & 1 << at != 0
    }
}

/// A place for one request at one upstream; given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    /// The upstream's number.
    pub at: usize,
    probe: bool,
}

impl Place {
    /// Where.
    pub fn upstream(&self) -> &Upstream {
        &self.places.upstreams[self.at]
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.probe {
            self.upstream().end_probe();
        }
        self.upstream().leave();
        self.places.serve();
    }
}

impl Places {
    /// The places of these upstreams, for which at most so many requests wait.
    pub fn new(upstreams: Vec<Upstream>, longest: usize) -> Places {
        let (waiting, drawn) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Places { upstreams, queue: Mutex::default(), waiting, longest, drawn }
    }

    /// Requests that wait for a place, or are just being given one.
    pub fn queued(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }

    /// Whether there is an upstream that has not been tried.
    pub fn has_other(&self, tried: Tried) -> bool {
        (0..self.upstreams.len()).any(|at| !tried.has(at))
    }

    /// Whether every upstream is left out.
    pub fn all_ejected(&self) -> bool {
        self.upstreams.iter().all(Upstream::is_ejected)
    }

    /// A place at an upstream that has not been tried, waiting for at most so
    /// long.
    ///
    /// # Errors
    /// [`OriginError::Busy`], [`OriginError::QueueFull`].
    pub async fn enter(
        self: &Arc<Self>,
        tried: Tried,
        within: Duration,
    ) -> Result<Place, OriginError> {
        if self.waiting.load(Ordering::SeqCst) == 0
            && let Some(place) = self.take(tried)
        {
            return Ok(place);
        }
        let end = Instant::now() + within;
        let mut place = self.queue_up(tried)?;
        loop {
            // Nobody gives a place back when one that was left out may be asked again.
            let look = self.next_return().map_or(end, |at| at.min(end));
            match timeout_at(look, &mut place).await {
                Ok(Ok(place)) => return Ok(place),
                Err(_) if look < end => self.serve(),
                _ => return Err(OriginError::Busy),
            }
        }
    }

    /// When the next upstream that is left out may be asked again.
    fn next_return(&self) -> Option<Instant> {
        let now = Instant::now();
        self.upstreams.iter().filter_map(|upstream| upstream.returns_after(now)).min()
    }

    fn queue_up(self: &Arc<Self>, tried: Tried) -> Result<oneshot::Receiver<Place>, OriginError> {
        let mut queue = self.queue.lock();
        if queue.len() >= self.longest {
            queue.retain(|waiting| !waiting.given.is_closed());
        }
        if queue.len() >= self.longest {
            self.waiting.store(queue.len(), Ordering::SeqCst);
            return Err(OriginError::QueueFull);
        }
        let (given, place) = oneshot::channel();
        queue.push_back(Waiting { tried, given });
        self.waiting.store(queue.len(), Ordering::SeqCst);
        drop(queue);
        // A place may have come free before this was seen to wait.
        self.serve();
        Ok(place)
    }

    /// Gives free places to those who wait.
    pub fn serve(self: &Arc<Self>) {
        if self.waiting.load(Ordering::SeqCst) == 0 {
            return;
        }
        let mut unclaimed = Vec::new();
        let mut queue = self.queue.lock();
        let mut next = 0;
        while let Some(waiting) = queue.get(next) {
            let place = match waiting.given.is_closed() {
                true => None,
                false => match self.take(waiting.tried) {
                    Some(place) => Some(place),
                    // Nor is there one for anybody behind.
                    None if waiting.tried.is_nothing() => break,
                    None => {
                        next += 1;
                        continue;
                    }
                },
            };
            if let (Some(waiting), Some(place)) = (queue.remove(next), place) {
                unclaimed.extend(waiting.given.send(place).err());
            }
        }
        self.waiting.store(queue.len(), Ordering::SeqCst);
        drop(queue);
        // Of those who have just gone; each serves again when it is dropped.
        drop(unclaimed);
    }

    /// A place at once: at an upstream that may have come back, else at the less
    /// busy one of two that are well, else at any of them. If none is well, all
    /// count as well.
    fn take(self: &Arc<Self>, tried: Tried) -> Option<Place> {
        if let [only] = &self.upstreams[..] {
            return only.enter().then(|| self.place(0, false));
        }
        let now = Instant::now();
        let untried = || (0..self.upstreams.len()).filter(move |at| !tried.has(*at));
        let returning =
            untried().find(|at| self.upstreams[*at].begin_probe(now) && self.enter_probe(*at));
        if let Some(at) = returning {
            return Some(self.place(at, true));
        }
        let is_well = |at: &usize| self.upstreams[*at].standing(now) == Standing::Well;
        let any_well = untried().any(|at| is_well(&at));
        let candidates = || untried().filter(|at| !any_well || is_well(at));
        let (one, other) = self.draw_two(candidates().count())?;
        let (one, other) = (candidates().nth(one)?, candidates().nth(other)?);
        let busy = |at: usize| self.upstreams[at].in_flight();
        let first = if busy(other) < busy(one) { other } else { one };
        std::iter::once(first)
            .chain(candidates())
            .find(|at| self.upstreams[*at].enter())
            .map(|at| self.place(at, false))
    }

    fn enter_probe(&self, at: usize) -> bool {
        let entered = self.upstreams[at].enter();
        if !entered {
            self.upstreams[at].end_probe();
        }
        entered
    }

    fn place(self: &Arc<Self>, at: usize, probe: bool) -> Place {
        Place { places: Arc::clone(self), at, probe }
    }

    /// Two different numbers below `count`, or the same twice if there is one
    /// only. Anybody may know them: they spread, and protect nothing.
    fn draw_two(&self, count: usize) -> Option<(usize, usize)> {
        let drawn = self.drawn.fetch_add(1, Ordering::Relaxed) as u64;
        // The finaliser of splitmix64.
        let mut mixed = drawn.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^= mixed >> 27;
        let one = (mixed as usize).checked_rem(count)?;
        let step = (mixed >> 32) as usize % (count - 1).max(1);
        Some((one, (one + 1 + step) % count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::origin::{Address, Ejection};

    const RULE: Ejection = Ejection { after: 1, span: Duration::from_secs(10) };
    const SECOND: Duration = Duration::from_secs(1);

    fn places(count: u16, most: usize, longest: usize) -> Arc<Places> {
        let upstream = |port| {
            let address = Address::Tcp { host: "127.0.0.1".into(), port };
            Upstream::new(&address, most, SECOND)
        };
        Arc::new(Places::new((1..=count).map(upstream).collect(), longest))
    }

    fn spread(places: &Arc<Places>, taken: &[Place]) -> Vec<usize> {
        let at = |number| taken.iter().filter(|place| place.at == number).count();
        (0..places.upstreams.len()).map(at).collect()
    }

    #[test]
    fn the_less_busy_of_two() {
        let places = places(3, 1000, 0);
        let taken: Vec<Place> = (0..300).filter_map(|_| places.take(Tried::default())).collect();
        let counts = spread(&places, &taken);
        assert!(counts.iter().all(|count| (95..=105).contains(count)), "{counts:?}");
        drop(taken);
        assert!(places.upstreams.iter().all(|upstream| upstream.in_flight() == 0));
    }

    #[test]
    fn no_more_than_each_takes_and_none_that_was_tried() {
        let places = places(2, 3, 0);
        let mut taken: Vec<Place> = Vec::new();
        taken.extend(std::iter::from_fn(|| places.take(Tried::default().and(0))));
        assert_eq!(spread(&places, &taken), [0, 3]);
        taken.extend(std::iter::from_fn(|| places.take(Tried::default())));
        assert_eq!(spread(&places, &taken), [3, 3]);
        assert!(!places.has_other(Tried::default().and(0).and(1)));
    }

    #[tokio::test(start_paused = true)]
    async fn an_ejected_one_is_left_out_until_its_probe_is_answered() {
        let places = places(2, 1000, 0);
        places.upstreams[0].failed(Instant::now(), RULE);
        let taken: Vec<Place> = (0..50).filter_map(|_| places.take(Tried::default())).collect();
        assert_eq!(spread(&places, &taken), [0, 50]);
        drop(taken);
        tokio::time::advance(RULE.span).await;
        let taken: Vec<Place> = (0..50).filter_map(|_| places.take(Tried::default())).collect();
        assert_eq!(spread(&places, &taken), [1, 49], "one probe");
        drop(taken);
        let probe = places.take(Tried::default()).unwrap();
        probe.upstream().answered();
        drop(probe);
        let taken: Vec<Place> = (0..50).filter_map(|_| places.take(Tried::default())).collect();
        let counts = spread(&places, &taken);
        assert!(counts.iter().all(|count| *count > 20), "{counts:?}");
    }

    #[test]
    fn when_all_are_ejected_all_are_asked() {
        let places = places(2, 1000, 0);
        for upstream in &places.upstreams {
            upstream.failed(Instant::now(), RULE);
        }
        let taken: Vec<Place> = (0..50).filter_map(|_| places.take(Tried::default())).collect();
        assert_eq!(spread(&places, &taken).iter().sum::<usize>(), 50);
    }

    #[tokio::test(start_paused = true)]
    async fn places_are_given_in_the_order_of_coming() {
        let places = places(1, 1, 2);
        let held = places.enter(Tried::default(), SECOND).await.unwrap();
        let first = places.queue_up(Tried::default()).unwrap();
        let mut second = places.queue_up(Tried::default()).unwrap();
        let full = places.enter(Tried::default(), SECOND).await;
        assert!(matches!(full, Err(OriginError::QueueFull)));
        drop(held);
        let first = first.await.unwrap();
        assert!(second.try_recv().is_err());
        drop(first);
        drop(second.await.unwrap());
        assert_eq!(places.upstreams[0].in_flight(), 0);
        drop(places.enter(Tried::default(), Duration::ZERO).await.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_is_served_when_one_that_was_left_out_may_be_asked_again() {
        let places = places(2, 1, 10);
        places.upstreams[0].failed(Instant::now(), RULE);
        let busy = places.take(Tried::default()).unwrap();
        assert_eq!(busy.at, 1);
        let begun = Instant::now();
        let place = places.enter(Tried::default(), 2 * RULE.span).await.unwrap();
        assert_eq!(place.at, 0);
        assert!(begun.elapsed() < RULE.span + SECOND, "{:?}", begun.elapsed());
        // The probe is under way, so there is nothing to look for.
        let begun = Instant::now();
        assert!(matches!(places.enter(Tried::default(), SECOND).await, Err(OriginError::Busy)));
        assert_eq!(begun.elapsed(), SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_who_may_go_elsewhere_stands_behind_one_who_may_not() {
        let places = places(2, 1, 10);
        let (one, other) = (places.take(Tried::default()), places.take(Tried::default()));
        let mut taken: Vec<Place> = one.into_iter().chain(other).collect();
        taken.sort_by_key(|place| place.at);
        let mut not_there = places.queue_up(Tried::default().and(1)).unwrap();
        let mut anywhere = places.queue_up(Tried::default()).unwrap();
        drop(taken.pop());
        assert_eq!(anywhere.try_recv().unwrap().at, 1);
        assert!(not_there.try_recv().is_err());
        drop(taken);
        assert_eq!(not_there.try_recv().unwrap().at, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_makes_room() {
        let places = places(1, 1, 1);
        let held = places.enter(Tried::default(), SECOND).await.unwrap();
        for _ in 0..3 {
            let busy = places.enter(Tried::default(), SECOND).await;
            assert!(matches!(busy, Err(OriginError::Busy)));
        }
        let gone = places.queue_up(Tried::default()).unwrap();
        drop(gone);
        drop(held);
        assert_eq!(places.upstreams[0].in_flight(), 0);
        assert!(places.take(Tried::default()).is_some());
    }
}
