//! Interim responses (1xx, RFC 9110 section 15.2) on their way from a fetch to
//! the connection of the client that caused it.
//!
//! hyper's server cannot send them. So they wait here until the stream below
//! hyper takes them; `docs/adr/0008-interim-responses-beside-hyper.md` says why
//! they come between answers and never into one.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version};
use parking_lot::Mutex;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

/// The most interim responses that one request is told.
pub const MOST: usize = 16;

/// The most bytes of the interim responses that one request is told.
pub const MOST_BYTES: usize = 64 * 1024;

/// What a connection is to write ahead of its answers.
#[derive(Clone, Debug, Default)]
pub struct Outlet(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// Whose turn it is; another one's interim responses come too late.
    turn: AtomicU64,
    /// Something waits. Spares the lock to all those who are told nothing.
    waits: AtomicBool,
    told: Mutex<Told>,
}

/// What a request has been told.
#[derive(Debug, Default)]
struct Told {
    turn: u64,
    count: usize,
    bytes: usize,
    /// What the stream has not taken yet.
    waiting: Vec<u8>,
    /// Wakes the task that writes.
    connection: Option<Waker>,
}

/// The turn of one request on its connection: from its head until its answer's
/// head begins, or until nobody answers it any more.
#[derive(Debug)]
pub struct Turn {
    shared: Arc<Shared>,
    number: u64,
}

/// Whom a fetch tells of interim responses; by default nobody.
#[derive(Clone, Debug, Default)]
pub struct Interims {
    to: Option<(Arc<Shared>, u64)>,
    /// Fields that they are not told.
    left_out: Arc<[HeaderName]>,
    /// They are not told of those that bear a nonce.
    without_nonces: bool,
}

impl Outlet {
    /// A request has come whose answer is the next on this connection.
    pub fn begin(&self) -> Turn {
        Turn { shared: Arc::clone(&self.0), number: self.0.turn.load(Ordering::Acquire) }
    }

    /// Takes whole heads that have to be written before anything else. To be
    /// asked only when nothing of an answer is left to be written.
    pub fn take(&self) -> Option<Vec<u8>> {
        if !self.0.waits.load(Ordering::Acquire) {
            return None;
        }
        let mut told = self.0.told.lock();
        self.0.waits.store(false, Ordering::Release);
        let waiting = std::mem::take(&mut told.waiting);
        let in_time = told.turn == self.0.turn.load(Ordering::Acquire);
        let connection = told.connection.take();
        drop(told);
        if let Some(connection) = connection {
            // An answer may be waiting for its turn to end.
            connection.wake();
        }
        in_time.then_some(waiting)
    }
}

impl Turn {
    /// What the fetch for this request is given. A client of HTTP/1.0 must not be
    /// sent interim responses (RFC 9110 section 15.2).
    pub fn interims(&self, version: Version) -> Interims {
        let understood = version >= Version::HTTP_11;
        let to = understood.then(|| (Arc::clone(&self.shared), self.number));
        Interims { to, ..Interims::default() }
    }

    /// Waits for the answer, and until the stream has taken what came before it.
    pub async fn until<F: Future>(self, mut answering: Pin<&mut F>) -> F::Output {
        let answer = poll_fn(|cx| {
            let polled = answering.as_mut().poll(cx);
            if polled.is_pending() {
                self.shared.remember_task(cx);
            }
            polled
        })
        .await;
        poll_fn(|cx| {
            if !self.shared.waits.load(Ordering::Acquire) {
                return Poll::Ready(());
            }
            self.shared.remember_task(cx);
            Poll::Pending
        })
        .await;
        answer
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.shared.turn.store(self.number + 1, Ordering::Release);
    }
}

impl Shared {
    fn remember_task(&self, cx: &Context<'_>) {
        let connection = &mut self.told.lock().connection;
        if !connection.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            *connection = Some(cx.waker().clone());
        }
    }
}

impl Interims {
    /// The same, told nothing of these fields; and, if need be, nothing at all that bears a
    /// nonce: who is given one by larder is given it with the answer.
    pub fn without(self, left_out: &Arc<[HeaderName]>, nonces: bool) -> Interims {
        Interims { left_out: Arc::clone(left_out), without_nonces: nonces, ..self }
    }

    /// Whether nobody is told.
    pub fn is_nobody(&self) -> bool {
        self.to.is_none()
    }

    /// Tells of an interim response, unless the answer has begun, the client has
    /// gone, or it has been told [`MOST`] or [`MOST_BYTES`] already.
    pub fn tell(&self, status: StatusCode, fields: &HeaderMap) {
        let Some((shared, turn)) = &self.to else { return };
        if self.without_nonces && fields.values().any(|value| bears_nonce(value.as_bytes())) {
            return;
        }
        let told = fields.iter().filter(|(name, _)| !self.left_out.contains(name));
        let head = head(status, told);
        let mut told = shared.told.lock();
        if shared.turn.load(Ordering::Acquire) != *turn {
            return;
        }
        if told.turn != *turn {
            let connection = told.connection.take();
            *told = Told { turn: *turn, connection, ..Told::default() };
        }
        if told.count == MOST || told.bytes + head.len() > MOST_BYTES {
            return;
        }
        told.count += 1;
        told.bytes += head.len();
        told.waiting.extend(head);
        shared.waits.store(true, Ordering::Release);
        let connection = told.connection.take();
        drop(told);
        if let Some(connection) = connection {
            connection.wake();
        }
    }
}

/// Whether a value says a nonce: that of a policy, or of a link.
fn bears_nonce(value: &[u8]) -> bool {
    value.windows(b"nonce".len()).any(|window| window.eq_ignore_ascii_case(b"nonce"))
}

/// A head as it is written.
fn head<'a>(
    status: StatusCode,
    fields: impl Iterator<Item = (&'a HeaderName, &'a HeaderValue)>,
) -> Vec<u8> {
    let reason = status.canonical_reason().unwrap_or_default();
    let mut head = format!("HTTP/1.1 {} {reason}\r\n", status.as_str()).into_bytes();
    for (name, value) in fields {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            head.extend_from_slice(part);
        }
    }
    head.extend_from_slice(b"\r\n");
    head
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;

    fn hints(interims: &Interims, value: &'static str) {
        let mut fields = HeaderMap::new();
        fields.insert("link", HeaderValue::from_static(value));
        interims.tell(StatusCode::EARLY_HINTS, &fields);
    }

    fn taken(outlet: &Outlet) -> String {
        String::from_utf8(outlet.take().unwrap_or_default()).expect("text")
    }

    #[test]
    fn heads_are_written_as_they_were_told_and_once() {
        let outlet = Outlet::default();
        let turn = outlet.begin();
        let interims = turn.interims(Version::HTTP_11);
        interims.tell(StatusCode::PROCESSING, &HeaderMap::new());
        hints(&interims, "a");
        interims.tell(StatusCode::from_u16(199).expect("a status"), &HeaderMap::new());
        let heads = "HTTP/1.1 102 Processing\r\n\r\n\
            HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\nHTTP/1.1 199 \r\n\r\n";
        assert_eq!(taken(&outlet), heads);
        assert_eq!(outlet.take(), None);
    }

    #[test]
    fn who_comes_after_the_turn_is_not_heard() {
        let outlet = Outlet::default();
        let first = outlet.begin();
        let late = first.interims(Version::HTTP_11);
        hints(&late, "left behind");
        drop(first);
        let second = outlet.begin();
        assert_eq!(outlet.take(), None, "nobody took it in time");
        hints(&late, "too late");
        let interims = second.interims(Version::HTTP_11);
        hints(&interims, "b");
        hints(&late, "later still");
        assert_eq!(taken(&outlet), "HTTP/1.1 103 Early Hints\r\nlink: b\r\n\r\n");
    }

    #[test]
    fn http_1_0_and_nobody_are_told_nothing() {
        let outlet = Outlet::default();
        let turn = outlet.begin();
        for interims in [turn.interims(Version::HTTP_10), Interims::default()] {
            assert!(interims.is_nobody());
            hints(&interims, "a");
        }
        assert_eq!(outlet.take(), None);
    }

    #[test]
    fn a_request_is_told_so_many_and_no_more_and_the_next_one_again() {
        let outlet = Outlet::default();
        let long = "x".repeat(MOST_BYTES / 3);
        let mut fields = HeaderMap::new();
        fields.insert("link", HeaderValue::from_str(&long).expect("a value"));
        for _ in 0..2 {
            let turn = outlet.begin();
            let interims = turn.interims(Version::HTTP_11);
            for _ in 0..MOST + 1 {
                hints(&interims, "a");
            }
            assert_eq!(taken(&outlet).matches("103").count(), MOST);
            hints(&interims, "a");
            assert_eq!(outlet.take(), None, "what was taken counts still");
            drop(turn);
            let turn = outlet.begin();
            for _ in 0..3 {
                turn.interims(Version::HTTP_11).tell(StatusCode::EARLY_HINTS, &fields);
            }
            assert_eq!(taken(&outlet).matches("103").count(), 2);
        }
    }

    #[tokio::test]
    async fn an_answer_waits_for_what_was_told_before_it() {
        let outlet = Outlet::default();
        let turn = outlet.begin();
        let interims = turn.interims(Version::HTTP_11);
        let answering = pin!(async {
            hints(&interims, "a");
            "answer"
        });
        let mut until = pin!(turn.until(answering));
        let early = poll_fn(|cx| Poll::Ready(until.as_mut().poll(cx))).await;
        assert!(early.is_pending());
        assert!(outlet.take().is_some());
        assert_eq!(until.await, "answer");
        hints(&interims, "too late");
        assert_eq!(outlet.take(), None);
    }
}
