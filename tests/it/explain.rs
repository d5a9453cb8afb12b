//! Why is this not cached? Asked of the real binary: by `larder get`, beside an answer,
//! at the admin port.

use crate::harness::{Gate, Larder, Origin, get, nobody, reply, together, wait_until};
use serde_json::Value;

fn shop() -> Origin {
    Origin::answering(|seen| match seen.target.split('?').next().unwrap_or_default() {
        "/cookie" => reply(200, &["Set-Cookie: sessionid=s3cret; HttpOnly"], "page"),
        "/private" => reply(200, &["Cache-Control: private, no-store, max-age=5"], "page"),
        "/nothing" => reply(200, &[], "page"),
        "/moved" => reply(302, &["Location: /page"], ""),
        "/broken" => reply(500, &[], "no"),
        "/hostile" => reply(
            200,
            &["Cache-Control: max-age=60", "X-Odd: <img src=x onerror=alert(1)>\u{fc}"],
            "page",
        ),
        "/mine" => {
            reply(200, &["Cache-Control: max-age=60", "Vary: Cookie", "X-Name: somebody"], "page")
        }
        _ => reply(200, &["Cache-Control: max-age=60", "Cache-Tag: shop", "ETag: \"1\""], "page"),
    })
}

/// The explanation beside an answer, if there is one.
fn beside(larder: &Larder, path: &str, fields: &[(&str, &str)]) -> Option<Value> {
    let fields = [&[("Larder-Debug", "")], fields].concat();
    let answer = larder.get_with(path, &fields);
    let told = answer.field("larder-explain")?;
    assert!(told.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{told}");
    Some(serde_json::from_str(told).expect("JSON"))
}

/// What the admin port explains.
fn explained(larder: &Larder, query: &str) -> Value {
    let path = format!("/v1/explain?{query}");
    let answer = get(larder.admin, &path, &[("Host", "localhost")]);
    serde_json::from_slice(&answer.body).expect("JSON")
}

/// A page's URL as the admin port is asked for it.
fn url(path: &str) -> String {
    format!("url=http://site.test{path}")
}

fn texts(list: &Value, member: &str) -> String {
    let all: Vec<&str> =
        list.as_array().expect("a list").iter().filter_map(|item| item[member].as_str()).collect();
    all.join(" | ")
}

#[test]
fn a_page_that_is_not_stored_is_explained_with_what_would_change_it() {
    let origin = shop();
    let larder = Larder::in_front_of(origin.address, &[]);
    let told = beside(&larder, "/cookie", &[]).expect("it is told");
    assert_eq!(told["outcome"]["token"], "uri-miss");
    assert_eq!(told["reason"]["code"], "set-cookie");
    assert_eq!(told["reason"]["clause"], "RFC 9111 s7.3");
    let answers = texts(&told["steps"], "answer");
    assert!(
        answers.ends_with("no: the response sets a cookie, which is for one visitor"),
        "{answers}"
    );
    // The cookie is not all: without it nothing would state a lifetime.
    assert_eq!(texts(&told["would"], "code"), "set-cookie | no-lifetime");
    let sentences = texts(&told["would"], "sentence");
    assert!(sentences.contains("if `Set-Cookie: sessionid` were absent"), "{sentences}");
    // The admin port knows it too, and doesn't ask the app.
    let asked = origin.count();
    let later = explained(&larder, &url("/cookie"));
    assert_eq!(later["reason"]["code"], "set-cookie");
    assert_eq!(texts(&later["would"], "code"), "set-cookie | no-lifetime");
    assert!(texts(&later["steps"], "question").contains("What did the app answer last?"));
    assert!(!later.to_string().contains("s3cret"), "no cookie's value is remembered: {later}");
    assert_eq!(origin.count(), asked);
    let both = beside(&larder, "/private", &[]).expect("it is told");
    assert_eq!(texts(&both["would"], "code"), "no-store | private");
}

#[test]
fn a_stored_page_is_explained_with_its_arithmetic() {
    let origin = shop();
    let larder = Larder::in_front_of(origin.address, &[]);
    let nothing = explained(&larder, &url("/page"));
    assert_eq!(nothing["outcome"]["token"], "uri-miss");
    assert_eq!((&nothing["reason"], origin.count()), (&Value::Null, 0));
    let miss = beside(&larder, "/page", &[]).expect("it is told");
    let answers = texts(&miss["steps"], "answer");
    assert!(answers.matches("yes").count() > 13, "all was asked and nothing refused: {answers}");
    assert!(larder.get("/page").is_hit());
    let fields = "&header=Accept-Language:%20de&header=cookie:%20a=b";
    for told in [
        beside(&larder, "/page", &[("Accept-Language", "de"), ("Cookie", "a=b")]).expect("told"),
        explained(&larder, &(url("/page") + fields)),
    ] {
        assert_eq!(told["outcome"]["token"], "hit", "{told}");
        let variant = &told["variants"][0];
        assert_eq!((&variant["selected"], &variant["bytes"]), (&true.into(), &4.into()));
        assert_eq!(variant["tags"][0], "shop");
        assert_eq!(variant["arithmetic"][0], "lifetime: 60 s, by max-age");
        assert!(texts(&told["steps"], "answer").contains("yes: lifetime: 60 s"), "{told}");
        let left = texts(&told["request"]["left_out"], "what");
        assert!(left.contains("accept-language"), "{left}");
        assert!(!left.contains("x-request-id"), "nobody has sent one: {left}");
        let browser = told["browser"]["sentence"].as_str().expect("what a browser does");
        assert!(browser.starts_with("shows it for "), "{browser}");
    }
    assert_eq!(origin.count(), 1);
}

#[test]
fn what_was_decisive_is_not_among_what_makes_no_difference() {
    let origin = shop();
    let larder =
        Larder::with_env(origin.address, &[], &[("LARDER_CACHE__IDENTITY_FIELDS", "X-Me")]);
    for (path, field, code) in [
        ("/nothing", ("Cookie", "session=abc"), "identity-cookie"),
        ("/nothing", ("X-Me", "1"), "identity-field"),
        ("/nothing", ("X-Api-Key", "1"), "identity-field"),
        ("/page", ("Authorization", "Basic YTpi"), "authorization"),
        ("/page", ("If-Match", "\"2\""), "precondition"),
        ("/page", ("Cache-Control", "only-if-cached"), "only-if-cached"),
    ] {
        let told = beside(&larder, path, &[field, ("Accept-Language", "de")]).expect("it is told");
        assert_eq!(told["reason"]["code"], code, "{told}");
        let left = texts(&told["request"]["left_out"], "what");
        assert_eq!(left, "fields: accept-language", "{code}");
    }
}

#[test]
fn who_may_not_know_is_told_nothing_and_the_app_sees_no_token() {
    let origin = shop();
    let env = [("LARDER_ADMIN__TOKEN", "the-secret-of-larder")];
    let larder = Larder::with_env(origin.address, &[], &env);
    for wrong in ["", "wrong", "the-secret-of-larde"] {
        assert_eq!(beside(&larder, "/page", &[("Larder-Debug", wrong)]), None, "{wrong}");
        let answer = larder.get_with("/page", &[("Larder-Debug", wrong)]);
        assert_eq!(answer.field("larder-explain"), None);
    }
    let answer = larder.get_with("/cookie", &[("Larder-Debug", "the-secret-of-larder")]);
    assert!(answer.field("larder-explain").is_some_and(|told| told.contains("set-cookie")));
    for seen in origin.seen() {
        assert_eq!(seen.field("larder-debug"), None);
    }
    // Without a token: this machine, unless somebody says that it asks for another.
    let open = Larder::in_front_of(origin.address, &[]);
    assert!(beside(&open, "/page", &[]).is_some());
    assert_eq!(beside(&open, "/page", &[("X-Forwarded-For", "192.0.2.1")]), None);
    // Nobody else gets what one was told.
    assert_eq!(open.get("/page").field("larder-explain"), None);
    assert_eq!(open.get("/cookie").field("larder-explain"), None);
}

#[test]
fn another_visitors_variant_is_counted_and_not_shown() {
    let origin = shop();
    let larder = Larder::in_front_of(origin.address, &[]);
    larder.get_with("/mine", &[("Cookie", "sessionid=1")]);
    let told = beside(&larder, "/mine", &[("Cookie", "sessionid=2")]).expect("it is told");
    let variant = &told["variants"][0];
    assert_eq!((&variant["selected"], &variant["fields"]), (&false.into(), &Value::Array(vec![])));
    assert!(!told.to_string().contains("somebody"), "{told}");
    assert!(texts(&told["steps"], "answer").contains("no: in cookie it differs"), "{told}");
}

#[test]
fn what_the_app_says_can_not_break_out_of_the_explanation() {
    let origin = shop();
    let larder = Larder::in_front_of(origin.address, &[]);
    larder.get("/hostile");
    let told = beside(&larder, "/hostile", &[]).expect("it is told");
    let fields = told["variants"][0]["fields"].to_string();
    assert!(fields.contains("onerror=alert(1)>"), "{fields}");
}

#[test]
fn what_can_not_be_explained_is_a_clear_mistake() {
    let origin = shop();
    let larder = Larder::in_front_of(origin.address, &[]);
    for (query, words) in [
        ("", "url has to be there"),
        ("url=shop", "url: "),
        ("url=http://a.example/%ff", "not UTF-8"),
        ("url=http://a.example/&header=nonsense", "is not a field"),
        ("url=http://a.example/&method=G%20T", "is not a method"),
        ("url=http://a.example/&x=y", "the parameters are url, method and header"),
    ] {
        let told = explained(&larder, query);
        let detail = told["detail"].as_str().unwrap_or_default();
        assert!(told["status"] == 400 && detail.contains(words), "{query}: {told}");
    }
    let post = explained(&larder, "url=http://a.example/&method=POST");
    assert_eq!(post["outcome"]["token"], "method");
    let many = "&header=a:%20b".repeat(65);
    assert_eq!(explained(&larder, &format!("url=http://a.example/{many}"))["status"], 400);
}

#[test]
fn the_command_says_it_in_lines() {
    let origin = shop();
    let larder = Larder::in_front_of(origin.address, &[]);
    let page = |path: &str| format!("http://{}{path}", larder.proxy);
    let (code, said, _) = Larder::run(&["get", &page("/cookie"), "--cookie", "a=b"], &[]);
    assert_eq!(code, Some(0));
    for line in [
        "Forwarded to the app: nothing was stored for this URL. It was not stored: the response \
         sets a cookie, which is for one visitor.",
        "  7 questions about storing were answered well. Then:",
        "What would change that, all of it:",
        "- It would be stored if `Set-Cookie: sessionid` were absent.",
    ] {
        assert!(said.contains(line), "{line}\n\n{said}");
    }
    assert!(origin.last().field("cookie") == Some("a=b"));
    let (code, said, _) = Larder::run(&["get", &page("/page"), "--json"], &[]);
    let said: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!((code, &said["explanation"]["outcome"]["token"]), (Some(0), &"uri-miss".into()));
    let (code, _, error) = Larder::run(&["get", &page("/page"), "-H", "nonsense"], &[]);
    assert_eq!((code, error.contains("is not a field")), (Some(2), true), "{error}");
}

#[test]
fn what_to_do_goes_by_the_status() {
    let larder = Larder::in_front_of(shop().address, &[]);
    let ask = |path: &str| {
        let (code, said, _) = Larder::run(&["get", &format!("http://{}{path}", larder.proxy)], &[]);
        assert_eq!(code, Some(0));
        said
    };
    let page = ask("/nothing");
    assert!(page.contains("or if `cache.default_ttl` were set"), "{page}");
    // A link is its text, and code is set in.
    assert!(page.contains("\n      @cache_control(max_age=60)"), "{page}");
    assert!(!page.contains("```") && !page.contains("]("), "{page}");
    let moved = ask("/moved");
    assert!(moved.contains("no key of larder.toml gives one to a 302"), "{moved}");
    let advice = moved.split_once("What would change that").expect("advice").1;
    assert!(!advice.contains("default_ttl"), "{moved}");
    let broken = ask("/broken");
    assert!(
        broken.contains(
            "The app failed: it answered 500 Internal Server Error, which was not stored."
        ),
        "{broken}"
    );
    assert!(!broken.contains("What would change that"), "{broken}");
}

#[test]
fn what_to_do_is_said_where_the_app_could_not_be_reached() {
    let (_held, nobody) = nobody();
    let larder = Larder::with_env(nobody, &[], &[("LARDER_ORIGIN__HOLD", "0")]);
    let (code, said, _) = Larder::run(&["get", &format!("http://{}/", larder.proxy)], &[]);
    assert_eq!(code, Some(0));
    assert!(said.contains("The app could not be reached.\n"), "{said}");
    assert!(said.contains("What to do:\n  Start the app, and compare `origin.to`"), "{said}");
}

/// The page that visitors get over https is another one than that over http.
#[test]
fn an_https_url_is_asked_for_as_such_by_whom_larder_believes() {
    let origin = shop();
    let token = ("LARDER_ADMIN__TOKEN", "the-secret-of-larder");
    for (proxies, tokens, stored, expected) in [
        ("127.0.0.1", &["--token", "the-secret-of-larder"][..], "https", "Stored under https://"),
        (
            "none",
            &["--token", "the-secret-of-larder"],
            "http",
            "read this as http://site.test/page",
        ),
        ("127.0.0.1", &[], "https", "bears the admin token"),
    ] {
        let env = [("LARDER_TRUST__PROXIES", proxies), token];
        let larder = Larder::with_env(origin.address, &[], &env);
        let via = larder.proxy.to_string();
        let args = [&["get", "https://site.test/page", "--via", &via], tokens].concat();
        // The second time it is stored, and told of.
        Larder::run(&args, &[]);
        let (code, said, _) = Larder::run(&args, &[]);
        assert_eq!(code, Some(0));
        assert!(said.contains(expected), "{said}");
        let fields = [("X-Forwarded-Proto", stored)];
        assert!(larder.get_with("/page", &fields).is_hit(), "{proxies}");
    }
}

#[test]
fn what_costs_the_app_is_observed() {
    let origin = shop();
    let larder = Larder::in_front_of(origin.address, &[]);
    for path in ["/cookie", "/cookie", "/private", "/page", "/page", "/page"] {
        larder.get(path);
    }
    let answer = get(larder.admin, "/v1/observed", &[("Host", "localhost")]);
    let observed: Value = serde_json::from_slice(&answer.body).expect("JSON");
    let pages = observed["pages"].as_array().expect("pages");
    let page = |path: &str| {
        let url = format!("http://site.test{path}");
        let page = pages.iter().find(|page| page["url"] == url.as_str()).expect("the page");
        (page["requests"].as_u64(), page["origin_requests"].as_u64())
    };
    assert_eq!(page("/cookie"), (Some(2), Some(2)));
    for page in pages {
        let told = page["origin_seconds"].to_string();
        let places = told.split_once('.').map_or(0, |(_, places)| places.len());
        assert!(places <= 6, "no digit that nobody has measured: {told}");
    }
    assert_eq!(page("/page"), (Some(3), Some(1)));
    let reasons = observed["reasons"].as_array().expect("reasons");
    let cookie = reasons.iter().find(|reason| reason["code"] == "set-cookie").expect("it");
    assert_eq!(cookie["requests"], 2);
    assert!(cookie["fix"]["any"].is_string(), "{cookie}");
    assert!(cookie["example"].as_str().is_some_and(|url| url.ends_with("/cookie")));
}

#[test]
fn who_waits_for_another_ones_fetch_costs_the_app_nothing() {
    let gate = Gate::closed();
    let held = gate.clone();
    let origin = Origin::answering(move |_| {
        held.pass();
        reply(200, &["Cache-Control: max-age=60"], "page")
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    let proxy = larder.proxy;
    let asking = std::thread::spawn(move || together(5, move |_| get(proxy, "/", &[])));
    wait_until("one asks", || origin.count() == 1);
    gate.open();
    let answers = asking.join().expect("answers");
    let collapsed = answers.iter().filter(|a| a.cache_status().contains("collapsed")).count();
    let answer = get(larder.admin, "/v1/observed", &[("Host", "localhost")]);
    let observed: Value = serde_json::from_slice(&answer.body).expect("JSON");
    assert_eq!(observed["pages"][0]["origin_requests"], 1, "{collapsed} waited: {observed}");
}
