//! Numbered places that never move: a table of them grows a piece at a time, and
//! nobody waits while all of it is copied.

use super::index::Id;

/// Places in one piece.
const PIECE: usize = 1024;

/// Places, by their numbers.
#[derive(Debug)]
pub(super) struct Slab<T> {
    pieces: Vec<Vec<T>>,
}

impl<T> Default for Slab<T> {
    fn default() -> Slab<T> {
        Slab { pieces: Vec::new() }
    }
}

impl<T> Slab<T> {
    /// Adds a place, and returns its number: one more than the last one's.
    pub fn push(&mut self, value: T) -> Id {
        if self.pieces.last().is_none_or(|piece| piece.len() == PIECE) {
            self.pieces.push(Vec::with_capacity(PIECE));
        }
        let number = self.len();
        if let Some(piece) = self.pieces.last_mut() {
            piece.push(value);
        }
        number as Id
    }

    /// The number of places.
    pub fn len(&self) -> usize {
        let last = self.pieces.last().map_or(0, Vec::len);
        self.pieces.len().saturating_sub(1) * PIECE + last
    }

    pub fn get(&self, id: Id) -> Option<&T> {
        self.pieces.get(id as usize / PIECE)?.get(id as usize % PIECE)
    }

    pub fn get_mut(&mut self, id: Id) -> Option<&mut T> {
        self.pieces.get_mut(id as usize / PIECE)?.get_mut(id as usize % PIECE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_numbered_one_after_the_other() {
        let mut slab = Slab::default();
        assert_eq!((slab.len(), slab.get(0)), (0, None));
        for number in 0..3 * PIECE as Id + 1 {
            assert_eq!(slab.push(number * 2), number);
            assert_eq!(slab.len(), number as usize + 1);
        }
        for number in 0..slab.len() as Id {
            assert_eq!(slab.get(number), Some(&(number * 2)));
        }
        *slab.get_mut(PIECE as Id).expect("a place") = 7;
        assert_eq!(slab.get(PIECE as Id), Some(&7));
        assert!(slab.get(slab.len() as Id).is_none() && slab.get_mut(Id::MAX).is_none());
    }
}
