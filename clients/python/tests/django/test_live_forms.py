"""Forms on pages that all share: `[forms]` of the real larder and `{% larder_csrf %}` together."""

import re
from collections.abc import Iterator

import pytest
from serving import BLOG, PROXY, Site, Visitor, served, token_of

from larder_client import Purge
from larder_client.django import forms
from larder_client.testing import Response, assert_hit, assert_miss
from larder_client.testing.waiting import wait_until


@pytest.fixture(scope="module", params=["gunicorn", "uvicorn"])
def site(request, larder_binary) -> Iterator[Site]:
    with served(request.param, config={**PROXY, "forms": {"csrf": True, "nonce": True}}) as running:
        yield running


@pytest.fixture(autouse=True)
def _nothing_stored(request) -> None:
    for name in {"site", "blog"} & set(request.fixturenames):
        request.getfixturevalue(name).larder.client.purge(Purge(everything=True))


def is_private(response: Response) -> bool:
    return "private" in response.headers["Cache-Control"]


def test_a_page_with_a_form_comes_from_the_cache_with_each_visitors_own_token(site) -> None:
    one, other = Visitor(site.larder), Visitor(site.larder)
    pages = [one.get("/form/"), other.get("/form/"), one.get("/form/")]
    assert_miss(pages[0])
    for page in pages[1:]:
        assert_hit(page)
    tokens = [token_of(page) for page in pages]
    assert len(set(tokens)) == 3
    assert all(re.fullmatch("[A-Za-z0-9]{64}", token) for token in tokens)
    assert one.cookies["csrftoken"] != other.cookies["csrftoken"]
    # Whoever has a cookie keeps it.
    assert "Set-Cookie" not in pages[2].headers
    for page in pages:
        assert is_private(page)
        assert "Larder-Fill" not in page.headers
        assert "larder-fill" not in page.headers.get("Vary", "").lower()
        assert forms.placeholder("csrf") not in page.text
        assert int(page.headers["Content-Length"]) == len(page.body)


def test_two_visitors_never_share_a_token(site) -> None:
    """What one's form has is worth nothing to the other."""
    one, other = Visitor(site.larder), Visitor(site.larder)
    page, others_page = one.get("/form/"), other.get("/form/")
    assert one.submit(page, "/notes/", text="mine").status == 302
    assert other.submit(others_page, "/notes/", text="its own").status == 302
    assert one.submit(others_page, "/notes/", text="stolen").status == 403
    assert one.post("/notes/", text="none").status == 403
    wrong = {"csrfmiddlewaretoken": forms.placeholder("csrf"), "text": "placeholder"}
    assert one.post("/notes/", **wrong).status == 403
    without_cookie = Visitor(site.larder)
    assert without_cookie.submit(page, "/notes/", text="no cookie").status == 403


def test_the_page_after_a_filled_form_is_already_new(site) -> None:
    visitor = Visitor(site.larder)
    visitor.get("/notes/")
    page = visitor.get("/form/")
    assert visitor.submit(page, "/notes/", text="through larder's form").status == 302
    assert "through larder's form" in visitor.get("/notes/").text


def test_a_cookie_of_djangos_own_is_understood(site) -> None:
    """The login page is not cached: Django sets that cookie itself."""
    visitor = Visitor(site.larder)
    visitor.get("/admin/login/")
    assert len(visitor.cookies["csrftoken"]) == 32
    page = visitor.get("/form/")
    assert "Set-Cookie" not in page.headers
    assert visitor.submit(page, "/notes/", text="by Django's cookie").status == 302


def test_a_cached_fragment_is_filled_too(site) -> None:
    for _ in range(2):
        visitor = Visitor(site.larder)
        page = visitor.get("/fragment/")
        assert token_of(page) != forms.placeholder("csrf")
        assert visitor.submit(page, "/notes/", text="fragment").status == 302
        site.larder.client.purge(Purge(tags=frozenset({"fragment"})))


def test_each_answer_has_a_nonce_of_its_own_in_body_and_policy(site) -> None:
    seen = set()
    for _ in range(3):
        page = site.larder.get("/script/")
        nonces = re.findall('nonce="([A-Za-z0-9]{32})"', page.text)
        assert len(nonces) == 2
        assert page.headers["Content-Security-Policy"] == f"script-src 'nonce-{nonces[0]}'"
        assert nonces[0] == nonces[1] != forms.placeholder("nonce")
        seen.add(nonces[0])
    assert_hit(page)
    assert len(seen) == 3


def test_what_a_visitor_offers_does_not_reach_the_app(larder_binary) -> None:
    with served("gunicorn") as site:  # without [forms]
        page = site.larder.get("/form/", fields={"Larder-Fill": "csrf, nonce"})
        assert token_of(page) != forms.placeholder("csrf")
        assert "csrftoken" in page.headers["Set-Cookie"]
        assert_miss(site.larder.get("/form/"))


def test_head_ranges_and_compression_agree(site) -> None:
    visitor = Visitor(site.larder)
    page = visitor.get("/form/")
    head = site.larder.request("HEAD", "/form/", cookies=visitor.cookies)
    assert head.headers["Content-Length"] == page.headers["Content-Length"]
    part = site.larder.get("/form/", fields={"Range": "bytes=0-20"}, cookies=visitor.cookies)
    assert part.status == 200
    packed = site.larder.get("/form/", fields={"Accept-Encoding": "gzip"}, cookies=visitor.cookies)
    assert "Content-Encoding" not in packed.headers
    assert token_of(packed) != token_of(page)
    assert "ETag" not in page.headers


@pytest.fixture(scope="module")
def blog(larder_binary) -> Iterator[Site]:
    """The example, with its own larder.toml."""
    toml = BLOG / "larder.toml"
    with served("gunicorn", project=BLOG, module="mysite", toml_file=toml) as running:
        assert running.manage("seed").returncode == 0
        yield running


def test_the_example_keeps_an_article_with_its_form(blog) -> None:
    reader, writer = Visitor(blog.larder), Visitor(blog.larder)
    reader.get("/articles/1/")
    page = writer.get("/articles/1/")
    assert_hit(page)
    path = "/articles/1/comment/"
    assert writer.submit(page, path, name="Bea", text="first!").status == 302
    assert "first!" in writer.get("/articles/1/").text
    again = reader.get("/articles/1/")
    assert "first!" in again.text
    # The same purge comes by the admin port too, a moment later.
    wait_until("it is kept again", lambda: reader.get("/articles/1/").is_hit)
    assert token_of(again) != token_of(page)


def test_the_examples_doctor_finds_it_well(blog) -> None:
    done = blog.manage("larder_doctor")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("kept, fresh for another") == 3
    assert "tags: blog.article:2, blog.article:rows, blog.comment:list" in done.stdout
