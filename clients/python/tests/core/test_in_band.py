"""What the answer to a POST outdates is forgotten before the answer is handed on."""

from typing import Any

import pytest

from larder_client import Options, emit, invalidation, tag_hash
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
