use super::*;
use http::{HeaderName, HeaderValue};

struct Sent {
    method: Method,
    target: Target,
    fields: HeaderMap,
    body: &'static str,
}

/// A request of `site.test`: its request line, its fields a line each, its body.
fn sent(line: &str, fields: &str, body: &'static str) -> Sent {
    let (method, path) = line.split_once(' ').expect("a method and a path");
    let mut read = HeaderMap::new();
    for field in fields.lines() {
        let (name, value) = field.split_once(':').expect("a field");
        let name = HeaderName::from_bytes(name.trim().as_bytes()).expect("a name");
        read.append(name, HeaderValue::from_str(value.trim()).expect("a value"));
    }
    Sent {
        method: Method::from_bytes(method.as_bytes()).expect("a method"),
        target: Target::from_url(&format!("http://site.test{path}")).expect("a path"),
        fields: read,
        body,
    }
}

impl Sent {
    fn head(&self) -> Head<'_> {
        Head { method: &self.method, target: &self.target, fields: &self.fields }
    }

    fn claim(&self, understood: &Understood) -> Option<Claim> {
        recognise(&self.head(), understood)
    }

    /// What it purges in words: softly or not, and by what.
    fn wish(&self, understood: &Understood) -> Result<String, String> {
        let claim = self.claim(understood).ok_or("no purge")?;
        let wish = claim.read(&self.head(), self.body.as_bytes()).map_err(|m| m.detail)?;
        let Wish::Purge(purge) = wish else { return Ok("refresh".into()) };
        let told: Vec<String> = [("", &purge.hard), ("soft ", &purge.soft)]
            .into_iter()
            .filter(|(_, selectors)| !selectors.is_empty())
            .map(|(how, selectors)| format!("{how}{}", in_words(selectors)))
            .collect();
        Ok(told.join("; "))
    }
}

fn in_words(selectors: &Selectors) -> String {
    let mut words = Vec::new();
    let urls = selectors.keys.iter().step_by(2).map(|key| key.target().to_string());
    words.extend(urls);
    words.extend(selectors.tags.iter().map(|tag| format!("#{tag}")));
    words.extend(selectors.hosts.iter().map(|host| format!("host {}", host.as_str())));
    words.extend(selectors.prefixes.iter().map(|_| "prefix".to_owned()));
    words.extend(selectors.groups.iter().map(|_| "group".to_owned()));
    words.extend(selectors.patterns.iter().map(|_| "pattern".to_owned()));
    words.extend(selectors.everything.then(|| "everything".to_owned()));
    words.join(" ")
}

const ASKED: &[(&str, &str, &str, &str)] = &[
    ("PURGE /a?b", "", "", "http://site.test/a?b"),
    ("PURGE /a", "Fastly-Soft-Purge: 1", "", "soft http://site.test/a"),
    ("PURGE /a", "X-Purge-Mode: soft", "", "soft http://site.test/a"),
    ("PURGE /a", "X-Purge-Mode: hard", "", "http://site.test/a"),
    ("PURGE /a*", "", "", "pattern"),
    ("PURGE /purge/a", "", "", "http://site.test/purge/a http://site.test/a"),
    ("PURGE /a", "X-Purge-Method: default", "", "http://site.test/a"),
    ("PURGE /.*", "X-Purge-Method: regex", "", "pattern"),
    ("PURGE /", "xkey: a b,c", "", "#a #b #c"),
    ("PURGE /", "Surrogate-Key: /books, /books/1", "", "#/books #/books/1"),
    ("PURGE /souin-api/souin", "Surrogate-Key: a, b", "", "#a #b"),
    ("PURGE /", "key: t1", "", "#t1"),
    ("PURGE /", "X-Cache-Tags: a,b", "", "#a #b"),
    ("PURGE /", "Cache-Tag: a, b\nX-Purge-Mode: soft", "", "soft #a #b"),
    ("PURGE /", "Clear-Cache: true", "", "everything"),
    ("PURGE /", "X-Magento-Tags-Pattern: .*", "", "pattern"),
    ("PURGE /", "X-Magento-Tags-Pattern: a\nX-Magento-Purge-Soft: 1", "", "soft pattern"),
    ("PURGE /souin-api/souin/flush", "", "", "everything"),
    ("PURGE /souin-api/souin/GET-http-x.test-/a", "", "", "http://x.test/a pattern"),
    ("PURGE /souin-api/souin/.+", "", "", "pattern"),
    ("PURGEKEYS /", "xkey-softpurge: a b", "", "soft #a #b"),
    ("PURGEKEYS /", "xkey-purge: a\nxkey-softpurge: b", "", "#a; soft #b"),
    ("PURGETAGS /", "X-Cache-Tags: a,b", "", "#a #b"),
    ("PURGETAG /", "purgetag-list: a, b", "", "#a #b"),
    ("PURGEALL /", "", "", "everything"),
    ("FULLBAN /", "", "", "everything"),
    ("BANDIR /dir/", "", "", "prefix"),
    ("URIBAN /a", "", "", "http://site.test/a pattern"),
    ("URIBAN /a(1.jpg", "", "", "http://site.test/a(1.jpg"),
    ("REFRESH /a", "", "", "refresh"),
    ("BAN /", "", "", "everything"),
    ("BAN /a", "", "", "pattern"),
    ("BAN /a/*", "", "", "pattern"),
    ("BAN /site", "", "", "host site.test"),
    ("BAN /", "Cache-Tags: node:1 node:2", "", "#node:1 #node:2"),
    ("BAN /tags", "Cache-Tags: node:1", "", "#node:1"),
    ("BAN /", "Purge-Cache-Tags: node:1|node:2", "", "#node:1 #node:2"),
    ("BAN /", "ApiPlatform-Ban-Regex: (/books/1|/books)($|\\,)", "", "pattern"),
    ("BAN /", "X-Host: .*\nX-Url: ^/a\nX-Content-Type: .*", "", "pattern"),
    ("BAN /", "Varnish-Ban-All: 1", "", "everything"),
    (
        "BAN /",
        "Varnish-Ban-All: 1\nVarnish-Ban-TYPO3-Sitename: My site",
        "",
        "#TYPO3-Sitename:My site",
    ),
    ("BAN /", "Varnish-Ban-TYPO3-Sitename: s\nVarnish-Ban-TYPO3-Pid: 12", "", "#TYPO3-Pid:12"),
    ("BAN /", "Varnish-Ban-TYPO3-Sitename: s\nxkey-purge: tag", "", "#tag"),
    ("POST /service/S/purge/a%2Fb", "", "", "#a/b"),
    ("POST /service/S/purge/a", "fastly-soft-purge: 1", "", "soft #a"),
    ("POST /service/S/purge", "", r#"{"surrogate_keys": ["a", "b"]}"#, "#a #b"),
    ("POST /service/S/purge", "Surrogate-Key: a b", "", "#a #b"),
    ("POST /service/S/purge_all", "", "", "everything"),
    ("POST /purge/www.x.test/b?c", "", "", "http://www.x.test/b?c"),
    (
        "POST /client/v4/zones/Z/purge_cache",
        "",
        r#"{"files":["http://a.b/c",{"url":"https://a.b/d","headers":{"Origin":"x"}}]}"#,
        "http://a.b/c http://a.b/d",
    ),
    (
        "POST /client/v4/zones/Z/purge_cache",
        "",
        r#"{"tags":["a b"],"hosts":["A.b:443"],"prefixes":["a.b/c"]}"#,
        "#a b host a.b prefix",
    ),
    ("DELETE /client/v4/zones/Z/purge_cache", "", r#"{"purge_everything":true}"#, "everything"),
    (
        "POST /souin-api/souin",
        "",
        r#"{"type":"uri","selectors":["/a","http://b.c/d"],"purge":true}"#,
        "http://site.test/a http://b.c/d",
    ),
    (
        "POST /souin-api/souin",
        "",
        r#"{"type":"group","selectors":["http://b.c"],"groups":["g"]}"#,
        "soft #g group",
    ),
    (
        "POST /souin-api/souin",
        "",
        r#"{"type":"uri-prefix","selectors":["http://b.c/d"],"purge":true}"#,
        "prefix",
    ),
    (
        "POST /souin-api/souin",
        "",
        r#"{"type":"origin","selectors":["http://b.c"],"purge":true}"#,
        "host b.c",
    ),
    ("GET /purge/a", "", "", "http://site.test/purge/a http://site.test/a"),
];

#[test]
fn what_each_request_asks_for() {
    for &(line, fields, body, expected) in ASKED {
        let sent = sent(line, fields, body);
        assert_eq!(sent.wish(&Understood::All).as_deref(), Ok(expected), "{line} {fields} {body}");
    }
}

#[test]
fn what_makes_no_sense_is_said_with_its_place() {
    let long = format!("xkey: a {}", "x".repeat(1025));
    let many = format!("xkey: {}", vec!["a"; 1001].join(" "));
    let thirty = vec!["\"k\""; 257].join(",");
    let keys: &'static str = format!("{{\"surrogate_keys\":[{thirty}]}}").leak();
    for (line, fields, body, expected) in [
        ("PURGE /", long.as_str(), "", "xkey, tag 2: a tag has 1 to 1024 bytes"),
        ("PURGE /", many.as_str(), "", "1001 selectors; 1000 may be purged at once"),
        ("PURGE /", "xkey: ,", "", "xkey: it names no tag"),
        ("PURGE /", "Clear-Cache: no", "", "clear-cache: it has to be \"true\""),
        ("PURGE /", "X-Magento-Tags-Pattern: (a", "", "x-magento-tags-pattern: at byte 0"),
        ("PURGE /(a*", "X-Purge-Method: regex", "", "the URL: at byte"),
        ("PURGE /VirtualHostBase/x/VirtualHostRoot/", "", "", "the path: no scheme"),
        ("PURGE /souin-api/souin", "", "", "Surrogate-Key or a key has to be there"),
        ("PURGEKEYS /", "", "", "xkey-purge or xkey-softpurge has to be there"),
        ("PURGETAGS /", "", "", "x-cache-tags: it names no tag"),
        ("BAN /", "X-Host: a\nX-Host: b", "", "x-host: it is given twice"),
        ("BAN /", "X-Url: (", "", "x-url: at byte 0: unclosed group"),
        ("BAN /", "X-Url: (x{1000}){1000}", "", "x-url: "),
        ("BAN /", "X-Content-Type: [", "", "x-content-type: at byte"),
        ("BAN /", "X-Cache-Tags: (^|,)(a(,|$)", "", "x-cache-tags: at byte"),
        ("BAN /(", "", "", "the URL: at byte 1"),
        ("URIBAN /^(", "", "", "the URL: at byte"),
        ("POST /service/S/purge", "", r#"{"keys":["a"]}"#, "the body: unknown field `keys`"),
        ("POST /service/S/purge", "", r#"{"surrogate_keys":["a","\u0007"]}"#, "surrogate_keys[1]:"),
        ("POST /service/S/purge", "", r#"{"surrogate_keys":[]}"#, "0 keys"),
        ("POST /service/S/purge", "", keys, "257 keys; 1 to 256"),
        ("POST /service/S/purge", "", "", "surrogate-key: it names no tag"),
        ("POST /service/S/purge/%07", "", "", "the key in the path: "),
        ("POST /purge/[x/b", "", "", "the path: "),
        ("POST /client/v4/zones/Z/purge_cache", "", "{", "the body: EOF"),
        ("POST /client/v4/zones/Z/purge_cache", "", "{}", "nothing to purge"),
        ("POST /client/v4/zones/Z/purge_cache", "", r#"{"tag":[]}"#, "unknown field `tag`"),
        ("POST /client/v4/zones/Z/purge_cache", "", r#"{"files":["/a"]}"#, "files[0] \"/a\""),
        ("POST /client/v4/zones/Z/purge_cache", "", r#"{"tags":["a",""]}"#, "tags[1]"),
        ("POST /client/v4/zones/Z/purge_cache", "", r#"{"hosts":["a/b"]}"#, "hosts[0]"),
        ("POST /souin-api/souin", "", r#"{"type":"all"}"#, "unknown variant `all`"),
        ("POST /souin-api/souin", "", r#"{"type":"uri"}"#, "nothing to purge"),
        ("POST /souin-api/souin", "", r#"{"type":"uri","selectors":["x"]}"#, "selectors[0]"),
    ] {
        let mistake = sent(line, fields, body).wish(&Understood::All);
        let detail = mistake.expect_err(&format!("{line} {fields} {body}"));
        assert!(detail.contains(expected), "{line} {fields} {body}: {detail}");
    }
}

#[test]
fn pages_of_the_app_are_none_of_our_business() {
    for line in [
        "GET /",
        "GET /purge",
        "GET /service/S/purge/a",
        "POST /",
        "POST /purge",
        "POST /service/purge",
        "POST /service//purge",
        "POST /service/S/purge/",
        "POST /service/S/purges",
        "POST /services/S/purge",
        "PUT /service/S/purge",
        "POST /client/v4/zones/Z/other",
        "POST /client/v4/zones//purge_cache",
        "POST /client/v4/zones/a/b/purge_cache",
        "POST /souin-api/souinx",
        "DELETE /a",
        "PROPFIND /a",
    ] {
        assert!(sent(line, "", "").claim(&Understood::All).is_none(), "{line}");
    }
}

#[test]
fn what_looks_like_a_page_needs_a_token_unless_it_is_named() {
    let only = |dialect| Understood::Only(vec![dialect]);
    for (line, dialect) in [
        ("POST /service/S/purge_all", Fastly),
        ("POST /client/v4/zones/Z/purge_cache", Cloudflare),
        ("POST /souin-api/souin", Souin),
        ("GET /purge/a", Nginx),
    ] {
        let claim = |fields, understood: &Understood| {
            let claim = sent(line, fields, "").claim(understood);
            claim.map(|claim| (claim.may_be_a_page, claim.by_token_only))
        };
        assert_eq!(claim("", &Understood::All), Some((true, true)), "{line}");
        assert_eq!(claim("", &only(dialect)), Some((true, false)), "{line}");
        // Not from a page that a browser shows.
        assert_eq!(claim("Origin: http://evil.test", &only(dialect)), Some((true, true)), "{line}");
        assert_eq!(claim("Sec-Fetch-Site: none", &only(dialect)), Some((true, true)), "{line}");
        assert_eq!(claim("", &only(Url)), None, "{line}");
    }
}

#[test]
fn what_a_web_page_sends_takes_a_token() {
    let by_token_only = |line, fields| {
        let understood = Understood::Only(vec![Url, Nginx, Lagoon, Varnish, Fastly]);
        sent(line, fields, "").claim(&understood).map(|claim| claim.by_token_only)
    };
    for line in ["PURGE /a", "PURGEALL /", "BAN /", "REFRESH /a", "POST /service/s/purge_all"] {
        assert_eq!(by_token_only(line, ""), Some(false), "{line}");
        assert_eq!(by_token_only(line, "Accept-Language: *"), Some(false), "{line}");
        for field in ["Origin: http://a.test", "Origin: null", "Sec-Fetch-Site: same-origin"] {
            assert_eq!(by_token_only(line, field), Some(true), "{line} {field}");
        }
    }
    assert_eq!(by_token_only("GET /purge/a", ""), Some(false));
    assert_eq!(by_token_only("GET /purge/a", "Accept-Language: en"), Some(true));
}

#[test]
fn groups_at_many_origins_are_counted_before_they_are_made() {
    let document = |count: usize| {
        let selectors = vec!["/"; count];
        let groups = vec!["g"; count];
        serde_json::json!({"type": "group", "selectors": selectors, "groups": groups}).to_string()
    };
    let read = |document: String| {
        let purge = sent("POST /souin-api/souin", "", document.leak());
        purge.wish(&Understood::All)
    };
    assert!(read(document(30)).is_ok());
    // These would be a hundred thousand million.
    let refused = read(document(100_000)).expect_err("too many");
    assert!(refused.contains("10000000000 groups; 1000 may"), "{refused}");
}

#[test]
fn a_dialect_that_is_off_is_not_understood() {
    let only = |dialect| Understood::Only(vec![dialect]);
    let banned = sent("BAN /", "X-Url: ^/a", "");
    assert!(banned.claim(&only(Url)).is_none());
    assert!(banned.claim(&only(Typo3)).is_some());
    // The path of a purge is an expression only where Lagoon is named.
    let purge = sent("PURGE /a", "", "");
    assert_eq!(purge.wish(&Understood::All).as_deref(), Ok("http://site.test/a"));
    assert_eq!(purge.wish(&only(Lagoon)).as_deref(), Ok("http://site.test/a pattern"));
    assert!(purge.claim(&Understood::Only(Vec::new())).is_none());
    // A field of a dialect that is off does not widen what a URL means.
    let keyed = sent("PURGE /a", "xkey: b", "");
    assert_eq!(keyed.wish(&only(Url)).as_deref(), Ok("http://site.test/a"));
}

#[test]
fn every_dialect_has_a_name_and_a_form() {
    for (dialect, name) in Dialect::ALL {
        assert_eq!(Dialect::named(name), Some(dialect));
        let spoken = FORMS.iter().any(|form| form.of.contains(&dialect));
        assert!(spoken || dialect == LiteSpeed, "{name}");
        let row = format!("| `{name}` |");
        assert!(
            include_str!("../../docs/purging.md").contains(&row),
            "{name} in the documentation"
        );
    }
    let methods: Vec<&str> = FORMS.iter().flat_map(|form| form.methods).copied().collect();
    for own in OWN_METHODS {
        assert!(methods.contains(&own), "{own}");
    }
    for form in FORMS.iter().filter(|form| form.kind != Kind::Ordinary) {
        assert!(form.methods.iter().all(|method| OWN_METHODS.contains(method)));
    }
}

#[test]
fn a_token_may_stand_in_several_fields() {
    for (fields, expected) in [
        ("Authorization: Bearer a", Some("a")),
        ("authorization: bearer a", Some("a")),
        ("Fastly-Key: a", Some("a")),
        ("X-Auth-Email: e\nX-Auth-Key: a", Some("a")),
        ("X-Invalidate-Token: a", Some("a")),
        ("Authorization: Bearer b\nFastly-Key: a", Some("a")),
        ("Authorization: Basic a", None),
        ("", None),
    ] {
        let sent = sent("PURGE /", fields, "");
        let token = credential(&sent.fields).map(String::from_utf8_lossy);
        assert_eq!(token.as_deref(), expected, "{fields}");
    }
}
