use super::*;
use crate::key::{CacheKey, Scheme, Target};
use crate::purge::tests::{House, bearing};
use crate::purge::{Softness, Verdict};
use crate::semantics::tags::Tags;
use crate::semantics::time::Moment;
use proptest::prelude::*;
use std::collections::HashSet;
use std::sync::OnceLock;

fn pattern(host: Option<&str>, url: Option<&str>, tags: Option<&str>) -> Pattern {
    Pattern::new(&Expressions { host, url, content_type: None, tags }).expect("a pattern")
}

/// What a pattern is compiled to: each selector in a word.
fn compiled(pattern: &Pattern) -> String {
    let Some(same) = pattern.same() else { return "search".into() };
    let mut all: Vec<String> = Vec::new();
    all.extend(same.everything.then(|| "everything".into()));
    all.extend(same.keys.iter().map(|key| format!("key {}", key.target())));
    all.extend(same.tags.iter().map(|tag| format!("tag {tag}")));
    all.extend(same.hosts.iter().map(|host| format!("host {}", host.as_str())));
    all.extend(same.paths.iter().map(|path| format!("path {path:?}")));
    all.extend(same.prefixes.iter().map(|prefix| format!("prefix {prefix:?}")));
    all.sort();
    let short = |text: String| {
        text.replace("Path { host: Host(\"a\"), path: ", "")
            .replace("Prefix { host: Host(\"a\"), path: ", "")
            .replace(" }", "")
            .replace('"', "")
    };
    short(all.join(", "))
}

#[test]
fn urls_are_compiled_to_what_says_the_same() {
    let cases: &[(Option<&str>, &str, &str)] = &[
        (None, ".*", "everything"),
        (Some(".*"), "^.*$", "everything"),
        (Some(".*"), ".", "everything"),
        (None, "/.*", "everything"),
        (None, "^/", "everything"),
        (Some("^a$"), ".*", "host a"),
        (Some("^(A|b:81)$"), ".*", "host a, host b:81"),
        (Some("^a$"), "^/x$", "key http://a/x, key https://a/x"),
        (Some("^a$"), r"^/x\?y=1$", "key http://a/x?y=1, key https://a/x?y=1"),
        (Some("^a$"), r"^/x(\?|$)", "path /x"),
        (Some("^a$"), r"^/x(\?.*)?$", "path /x"),
        (Some("^a$"), r"^/x/(\?.*)?$", "path /x/"),
        (Some("^a$"), r"^/blog(/|\?|$)", "prefix /blog"),
        (Some("^a$"), r"^/blog([/?].*)?$", "prefix /blog"),
        // None of these ends where a segment ends; with no host, none is a key.
        (Some("^a$"), "^/blog", "search"),
        (Some("^a$"), "^/blog/", "search"),
        (Some("^a$"), "^/blog(/.*)?$", "search"),
        (Some("a"), ".*", "search"),
        (Some("^a:80$"), ".*", "search"),
        (None, "^/x$", "search"),
        (Some("^a$"), "/x", "search"),
        (Some("^a$"), r"\.css$", "search"),
        // What no URL meets.
        (Some("^a$"), "^x$", ""),
    ];
    for (host, url, expected) in cases {
        assert_eq!(compiled(&pattern(*host, Some(url), None)), *expected, "{host:?} {url}");
    }
}

#[test]
fn tags_are_compiled_to_tags() {
    for (tags, expected) in [
        ("(^|,)(a|b)(,|$)", "tag a, tag b"),
        ("(^|,)a(,|$)|(^|,)b(,|$)", "tag a, tag b"),
        ("((^|,)cat_p_1(,|$))|((^|,)cat_c_3(,|$))", "tag cat_c_3, tag cat_p_1"),
        (r"(^|\,)(/books/1|/books)($|\,)", "tag /books, tag /books/1"),
        (r"(^|,)(node\:1|a\-b\<c)(,|$)", "tag a-b<c, tag node:1"),
        (".*", "everything"),
        // These meet tags that only end or begin so, or hold it.
        (r"(/books/1|/books)($|\,)", "search"),
        ("(^|,)a", "search"),
        ("node:1", "search"),
        ("^a$", "search"),
        (".", "search"),
    ] {
        assert_eq!(compiled(&pattern(None, None, Some(tags))), expected, "{tags}");
    }
    let both = pattern(Some("^a$"), None, Some("(^|,)a(,|$)"));
    assert_eq!(compiled(&both), "search");
    let css = Expressions { content_type: Some("text/css"), ..Expressions::default() };
    assert_eq!(compiled(&Pattern::new(&css).expect("a pattern")), "search");
}

#[test]
fn what_is_wrong_with_an_expression_is_said_with_its_place() {
    let long = "x".repeat(LONGEST + 1);
    for (url, expected) in [
        ("/a(", "at byte 2: unclosed group"),
        ("a{2,1}", "at byte 1: invalid repetition count range, the start must be <= the end"),
        ("(?=a)", "at byte 0: look-around, including look-ahead and look-behind, is not supported"),
        (r"\1", "at byte 0: backreferences are not supported"),
        (r"(\w{100}){100}", "compiled it is larger than 524288 bytes"),
        (&long, "longer than 16384 bytes"),
    ] {
        let given = Expressions { url: Some(url), ..Expressions::default() };
        let bad = Pattern::new(&given).expect_err(expected);
        assert_eq!(bad, BadPattern { part: Part::Url, why: expected.into() });
    }
}

/// What answers for other queries than the one that it is stored under, by
/// `No-Vary-Search`, may answer for one that the expression meets.
#[test]
fn an_expression_may_meet_another_query_of_a_url() {
    for (url, path, expected) in [
        ("ref=shop", "/n", true),
        (r"^/n\?ref=shop&id=5$", "/n", true),
        (r"^/n\?ref", "/n", true),
        (r"^/n\?(a|b)=[0-9]+", "/n", true),
        ("^/n", "/news", true),
        ("^/n.*ref", "/n", true),
        ("(?i)^/N", "/n", true),
        ("^/n$|x", "/m", true),
        ("^/news/", "/n", false),
        (r"^/m\?page=", "/n", false),
        (r"^/n\?ref", "/n/x", false),
        ("^/(m|news)/[0-9]", "/n", false),
    ] {
        let read = compile::read(Part::Url, url).expect("an expression");
        let search = Search::new(None, Some(read), None, None).expect("an expression");
        assert_eq!(search.may_be_below(path), expected, "{url} {path}");
    }
}

#[test]
fn an_expression_weighs_what_it_takes_once_it_is_compiled() {
    const KIB: usize = 1024;
    for (url, least, most) in [
        ("^/blog/[0-9]+", KIB, 32 * KIB),
        ("a{5000}", 200 * KIB, 400 * KIB),
        (r"\w{4}", 100 * KIB, 400 * KIB),
        (r"\w{9}", 300 * KIB, 1100 * KIB),
    ] {
        let weight = pattern(None, Some(url), None).weight();
        assert!((least..most).contains(&weight), "{url}: {weight}");
    }
    let two = pattern(None, Some("a{5000}"), Some("b{5000}")).weight();
    assert!(two > 400 * KIB, "{two}");
    assert_eq!(pattern(None, Some(".*"), None).weight(), 0);
}

const HOSTS: [&str; 4] = ["a", "b:81", "ab", "a.b"];
const URLS: [&str; 14] = [
    "/", "/?", "/x", "/x?", "/x?y=1", "/x/", "/x//", "/x/y", "/x/?y", "/xy", "/y/x", "/x%20", "/a",
    "/xx",
];
const TAGS: [&[&str]; 7] = [&[], &["a"], &["b"], &["a", "b"], &["ab"], &["a", "aa"], &["a,b"]];

/// A regular expression of the kind that clients send, and of other kinds.
fn expression(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    let word = prop::sample::select(words);
    let part = prop_oneof![
        4 => word.clone().prop_map(ToString::to_string),
        1 => (word.clone(), word.clone()).prop_map(|(one, two)| format!("({one}|{two})")),
        1 => (word.clone(), word).prop_map(|(one, two)| format!("({one}{two})?")),
    ];
    let ends = prop::sample::select(&["", "^", ".*", "(^|,)", "^.*", "(?i)"][..]);
    let ending = ["", "$", ".*", "(,|$)", ".*$", r"(\?|$)", r"(/|\?|$)", r"(\?.*)?$", "([/?].*)?$"];
    let ending = prop::sample::select(ending.to_vec());
    (ends, prop::collection::vec(part, 0..4), ending)
        .prop_map(|(start, parts, end)| format!("{start}{}{end}", parts.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// What is compiled meets what the expressions meet, and nothing else.
    #[test]
    fn compiled_or_not_a_pattern_meets_the_same(
        host in prop::option::of(expression(&["a", "b", ":81", r"\.", "A", "."])),
        url in prop::option::of(expression(&["/", "x", "y", r"\?", "/x", "[xy]", "."])),
        tags in prop::option::of(expression(&["a", "b", ",", ".", "a|b"])),
    ) {
        let given = Expressions {
            host: host.as_deref(),
            url: url.as_deref(),
            content_type: None,
            tags: tags.as_deref(),
        };
        let pattern = Pattern::new(&given).expect("a pattern");
        let read = |part, text: &Option<String>| {
            text.as_ref().map(|text| compile::read(part, text).expect("an expression"))
        };
        let (host, url) = (read(Part::Host, &host), read(Part::Url, &url));
        let search = Search::new(host, url, None, read(Part::Tags, &tags)).expect("expressions");
        let mut searcher = Searcher::new(&search);
        let selectors = Selectors { patterns: vec![pattern.clone()], ..Selectors::default() };
        // What lands after the purge is judged by its marks.
        let empty = House::new();
        let departure = empty.purger.depart();
        empty.purger.purge(&selectors, Softness::Hard, Moment(1));
        for (tags, house) in HOUSES.get_or_init(houses) {
            let mut met = HashSet::new();
            house.purger.visit(&selectors, |key, _| assert!(met.insert(key.clone())));
            for key in keys() {
                let target = key.target();
                let candidate = Candidate { target, tags, content_type: Some(""), varies: false };
                let expected = searcher.meets(&candidate);
                let varies = searcher.meets(&Candidate { varies: true, ..candidate });
                prop_assert!(varies || !expected, "{target} is not met with any query");
                let shown = format!("{}, {tags:?}, compiled to {}", key.target(), compiled(&pattern));
                prop_assert_eq!(met.contains(&key), expected, "stored: {}", &shown);
                let judged = empty.purger.judge(&key, tags, departure.fence());
                prop_assert_eq!(judged != Verdict::Stands, expected, "in flight: {}", &shown);
            }
        }
    }
}

/// Every key, once with each of the lists of tags.
static HOUSES: OnceLock<Vec<(Tags, House)>> = OnceLock::new();

fn houses() -> Vec<(Tags, House)> {
    let house = |tags: &[&str]| {
        let house = House::new();
        keys().for_each(|key| house.store(&key.target().to_string(), tags));
        (bearing(tags), house)
    };
    TAGS.map(house).into()
}

fn keys() -> impl Iterator<Item = CacheKey> {
    let schemes = [Scheme::Http, Scheme::Https].into_iter();
    let hosts = schemes.flat_map(|scheme| HOSTS.map(|host| (scheme, host)));
    hosts.flat_map(|(scheme, host)| {
        URLS.map(|url| {
            let host = crate::key::Host::parse(host).expect("a host");
            CacheKey::new(Target::new(scheme, host, url).expect("a target"))
        })
    })
}
