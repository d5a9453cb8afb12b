//! Purges in the dialects of other caches: what comes out is sane, in bounded time,
//! or it is said what is wrong.

use super::reference::{fields, lines};
use http::Method;
use larder::dialects::{Dialect, Head, Understood, Wish, litespeed, recognise};
use larder::key::Target;
use larder::purge::Selectors;

fn are_sane(selectors: &Selectors) {
    for key in &selectors.keys {
        assert!(key.target().path_and_query().starts_with('/'));
    }
    assert_eq!(selectors.keys.len() % 2, 0, "both schemes");
    assert!(selectors.tags.iter().all(|tag| !tag.is_empty() && tag.len() <= 1024));
    for host in &selectors.hosts {
        assert_eq!(larder::key::Host::parse(host.as_str()).as_ref(), Ok(host));
        assert!(!host.as_str().ends_with(":80") && !host.as_str().ends_with(":443"));
    }
    for pattern in &selectors.patterns {
        if let Some(same) = pattern.same() {
            assert!(same.patterns.is_empty());
            assert!(same.keys.iter().all(|key| key.target().path_and_query().starts_with('/')));
        }
    }
}

/// `METHOD URL`, field lines, an empty line, a body.
pub fn check(data: &[u8]) {
    let mut rest = data.splitn(2, |b| *b == b'\n');
    let Ok(first) = std::str::from_utf8(rest.next().unwrap_or_default()) else { return };
    let rest = rest.next().unwrap_or_default();
    let Some((method, url)) = first.split_once(' ') else { return };
    let (Ok(method), Ok(target)) = (Method::from_bytes(method.as_bytes()), Target::from_url(url))
    else {
        return;
    };
    let end = rest.windows(2).position(|two| two == b"\n\n").unwrap_or(rest.len());
    let fields = fields(lines(&rest[..end]));
    let body = rest.get(end + 2..).unwrap_or_default();
    let head = Head { method: &method, target: &target, fields: &fields };
    let mut all = vec![Understood::All];
    all.extend(Dialect::ALL.map(|(dialect, _)| Understood::Only(vec![dialect])));
    for understood in &all {
        let Some(claim) = recognise(&head, understood) else { continue };
        assert!(!claim.may_be_a_page || !larder::dialects::is_for_caches(&method));
        match claim.read(&head, if claim.may_be_a_page { body } else { b"" }) {
            Ok(Wish::Purge(purge)) => {
                assert!(!purge.hard.is_empty() || !purge.soft.is_empty(), "it purges nothing");
                for selectors in [&purge.hard, &purge.soft] {
                    are_sane(selectors);
                    let mut tags = selectors.tags.iter();
                    assert!(tags.all(|tag| !tag.chars().any(char::is_control)));
                }
            }
            Ok(Wish::Refresh) => assert_eq!(method.as_str(), "REFRESH"),
            Err(mistake) => assert!(!mistake.detail.is_empty()),
        }
    }
    // An app may purge by whatever its answers bear.
    if let Some(purges) = litespeed::purges(&fields, &target) {
        are_sane(&purges.hard);
        are_sane(&purges.soft);
    }
}
