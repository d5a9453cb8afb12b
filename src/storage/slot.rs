//! All stored responses of one target.
//!
//! Where several answer a request the newest does (RFC 9111 section 4), so they are in
//! the order in which their requests left for the origin, however they have landed.

use super::memory::Limits;
use super::stored::{Content, StoredResponse};
use std::cmp::Reverse;
use std::sync::Arc;

/// The stored responses of one target, the newest first. Cheap to clone; most
/// targets have one.
#[derive(Clone, Debug)]
pub struct Slot(Variants);

#[derive(Clone, Debug)]
enum Variants {
    One(Arc<StoredResponse>),
    Many(Arc<[Arc<StoredResponse>]>),
}

impl Slot {
    /// One with these variants; `None` if there are none.
    pub(super) fn of(mut variants: Vec<Arc<StoredResponse>>) -> Option<Slot> {
        match variants.len() {
            0 => None,
            1 => variants.pop().map(|one| Slot(Variants::One(one))),
            _ => Some(Slot(Variants::Many(variants.into()))),
        }
    }

    /// The variants, the newest first.
    pub fn variants(&self) -> &[Arc<StoredResponse>] {
        match &self.0 {
            Variants::One(one) => std::slice::from_ref(one),
            Variants::Many(many) => many,
        }
    }

    /// Whether this very response is one of them.
    pub(super) fn has(&self, stored: &Arc<StoredResponse>) -> bool {
        self.variants().iter().any(|own| Arc::ptr_eq(own, stored))
    }

    /// Those of the variants that are to be kept.
    pub(super) fn only(&self, keep: impl Fn(&Arc<StoredResponse>) -> bool) -> Option<Slot> {
        Slot::of(self.variants().iter().filter(|stored| keep(stored)).cloned().collect())
    }

    /// The variants, if there are any, with one more, in place of the one that it
    /// equals, and without those that have not been used for longest if there are too
    /// many; `None` if the request of that one left for the origin later than this
    /// one's: then this one is the older of the two; or if this one is only a part,
    /// and that one is complete.
    pub(super) fn with(
        slot: Option<&Slot>,
        newest: &Arc<StoredResponse>,
        limits: Limits,
    ) -> Option<Slot> {
        let variants = slot.map(Slot::variants).unwrap_or_default();
        let later = |other: &Arc<StoredResponse>| {
            let left = |content: &Content| (content.fence, content.sent);
            left(other.content()) > left(newest.content())
        };
        let complete = |stored: &Arc<StoredResponse>| stored.content().rare.part.is_none();
        let better = |other| later(other) || (complete(other) && !complete(newest));
        if variants.iter().any(|other| are_equal(other, newest) && better(other)) {
            return None;
        }
        let mut left = usize::try_from(limits.bytes / 2).unwrap_or(usize::MAX);
        left = left.saturating_sub(newest.weight());
        let mut others: Vec<(usize, &Arc<StoredResponse>)> =
            variants.iter().filter(|other| !are_equal(other, newest)).enumerate().collect();
        // Who was used last stays; where that is the same, the newer.
        others.sort_by_key(|(at, other)| (Reverse(other.last_used()), *at));
        others.truncate(limits.variants.saturating_sub(1));
        let fits = |(_, other): &&(usize, &Arc<StoredResponse>)| {
            let rest = left.checked_sub(other.weight());
            left = rest.unwrap_or(left);
            rest.is_some()
        };
        let count = others.iter().take_while(fits).count();
        others.truncate(count);
        others.sort_unstable_by_key(|(at, _)| *at);
        let mut kept: Vec<_> = others.into_iter().map(|(_, other)| Arc::clone(other)).collect();
        let at = kept.iter().rposition(later).map_or(0, |last| last + 1);
        kept.insert(at, Arc::clone(newest));
        Slot::of(kept)
    }

    /// The variant in whose place this response is.
    pub(super) fn equal(&self, stored: &Arc<StoredResponse>) -> Option<&Arc<StoredResponse>> {
        self.variants().iter().find(|other| are_equal(other, stored))
    }
}

/// Whether the same requests select both.
fn are_equal(one: &StoredResponse, other: &StoredResponse) -> bool {
    let (one, other) = (&one.content().rare, &other.content().rare);
    one.query == other.query && one.nominated == other.nominated && one.variant == other.variant
}
