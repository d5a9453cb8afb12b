//! Bytes that are held for later, in blocks; only the last one grows.
//!
//! What a connection gives is copied: a piece of a few bytes may keep the whole
//! buffer that it was read into.

use crate::account::{Account, Charge};
use bytes::{Bytes, BytesMut};
use std::collections::VecDeque;
use std::sync::Arc;

/// The size of a full block in bytes.
const BLOCK: usize = 16 * 1024;

/// The size that one begins with, for those who send a few bytes and no more.
const LEAST: usize = 1024;

/// Bytes in the order of coming.
#[derive(Debug, Default)]
pub(super) struct Held {
    blocks: VecDeque<BytesMut>,
    length: usize,
    charge: Option<Charge>,
}

impl Held {
    /// Nothing yet; what it will hold is counted, if there is an account.
    pub fn counted(account: Option<&Arc<Account>>) -> Held {
        Held { charge: account.map(|account| account.charge(0)), ..Held::default() }
    }

    /// Adds bytes at the end.
    pub fn push(&mut self, mut bytes: &[u8]) {
        self.length += bytes.len();
        while !bytes.is_empty() {
            let room = self.blocks.back().map_or(0, |last| BLOCK - last.len());
            if room == 0 {
                self.blocks.push_back(BytesMut::new());
                continue;
            }
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            if let Some(last) = self.blocks.back_mut() {
                let size = (last.len() + now.len()).next_power_of_two().max(LEAST);
                last.reserve(size - last.len());
                last.extend_from_slice(now);
            }
            bytes = later;
        }
        self.count();
    }

    fn count(&mut self) {
        if let Some(charge) = &mut self.charge {
            charge.set(self.length);
        }
    }

    /// Takes the first of what is held, at most a block.
    pub fn pop(&mut self) -> Option<Bytes> {
        let block = self.blocks.pop_front()?;
        self.length -= block.len();
        self.count();
        Some(block.freeze())
    }

    /// How many bytes are held.
    pub fn length(&self) -> usize {
        self.length
    }

    /// All that is held.
    pub fn into_pieces(self) -> VecDeque<Bytes> {
        self.blocks.into_iter().map(BytesMut::freeze).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_held_is_what_came_and_hardly_more(
            pieces in proptest::collection::vec(0..3 * BLOCK, 0..12),
        ) {
            let account = Arc::new(Account::unlimited());
            let mut held = Held::counted(Some(&account));
            let mut all = Vec::new();
            for (number, length) in pieces.into_iter().enumerate() {
                let piece = vec![number as u8; length];
                held.push(&piece);
                all.extend(piece);
            }
            prop_assert_eq!((held.length(), account.taken()), (all.len(), all.len()));
            let size = held.blocks.iter().map(BytesMut::capacity).sum::<usize>();
            prop_assert!(size <= LEAST + 2 * all.len() && size <= all.len() + BLOCK, "{size}");
            let mut got = held.pop().unwrap_or_default().to_vec();
            prop_assert_eq!(held.length(), all.len() - got.len());
            prop_assert_eq!(account.taken(), held.length());
            got.extend(held.into_pieces().into_iter().flatten());
            prop_assert_eq!(account.taken(), 0);
            prop_assert_eq!(got, all);
        }
    }
}
