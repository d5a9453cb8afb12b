"""An editor at work in /admin, by the forms as they are; readers see it with their next request."""

from __future__ import annotations

import pytest
from wagtail_browser import Browser
from wagtail_site import Site


def edit(page: int) -> str:
    return f"/admin/pages/{page}/edit/"


def post(site: Site, path: str, **fields: str) -> int:
    """A live post, below a listing of this test's own."""
    given = ", ".join(f"{name}={value!r}" for name, value in fields.items())
    (pk,) = site.shell(f"said.append(new_post({path!r}, {given}).pk)")
    return pk


def section(site: Site, slug: str) -> int:
    (pk,) = site.shell(f"said.append(section({slug!r}).pk)")
    return pk


def test_what_is_published_shows_everywhere(site: Site, editor: Browser) -> None:
    (page,) = site.shell("said.append(post('post-1').pk)")
    site.kept("/en/blog/post-1/", "/en/blog/", "/en/blog/?page=1", "/fr/blog/post-1/")
    editor.submit(edit(page), "page-edit-form", "action-publish", title="First, edited")
    assert "<h1>First, edited</h1>" in site.read("/en/blog/post-1/").text
    assert "First, edited" in site.read("/en/blog/").text
    assert "First, edited" in site.read("/en/blog/?page=1").text
    assert "First, edited" in site.read("/fr/blog/post-1/").text


def test_a_new_page_replaces_the_error_that_stood_there(site: Site, editor: Browser) -> None:
    new = section(site, "news")
    site.kept("/en/news/", "/en/")
    assert site.read("/en/news/brand-new/").status == 404
    editor.submit(
        f"/admin/pages/add/blog/blogpage/{new}/",
        *("page-edit-form", "action-publish"),
        title="Brand new",
        slug="brand-new",
    )
    assert site.read("/en/news/brand-new/").status == 200
    assert "Brand new" in site.read("/en/news/").text
    assert "Brand new" in site.read("/en/").text


def test_what_links_to_a_page_from_elsewhere_follows(site: Site, editor: Browser) -> None:
    page = post(site, "target/page", title="As it was")
    site.shell("new_post('source/page', read_next=post('target/page'))")
    site.kept("/en/source/page/")
    editor.submit(edit(page), "page-edit-form", "action-publish", title="As it is", slug="moved")
    text = site.read("/en/source/page/").text
    assert "As it is" in text
    assert "/en/target/moved/" in text
    editor.submit(f"/admin/pages/{page}/unpublish/", "unpublish")
    assert "As it is" not in site.read("/en/source/page/").text


def test_drafts_purge_nothing(site: Site, editor: Browser) -> None:
    page = post(site, "desk/drafted")
    site.kept("/en/desk/drafted/", "/en/desk/", "/en/")
    before = site.purges()
    editor.submit(edit(page), "page-edit-form", title="Not yet", slug="drafted")
    editor.submit(
        f"/admin/pages/add/blog/blogpage/{section(site, 'desk')}/",
        "page-edit-form",
        title="A draft",
        slug="a-draft",
    )
    for path in ("/en/desk/drafted/", "/en/desk/", "/en/"):
        answer = site.read(path)
        assert answer.is_hit
        assert "Not yet" not in answer.text
        assert "A draft" not in answer.text
    assert site.purges() == before


def test_what_is_unpublished_and_deleted_is_gone(site: Site, editor: Browser) -> None:
    page = post(site, "door/leaving", title="Leaving")
    site.kept("/en/door/leaving/", "/en/door/")
    editor.submit(f"/admin/pages/{page}/unpublish/", "unpublish")
    assert site.read("/en/door/leaving/").status == 404
    assert "Leaving" not in site.read("/en/door/").text
    editor.submit(edit(page), "page-edit-form", "action-publish")
    assert "Leaving" in site.read("/en/door/").text
    site.kept("/en/door/leaving/", "/en/door/")
    editor.submit(f"/admin/pages/{page}/delete/", "delete")
    assert site.read("/en/door/leaving/").status == 404
    assert "Leaving" not in site.read("/en/door/").text


def test_a_new_slug_moves_the_page_and_all_below_it(site: Site, editor: Browser) -> None:
    post(site, "notes/note")
    page = section(site, "notes")
    site.kept("/en/notes/", "/en/notes/note/", "/en/")
    assert 'href="/en/notes/"' in site.read("/en/blog/").text
    assert site.read("/en/papers/note/").status == 404
    editor.submit(edit(page), "page-edit-form", "action-publish", slug="papers")
    assert site.read("/en/papers/note/").status == 200
    old = site.read("/en/notes/note/")
    assert (old.status, old.headers["Location"]) == (301, "/en/papers/note/")
    assert site.read("/en/notes/").status == 301
    assert 'href="/en/papers/"' in site.read("/en/blog/").text
    assert 'href="/en/papers/note/"' in site.read("/en/").text
    assert 'href="/en/papers/note/"' in site.read("/en/papers/").text


def test_a_moved_page_has_left_one_listing_and_stands_in_the_other(
    site: Site, editor: Browser
) -> None:
    page = post(site, "inbox/mover", title="Mover")
    target = section(site, "archive")
    site.kept("/en/inbox/", "/en/archive/", "/en/inbox/mover/")
    assert site.read("/en/archive/mover/").status == 404
    editor.submit(f"/admin/pages/{page}/move/{target}/confirm/", "move")
    assert site.read("/en/archive/mover/").status == 200
    assert site.read("/en/inbox/mover/").status == 301
    assert "Mover" not in site.read("/en/inbox/").text
    assert "Mover" in site.read("/en/archive/").text


def test_children_that_are_put_in_another_order_are_listed_in_it(
    site: Site, editor: Browser
) -> None:
    first, last = post(site, "ordered/one"), post(site, "ordered/two")
    other = section(site, "ordered")
    section(site, "shifted")
    site.kept("/en/ordered/")
    token = editor.cookies["csrftoken"]
    answer = editor.post(
        f"/admin/pages/{last}/set_position/?position=0", [("csrfmiddlewaretoken", token)]
    )
    assert answer.status == 200
    text = site.read("/en/ordered/").text
    assert text.index("/two/") < text.index("/one/")
    # The sections themselves change places too: what is below each is found all the same.
    site.kept("/en/ordered/", "/en/blog/")
    answer = editor.post(
        f"/admin/pages/{other}/set_position/?position=0", [("csrfmiddlewaretoken", token)]
    )
    text = site.read("/en/blog/").text
    assert text.index('"/en/ordered/"') < text.index('"/en/blog/"')
    site.kept("/en/ordered/", "/en/shifted/")
    editor.submit(edit(first), "page-edit-form", "action-publish", title="One, edited")
    assert "One, edited" in site.read("/en/ordered/").text
    post(site, "shifted/after-all", title="After all")
    assert "After all" in site.read("/en/shifted/").text


def test_a_copy_and_an_alias_that_follows(site: Site, editor: Browser) -> None:
    page = post(site, "copies/copied", title="Original")
    site.kept("/en/copies/")
    for slug, alias in (("a-copy", None), ("an-alias", "on")):
        assert site.read(f"/en/copies/{slug}/").status == 404
        editor.submit(
            f"/admin/pages/{page}/copy/",
            "copy",
            new_title=slug,
            new_slug=slug,
            **{"alias": alias} if alias else {"publish_copies": "on"},
        )
        assert site.read(f"/en/copies/{slug}/").status == 200
        assert f"/en/copies/{slug}/" in site.read("/en/copies/").text
    site.kept("/en/copies/a-copy/", "/en/copies/an-alias/")
    editor.submit(edit(page), "page-edit-form", "action-publish", intro="Followed")
    assert "Followed" in site.read("/en/copies/an-alias/").text
    assert site.read("/en/copies/a-copy/").is_hit


def test_an_older_revision_that_is_brought_back(site: Site, editor: Browser) -> None:
    page = post(site, "past/reverted", title="As it was")
    editor.submit(edit(page), "page-edit-form", "action-publish", title="A mistake")
    site.kept("/en/past/reverted/", "/en/past/")
    (old,) = site.shell("said.append(post('reverted').revisions.order_by('pk').first().pk)")
    editor.submit(
        f"/admin/pages/{page}/revisions/{old}/revert/", "page-edit-form", "action-publish"
    )
    assert "As it was" in site.read("/en/past/reverted/").text
    assert "A mistake" not in site.read("/en/past/").text


def test_a_page_that_becomes_private_is_shown_to_nobody(site: Site, editor: Browser) -> None:
    page = post(site, "vault/secret", title="Secret")
    site.kept("/en/vault/secret/")
    token = editor.cookies["csrftoken"]
    fields = [("csrfmiddlewaretoken", token), ("restriction_type", "login"), ("password", "")]
    answer = editor.post(f"/admin/pages/{page}/privacy/", fields)
    assert answer.status == 200
    assert "set_privacy_done" in answer.text
    for _ in range(2):
        seen = site.read("/en/vault/secret/")
        assert seen.status == 302
        assert "Secret" not in seen.text
        assert not seen.is_hit
    assert editor.get("/en/vault/secret/").status == 200
    assert site.read("/en/vault/secret/").status == 302


def test_a_snippet_is_shown_anew_when_published_and_not_before(site: Site, editor: Browser) -> None:
    (author,) = site.shell("""
        author = Author.objects.create(name="Beatrice")
        new_post("people/with-author", author=author)
        said.append(author.pk)
    """)
    site.kept("/en/people/with-author/", "/en/blog/post-2/")
    path = f"/admin/snippets/blog/author/edit/{author}/"
    editor.submit(path, path, name="Bertha")
    assert site.read("/en/people/with-author/").is_hit
    editor.submit(path, path, "action-publish", name="Bertha")
    assert "By Bertha" in site.read("/en/people/with-author/").text
    assert site.read("/en/blog/post-2/").is_hit


def test_settings_of_the_site_are_on_all_pages(site: Site, editor: Browser) -> None:
    (number,) = site.shell("said.append(Site.objects.get().pk)")
    site.kept("/en/blog/", "/fr/blog/")
    path = f"/admin/settings/blog/footer/{number}/"
    editor.submit(path, path, text="Made with patience")
    assert "Made with patience" in site.read("/en/blog/").text
    assert "Made with patience" in site.read("/fr/blog/").text


def test_another_focal_point_makes_another_rendition(site: Site, editor: Browser) -> None:
    (image,) = site.shell("""
        photo = Image.objects.create(title="Sea", file=Image.objects.first().file)
        new_post("photos/with-photo", photo=photo)
        said.append(photo.pk)
    """)
    site.kept("/en/photos/with-photo/")
    before = site.read("/en/photos/with-photo/").text
    focus = {"x": "10", "y": "10", "width": "20", "height": "20"}
    path = f"/admin/images/{image}/"
    editor.submit(path, path, **{f"focal_point_{name}": value for name, value in focus.items()})
    after = site.read("/en/photos/with-photo/").text
    assert after.count("<img") == 1
    assert after != before


def test_a_redirect_leads_away_at_once(site: Site, editor: Browser) -> None:
    assert site.read("/en/old/").status == 404
    editor.submit(
        *("/admin/redirects/add/", "/admin/redirects/add/"),
        old_path="/en/old",
        redirect_link="https://example.org/",
    )
    assert site.read("/en/old/").status in (301, 302)
    assert site.read("/en/old/").headers["Location"] == "https://example.org/"


@pytest.mark.parametrize("text", ["wagtail-userbar", "Post 2, previewed"])
def test_what_editors_see_is_for_them_alone(site: Site, editor: Browser, text: str) -> None:
    (page,) = site.shell("said.append(post('post-2').pk)")
    if text == "wagtail-userbar":
        assert text in editor.get("/en/blog/post-2/").text
    else:
        path = f"{edit(page)}preview/"
        assert "is_valid" in preview(editor, page, path, text)
        seen = editor.get(f"{path}?mode=&in_preview_panel=true")
        assert text in seen.text
        assert "private" in seen.headers["Cache-Control"]
        assert "stored" not in seen.cache_status
    for _ in range(2):
        assert text not in site.read("/en/blog/post-2/").text


def preview(editor: Browser, page: int, path: str, title: str) -> str:
    from wagtail_browser import forms

    form = next(one for one in forms(editor.get(edit(page)).text) if "page-edit" in one.identity)
    fields = {**dict(form.fields), "title": title}
    return editor.post(path, [(k, v) for k, v in fields.items() if v is not None]).text


def test_a_page_that_is_translated_is_linked_from_the_original(site: Site, editor: Browser) -> None:
    page = post(site, "blog/to-translate", title="To translate")
    site.kept("/en/blog/to-translate/", "/fr/blog/")
    assert site.read("/fr/blog/to-translate/").status == 404
    path = f"/admin/translation/submit/page/{page}/"
    editor.submit(path, "", locales=locale(site))
    (copy,) = site.shell("said.append(post('to-translate').get_translations().get().pk)")
    assert 'hreflang="fr"' not in site.read("/en/blog/to-translate/").text
    editor.submit(edit(copy), "page-edit-form", "action-publish", title="Traduit")
    assert site.read("/fr/blog/to-translate/").status == 200
    assert 'hreflang="fr"' in site.read("/en/blog/to-translate/").text
    assert "Traduit" in site.read("/fr/blog/").text


def locale(site: Site) -> str:
    (pk,) = site.shell("said.append(Locale.objects.get(language_code='fr').pk)")
    return str(pk)
