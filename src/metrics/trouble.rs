//! What goes wrong, or over a limit, by what clients or the origin do: each kind is
//! counted, and written down at most once a second.

use super::Counter;
use crate::error::{BodyError, OriginError};
use crate::semantics::time::Moment;
use http::StatusCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The kinds. One list for the counters and for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// A connection over `limits.connections`.
    Connections,
    /// A connection over `limits.connections_per_ip`.
    ConnectionsPerIp,
    /// A request over `limits.origin_per_ip`.
    OriginPerIp,
    /// A request that waited for a place at the origin in vain, or could not even wait.
    Queue,
    /// No memory for a request or a connection.
    Memory,
    /// No file descriptor.
    Descriptors,
    /// The head of a request over `limits.head`, `limits.field` or `limits.fields`.
    Head,
    /// A request over `limits.target`.
    Target,
    /// A request's body over `limits.request_body`.
    Body,
    /// Any other request that isn't let in.
    Refused,
    /// A request's head that did not come within `timeouts.header`.
    SlowHead,
    /// A request's body that stood still for `timeouts.body_stall`, or was slower than
    /// `limits.body_rate`.
    SlowBody,
    /// A client that took nothing for `timeouts.write_stall`, or held others up.
    SlowReader,
    /// A request's body that broke off.
    BrokenBody,
    /// An origin that did not answer, or not what it was asked.
    Origin,
    /// An origin's answer that broke off.
    BrokenAnswer,
    /// A purge at the proxy's port that was refused.
    Purge,
    /// A request at the admin port that was refused.
    Admin,
    /// A connection to the admin port when there are as many as may be.
    AdminConnections,
}

impl Trouble {
    /// All kinds.
    pub const ALL: [Trouble; 19] = [
        Trouble::Connections,
        Trouble::ConnectionsPerIp,
        Trouble::OriginPerIp,
        Trouble::Queue,
        Trouble::Memory,
        Trouble::Descriptors,
        Trouble::Head,
        Trouble::Target,
        Trouble::Body,
        Trouble::Refused,
        Trouble::SlowHead,
        Trouble::SlowBody,
        Trouble::SlowReader,
        Trouble::BrokenBody,
        Trouble::Origin,
        Trouble::BrokenAnswer,
        Trouble::Purge,
        Trouble::Admin,
        Trouble::AdminConnections,
    ];

    /// Its name among the numbers.
    pub fn name(self) -> &'static str {
        match self {
            Trouble::Connections => "connections",
            Trouble::ConnectionsPerIp => "connections_per_ip",
            Trouble::OriginPerIp => "origin_per_ip",
            Trouble::Queue => "queue",
            Trouble::Memory => "memory",
            Trouble::Descriptors => "descriptors",
            Trouble::Head => "head",
            Trouble::Target => "target",
            Trouble::Body => "body",
            Trouble::Refused => "refused",
            Trouble::SlowHead => "slow_head",
            Trouble::SlowBody => "slow_body",
            Trouble::SlowReader => "slow_reader",
            Trouble::BrokenBody => "broken_body",
            Trouble::Origin => "origin",
            Trouble::BrokenAnswer => "broken_answer",
            Trouble::Purge => "purge",
            Trouble::Admin => "admin",
            Trouble::AdminConnections => "admin_connections",
        }
    }

    /// The kind of a request that isn't let in, by its answer's status.
    pub fn of_refusal(status: StatusCode) -> Trouble {
        match status {
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => Trouble::Head,
            StatusCode::URI_TOO_LONG => Trouble::Target,
            StatusCode::PAYLOAD_TOO_LARGE => Trouble::Body,
            StatusCode::SERVICE_UNAVAILABLE => Trouble::Memory,
            _ => Trouble::Refused,
        }
    }
}

impl From<&OriginError> for Trouble {
    fn from(error: &OriginError) -> Trouble {
        match error {
            OriginError::NoMemory => Trouble::Memory,
            OriginError::NoSocket => Trouble::Descriptors,
            OriginError::Busy | OriginError::QueueFull => Trouble::Queue,
            OriginError::TooManyOfOne => Trouble::OriginPerIp,
            OriginError::RequestBody(BodyError::TooLarge) => Trouble::Body,
            OriginError::RequestBody(BodyError::TimedOut) => Trouble::SlowBody,
            OriginError::RequestBody(_) => Trouble::BrokenBody,
            _ => Trouble::Origin,
        }
    }
}

/// How often each kind has been met.
#[derive(Debug, Default)]
pub struct Troubles([Met; Trouble::ALL.len()]);

#[derive(Debug, Default)]
struct Met {
    count: Counter,
    /// When it was last written down, in milliseconds and one; zero for never.
    written: AtomicU64,
    /// How often it has been met since then.
    unwritten: AtomicU64,
}

/// Leave to write one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leave {
    /// How many of the kind were not written down since the line before; none for
    /// nothing.
    pub unlogged: Option<u64>,
}

/// The time between two lines of a kind.
const BETWEEN: Duration = Duration::from_secs(1);

impl Troubles {
    /// Counts one. Returns whether it may be written down: at most once a second for
    /// each kind.
    pub fn met(&self, trouble: Trouble, now: Moment) -> Option<Leave> {
        let met = self.of(trouble);
        met.count.count();
        let written = met.written.load(Ordering::Relaxed);
        let is_due = written == 0 || now.since(Moment(written - 1)) >= BETWEEN;
        let write = || {
            let now = now.0.saturating_add(1);
            let order = Ordering::Relaxed;
            met.written.compare_exchange(written, now, order, order).is_ok()
        };
        if !is_due || !write() {
            met.unwritten.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        let unwritten = met.unwritten.swap(0, Ordering::Relaxed);
        Some(Leave { unlogged: Some(unwritten).filter(|count| *count > 0) })
    }

    /// How often one has been met so far.
    pub fn count(&self, trouble: Trouble) -> u64 {
        self.of(trouble).count.get()
    }

    fn of(&self, trouble: Trouble) -> &Met {
        &self.0[trouble as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_kind_has_a_counter_and_a_name_of_its_own() {
        let troubles = Troubles::default();
        for trouble in Trouble::ALL {
            assert_eq!(troubles.count(trouble), 0);
            troubles.met(trouble, Moment(0));
            assert_eq!(troubles.count(trouble), 1);
        }
        let names: BTreeSet<&str> = Trouble::ALL.map(Trouble::name).into();
        assert_eq!(names.len(), Trouble::ALL.len());
    }

    #[test]
    fn a_kind_is_written_down_once_a_second_and_tells_what_was_left_out() {
        let troubles = Troubles::default();
        let met = |at| troubles.met(Trouble::Origin, Moment(at));
        assert_eq!(met(5), Some(Leave { unlogged: None }));
        assert!((0..100).all(|_| met(5).is_none()));
        assert!(met(1004).is_none());
        assert!(troubles.met(Trouble::Queue, Moment(1004)).is_some(), "another kind");
        assert_eq!(met(1005), Some(Leave { unlogged: Some(101) }));
        assert!(met(2004).is_none());
        assert_eq!(met(9000), Some(Leave { unlogged: Some(1) }));
        assert_eq!(met(10_000), Some(Leave { unlogged: None }));
        assert_eq!(troubles.count(Trouble::Origin), 106);
    }
}
