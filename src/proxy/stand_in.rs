//! When the origin fails, or takes its time: may the stale response stand in
//! for it?

use super::ask::{Plan, Reply};
use super::follow::Followed;
use super::lookup::Found;
use super::respond::{self, Failed};
use super::{Answer, Proxy};
use crate::key::CacheKey;
use crate::message::Presented;
use crate::origin::WhenRefused;
use crate::purge::Verdict;
use crate::semantics::cache_status::CacheStatus;
use crate::semantics::reason::Reason;
use crate::semantics::reuse::{self, Failure, OnFailure, WhenSlow};
use crate::semantics::tags::Tags;
use crate::semantics::time::Moment;
use crate::storage::StoredResponse;
use std::pin::Pin;
use std::sync::Arc;
use tokio::time::Sleep;

/// How long a request waits before a stale response is answered; `None` is as
/// long as it takes.
pub(super) type Patience = Option<Pin<Box<Sleep>>>;

impl Proxy {
    /// An error of the origin's that a stale response may stand in for.
    pub(super) fn better_stale(&self, plan: &Plan, reply: &Reply) -> Option<Failed> {
        let status = reply.response.status();
        let failed = matches!(status.as_u16(), 500 | 502 | 503 | 504);
        let stale = plan.stale.as_ref().filter(|_| failed)?;
        self.may_stand_in(&plan.request, &plan.key, stale, Failure::Error)
            .then_some(Failed::Status(status))
    }

    /// The number of the last purge since `fence` that has met a response with
    /// these tags to a request with this key, or to an equivalent one; zero if
    /// none has.
    pub(super) fn purged_since(&self, key: &CacheKey, tags: &Tags, fence: u64) -> u64 {
        self.verdicts(key, tags, fence).map(|verdict| verdict.number()).max().unwrap_or_default()
    }

    /// Whether one of these purges was a hard one.
    pub(super) fn is_gone(&self, key: &CacheKey, tags: &Tags, fence: u64) -> bool {
        self.verdicts(key, tags, fence).any(|verdict| matches!(verdict, Verdict::Hard { .. }))
    }

    fn verdicts(&self, key: &CacheKey, tags: &Tags, fence: u64) -> impl Iterator<Item = Verdict> {
        let others = self.shared.memory.variances().others(key);
        let keys = std::iter::once(key.clone()).chain(others.map(|(_, other)| other));
        keys.map(move |key| self.shared.purger.judge(&key, tags, fence))
    }

    /// A request that can be answered without the origin doesn't wait for it to
    /// come back.
    pub(super) fn when_refused(&self, plan: &Plan) -> WhenRefused {
        let stands_in =
            |stale| self.may_stand_in(&plan.request, &plan.key, stale, Failure::Unreachable);
        match plan.stale.as_ref().is_some_and(|stale| stands_in(stale)) {
            true => WhenRefused::Fail,
            false => WhenRefused::Wait,
        }
    }

    /// The origin is known to be away, and a stale response may stand in for it:
    /// nobody is made to wait until it has failed once more.
    pub(super) fn stands_in(
        &self,
        request: &Presented,
        key: &CacheKey,
        stale: &StoredResponse,
    ) -> bool {
        self.pool.is_away()
            && stale.content().rare.part.is_none()
            && !request.visitor(&self.shared.options.policy).is_known()
            && self.may_stand_in(request, key, stale, Failure::Unreachable)
    }

    /// Asks the origin behind such an answer, but not behind each of many.
    pub(super) fn ask_now_and_then(
        self: &Arc<Self>,
        request: &Presented,
        key: &CacheKey,
        stale: &Arc<StoredResponse>,
    ) {
        let now = self.shared.clock.now();
        if stale.is_to_be_asked_for(now) {
            stale.is_asked_for(now);
            self.validate_behind(request, key, stale);
        }
    }

    /// The same for a whole response that no purge has met, if nobody is to be asked
    /// for it now.
    pub(super) fn plainly_stands_in(
        &self,
        stale: &StoredResponse,
        personal: bool,
        now: Moment,
    ) -> bool {
        let freshness = &stale.content().freshness;
        let may = reuse::on_failure(freshness, None, personal, Failure::Unreachable, now);
        !personal
            && may == OnFailure::AnswerStale
            && !stale.is_to_be_asked_for(now)
            && self.pool.is_away()
    }

    fn may_stand_in(
        &self,
        request: &Presented,
        key: &CacheKey,
        stale: &StoredResponse,
        why: Failure,
    ) -> bool {
        if !self.shared.stands(key, stale) {
            return false;
        }
        let personal = request.visitor(&self.shared.options.policy).is_known();
        let now = self.shared.clock.now();
        let freshness = &stale.content().freshness;
        reuse::on_failure(freshness, stale.softened(), personal, why, now) == OnFailure::AnswerStale
    }

    /// Answers without the origin: with the stale response, or with an error.
    pub(super) fn without_origin(
        &self,
        request: &Presented,
        key: &CacheKey,
        stale: Option<&Arc<StoredResponse>>,
        failed: &Failed,
        mut status: CacheStatus,
    ) -> Answer {
        let why = match failed {
            Failed::Silent(error) if !error.is_origins_fault() => None,
            Failed::Silent(_) => Some(Failure::Unreachable),
            Failed::Status(_) => Some(Failure::Error),
        };
        status.forward_status = failed.origin_status();
        let stale =
            stale.filter(|stale| why.is_some_and(|w| self.may_stand_in(request, key, stale, w)));
        match stale {
            Some(stale) => {
                let now = self.shared.clock.now();
                status.ttl = Some(stale.ttl(now));
                status.detail = Some(match failed {
                    Failed::Silent(_) => Reason::StaleWhenDown,
                    Failed::Status(_) => Reason::StaleIfError,
                });
                respond::from_store(request, stale, now, self.shared.options.max_ranges, status)
            }
            None => respond::failure(failed, status),
        }
    }

    /// Waits for a fetch; if that takes too long, answers with the stale response
    /// that there is. The fetch is a task of its own, and goes on.
    pub(super) async fn unless_slow(
        &self,
        request: &Presented,
        key: &CacheKey,
        found: &Found,
        mut fetching: impl Future<Output = Followed> + Unpin,
        patience: &mut Patience,
    ) -> Followed {
        let Found::Stale(stale, forward) = found else { return fetching.await };
        let Some(slow) = patience else { return fetching.await };
        tokio::select! {
            biased;
            followed = &mut fetching => return followed,
            () = slow => {}
        }
        // A purge may have come while we waited.
        let now = self.shared.clock.now();
        let (freshness, softened) = (&stale.content().freshness, stale.softened());
        let personal = request.visitor(&self.shared.options.policy).is_known();
        match reuse::when_slow(freshness, softened, personal, &request.demands, now) {
            WhenSlow::AnswerStale if self.shared.stands(key, stale) => {}
            WhenSlow::AnswerStale | WhenSlow::Wait => return fetching.await,
        }
        let mut status = CacheStatus::forwarded(*forward);
        status.ttl = Some(stale.ttl(now));
        status.detail = Some(Reason::StaleIfSlow);
        let most = self.shared.options.max_ranges;
        Followed::Answer(Box::new(respond::from_store(request, stale, now, most, status)))
    }
}
