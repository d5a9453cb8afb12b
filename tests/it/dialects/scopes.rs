//! What a token is good for in other caches' dialects, and what is remembered of
//! purges in them.

use super::site::{Case, Page, Site, replay, with_document};
use crate::harness::get;
use serde_json::{Value, json};

const PAGES: &[Page] = &[
    ("a.test", "/1", "xkey: one all"),
    ("a.test", "/2", "xkey: two all"),
    ("b.test", "/1", "xkey: one all"),
];

/// Nobody may by where they come from. One token is known by its digest alone.
const TOKENS: &str = "purge.networks = []\n\
    [[purge.tokens]]\nname = 'reader'\ntoken = 'secret-reader'\nscope = 'read'\n\
    [[purge.tokens]]\nname = 'tagger'\nscope = 'tags'\n\
    token = 'sha256:b4d584c10dee0f88ff188454edce1266537b33c74c70fa979aacd73684678bfb'\n\
    [[purge.tokens]]\nname = 'hoster'\ntoken = 'secret-hoster'\nscope = 'hosts'\n\
    hosts = ['a.test']\n\
    [[purge.tokens]]\nname = 'elsewhere'\ntoken = 'secret-elsewhere'\n\
    networks = '192.0.2.0/24'\n";

const READER: &str = "Fastly-Key: secret-reader";
const TAGGER: &str = "Fastly-Key: secret-tagger";
const HOSTER: &str = "Fastly-Key: secret-hoster";

const CLOUDFLARE: &str = "POST /client/v4/zones/Z/purge_cache";

/// A request line, a host, fields, a document.
type Sent = (&'static str, &'static str, &'static str, &'static str);

const BY_TAGS: &[(Sent, &[usize])] = &[
    (("PURGE /", "a.test", "xkey: two", ""), &[1]),
    (("PURGEKEYS /", "a.test", "xkey-purge: one", ""), &[0, 2]),
    (("BAN /", "a.test", "X-Host: .*\nX-Url: .*\nX-Cache-Tags: (^|,)(two|no)(,|$)", ""), &[1]),
    (("POST /service/S/purge/one", "a.test", "X-None: 1", ""), &[0, 2]),
    ((CLOUDFLARE, "a.test", "X-None: 1", r#"{"tags":["two"]}"#), &[1]),
];

const AT_A_HOST: &[(Sent, &[usize])] = &[
    (("PURGE /1", "a.test", "X-None: 1", ""), &[0]),
    (("PURGE /.*", "a.test", "X-Purge-Method: regex", ""), &[0, 1]),
    (("BANDIR /", "a.test", "X-None: 1", ""), &[0, 1]),
    (("BAN /", "cache", "X-Host: ^a[.]test$\nX-Url: ^/2$", ""), &[1]),
    (
        ("PURGE /VirtualHostBase/http/a.test:80/P/VirtualHostRoot/1", "a.test", "X-None: 1", ""),
        &[0],
    ),
    (("POST /purge/a.test/1", "b.test", "X-None: 1", ""), &[0]),
    ((CLOUDFLARE, "b.test", "X-None: 1", r#"{"hosts":["a.test"]}"#), &[0, 1]),
];

/// For neither of the two.
const FOR_NOBODY: &[Sent] = &[
    ("PURGE /1", "b.test", "X-None: 1", ""),
    ("PURGE /VirtualHostBase/http/b.test:80/P/VirtualHostRoot/1", "a.test", "X-None: 1", ""),
    ("PURGE /", "a.test", "Clear-Cache: true", ""),
    ("PURGEALL /", "a.test", "X-None: 1", ""),
    ("BAN /", "a.test", "X-None: 1", ""),
    ("BAN /1", "a.test", "X-None: 1", ""),
    ("BAN /", "a.test", "X-Host: a.test\nX-Url: ^/1", ""),
    ("BAN /", "a.test", "X-Host: .*\nX-Url: .*\nX-Cache-Tags: one", ""),
    ("URIBAN /1", "a.test", "X-None: 1", ""),
    ("REFRESH /1", "b.test", "X-None: 1", ""),
    ("POST /service/S/purge_all", "a.test", "X-None: 1", ""),
    ("POST /purge/b.test/1", "a.test", "X-None: 1", ""),
    (CLOUDFLARE, "a.test", "X-None: 1", r#"{"tags":["one"],"hosts":["a.test"]}"#),
    (CLOUDFLARE, "a.test", "X-None: 1", r#"{"purge_everything":true}"#),
    (
        "POST /souin-api/souin",
        "a.test",
        "X-None: 1",
        r#"{"type":"origin","selectors":["http://b.test"]}"#,
    ),
];

fn bytes(&(line, host, fields, document): &Sent, token: &str) -> String {
    with_document(&format!("{line} HTTP/1.1\nHost: {host}\n{fields}\n{token}\n"), document)
}

/// Has it refused: in the dialect's way, with nothing done and the app not asked.
fn refused(site: &Site, sent: &Sent, token: &str) {
    site.store(PAGES);
    let before = site.origin.count();
    let answer = replay(site.larder.proxy, &bytes(sent, token));
    assert!(answer.starts_with("HTTP/1.1 403 "), "{token}: {sent:?}\n{answer}");
    assert_eq!(answer.contains("\"success\":false"), sent.0 == CLOUDFLARE, "{answer}");
    assert!(answer.contains(" may "), "it says what may: {answer}");
    assert_eq!(site.origin.count(), before, "{token}: the app is asked: {sent:?}");
    let states: Vec<&str> = PAGES.iter().map(|page| site.state(page)).collect();
    assert_eq!(states, ["fresh"; 3], "{token}: {sent:?}");
}

fn allowed(site: &Site, (sent, gone): &(Sent, &'static [usize]), token: &str) {
    let answer = match sent.0.split([' ', '/']).next() {
        Some("POST") => "200 OK",
        Some("BAN" | "BANDIR") => "200 Banned",
        Some("PURGEKEYS") => "200 Purged 2 objects, expired 0 objects",
        _ if sent.2.starts_with("xkey") => "200 Invalidated 1 objects",
        _ => "200 Purged",
    };
    site.play(&Case {
        client: "by a scope",
        pages: PAGES,
        sent: bytes(sent, token).leak(),
        answer,
        says: "x-purged-count",
        gone,
        stale: &[],
    });
}

#[test]
fn a_token_for_tags_purges_tags() {
    let site = Site::configured(TOKENS);
    BY_TAGS.iter().for_each(|case| allowed(&site, case, TAGGER));
    AT_A_HOST.iter().for_each(|(sent, _)| refused(&site, sent, TAGGER));
    FOR_NOBODY.iter().for_each(|sent| refused(&site, sent, TAGGER));
    site.larder.says("tagger may only purge tags");
    assert!(!site.larder.events().contains("secret-tagger"), "no token is written down");
}

#[test]
fn a_token_for_a_host_purges_there() {
    let site = Site::configured(TOKENS);
    AT_A_HOST.iter().for_each(|case| allowed(&site, case, HOSTER));
    BY_TAGS.iter().for_each(|(sent, _)| refused(&site, sent, HOSTER));
    FOR_NOBODY.iter().for_each(|sent| refused(&site, sent, HOSTER));
    site.store(PAGES);
    let refresh = bytes(&("REFRESH /1", "a.test", "X-None: 1", ""), HOSTER);
    assert!(replay(site.larder.proxy, &refresh).starts_with("HTTP/1.1 200 "));
}

#[test]
fn a_token_for_looking_purges_nothing() {
    let site = Site::configured(TOKENS);
    let cases = BY_TAGS.iter().chain(AT_A_HOST).map(|(sent, _)| sent);
    cases.chain(FOR_NOBODY).for_each(|sent| refused(&site, sent, READER));
}

/// A token is none where it isn't good: what looks like a page is one.
#[test]
fn a_token_is_good_in_its_networks() {
    let site = Site::configured(TOKENS);
    site.store(PAGES);
    let token = "Fastly-Key: secret-elsewhere";
    let purge = bytes(&("PURGE /1", "a.test", "X-None: 1", ""), token);
    assert!(replay(site.larder.proxy, &purge).starts_with("HTTP/1.1 403 "));
    let before = site.origin.count();
    let all = bytes(&("POST /service/S/purge_all", "a.test", "X-None: 1", ""), token);
    assert!(replay(site.larder.proxy, &all).starts_with("HTTP/1.1 200 "));
    assert_eq!(site.origin.count(), before + 1);
    assert_eq!(site.state(&PAGES[0]), "fresh");
}

fn recorded(site: &Site) -> Vec<Value> {
    let answer = get(site.larder.admin, "/v1/purges", &[("Host", "localhost")]);
    let said: Value = serde_json::from_slice(&answer.body).expect("a JSON document");
    said["purges"].as_array().expect("purges").clone()
}

#[test]
fn purges_in_dialects_are_recorded() {
    let site = Site::configured(TOKENS);
    for sent in [
        bytes(&("POST /service/S/purge/one", "a.test", "X-None: 1", ""), TAGGER),
        bytes(&("PURGEKEYS /", "a.test", "xkey-purge: a\nxkey-softpurge: b", ""), TAGGER),
        bytes(&("REFRESH /1", "a.test", "X-None: 1", ""), HOSTER),
        bytes(&("PURGE /1", "a.test", "X-None: 1", ""), HOSTER),
        bytes(&("PURGE /1", "b.test", "X-None: 1", ""), HOSTER),
    ] {
        replay(site.larder.proxy, &sent);
    }
    let told: Vec<Value> = recorded(&site)
        .iter()
        .rev()
        .map(|purge| json!([purge["by"], purge["via"], purge["soft"], purge["peer"]]))
        .collect();
    let here = "127.0.0.1";
    let expected = [
        json!(["tagger", "fastly", false, here]),
        json!(["tagger", "foshttpcache", false, here]),
        json!(["tagger", "foshttpcache", true, here]),
        json!(["hoster", "lagoon", true, here]),
        json!(["hoster", "url", false, here]),
    ];
    assert_eq!(told, expected);
}
