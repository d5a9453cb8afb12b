//! Points in time and spans of it, as caching counts them.

use std::time::{Duration, SystemTime};

/// A point on a clock that never goes back, in milliseconds since an arbitrary
/// origin. Ages and lifetimes are differences of moments, so a wall clock that
/// is set does not age what is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub u64);

impl Moment {
    /// The time from `earlier` to this moment; zero if `earlier` is later.
    pub fn since(self, earlier: Moment) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// The moment `span` after this one, or the last one there is.
    pub fn plus(self, span: Duration) -> Moment {
        let millis = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        Moment(self.0.saturating_add(millis))
    }

    /// The moment `span` before this one, or the first one there is.
    pub fn minus(self, span: Duration) -> Moment {
        let millis = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        Moment(self.0.saturating_sub(millis))
    }
}

/// A point of the wall clock, in whole milliseconds since 1970; nothing is before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WallMillis(u64);

impl WallMillis {
    /// The point of time.
    pub fn time(self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(self.0)
    }
}

impl From<SystemTime> for WallMillis {
    fn from(time: SystemTime) -> WallMillis {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        WallMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

/// A number of seconds as it stands on the wire (RFC 9111 section 1.2.2):
/// never negative, and at most 2^31, which stands for anything larger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeltaSeconds(u32);

impl DeltaSeconds {
    /// No time at all.
    pub const ZERO: DeltaSeconds = DeltaSeconds(0);
    /// The value that every larger number is read as.
    pub const MAX: DeltaSeconds = DeltaSeconds(1 << 31);

    /// The given number of seconds, or [`DeltaSeconds::MAX`] if that is less.
    pub fn new(seconds: u64) -> DeltaSeconds {
        match u32::try_from(seconds) {
            Ok(s) if s <= Self::MAX.0 => DeltaSeconds(s),
            _ => Self::MAX,
        }
    }

    /// Reads `1*DIGIT`; anything else (a sign, a point, nothing) is `None`.
    ///
    /// ```
    /// use larder::semantics::time::DeltaSeconds;
    /// assert_eq!(DeltaSeconds::parse(b"060"), Some(DeltaSeconds::new(60)));
    /// assert_eq!(DeltaSeconds::parse(b"99999999999999999999"), Some(DeltaSeconds::MAX));
    /// assert_eq!(DeltaSeconds::parse(b"-1"), None);
    /// assert_eq!(DeltaSeconds::parse(b"1.0"), None);
    /// ```
    pub fn parse(digits: &[u8]) -> Option<DeltaSeconds> {
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let value = digits
            .iter()
            .fold(0u64, |n, d| n.saturating_mul(10).saturating_add(u64::from(d - b'0')));
        Some(DeltaSeconds::new(value))
    }

    /// The number of seconds.
    pub fn get(self) -> u32 {
        self.0
    }

    /// The same span as a [`Duration`].
    pub fn duration(self) -> Duration {
        Duration::from_secs(u64::from(self.0))
    }
}

/// When a request left for the origin and its response's head arrived: the
/// `request_time` and `response_time` of RFC 9111 section 4.2.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// When the request was sent.
    pub sent: Moment,
    /// When the head of the response was received.
    pub received: Moment,
    /// The wall clock at `received`, to be compared with `Date`.
    pub received_at: SystemTime,
}
