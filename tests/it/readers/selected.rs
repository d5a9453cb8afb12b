//! Requests that select the same stored response are the same to Django and Flask: who may
//! be given what another was given would have been given it.

use super::reader::{Program, with_python};
use super::told;
use crate::simulation::random::Random;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use larder::semantics::cookies::Cookies;
use larder::semantics::no_vary_search::{NO_VARY_SEARCH, SearchVariance};
use larder::semantics::parameters::IgnoredParameters;
use larder::semantics::policy::Policy;
use larder::semantics::vary::NominatedFields;
use serde_json::{Map, Value, json};

/// Whether two values select the same.
type Judge = Box<dyn Fn(&str, &str) -> bool>;

/// A part of a request, and what values of it are made of.
struct Kind {
    name: &'static str,
    pieces: &'static [&'static str],
    between: char,
    selects_the_same: Judge,
}

const LANGUAGES: &[&str] = &[
    "de",
    "DE",
    "en",
    "en-US",
    "fr",
    "pt-BR",
    "*",
    "x",
    "de;q=0.5",
    "en;q=1",
    "fr;q=0",
    "en;q=.5",
    "de;q=0.8000",
    "fr;q=2",
    "de; q=0.5",
    "de;q=0.50",
    "",
];
const CODINGS: &[&str] = &[
    "gzip",
    "GZIP",
    "br",
    "identity",
    "*",
    "gzip;q=0",
    "br;q=1",
    "gzip;q=0.5",
    "*;q=0",
    "x-gzip",
    "gzip; q=1",
    "",
];
const COOKIES: &[&str] = &[
    "sessionid=a",
    "sessionid=b",
    "lang=de",
    "lang",
    "_ga=1",
    "_ga=\"x\"",
    "x=",
    "=x",
    "=",
    "sessionid",
    "theme=dark",
    "lang=\"d\\\"e\"",
    "sessionid = a",
    "_ga=\"1\" sessionid=a",
    "_ga=1 sessionid=b",
    "lang=\"d; e\"",
    "",
];
const PARAMETERS: &[&str] = &[
    "a=1",
    "a=2",
    "b=1",
    "b",
    "c=",
    "=c",
    "=",
    "utm_source=x",
    "utm_id",
    "utm%5Fid=1",
    "%75tm_x=y",
    "a=%31",
    "%61=1",
    "a=+",
    "a=%20",
    "a=%2B",
    "a=1;b=2",
    "",
    "a=%ff",
    "a=\u{7e}",
    "A=1",
];

/// What is put into a value here and there. The last two are blanks to Python.
const ODD: &[&str] =
    &[" ", "  ", "\t", ",", ";", "=", "\"", "q", "q=0.5", "\\", "%", "&", "+", "\u{a0}", "\u{85}"];

fn fields(name: &HeaderName, value: &str) -> Option<HeaderMap> {
    let bytes: Option<Vec<u8>> = value.chars().map(|c| u8::try_from(c).ok()).collect();
    let value = HeaderValue::from_bytes(&bytes?).ok()?;
    Some(HeaderMap::from_iter([(name.clone(), value)]))
}

fn by_variant(name: HeaderName, cookies: Cookies) -> Judge {
    let response = HeaderMap::from_iter([(header::VARY, HeaderValue::from(name.clone()))]);
    let nominated = NominatedFields::of(&response);
    let policy = Policy { cookies, ..Policy::default() };
    Box::new(move |one, other| {
        let key = |value| nominated.select(&fields(&name, value)?, &policy);
        key(one).is_some_and(|key_of_one| key(other) == Some(key_of_one))
    })
}

fn is_in_queries(query: &str) -> bool {
    query.bytes().all(|byte| byte.is_ascii_graphic() && !b"#\"<>".contains(&byte))
}

/// By `No-Vary-Search`, or with what is ignored left out.
fn by_query() -> Judge {
    let says = HeaderValue::from_static("key-order, params=(\"utm_id\" \"utm_source\" \"utm_x\")");
    let response = HeaderMap::from_iter([(NO_VARY_SEARCH, says)]);
    let variance = SearchVariance::of(&response).expect("it says something");
    let ignored = IgnoredParameters::new(["utm_*"]);
    Box::new(move |one, other| {
        let plain = |query: &str| {
            let target = format!("/?{query}");
            let left = ignored.without(&target).unwrap_or(target);
            variance.canonical(left.split_once('?').map_or("", |(_, query)| query))
        };
        is_in_queries(one) && is_in_queries(other) && plain(one) == plain(other)
    })
}

fn named() -> Cookies {
    Cookies::Named(vec!["sessionid".into(), "lang".into()])
}

fn kinds() -> Vec<Kind> {
    let kind =
        |name, pieces, between, selects_the_same| Kind { name, pieces, between, selects_the_same };
    let (named, all) = (named(), Cookies::All);
    vec![
        kind("languages", LANGUAGES, ',', by_variant(header::ACCEPT_LANGUAGE, all.clone())),
        kind("codings", CODINGS, ',', by_variant(header::ACCEPT_ENCODING, all.clone())),
        kind("all cookies", COOKIES, ';', by_variant(header::COOKIE, all)),
        kind("named cookies", COOKIES, ';', by_variant(header::COOKIE, named)),
        kind("query", PARAMETERS, '&', by_query()),
    ]
}

impl Kind {
    fn value(&self, random: &mut Random) -> String {
        let pieces: Vec<&str> =
            (0..1 + random.below(4)).map(|_| random.pick(self.pieces)).collect();
        pieces.join(&self.between.to_string())
    }

    /// Nearly the same.
    fn changed(&self, value: &str, random: &mut Random) -> String {
        let mut members: Vec<String> = value.split(self.between).map(String::from).collect();
        let at = random.below(members.len() as u64) as usize;
        let other = random.below(members.len() as u64) as usize;
        match random.below(7) {
            0 => members.swap(at, other),
            1 => members.insert(other, members[at].clone()),
            2 => members.insert(at, random.pick(self.pieces).into()),
            3 => drop(members.remove(at)),
            4 => members[at] = members[at].to_ascii_uppercase(),
            _ => {
                let places: Vec<usize> = members[at].char_indices().map(|(at, _)| at).collect();
                let end = members[at].len();
                let place = random.pick(&[places, vec![end]].concat());
                members[at].insert_str(place, random.pick(ODD));
            }
        }
        members.join(&self.between.to_string()).trim_matches([' ', '\t']).to_string()
    }
}

fn read(apps: &mut Program, kind: &str, value: &str) -> Value {
    apps.ask(&json!([kind, value]).to_string())
}

#[test]
fn who_is_given_the_same_is_the_same_to_django_and_flask() {
    let (seed, count) = told(3000);
    let mut random = Random::new(seed);
    let mut apps = Program::start(with_python("with_apps.py"));
    for kind in kinds() {
        let (mut same, mut wrong) = (0, Vec::new());
        for _ in 0..count {
            let one = kind.value(&mut random);
            let mut other = one.clone();
            for _ in 0..1 + random.below(3) {
                other = kind.changed(&other, &mut random);
            }
            if one == other || !(kind.selects_the_same)(&one, &other) {
                continue;
            }
            same += 1;
            let (by_one, by_other) =
                (read(&mut apps, kind.name, &one), read(&mut apps, kind.name, &other));
            if by_one != by_other {
                wrong.push(format!("{one:?}: {by_one}\n{other:?}: {by_other}"));
            }
        }
        println!("{}: {same} of {count} are the same", kind.name);
        let first = wrong.iter().take(10).cloned().collect::<Vec<_>>().join("\n");
        let (name, times) = (kind.name, wrong.len());
        assert!(wrong.is_empty(), "LARDER_READERS_SEED={seed}, {name}, {times} times:\n{first}");
        assert!(same > count / 50, "{name}: {same} are too few");
    }
}

/// To Python's own `http.cookies` too.
#[test]
fn who_is_known_to_django_or_flask_is_known() {
    let (seed, count) = told(3000);
    let mut random = Random::new(seed);
    let mut apps = Program::start(with_python("with_apps.py"));
    let kind = kinds().into_iter().find(|kind| kind.name == "named cookies").expect("a kind");
    let mut unknown = 0;
    for _ in 0..count {
        let mut value = kind.value(&mut random);
        for _ in 0..random.below(3) {
            value = kind.changed(&value, &mut random);
        }
        let Some(fields) = fields(&header::COOKIE, &value) else { continue };
        if named().identify(&fields) {
            continue;
        }
        unknown += 1;
        let found = read(&mut apps, "known cookies", &value);
        let found_none = |by: &Value| by.as_object().is_some_and(Map::is_empty);
        let is_unknown = found.as_array().is_some_and(|all| all.iter().all(found_none));
        assert!(is_unknown, "LARDER_READERS_SEED={seed}: {value:?}: {found}");
    }
    assert!(unknown > count / 10, "{unknown} are too few");
}
