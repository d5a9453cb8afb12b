//! The short way: a plain request for what is stored and fresh is answered from the
//! bytes of its head, before hyper sees it.
//!
//! Only what leaves no doubt is answered here, by the same decisions as on the whole
//! way, and with the same bytes; whatever else there is about a request or a stored
//! response is settled there. `docs/adr/0032-hits-at-a-glance.md` says why there are two.

use super::record::{Line, Pending};
use super::selecting::Selecting;
use super::{Proxy, Shared, purging};
use crate::message::{Peer, Plain};
use crate::semantics::cache_status::{CacheStatus, NAME, Outcome};
use crate::semantics::conditional::{self, Precondition};
use crate::semantics::cookies;
use crate::semantics::reason::Reason;
use crate::semantics::request_directives::RequestDirectives;
use crate::semantics::reuse::{self, Reuse};
use crate::semantics::time::Moment;
use crate::semantics::vary::NominatedFields;
use crate::storage::{Content, Pieces, Slot, StoredResponse};
use bytes::{Buf, Bytes};
use http::{HeaderMap, StatusCode, header};
use std::io::{IoSlice, Write};
use std::sync::Arc;

/// An answer, head and body, as it goes over the wire. Whoever has taken all of it, or
/// drops it before, has the line for the log written.
pub struct Glanced {
    head: Bytes,
    body: Option<Pieces>,
    /// The piece of the body that is next, and how much of it has been taken.
    next: (usize, usize),
    sent: u64,
    proxy: Arc<Proxy>,
    line: Option<Pending>,
}

impl Proxy {
    /// Answers a whole head, as [`HeadReader`](crate::message::HeadReader) lets it
    /// through, of a request without a body; `None` if the request has to go the whole
    /// way. Counts only what it answers.
    pub fn glance(self: &Arc<Self>, head: &[u8], peer: &Peer) -> Option<Glanced> {
        let Shared { clock, metrics, .. } = &self.shared;
        let began = metrics.times_next_hit().then(|| clock.precise());
        let options = &self.shared.options;
        let plain = Plain::read(head, peer, &options.presented)?;
        let demands = plain.demands && options.refresh.permits(peer.ip(), false, None);
        if demands || options.status_key || purging::is_path_of_one(plain.sought.path_and_query()) {
            return None;
        }
        if options.bypass_paths.any_reading(plain.sought.path()).is_some() {
            return None;
        }
        // Those that are known for it are none of a plain request's.
        if options.policy.identity_fields.iter().any(|name| plain.field(name).is_some()) {
            return None;
        }
        let slot = self.shared.memory.get(&plain.sought)?;
        let fields = deciding_fields(&plain, &slot)?;
        if cookies::bears_any(&fields, &options.bypass_cookies) {
            return None;
        }
        let now = clock.now();
        let stored = self.plainly_selected(&slot, &fields, now)?;
        let content = stored.content();
        let personal = options.policy.cookies.identify(&fields);
        let demands = RequestDirectives::default();
        let detail = match reuse::decide(&content.freshness, None, personal, &demands, now) {
            Reuse::Fresh => None,
            Reuse::Validate if self.plainly_stands_in(stored, personal, now) => {
                Some(Reason::StaleWhenDown)
            }
            _ => return None,
        };
        stored.count_hit(now);
        self.shared.memory.asked_for(plain.sought.hash(), stored);
        let mut status = CacheStatus::new(Outcome::Hit);
        status.detail = detail;
        status.ttl = Some(stored.ttl(now));
        metrics.count(&status);
        metrics.short_way.count();
        let is_sent = !plain.is_conditional || !has_it(&fields, content);
        let code = if is_sent { content.status } else { StatusCode::NOT_MODIFIED };
        let age = content.freshness.age(now).get();
        let head = written(content, code, age, &status);
        if let Some(began) = began {
            metrics.hits_took.add(clock.precise().saturating_sub(began), now);
        }
        Some(Glanced {
            head,
            body: is_sent.then(|| content.chunks.clone()),
            next: (0, 0),
            sent: 0,
            proxy: Arc::clone(self),
            line: Line::of_plain(&plain, peer, began, &self.shared).map(|line| Pending {
                line,
                code,
                status,
                age: Some(age),
            }),
        })
    }

    /// The stored response that a plain request selects, if nothing about any before
    /// it is in doubt.
    fn plainly_selected<'a>(
        &self,
        slot: &'a Slot,
        fields: &HeaderMap,
        now: Moment,
    ) -> Option<&'a StoredResponse> {
        let mut selecting = Selecting::of(fields, &self.shared.options.policy);
        for stored in slot.variants() {
            let content = stored.content();
            let is_plain = content.rare.variance.is_none()
                && content.rare.part.is_none()
                && content.rare.form.is_none()
                && content.freshness.kept_until() > now
                && is_whole(content.status)
                && is_shown(&content.rare.nominated)
                && self.shared.purger.plainly_stands(stored);
            if !is_plain {
                return None;
            }
            if content.rare.query.is_none() && selecting.selects(content) {
                return Some(stored);
            }
        }
        None
    }
}

/// The fields of a request by which it may be decided what it is given of a slot.
fn deciding_fields(plain: &Plain<'_>, slot: &Slot) -> Option<HeaderMap> {
    let nominated = || slot.variants().iter().map(|stored| &stored.content().rare.nominated);
    let is_any = nominated().any(|nominated| !nominated.is_empty());
    if !(is_any || plain.bears_cookies || plain.is_conditional) {
        return Some(HeaderMap::new());
    }
    plain.fields(|name| nominated().any(|nominated| nominated.names(name)))
}

/// Whether the response has a body of its length, if it isn't a 304 in the end.
fn is_whole(status: StatusCode) -> bool {
    matches!(status.as_u16(), 200 | 301 | 302 | 307 | 308 | 404 | 410)
}

/// Whether all that a response nominates can be read at a glance.
fn is_shown(nominated: &NominatedFields) -> bool {
    match nominated {
        NominatedFields::Any => false,
        NominatedFields::Named(names) => names.iter().all(Plain::shows),
    }
}

/// Whether a client has what is stored already.
fn has_it(conditions: &HeaderMap, content: &Content) -> bool {
    let (value, received_at) = (|name: &_| content.lines.get(name), content.received_at.time());
    conditional::evaluate(conditions, content.status, value, received_at)
        == Precondition::NotModified
}

/// The head of an answer, with what the whole way adds to a stored one.
fn written(content: &Content, code: StatusCode, age: u32, status: &CacheStatus) -> Bytes {
    let mut head = Vec::with_capacity(512);
    let reason = code.canonical_reason().unwrap_or_default();
    for piece in ["HTTP/1.1 ", code.as_str(), " ", reason, "\r\n"] {
        head.extend_from_slice(piece.as_bytes());
    }
    if code == content.status {
        head.extend_from_slice(content.lines.as_bytes());
    } else {
        let has_etag = content.lines.get(&header::ETAG).is_some();
        for (name, line) in content.lines.iter() {
            if !conditional::is_left_out_of_304(name, has_etag) {
                head.extend_from_slice(line);
            }
        }
    }
    // Writing to memory can't fail.
    let _ = write!(head, "age: {age}\r\ncache-status: {status}\r\nvia: 1.1 {NAME}\r\n\r\n");
    head.into()
}

impl Buf for Glanced {
    fn remaining(&self) -> usize {
        let (next, taken) = self.next;
        let body = self.body.iter().flat_map(|body| &body[next..]);
        self.head.len() + body.map(Bytes::len).sum::<usize>() - taken
    }

    fn chunk(&self) -> &[u8] {
        if !self.head.is_empty() {
            return &self.head;
        }
        let (next, taken) = self.next;
        self.body.as_ref().and_then(|body| body.get(next)).map_or(&[], |piece| &piece[taken..])
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let (next, taken) = self.next;
        let body = self.body.iter().flat_map(|body| &body[next..]);
        let body = body.enumerate().map(|(at, piece)| &piece[if at == 0 { taken } else { 0 }..]);
        let pieces = std::iter::once(&self.head[..]).chain(body).filter(|piece| !piece.is_empty());
        let mut count = 0;
        for (slice, piece) in slices.iter_mut().zip(pieces) {
            *slice = IoSlice::new(piece);
            count += 1;
        }
        count
    }

    fn advance(&mut self, count: usize) {
        let of_head = count.min(self.head.len());
        self.head.advance(of_head);
        let mut count = count - of_head;
        self.sent += count as u64;
        let body = self.body.as_deref().unwrap_or_default();
        while let Some(piece) = body.get(self.next.0) {
            let left = piece.len() - self.next.1;
            if count < left {
                self.next.1 += count;
                return;
            }
            count -= left;
            self.next = (self.next.0 + 1, 0);
        }
    }
}

impl Drop for Glanced {
    fn drop(&mut self) {
        let shared = &self.proxy.shared;
        shared.metrics.bytes_sent.add(self.sent);
        if let Some(line) = self.line.take() {
            // A client that left has broken off, and not the body.
            line.write(shared, self.sent, false);
        }
    }
}
