//! What is kept, and where.
//!
//! Knows keys, bytes and the words of `semantics`; takes no decision and knows
//! nothing of connections. Tiers are fields of the one who uses them, not a
//! list of boxes; there is one so far, [`Memory`].

mod books;
mod curve;
mod ghosts;
mod index;
mod lines;
mod memory;
mod names;
mod pieces;
mod queues;
mod rare;
mod shards;
mod slab;
mod slot;
mod stored;
mod trial;
mod variances;

pub use curve::Point;
pub use index::{Id, Wanted};
pub use lines::Lines;
pub use memory::{Limits, Memory, Usage};
pub use names::{BuildPlain, Name};
pub use pieces::Pieces;
pub use rare::{Rare, Special};
pub use slot::Slot;
pub use stored::{Content, Softening, StoredResponse};
pub use trial::{Count, Trial};
pub use variances::Variances;
