//! The signal on commit: what has been saved is new for the next reader, and
//! what has not been saved disturbs nobody.

use super::{BY_SESSION, LOGIN};
use crate::apps::{Site, assert_forwarded, assert_hit, blog};

/// Every page that shows the first article.
const SHOWING: [&str; 3] = ["/", "/articles/1/", "/api/articles/1/"];
const SAVE: &str = "from blog.models import Article\n\
    a = Article.objects.get(pk=1)\n\
    a.title = 'On rye'; a.text = 'Rye and patience.'\n";

/// Reads the pages until they are served from the store.
fn warm(site: &Site) {
    for path in SHOWING.into_iter().chain(["/articles/2/"]) {
        site.get(path);
        assert_hit(&site.get(path));
    }
}

#[track_caller]
fn assert_all_new(site: &Site, title: &str) {
    for path in SHOWING {
        let page = site.get(path);
        assert_forwarded(&page);
        assert!(page.text().contains(title), "{path}: {}", page.text());
        assert_hit(&site.get(path));
    }
    assert_hit(&site.get("/articles/2/"));
    assert_eq!(site.computed("/articles/2/"), 1);
}

#[test]
fn what_is_saved_anywhere_is_new_for_the_next_reader() {
    let site = blog().with(&BY_SESSION).open_purging();
    warm(&site);
    // Not through larder: a management command, in a process of its own.
    site.app.shell(&format!("{SAVE}a.save()"));
    assert_all_new(&site, "On rye");
}

#[test]
fn tags_alone_are_enough_where_the_app_does_not_know_its_own_urls() {
    let site = blog().with(&BY_SESSION).env("BLOG_URL", "").open_purging();
    warm(&site);
    site.app.shell(&format!("{SAVE}a.save()"));
    assert_all_new(&site, "On rye");
}

#[test]
fn what_is_rolled_back_purges_nothing() {
    let site = blog().with(&BY_SESSION).open_purging();
    warm(&site);
    site.app.shell(&format!(
        "from django.db import transaction\n{SAVE}\
         with transaction.atomic():\n    a.save(); transaction.set_rollback(True)\n"
    ));
    for path in SHOWING {
        let page = site.get(path);
        assert_hit(&page);
        assert!(page.text().contains("On bread"), "{path}");
        assert_eq!(site.computed(path), 1);
    }
    assert_eq!(site.larder.stat("/marks"), 0);
}

#[test]
fn the_edit_form_through_larder_changes_what_everybody_reads() {
    let site = blog().with(&BY_SESSION).open_purging();
    let mut alice = site.visitor().log_in(LOGIN, "alice");
    let mut bob = site.visitor().log_in(LOGIN, "bob");
    for round in 0..3 {
        for path in SHOWING {
            site.get(path);
            assert_hit(&site.get(path));
            bob.get(path);
        }
        let title = format!("On bread, part {round}");
        let form = [("title", title.as_str()), ("text", "More of it.")];
        assert_eq!(alice.fill_in("/articles/1/edit/", &form).status, 302);
        for path in SHOWING {
            for page in [site.get(path), alice.get(path), bob.get(path)] {
                assert!(page.text().contains(&title), "{path}: {}", page.text());
            }
            let page = site.get(path);
            assert_hit(&page);
            assert!(!page.text().contains("alice") && !page.text().contains("bob"), "{path}");
        }
    }
}

#[test]
fn an_edit_invalidates_its_page_even_where_the_app_does_not_purge() {
    let site = blog().with(&BY_SESSION).open();
    warm(&site);
    let mut alice = site.visitor().log_in(LOGIN, "alice");
    let form = [("title", "On rye"), ("text", "Rye and patience.")];
    assert_eq!(alice.fill_in("/articles/1/edit/", &form).status, 302);
    let page = site.get("/articles/1/");
    assert_forwarded(&page);
    assert!(page.text().contains("Rye and patience."));
    // Only the Location is named by the answer.
    assert_hit(&site.get("/"));
}

#[test]
fn what_is_deleted_is_gone_for_the_next_reader() {
    let site = blog().with(&BY_SESSION).open_purging();
    warm(&site);
    site.app.shell("from blog.models import Article\nArticle.objects.get(pk=1).delete()");
    assert_eq!(site.get("/articles/1/").status, 404);
    assert_eq!(site.get("/api/articles/1/").status, 404);
    let list = site.get("/");
    assert!(!list.text().contains("On bread") && list.text().contains("On jam"));
}
