//! What a configuration makes of a line of a log, and where that is something
//! else than what was made of it.

use crate::app;
use crate::cli::lines::Record;
use crate::config::Settings;
use crate::semantics::directives::ResponseDirectives;
use crate::semantics::freshness::Freshness;
use crate::semantics::identity::Visitor;
use crate::semantics::paths::Paths;
use crate::semantics::policy::Policy;
use crate::semantics::reason::{Kind, Reason};
use crate::semantics::storable::{self, Asked, Storability};
use crate::semantics::time::{Exchange, Moment};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use std::time::SystemTime;

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It may be answered by the cache, and its answer stored.
    Cache,
    /// It may be answered by the cache, and its answer brings nothing.
    Look,
    /// It goes to the app, for this reason.
    App(&'static str, &'static str),
}

/// What the new configuration does otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Change {
    /// It is stored, and was not.
    Stored(&'static str),
    /// It is not stored any more.
    NotStored(&'static str),
    /// It is refused.
    Refused,
    /// It was refused, and is not any more.
    LetIn,
}

#[derive(Debug)]
pub(super) struct Judge {
    policy: Policy,
    max_object: u64,
    max_target: usize,
    bypasses: bool,
    bypass_paths: Paths,
    /// No cookie identifies anyone.
    anonymous: bool,
}

const METHOD: Fate = Fate::App("method", "answers to this method do not come from the cache");
const TOO_LONG: Fate = Fate::App("414", "the target is longer than limits.target");
const FAILED: Fate = Fate::App("status", "the app answered with an error (5xx)");

impl Judge {
    pub fn of(settings: &Settings) -> Judge {
        Judge {
            policy: app::policy(settings),
            max_object: settings.cache.max_object,
            max_target: settings.limits.target,
            bypasses: !settings.cache.bypass_cookies.is_empty(),
            bypass_paths: app::bypass_paths(settings),
            anonymous: settings.cache.cookies.as_ref().is_some_and(Vec::is_empty),
        }
    }

    /// What becomes of a request under this configuration.
    pub fn fate(&self, record: &Record<'_>) -> Fate {
        if record.target.len() > self.max_target {
            return TOO_LONG;
        }
        match &*record.method {
            "GET" => {}
            "HEAD" => return Fate::Look,
            _ => return METHOD,
        }
        if (500..600).contains(&record.status) {
            return FAILED;
        }
        let passed = |reason: Reason| Fate::App(reason.code(), reason.sentence());
        if self.goes_past(record) {
            return passed(Reason::BypassPath);
        }
        if record.bytes > self.max_object {
            return passed(Reason::TooLarge);
        }
        let reason = record.detail.as_deref().and_then(Reason::from_code);
        match reason.filter(|reason| reason.kind() != Kind::Served) {
            Some(_) if matches!(self.change(record), Some(Change::Stored(_))) => Fate::Cache,
            Some(reason) => passed(reason),
            None if record.cache.as_deref() == Some("none") => {
                Fate::App("own", "larder answered by itself")
            }
            // A client had the page already; somebody else may not.
            None if record.status == 304 || record.cache.as_deref() == Some("hit") => Fate::Cache,
            None => match self.decided(record, true) {
                Storability::Store => Fate::Cache,
                Storability::Refuse(reason) => passed(reason),
            },
        }
    }

    /// Whether its path is one that goes past the cache.
    fn goes_past(&self, record: &Record<'_>) -> bool {
        self.bypass_paths.any_reading(path(record)).is_some()
    }

    /// Where the configuration decides otherwise than what the log says. Only
    /// larder's own lines say what was decided.
    pub fn change(&self, record: &Record<'_>) -> Option<Change> {
        let cache = record.cache.as_deref()?;
        let is_too_long = record.target.len() > self.max_target;
        if record.status == 414 && cache == "none" {
            return (!is_too_long).then_some(Change::LetIn);
        }
        if is_too_long {
            return Some(Change::Refused);
        }
        if record.method != "GET" {
            return None;
        }
        let is_too_large = record.bytes > self.max_object;
        let was_stored = cache == "hit" || record.stored == Some(true);
        if self.goes_past(record) {
            return was_stored.then_some(Change::NotStored(Reason::BypassPath.code()));
        }
        let Some(reason) = record.detail.as_deref().and_then(Reason::from_code) else {
            return (was_stored && is_too_large).then_some(Change::NotStored("too-large"));
        };
        let is_now = match reason {
            Reason::TooLarge => !record.broken,
            Reason::NoLifetime => self.decided(record, false) == Storability::Store,
            Reason::SetCookie => self.policy.store_set_cookie,
            Reason::BypassCookie => !self.bypasses,
            Reason::BypassPath => true,
            Reason::IdentityCookie => self.anonymous,
            _ => false,
        };
        (is_now && !is_too_large).then_some(Change::Stored(reason.code()))
    }

    /// What is decided by method, path and status, of a response that states a
    /// lifetime or nothing at all.
    fn decided(&self, record: &Record<'_>, states_lifetime: bool) -> Storability {
        let Ok(status) = StatusCode::from_u16(record.status) else {
            return Storability::Refuse(Reason::Status);
        };
        let mut fields = HeaderMap::new();
        if states_lifetime {
            fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("max-age=60"));
        }
        let path = path(record);
        let method = Method::GET;
        let asked = Asked { method: &method, path, ranged: false, visitor: Visitor::default() };
        let now = Moment(0);
        let exchange = Exchange { sent: now, received: now, received_at: SystemTime::UNIX_EPOCH };
        let directives = ResponseDirectives::of(&fields);
        let freshness = Freshness::of(status, &fields, &directives, &exchange, &self.policy, false);
        storable::decide(&asked, status, &fields, &directives, &freshness, &self.policy)
    }
}

fn path<'a>(record: &'a Record<'_>) -> &'a str {
    record.target.split('?').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    /// A judge by a configuration.
    fn judge(variables: &[(&str, &str)]) -> Judge {
        let env = variables.iter().map(|(name, value)| (format!("LARDER_{name}"), (*value).into()));
        let overrides = config::Overrides { to: Some("unix:/".into()), ..Default::default() };
        Judge::of(&config::load(config::Source::None, env, &overrides).expect("settings"))
    }

    fn line(target: &'static str, status: u16, bytes: u64, rest: &'static str) -> Record<'static> {
        let mut words = rest.split_whitespace().map(Into::into);
        let (cache, detail) = (words.next(), words.next());
        let method = "GET".into();
        Record { method, target: target.into(), status, bytes, cache, detail, ..Record::default() }
    }

    #[test]
    fn what_would_change_is_told_from_what_was_decided() {
        let stored = |code| Some(Change::Stored(code));
        for (variables, record, expected) in [
            (&[][..], line("/", 200, 5, "uri-miss no-lifetime"), None),
            (
                &[("CACHE__DEFAULT_TTL", "60s")],
                line("/", 200, 5, "uri-miss no-lifetime"),
                stored("no-lifetime"),
            ),
            (&[("CACHE__DEFAULT_TTL", "60s")], line("/", 404, 5, "uri-miss no-lifetime"), None),
            (
                &[("CACHE__NEGATIVE_TTL", "9s")],
                line("/", 404, 5, "uri-miss no-lifetime"),
                stored("no-lifetime"),
            ),
            (
                &[("CACHE__MAX_OBJECT", "1KiB")],
                line("/", 200, 1025, "hit"),
                Some(Change::NotStored("too-large")),
            ),
            (&[("CACHE__MAX_OBJECT", "1KiB")], line("/", 200, 1024, "hit"), None),
            (
                &[("CACHE__MAX_OBJECT", "1KiB")],
                line("/", 200, 1024, "uri-miss too-large"),
                stored("too-large"),
            ),
            (
                &[("SEMANTICS__STORE_SET_COOKIE", "true")],
                line("/", 200, 5, "uri-miss set-cookie"),
                stored("set-cookie"),
            ),
            (&[], line("/", 200, 5, "bypass bypass-cookie"), stored("bypass-cookie")),
            (&[("CACHE__BYPASS_COOKIES", "a")], line("/", 200, 5, "bypass bypass-cookie"), None),
            (&[], line("/", 200, 5, "bypass bypass-path"), stored("bypass-path")),
            (&[("CACHE__BYPASS_PATHS", "/a")], line("/a/b", 200, 5, "bypass bypass-path"), None),
            (
                &[("CACHE__BYPASS_PATHS", "/a")],
                line("/%61?b", 200, 5, "hit"),
                Some(Change::NotStored("bypass-path")),
            ),
            (&[], line("/", 200, 5, "uri-miss private"), None),
            (&[], line("/", 200, 5, "uri-miss identity-cookie"), None),
            (&[("LIMITS__TARGET", "256")], line("/", 414, 5, "none"), Some(Change::LetIn)),
            // Others' lines don't say what was decided.
            (&[("CACHE__MAX_OBJECT", "1KiB")], line("/", 200, 9999, ""), None),
        ] {
            assert_eq!(judge(variables).change(&record), expected, "{variables:?} {record:?}");
        }
    }

    #[test]
    fn the_fate_of_a_request_is_that_of_the_configuration() {
        let fate = |record: &Record<'_>| match judge(&[]).fate(record) {
            Fate::Cache => "cache",
            Fate::Look => "look",
            Fate::App(code, _) => code,
        };
        let by = |method: &'static str| Record { method: method.into(), ..line("/", 200, 5, "") };
        for (record, expected) in [
            (line("/", 200, 5, ""), "cache"),
            (line("/", 304, 0, ""), "cache"),
            (line("/", 404, 5, ""), "cache"),
            (line("/", 429, 5, ""), "provoked"),
            (line("/", 206, 5, ""), "status"),
            (line("/", 502, 5, "uri-miss connect"), "status"),
            (line("/", 200, 5 << 20, ""), "too-large"),
            (line("/", 200, 5, "uri-miss"), "cache"),
            (line("/", 200, 5, "hit soft-purge"), "cache"),
            (line("/", 200, 5, "uri-miss private"), "private"),
            (line("/", 400, 5, "none"), "own"),
            (by("POST"), "method"),
            (by("HEAD"), "look"),
        ] {
            assert_eq!(fate(&record), expected, "{record:?}");
        }
    }
}
