//! `Vary`: two requests that select the same variant are the same for the app.

use super::reference::{fields, lines, value};
use http::header::{ACCEPT_ENCODING, ACCEPT_LANGUAGE, COOKIE, VARY};
use http::{HeaderMap, HeaderName};
use larder::semantics::language::preferred;
use larder::semantics::policy::Policy;
use larder::semantics::vary::NominatedFields;
use std::collections::BTreeSet;

/// The members of a list, empty ones too.
fn members(request: &HeaderMap, name: &HeaderName) -> Option<Vec<String>> {
    let lines: Vec<&[u8]> = request.get_all(name).iter().map(|line| line.as_bytes()).collect();
    let joined = String::from_utf8_lossy(&lines.join(&b","[..])).into_owned();
    let members = joined.split(',').map(|member| member.trim_matches([' ', '\t']).to_string());
    (!lines.is_empty()).then(|| members.collect())
}

/// Without the white space around semicolons.
fn plain(member: &str) -> String {
    let pieces: Vec<&str> = member.split(';').map(|p| p.trim_matches([' ', '\t'])).collect();
    pieces.join(";")
}

fn are_the_same(name: &HeaderName, one: &HeaderMap, other: &HeaderMap) {
    if *name == COOKIE {
        // A target of their own judges them.
        return;
    }
    let (ours, theirs) = (members(one, name), members(other, name));
    assert_eq!(ours.is_some(), theirs.is_some(), "{name}");
    let (ours, theirs) = (ours.unwrap_or_default(), theirs.unwrap_or_default());
    if *name == ACCEPT_ENCODING {
        let set = |all: &[String]| all.iter().map(|m| plain(m)).collect::<BTreeSet<_>>();
        assert_eq!(set(&ours), set(&theirs));
    } else if *name == ACCEPT_LANGUAGE {
        let list =
            |all: &[String]| all.iter().map(|m| plain(m).to_ascii_lowercase()).collect::<Vec<_>>();
        assert_eq!(list(&ours), list(&theirs));
    } else {
        assert_eq!(ours, theirs, "{name}");
    }
}

/// The value of `Vary`, then lines of two requests, which begin with `1` or `2`.
pub fn check(data: &[u8]) {
    let mut lines = lines(data);
    let mut response = HeaderMap::new();
    let Some(vary) = lines.next().and_then(value) else { return };
    response.append(VARY, vary);
    let (mut one, mut other) = (HeaderMap::new(), HeaderMap::new());
    for line in lines.take(200) {
        match line.split_first() {
            Some((b'1', line)) => one.extend_lines(line),
            Some((b'2', line)) => other.extend_lines(line),
            _ => {}
        }
    }
    let nominated = NominatedFields::of(&response);
    let policy = Policy::default();
    let (Some(key), Some(others)) =
        (nominated.select(&one, &policy), nominated.select(&other, &policy))
    else {
        assert_eq!(nominated, NominatedFields::Any);
        return;
    };
    assert!(nominated.selects(&one, &key, &policy));
    assert_eq!(nominated.selects(&other, &key, &policy), key == others);
    let again = nominated.request(&key).expect("fields");
    assert_eq!(nominated.select(&again, &policy).as_ref(), Some(&key));
    let NominatedFields::Named(names) = &nominated else { unreachable!() };
    for name in names {
        let but_for = key.equals_but_for(name, &others, &nominated);
        assert!(key != others || but_for);
        if key == others {
            are_the_same(name, &one, &other);
        }
    }
    if key == others && nominated.names(&ACCEPT_LANGUAGE) {
        assert_eq!(preferred(&one), preferred(&other));
    }
}

/// Adds what a line says.
trait ExtendLines {
    fn extend_lines(&mut self, line: &[u8]);
}

impl ExtendLines for HeaderMap {
    fn extend_lines(&mut self, line: &[u8]) {
        for (name, value) in &fields([line]) {
            self.append(name, value.clone());
        }
    }
}
