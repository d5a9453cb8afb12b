"""What waits for the background: no threads, no clock."""

import logging

import pytest

from larder_client import Purge
from larder_client.notices import Notices
from larder_client.waiting import LONGEST_PAUSE, Parcel, Waiting, pause


def parcel(*tags: str, key: object = None, failures: int = 0, soft: bool = False) -> Parcel:
    keys = set() if key is None else {key}
    return Parcel(Purge(tags=tags, soft=soft), keys, failures)


def test_what_waits_is_merged() -> None:
    waiting = Waiting(100)
    for number in range(3):
        waiting.add(parcel("list", f"a:{number}"))
    assert len(waiting) == 6
    assert waiting.take() == [parcel("list", "a:0", "a:1", "a:2")]
    assert (len(waiting), waiting.take()) == (0, [])


def test_equal_ones_are_one_with_all_their_rows() -> None:
    waiting = Waiting(100)
    for key in (1, 2, 3):
        waiting.add(parcel("a", key=key, failures=key))
    assert len(waiting) == 1
    assert waiting.take() == [Parcel(Purge(tags={"a"}), {1, 2, 3}, failures=1)]


def test_soft_and_hard_stay_apart_and_so_do_those_that_would_be_lost() -> None:
    waiting = Waiting(100)
    waiting.add(parcel("a"))
    waiting.add(parcel("b", soft=True))
    waiting.add(parcel("c", key=1))
    waiting.add(Parcel(Purge(tags={"d"}, refresh=True)))
    taken = waiting.take()
    assert [sorted(one.purge.tags) for one in taken] == [["a"], ["b"], ["c"], ["d"]]
    assert [one.purge.soft for one in taken] == [False, True, False, False]


def test_what_is_refused_is_taken_apart() -> None:
    waiting = Waiting(100)
    waiting.add(parcel("a", key=1))
    url = frozenset({"http://x.test/"})
    waiting.add(Parcel(Purge(tags={"b"}, urls=url, refresh=True), {2}))
    waiting.add(Parcel(Purge(tags={"c"}, urls=url), {3}))
    mixed, refreshed = sorted(waiting.take(), key=lambda one: one.purge.refresh)
    mixed.from_outbox, mixed.failures = True, 4
    tags, others = mixed.apart()
    assert (tags.purge, tags.keys) == (Purge(tags={"a"}), {1})
    assert (others.purge, others.keys) == (Purge(tags={"c"}, urls=url), {3})
    assert tags.from_outbox
    assert others.failures == 4
    assert tags.apart() == []
    # What came together has one row: it is done when all of it is.
    for one in (others, refreshed):
        tags, others = one.apart()
        assert (tags.purge.tags, tags.keys) == (one.purge.tags, set())
        assert (others.purge.urls, others.keys) == (url, one.keys)
        assert tags.purge.refresh == others.purge.refresh == one.purge.refresh
        assert others.apart() == []
    assert Parcel(Purge(everything=True)).apart() == []


def test_the_oldest_go_when_there_is_no_room() -> None:
    waiting = Waiting(4)
    assert waiting.add(parcel("a", "b")) == []
    assert waiting.add(parcel("c", "d")) == []
    assert waiting.add(parcel("e")) == [parcel("a", "b")]
    # One that is larger than all the room is not refused for that.
    large = parcel(*"123456789")
    assert waiting.add(large) == [parcel("c", "d"), parcel("e")]
    assert waiting.take() == [large]


def test_what_failed_is_before_what_came_since() -> None:
    waiting = Waiting(3)
    waiting.add(parcel("new"))
    waiting.add(parcel("both", key=1))
    gone = waiting.put_back([parcel("old", failures=1), parcel("both", key=2, failures=1)])
    assert gone == []
    assert len(waiting) == 3
    assert waiting.add(parcel("newer")) == [parcel("old", failures=1)]
    assert waiting.take()[0].keys == {1, 2}


def test_pauses_double_up_to_a_bound_and_are_any_part_of_it() -> None:
    whole = [pause(failures, lambda: 1.0) for failures in range(1, 12)]
    assert whole[:4] == [0.2, 0.4, 0.8, 1.6]
    assert whole[-1] == LONGEST_PAUSE == pause(10_000, lambda: 1.0)
    assert pause(4, lambda: 0.25) == pytest.approx(0.4)
    assert all(0 <= pause(5) <= 3.2 for _ in range(100))


def test_a_kind_of_line_comes_once_a_second(caplog: pytest.LogCaptureFixture) -> None:
    now = 100.0
    notices = Notices(logging.getLogger("larder_client"), lambda: now)
    for _ in range(5):
        notices.say(logging.WARNING, "down", "down %s", "x")
        notices.say(logging.WARNING, "other", "other")
    now = 101.5
    notices.say(logging.WARNING, "down", "down %s", "y")
    assert [one.getMessage() for one in caplog.records] == [
        "down x",
        "other",
        "down y (and 4 more like this)",
    ]
