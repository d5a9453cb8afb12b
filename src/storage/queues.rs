//! In which order stored responses go when room is needed: S3-FIFO (Yang and
//! others, "FIFO queues are all you need for cache eviction", SOSP 2023).
//!
//! Two queues, and who was asked for while in one of them. What comes is put into
//! the small queue, which gets a tenth of the room: most of what is never asked for
//! again leaves from there, and has pushed out nothing else. What was asked for
//! meanwhile goes on to the main queue; so does what comes again soon after it has
//! left (a [ghost](super::ghosts)). Who is asked for while in the main queue goes
//! round once more for each time, three times at most. A lookup moves nothing.

use super::ghosts::Ghosts;
use super::index::Id;
use super::slab::Slab;

/// The part of the room that what comes newly may take: one in so many.
const SMALL: u64 = 10;
/// How often something has to be asked for in the small queue to go on.
const TWICE: u8 = 2;

/// One of the queues.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Queue {
    /// Neither.
    #[default]
    None,
    Small,
    Main,
}

/// What is to become of the response that is next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It goes on, or round once more, and has been moved.
    Stays { remembered: u8 },
    /// It is to be evicted.
    Goes,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    queue: Queue,
    before: Id,
    after: Id,
}

/// No response has this number.
const NOBODY: Id = Id::MAX;

impl Default for Node {
    fn default() -> Node {
        Node { queue: Queue::None, before: NOBODY, after: NOBODY }
    }
}

#[derive(Debug)]
struct List {
    first: Id,
    last: Id,
    bytes: u64,
    count: usize,
}

impl Default for List {
    fn default() -> List {
        List { first: NOBODY, last: NOBODY, bytes: 0, count: 0 }
    }
}

/// The queues, of responses by their numbers.
#[derive(Debug, Default)]
pub(super) struct Queues {
    nodes: Slab<Node>,
    small: List,
    main: List,
    ghosts: Ghosts,
    /// Bytes that there is room for.
    room: u64,
}

impl Queues {
    pub fn new(room: u64) -> Queues {
        Queues { room, ..Queues::default() }
    }

    /// Bytes of all that is in a queue.
    pub fn bytes(&self) -> u64 {
        self.small.bytes + self.main.bytes
    }

    /// In which queue a response is.
    pub fn of(&self, id: Id) -> Queue {
        self.nodes.get(id).map_or(Queue::None, |node| node.queue)
    }

    /// Puts a response at the end of the queue in which the one that it takes the
    /// place of was, or which it belongs to by its hash.
    pub fn enter(&mut self, id: Id, weight: u64, hash: u64, instead: Queue) {
        let is_known = self.ghosts.take(hash) || instead == Queue::Main;
        self.append(id, weight, if is_known { Queue::Main } else { Queue::Small });
    }

    /// Takes a response out.
    pub fn leave(&mut self, id: Id, weight: u64) {
        let Some(node) = self.nodes.get_mut(id) else { return };
        let Node { queue, before, after } = std::mem::take(node);
        let Some(list) = self.list(queue) else { return };
        list.bytes -= weight;
        list.count -= 1;
        if list.first == id {
            list.first = after;
        }
        if list.last == id {
            list.last = before;
        }
        self.nodes.get_mut(before).iter_mut().for_each(|node| node.after = after);
        self.nodes.get_mut(after).iter_mut().for_each(|node| node.before = before);
    }

    /// The response that is the first to go, or to stay.
    pub fn first(&self) -> Option<Id> {
        let small_is_due = self.main.count == 0 || self.small.bytes >= self.room / SMALL;
        let list = if small_is_due && self.small.count > 0 { &self.small } else { &self.main };
        Some(list.first).filter(|first| *first != NOBODY)
    }

    /// Decides about [the first](Queues::first), which has been asked for so often
    /// since it was last decided about.
    pub fn pass(&mut self, id: Id, weight: u64, hash: u64, asked: u8) -> Next {
        let remembered = match self.of(id) {
            Queue::Small if asked >= TWICE => 0,
            Queue::Main if asked > 0 => asked - 1,
            Queue::Small => {
                self.ghosts.add(hash, self.small.count + self.main.count);
                return Next::Goes;
            }
            Queue::Main | Queue::None => return Next::Goes,
        };
        self.leave(id, weight);
        self.append(id, weight, Queue::Main);
        Next::Stays { remembered }
    }

    fn append(&mut self, id: Id, weight: u64, queue: Queue) {
        while self.nodes.len() <= id as usize {
            self.nodes.push(Node::default());
        }
        let Some(list) = self.list(queue) else { return };
        let before = std::mem::replace(&mut list.last, id);
        if list.first == NOBODY {
            list.first = id;
        }
        list.bytes += weight;
        list.count += 1;
        self.nodes.get_mut(before).iter_mut().for_each(|node| node.after = id);
        let node = Node { queue, before, after: NOBODY };
        self.nodes.get_mut(id).iter_mut().for_each(|place| **place = node);
    }

    fn list(&mut self, queue: Queue) -> Option<&mut List> {
        match queue {
            Queue::None => None,
            Queue::Small => Some(&mut self.small),
            Queue::Main => Some(&mut self.main),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Room for ten of weight ten.
    fn queues() -> Queues {
        Queues::new(100)
    }

    fn enter(queues: &mut Queues, ids: impl Iterator<Item = Id>) {
        ids.for_each(|id| queues.enter(id, 10, hash(id), Queue::None));
    }

    fn hash(id: Id) -> u64 {
        u64::from(id).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    /// Who goes next, if these are asked for so often.
    fn goes(queues: &mut Queues, asked: &mut [u8]) -> Option<Id> {
        loop {
            let id = queues.first()?;
            match queues.pass(id, 10, hash(id), asked[id as usize]) {
                Next::Stays { remembered } => asked[id as usize] = remembered,
                Next::Goes => {
                    queues.leave(id, 10);
                    return Some(id);
                }
            }
        }
    }

    #[test]
    fn what_is_never_asked_for_goes_in_the_order_in_which_it_came() {
        let (mut queues, mut asked) = (queues(), [0; 10]);
        enter(&mut queues, 0..10);
        let order: Vec<_> = std::iter::from_fn(|| goes(&mut queues, &mut asked)).collect();
        assert_eq!(order, (0..10).collect::<Vec<_>>());
        assert_eq!((queues.bytes(), queues.first()), (0, None));
    }

    #[test]
    fn who_was_asked_for_twice_goes_on_and_who_was_once_does_not() {
        let (mut queues, mut asked) = (queues(), [0, 2, 1, 3, 0]);
        enter(&mut queues, 0..5);
        let order: Vec<_> = (0..3).filter_map(|_| goes(&mut queues, &mut asked)).collect();
        assert_eq!(order, [0, 2, 4]);
        assert_eq!([1, 3].map(|id| queues.of(id)), [Queue::Main; 2]);
        // What it was asked for before counts no more.
        assert_eq!(asked[1..4], [0, 1, 0]);
    }

    #[test]
    fn those_of_the_main_queue_go_round_once_for_each_time() {
        let (mut queues, mut asked) = (queues(), [2; 12]);
        enter(&mut queues, 0..3);
        asked[3..].fill(0);
        enter(&mut queues, 3..4);
        assert_eq!(goes(&mut queues, &mut asked), Some(3));
        asked[..3].copy_from_slice(&[1, 0, 2]);
        let order: Vec<_> = std::iter::from_fn(|| goes(&mut queues, &mut asked)).collect();
        assert_eq!(order, [1, 0, 2]);
    }

    #[test]
    fn who_comes_again_soon_is_known() {
        let (mut queues, mut asked) = (queues(), [0; 10]);
        enter(&mut queues, 0..10);
        assert_eq!(goes(&mut queues, &mut asked), Some(0));
        enter(&mut queues, 0..1);
        assert_eq!(queues.of(0), Queue::Main);
        // Who has left the main queue is not.
        enter(&mut queues, std::iter::empty());
        (1..10).for_each(|id| queues.leave(id, 10));
        assert_eq!(goes(&mut queues, &mut asked), Some(0));
        enter(&mut queues, 0..1);
        assert_eq!(queues.of(0), Queue::Small);
    }

    #[test]
    fn a_flood_of_what_is_asked_for_once_pushes_out_nothing_else() {
        let (mut queues, mut asked) = (queues(), [0; 1010]);
        enter(&mut queues, 0..10);
        asked[..9].fill(2);
        for id in 10..1010 {
            let gone = goes(&mut queues, &mut asked);
            assert!(gone >= Some(9), "{gone:?}");
            enter(&mut queues, id..id + 1);
        }
        assert_eq!((queues.main.count, queues.small.count), (9, 1));
    }

    #[test]
    fn what_takes_the_place_of_another_stays_in_its_queue() {
        let mut queues = queues();
        queues.enter(0, 10, 0, Queue::Main);
        queues.enter(1, 10, 1, Queue::Small);
        assert_eq!([0, 1].map(|id| queues.of(id)), [Queue::Main, Queue::Small]);
    }

    #[test]
    fn whoever_leaves_from_the_middle_leaves_no_gap() {
        let (mut queues, mut asked) = (queues(), [0; 6]);
        enter(&mut queues, 0..6);
        [2, 0, 5].iter().for_each(|id| queues.leave(*id, 10));
        queues.leave(2, 10);
        assert_eq!(queues.bytes(), 30);
        let order: Vec<_> = std::iter::from_fn(|| goes(&mut queues, &mut asked)).collect();
        assert_eq!(order, [1, 3, 4]);
    }
}
