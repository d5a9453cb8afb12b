//! `Cache-Control` of a request (RFC 9111 section 5.2.1): what a client demands
//! of what it is given.
//!
//! In front of an app most clients are strangers, and none of them may make the
//! cache ask again; who may is the operator's choice. `only-if-cached` harms
//! nobody and is heeded from all.

use super::cache_control::{Argument, members};
use super::directives::{Value, first};
use super::fields::has_member;
use super::time::DeltaSeconds;
use http::header::{self, HeaderMap};

/// What a request demands. The default demands nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestDirectives {
    /// `no-cache`, or `Pragma: no-cache` without `Cache-Control` (sections
    /// 5.2.1.4 and 5.4): not without validation.
    pub no_cache: bool,
    /// `no-store` (section 5.2.1.5).
    pub no_store: bool,
    /// `max-age` (section 5.2.1.1): no older than this.
    pub max_age: Value<DeltaSeconds>,
    /// `min-fresh` (section 5.2.1.3): fresh for this long yet.
    pub min_fresh: Value<DeltaSeconds>,
    /// `max-stale` (section 5.2.1.2): stale for no longer than this; without a
    /// value, however long.
    pub max_stale: Value<DeltaSeconds>,
}

impl RequestDirectives {
    /// Reads a request's fields.
    ///
    /// ```
    /// use http::{HeaderMap, HeaderValue, header::CACHE_CONTROL};
    /// use larder::semantics::{directives::Value, request_directives::RequestDirectives};
    /// use larder::semantics::time::DeltaSeconds;
    ///
    /// let mut fields = HeaderMap::new();
    /// fields.append(CACHE_CONTROL, HeaderValue::from_static("max-age=5, max-stale"));
    /// let demands = RequestDirectives::of(&fields);
    /// assert_eq!(demands.max_age, Value::Given(DeltaSeconds::new(5)));
    /// assert_eq!(demands.max_stale, Value::Given(DeltaSeconds::MAX));
    /// ```
    pub fn of(fields: &HeaderMap) -> RequestDirectives {
        let mut read = RequestDirectives::default();
        for line in fields.get_all(header::CACHE_CONTROL) {
            for member in members(line.as_bytes()) {
                read.take(member.name, &member.argument);
            }
        }
        read.no_cache |= !fields.contains_key(header::CACHE_CONTROL)
            && has_member(fields, &header::PRAGMA, "no-cache");
        read
    }

    fn take(&mut self, name: &[u8], argument: &Argument) {
        match (name.to_ascii_lowercase().as_slice(), argument) {
            (b"no-cache", _) => self.no_cache = true,
            (b"no-store", _) => self.no_store = true,
            (b"max-age", _) => first(&mut self.max_age, argument),
            (b"min-fresh", _) => first(&mut self.min_fresh, argument),
            (b"max-stale", Argument::None) => self.max_stale = Value::Given(DeltaSeconds::MAX),
            (b"max-stale", _) => first(&mut self.max_stale, argument),
            _ => {}
        }
    }
}

/// Whether a request says `only-if-cached` (section 5.2.1.7).
pub fn only_if_cached(fields: &HeaderMap) -> bool {
    fields.get_all(header::CACHE_CONTROL).iter().any(|line| {
        members(line.as_bytes()).any(|member| member.name.eq_ignore_ascii_case(b"only-if-cached"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantics::testing::fields;

    #[test]
    fn demands_in_every_spelling() {
        let read = |lines: &[(&'static str, &str)]| RequestDirectives::of(&fields(lines));
        let cc = "cache-control";
        assert_eq!(read(&[]), RequestDirectives::default());
        assert!(read(&[(cc, "No-Cache")]).no_cache);
        assert!(read(&[("pragma", "x, no-cache")]).no_cache);
        // Section 5.4: Pragma says nothing beside Cache-Control.
        assert!(!read(&[("pragma", "no-cache"), (cc, "max-age=9")]).no_cache);
        assert!(read(&[(cc, "max-age=1"), (cc, "NO-STORE")]).no_store);
        assert_eq!(read(&[(cc, "max-age=x")]).max_age, Value::Unusable);
        assert_eq!(read(&[(cc, "min-fresh=\"7\"")]).min_fresh, Value::Given(DeltaSeconds::new(7)));
        assert!(only_if_cached(&fields(&[(cc, "max-age=1, Only-If-Cached")])));
        assert!(!only_if_cached(&fields(&[(cc, "x=\"only-if-cached\"")])));
    }
}
