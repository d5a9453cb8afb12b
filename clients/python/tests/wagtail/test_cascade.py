"""Changes that come without an editor: commands, code, other models."""

from __future__ import annotations

from wagtail_site import Site


def test_scheduled_publishing_and_expiry(site: Site) -> None:
    site.shell("new_post('timed/page', title='Now')")
    site.kept("/en/timed/page/", "/en/timed/")
    site.shell("""
        page = post("timed/page")
        page.title, page.go_live_at = "Later", timezone.now() + timedelta(seconds=1)
        page.save_revision().publish()
    """)
    assert site.read("/en/timed/page/").is_hit
    site.shell("""
        while post("timed/page").title != "Later":
            call_command("publish_scheduled")
    """)
    assert "Later" in site.read("/en/timed/page/").text
    assert "Later" in site.read("/en/timed/").text
    site.shell("""
        page = post("timed/page")
        page.go_live_at, page.expire_at = None, timezone.now() + timedelta(seconds=1)
        page.save_revision().publish()
    """)
    site.kept("/en/timed/page/", "/en/timed/")
    site.shell("""
        while post("timed/page").live:
            call_command("publish_scheduled")
    """)
    assert site.read("/en/timed/page/").status == 404
    assert "Later" not in site.read("/en/timed/").text


def test_what_is_rolled_back_purges_nothing(site: Site) -> None:
    site.shell("new_post('undone/page')")
    site.kept("/en/undone/page/", "/en/undone/", "/en/")
    before = site.purges()
    site.shell("""
        try:
            with transaction.atomic():
                page = post("undone/page")
                page.title = "Never"
                page.save_revision().publish()
                page.move(section("elsewhere"), "last-child")
                raise InterruptedError
        except InterruptedError:
            pass
    """)
    assert site.purges() == before
    assert site.read("/en/undone/page/").is_hit
    assert site.read("/en/undone/").is_hit


def test_one_transaction_is_one_purge(site: Site) -> None:
    site.shell("[new_post(f'batch/{number}') for number in range(5)]")
    before = len(site.purges())
    site.shell("""
        with transaction.atomic():
            for page in section("batch").get_children().specific():
                page.title += "!"
                page.save_revision().publish()
    """)
    assert len(site.purges()) == before + 1


def test_a_section_moves_with_all_below_it(site: Site) -> None:
    site.shell("new_post('deep/leaf'); section('attic')")
    site.kept("/en/deep/", "/en/deep/leaf/", "/en/attic/", "/en/")
    assert site.read("/en/attic/deep/leaf/").status == 404
    site.shell("section('deep').move(section('attic'), 'last-child')")
    assert site.read("/en/attic/deep/leaf/").status == 200
    assert site.read("/en/deep/leaf/").status != 200
    assert 'href="/en/attic/deep/leaf/"' in site.read("/en/").text


def test_many_pages_that_are_unpublished_at_once(site: Site) -> None:
    site.shell("new_post('crowd/a'); new_post('crowd/b')")
    site.kept("/en/crowd/", "/en/crowd/a/", "/en/crowd/b/")
    site.shell("section('crowd').get_children().unpublish()")
    assert site.read("/en/crowd/a/").status == 404
    assert site.read("/en/crowd/b/").status == 404
    assert "/en/crowd/a/" not in site.read("/en/crowd/").text


def test_writes_past_the_models(site: Site) -> None:
    site.shell("new_post('bulk/a')")
    site.kept("/en/bulk/", "/en/bulk/a/")
    site.shell("BlogPage.objects.filter(slug='a').update(intro='Updated at once')")
    assert "Updated at once" in site.read("/en/bulk/a/").text
    assert "Updated at once" in site.read("/en/bulk/").text


def test_what_a_section_publishes_leaves_the_others_alone(site: Site) -> None:
    site.shell("new_post('quiet/a'); new_post('loud/a')")
    site.kept("/en/quiet/", "/en/quiet/a/", "/en/loud/")
    site.shell("new_post('loud/b')")
    assert "/en/loud/b/" in site.read("/en/loud/").text
    assert site.read("/en/quiet/").is_hit
    assert site.read("/en/quiet/a/").is_hit


def test_renditions_that_are_deleted(site: Site) -> None:
    site.shell("""
        photo = Image.objects.create(title="Hills", file=Image.objects.first().file)
        new_post("album/with-hills", photo=photo)
    """)
    site.kept("/en/album/with-hills/")
    site.shell("Rendition.objects.filter(image__title='Hills').delete()")
    assert not site.read("/en/album/with-hills/").is_hit


def test_another_root_page_changes_every_address(site: Site) -> None:
    site.shell("new_post('rooted/page')")
    site.kept("/en/rooted/", "/en/blog/post-1/")
    (home,) = site.shell("""
        site = Site.objects.get()
        said.append(site.root_page_id)
        site.root_page = section("rooted")
        site.save()
    """)
    try:
        assert site.read("/en/rooted/").status == 404
        assert site.read("/en/page/").status == 200
    finally:
        site.shell(f"site = Site.objects.get(); site.root_page_id = {home}; site.save()")
    assert site.read("/en/rooted/").status == 200
    assert site.read("/en/page/").status == 404


def test_what_is_hidden_is_gone_even_where_purges_are_soft(site: Site) -> None:
    site.shell("new_post('soft/page'); new_post('soft/private')")
    before = len(site.purges())
    site.shell("""
        from django.conf import settings
        from django.test import override_settings

        with override_settings(LARDER={**settings.LARDER, "SOFT": True}):
            with transaction.atomic():
                page = post("soft/page")
                page.title = "Changed"
                page.save_revision().publish()
            delivered()
            with transaction.atomic():
                post("soft/page").unpublish()
            delivered()
            with transaction.atomic():
                PageViewRestriction.objects.create(
                    page=post("soft/private"), restriction_type="login"
                )
            delivered()
    """)
    made = site.purges()[: len(site.purges()) - before]
    hard = [one for one in made if not one["soft"]]
    assert made[-1]["soft"]
    assert any(f"127.0.0.1:{site.port}/en/soft/page/" in str(one) for one in hard)
    assert any("prefixes" in one["selectors"] for one in hard)


def test_that_a_page_has_no_children_is_known_too(site: Site) -> None:
    (path, tags) = site.shell("""
        from larder_client import collecting

        empty = section("empty")
        with collecting() as collected:
            assert not empty.get_children()
        said += [empty.path, list(collected.tags())]
    """)
    assert f"wagtail.children:{path}" in tags


def test_what_cannot_be_worked_out_fails_no_save_and_purges_all_softly(site: Site) -> None:
    site.shell("""
        import logging
        from unittest import mock
        from larder_client.wagtail import cascade

        logger = logging.getLogger("larder_client.wagtail")
        logger.disabled = True
        with transaction.atomic(), mock.patch.object(cascade, "changed", side_effect=KeyError):
            new_post("broken/page")
        logger.disabled = False
        assert post("broken/page").live
    """)
    made = site.purges()[:2]
    assert [one["soft"] for one in made if one["selectors"].get("all")] == [True]


def test_a_page_whose_urls_fail_is_purged_by_its_tags(site: Site) -> None:
    site.shell("new_post('lost/page')")
    site.kept("/en/lost/page/")
    site.shell("""
        import logging
        from unittest import mock

        logger = logging.getLogger("larder_client.wagtail")
        logger.disabled = True
        with mock.patch.object(BlogPage, "get_cached_paths", side_effect=KeyError):
            page = post("lost/page")
            page.title = "Found"
            page.save_revision().publish()
        logger.disabled = False
    """)
    assert "Found" in site.read("/en/lost/page/").text
