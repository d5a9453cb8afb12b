//! The way of a request in questions and answers, and what of it made no difference.

use super::super::Shared;
use crate::explain::{LeftOut, Said, Step, Variant};
use crate::message::{self, NewTraces, Presented};
use crate::semantics::cache_status::{CacheStatus, Forward, Outcome};
use crate::semantics::cookies;
use crate::semantics::identity;
use crate::semantics::reason::Kind;
use crate::storage::StoredResponse;
use http::header::HeaderName;

/// The question that ends the way of a request.
pub(super) const SO: &str = "So what is done?";

impl Shared {
    /// The way of a request, up to what was done with it.
    pub(super) fn steps(
        &self,
        request: &Presented,
        status: &CacheStatus,
        variants: &[Variant],
        selected: Option<&StoredResponse>,
    ) -> Vec<Step> {
        let passed = status.detail.filter(|reason| reason.kind() == Kind::Passed);
        let method = matches!(status.outcome, Outcome::Forwarded(Forward::Method));
        let part = match (passed, method) {
            (Some(reason), _) => Some(format!("no: {}", reason.sentence())),
            (None, true) => Some(format!("no: {}", Forward::Method.sentence())),
            (None, false) => None,
        };
        let question = "Has the cache a part in such a request?";
        if let Some(no) = part {
            return vec![Step::new(question, no, "docs/request-life.md")];
        }
        let mut steps = vec![Step::new(question, "yes", "docs/request-life.md")];
        let count = match variants.len() {
            0 => "nothing".to_string(),
            1 => "one response".to_string(),
            count => format!("{count} responses"),
        };
        steps.push(Step::new("What is stored under its key?", count, "RFC 9111 s4"));
        for (at, variant) in variants.iter().enumerate() {
            steps.push(selection(at + 1, variants.len(), variant));
        }
        if let Some((stored, told)) = selected.zip(variants.iter().find(|v| v.selected)) {
            let is_assumed = stored.content().freshness.lifetime.is_assumed();
            if is_assumed && request.visitor(&self.options.policy).is_known() {
                let no =
                    "no: its lifetime is assumed, which is for visitors who are not identified";
                steps.push(Step::new("May this visitor have it?", no, "cache.default_ttl"));
            }
            let fresh = if told.ttl > 0 { "yes" } else { "no" };
            let answer = format!("{fresh}: {}", told.arithmetic.join("; "));
            steps.push(Step::new("Is it fresh?", answer, "RFC 9111 s4.2"));
        }
        steps.push(Step::new(SO, Said::of(status).sentence, "RFC 9211"));
        steps
    }

    /// What of a request makes no difference.
    pub(super) fn left_out(&self, request: &Presented, variants: &[Variant]) -> Vec<LeftOut> {
        let mut left = Vec::new();
        let named = |name: &str| variants.iter().any(|v| v.nominated.iter().any(|n| n == name));
        let mut leave = |what: &str, names: &[&str], why: &str| {
            if !names.is_empty() {
                let what = format!("{what}: {}", names.join(", "));
                left.push(LeftOut { what, why: why.into() });
            }
        };
        let parameters: Vec<&str> =
            request.left_out.parameters.iter().map(String::as_str).collect();
        leave(
            "parameters",
            &parameters,
            "cache.ignored_parameters names them: they are not keyed, and the app does not see them",
        );
        if request.left_out.cookies.is_some() {
            let why = "cache.static_paths names the path: the app does not see them";
            leave("cookies", &["all"], why);
        }
        let ignored = cookies::ignored(&request.fields, &self.options.policy.cookies);
        let ignored: Vec<&str> = ignored.iter().map(String::as_str).collect();
        let why = "cache.cookies doesn't name them: they don't tell visitors apart";
        leave("cookies", &ignored, why);
        let identity_fields = &self.options.policy.identity_fields;
        let others: Vec<&str> = request
            .fields
            .keys()
            .filter(|name| !is_judged(name, identity_fields))
            .map(HeaderName::as_str)
            .filter(|name| !named(name) && !is_set_by_larder(name, &self.options.presented))
            .collect();
        leave("fields", &others, "no Vary of what is stored names them");
        left
    }
}

/// Whether larder itself goes by a field, whatever is stored: by what says who the visitor
/// is, by conditions, ranges and what the client demands. Of cookies it is said one by one.
fn is_judged(name: &HeaderName, identity_fields: &[HeaderName]) -> bool {
    let is_named = matches!(
        name.as_str(),
        "authorization" | "cache-control" | "cookie" | "pragma" | "range" | "x-refresh"
    );
    is_named || name.as_str().starts_with("if-") || identity::is_one_of(name, identity_fields)
}

/// Whether a field is larder's word to the app, whatever the client has sent.
fn is_set_by_larder(name: &str, options: &message::Options) -> bool {
    let makes_traces = options.new_traces != NewTraces::None;
    name == "host"
        || name.starts_with("x-forwarded-")
        || name == message::REQUEST_ID
        || name == message::TRACEPARENT && makes_traces
}

fn selection(number: usize, count: usize, variant: &Variant) -> Step {
    let question = match count {
        1 => "Is it for this request?".to_string(),
        _ => format!("Is response {number} for this request?"),
    };
    let nominated = variant.nominated.join(", ");
    let answer = match (variant.selected, nominated.is_empty()) {
        (true, true) => "yes: nothing tells requests apart".to_string(),
        (true, false) => format!("yes: in {nominated} it is like the one that it was made for"),
        (false, true) => "no: another one comes first".to_string(),
        (false, false) => format!("no: in {nominated} it differs, or another one comes first"),
    };
    Step::new(question, answer, "RFC 9111 s4.1 (Vary)")
}
