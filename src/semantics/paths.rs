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

/// What ends a segment for one server or another: a parameter, a query, a fragment, the end
/// of a text.
const ENDS: [u8; 4] = *b";?#\0";

/// What makes another reading of one.
type Step = fn(&[u8]) -> Vec<u8>;

/// What servers do to a path, each of them some of it, in one order or another, and more than
/// once where there are several.
const STEPS: [Step; 5] = [decoded, with_slashes, cut_off, with_slashes_merged, with_dots_resolved];

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
        let mut next = 0;
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
                if readings.len() == MOST_READINGS {
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
    let digit = |at: usize| char::from(*path.get(at)?).to_digit(16);
    let mut decoded = Vec::with_capacity(path.len());
    let mut at = 0;
    while let Some(byte) = path.get(at) {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push((high << 4 | low) as u8);
                at += 3;
            }
            _ => {
                decoded.push(*byte);
                at += 1;
            }
        }
    }
    decoded
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn whatever_may_be_read_as_one_is_one() {
        let paths = Paths::new(["/admin/", "/accounts/login", "/*/draft-*"]);
        for (path, expected) in [
            ("/admin", Some("/admin/")),
            ("/admin/", Some("/admin/")),
            ("/ADMIN/x", Some("/admin/")),
            ("/accounts/login/", Some("/accounts/login")),
            ("/blog/draft-", Some("/*/draft-*")),
            ("/blog/draft-7/edit", Some("/*/draft-*")),
            ("//admin/", Some("/admin/")),
            ("/admin//x", Some("/admin/")),
            ("///admin", Some("/admin/")),
            ("/./admin/", Some("/admin/")),
            ("/x/../admin/", Some("/admin/")),
            ("/x/y/../../admin/", Some("/admin/")),
            ("/../admin", Some("/admin/")),
            ("/admin/../public", Some("/admin/")),
            ("/accounts/x/../login", Some("/accounts/login")),
            ("/%61dmin/", Some("/admin/")),
            ("/%2561dmin/", Some("/admin/")),
            ("/%252561dmin/", Some("/admin/")),
            ("/x%2f..%2fadmin", Some("/admin/")),
            ("/x/%2e%2e/admin", Some("/admin/")),
            ("/x/%2E./admin", Some("/admin/")),
            ("/%2fadmin", Some("/admin/")),
            ("/admin%2fx", Some("/admin/")),
            ("/x/..;/admin/", Some("/admin/")),
            ("/admin;a=b/", Some("/admin/")),
            ("/admin;/../x", Some("/admin/")),
            ("/admin%00x", Some("/admin/")),
            ("/admin%3fx", Some("/admin/")),
            ("/admin%23", Some("/admin/")),
            ("\\admin\\", Some("/admin/")),
            ("/x\\..\\admin", Some("/admin/")),
            ("/x/%5c../..%5cadmin", Some("/admin/")),
            ("/blog//draft-1", Some("/*/draft-*")),
            // Orders that not every server has.
            ("/a/../%61dmin/x/%2e%2e/../y", Some("/admin/")),
            ("/a/../admin/..;/x", Some("/admin/")),
            ("/a/../admin//../x", Some("/admin/")),
            ("/%2525252525252561dmin", Some("/admin/")),
            ("/", None),
            ("/administration", None),
            ("/adm", None),
            ("/accounts", None),
            ("/accounts/logins", None),
            ("/x/admin", None),
            ("/draft-1", None),
            ("/a/b/draft-1", None),
            ("/x/../y/admin", None),
            ("/.well-known/x", None),
            ("/caf%C3%A9/", None),
            ("/100%/x", None),
            ("/a;b", None),
            ("/%2525252525x", None),
        ] {
            assert_eq!(paths.any_reading(path), expected, "{path}");
        }
        assert_eq!(Paths::new(["/"]).any_reading("/anything"), Some("/"));
        assert_eq!(Paths::new(["/caf%C3%A9/"]).any_reading("/caf%c3%a9/x"), Some("/caf%C3%A9/"));
        assert_eq!(Paths::new(["/café"]).any_reading("/caf%c3%a9/x"), Some("/café"));
        assert_eq!(Paths::default().any_reading("/%25252525"), None);
        // What is too long to be looked at closely, or can be read in too many ways, is any.
        let long = format!("/{}", "x".repeat(LONGEST));
        assert_eq!(paths.any_reading(&long), None);
        assert_eq!(paths.any_reading(&format!("{long}%41")), Some("/admin/"));
        let many = "/a;b/%252e%252e;c/d\\%255c..//e%253b/%2e/f\\..;g//..%2f%3f/h";
        assert_eq!(paths.any_reading(many), Some("/admin/"));
    }

    #[test]
    fn only_what_all_read_alike_is_plainly_one() {
        let paths = Paths::new(["/static/"]);
        for path in
            ["/static/", "/static/a.css", "/Static/x/y.js", "/static/a%20b.png", "/static/.x"]
        {
            assert!(paths.plainly(path), "{path}");
        }
        for path in [
            "/",
            "/statics/a",
            "/x/static/a",
            "//static/a",
            "/static//a",
            "/static/../account",
            "/static/%2e%2e/account",
            "/static/..%2faccount",
            "/static;/a",
            "/%73tatic/a",
            "/static\\..\\account",
        ] {
            assert!(!paths.plainly(path), "{path}");
        }
        assert!(!Paths::default().plainly("/static/"));
    }

    #[test]
    fn a_star_is_any_part_of_a_segment() {
        for (wanted, segment, expected) in [
            ("*", "", true),
            ("*", "abc", true),
            ("a*", "A", true),
            ("a*c", "abbc", true),
            ("a*c", "abbcd", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*ab", "aab", true),
            ("*.xml", "feed.xml", true),
            ("a", "ab", false),
            ("ab", "a", false),
            ("", "", true),
        ] {
            assert_eq!(fits(wanted.as_bytes(), segment.as_bytes()), expected, "{wanted} {segment}");
        }
    }

    /// A path under `/admin/`, and what an attacker may make of it without changing what it
    /// is to a server that decodes once, merges slashes and resolves dots.
    fn disguised() -> impl Strategy<Value = String> {
        let letter = |c: char| {
            let encoded = format!("%{:02x}", c as u32);
            let twice = encoded.replace('%', "%25");
            let upper = c.to_ascii_uppercase().to_string();
            prop::sample::select(vec![c.to_string(), encoded, twice, upper])
        };
        let name: Vec<_> = "admin".chars().map(letter).collect();
        let before = prop::sample::select(vec!["/", "//", "/./", "/x/../", "/%2e/", "/x/%2e%2e/"]);
        let after =
            prop::sample::select(vec!["", "/", "//", ";a", "/x", "/../admin/", "%2f", "%00"]);
        (before, name, after)
            .prop_map(|(before, name, after)| format!("{before}{}{after}", name.concat()))
    }

    proptest! {
        #[test]
        fn no_disguise_helps(path in disguised()) {
            let paths = Paths::new(["/accounts/", "/admin/"]);
            prop_assert_eq!(paths.any_reading(&path), Some("/admin/"));
        }

        #[test]
        fn a_plain_path_is_what_it_looks_like(path in "(/[a-z]{1,6}){0,4}/?") {
            let paths = Paths::new(["/admin/", "/a*/b"]);
            let below = |entry: &str| path == entry || path.starts_with(&format!("{entry}/"));
            let segments: Vec<&str> = path.split('/').collect();
            let globbed = segments.len() > 2 && segments[1].starts_with('a') && segments[2] == "b";
            let expected = below("/admin") || globbed;
            prop_assert_eq!(paths.any_reading(&path).is_some(), expected);
        }
    }
}
