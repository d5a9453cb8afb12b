"""What is to be forgotten, as a value."""

import json
from typing import Any

import pytest

from larder_client import Purge, Purged, wire_tag
from larder_client.purge import MOST_BYTES


def test_both() -> None:
    one, other = Purge(tags={"a"}, soft=True), Purge(tags={"b"}, urls={"http://x/"}, refresh=True)
    assert one | other == Purge(tags={"a", "b"}, urls={"http://x/"}, refresh=True)
    assert (one | Purge(soft=True, tags={"c"})).soft
    # Nothing makes nothing hard.
    assert Purge() | one == one | Purge() == one
    assert not Purge(soft=True, refresh=True)
    assert Purge(everything=True)
    assert len(one | other) == 3


def test_one_string_is_no_set_of_strings() -> None:
    with pytest.raises(TypeError, match="tags is to be a set of strings, not the string 'news'"):
        Purge(tags="news")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="urls has 7"):
        Purge(urls=[7])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="tags has ''"):
        Purge(tags=[""])  # type: ignore[arg-type]


def test_batches_are_all_of_it_and_no_larger_than_may_be() -> None:
    purge = Purge(tags=[f"t{n}" for n in range(25_000)], hosts={"x"}, soft=True)
    batches = list(purge.batches())
    assert [len(batch) for batch in batches] == [10_000, 10_000, 5_001]
    assert all(batch.soft for batch in batches)
    together = Purge(soft=True)
    for batch in batches:
        together |= batch
    assert together == purge
    assert [len(batch) for batch in Purge(tags=["a", "b", "c"]).batches(2)] == [2, 1]


@pytest.mark.parametrize("character", ["x", "é", "\x00", "😀", '"', "\\"])
def test_a_batch_is_at_most_a_mebibyte(character: str) -> None:
    urls = [f"http://x.test/{n}/{character * 900}" for n in range(3000)]
    batches = list(Purge(urls=urls).batches())
    assert sum(len(batch) for batch in batches) == 3000
    assert all(len(json.dumps(batch.to_json())) <= MOST_BYTES + 100 for batch in batches)


def test_so_is_one_of_tags_as_they_are_written() -> None:
    for batch in Purge(tags=[f"{n}{'é,' * 20}" for n in range(9_000)]).batches():
        assert sum(len(wire_tag(tag)) + 4 for tag in batch.tags) <= MOST_BYTES


def test_everything_is_one_batch() -> None:
    purge = Purge(tags={"a"}, everything=True, soft=True)
    assert list(purge.batches()) == [Purge(everything=True, soft=True)]
    assert list(Purge().batches()) == []


def test_a_document_is_read_as_it_was_written() -> None:
    purge = Purge(
        frozenset({"é, b"}), frozenset({"u"}), frozenset({"p"}), frozenset({"x"}), frozenset({"h"}),
        everything=True, soft=True, refresh=True,
    )  # fmt: skip
    assert Purge.from_json(json.loads(json.dumps(purge.to_json()))) == purge
    assert Purge(tags={"b", "a"}).to_json() == {"tags": ["a", "b"]}
    assert Purge.from_json({}) == Purge()


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "a purge is an object, not \\[\\]"),
        ({"tag": []}, "a purge has no 'tag'; it has all, hosts"),
        ({"tags": "a"}, "'tags' of a purge is a list of strings"),
        ({"tags": [7]}, "'tags' of a purge is a list of strings"),
        ({"tags": [""]}, "a string that says something"),
        ({"all": 1}, "'all' of a purge is true or false"),
    ],
)
def test_what_is_no_document(document: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Purge.from_json(document)


def test_what_was_done_adds_up() -> None:
    one = Purged(1, 2, 0, {"tags": {"a": 2}})
    other = Purged(2, 0, 3, {"tags": {"b": 3}, "urls": {"u": 0}})
    assert one | other == Purged(2, 2, 3, {"tags": {"a": 2, "b": 3}, "urls": {"u": 0}})
