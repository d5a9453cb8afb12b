//! What `Cache-Status` says, in words.

use crate::cli::decision::Decision;
use crate::semantics::cache_status::Forward;
use crate::semantics::reason::{Kind, Reason};
use http::StatusCode;

/// What was decided about an answer with this status, in a sentence or two.
pub(in crate::cli) fn in_words(decision: Decision, status: StatusCode) -> String {
    let reason = decision.reason;
    let mut words = match (decision.hit, decision.forward) {
        (true, _) => hit(decision.ttl),
        (false, Some(forward)) => forwarded(forward, reason),
        (false, None) => "larder answered by itself.".to_string(),
    };
    if decision.collapsed {
        words.push_str(" Another request had gone to the app already; this one shared its answer.");
    }
    if decision.stored {
        words.push_str(" The answer was stored.");
    }
    if decision.filled {
        words.push_str(" Its placeholders were filled for this visitor.");
    }
    match reason.map(|reason| (reason.kind(), reason.sentence())) {
        // Why an error is not kept is not what its visitor wants to know.
        Some((Kind::NotStored, _)) if status.is_server_error() => {
            words
                .push_str(&format!(" The app failed: it answered {status}, which was not stored."));
        }
        Some((Kind::NotStored, why)) => words.push_str(&format!(" It was not stored: {why}.")),
        Some((Kind::Served | Kind::Failed, what)) => {
            words.push_str(&format!(" {}.", capitalized(what)));
        }
        // It has been said why.
        Some((Kind::Passed, _)) | None => {}
    }
    words
}

/// The same with a capital first letter.
pub(super) fn capitalized(sentence: &str) -> String {
    let mut rest = sentence.chars();
    rest.next().map_or(String::new(), |first| first.to_uppercase().chain(rest).collect())
}

fn hit(ttl: Option<i64>) -> String {
    match ttl {
        Some(ttl) if ttl >= 0 => format!("A hit: from the cache, fresh for another {ttl} s."),
        Some(ttl) => format!("A hit: from the cache, stale for {} s.", -ttl),
        None => "A hit: from the cache.".to_string(),
    }
}

fn forwarded(forward: Forward, reason: Option<Reason>) -> String {
    let passed = reason.filter(|reason| reason.kind() == Kind::Passed).map(Reason::sentence);
    format!("Forwarded to the app: {}.", passed.unwrap_or(forward.sentence()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_decision_has_words() {
        for (field, words) in [
            (
                "larder; fwd=request",
                "Forwarded to the app: what was stored is not for this request: it demands a newer one, \
                 or is from a visitor who is identified, for whom the default lifetime is not.",
            ),
            ("larder; hit; ttl=57", "A hit: from the cache, fresh for another 57 s."),
            (
                "Other; hit, larder; fwd=uri-miss; stored",
                "Forwarded to the app: nothing was stored for this URL. The answer was stored.",
            ),
            (
                "larder; fwd=uri-miss; detail=private",
                "Forwarded to the app: nothing was stored for this URL. It was not stored: the \
                 response says private: it is for one visitor.",
            ),
            (
                "larder; fwd=stale; detail=connect",
                "Forwarded to the app: what was stored was stale. The app could not be reached.",
            ),
            (
                "larder; hit; ttl=57; filled",
                "A hit: from the cache, fresh for another 57 s. Its placeholders were filled for this \
                 visitor.",
            ),
            ("larder", "larder answered by itself."),
        ] {
            assert_eq!(in_words(Decision::read(field), StatusCode::OK), words);
        }
        let failed = Decision::read("larder; fwd=uri-miss; detail=no-lifetime");
        assert_eq!(
            in_words(failed, StatusCode::SERVICE_UNAVAILABLE),
            "Forwarded to the app: nothing was stored for this URL. The app failed: it answered 503 \
             Service Unavailable, which was not stored."
        );
    }
}
