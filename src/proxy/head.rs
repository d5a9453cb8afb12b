//! HEAD that the store cannot answer: handed on, and what the answer says of the
//! stored response to GET (RFC 9111 section 4.3.5).

use super::ask::{Plan, Reply};
use super::lookup::Found;
use super::{Answer, Proxy, forms};
use crate::key::CacheKey;
use crate::message::Presented;
use crate::semantics::cache_status::CacheStatus;
use crate::semantics::validation::{self, AfterHead};
use crate::storage::StoredResponse;
use http::{Method, StatusCode};
use std::sync::Arc;

impl Proxy {
    /// Hands on a HEAD, its own conditions too, and its answer.
    pub(super) async fn head(
        &self,
        request: &Arc<Presented>,
        key: &CacheKey,
        found: &Found,
        status: CacheStatus,
    ) -> Answer {
        let plan = Plan::new(request, key, found);
        let departure = self.shared.purger.depart();
        match self.ask_on_theirs(&plan, request.fields.clone(), departure).await {
            Ok(reply) => {
                // What a visitor is told because of who they are says nothing
                // about what all the others are given.
                let personal = request.visitor(&self.shared.options.policy).is_known();
                if let Some(stale) = plan.stale.as_ref().filter(|_| !personal) {
                    self.compare(&plan, stale, &reply);
                }
                self.handed_on(request, reply.response, status)
            }
            Err(error) => self.no_answer(request, error, status),
        }
    }

    /// Freshens or drops the stored response, by the head that the origin sends
    /// now.
    fn compare(&self, plan: &Plan, stale: &Arc<StoredResponse>, reply: &Reply) {
        if reply.response.status() != StatusCode::OK || !self.shared.stands(&plan.key, stale) {
            return;
        }
        let content = stale.content();
        let head = reply.response.headers();
        let after = match forms::may_be_about(content, &reply.response) {
            true => validation::after_head(&content.lines.fields(), content.length(), head),
            false => AfterHead::Outdated,
        };
        match after {
            AfterHead::Freshened(fields) => {
                let as_get = Presented { method: Method::GET, ..Presented::clone(&plan.request) };
                let judged = self.freshened(plan, stale, *fields, reply);
                match self.storability(&as_get, &judged, judged.content.length()) {
                    Ok(()) => {
                        self.keep(plan, &Arc::new(StoredResponse::new(judged.content)));
                    }
                    Err(reason) => self.outdate(plan, reason),
                }
            }
            AfterHead::Outdated => {
                self.shared.memory.remove_one(&content.place(&plan.key), stale);
            }
            AfterHead::Unknown => {}
        }
    }
}
