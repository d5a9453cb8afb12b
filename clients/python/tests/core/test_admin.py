"""The client and the real admin port."""

import asyncio
import threading
from typing import Any

import pytest

from larder_client import Client, Options, Purge, Refused
from larder_client.testing import assert_hit, assert_miss

from .support import page, site

ODD = ["new books", "a,b", "a;b", 'say "x"', "back\\slash", "100%", "*", "~", "a\nb", "x" * 999]
ODD += ["café", "日本語"]


@pytest.mark.parametrize("hash_tags", [False, True])
def test_a_tag_is_purged_as_it_was_emitted(larder: Any, hash_tags: bool) -> None:
    options = Options(hash_tags=hash_tags)
    proxy = larder(site(options))
    client = Client(Options(url=proxy.admin, hash_tags=hash_tags))
    for number, tag in enumerate(ODD):
        other = page("other", number=number)
        for path in (page(tag), other):
            proxy.get(path)
            assert_hit(proxy.get(path))
        done = client.purge(Purge(tags={tag, "not there"}))
        assert (done.gone, done.stale) == (1, 0), tag
        assert done.counts == {"tags": {tag: 1, "not there": 0}}
        assert_miss(proxy.get(page(tag)))
        assert_hit(proxy.get(other))


def test_every_selector(larder: Any) -> None:
    proxy = larder(site(Options()))
    at = proxy.url
    for purge, path in [
        (Purge(urls={f"{at}/?tag=a"}), "/?tag=a"),
        (Purge(paths={f"{at}/1"}), "/1?tag=a"),
        (Purge(prefixes={f"{at}/2"}), "/2?tag=a"),
        (Purge(hosts={at.removeprefix("http://")}), "/"),
        (Purge(everything=True), "/"),
    ]:
        proxy.get(path)
        assert proxy.client.purge(purge).gone > 0, purge
        assert_miss(proxy.get(path))


def test_softly_and_only_tried(larder: Any) -> None:
    proxy = larder(site(Options()))
    proxy.get(page("a"))
    tried = proxy.client.purge(Purge(tags={"a"}), dry_run=True)
    assert (tried.number, tried.gone, tried.counts["tags"]["a"]) == (0, 1, 1)
    assert_hit(proxy.get(page("a")))
    done = proxy.client.purge(Purge(tags={"a"}, soft=True, refresh=True))
    assert (done.number, done.gone, done.stale) == (1, 0, 1)
    assert proxy.client.purges()[0]["number"] == 1


def test_more_than_one_request_takes(larder: Any) -> None:
    proxy = larder(site(Options()))
    for path in (page("article:1"), page("article:24999")):
        proxy.get(path)
    tags = [f"article:{number}" for number in range(25_000)]
    done = proxy.client.purge(Purge(tags=tags))
    assert (done.number, done.gone, len(done.counts["tags"])) == (3, 2, 25_000)
    assert done.counts["tags"]["article:24999"] == 1


def test_tokens(larder: Any) -> None:
    tokens = [{"name": "reader", "token": "read", "scope": "read"}]
    proxy = larder(site(Options()), admin={"token": "all", "tokens": tokens})
    proxy.client.ping()
    for token, status, advice in [
        (None, 401, "set the token"),
        ("no", 401, "set the token"),
        ("read", 403, "scope"),
    ]:
        client = Client(Options(url=proxy.admin, token=token))
        with pytest.raises(Refused, match=advice) as refused:
            client.purge(Purge(tags={"a"}))
        assert refused.value.status == status
    assert "all" not in repr(proxy.options)


def test_what_is_wrong_is_named(larder: Any) -> None:
    proxy = larder(site(Options()))
    with pytest.raises(Refused, match="an absolute URL is needed") as refused:
        proxy.client.purge(Purge(tags={"a"}, urls={"/here", "http://x.test/"}))
    assert [found[:2] for found in refused.value.wrong()] == [("urls", "/here")]


def test_explaining(larder: Any) -> None:
    proxy = larder(site(Options()), cache={"cookies": ["session"], "bypass_cookies": ["messages"]})
    proxy.get("/?tag=a")
    url = f"{proxy.url}/?tag=a"
    assert proxy.client.explain(url)["outcome"]["token"] == "hit"
    explained = proxy.client.explain(url, fields={"X": "é, y"}, cookies={"messages": "1"})
    assert explained["outcome"]["token"] == "bypass"
    with pytest.raises(Refused, match="url"):
        proxy.client.explain("nonsense")


def test_from_a_coroutine(larder: Any) -> None:
    proxy = larder(site(Options()))
    proxy.get(page("a"))

    async def ask() -> None:
        await proxy.client.aping()
        assert "memory" in await proxy.client.astats()
        assert (await proxy.client.aexplain(f"{proxy.url}{page('a')}"))["variants"]
        done = await asyncio.gather(*(proxy.client.apurge(Purge(tags={"a"})) for _ in range(8)))
        assert sorted(one.gone for one in done) == [0] * 7 + [1]

    asyncio.run(ask())


def test_many_threads_share_a_client(larder: Any) -> None:
    proxy = larder(site(Options()))
    failed: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(5):
                tag = f"{number}:{turn}"
                assert proxy.client.purge(Purge(tags={tag})).counts == {"tags": {tag: 0}}
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


def test_nothing_is_sent_if_it_is_off_or_empty() -> None:
    nobody = Options(url="http://127.0.0.1:1")
    assert Client(nobody).purge(Purge()).number == 0
    off = Options(url="http://127.0.0.1:1", enabled=False)
    assert Client(off).purge(Purge(everything=True)).number == 0
