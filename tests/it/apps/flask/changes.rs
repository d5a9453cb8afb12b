//! What has been changed is new for the next reader.

use super::BY_SESSION;
use crate::apps::{HOST, Site, assert_forwarded, assert_hit, shop};
use crate::harness::{request, wait_until};

const LISTS: [&str; 3] =
    ["/products", "/products?page=1&per_page=3", "/products?page=2&per_page=2"];

/// Reads the pages until they are served from the store.
fn warm(site: &Site, paths: &[&str]) {
    for path in paths {
        site.get(path);
        assert_hit(&site.get(path));
    }
}

/// Sends a form past larder, as an employee on another host name would.
fn post_past_larder(site: &Site, path: &str, form: &str) {
    let kind = ("Content-Type", "application/x-www-form-urlencoded");
    let fields = [("Host", HOST), kind];
    let answer = request(site.app.address, "POST", path, &fields, form.as_bytes());
    assert_eq!(answer.status, 302, "{}", answer.text());
}

#[test]
fn the_edit_form_invalidates_the_page_that_it_leads_to() {
    let site = shop().with(&BY_SESSION).open();
    warm(&site, &["/products/3", "/products/4", "/products"]);
    let mut editor = site.visitor();
    let form = editor.get("/products/3/edit");
    assert_forwarded(&form);
    assert!(form.text().contains("value=\"Salt\""));
    let saved = editor.post("/products/3/edit", &[("name", "Sea salt"), ("price_cents", "199")]);
    assert_eq!(saved.status, 302);
    assert_eq!(saved.field("location"), Some("/products/3"));

    let page = site.get("/products/3");
    assert_forwarded(&page);
    assert!(page.text().contains("Sea salt") && page.text().contains("199 cents, revision 2."));
    assert_hit(&site.get("/products/3"));
    // Nobody has said anything about these: the app does not purge here.
    assert_hit(&site.get("/products/4"));
    assert_hit(&site.get("/products"));
    assert!(editor.get("/products/3/edit").text().contains("value=\"Sea salt\""));
}

#[test]
fn the_app_purges_a_product_and_all_its_lists_by_tag() {
    let site = shop().with(&BY_SESSION).open_purging();
    warm(&site, &["/products/3", "/products/4"]);
    warm(&site, &LISTS);
    post_past_larder(&site, "/products/3/edit", "name=Sea+salt&price_cents=199");

    for path in ["/products/3"].into_iter().chain(LISTS) {
        let page = site.get(path);
        assert_forwarded(&page);
        assert!(page.text().contains("Sea salt") && page.text().contains("199 cents"), "{path}");
        assert_hit(&site.get(path));
    }
    assert_hit(&site.get("/products/4"));
    assert_eq!(site.computed("/products/4"), 1);
}

#[test]
fn an_edit_through_larder_is_there_for_its_editor_and_for_the_next_reader() {
    let site = shop().with(&BY_SESSION).open_purging();
    let mut editor = site.visitor().log_in("/login", "alice");
    for round in 2..6 {
        warm(&site, &["/products/5"]);
        warm(&site, &LISTS);
        let name = format!("Red lentils {round}");
        let saved = editor.post("/products/5/edit", &[("name", &name), ("price_cents", "300")]);
        let place = saved.field("location").expect("a place").to_string();
        let own = editor.get(&place).text();
        assert!(own.contains(&name) && own.contains("Hello, alice"), "{own}");
        let page = site.get(&place).text();
        assert!(page.contains(&name) && page.contains(&format!("revision {round}.")), "{page}");
        assert!(!page.contains("alice"));
        assert!(site.get("/products").text().contains(&name));
    }
}

#[test]
fn the_app_purges_a_page_by_its_url() {
    let site = shop().with(&BY_SESSION).open_purging();
    warm(&site, &["/products/3", "/products/4", "/products"]);
    post_past_larder(&site, "/products/3/touch", "");

    let page = site.get("/products/3");
    assert_forwarded(&page);
    assert!(page.text().contains("revision 2."));
    assert_hit(&site.get("/products/4"));
    assert_hit(&site.get("/products"));
    assert_eq!(site.computed("PURGE:/products/3"), 0, "the app never sees a PURGE");
}

#[test]
fn a_purge_through_another_proxy_is_refused_and_the_app_never_sees_it() {
    let site = shop().open_purging();
    warm(&site, &["/products/3"]);
    let fields = [("X-Forwarded-For", "192.0.2.1")];
    let refused = request(site.larder.proxy, "PURGE", "/products/3", &fields, b"");
    assert_eq!(refused.status, 403);
    assert_hit(&site.get("/products/3"));
    assert_eq!(site.computed("PURGE:/products/3"), 0);
}

#[test]
fn without_a_cache_to_tell_the_app_works_as_ever() {
    let site = shop()
        .with(&BY_SESSION)
        .env("LARDER_ADMIN", "http://127.0.0.1:1")
        .env("LARDER_PROXY", "127.0.0.1:1")
        .open();
    warm(&site, &["/products/3", "/products"]);
    let mut editor = site.visitor();
    for action in ["edit", "touch"] {
        let saved = editor.post(&format!("/products/3/{action}"), &[]);
        assert_eq!(saved.status, 302, "{action}: {}", saved.text());
    }
    assert!(site.get("/products/3").text().contains("revision 3."));
    site.app.says("purge of tags");
    site.app.says("PURGE site.test/products/3 failed");
}

#[test]
fn what_was_being_computed_when_its_page_was_purged_is_for_nobody_after() {
    let site = shop().slow("0.4").with(&BY_SESSION).open();
    let mut early = site.visitor();
    let reading = std::thread::spawn(move || early.get("/"));
    wait_until("the app is asked for the page", || site.larder.stat("/origin/requests") == 1);
    let purged = request(site.larder.proxy, "PURGE", "/", &[], b"");
    assert_eq!((purged.status, purged.text().as_str()), (200, "{\"purged\":0}\n"));

    // Neither what is under way nor what has come of it.
    let next = site.get("/");
    assert_forwarded(&next);
    assert_eq!(reading.join().expect("the early reader").status, 200);
    assert_eq!(site.computed("/"), 2);
    let last = site.get("/");
    assert_hit(&last);
    assert_eq!(last.field("x-computed"), next.field("x-computed"));
}
