//! What would have to be otherwise for a response to be stored.

use super::{Fix, Would};
use crate::semantics::counterfactual::Case;
use crate::semantics::directives::ResponseDirectives;
use crate::semantics::lifetime::{self, Source};
use crate::semantics::policy::Policy;
use crate::semantics::reason::Reason;
use crate::semantics::time::DeltaSeconds;
use http::HeaderMap;

impl Would {
    fn of(reason: Reason, sentence: String) -> Would {
        Would { code: reason.code(), sentence, fix: Fix::of(reason) }
    }
}

/// What would have to be otherwise for a response to be stored that was not for this
/// reason; nothing if no change of the response would do.
pub fn would(case: Case<'_>, reason: Reason) -> Vec<Would> {
    // An error of the app's is to be mended, and not to be kept.
    if case.status.is_server_error() {
        return Vec::new();
    }
    let (cookies, lifetime) = (cookie_names(&case.fields), lifetime(&case));
    let obstacles = case.obstacles(Some(reason)).unwrap_or_default();
    let would = |reason| Would::of(reason, otherwise(reason, &cookies, &lifetime));
    obstacles.into_iter().map(would).collect()
}

/// What would have to be otherwise for the cache to have a part in a request whose path
/// `cache.bypass_paths` names as `named`; and then, if its answer is known, for that to be
/// stored.
pub fn would_if_not_bypassed(named: &str, case: Option<Case<'_>>) -> Vec<Would> {
    let sentence = format!(
        "it would be answered from the cache, and stored, if `cache.bypass_paths` did not have \
         {named:?}"
    );
    let first = Would::of(Reason::BypassPath, sentence);
    let others = case.map(|case| would(case, Reason::BypassPath)).unwrap_or_default();
    std::iter::once(first).chain(others.into_iter().skip(1)).collect()
}

/// The names of the cookies that a response sets.
fn cookie_names(fields: &HeaderMap) -> String {
    let lines = fields.get_all(http::header::SET_COOKIE).iter();
    let names: Vec<String> = lines
        .map(|line| {
            let name = line.as_bytes().split(|byte| *byte == b'=').next().unwrap_or_default();
            String::from_utf8_lossy(name.trim_ascii()).into_owned()
        })
        .collect();
    names.join(", ")
}

/// What would give a lifetime to a response that has none: itself, and a key of the
/// configuration where there is one for such a response.
fn lifetime(case: &Case<'_>) -> String {
    let status = case.status.as_u16();
    let key = match status {
        404 | 410 => "cache.negative_ttl",
        _ => "cache.default_ttl",
    };
    let stated = "it would be stored if it stated a lifetime (`Cache-Control: s-maxage=60`)";
    if gets_one_by_key(case, &case.fields, case.asked.visitor.is_known()) {
        return format!("{stated}, or if `{key}` were set, for visitors who aren't identified");
    }
    match gets_one_by_key(case, &HeaderMap::new(), false) {
        // It says itself that it is good for no time, or it is known whose it is.
        true => stated.to_string(),
        false => format!("{stated}: no key of larder.toml gives one to a {status}"),
    }
}

/// Whether a lifetime of the operator's would hold for a response with these fields, and for
/// a visitor who is known.
fn gets_one_by_key(case: &Case<'_>, fields: &HeaderMap, known: bool) -> bool {
    let minute = DeltaSeconds::new(60);
    let set = Policy {
        default_lifetime: minute,
        negative_lifetime: minute,
        heuristic_max: None,
        ..case.policy.clone()
    };
    let directives = ResponseDirectives::of(fields);
    let found = lifetime::lifetime(case.status, fields, &directives, &case.exchange, &set, known);
    found.source == Source::Configured
}

fn otherwise(reason: Reason, cookies: &str, lifetime: &str) -> String {
    match reason {
        Reason::SetCookie => format!("it would be stored if `Set-Cookie: {cookies}` were absent"),
        Reason::NoStore => "it would be stored without `no-store`".into(),
        Reason::Private => "it would be stored without `private`".into(),
        Reason::VaryAny => "it would be stored without `Vary: *`".into(),
        Reason::Authorization => {
            "it would be stored if it said `public` or `s-maxage`, or were asked for without \
             `Authorization`"
                .into()
        }
        Reason::NotUnderstood => "it would be stored without `must-understand`".into(),
        Reason::TooLarge => "it would be stored if `cache.max_object` were larger".into(),
        Reason::IdentityCookie => {
            "it would be stored if it stated a lifetime (`Cache-Control: s-maxage=60`), said \
             `Vary: Cookie`, or were asked for without the cookie"
                .into()
        }
        Reason::IdentityField => {
            "it would be stored if it stated a lifetime (`Cache-Control: s-maxage=60`), or were \
             asked for without the key"
                .into()
        }
        Reason::NoLifetime => lifetime.into(),
        _ => "it would be stored if it stated a lifetime (`Cache-Control: s-maxage=60`)".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantics::identity::Visitor;
    use crate::semantics::storable::Asked;
    use crate::semantics::time::{Exchange, Moment};
    use http::{HeaderValue, Method, StatusCode};
    use std::time::SystemTime;

    fn told(status: u16, lines: &[(&'static str, &'static str)], policy: &Policy) -> String {
        let line = |(name, value): &(&'static str, &'static str)| {
            (http::HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        let received_at = SystemTime::UNIX_EPOCH;
        let exchange = Exchange { sent: Moment(0), received: Moment(0), received_at };
        let asked = Asked {
            method: &Method::GET,
            path: "/page",
            ranged: false,
            visitor: Visitor::default(),
        };
        let status = StatusCode::from_u16(status).expect("a status");
        let case =
            Case { asked, status, fields: lines.iter().map(line).collect(), exchange, policy };
        let would = would(case, Reason::NoLifetime);
        would.into_iter().map(|would| would.sentence).collect()
    }

    #[test]
    fn the_key_that_gives_a_lifetime_depends_on_the_status() {
        let stated = "it would be stored if it stated a lifetime (`Cache-Control: s-maxage=60`)";
        for (status, lines, more) in [
            (
                200,
                &[][..],
                ", or if `cache.default_ttl` were set, for visitors who aren't identified",
            ),
            (301, &[], ", or if `cache.default_ttl` were set, for visitors who aren't identified"),
            (404, &[], ", or if `cache.negative_ttl` were set, for visitors who aren't identified"),
            (410, &[], ", or if `cache.negative_ttl` were set, for visitors who aren't identified"),
            (302, &[], ": no key of larder.toml gives one to a 302"),
            (403, &[], ": no key of larder.toml gives one to a 403"),
            // It has said that it is good for no time: no key is asked then.
            (200, &[("cache-control", "max-age=0")], ""),
        ] {
            let expected = format!("{stated}{more}");
            assert_eq!(told(status, lines, &Policy::default()), expected, "{status} {lines:?}");
        }
        let set = Policy { default_lifetime: DeltaSeconds::new(60), ..Policy::default() };
        assert!(told(404, &[], &set).contains("cache.negative_ttl"));
        assert!(!told(302, &[], &set).contains("_ttl"));
        assert!(!told(200, &[("cache-control", "no-cache")], &set).contains("_ttl"));
    }

    #[test]
    fn an_error_of_the_app_is_not_to_be_kept() {
        for status in [500, 502, 503] {
            assert_eq!(told(status, &[], &Policy::default()), "");
        }
    }
}
