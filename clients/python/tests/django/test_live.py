"""The real larder, gunicorn and uvicorn: what visitors get, and what changes do."""

from collections.abc import Iterator

import pytest
from serving import Site, Visitor, keep, served

from larder_client import Purge
from larder_client.testing import assert_hit, assert_miss, assert_not_shared


@pytest.fixture(scope="module", params=["gunicorn", "uvicorn"])
def site(request, larder_binary) -> Iterator[Site]:
    with served(request.param) as running:
        yield running


@pytest.fixture(autouse=True)
def _nothing_stored(site) -> None:
    site.larder.client.purge(Purge(everything=True))


def test_a_page_is_kept_until_one_of_its_tags_is_purged(site) -> None:
    assert_miss(site.larder.get("/plain/"))
    kept = site.larder.get("/plain/")
    assert_hit(kept)
    # Tags are nobody else's business.
    assert "Cache-Tag" not in kept.headers
    site.larder.client.purge(Purge(tags=frozenset({"recorded"})))
    assert_miss(site.larder.get("/plain/"))


def test_tags_of_any_text_are_purged_by_the_same_text(site) -> None:
    site.larder.get("/things/7/")
    assert_hit(site.larder.get("/things/7/"))
    site.larder.client.purge(Purge(tags=frozenset({"new books, café"})))
    assert_miss(site.larder.get("/things/7/"))


@pytest.mark.parametrize("path", ["/async/", "/class/", "/async-class/", "/tagged-streaming/"])
def test_every_kind_of_view_is_kept(site, path) -> None:
    assert_miss(site.larder.get(path))
    assert_hit(site.larder.get(path))


@pytest.mark.parametrize(
    "path",
    [
        *("/private/", "/broken-tags/", "/streaming/", "/many/", "/missing/"),
        *("/plain-streaming/", "/own-tags/20000/"),
    ],
)
def test_what_can_not_be_kept_rightly_is_not_kept(site, path) -> None:
    site.larder.get(path)
    again = site.larder.get(path)
    assert again.status in (200, 404)
    assert_miss(again)


def test_what_streams_for_a_visitor_is_given_to_nobody_else(site) -> None:
    created = site.manage(
        "shell",
        "-c",
        "from django.contrib.auth.models import User as U; "
        "U.objects.filter(username='ann') or U.objects.create_superuser('ann', password='pw')",
    )
    assert created.returncode == 0, created.stderr
    ann = Visitor(site.larder)
    ann.log_in("ann", "pw")
    assert ann.get("/streaming-user/").text == "ann"
    assert_not_shared(site.larder, "/streaming-user/", ann.cookies)


def test_an_exception_is_500_and_nothing_is_kept(site) -> None:
    assert site.larder.get("/failing/").status == 500
    assert_miss(site.larder.get("/failing/"))


def test_a_message_is_shown_to_its_visitor_only(site) -> None:
    visitor = Visitor(site.larder)
    visitor.post("/leave/")
    assert "only for you" in visitor.get("/messages/").text
    assert "only for you" not in site.larder.get("/messages/").text


def test_the_page_after_a_post_is_already_new(site) -> None:
    visitor = Visitor(site.larder)
    keep(site.larder, "/notes/")
    answer = visitor.submit(visitor.get("/form/"), "/notes/", text="written just now")
    assert answer.status == 302, answer.text
    assert "X-LiteSpeed-Purge" not in answer.headers
    assert "written just now" in visitor.get("/notes/").text


def test_an_async_view_is_tagged_and_purged_by_itself(site) -> None:
    visitor = Visitor(site.larder)
    keep(site.larder, "/async-notes/")
    answer = visitor.post("/async-notes/", text="written by a task")
    assert answer.status == 302, answer.text
    assert "written by a task" in visitor.get("/async-notes/").text


def test_a_logged_in_visitors_page_is_nobody_elses(site) -> None:
    created = site.manage(
        "shell",
        "-c",
        "from django.contrib.auth.models import User;"
        "User.objects.filter(username='ed').exists()"
        " or User.objects.create_superuser('ed', '', 'ed')",
    )
    assert created.returncode == 0, created.stderr
    editor = Visitor(site.larder)
    editor.log_in("ed", "ed")
    assert_not_shared(site.larder, "/admin/", editor.cookies)
