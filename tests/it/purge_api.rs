//! `/v1/purge` and `/v1/purges` as scripts use them: who may, what is written
//! down, what is refused and where it is wrong.

use crate::harness::{Larder, Origin, Response, reply, request};
use serde_json::{Value, json};
use std::path::PathBuf;

fn site() -> Origin {
    Origin::answering(|seen| {
        let tag = format!("Cache-Tag: all, {}", seen.target.replace('/', "t"));
        reply(200, &["Cache-Control: max-age=60", &tag], "page")
    })
}

fn said(answer: &Response) -> Value {
    serde_json::from_slice(&answer.body).expect("a JSON document")
}

/// A larder by a file with these lines, in front of the site; the directory goes
/// with it.
fn configured(origin: &Origin, lines: &str) -> (Larder, tempfile::TempDir) {
    let dir = tempfile::tempdir().expect("a directory");
    let path: PathBuf = dir.path().join("larder.toml");
    let text = format!(
        "listen = '127.0.0.1:0'\norigin.to = '{}'\nadmin.listen = '127.0.0.1:0'\n{lines}",
        origin.address
    );
    std::fs::write(&path, text).expect("a file");
    let larder = Larder::spawn(&["run", "--config", &path.display().to_string()], &[]);
    (larder, dir)
}

fn admin(
    larder: &Larder,
    method: &str,
    path: &str,
    fields: &[(&str, &str)],
    document: &str,
) -> Response {
    let fields = [&[("Host", "localhost")], fields].concat();
    request(larder.admin, method, path, &fields, document.as_bytes())
}

fn look(larder: &Larder, path: &str) -> Value {
    let answer = admin(larder, "GET", path, &[], "");
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    said(&answer)
}

/// The problem that an answer is; checks that it is a whole one.
fn problem(answer: &Response, status: u16, name: &str) -> Value {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(answer.field("content-type"), Some("application/problem+json"));
    let said = said(answer);
    assert_eq!(said["type"], format!("/problems/{name}"), "{said}");
    assert_eq!(said["status"], status);
    assert!(said["title"].is_string() && said["detail"].is_string(), "{said}");
    said
}

#[test]
fn a_document_is_refused_with_every_place_that_is_wrong() {
    let origin = site();
    let larder = Larder::in_front_of(origin.address, &[]);
    larder.get("/a");
    let document = json!({"urls": ["http://site.test/a", "/a"], "tags": ["t\n"]}).to_string();
    let said = problem(&larder.purge(&document), 400, "invalid-request");
    let pointers: Vec<&Value> =
        said["errors"].as_array().expect("errors").iter().map(|error| &error["pointer"]).collect();
    assert_eq!(pointers, ["/urls/1", "/tags/0"]);
    let many = json!({ "tags": vec!["t"; 10_001] }).to_string();
    let said = problem(&larder.purge(&many), 400, "invalid-request");
    assert_eq!(said["errors"][0]["pointer"], "/tags/10000");
    let large = json!({ "tags": vec!["t".repeat(1000); 5000] }).to_string();
    problem(&larder.purge(&large), 413, "too-large");
    assert!(larder.get("/a").is_hit(), "nothing was done");
    assert_eq!(look(&larder, "/v1/purges"), json!({ "purges": [] }));
    // What `type` points to is there.
    let page = admin(&larder, "GET", "/problems/invalid-request", &[], "");
    assert_eq!((page.status, said["title"].clone()), (200, self::said(&page)["title"].clone()));
    problem(&admin(&larder, "GET", "/problems/other", &[], ""), 404, "not-found");
    problem(&admin(&larder, "GET", "/v1/other", &[], ""), 404, "not-found");
    problem(&admin(&larder, "PUT", "/v1/purges", &[], ""), 405, "method-not-allowed");
}

#[test]
fn every_purge_is_written_down_the_newest_first() {
    let origin = site();
    let larder = Larder::in_front_of(origin.address, &[]);
    larder.get("/a");
    larder.get("/b");
    let first = said(&larder.purge(r#"{"urls":["https://site.test/a"],"soft":true}"#));
    assert_eq!(first["number"], 1);
    request(larder.proxy, "PURGE", "/b?x", &[], b"");
    larder.purge(r#"{"tags":["all","none"],"prefixes":["http://site.test/b/"]}"#);
    larder.purge(r#"{"all":true}"#);

    let said = look(&larder, "/v1/purges");
    let purges = said["purges"].as_array().expect("purges");
    let of = |name: &str| purges.iter().map(|purge| purge[name].clone()).collect::<Vec<_>>();
    assert_eq!(of("number"), [4, 3, 2, 1]);
    assert_eq!(of("via"), ["api", "api", "url", "api"]);
    assert_eq!(of("by"), ["127.0.0.1"; 4]);
    assert_eq!(of("soft"), [false, false, false, true]);
    assert_eq!(of("purged"), [0, 2, 0, 1]);
    assert_eq!(
        of("selectors"),
        [
            json!({"all": true}),
            json!({"tags": ["all", "none"], "prefixes": ["site.test/b"]}),
            json!({"urls": ["http://site.test/b?x"]}),
            json!({"urls": ["http://site.test/a"]}),
        ]
    );
    let at = purges[0]["at"].as_str().expect("a time");
    assert!(at.len() == 24 && at.ends_with('Z'), "{at}");

    let numbers = |path: &str| {
        let said = look(&larder, path);
        let list = said["purges"].as_array().expect("purges").clone();
        list.iter().map(|purge| purge["number"].as_u64().expect("a number")).collect::<Vec<_>>()
    };
    assert_eq!(numbers("/v1/purges?limit=2"), [4, 3]);
    assert_eq!(numbers("/v1/purges?since=3"), [4]);
    assert_eq!(numbers("/v1/purges?since=1&limit=1"), [4]);
    for query in ["limit=0", "limit=1001", "limit=", "since=-1", "since=x", "other=1", "limit"] {
        let answer = admin(&larder, "GET", &format!("/v1/purges?{query}"), &[], "");
        problem(&answer, 400, "invalid-request");
    }
    assert_eq!(look(&larder, "/v1/purges/3")["via"], "api");
    for number in ["0", "5", "x", "+1", "99999999999999999999"] {
        let answer = admin(&larder, "GET", &format!("/v1/purges/{number}"), &[], "");
        problem(&answer, 404, "not-found");
    }
    larder.says("number=3 by=\"127.0.0.1\" peer=127.0.0.1 via=\"api\" soft=false purged=2");
}

#[test]
fn what_the_app_says_itself_is_written_down() {
    let origin = Origin::answering(|_| reply(200, &["Cache-Group-Invalidation: \"articles\""], ""));
    let larder = Larder::in_front_of(origin.address, &[]);
    request(larder.proxy, "POST", "/a", &[], b"x");
    let said = look(&larder, "/v1/purges");
    let purge = &said["purges"][0];
    assert_eq!((&purge["via"], &purge["by"]), (&json!("in-band"), &json!("the app")));
    assert_eq!(purge["selectors"]["groups"], json!(["site.test articles"]));
    assert_eq!(purge["purged"], Value::Null);
}

const TOKENS: &str = "[[admin.tokens]]\nname = 'all'\ntoken = 'secret-all'\n\
    [[admin.tokens]]\nname = 'reader'\ntoken = 'secret-reader'\nscope = 'read'\n\
    [[admin.tokens]]\nname = 'tagger'\nscope = 'tags'\n\
    token = 'sha256:DIGEST'\n\
    [[admin.tokens]]\nname = 'hoster'\ntoken = 'secret-hoster'\nscope = 'hosts'\n\
    hosts = ['site.test']\n\
    [[admin.tokens]]\nname = 'elsewhere'\ntoken = 'secret-elsewhere'\nnetworks = '192.0.2.0/24'\n";

#[test]
fn a_token_may_do_what_its_scope_says_and_nothing_else() {
    use sha2::Digest;
    let digest = sha2::Sha256::digest("secret-tagger");
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let origin = site();
    let (larder, _dir) = configured(&origin, &TOKENS.replace("DIGEST", &digest));
    let ask = |who: &str, method: &str, path: &str, document: &str| {
        let bearer = format!("Bearer {who}");
        admin(&larder, method, path, &[("Authorization", &bearer)], document)
    };
    let urls = r#"{"urls":["http://site.test/a"]}"#;
    let others = r#"{"urls":["http://site.test/a","http://other.test/a"]}"#;
    let tags = r#"{"tags":["all"]}"#;
    let everything = r#"{"all":true}"#;
    let cases: [(&str, &str, &str, &str, [u16; 4]); 7] = [
        // all, reader, tagger, hoster
        ("purge of urls", "POST", "/v1/purge", urls, [200, 403, 403, 200]),
        ("purge of other urls", "POST", "/v1/purge", others, [200, 403, 403, 403]),
        ("purge of tags", "POST", "/v1/purge", tags, [200, 403, 200, 403]),
        ("purge of everything", "POST", "/v1/purge", everything, [200, 403, 403, 403]),
        ("record", "GET", "/v1/purges", "", [200, 200, 200, 200]),
        ("numbers", "GET", "/v1/stats", "", [200, 200, 403, 403]),
        ("reload", "POST", "/v1/reload", "", [200, 403, 403, 403]),
    ];
    for (what, method, path, document, expected) in cases {
        for (who, expected) in ["all", "reader", "tagger", "hoster"].iter().zip(expected) {
            larder.get("/a");
            let answer = ask(&format!("secret-{who}"), method, path, document);
            assert_eq!(answer.status, expected, "{who}: {what}: {}", answer.text());
            if expected == 403 {
                problem(&answer, 403, "forbidden");
                assert!(larder.get("/a").is_hit(), "{who}: {what}: nothing was done");
                larder.says(&format!("by={who}"));
            }
        }
    }
    for who in ["secret", "secret-allx", "secret-elsewhere", &digest, &format!("sha256:{digest}")] {
        let answer = ask(who, "POST", "/v1/purge", everything);
        problem(&answer, 401, "unauthorized");
        assert_eq!(answer.field("www-authenticate"), Some("Bearer"));
    }
    // Each sees its own purges, but who may look sees all.
    let seen = |who: &str| {
        let said = said(&ask(who, "GET", "/v1/purges", ""));
        let by = |purge: &Value| purge["by"].as_str().expect("a name").to_string();
        said["purges"].as_array().expect("purges").iter().map(by).collect::<Vec<_>>()
    };
    assert_eq!(seen("secret-tagger"), ["tagger"]);
    assert_eq!(seen("secret-hoster"), ["hoster"]);
    assert_eq!(seen("secret-reader").len(), 6);
    let first = ask("secret-tagger", "GET", "/v1/purges/1", "");
    problem(&first, 404, "not-found");
    assert!(!larder.events().contains("secret-"), "no token is in the log");
}

#[test]
fn a_token_with_a_scope_counts_at_the_proxy_too() {
    let origin = site();
    let lines = "purge.networks = []\n\
        [[purge.tokens]]\nname = 'hoster'\ntoken = 'secret'\nscope = 'hosts'\nhosts = ['site.test']\n";
    let (larder, _dir) = configured(&origin, lines);
    let purge = |host: &str, token: &str| {
        let bearer = format!("Bearer {token}");
        request(larder.proxy, "PURGE", "/a", &[("Host", host), ("Authorization", &bearer)], b"")
    };
    larder.get("/a");
    assert_eq!(purge("site.test", "guess").status, 403);
    assert_eq!(purge("other.test", "secret").status, 403);
    assert!(larder.get("/a").is_hit());
    assert_eq!(purge("site.test", "secret").status, 200);
    assert!(!larder.get("/a").is_hit());
    assert_eq!(look(&larder, "/v1/purges")["purges"][0]["by"], "hoster");
}

#[test]
fn a_purge_that_is_sent_again_is_answered_again_and_not_made_again() {
    let origin = site();
    let larder = Larder::in_front_of(origin.address, &[]);
    let send = |key: &str, document: &str| {
        admin(&larder, "POST", "/v1/purge", &[("Idempotency-Key", key)], document)
    };
    larder.get("/a");
    let tags = r#"{"tags":["all"]}"#;
    let first = send("\"one\"", tags);
    assert_eq!((first.status, said(&first)["purged"].as_u64()), (200, Some(1)));
    larder.get("/a");
    let again = send("\"one\"", tags);
    assert_eq!((again.status, &again.body), (200, &first.body));
    assert!(larder.get("/a").is_hit(), "it was not made again");
    problem(&send("\"one\"", r#"{"tags":["other"]}"#), 422, "key-reused");
    problem(&send("", tags), 400, "invalid-request");
    problem(&send(&"x".repeat(256), tags), 400, "invalid-request");
    // What was refused was never done, and stands for nothing.
    problem(&send("two", "{}"), 400, "invalid-request");
    assert_eq!(said(&send("two", tags))["purged"], 1);
    assert_eq!(look(&larder, "/v1/purges")["purges"].as_array().map(Vec::len), Some(2));
}
