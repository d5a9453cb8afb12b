//! A body in pieces: nearly always one, which takes no list.

use bytes::Bytes;
use std::ops::Deref;
use std::sync::Arc;

/// The pieces of a body, in order. Cheap to clone: who has a clone shares the bytes.
#[derive(Clone, Debug, Default)]
pub struct Pieces(Kept);

#[derive(Clone, Debug)]
enum Kept {
    /// Or none, if it is empty: that takes no room to tell.
    One(Bytes),
    Many(Arc<[Bytes]>),
}

impl Default for Kept {
    fn default() -> Kept {
        Kept::One(Bytes::new())
    }
}

impl Pieces {
    /// Bytes of all of them together.
    pub fn length(&self) -> u64 {
        self.iter().map(|piece| piece.len() as u64).sum()
    }
}

impl Deref for Pieces {
    type Target = [Bytes];

    fn deref(&self) -> &[Bytes] {
        match &self.0 {
            Kept::One(piece) if piece.is_empty() => &[],
            Kept::One(piece) => std::slice::from_ref(piece),
            Kept::Many(pieces) => pieces,
        }
    }
}

impl From<Bytes> for Pieces {
    fn from(piece: Bytes) -> Pieces {
        Pieces(Kept::One(piece))
    }
}

/// Empty ones are left out.
impl FromIterator<Bytes> for Pieces {
    fn from_iter<I: IntoIterator<Item = Bytes>>(pieces: I) -> Pieces {
        let mut pieces: Vec<Bytes> = pieces.into_iter().filter(|p| !p.is_empty()).collect();
        match (pieces.pop(), pieces.is_empty()) {
            (None, _) => Pieces::default(),
            (Some(only), true) => Pieces(Kept::One(only)),
            (Some(last), false) => {
                pieces.push(last);
                Pieces(Kept::Many(pieces.into()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_stay_in_order_and_empty_ones_are_none() {
        let pieces = |all: &[&'static str]| {
            let pieces: Pieces =
                all.iter().map(|text| Bytes::from_static(text.as_bytes())).collect();
            (pieces.len(), pieces.length(), pieces.concat())
        };
        assert_eq!(pieces(&[]), (0, 0, b"".to_vec()));
        assert_eq!(pieces(&[""]), (0, 0, b"".to_vec()));
        assert_eq!(pieces(&["a", "bc", "", "d"]), (3, 4, b"abcd".to_vec()));
        assert_eq!(pieces(&["", "ab"]), (1, 2, b"ab".to_vec()));
        assert!(Pieces::from(Bytes::new()).is_empty());
        assert_eq!(Pieces::from(Bytes::from_static(b"ab")).length(), 2);
    }
}
