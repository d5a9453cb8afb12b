//! Waiting for another one's fetch: is what it brought for this request too?

use super::ask::Plan;
use super::fetch::Arrived;
use super::lookup::Found;
use super::respond::{self, Failed};
use super::{Answer, Flight, Proxy};
use crate::collapse::Landing;
use crate::error::OriginError;
use crate::key::CacheKey;
use crate::message::Presented;
use crate::semantics::cache_status::CacheStatus;
use crate::semantics::reason::Reason;
use crate::storage::Content;
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64;

/// What comes of waiting for another one's fetch.
pub(super) enum Followed {
    Answer(Box<Answer>),
    /// It was not for this request: try again, knowing more.
    Again(Flight),
}

impl Proxy {
    /// Answers with what another one's fetch has brought.
    pub(super) async fn follow(
        self: &Arc<Self>,
        request: &Arc<Presented>,
        key: &CacheKey,
        found: &Found,
        flight: &Flight,
        landing: Landing<Arrived>,
    ) -> Followed {
        let mut status = CacheStatus::forwarded(found.forward());
        status.collapsed = true;
        let answered = |answer| Followed::Answer(Box::new(answer));
        let next = Flight { tries: flight.tries + 1, ..*flight };
        let arrived = match landing {
            Landing::Lost => return Followed::Again(*flight),
            Landing::Alone => return answered(self.go_alone(request, key, None).await),
            Landing::Shared(arrived) => arrived,
        };
        let content = match &arrived {
            Arrived::Failed(failed @ Failed::Silent(error @ OriginError::TooManyOfOne)) => {
                // What one address has too much of is no reason not to ask for another. Who
                // may not ask either is told at once: to lead one after the other, each
                // before all who wait, would cost the square of their number.
                if self.shared.at_origin.would_admit(request.client) {
                    return Followed::Again(*flight);
                }
                self.shared.note_failure(&request.target, error);
                return answered(self.without_origin(request, key, None, failed, status));
            }
            Arrived::Failed(failed) => {
                let stale = match found {
                    Found::Stale(stale, _) => Some(stale),
                    _ => None,
                };
                // Its error was answered with another variant; ours may do better.
                if let (Failed::Status(_), None) = (failed, stale) {
                    return answered(self.go_alone(request, key, None).await);
                }
                // It may have been the leader's own bad luck: one of us leads.
                let again = matches!(failed, Failed::Silent(OriginError::Broken(_)));
                if again && stale.is_none() && !flight.failed {
                    return Followed::Again(Flight { failed: true, ..next });
                }
                return answered(self.without_origin(request, key, stale, failed, status));
            }
            Arrived::Filling(filling) => &filling.content,
            Arrived::Stored { response, .. } => response.content(),
        };
        if let Some((at_least, variant)) = self.not_for(request, key, content) {
            return Followed::Again(Flight { at_least, variant, ..next });
        }
        if !self.is_fresh(content) {
            // It has taken longer than it is good for.
            return answered(self.go_alone(request, key, Some(Reason::CameTooLate)).await);
        }
        let now = self.shared.clock.now();
        let most = self.shared.options.max_ranges;
        let answer = match &arrived {
            Arrived::Filling(filling) => respond::from_filling(request, filling, now, status),
            Arrived::Stored { response: stored, .. } => {
                Some(respond::from_store(request, stored, now, most, status))
            }
            Arrived::Failed(_) => None,
        };
        match answer {
            Some(answer) => answered(answer),
            None => answered(self.go_alone(request, key, Some(Reason::CameTooLate)).await),
        }
    }

    /// Fetches for this request only, by what is stored now.
    pub(super) async fn go_alone(
        self: &Arc<Self>,
        request: &Arc<Presented>,
        key: &CacheKey,
        detail: Option<Reason>,
    ) -> Answer {
        let found = self.shared.look_up(request, key);
        let known = self.known_not_storable(request, key);
        let plan = Plan { known, ..Plan::new(request, key, &found) };
        // In a box: few of those who wait need the room.
        Box::pin(self.fetch_alone(plan, detail)).await
    }

    /// Which flight to look for if this one's response is not for the request:
    /// it is another variant, or has been purged meanwhile.
    fn not_for(
        &self,
        request: &Presented,
        key: &CacheKey,
        content: &Content,
    ) -> Option<(u64, u64)> {
        let policy = &self.shared.options.policy;
        let variant = content.rare.nominated.select(&request.fields, policy);
        let number = self.purged_since(key, &content.rare.tags, content.fence);
        if variant.as_ref() == Some(&content.rare.variant) && number == 0 {
            return None;
        }
        let variant = variant.map_or(0, |variant| xxh3_64(variant.as_bytes()) | 1);
        Some((number, variant))
    }
}
