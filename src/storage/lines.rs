//! Fields as they go over the wire, in one piece of memory: a map of them takes
//! several times as much.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

/// Field lines, each with its end. The lines of one name follow each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines(Box<[u8]>);

const END: &[u8] = b"\r\n";
const AFTER_NAME: &[u8] = b": ";

impl Lines {
    /// The lines of these fields.
    pub fn of(fields: &HeaderMap) -> Lines {
        let length = |(name, value): (&HeaderName, &HeaderValue)| {
            name.as_str().len() + value.len() + AFTER_NAME.len() + END.len()
        };
        let mut lines = Vec::with_capacity(fields.iter().map(length).sum());
        for (name, value) in fields {
            for piece in [name.as_str().as_bytes(), AFTER_NAME, value.as_bytes(), END] {
                lines.extend_from_slice(piece);
            }
        }
        Lines(lines.into())
    }

    /// The bytes of all lines.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The lines, each with its end, and the name that each begins with.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        named(&self.0)
    }

    /// The value of the first line of a name.
    pub fn get(&self, name: &HeaderName) -> Option<&[u8]> {
        let name = name.as_str().as_bytes();
        lines(&self.0).find_map(|line| value(line, name))
    }

    /// The values of all lines of a name.
    pub fn values<'a, 'b>(
        &'a self,
        name: &'b HeaderName,
    ) -> impl Iterator<Item = &'a [u8]> + use<'a, 'b> {
        let name = name.as_str().as_bytes();
        lines(&self.0).filter_map(move |line| value(line, name))
    }

    /// All fields.
    pub fn fields(&self) -> HeaderMap {
        self.some(|_| true)
    }

    /// The fields with some of the names. Their values share a copy of all lines.
    pub fn some(&self, is_wanted: impl Fn(&[u8]) -> bool) -> HeaderMap {
        let mut fields = HeaderMap::new();
        let all = Bytes::copy_from_slice(&self.0);
        for (name, line) in named(&all).filter(|(name, _)| is_wanted(name)) {
            let value = &line[name.len() + AFTER_NAME.len()..line.len() - END.len()];
            let value = HeaderValue::from_maybe_shared(all.slice_ref(value));
            if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), value) {
                fields.append(name, value);
            }
        }
        fields
    }
}

/// The value of a line, if it has this name.
fn value<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    line.strip_prefix(name)?.strip_prefix(AFTER_NAME)?.strip_suffix(END)
}

fn lines(mut rest: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        // Neither a name nor a value has an end of a line inside.
        let (line, others) = rest.split_at(memchr::memchr(b'\n', rest)? + 1);
        rest = others;
        Some(line)
    })
}

fn named(all: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    lines(all).filter_map(|line| Some((&line[..memchr::memchr(b':', line)?], line)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::{CONTENT_TYPE, ETAG, VARY};
    use proptest::prelude::*;

    #[test]
    fn lines_are_as_they_go_over_the_wire() {
        let mut fields = HeaderMap::new();
        fields.append(ETAG, HeaderValue::from_static("\"a:b\""));
        fields.append(VARY, HeaderValue::from_static("a"));
        fields.append(VARY, HeaderValue::from_static(""));
        let lines = Lines::of(&fields);
        assert_eq!(lines.as_bytes(), b"etag: \"a:b\"\r\nvary: a\r\nvary: \r\n");
        assert_eq!(lines.get(&ETAG), Some(&b"\"a:b\""[..]));
        assert_eq!(lines.get(&VARY), Some(&b"a"[..]));
        assert_eq!(lines.get(&CONTENT_TYPE), None);
        assert_eq!(lines.some(|name| name == b"vary").get_all(VARY).iter().count(), 2);
        assert!(Lines::of(&HeaderMap::new()).fields().is_empty());
    }

    proptest! {
        #[test]
        fn no_field_and_no_order_is_lost(
            all in prop::collection::vec(("[a-d]{1,3}", "[ -~\t\u{80}-\u{ff}]{0,9}"), 0..12)
        ) {
            let mut fields = HeaderMap::new();
            for (name, value) in &all {
                let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
                fields.append(name, HeaderValue::from_bytes(value.as_bytes()).expect("a value"));
            }
            let again = Lines::of(&fields).fields();
            prop_assert!(again.iter().eq(fields.iter()));
        }
    }
}
