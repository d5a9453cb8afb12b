//! The last answers of the origin, by URL.

use super::Seen;
use super::costs::cut;
use crate::semantics::reason::{Kind, Reason};
use crate::semantics::time::Moment;
use http::{HeaderMap, HeaderName, StatusCode, header};
use std::collections::{HashMap, VecDeque};

/// The most URLs that are remembered; the oldest go.
pub(super) const MOST: usize = 1024;

/// The longest head that is remembered, in bytes.
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

/// What of an answer is compared with the next one for the same URL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Before {
    /// How many answers there were.
    pub count: u32,
    /// How often the entity tag was another one than before, while type and length were
    /// the same.
    pub changed: u32,
    etag: Option<Box<[u8]>>,
    length: Option<Box<[u8]>>,
}

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
    pub fn note(&mut self, seen: &Seen<'_>) {
        let url = cut(seen.url);
        if !self.entries.contains_key(url) {
            if self.order.len() >= MOST
                && let Some(oldest) = self.order.pop_front()
            {
                self.entries.remove(&oldest);
            }
            self.order.push_back(url.into());
            self.entries.insert(url.into(), Entry::default());
        }
        let Some(entry) = self.entries.get_mut(url) else { return };
        entry.before.note(seen);
        match seen.cache.detail.filter(|reason| reason.kind() == Kind::NotStored) {
            Some(reason) => entry.note(seen, reason),
            None if seen.cache.stored => entry.last = None,
            None => {}
        }
    }

    pub fn last(&self, url: &str) -> Option<Last> {
        self.entries.get(cut(url))?.last.clone()
    }

    pub fn before(&self, url: &str) -> Before {
        self.entries.get(cut(url)).map(|entry| entry.before.clone()).unwrap_or_default()
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
        let length: usize = seen.fields.iter().map(|(name, v)| name.as_str().len() + v.len()).sum();
        if is_new && length <= LONGEST {
            let mut fields = seen.fields.clone();
            hide_cookies(&mut fields);
            self.last = Some(Last { reason, status: seen.status, fields, at: seen.at });
        }
    }
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
    fn note(&mut self, seen: &Seen<'_>) {
        let of = |name: HeaderName| seen.fields.get(name).map(|v| Box::from(v.as_bytes()));
        let (etag, length) = (of(header::ETAG), of(header::CONTENT_LENGTH));
        if self.etag.is_some() && etag.is_some() && self.etag != etag && self.length == length {
            self.changed = self.changed.saturating_add(1);
        }
        self.count = self.count.saturating_add(1);
        (self.etag, self.length) = (etag, length);
    }
}
