//! How fresh a stored response is, and what that comes from.

use crate::semantics::freshness::{Freshness, StaleCause};
use crate::semantics::time::Moment;
use std::time::Duration;

/// The arithmetic of RFC 9111 section 4.2 for a stored response, a line for each part.
/// `softened` is when it was purged softly.
pub fn arithmetic(freshness: &Freshness, softened: Option<Moment>, now: Moment) -> Vec<String> {
    let lifetime = freshness.lifetime;
    let mut lines = vec![format!(
        "lifetime: {}, by {}",
        seconds(lifetime.span.duration()),
        lifetime.source.words()
    )];
    let (age, before) = (freshness.current_age(now), freshness.initial_age());
    lines.push(format!(
        "age: {} = {} when it came + {} here",
        seconds(age),
        seconds(before),
        seconds(age.saturating_sub(before))
    ));
    let until = freshness.fresh_until();
    let spread = match lifetime.is_explicit() && age + until.since(now) < lifetime.span.duration() {
        true => " (up to cache.jitter is taken off, so that not all expires at once)",
        false => "",
    };
    lines.push(match until > now {
        true => format!("fresh for another {}{spread}", seconds(until.since(now))),
        false => format!("stale for {}{spread}", seconds(now.since(until))),
    });
    if let Some(at) = softened {
        lines.push(format!("purged softly {} ago: stale since then", seconds(now.since(at))));
    }
    if freshness.always_validate {
        lines.push("no-cache: validated before each use".into());
    }
    for (cause, what) in [
        (StaleCause::Revalidating, "may be answered stale while it is validated, for"),
        (StaleCause::Error, "may stand in for an error of the app, for"),
        (StaleCause::Down, "may stand in for an app that can't be reached, for"),
    ] {
        let window = freshness.stale_window(cause);
        if window > Duration::ZERO {
            lines.push(format!("{what} {} after it became stale", seconds(window)));
        }
    }
    if !freshness.may_be_stale {
        lines.push("nothing but itself allows it to be answered stale".into());
    }
    lines
}

fn seconds(span: Duration) -> String {
    match span.subsec_millis() {
        0 => format!("{} s", span.as_secs()),
        _ => format!("{:.1} s", span.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantics::directives::ResponseDirectives;
    use crate::semantics::policy::Policy;
    use crate::semantics::time::Exchange;
    use http::{HeaderMap, HeaderValue, StatusCode};
    use std::time::SystemTime;

    #[test]
    fn figures_add_up() {
        let mut fields = HeaderMap::new();
        let control = HeaderValue::from_static("max-age=60, stale-while-revalidate=30");
        fields.insert("cache-control", control);
        fields.insert("age", HeaderValue::from_static("12"));
        let received_at = SystemTime::UNIX_EPOCH;
        let exchange = Exchange { sent: Moment(0), received: Moment(0), received_at };
        let (directives, policy) = (ResponseDirectives::of(&fields), Policy::default());
        let status = StatusCode::OK;
        let freshness = Freshness::of(status, &fields, &directives, &exchange, &policy, false);
        let lines = arithmetic(&freshness, None, Moment(8_000));
        assert_eq!(
            lines,
            [
                "lifetime: 60 s, by max-age",
                "age: 20 s = 12 s when it came + 8 s here",
                "fresh for another 40 s",
                "may be answered stale while it is validated, for 30 s after it became stale",
            ]
        );
        let lines = arithmetic(&freshness, Some(Moment(7_500)), Moment(58_500));
        assert_eq!(lines[2], "stale for 10.5 s");
        assert_eq!(lines[3], "purged softly 51 s ago: stale since then");
    }
}
