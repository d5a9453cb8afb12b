//! For how long the sender of a body may be awaited.

use std::time::Duration;

/// The time that a sender has: each byte is worth some, waiting takes it, and more than
/// the longest pause can't be laid by. So who sends now and then a byte has no more time
/// than who sends none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    most: Duration,
    left: Duration,
    rate: u64,
}

impl Allowance {
    /// Pauses of up to `stall`, and in the long run `rate` bytes a second; 0 of them is no
    /// bound, and each byte brings back the whole.
    pub fn new(stall: Duration, rate: u64) -> Allowance {
        Allowance { most: stall, left: stall, rate }
    }

    /// How long the next byte may take from now on.
    pub fn left(&self) -> Duration {
        self.left
    }

    /// So many bytes came, after a wait.
    pub fn came(&mut self, bytes: usize, waited: Duration) {
        let nanos = (bytes as u64).saturating_mul(1_000_000_000);
        let worth = nanos.checked_div(self.rate).map_or(Duration::MAX, Duration::from_nanos);
        self.left = self.left.saturating_sub(waited).saturating_add(worth).min(self.most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STALL: Duration = Duration::from_secs(30);
    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_byte_now_and_then_buys_its_own_time_and_no_more() {
        let mut allowance = Allowance::new(STALL, 1000);
        allowance.came(1, 29 * SECOND);
        assert_eq!(allowance.left(), SECOND + Duration::from_millis(1));
        allowance.came(1, SECOND);
        assert_eq!(allowance.left(), Duration::from_millis(2));
        // What comes in time is never worth more than one pause.
        allowance.came(1 << 30, Duration::ZERO);
        assert_eq!(allowance.left(), STALL);
        allowance.came(0, STALL + SECOND);
        assert_eq!(allowance.left(), Duration::ZERO);
    }

    #[test]
    fn without_a_rate_a_byte_brings_back_the_whole() {
        let mut allowance = Allowance::new(STALL, 0);
        allowance.came(1, 29 * SECOND);
        assert_eq!(allowance.left(), STALL);
    }

    proptest! {
        /// However a sender times its pieces, all its waits together are no longer than one
        /// pause and what its bytes are worth.
        #[test]
        fn all_waits_are_bounded(
            pieces in prop::collection::vec((0usize..5000, 0u64..40_000), 1..50),
        ) {
            let mut allowance = Allowance::new(STALL, 1000);
            let (mut waited, mut bytes) = (Duration::ZERO, 0);
            for (length, pause) in pieces {
                let pause = Duration::from_millis(pause);
                if pause > allowance.left() {
                    break;
                }
                allowance.came(length, pause);
                (waited, bytes) = (waited + pause, bytes + length as u64);
                prop_assert!(waited <= STALL + Duration::from_millis(bytes));
            }
        }

        /// Who keeps up with the rate, in pieces that are no further apart than a pause,
        /// always has time.
        #[test]
        fn who_keeps_up_is_not_cut_off(pieces in prop::collection::vec(0u64..30_000, 1..50)) {
            let mut allowance = Allowance::new(STALL, 1000);
            for pause in pieces {
                let waited = Duration::from_millis(pause);
                prop_assert!(waited <= allowance.left());
                allowance.came(pause as usize, waited);
            }
        }
    }
}
