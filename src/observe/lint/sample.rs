//! What a rule looks at, read once for all of them.

use super::super::Seen;
use super::super::recent::{Before, length};
use crate::semantics::cache_control::{Member, members};
use crate::semantics::directives::{ResponseDirectives, Scope, Value};
use crate::semantics::fields::{self, media_type};
use crate::semantics::lifetime::{FreshnessLifetime, lifetime};
use crate::semantics::policy::Policy;
use crate::semantics::reason::{Kind, Reason};
use crate::semantics::targeted;
use crate::semantics::time::{DeltaSeconds, Exchange};
use crate::semantics::vary::NominatedFields;
use http::header::{self, HeaderName};
use http::{Method, StatusCode};
use std::time::Duration;

/// The longest head that is looked at, in bytes.
const LONGEST: usize = 16 << 10;

/// The most members of `Cache-Control` that are looked at one by one.
const MOST_MEMBERS: usize = 64;

/// What a rule looks at.
#[derive(Clone, Debug)]
pub struct Sample<'a> {
    /// The request and its answer.
    pub seen: Seen<'a>,
    /// The answers for the same URL, this one included.
    pub before: Before,
    /// What `Cache-Control` says.
    pub said: ResponseDirectives,
    /// What is said to this cache, which other fields may do.
    pub ours: ResponseDirectives,
    /// What `Vary` names.
    pub nominated: NominatedFields,
    /// How long it is fresh here.
    pub lifetime: FreshnessLifetime,
}

impl<'a> Sample<'a> {
    /// Reads an answer of the app to a GET; `None` if it is another one's, or the app is in
    /// trouble and says nothing about its pages, or the head is longer than apps write.
    pub(in super::super) fn of(seen: Seen<'a>, before: Before) -> Option<Sample<'a>> {
        let Seen { cache, status, fields, policy, .. } = seen;
        let foreign = cache.detail.map(Reason::kind);
        let foreign = matches!(foreign, Some(Kind::Served | Kind::Failed)) || cache.collapsed;
        let odd = status.is_server_error() || status.is_informational();
        if *seen.method != Method::GET || foreign || odd || length(fields) > LONGEST {
            return None;
        }
        let sent = seen.at.minus(seen.took);
        let exchange = Exchange { sent, received: seen.at, received_at: seen.wall };
        let ours = targeted::directives(fields, &policy.targeted, seen.wall);
        Some(Sample {
            seen,
            before,
            said: ResponseDirectives::of(fields),
            nominated: NominatedFields::of(fields),
            lifetime: lifetime(status, fields, &ours, &exchange, policy, seen.personal),
            ours,
        })
    }

    /// Whether it has a field.
    pub fn has(&self, name: HeaderName) -> bool {
        self.seen.fields.contains_key(name)
    }

    /// The members of `Cache-Control`, in order, as many as people write.
    pub fn members(&self) -> impl Iterator<Item = Member<'a>> + use<'a> {
        let lines = self.seen.fields.get_all(header::CACHE_CONTROL).iter();
        lines.flat_map(|line| members(line.as_bytes())).take(MOST_MEMBERS)
    }

    /// Whether `Cache-Control` has one of these directives, known to this cache or not.
    pub fn says(&self, names: &[&str]) -> bool {
        let is_one = |member: Member<'_>| {
            names.iter().any(|name| member.name.eq_ignore_ascii_case(name.as_bytes()))
        };
        self.members().any(is_one)
    }

    /// The path.
    pub fn path(&self) -> &'a str {
        self.seen.path_and_query.split('?').next().unwrap_or_default()
    }

    /// The query; empty if there is none.
    pub fn query(&self) -> &'a str {
        self.seen.path_and_query.split_once('?').map_or("", |(_, query)| query)
    }

    /// It was answered with 200.
    pub fn is_ok(&self) -> bool {
        self.seen.status == StatusCode::OK
    }

    /// It is an HTML page.
    pub fn is_page(&self) -> bool {
        let is = |name: &[u8]| media_type(self.seen.fields).eq_ignore_ascii_case(name);
        self.is_ok() && (is(b"text/html") || is(b"application/xhtml+xml"))
    }

    /// It is JSON.
    pub fn is_json(&self) -> bool {
        let name = media_type(self.seen.fields);
        let ends = name.len() > 5 && name[name.len() - 5..].eq_ignore_ascii_case(b"+json");
        self.is_ok() && (ends || name.eq_ignore_ascii_case(b"application/json"))
    }

    /// Nothing keeps a shared cache from storing it, as far as `Cache-Control` and its like go.
    pub fn may_be_shared(&self) -> bool {
        self.ours.forbid_storing().is_none()
    }

    /// Browsers and other caches are told to keep it.
    pub fn is_kept_elsewhere(&self) -> bool {
        let lives = given(self.said.max_age) > 0 || given(self.said.s_maxage) > 0;
        (lives || self.said.public) && !self.said.no_store && self.said.private == Scope::Absent
    }

    /// It states how long it is fresh, and that is longer than no time at all.
    pub fn lives(&self) -> bool {
        self.lifetime.is_explicit() && self.lifetime.span > DeltaSeconds::ZERO
    }

    /// It is not stored because nothing says for how long.
    pub fn lacks_lifetime(&self) -> bool {
        !self.seen.cache.stored && self.seen.cache.detail == Some(Reason::NoLifetime)
    }

    /// A response that was stored already was confirmed with 304: what it says may be of two
    /// answers.
    pub fn is_confirmed(&self) -> bool {
        self.seen.cache.forward_status == Some(StatusCode::NOT_MODIFIED.as_u16())
    }

    /// What is said to this cache is seen here too: no field that only it gets may say more.
    pub fn is_whole(&self) -> bool {
        let Policy { targeted: names, .. } = self.seen.policy;
        self.ours.targeted || !names.iter().any(targeted::is_own)
    }

    /// It took at least so many milliseconds.
    pub fn took(&self, millis: u64) -> bool {
        self.seen.took >= Duration::from_millis(millis)
    }

    /// The first `Age` that it states, in seconds.
    pub fn age(&self) -> u64 {
        let age = fields::members(self.seen.fields, &header::AGE).next();
        age.and_then(DeltaSeconds::parse).unwrap_or_default().get().into()
    }
}

/// A number of seconds; zero if none is given.
pub(super) fn given(value: Value<DeltaSeconds>) -> u32 {
    value.given().unwrap_or_default().get()
}
