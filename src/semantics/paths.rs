//! Paths that an operator names, and which requests are for them or for what is below.
//!
//! A path is read differently by the servers on its way: one decodes `%61`, the next takes
//! out `..`, a third leaves both. Where a rule keeps something from being shared, whatever
//! anybody may read as such a path is one ([`Paths::any_reading`]); where it only spares
//! work, only what all read alike is ([`Paths::plainly`]).

use super::pretence::is_ambiguous;

/// The longest path that is looked at closely, in bytes, if it can be read in several ways.
const LONGEST: usize = 2048;

/// The most readings of a path that are looked at. One that is longer, or has more, is taken
/// for any.
const MOST_READINGS: usize = 48;

/// The most bytes that they may have together, for each is read in every way again: no path is
/// to cost many times what it costs its sender.
const MOST_BYTES: usize = 4 << 10;

/// What ends a segment for one server or another: a parameter, a query, a fragment, the end
/// of a text.
const ENDS: [u8; 4] = *b";?#\0";

/// What makes another reading of one.
type Step = fn(&[u8]) -> Vec<u8>;

/// What servers do to a path, each of them some of it, in one order or another, and more than
/// once where there are several.
const STEPS: [Step; 6] = [
    decoded,
    with_unreserved_decoded,
    with_slashes,
    cut_off,
    with_slashes_merged,
    with_dots_resolved,
];

/// Paths, each with all that is below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paths(Vec<Entry>);

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    /// As the operator writes it.
    text: Box<str>,
    /// Decoded, in lower case, without empty ones. `*` stands for any bytes of a segment.
    segments: Vec<Vec<u8>>,
}

impl Paths {
    /// These paths; `*` stands for anything within a segment. A `/` at the end makes no
    /// difference, nor does case in ASCII.
    ///
    /// ```
    /// use larder::semantics::paths::Paths;
    ///
    /// let paths = Paths::new(["/admin/", "/*/drafts"]);
    /// for path in ["/admin", "/Admin/users/", "/blog/drafts/7", "//admin/", "/x/../%61dmin/"] {
    ///     assert!(paths.any_reading(path).is_some(), "{path}");
    /// }
    /// for path in ["/", "/administration", "/blog/admin", "/blog/x/drafts"] {
    ///     assert_eq!(paths.any_reading(path), None, "{path}");
    /// }
    /// ```
    pub fn new<'a>(paths: impl IntoIterator<Item = &'a str>) -> Paths {
        let entry = |text: &str| {
            let decoded = decoded(text.as_bytes());
            let named = segments(&decoded).filter(|segment| !segment.is_empty());
            let segments = named.map(<[u8]>::to_ascii_lowercase).collect();
            Entry { text: text.into(), segments }
        };
        Paths(paths.into_iter().map(entry).collect())
    }

    /// Whether none is named.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first of them that a request's path may be taken for, or for something below, by
    /// any server: whatever is encoded, doubled, cut off or taken out of it, how often, and in
    /// which order.
    pub fn any_reading(&self, path: &str) -> Option<&str> {
        let first = self.0.first()?;
        if let Some(found) = self.covering(path.as_bytes()) {
            return Some(found);
        }
        if is_plain(path) {
            return None;
        }
        if path.len() > LONGEST {
            return Some(&first.text);
        }
        let mut readings = vec![path.as_bytes().to_vec()];
        let (mut next, mut bytes) = (0, path.len());
        while let Some(reading) = readings.get(next).cloned() {
            next += 1;
            for step in STEPS {
                let other = step(&reading);
                if readings.contains(&other) {
                    continue;
                }
                if let Some(found) = self.covering(&other) {
                    return Some(found);
                }
                bytes += other.len();
                if readings.len() == MOST_READINGS || bytes > MOST_BYTES {
                    return Some(&first.text);
                }
                readings.push(other);
            }
        }
        None
    }

    /// Whether a request's path is one of them, or below one, to every server.
    pub fn plainly(&self, path: &str) -> bool {
        !self.is_empty()
            && self.covering(path.as_bytes()).is_some()
            && !path.contains("//")
            && !is_ambiguous(&path.to_ascii_lowercase())
    }

    /// The first that covers a path as it stands.
    fn covering(&self, path: &[u8]) -> Option<&str> {
        let covers = |entry: &&Entry| {
            let mut there = segments(path);
            entry.segments.iter().all(|wanted| there.next().is_some_and(|own| fits(wanted, own)))
        };
        self.0.iter().find(covers).map(|entry| &*entry.text)
    }
}

/// Whether every server reads a path in the same way.
fn is_plain(path: &str) -> bool {
    let odd = |byte: u8| byte == b'%' || byte == b'\\' || ENDS.contains(&byte);
    !path.bytes().any(odd) && !path.contains("//") && !path.contains("/.")
}

/// The segments after the first slash.
fn segments(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.strip_prefix(b"/").unwrap_or(path).split(|byte| *byte == b'/')
}

/// A path of these segments.
fn joined(segments: &[&[u8]]) -> Vec<u8> {
    [b"/", &*segments.join(&b'/')].concat()
}

/// With each backslash as a slash.
fn with_slashes(path: &[u8]) -> Vec<u8> {
    path.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect()
}

/// With each segment as far as the end that a server may see.
fn cut_off(path: &[u8]) -> Vec<u8> {
    let end = |segment: &[u8]| segment.iter().position(|byte| ENDS.contains(byte));
    let cut = segments(path).map(|segment| &segment[..end(segment).unwrap_or(segment.len())]);
    joined(&cut.collect::<Vec<_>>())
}

/// Without segments that are empty, or `.`; a slash at the end may go too.
fn with_slashes_merged(path: &[u8]) -> Vec<u8> {
    let counts = |segment: &&[u8]| !matches!(*segment, b"" | b".");
    joined(&segments(path).filter(counts).collect::<Vec<_>>())
}

/// With each `..` taken out, and the segment before it, though that be empty.
fn with_dots_resolved(path: &[u8]) -> Vec<u8> {
    let mut left: Vec<&[u8]> = Vec::new();
    for segment in segments(path) {
        match segment {
            b".." => drop(left.pop()),
            b"." => {}
            segment => left.push(segment),
        }
    }
    joined(&left)
}

/// What percent-encoded bytes stand for, once. What is not one stands for itself.
fn decoded(path: &[u8]) -> Vec<u8> {
    decoded_where(path, |_| true)
}

/// The same of bytes that need not be encoded (RFC 3986 section 2.3), dots among them.
fn with_unreserved_decoded(path: &[u8]) -> Vec<u8> {
    decoded_where(path, |byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

fn decoded_where(path: &[u8], is_wanted: impl Fn(u8) -> bool) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some(percent) = memchr::memchr(b'%', rest) {
        let (plain, encoded) = rest.split_at(percent);
        decoded.extend_from_slice(plain);
        let byte = percent_decoded(encoded).filter(|byte| is_wanted(*byte));
        decoded.push(byte.unwrap_or(b'%'));
        rest = &encoded[if byte.is_some() { 3 } else { 1 }..];
    }
    decoded.extend_from_slice(rest);
    decoded
}

/// The byte with which a text begins, if that is percent-encoded (RFC 3986 section 2.1).
pub(super) fn percent_decoded(text: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = text else { return None };
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    Some((digit(high)? << 4 | digit(low)?) as u8)
}

/// Whether a segment is what is wanted, where `*` is any bytes; what is wanted is in lower
/// case.
fn fits(wanted: &[u8], segment: &[u8]) -> bool {
    let (mut at, mut own) = (0, 0);
    // Where the last `*` stood, and where what it stands for ends so far.
    let mut star: Option<(usize, usize)> = None;
    while own < segment.len() {
        match wanted.get(at) {
            Some(b'*') => {
                star = Some((at, own));
                at += 1;
            }
            Some(byte) if *byte == segment[own].to_ascii_lowercase() => {
                (at, own) = (at + 1, own + 1)
            }
            _ => {
                let Some((stood, end)) = star else { return false };
                star = Some((stood, end + 1));
                (at, own) = (stood + 1, end + 1);
            }
        }
    }
    wanted[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
#[path = "paths_tests.rs"]
mod tests;
