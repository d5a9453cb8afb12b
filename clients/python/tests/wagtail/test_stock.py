"""Wagtail's own HTTPBackend, unchanged, at the port that visitors use; and ours without apps."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from wagtail_site import Site, eventually, logged_in


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    running = Site(tmp_path_factory.mktemp("stock"), DJANGO_SETTINGS_MODULE="stock_settings")
    running.environment["LARDER_PROXY"] = f"http://127.0.0.1:{running.port}"
    try:
        running.start()
        yield running
    finally:
        running.stop()


def test_what_wagtail_purges_by_itself(stock: Site) -> None:
    editor = logged_in(stock)
    (page,) = stock.shell("said.append(post('blog/post-1').pk)")
    stock.kept("/en/blog/post-1/", "/en/blog/")
    before = len(stock.purges())
    editor.submit(
        f"/admin/pages/{page}/edit/", "page-edit-form", "action-publish", title="By Wagtail"
    )
    assert "By Wagtail" in stock.read("/en/blog/post-1/").text
    # The listing is what Wagtail leaves to each site (its issue 820).
    assert stock.read("/en/blog/").is_hit
    # Both backends have been asked, each in its own way.
    assert "url" in ways(stock, before)
    eventually(lambda: "api" in ways(stock, before))


def ways(stock: Site, before: int) -> set[str]:
    made = stock.purges()
    return {one["via"] for one in made[: len(made) - before]}
