//! An answer, said in few words.

use super::super::Sample;
use crate::observe::recent::Before;
use crate::observe::{Seen, is_age_doubtful};
use crate::semantics::cache_status::{CacheStatus, Forward};
use crate::semantics::cookies::Cookies;
use crate::semantics::policy::Policy;
use crate::semantics::reason::Reason;
use crate::semantics::time::{DeltaSeconds, Moment};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use std::time::{Duration, SystemTime};

/// The second of the wall clock at which all of them come.
pub const NOON: u64 = 1_800_000_000;

/// A second as an HTTP date.
pub fn date(second: u64) -> String {
    httpdate::fmt_http_date(at(second))
}

fn at(second: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(second)
}

#[derive(Clone, Debug)]
pub struct Given {
    path: String,
    asked: HeaderMap,
    status: StatusCode,
    fields: HeaderMap,
    cache: CacheStatus,
    took: Duration,
    policy: Policy,
    before: Before,
}

/// An answer for a path that came at once, the first for it.
pub fn answer(path: &str) -> Given {
    let policy = Policy {
        cookies: Cookies::Named(vec!["sessionid".into()]),
        heuristic_max: Some(DeltaSeconds::new(86_400)),
        targeted: vec![HeaderName::from_static("cdn-cache-control")],
        ..Policy::default()
    };
    Given {
        path: path.into(),
        asked: HeaderMap::new(),
        status: StatusCode::OK,
        fields: HeaderMap::new(),
        cache: CacheStatus::forwarded(Forward::UriMiss),
        took: Duration::from_millis(5),
        policy,
        before: Before::default(),
    }
    .number(1)
}

/// An HTML page.
pub fn page() -> Given {
    answer("/articles/1").says("content-type", "text/html; charset=utf-8")
}

/// An HTML page with this `Cache-Control`.
pub fn page_with(directives: &str) -> Given {
    page().says("cache-control", directives)
}

/// A style sheet that Flask or WhiteNoise sends.
pub fn style(path: &str) -> Given {
    answer(path)
        .says("content-type", "text/css; charset=utf-8")
        .says("last-modified", &date(NOON - 1_000_000))
        .says("etag", "\"1759-12\"")
}

impl Given {
    /// With a field.
    pub fn says(self, name: &str, value: &str) -> Given {
        self.says_bytes(name, value.as_bytes())
    }

    pub fn says_bytes(mut self, name: &str, value: &[u8]) -> Given {
        let name = HeaderName::try_from(name).expect("a name");
        self.fields.append(name, HeaderValue::from_bytes(value).expect("a value"));
        self
    }

    /// To a request with a field.
    pub fn to(mut self, name: &str, value: &str) -> Given {
        let name = HeaderName::try_from(name).expect("a name");
        self.asked.append(name, HeaderValue::from_str(value).expect("a value"));
        self
    }

    /// To a visitor who has logged in.
    pub fn visited(self) -> Given {
        self.to("cookie", "sessionid=abc")
    }

    pub fn status(mut self, status: u16) -> Given {
        self.status = StatusCode::from_u16(status).expect("a status");
        self
    }

    pub fn stored(mut self) -> Given {
        self.cache.stored = true;
        self
    }

    pub fn because(mut self, reason: Reason) -> Given {
        self.cache.detail = Some(reason);
        self
    }

    /// What was stored has been confirmed.
    pub fn confirmed(mut self) -> Given {
        self.cache.forward_status = Some(304);
        self.stored()
    }

    pub fn millis(mut self, took: u64) -> Given {
        self.took = Duration::from_millis(took);
        self
    }

    /// The how manieth it is.
    pub fn number(mut self, count: u32) -> Given {
        self.before.count = count;
        self
    }

    pub fn before(mut self, change: impl Fn(&mut Before)) -> Given {
        change(&mut self.before);
        self
    }

    pub fn policy(mut self, change: impl Fn(&mut Policy)) -> Given {
        change(&mut self.policy);
        self
    }

    pub fn cache(mut self, change: impl Fn(&mut CacheStatus)) -> Given {
        change(&mut self.cache);
        self
    }

    pub fn sample(&self) -> Option<Sample<'_>> {
        let authorized = self.asked.contains_key("authorization");
        let seen = Seen {
            method: &Method::GET,
            url: "http://site.test/",
            path_and_query: &self.path,
            asked: &self.asked,
            personal: authorized || self.policy.cookies.identify(&self.asked),
            status: self.status,
            fields: &self.fields,
            doubtful_age: is_age_doubtful(&self.fields),
            cache: &self.cache,
            took: self.took,
            at: Moment(1_000_000),
            wall: at(NOON),
            policy: &self.policy,
        };
        Sample::of(seen, self.before)
    }
}
