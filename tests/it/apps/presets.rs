//! Real applications with the preset that is for them, and nothing else.

use super::{Site, assert_forwarded, assert_hit, blog, shop};
use crate::harness::Response;

const BYPASSED: &str = "larder; fwd=bypass; detail=bypass-path";

/// One page of each kind for whoever a campaign brings.
fn campaign(site: &Site, path: &str) {
    let before = site.computed(path);
    for query in ["?utm_source=mail&utm_medium=letter", "?fbclid=abc", "?gclid=x&_ga=1.2", ""] {
        let answer = site.get(&format!("{path}{query}"));
        assert_eq!(answer.status, 200, "{query}");
        assert!(!answer.text().contains("utm_source"), "{query}");
    }
    assert_eq!(site.computed(path) - before, 1);
}

#[test]
fn djangos_admin_is_passed_on_and_its_pages_are_for_all() {
    let site = blog().with(&["--preset", "django", "--default-ttl", "60s"]).open();
    campaign(&site, "/articles/1/");
    site.app.shell(
        "from django.contrib.auth.models import User; \
         User.objects.create_superuser('root', password='secret-root')",
    );
    for path in ["/admin/", "/%61dmin/", "//admin/", "/accounts/login/", "/admin/login/?next=/"] {
        let answer = site.get(path);
        assert_eq!(answer.cache_status(), BYPASSED, "{path}");
    }
    let mut root = site.visitor().log_in("/admin/login/?next=/admin/", "root");
    for _ in 0..2 {
        let page = root.get("/admin/auth/user/");
        assert_eq!((page.status, page.cache_status()), (200, BYPASSED));
        assert!(page.text().contains("root"), "{}", page.text());
    }
    // The session made there is known on the site's own pages.
    let own = root.get("/articles/1/");
    assert_forwarded(&own);
    assert!(own.text().contains("Hello, root"), "{}", own.text());
    assert_hit(&site.get("/articles/1/?utm_id=7"));
    let plain: Response = site.get("/admin/auth/user/");
    assert_eq!((plain.status, plain.cache_status()), (302, BYPASSED));
}

#[test]
fn who_has_a_message_or_a_language_gets_a_page_of_their_own() {
    let site = blog().with(&["--preset", "wagtail", "--default-ttl", "60s"]).open();
    site.get("/");
    assert_hit(&site.get("/"));
    for cookie in ["messages=x", "_ga=1; django_language=de"] {
        let answer = site.get_with("/", &[("Cookie", cookie)]);
        assert_eq!(answer.cache_status(), "larder; fwd=bypass; detail=bypass-cookie", "{cookie}");
    }
    assert_hit(&site.get_with("/", &[("Cookie", "_ga=1; theme=dark")]));
    for path in ["/cms/", "/django-admin/x", "/_util/login/"] {
        assert_eq!(site.get(path).cache_status(), BYPASSED, "{path}");
    }
}

/// Flask-Login has static files say `Vary: Cookie`: without the preset each visitor who is
/// logged in has a copy of each.
#[test]
fn a_file_of_flasks_is_stored_once_for_all() {
    let site = shop().with(&["--preset", "flask", "--default-ttl", "60s"]).open();
    let first = site.get("/static/shop.css");
    assert_eq!(first.status, 200);
    let mut visitors =
        [("alice", site.visitor().log_in("/login", "alice")), ("bob", site.visitor())];
    for (name, visitor) in &mut visitors {
        let answer = visitor.get("/static/shop.css?utm_source=x");
        // It says no-cache, so the app is asked whether it is still the same: with a 304.
        let status = answer.cache_status().to_string();
        assert!(status.contains("fwd=stale; fwd-status=304"), "{name}: {status}");
        assert_eq!((answer.status, answer.body.len()), (200, first.body.len()), "{name}");
        assert!(answer.all("set-cookie").is_empty(), "{name}");
    }
    assert_eq!(site.larder.stat("/memory/responses"), 1);
    assert_eq!(site.get("/admin/").cache_status(), BYPASSED);
    let mut alice = visitors[0].1.clone();
    assert!(alice.get("/account").text().contains("alice"));
}

/// Spellings of a path of the admin: what is before it, how its name is written, what follows.
fn spellings() -> impl Iterator<Item = String> {
    let before = ["/", "//", "/./", "/x/../", "/%2e/", "/articles/%2e%2e/", "/;a/", "/%2f", "/\\"];
    let names =
        ["admin", "%61dmin", "%2561dmin", "ADMIN", "admin;x", "adm%69n", "admin%00", "admi"];
    let after = ["/", "", "//", "/auth/user/", "%2fauth%2fuser/", "/../articles/1/", "/login/?a=b"];
    before.into_iter().flat_map(move |before| {
        names.into_iter().flat_map(move |name| {
            after.into_iter().map(move |after| format!("{before}{name}{after}"))
        })
    })
}

/// However the path is spelt: what Django and gunicorn take for the admin has gone past the cache.
#[test]
fn no_spelling_of_the_admin_is_answered_from_the_cache() {
    let site = blog().with(&["--preset", "django", "--default-ttl", "60s"]).open();
    let (mut admins, mut others) = (0, 0);
    for path in spellings() {
        let answer = site.get(&path);
        let to = answer.field("location").unwrap_or_default();
        let is_admins =
            to.starts_with("/admin/") || answer.text().contains("Django administration");
        if is_admins {
            assert_eq!(answer.cache_status(), BYPASSED, "{path}");
            admins += 1;
        }
        others += usize::from(answer.cache_status() != BYPASSED);
    }
    assert!(admins > 20, "Django's admin has answered {admins} times");
    assert!(others > 20, "{others} paths were none of the admin's");
}
