//! The only reader of the system clock.

use crate::semantics::time::Moment;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// Tells the time. Ages and lifetimes are counted in [`Moment`]s, which never
/// go back; the wall clock is only for comparing with dates that others wrote.
pub trait Clock: Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> Moment;
    /// The time since some beginning, as exactly as the machine tells it: for what takes
    /// less than a [`Moment`] can say.
    fn precise(&self) -> Duration;
    /// The wall clock.
    fn wall(&self) -> SystemTime;
}

/// The machine's clocks.
#[derive(Debug)]
pub struct SystemClock {
    started: Instant,
}

impl SystemClock {
    /// A clock whose moments are counted from now.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn start() -> SystemClock {
        SystemClock { started: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        let elapsed = self.started.elapsed();
        // Not `as_millis`, which divides 128 bits.
        Moment(elapsed.as_secs().saturating_mul(1000) + u64::from(elapsed.subsec_millis()))
    }

    fn precise(&self) -> Duration {
        self.started.elapsed()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// A clock that a test turns by hand.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicU64);

impl ManualClock {
    /// Midnight of the epoch plus this much is where a manual clock begins.
    const EPOCH: Duration = Duration::from_secs(1_800_000_000);

    /// Turns both clocks forward.
    pub fn advance(&self, span: Duration) {
        let millis = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Moment {
        Moment(self.0.load(Ordering::SeqCst))
    }

    fn precise(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::SeqCst))
    }

    fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Self::EPOCH + Duration::from_millis(self.0.load(Ordering::SeqCst))
    }
}
