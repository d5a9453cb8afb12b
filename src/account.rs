//! Memory that is counted: what is stored and what is under way, together.
//!
//! Whoever holds memory for a while has a [`Charge`] for it, and gives it back by
//! dropping it. The pieces of a body carry their charges with them ([`Account::hold`]):
//! a piece counts once, for as long as anybody holds it, wherever it is by then. So
//! what a slow reader holds of a response that has left the store still counts, and
//! a hit, which shares the stored pieces, charges nothing.
//!
//! Charging never fails. Who is about to take more asks first how much room there is.

use bytes::Bytes;
use memmap2::MmapMut;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a piece of a body takes besides its bytes: its handle, its charge, and the
/// allocation that they are in.
pub const PER_PIECE: usize = 128;

/// What a piece takes besides its bytes that is in memory of its own: its owner and the
/// allocations.
pub const PER_OWN_PIECE: usize = 48;

/// From so many bytes on a piece is a mapping of its own, whose last page is empty in part.
const LARGE: usize = 64 << 10;

/// The most of these. Linux lets a process have 65,530 mappings, and others need some.
const MOST_MAPPINGS: usize = 16 << 10;

/// How much room is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Room {
    /// Enough.
    Plenty,
    /// From 95 % on: nothing more is stored, and what is stored gives way.
    Scarce,
    /// From 98 % on: nothing is begun that takes memory.
    Full,
    /// From 106 % on, which what was begun before may take: nobody else is let in.
    Over,
}

/// Counts bytes against a limit, for all threads.
#[derive(Debug)]
pub struct Account {
    limit: usize,
    taken: AtomicUsize,
    /// Pieces that are mappings.
    mappings: AtomicUsize,
}

impl Account {
    /// One with this limit in bytes, of which nothing is taken.
    pub fn new(limit: usize) -> Account {
        Account { limit, taken: AtomicUsize::new(0), mappings: AtomicUsize::new(0) }
    }

    /// One whose limit is never reached.
    pub fn unlimited() -> Account {
        Account::new(usize::MAX)
    }

    /// The limit in bytes.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// The bytes that are taken.
    pub fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// How much room is left.
    pub fn room(&self) -> Room {
        self.room_with(0)
    }

    /// How much room would be left if so many bytes more were taken.
    pub fn room_with(&self, more: usize) -> Room {
        let taken = self.taken().saturating_add(more);
        if taken < self.scarce_from() {
            Room::Plenty
        } else if taken < self.limit - self.limit / 50 {
            Room::Scarce
        } else if taken < self.limit.saturating_add(self.limit / 16) {
            Room::Full
        } else {
            Room::Over
        }
    }

    /// How many bytes have to be given back until there is plenty of room for so
    /// many more.
    pub fn excess(&self, more: usize) -> usize {
        (self.taken().saturating_add(more) + 1).saturating_sub(self.scarce_from())
    }

    fn scarce_from(&self) -> usize {
        self.limit - self.limit / 20
    }

    /// Counts bytes until [`Account::give_back`] is called for them.
    pub fn take(&self, bytes: usize) {
        self.taken.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts bytes that were taken no more.
    pub fn give_back(&self, bytes: usize) {
        self.taken.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Counts bytes until the result is dropped.
    pub fn charge(self: &Arc<Self>, bytes: usize) -> Charge {
        self.take(bytes);
        Charge { account: Arc::clone(self), bytes }
    }

    /// The same piece, counted until it and all that was made from it are dropped.
    pub fn hold(self: &Arc<Self>, piece: Bytes) -> Bytes {
        if piece.is_empty() {
            return piece;
        }
        let _charge = self.charge(piece.len() + PER_PIECE);
        Bytes::from_owner(Held { piece, _charge })
    }

    /// One piece of these, in memory of its own, counted like
    /// [a held one](Account::hold): it takes less besides its bytes.
    ///
    /// A large one is a mapping of its own, which goes back to the system as soon as
    /// nobody holds it; an allocator would keep its place for others.
    pub fn own(self: &Arc<Self>, pieces: &[Bytes]) -> Bytes {
        let length = pieces.iter().map(Bytes::len).sum();
        if length == 0 {
            return Bytes::new();
        }
        match self.mapped(length) {
            Some(mut mapping) => {
                let mut rest = &mut mapping[..];
                for piece in pieces {
                    let (place, behind) = rest.split_at_mut(piece.len());
                    place.copy_from_slice(piece);
                    rest = behind;
                }
                self.owned(mapping)
            }
            None => self.owned(pieces.concat().into_boxed_slice()),
        }
    }

    /// A mapping for a large piece. Where none is to be had there may still be memory.
    fn mapped(&self, length: usize) -> Option<MmapMut> {
        let is_wanted = length >= LARGE && self.mappings.load(Ordering::Relaxed) < MOST_MAPPINGS;
        is_wanted.then(|| MmapMut::map_anon(length).ok()).flatten()
    }

    fn owned<M: Memory>(self: &Arc<Self>, bytes: M) -> Bytes {
        let own = Own { bytes, account: Arc::clone(self) };
        self.take(own.weight());
        self.mappings.fetch_add(M::MAPPINGS, Ordering::Relaxed);
        Bytes::from_owner(own)
    }
}

/// Bytes that are counted until this is dropped.
#[derive(Debug)]
pub struct Charge {
    account: Arc<Account>,
    bytes: usize,
}

impl Charge {
    /// Counts so many bytes from now on.
    pub fn set(&mut self, bytes: usize) {
        if bytes > self.bytes {
            self.account.take(bytes - self.bytes);
        } else {
            self.account.give_back(self.bytes - bytes);
        }
        self.bytes = bytes;
    }

    /// How many bytes it counts.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.account.give_back(self.bytes);
    }
}

struct Held {
    piece: Bytes,
    _charge: Charge,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.piece
    }
}

/// What a piece may be in.
trait Memory: AsRef<[u8]> + Send + 'static {
    /// How many mappings it is.
    const MAPPINGS: usize;
}

impl Memory for Box<[u8]> {
    const MAPPINGS: usize = 0;
}

impl Memory for MmapMut {
    const MAPPINGS: usize = 1;
}

struct Own<M: Memory> {
    bytes: M,
    account: Arc<Account>,
}

impl<M: Memory> Own<M> {
    fn weight(&self) -> usize {
        self.bytes.as_ref().len() + PER_OWN_PIECE
    }
}

impl<M: Memory> AsRef<[u8]> for Own<M> {
    fn as_ref(&self) -> &[u8] {
        self.bytes.as_ref()
    }
}

impl<M: Memory> Drop for Own<M> {
    fn drop(&mut self) {
        self.account.give_back(self.weight());
        self.account.mappings.fetch_sub(M::MAPPINGS, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_shrinks_as_it_is_taken() {
        let account = Arc::new(Account::new(1000));
        for (taken, room) in [
            (0, Room::Plenty),
            (949, Room::Plenty),
            (950, Room::Scarce),
            (979, Room::Scarce),
            (980, Room::Full),
            (1061, Room::Full),
            (1062, Room::Over),
            (usize::MAX / 2, Room::Over),
        ] {
            let charge = account.charge(taken);
            assert_eq!(account.room(), room, "{taken}");
            let excess = account.excess(0);
            assert_eq!(excess == 0, room == Room::Plenty, "{taken}");
            assert_eq!(taken - excess, taken.min(949), "{taken}");
            drop(charge);
            assert_eq!(account.room_with(taken), room, "{taken}");
            assert_eq!(account.taken(), 0);
        }
        assert_eq!(Account::unlimited().room_with(usize::MAX / 2), Room::Plenty);
    }

    #[test]
    fn a_charge_may_grow_and_shrink() {
        let account = Arc::new(Account::new(1000));
        let mut charge = account.charge(10);
        charge.set(500);
        assert_eq!((account.taken(), charge.bytes()), (500, 500));
        charge.set(0);
        assert_eq!(account.taken(), 0);
        charge.set(7);
        drop(charge);
        assert_eq!(account.taken(), 0);
    }

    #[test]
    fn a_piece_counts_once_until_the_last_who_holds_it_lets_go() {
        let account = Arc::new(Account::new(1000));
        let piece = account.hold(Bytes::from_static(b"0123456789"));
        assert_eq!(account.taken(), 10 + PER_PIECE);
        let part = piece.slice(8..);
        drop(piece);
        assert_eq!((account.taken(), &part[..]), (10 + PER_PIECE, &b"89"[..]));
        drop(part);
        assert_eq!(account.taken(), 0);
        assert!(account.hold(Bytes::new()).is_empty() && account.own(&[]).is_empty());
        assert_eq!(account.taken(), 0);
        let own = account.own(&[Bytes::from_static(b"01234"), Bytes::from_static(b"56789")]);
        let part = own.slice(..3);
        drop(own);
        assert_eq!((account.taken(), &part[..]), (10 + PER_OWN_PIECE, &b"012"[..]));
        drop(part);
        assert_eq!(account.taken(), 0);
    }

    #[test]
    fn a_large_piece_is_a_mapping_as_long_as_there_are_not_too_many() {
        let account = Arc::new(Account::unlimited());
        let half = Bytes::from(vec![b'x'; LARGE / 2]);
        let (small, large) =
            (account.own(std::slice::from_ref(&half)), account.own(&[half.clone(), half]));
        let mappings = || account.mappings.load(Ordering::Relaxed);
        assert_eq!((mappings(), account.taken()), (1, LARGE * 3 / 2 + 2 * PER_OWN_PIECE));
        assert!(large.len() == LARGE && large.iter().all(|byte| *byte == b'x'));
        drop(small);
        account.mappings.store(MOST_MAPPINGS, Ordering::Relaxed);
        let another = account.own(std::slice::from_ref(&large));
        assert_eq!((mappings(), &another), (MOST_MAPPINGS, &large));
        drop((large, another));
        assert_eq!((mappings(), account.taken()), (MOST_MAPPINGS - 1, 0));
    }
}
