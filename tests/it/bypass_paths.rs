//! Paths that go past the cache, whoever asks and whatever is answered.

use crate::harness::{Gate, House, Larder, Origin, get, reply, request, together, wait_until};
use crate::reload::Configured;

const ADMIN: [(&str, &str); 1] = [("LARDER_CACHE__BYPASS_PATHS", "/admin/,/*/drafts")];

/// An app that lets everything be stored.
fn generous() -> Origin {
    Origin::answering(|seen| {
        let own = format!("Content-Location: {}", seen.target);
        let fields = ["Cache-Control: public, max-age=600", "ETag: \"1\"", own.as_str()];
        reply(200, &fields, &seen.target)
    })
}

const STATUS: &str = "larder; fwd=bypass; detail=bypass-path";

#[test]
fn whatever_may_be_read_as_such_a_path_goes_to_the_app_and_is_not_stored() {
    let origin = generous();
    let larder = Larder::with_env(origin.address, &[], &ADMIN);
    for path in [
        "/admin",
        "/admin/",
        "/admin/?a=b",
        "/ADMIN/users",
        "/%61dmin/",
        "/%2561dmin/",
        "//admin/",
        "/./admin/",
        "/x/../admin/",
        "/x/%2e%2e/admin",
        "/x%2f..%2fadmin",
        "/admin;x=y/",
        "/blog/drafts/7",
    ] {
        for _ in 0..2 {
            let answer = larder.get(path);
            assert_eq!((answer.status, answer.cache_status()), (200, STATUS), "{path}");
        }
        assert_eq!(origin.asked_for(path), 2, "byte for byte: {path}");
        let head = request(larder.proxy, "HEAD", path, &[], b"");
        assert_eq!(head.cache_status(), STATUS, "{path}");
        let query = request(larder.proxy, "QUERY", path, &[("Content-Type", "a/b")], b"x");
        assert_eq!(query.cache_status(), STATUS, "{path}");
    }
    assert_eq!(larder.stat("/memory/responses"), 0);
    assert_eq!(larder.stat("/requests/short_way"), 0);
    for path in ["/", "/administration", "/x/admin", "/blog/draft"] {
        larder.get(path);
        assert!(larder.get(path).is_hit(), "{path}");
    }
}

#[test]
fn the_answer_to_a_post_is_not_stored_there_and_it_outdates_what_is() {
    let origin = generous();
    let larder = Larder::with_env(origin.address, &[], &ADMIN);
    for (path, stored) in [("/page", 1), ("/admin/page", 1)] {
        request(larder.proxy, "POST", path, &[], b"x");
        assert_eq!(larder.stat("/memory/responses"), stored, "{path}");
    }
    let purged = request(larder.proxy, "PURGE", "/admin/page", &[], b"");
    assert_eq!(purged.status, 200, "a purge is none of the app's business");
}

#[test]
fn nobody_waits_for_another_one() {
    let gate = Gate::closed();
    let held = gate.clone();
    let origin = Origin::answering(move |seen| {
        held.pass();
        reply(200, &["Cache-Control: max-age=60"], &seen.target)
    });
    let larder = Larder::with_env(origin.address, &[], &ADMIN);
    let proxy = larder.proxy;
    let asking = std::thread::spawn(move || together(3, move |_| get(proxy, "/admin/", &[])));
    wait_until("all are at the app", || origin.count() == 3);
    gate.open();
    for answer in asking.join().expect("answers") {
        assert_eq!(answer.cache_status(), STATUS);
    }
}

/// What was stored before the path was named is neither answered nor fetched again.
#[test]
fn what_was_stored_before_a_reload_is_not_answered() {
    let origin = generous();
    let tables = |more: &str| format!("[origin]\nto = \"{}\"\n[cache]\n{more}", origin.address);
    let configured = Configured::by(&tables(""));
    let larder = &configured.larder;
    larder.get("/admin/");
    assert!(larder.get("/admin/").is_hit());
    configured.reload(&tables("bypass_paths = [\"/admin\"]"));
    assert_eq!(larder.get("/admin/").cache_status(), STATUS);
    let purge = r#"{"urls":["http://site.test/admin/"],"refresh":true,"soft":true}"#;
    let before = origin.count();
    larder.purge(purge);
    let path = "/v1/purges";
    wait_until("the refresh has ended", || {
        let told = get(larder.admin, path, &[("Host", "localhost")]).text();
        told.contains("\"failed\":1")
    });
    assert_eq!(origin.count(), before);
}

#[test]
fn it_is_explained_with_the_path_that_is_named() {
    let origin = generous();
    let house = House::in_front_of(&origin, |cache| {
        cache.bypass_paths = vec!["/private".into(), "/a*/x/".into()];
    });
    let admin = house.running.admin().expect("an admin port");
    let asked = |path: &str| {
        let path = format!("/v1/explain?url=http://site.test{path}");
        get(admin, &path, &[("Host", "localhost")]).text()
    };
    let would = "it would be answered from the cache, and stored, if `cache.bypass_paths` did not \
                 have \\\"/a*/x/\\\"";
    for told in [
        asked("/about/x"),
        get(house.proxy(), "/about/%78", &[("Larder-Debug", "")])
            .field("larder-explain")
            .expect("it is told")
            .to_string(),
    ] {
        assert!(told.contains(would), "{told}");
        assert!(told.contains("\"code\":\"bypass-path\""), "{told}");
        assert!(told.contains("no: the path is one of bypass_paths, or below one"), "{told}");
    }
    let (_, said, _) = Larder::run(&["get", &format!("http://{}/private/x", house.proxy())], &[]);
    for words in [
        "Forwarded to the app: the path is one of bypass_paths, or below one.",
        "if `cache.bypass_paths` did not have \"/private\"",
    ] {
        assert!(said.contains(words), "{words}\n{said}");
    }
}
