//! What the origin is asked, and what that costs: for people who want to know where
//! their application's time goes. Hits are not looked at here.
//!
//! All of it is bounded, whatever clients ask for, and about the last minutes: two
//! spans of five minutes are kept, the one that runs and the one before.

mod costs;
pub mod lint;
mod recent;

pub use costs::{Cost, Costly};
pub use recent::Last;

use crate::semantics::cache_status::{CacheStatus, Outcome};
use crate::semantics::fields::members;
use crate::semantics::policy::Policy;
use crate::semantics::reason::Reason;
use crate::semantics::time::{DeltaSeconds, Moment};
use costs::Costs;
use http::{HeaderMap, Method, StatusCode, header};
use lint::{Finding, Findings};
use parking_lot::Mutex;
use recent::Recent;
use std::time::{Duration, SystemTime};

/// For how long is counted before it is begun anew.
const SPAN: Duration = Duration::from_secs(300);

/// The most samples that are looked at for findings, of one second.
const SAMPLES_A_SECOND: u32 = 50;

/// A request that went to the origin, and what came of it.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The method.
    pub method: &'a Method,
    /// The target, as a URL.
    pub url: &'a str,
    /// The target's path and query.
    pub path_and_query: &'a str,
    /// The request's fields.
    pub asked: &'a HeaderMap,
    /// The request said who its visitor is: by a cookie, or by credentials.
    pub personal: bool,
    /// The status of the answer.
    pub status: StatusCode,
    /// The answer's fields, as its client gets them.
    pub fields: &'a HeaderMap,
    /// The app's own `Age` was doubtful, before larder wrote its own.
    pub doubtful_age: bool,
    /// What the cache did.
    pub cache: &'a CacheStatus,
    /// How long it took until the answer began.
    pub took: Duration,
    /// When that was.
    pub at: Moment,
    /// The same by the wall clock.
    pub wall: SystemTime,
    /// What the operator has chosen.
    pub policy: &'a Policy,
}

/// Goes with an answer whose `Age` was [doubtful](Seen::doubtful_age) and is larder's now.
#[derive(Clone, Copy, Debug)]
pub struct DoubtfulAge;

/// Whether `Age` is stated more than once, or not as a number of seconds, so that the first
/// may be another one's (RFC 9111 section 5.1).
pub fn is_age_doubtful(fields: &HeaderMap) -> bool {
    let mut ages = members(fields, &header::AGE);
    let first = ages.next();
    ages.next().is_some() || first.is_some_and(|age| DeltaSeconds::parse(age).is_none())
}

/// What is known of the last minutes.
#[derive(Debug, Default)]
struct Spans {
    /// When the one that runs began.
    began: Moment,
    now: Span,
    before: Option<Span>,
    recent: Recent,
    sampled: Sampled,
}

#[derive(Clone, Debug, Default)]
struct Span {
    pages: Costs<Box<str>>,
    reasons: Costs<Cause>,
    findings: Findings,
}

/// Samples of this second.
#[derive(Debug, Default)]
struct Sampled {
    second: u64,
    count: u32,
}

/// Why a request went to the origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// For a reason of the list.
    Reason(Reason),
    /// By the word of RFC 9211 alone.
    Outcome(Outcome),
}

/// Watches what goes to the origin.
#[derive(Debug, Default)]
pub struct Observer(Mutex<Spans>);

/// What was observed.
#[derive(Debug, Default)]
pub struct Observed {
    /// Over so many seconds.
    pub seconds: u64,
    /// The pages that took the most of the origin's time, the dearest first.
    pub pages: Vec<Costly<Box<str>>>,
    /// The causes, the dearest first.
    pub causes: Vec<Costly<Cause>>,
    /// What is to be mended, the worst first.
    pub findings: Vec<Finding>,
}

impl Observer {
    /// Notes a request that went to the origin.
    pub fn note(&self, seen: &Seen<'_>) {
        let mut spans = self.0.lock();
        spans.turn(seen.at);
        let cause = seen.cache.detail.map_or(Cause::Outcome(seen.cache.outcome), Cause::Reason);
        let Spans { now, recent, sampled, .. } = &mut *spans;
        now.pages.add(seen.url, seen.took, seen.url);
        now.reasons.add(&cause, seen.took, seen.url);
        let is_sampled = sampled.takes(seen.at);
        let before = recent.note(seen, is_sampled);
        if is_sampled && let Some(sample) = lint::Sample::of(*seen, before) {
            now.findings.judge(&sample);
        }
    }

    /// What was observed, with at most so many of each.
    pub fn observed(&self, most: usize, now: Moment) -> Observed {
        let mut spans = self.0.lock();
        spans.turn(now);
        let began = spans.before.as_ref().map_or(spans.began, |_| spans.began.minus(SPAN));
        let mut all = spans.now.clone();
        if let Some(before) = &spans.before {
            all.pages.merge(&before.pages);
            all.reasons.merge(&before.reasons);
            all.findings.merge(&before.findings);
        }
        drop(spans);
        let seconds = now.since(began).as_secs().max(1);
        Observed {
            seconds,
            pages: all.pages.dearest(most),
            causes: all.reasons.dearest(most),
            findings: all.findings.worst(seconds),
        }
    }

    /// The last answer of the origin for a URL that was not stored, if it is remembered.
    pub fn last(&self, url: &str) -> Option<Last> {
        self.0.lock().recent.last(url)
    }
}

impl Spans {
    /// Begins a new span when the old one is over.
    fn turn(&mut self, now: Moment) {
        let passed = now.since(self.began);
        if passed < SPAN {
            return;
        }
        let over = std::mem::take(&mut self.now);
        self.before = (passed < SPAN * 2).then_some(over);
        self.began = if passed < SPAN * 2 { self.began.plus(SPAN) } else { now };
    }
}

impl Sampled {
    fn takes(&mut self, at: Moment) -> bool {
        let second = at.0 / 1000;
        if self.second != second {
            *self = Sampled { second, count: 0 };
        }
        self.count += 1;
        self.count <= SAMPLES_A_SECOND
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantics::cache_status::Forward;

    fn note(observer: &Observer, url: &str, millis: u64, at: u64) {
        let fields = HeaderMap::new();
        let mut cache = CacheStatus::forwarded(Forward::UriMiss);
        cache.detail = Some(Reason::SetCookie);
        observer.note(&Seen {
            method: &Method::GET,
            url,
            path_and_query: "/",
            asked: &fields,
            personal: false,
            status: StatusCode::OK,
            fields: &fields,
            doubtful_age: false,
            cache: &cache,
            took: Duration::from_millis(millis),
            at: Moment(at),
            wall: SystemTime::UNIX_EPOCH,
            policy: &Policy::default(),
        });
    }

    #[test]
    fn what_cost_most_comes_first_and_goes_when_it_is_long_ago() {
        let observer = Observer::default();
        note(&observer, "http://a/often", 10, 0);
        note(&observer, "http://a/often", 10, 1_000);
        note(&observer, "http://a/dear", 500, 2_000);
        let seen = observer.observed(10, Moment(10_000));
        let urls: Vec<&str> = seen.pages.iter().map(|page| &*page.what).collect();
        assert_eq!((seen.seconds, urls), (10, vec!["http://a/dear", "http://a/often"]));
        assert_eq!(seen.pages[1].cost.requests, 2);
        assert_eq!(seen.causes[0].what, Cause::Reason(Reason::SetCookie));
        assert_eq!(seen.causes[0].cost.requests, 3);
        // The span before is told of still, and then no more.
        note(&observer, "http://a/new", 1, 301_000);
        assert_eq!(observer.observed(10, Moment(302_000)).pages.len(), 3);
        assert_eq!(observer.observed(10, Moment(601_000)).pages.len(), 1);
        assert_eq!(observer.observed(10, Moment(3_000_000)).pages.len(), 0);
    }

    #[test]
    fn ten_thousand_urls_take_a_bounded_place_and_the_dearest_stays() {
        let observer = Observer::default();
        note(&observer, "http://a/dear", 60_000, 0);
        for number in 0..10_000 {
            note(&observer, &format!("http://h{number}/"), 1, 1);
        }
        let spans = observer.0.lock();
        assert!(spans.now.pages.len() <= costs::MOST && spans.recent.len() <= recent::MOST);
        drop(spans);
        assert_eq!(&*observer.observed(1, Moment(2)).pages[0].what, "http://a/dear");
    }
}
