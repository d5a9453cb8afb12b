//! The last answers of the origin, by URL.

use super::Seen;
use super::costs::cut;
use crate::semantics::date::date_in;
use crate::semantics::reason::{Kind, Reason};
use crate::semantics::time::Moment;
use crate::semantics::vary::NominatedFields;
use http::{HeaderMap, Method, StatusCode, header};
use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hasher};
use std::time::{Duration, SystemTime};

/// The most URLs that are remembered; the oldest go.
pub(super) const MOST: usize = 1024;

/// The longest head that is remembered, or compared with the next, in bytes.
const LONGEST: usize = 4096;

/// An answer of the origin that was not stored.
#[derive(Clone, Debug)]
pub struct Last {
    /// Why it was not.
    pub reason: Reason,
    /// Its status.
    pub status: StatusCode,
    /// Its fields, but for the values of cookies.
    pub fields: HeaderMap,
    /// When it came.
    pub at: Moment,
}

/// What of the answers for a URL is compared with the next one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Before {
    /// How many there were, none of them long after the one before.
    pub count: u32,
    /// How many in a row had another entity tag than the one before, which came a moment
    /// earlier and was for the same variant.
    pub changed: u32,
    /// How many in a row were last modified when they were made, each later than the one
    /// before.
    pub dated: u32,
    /// How many in a row led to the same place.
    pub led: u32,
    at: Moment,
    etag: Option<Mark>,
    modified: Option<SystemTime>,
    location: Option<u64>,
}

/// An entity tag, and the variant that it is of, as far as it takes to compare them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    variant: u64,
    etag: u64,
}

/// What comes later than this after the answer before begins a new count.
const LONG: Duration = Duration::from_secs(300);

/// How soon after each other two answers come that are most likely of the same page.
const SOON: Duration = Duration::from_secs(3);

#[derive(Debug, Default)]
struct Entry {
    last: Option<Last>,
    before: Before,
}

#[derive(Debug, Default)]
pub(super) struct Recent {
    entries: HashMap<Box<str>, Entry>,
    /// The URLs in the order in which they came.
    order: VecDeque<Box<str>>,
}

impl Recent {
    /// Notes an answer; a sampled one for those that are compared with it too. That is
    /// returned.
    pub fn note(&mut self, seen: &Seen<'_>, is_sampled: bool) -> Before {
        let url = cut(seen.url);
        let refused = seen.cache.detail.filter(|reason| reason.kind() == Kind::NotStored);
        if !self.entries.contains_key(url) {
            if !is_sampled && refused.is_none() {
                return Before::default();
            }
            if self.order.len() >= MOST
                && let Some(oldest) = self.order.pop_front()
            {
                self.entries.remove(&oldest);
            }
            self.order.push_back(url.into());
            self.entries.insert(url.into(), Entry::default());
        }
        let Some(entry) = self.entries.get_mut(url) else { return Before::default() };
        if is_sampled {
            entry.before.note(seen, length(seen.fields) <= LONGEST);
        }
        match refused {
            Some(reason) => entry.note(seen, reason),
            None if seen.cache.stored => entry.last = None,
            None => {}
        }
        entry.before
    }

    pub fn last(&self, url: &str) -> Option<Last> {
        self.entries.get(cut(url))?.last.clone()
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.entries.len().max(self.order.len())
    }
}

impl Entry {
    /// Keeps the head; that of a page that is asked for all the time once a second.
    fn note(&mut self, seen: &Seen<'_>, reason: Reason) {
        let is_new = self
            .last
            .as_ref()
            .is_none_or(|last| last.reason != reason || seen.at.since(last.at).as_secs() >= 1);
        if is_new && length(seen.fields) <= LONGEST {
            let mut fields = seen.fields.clone();
            hide_cookies(&mut fields);
            self.last = Some(Last { reason, status: seen.status, fields, at: seen.at });
        }
    }
}

/// Bytes of a head.
pub(super) fn length(fields: &HeaderMap) -> usize {
    fields.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
}

/// Leaves the names of cookies, which say what to change, and not their values.
fn hide_cookies(fields: &mut HeaderMap) {
    if let header::Entry::Occupied(mut lines) = fields.entry(header::SET_COOKIE) {
        for line in lines.iter_mut() {
            let name = line.as_bytes().split(|byte| *byte == b'=').next().unwrap_or_default();
            let hidden = [name, b"=..."].concat();
            if let Ok(value) = http::HeaderValue::from_bytes(&hidden) {
                *line = value;
            }
        }
    }
}

impl Before {
    fn note(&mut self, seen: &Seen<'_>, is_short: bool) {
        // It is another one's answer.
        if seen.cache.collapsed {
            return;
        }
        let passed = seen.at.since(self.at);
        self.at = seen.at;
        if passed > LONG {
            *self = Before { at: seen.at, ..Before::default() };
        }
        self.count = self.count.saturating_add(1);
        if *seen.method == Method::GET && !seen.personal && is_short {
            self.compare_tag(Mark::of(seen), passed);
            self.compare_date(date_in(seen.fields, &header::LAST_MODIFIED, seen.wall), seen.wall);
            self.compare_place(seen.fields.get(header::LOCATION).map(|v| hash(v.as_bytes())));
        }
    }

    fn compare_tag(&mut self, mark: Option<Mark>, passed: Duration) {
        match (self.etag, mark) {
            (Some(old), Some(new)) if old == new => self.changed = 0,
            (Some(old), Some(new)) if old.variant == new.variant && passed <= SOON => {
                self.changed = self.changed.saturating_add(1);
            }
            _ => {}
        }
        self.etag = mark.or(self.etag);
    }

    fn compare_date(&mut self, modified: Option<SystemTime>, now: SystemTime) {
        let Some(modified) = modified else { return };
        let is_later = self.modified.is_none_or(|before| before < modified);
        let is_now = modified + Duration::from_secs(2) >= now;
        self.dated = if is_now && is_later { self.dated.saturating_add(1) } else { 0 };
        self.modified = Some(modified);
    }

    fn compare_place(&mut self, location: Option<u64>) {
        self.led = match location {
            Some(place) if self.location == Some(place) => self.led.saturating_add(1),
            place => u32::from(place.is_some()),
        };
        self.location = location;
    }
}

impl Mark {
    /// Of a page that was answered whole, or confirmed.
    fn of(seen: &Seen<'_>) -> Option<Mark> {
        if !matches!(seen.status, StatusCode::OK | StatusCode::NOT_MODIFIED) {
            return None;
        }
        let etag = hash(seen.fields.get(header::ETAG)?.as_bytes());
        let variant = NominatedFields::of(seen.fields).select(seen.asked, seen.policy)?;
        Some(Mark { variant: hash(variant.as_bytes()), etag })
    }
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantics::cache_status::{CacheStatus, Forward};
    use crate::semantics::policy::Policy;
    use http::{HeaderName, HeaderValue};

    const NOON: u64 = 1_800_000_000;

    /// What is known of a URL after these answers: a second, and the fields.
    fn after(answers: &[(u64, &[(&str, &str)])]) -> Before {
        let (mut recent, mut before) = (Recent::default(), Before::default());
        let (policy, cache) = (Policy::default(), CacheStatus::forwarded(Forward::UriMiss));
        for (second, lines) in answers {
            let mut fields = HeaderMap::new();
            let mut asked = HeaderMap::new();
            for (name, value) in *lines {
                let value = HeaderValue::from_str(value).expect("a value");
                match *name {
                    "accept-encoding" => asked.append(header::ACCEPT_ENCODING, value),
                    name => fields.append(HeaderName::try_from(name).expect("a name"), value),
                };
            }
            before = recent.note(
                &Seen {
                    method: &Method::GET,
                    url: "http://a/",
                    path_and_query: "/",
                    asked: &asked,
                    personal: false,
                    status: StatusCode::OK,
                    fields: &fields,
                    doubtful_age: false,
                    cache: &cache,
                    took: Duration::ZERO,
                    at: Moment(second * 1000),
                    wall: SystemTime::UNIX_EPOCH + Duration::from_secs(NOON + second),
                    policy: &policy,
                },
                true,
            );
        }
        before
    }

    #[test]
    fn tags_that_change_are_counted_until_one_stays() {
        let tagged = |second, tag| (second, tag);
        let (a, b, c) = ([("etag", "\"a\"")], [("etag", "\"b\"")], [("etag", "\"c\"")]);
        let told = after(&[tagged(1, &a[..]), tagged(2, &b), tagged(3, &c)]);
        assert_eq!((told.count, told.changed), (3, 2));
        assert_eq!(after(&[(1, &a), (2, &b), (3, &b)]).changed, 0);
        // A page may well be another one after a while.
        assert_eq!(after(&[(1, &a), (20, &b), (40, &c)]).changed, 0);
        assert_eq!(after(&[(1, &a), (400, &a)]).count, 1);
    }

    #[test]
    fn the_tags_of_two_variants_are_not_compared() {
        let coded =
            |coding, tag| [("vary", "accept-encoding"), ("accept-encoding", coding), ("etag", tag)];
        let (gzip, br) = (coded("gzip", "\"a\""), coded("br", "\"b\""));
        assert_eq!(after(&[(1, &gzip), (2, &br), (3, &gzip), (4, &br)]).changed, 0);
    }

    #[test]
    fn what_leads_to_another_place_is_counted_anew() {
        let (a, b) = ([("location", "/a")], [("location", "/b")]);
        assert_eq!(after(&[(1, &a), (2, &a), (3, &a)]).led, 3);
        assert_eq!(after(&[(1, &a), (2, &a), (3, &b)]).led, 1);
        assert_eq!(after(&[(1, &a), (2, &[])]).led, 0);
    }

    #[test]
    fn dates_of_now_are_counted_while_they_grow() {
        let at = |second| {
            let date = SystemTime::UNIX_EPOCH + Duration::from_secs(NOON + second);
            httpdate::fmt_http_date(date)
        };
        let dates = [at(1), at(4), at(7)];
        let [first, second, third] = dates.each_ref().map(|date| [("last-modified", &**date)]);
        assert_eq!(after(&[(1, &first), (4, &second), (7, &third)]).dated, 3);
        assert_eq!(after(&[(1, &first), (4, &first)]).dated, 0);
        assert_eq!(after(&[(1, &first), (4, &second), (7, &second)]).dated, 0);
    }
}
