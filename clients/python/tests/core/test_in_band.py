"""What the answer to a POST outdates is forgotten before the answer is handed on."""

from typing import Any

import pytest

from larder_client import Options, emit, invalidation, tag_hash
from larder_client.answer import write_invalidation
from larder_client.collected import Collected
from larder_client.testing import assert_hit, assert_miss

from .support import page, site


@pytest.mark.parametrize("options", [Options(), Options(hash_tags=True), Options(groups=True)])
def test_the_page_after_the_redirect_is_new(larder: Any, options: Options) -> None:
    proxy = larder(site(options))
    for tag in ["shop.product:1", "two words", "*", "public:x", "private:x", "a,b;c", "stale"]:
        stays = page("stays")
        for path in (page(tag), stays):
            proxy.get(path)
            assert_hit(proxy.get(path))
            # On another host of the same site too.
            proxy.get(path, fields={"Host": "other.test"})
        # Not to its own URL, which is forgotten anyway (RFC 9111 section 4.4).
        answer = proxy.post(page(tag, number=9))
        assert answer.status == 303
        assert answer.headers["Cache-Group-Invalidation"]
        assert answer.headers["X-LiteSpeed-Purge"] is None
        assert_miss(proxy.get(page(tag)))
        assert_miss(proxy.get(page(tag), fields={"Host": "other.test"}))
        assert_hit(proxy.get(stays))


def test_visitors_see_no_tags_but_groups_if_they_are_on(larder: Any) -> None:
    hashed = f'"{tag_hash("secret")}"'
    for options, groups in [(Options(), None), (Options(groups=True), hashed)]:
        answer = larder(site(options)).get(page("secret"))
        assert answer.headers["Cache-Tag"] is None
        assert "secret" not in str(answer.headers)
        assert answer.headers["Cache-Groups"] == groups


def test_by_groups_alone_too(larder: Any) -> None:
    proxy = larder(site(Options(groups=True)), purge={"dialects": ["url"]})
    proxy.get(page("a"))
    proxy.post(page("a", number=9))
    assert_miss(proxy.get(page("a")))


def test_lists_and_models_come_first_where_there_are_too_many() -> None:
    tags = [f"shop.product:{number}" for number in range(1000)]
    (field, line), (_, groups) = invalidation([*tags, "shop.product:list", "shop.product"])
    assert field == "X-LiteSpeed-Purge"
    assert line.startswith("tag=public:shop.product,tag=public:shop.product:list,tag=public:shop.")
    assert 7_900 < len(line) <= 8_000
    assert 7_900 < len(groups) <= 8_000
    assert invalidation([]) == []


@pytest.mark.parametrize("own", ["/hand", "private,tag=cart;/hand", "stale,/other;/hand"])
def test_what_the_view_outdates_itself_is_outdated_too(larder: Any, own: str) -> None:
    options, pages = Options(groups=True), site(Options(groups=True))

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        if environ["REQUEST_METHOD"] != "POST":
            if environ["PATH_INFO"] != "/group":
                return pages(environ, start_response)
            lines = [("Larder-Cache-Control", "max-age=60"), ("Cache-Groups", '"hand"')]
            start_response("200 OK", lines)
            return [b"page"]
        fields = {"X-LiteSpeed-Purge": own, "Cache-Group-Invalidation": '"hand"'}
        write_invalidation(fields, ["a"], options)
        start_response("204 No Content", list(fields.items()))
        return [b""]

    proxy = larder(application)
    gone, stays = (page("a"), "/hand", "/group"), page("b")
    for path in (*gone, stays):
        proxy.get(path)
        assert_hit(proxy.get(path))
    proxy.post("/save")
    for path in gone:
        assert_miss(proxy.get(path))
    assert_hit(proxy.get(stays))


@pytest.mark.parametrize("length", [100, 7_990, 9_000])
def test_beside_the_views_own_a_line_is_no_longer(length: int) -> None:
    own = "/" + "x" * length
    fields = {"X-LiteSpeed-Purge": own}
    write_invalidation(fields, [f"note:{number}" for number in range(1000)], Options())
    line = fields["X-LiteSpeed-Purge"]
    assert len(line) <= max(8_000, len(own))
    kept, _, ours = line.partition(";")
    assert kept == own
    assert bool(ours) == (length == 100)
    assert all(tag.startswith("tag=public:note:") for tag in ours.split(",") if ours)
    assert ours in invalidation(f"note:{number}" for number in range(1000))[0][1]


def test_a_page_with_more_tags_than_a_line_takes_is_not_cached(
    larder: Any, caplog: pytest.LogCaptureFixture
) -> None:
    collected = Collected()
    collected.add(*(f"article:{number}" for number in range(10_000)))
    assert emit(collected) == [("Larder-Cache-Control", "no-store")]
    assert "10000 tags, which do not fit 8000 bytes" in caplog.text
    many = [f"article:{number:09}" for number in range(600)]
    room = {"target": "64KiB", "head": "80KiB", "field": 65536}
    for options, hit in [(Options(), False), (Options(hash_tags=True), True)]:
        proxy = larder(site(options), limits=room)
        proxy.get(page(*many))
        assert proxy.get(page(*many)).is_hit == hit
