//! Whether an upstream is to be asked: what failures, answers and checks mean
//! for it. Time is an argument.

use std::time::Duration;
use tokio::time::Instant;

/// When an upstream is left out, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Ejection {
    /// So many failures in a row; 0 for never.
    pub after: u32,
    /// Left out for this time, then twice, and so on up to eight times.
    pub span: Duration,
}

/// How much longer than the first time an upstream is left out at most.
const MOST: u32 = 8;

/// So many bad checks in a row leave an upstream out; one good one returns it.
const BAD_CHECKS: u32 = 2;

/// How an upstream stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is asked.
    Well,
    /// It is left out.
    Ejected,
    /// Its time is over: one request may see how it is.
    Returning,
}

/// What is known of an upstream.
#[derive(Debug, Default)]
pub(super) struct Health {
    failures: u32,
    ejections: u32,
    until: Option<Instant>,
    probing: bool,
    bad_checks: u32,
}

impl Health {
    /// How it stands now.
    pub fn standing(&self, now: Instant) -> Standing {
        match self.until {
            _ if self.bad_checks >= BAD_CHECKS => Standing::Ejected,
            None => Standing::Well,
            Some(until) if now < until || self.probing => Standing::Ejected,
            Some(_) => Standing::Returning,
        }
    }

    /// When its time is over, if that is still to come.
    pub fn returns_after(&self, now: Instant) -> Option<Instant> {
        self.until.filter(|until| *until > now)
    }

    /// Nothing is held against it.
    pub fn is_clean(&self) -> bool {
        self.failures == 0 && self.until.is_none() && self.bad_checks == 0
    }

    /// Lets one request through if its time is over.
    pub fn begin_probe(&mut self, now: Instant) -> bool {
        let may = self.standing(now) == Standing::Returning;
        self.probing |= may;
        may
    }

    /// The probe has ended; if nothing was said of how, another may follow.
    pub fn end_probe(&mut self) {
        self.probing = false;
    }

    /// A request failed. Tells whether it is left out since then.
    pub fn failed(&mut self, now: Instant, rule: Ejection) -> bool {
        self.failures = self.failures.saturating_add(1);
        let over = self.until.is_some_and(|until| until <= now);
        let begins = match self.until {
            Some(_) => over,
            None => rule.after > 0 && self.failures >= rule.after,
        };
        if begins {
            let times = 1_u32.checked_shl(self.ejections).map_or(MOST, |times| times.min(MOST));
            self.until = Some(now + rule.span * times);
            self.ejections = (self.ejections + 1).min(MOST);
            self.probing = false;
        }
        begins
    }

    /// A request was answered, however: it is asked again.
    pub fn answered(&mut self) {
        let bad_checks = self.bad_checks;
        *self = Health { bad_checks, ..Health::default() };
    }

    /// What a check has found. Tells whether it changes how it stands.
    pub fn checked(&mut self, good: bool) -> bool {
        let was_out = self.bad_checks >= BAD_CHECKS || self.until.is_some();
        if good {
            *self = Health::default();
            return was_out;
        }
        self.bad_checks = self.bad_checks.saturating_add(1);
        self.bad_checks == BAD_CHECKS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Ejection = Ejection { after: 3, span: Duration::from_secs(10) };

    fn seconds(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    /// As often as it takes.
    fn fails(health: &mut Health, now: Instant) {
        assert!((0..3).any(|_| health.failed(now, RULE)));
    }

    #[test]
    fn failures_in_a_row_eject_and_an_answer_between_does_not() {
        let (mut health, now) = (Health::default(), Instant::now());
        assert!(!health.failed(now, RULE));
        assert!(!health.failed(now, RULE));
        health.answered();
        assert!(!health.failed(now, RULE) && !health.failed(now, RULE));
        assert_eq!(health.standing(now), Standing::Well);
        assert!(health.failed(now, RULE));
        assert_eq!(health.standing(seconds(now, 9)), Standing::Ejected);
        assert_eq!(health.standing(seconds(now, 10)), Standing::Returning);
    }

    #[test]
    fn one_probe_at_a_time_and_its_answer_returns() {
        let (mut health, start) = (Health::default(), Instant::now());
        fails(&mut health, start);
        assert!(!health.begin_probe(seconds(start, 9)));
        let now = seconds(start, 10);
        assert!(health.begin_probe(now));
        assert!(!health.begin_probe(now), "one is enough");
        health.end_probe();
        assert!(health.begin_probe(now), "the first came to nothing");
        health.answered();
        assert_eq!(health.standing(now), Standing::Well);
        assert!(health.is_clean());
    }

    #[test]
    fn the_time_grows_up_to_a_bound() {
        let (mut health, mut now) = (Health::default(), Instant::now());
        fails(&mut health, now);
        for times in [1, 2, 4, 8, 8, 8] {
            let until = now + RULE.span * times;
            assert!(!health.failed(now, RULE), "what was under way says nothing new");
            assert_eq!(health.standing(until - Duration::from_millis(1)), Standing::Ejected);
            assert!(health.begin_probe(until), "{times}");
            now = until;
            assert!(health.failed(now, RULE));
        }
    }

    #[test]
    fn never_if_so_set() {
        let (mut health, now) = (Health::default(), Instant::now());
        let never = Ejection { after: 0, ..RULE };
        assert!((0..100).all(|_| !health.failed(now, never)));
        assert_eq!(health.standing(now), Standing::Well);
    }

    #[test]
    fn two_bad_checks_eject_and_one_good_returns() {
        let (mut health, now) = (Health::default(), Instant::now());
        assert!(!health.checked(false));
        assert_eq!(health.standing(now), Standing::Well);
        assert!(health.checked(false));
        assert!(!health.checked(false), "nothing new");
        health.answered();
        assert_eq!(health.standing(seconds(now, 9_999)), Standing::Ejected);
        assert!(health.checked(true));
        assert!(!health.checked(true));
        assert_eq!(health.standing(now), Standing::Well);
    }
}
