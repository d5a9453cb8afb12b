//! `Idempotency-Key`: who doesn't know whether a purge was done may send it again.
//!
//! Follows draft-ietf-httpapi-idempotency-key-header: the same key and document
//! are given the same answer, another document is refused, and so is a second
//! request while the first is under way. A key is its sender's own.

use super::problem::{Kind, Problem};
use crate::semantics::time::Moment;
use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// The field that bears the key.
const FIELD: HeaderName = HeaderName::from_static("idempotency-key");
/// The longest key, in bytes.
const LONGEST: usize = 255;
/// How long an answer is remembered.
const REMEMBERED: Duration = Duration::from_secs(24 * 60 * 60);
/// The most answers that are remembered, and the most bytes of them.
const MOST: usize = 1000;
const MOST_BYTES: usize = 8 << 20;

/// The key of a request: whose it is, and what they call it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    who: Arc<str>,
    text: Box<str>,
}

impl Key {
    /// Reads the key, if there is one: as a structured string, or as it is.
    ///
    /// # Errors
    /// A [`Problem`] if it is given twice, is empty, too long, or not visible
    /// ASCII.
    pub fn of(fields: &HeaderMap, who: &Arc<str>) -> Result<Option<Key>, Problem> {
        let mut lines = fields.get_all(FIELD).iter();
        let Some(line) = lines.next() else {
            return Ok(None);
        };
        let bare = |text: &str| -> Option<Box<str>> {
            let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
            let text = inner.unwrap_or(text);
            let good = !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
            (good && text.len() <= LONGEST).then(|| text.into())
        };
        match (line.to_str().ok().and_then(bare), lines.next()) {
            (Some(text), None) => Ok(Some(Key { who: Arc::clone(who), text })),
            _ => {
                let rule = format!("Idempotency-Key has to be one, of 1 to {LONGEST} characters");
                Err(Problem::new(Kind::InvalidRequest, rule))
            }
        }
    }
}

/// The keys of the last day.
#[derive(Debug, Default)]
pub(super) struct Keys(Mutex<VecDeque<Entry>>);

#[derive(Debug)]
struct Entry {
    key: Key,
    document: [u8; 32],
    begun: Moment,
    /// None as long as the request is under way.
    answer: Option<Bytes>,
}

/// What there is for a key.
#[derive(Debug)]
pub(super) enum Known {
    /// Nothing: go on, and say how it ended.
    New(Begun),
    /// It was done; this was the answer.
    Done(Bytes),
}

/// A request under way. Dropped without an answer, it was never made.
#[derive(Debug)]
pub(super) struct Begun {
    keys: Arc<Keys>,
    key: Key,
}

impl Keys {
    /// Begins a request with this key and digest of its document.
    ///
    /// # Errors
    /// A [`Problem`] if the key stands for another document, or the request is
    /// under way.
    pub fn begin(
        self: &Arc<Self>,
        key: Key,
        document: [u8; 32],
        now: Moment,
    ) -> Result<Known, Problem> {
        let mut entries = self.0.lock();
        let is_over = |e: &Entry| e.answer.is_some() && now.since(e.begun) >= REMEMBERED;
        entries.retain(|entry| !is_over(entry));
        if let Some(entry) = entries.iter().find(|entry| entry.key == key) {
            return match &entry.answer {
                _ if entry.document != document => {
                    let detail = "this Idempotency-Key was sent with another document";
                    Err(Problem::new(Kind::KeyReused, detail))
                }
                None => Err(Problem::new(Kind::KeyInUse, "the first request is not over yet")),
                Some(answer) => Ok(Known::Done(answer.clone())),
            };
        }
        entries.push_back(Entry { key: key.clone(), document, begun: now, answer: None });
        Ok(Known::New(Begun { keys: Arc::clone(self), key }))
    }
}

impl Begun {
    /// Notes how it ended.
    pub fn done(self, answer: &Bytes) {
        let mut entries = self.keys.0.lock();
        if let Some(entry) = entries.iter_mut().find(|entry| entry.key == self.key) {
            entry.answer = Some(answer.clone());
        }
        let bytes = |e: &Entry| e.answer.as_ref().map_or(0, Bytes::len);
        let mut all: usize = entries.iter().map(bytes).sum();
        while (entries.len() > MOST || all > MOST_BYTES)
            && let Some(at) = entries.iter().position(|entry| entry.answer.is_some())
        {
            all -= entries.remove(at).as_ref().map_or(0, bytes);
        }
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        let is_open = |entry: &Entry| entry.key == self.key && entry.answer.is_none();
        self.keys.0.lock().retain(|entry| !is_open(entry));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn key(text: &str) -> Key {
        Key { who: "x".into(), text: text.into() }
    }

    fn at(seconds: u64) -> Moment {
        Moment::default().plus(Duration::from_secs(seconds))
    }

    fn begin(keys: &Arc<Keys>, text: &str, document: u8, now: Moment) -> Result<Known, Kind> {
        keys.begin(key(text), [document; 32], now).map_err(|problem| problem.kind)
    }

    fn finish(keys: &Arc<Keys>, text: &str, answer: Bytes, now: Moment) {
        match begin(keys, text, 1, now) {
            Ok(Known::New(begun)) => begun.done(&answer),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_key_is_read_in_either_form() {
        let who: Arc<str> = "x".into();
        let read = |lines: &[&'static str]| {
            let mut fields = HeaderMap::new();
            for line in lines {
                fields.append(FIELD, HeaderValue::from_static(line));
            }
            Key::of(&fields, &who)
        };
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&["\"8e03978e-40d5\""]), Ok(Some(key("8e03978e-40d5"))));
        assert_eq!(read(&["8e03978e-40d5"]), Ok(Some(key("8e03978e-40d5"))));
        for bad in [&[""][..], &["\"\""], &["a", "a"], &["a\tb"]] {
            assert_eq!(read(bad).map_err(|problem| problem.kind), Err(Kind::InvalidRequest));
        }
    }

    #[test]
    fn the_same_is_answered_again_and_another_refused() {
        let keys = Arc::new(Keys::default());
        let Ok(Known::New(begun)) = begin(&keys, "a", 1, at(0)) else { panic!("it is new") };
        assert_eq!(begin(&keys, "a", 1, at(1)).err(), Some(Kind::KeyInUse));
        assert_eq!(begin(&keys, "a", 2, at(1)).err(), Some(Kind::KeyReused));
        begun.done(&Bytes::from_static(b"answer"));
        let Ok(Known::Done(answer)) = begin(&keys, "a", 1, at(2)) else { panic!("it is done") };
        assert_eq!(answer, "answer");
        assert_eq!(begin(&keys, "a", 2, at(2)).err(), Some(Kind::KeyReused));
        let other = Key { who: "y".into(), text: "a".into() };
        assert!(matches!(keys.begin(other, [2; 32], at(2)), Ok(Known::New(_))));
        // A day later it is forgotten.
        let day = 24 * 60 * 60;
        assert!(matches!(begin(&keys, "a", 1, at(day - 1)), Ok(Known::Done(_))));
        assert!(matches!(begin(&keys, "a", 2, at(day)), Ok(Known::New(_))));
    }

    #[test]
    fn what_was_not_done_may_be_asked_for_again() {
        let keys = Arc::new(Keys::default());
        let begun = begin(&keys, "a", 1, at(0)).expect("it is new");
        drop(begun);
        assert!(matches!(begin(&keys, "a", 2, at(1)), Ok(Known::New(_))));
    }

    #[test]
    fn the_oldest_answers_go() {
        let keys = Arc::new(Keys::default());
        for number in 0..MOST + 10 {
            finish(&keys, &number.to_string(), Bytes::from_static(b"x"), at(0));
        }
        assert_eq!(keys.0.lock().len(), MOST);
        assert!(matches!(begin(&keys, "10", 1, at(1)), Ok(Known::Done(_))));
        assert!(matches!(begin(&keys, "9", 1, at(1)), Ok(Known::New(_))));
        for number in 0..5 {
            finish(&keys, &format!("large{number}"), Bytes::from(vec![0; MOST_BYTES / 3]), at(2));
        }
        let kept =
            keys.0.lock().iter().filter_map(|e| Some(e.answer.as_ref()?.len())).sum::<usize>();
        assert!(kept <= MOST_BYTES, "{kept}");
        assert!(matches!(begin(&keys, "large4", 1, at(3)), Ok(Known::Done(_))));
    }
}
