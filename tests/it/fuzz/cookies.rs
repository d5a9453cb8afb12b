//! Cookies: whatever Django, Flask or Python's `http.cookies` finds, larder has found, and
//! visitors who share a variant bear the same to Django and Flask.

use super::reference::{lines, value};
use http::HeaderMap;
use http::header::COOKIE;
use larder::semantics::cookies::{Cookies, bears_any};
use regex::bytes::Regex;
use std::collections::BTreeMap;
use std::sync::OnceLock;

type Found = BTreeMap<Vec<u8>, Vec<Vec<u8>>>;

/// What Python's `str.strip` takes off text that WSGI has read as Latin-1.
fn stripped(bytes: &[u8]) -> &[u8] {
    let blank = |b: &u8| matches!(b, 0x09..=0x0d | 0x1c..=0x20 | 0x85 | 0xa0);
    let first = bytes.iter().position(|b| !blank(b)).unwrap_or(bytes.len());
    let last = bytes.iter().rposition(|b| !blank(b)).map_or(first, |at| at + 1);
    &bytes[first..last]
}

/// Django's `parse_cookie`, before it takes quotes off.
fn django(line: &[u8]) -> Found {
    let mut found = Found::new();
    for piece in line.split(|b| *b == b';') {
        let (name, value) = match piece.iter().position(|b| *b == b'=') {
            Some(at) => (&piece[..at], &piece[at + 1..]),
            None => (&b""[..], piece),
        };
        let (name, value) = (stripped(name), stripped(value));
        if !name.is_empty() || !value.is_empty() {
            found.insert(name.to_vec(), vec![value.to_vec()]);
        }
    }
    found
}

/// Werkzeug's: values in quotes may hold semicolons, a name may stand alone.
fn werkzeug(line: &[u8]) -> Found {
    static COOKIE: OnceLock<Regex> = OnceLock::new();
    let cookie = COOKIE.get_or_init(|| {
        let name = r#"[ \t]*([^ \t=";]+)"#;
        let value = r#"(?:[ \t]*=[ \t]*("(?:[^\\"]|\\.)*"|[^ \t";]*))?"#;
        Regex::new(&format!(r"(?s-u)\A{name}{value}[ \t]*(?:;|\z)")).unwrap()
    });
    let (mut found, mut at) = (Found::new(), 0);
    while at < line.len() {
        match cookie.captures(&line[at..]) {
            Some(read) => {
                let value = read.get(2).map_or(&b""[..], |value| value.as_bytes());
                found.entry(read[1].to_vec()).or_default().push(value.to_vec());
                at += read[0].len();
            }
            None => match line[at..].iter().position(|b| *b == b';') {
                Some(end) => at += end + 1,
                None => break,
            },
        }
    }
    found
}

/// Python's own `http.cookies`: white space ends a cookie as a semicolon does, nothing is read
/// behind what is none, and nothing at all where a name has no value. What it takes for an
/// attribute of another cookie is taken for a cookie here.
fn simple_cookie(line: &[u8]) -> Found {
    static COOKIE: OnceLock<Regex> = OnceLock::new();
    let cookie = COOKIE.get_or_init(|| {
        let blank = r"[ \t\n\r\x0b\x0c]";
        let name = r#"[\w!#%&'~`><@,:/$*+.^|)(?}{=-]+?"#;
        let date = format!(r"\w{{3}},{blank}(?:\w|{blank}|-){{9,11}}{blank}[\d:]{{8}}{blank}GMT");
        let plain = r#"[\w!#%&'~`><@,:/$*+.^|)(?}{=\[\]-]*"#;
        let value = format!(r#"{blank}*={blank}*("(?:[^\\"]|\\.)*"|{date}|{plain})"#);
        let pair = format!(r"{blank}*({name}){blank}*(?:{value})?{blank}*(?:{blank}+|;|\z)");
        Regex::new(&format!(r"(?s-u)\A{pair}")).unwrap()
    });
    let (mut found, mut at) = (Found::new(), 0);
    while let Some(read) = cookie.captures(&line[at..]) {
        let is_flag = [&b"secure"[..], b"httponly", b"partitioned"]
            .iter()
            .any(|flag| read[1].eq_ignore_ascii_case(flag));
        match read.get(2) {
            Some(value) => {
                found.insert(read[1].to_vec(), vec![value.as_bytes().to_vec()]);
            }
            None if is_flag || read[1].starts_with(b"$") => {}
            None => return Found::new(),
        }
        at += read[0].len();
    }
    found
}

/// The names that identify, with spaces between; then the lines of one request, and
/// behind an empty line those of another.
pub fn check(data: &[u8]) {
    let mut lines = lines(data);
    let names = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
    let token = |name: &&str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let names: Vec<Box<str>> =
        names.split(' ').filter(|name| !name.is_empty()).filter(token).map(Box::from).collect();
    let mut requests = [HeaderMap::new(), HeaderMap::new()];
    let mut at = 0;
    for line in lines {
        match value(line) {
            _ if line.is_empty() => at = 1,
            Some(value) => {
                requests[at].append(COOKIE, value);
            }
            None => {}
        }
    }
    // larder hands lines on as one.
    let joined = requests.clone().map(|request| {
        let lines: Vec<&[u8]> = request.get_all(COOKIE).iter().map(|l| l.as_bytes()).collect();
        lines.join(&b"; "[..])
    });
    let named = Cookies::Named(names.clone());
    for (request, joined) in requests.iter().zip(&joined) {
        assert_eq!(named.identify(request), named.selecting(request).is_some());
        assert_eq!(bears_any(request, &names), !names.is_empty() && named.identify(request));
        for read in [django(joined), werkzeug(joined), simple_cookie(joined)] {
            let bears = names.iter().any(|name| read.contains_key(name.as_bytes()));
            assert!(!bears || named.identify(request), "{read:?}");
            assert!(read.is_empty() || Cookies::All.identify(request));
        }
    }
    let [one, other] = &requests;
    for (cookies, all) in [(&named, false), (&Cookies::All, true)] {
        if cookies.selecting(one) != cookies.selecting(other) {
            continue;
        }
        for read in [django, werkzeug] {
            let [one, other] = [&joined[0], &joined[1]].map(|joined| {
                let mut read = read(joined);
                read.retain(|name, _| all || names.iter().any(|n| n.as_bytes() == name));
                read
            });
            assert_eq!(one, other);
        }
    }
}
