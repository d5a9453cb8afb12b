"""The tags of a response that is being made."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from uuid import UUID

import pytest

from larder_client import (
    CacheControl,
    Collected,
    Options,
    collecting,
    current,
    emit,
    record,
    row_tag,
    wire_tag,
)


def test_what_is_recorded_is_emitted() -> None:
    with collecting() as collected:
        record("start page", "news")
        collected.add_row("shop.product", 17)
        collected.add_row("shop.product", "17")
        collected.add_list("shop.product")
    assert collected.tags() == ("news", "shop.product:17", "shop.product:list", "start page")
    assert emit(collected) == [("Cache-Tag", "news,shop.product:17,shop.product:list,start%20page")]


def test_without_anybody_who_collects_nothing_happens() -> None:
    assert current() is None
    record("a")
    assert emit(Collected()) == []


def test_an_inner_one_is_of_the_outer_one_too() -> None:
    with collecting(Options(max_tags=3)) as page:
        record("page")
        with pytest.raises(RuntimeError), collecting() as fragment:
            record("fragment")
            fragment.cache = CacheControl(ttl=1)
            fragment.add_rows("m", [1, 2, 3, 4])
            raise RuntimeError
        assert fragment.options.max_tags == 3
        assert "page" not in fragment.tags()
    assert page.tags() == ("fragment", "m", "page")
    assert page.cache is None
    assert current() is None


@pytest.mark.parametrize(
    ("pk", "tag"),
    [
        (17, "m:17"),
        ("a b", "m:a b"),
        (UUID(int=1), "m:00000000-0000-0000-0000-000000000001"),
        ((1, "x"), "m:1,x"),
        (0, "m:0"),
        # Without a key it is any row.
        (None, "m"),
        ("", "m"),
        ((), "m"),
        ((1, None), "m"),
    ],
)
def test_keys(pk: object, tag: str) -> None:
    collected = Collected()
    collected.add_row("m", pk)
    assert collected.tags() == (tag,) == (row_tag("m", pk),)


def test_rows_are_rolled_up_those_of_the_model_with_most_first() -> None:
    collected = Collected(Options(max_tags=10))
    collected.add("named")
    collected.add_rows("few", range(4))
    collected.add_rows("many", range(8))
    collected.add_list("many")
    collected.add_list("few")
    # Whoever changes which rows there are purges the model, so its list is covered.
    rolled_up = ("few:0", "few:1", "few:2", "few:3", "few:list", "many", "named")
    assert collected.tags() == rolled_up
    assert collected.tags() == rolled_up


def test_ten_thousand_rows_take_the_room_of_a_few() -> None:
    collected = Collected()
    for number in range(10_000):
        collected.add_row("m", number)
    assert collected._rows == {"m": None}
    assert emit(collected) == [("Cache-Tag", "m")]


def test_what_was_named_is_never_rolled_up() -> None:
    collected = Collected(Options(max_tags=3))
    names = [f"n:{number}" for number in range(5)]
    collected.add(*names)
    collected.add_row("m", 1)
    assert collected.tags() == ("m:1", *names)


def test_hashed() -> None:
    options = Options(hash_tags=True, groups=True)
    collected = Collected(options)
    collected.add("a", "b")
    a, b = (wire_tag(tag, options) for tag in ("a", "b"))
    assert emit(collected) == [("Cache-Tag", f"{a},{b}"), ("Cache-Groups", f'"{a}", "{b}"')]


def test_threads_and_tasks_of_a_request_record_for_it() -> None:
    async def task(tag: str) -> None:
        await asyncio.to_thread(record, tag)

    async def main() -> None:
        await asyncio.gather(*(task(str(number)) for number in range(20)))

    with collecting() as collected:
        asyncio.run(main())
        with ThreadPoolExecutor() as pool:
            pool.submit(copy_context().run, record, "pool")
    assert len(collected.tags()) == 21


def test_a_thread_that_goes_on_when_the_response_is_done_records_nothing() -> None:
    with collecting() as collected:
        context = copy_context()
    context.run(record, "late")
    assert context.run(current) is None
    assert collected.tags() == ()


def test_reading_while_others_record() -> None:
    ended = threading.Event()

    def add() -> None:
        for number in range(100_000):
            record(f"{number}")
            if ended.is_set():
                break

    with collecting(Options(max_tags=10_000)) as collected:
        thread = threading.Thread(target=copy_context().run, args=(add,))
        thread.start()
        while thread.is_alive() and len(collected.tags()) < 5_000:
            pass
        ended.set()
        thread.join()
    assert len(collected.tags()) >= 5_000


def test_others_record_for_themselves() -> None:
    with collecting() as collected:
        thread = threading.Thread(target=record, args=("other",))
        thread.start()
        thread.join()
    assert collected.tags() == ()


def test_what_is_no_tag_is_said_where_it_is_made() -> None:
    with collecting(), pytest.raises(ValueError, match="at least one character"):
        record("")
    with collecting() as collected, pytest.raises(TypeError, match="a string, not 7"):
        record("good", 7)  # type: ignore[arg-type]
    assert collected.tags() == ()
