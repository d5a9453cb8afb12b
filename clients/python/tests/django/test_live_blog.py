"""The blog of examples/django-blog: nothing in it purges by hand, and nothing in it is ever old."""

import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from serving import BLOG, Site, Visitor, keep, served

from larder_client import Purge
from larder_client.testing.waiting import wait_until

READERS = 50
PUBLICATIONS = 8


@pytest.fixture(scope="module", params=["gunicorn", "uvicorn"])
def blog(request, larder_binary) -> Iterator[Site]:
    with served(request.param, project=BLOG, module="mysite") as running:
        seeded = running.manage("seed")
        assert seeded.returncode == 0, seeded.stderr
        yield running


@pytest.fixture(scope="module")
def editor(blog) -> Visitor:
    visitor = Visitor(blog.larder)
    visitor.log_in("editor", "editor")
    return visitor


@pytest.fixture(autouse=True)
def _nothing_stored(blog) -> None:
    blog.larder.client.purge(Purge(everything=True))


def publish(editor: Visitor, title: str, pk: int = 1) -> None:
    """Saves an article in the admin, as an editor does."""
    path = f"/admin/blog/article/{pk}/change/"
    page = editor.get(path)
    assert page.status == 200, page.status
    data = {"title": title, "body": "As it is now.", "published": "on", "_save": "Save"}
    answer = editor.submit(page, path, **data)
    assert answer.status == 302, answer.text


def test_what_is_published_in_the_admin_is_what_the_next_reader_sees(blog, editor) -> None:
    keep(blog.larder, "/")
    publish(editor, "Just published")
    assert "Just published" in blog.larder.get("/").text
    keep(blog.larder, "/")


def test_a_new_article_is_in_the_list_at_once(blog, editor) -> None:
    keep(blog.larder, "/")
    page = editor.get("/admin/blog/article/add/")
    data = {"title": "Brand new", "body": "x", "published": "on"}
    assert editor.submit(page, "/admin/blog/article/add/", **data).status == 302
    assert "Brand new" in blog.larder.get("/").text


def test_what_a_command_writes_is_seen_too(blog) -> None:
    keep(blog.larder, "/")
    code = "from blog.models import Article; Article.objects.filter(pk=2).update(title='By shell')"
    done = blog.manage("shell", "-c", code)
    assert done.returncode == 0, done.stderr
    wait_until("it is seen", lambda: "By shell" in blog.larder.get("/").text)


def test_a_comment_is_on_the_page_that_it_leads_back_to(blog) -> None:
    visitor = Visitor(blog.larder)
    page = visitor.get("/articles/3/")
    answer = visitor.submit(page, "/articles/3/comment/", name="Ann", text="I was here")
    assert (answer.status, answer.headers["Location"]) == (302, "/articles/3/")
    assert "I was here" in visitor.get("/articles/3/").text
    assert "I was here" in blog.larder.get("/articles/3/").text


@dataclass(frozen=True)
class Seen:
    began: float
    number: int
    hit: bool


def test_fifty_readers_never_see_what_was_there_before(blog, editor) -> None:
    publish(editor, "Number 0.")
    keep(blog.larder, "/")
    done = threading.Event()

    def read() -> list[Seen]:
        seen = []
        while not done.is_set():
            began = time.monotonic()
            page = blog.larder.get("/")
            assert page.status == 200
            found = re.search(r"Number (\d+)\.", page.text)
            assert found, page.text
            seen.append(Seen(began, int(found[1]), page.is_hit))
        return seen

    published = []
    with ThreadPoolExecutor(READERS) as pool:
        readers = [pool.submit(read) for _ in range(READERS)]
        try:
            for number in range(1, PUBLICATIONS + 1):
                publish(editor, f"Number {number}.")
                published.append((time.monotonic(), number))
        finally:
            done.set()
        seen = [one for reader in readers for one in reader.result()]
    assert len(seen) > READERS
    # The page did come from the cache meanwhile, or this would say nothing.
    assert sum(one.hit for one in seen) > len(seen) / 2
    for answered, number in published:
        late = [one for one in seen if one.began > answered and one.number < number]
        assert not late, f"{len(late)} of {len(seen)} saw an older one than {number}"
