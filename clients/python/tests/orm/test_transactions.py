"""When a purge goes out: once, after the commit, and never after a rollback."""

import asyncio
import threading
import unittest
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import OperationalError, connection, connections, transaction
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from shelf.models import Article, Author, Tag
from support import Sent, rolled_back

from larder_client import Purge
from larder_client.django import conf
from larder_client.django.orm import changed, commits, committed, purge_on_commit, unwatched

TAG = "shelf.tag"


def names(purge: Purge) -> set[str]:
    """The names of the tags that have just been made, by the rows that are there."""
    return {tag.name for tag in Tag.objects.all() if f"{TAG}:{tag.pk}" in purge.tags}


def test_a_transaction_is_one_purge_after_its_commit(sent: Sent) -> None:
    with transaction.atomic():
        author = Author.objects.create(name="a")
        for number in range(3):
            Article.objects.create(title=str(number), author=author)
            author.save()
        assert sent.purges == []
    assert len(sent.purges) == 1
    assert f"shelf.author:{author.pk}" in sent.tags


def test_no_transaction_is_at_once(sent: Sent) -> None:
    Tag.objects.create(name="a")
    assert len(sent.purges) == 1
    Tag.objects.create(name="b")
    assert len(sent.purges) == 2


def test_nothing_after_a_rollback(sent: Sent) -> None:
    with rolled_back():
        Tag.objects.create(name="a")
    assert sent.purges == []
    with transaction.atomic():
        Tag.objects.create(name="b")
        transaction.set_rollback(True)
    assert sent.purges == []
    # What comes after is not lost with it.
    with transaction.atomic():
        Tag.objects.create(name="c")
    assert names(sent.purges[0]) == {"c"}


def test_a_savepoint_that_is_rolled_back_takes_its_part_along(sent: Sent) -> None:
    def fail(name: str) -> None:
        with rolled_back():
            Tag.objects.create(name=name)
            with transaction.atomic():
                Author.objects.create(name="inner")

    with transaction.atomic():
        fail("first")
        Tag.objects.create(name="kept")
        with transaction.atomic():
            Tag.objects.create(name="kept too")
        fail("second")
    assert len(sent.purges) == 1
    assert names(sent.purges[0]) == {"kept", "kept too"}
    assert not {tag for tag in sent.tags if tag.startswith("shelf.author")}


def test_a_savepoint_by_hand_purges_though_it_is_rolled_back(sent: Sent) -> None:
    """Django's own `on_commit` knows the savepoints of `atomic` alone. It does no harm."""
    create = getattr(transaction, "savepoint_create", None) or transaction.savepoint
    with transaction.atomic():
        savepoint = create()
        Tag.objects.create(name="x")
        transaction.savepoint_rollback(savepoint)
    assert len(sent.purges) == 1


def test_two_databases_each_have_their_own_commit(sent: Sent) -> None:
    with transaction.atomic(using="other"):
        Tag.objects.using("other").create(name="o")
        with transaction.atomic():
            Author.objects.create(name="d")
        assert len(sent.purges) == 1
        assert "shelf.author" in sent.tags
        assert TAG not in sent.tags
    assert len(sent.purges) == 2
    assert TAG in sent.tags
    sent.clear()
    with rolled_back("other"):
        Tag.objects.using("other").create(name="o")
        Author.objects.create(name="e")
    assert "shelf.author" in sent.tags
    assert TAG not in sent.tags


def test_a_site_that_commits_by_itself(sent: Sent) -> None:
    transaction.set_autocommit(False)
    try:
        Tag.objects.create(name="a")
        assert sent.purges == []
        transaction.commit()
        assert len(sent.purges) == 1
        Tag.objects.create(name="b")
        transaction.rollback()
        assert len(sent.purges) == 1
        with transaction.atomic():
            Tag.objects.create(name="c")
        assert len(sent.purges) == 1
        transaction.commit()
        assert len(sent.purges) == 2
        transaction.commit()
    finally:
        transaction.rollback()
        transaction.set_autocommit(True)
    assert len(sent.purges) == 2


def test_a_commit_of_which_nobody_knows_is_purged(
    sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    def commit() -> None:
        connection.connection.commit()
        raise OperationalError("server closed the connection unexpectedly")

    @transaction.atomic
    def write() -> None:
        Tag.objects.create(name="a")
        monkeypatch.setattr(connection, "_commit", commit)

    with pytest.raises(OperationalError):
        write()
    assert len(sent.purges) == 1


def test_a_save_in_a_test_case(sent: Sent) -> None:
    """Django's TestCase rolls everything back: its commits are only pretended."""
    seen: list[Any] = []

    class Inner(TestCase):
        databases = {"default"}  # noqa: RUF012

        def test(self) -> None:
            Tag.objects.create(name="a")
            seen.append(len(sent.purges))
            with self.captureOnCommitCallbacks(execute=True) as callbacks:
                with transaction.atomic():
                    Tag.objects.create(name="b")
                Tag.objects.create(name="c")
            seen.append(len(callbacks))
            seen.append([name for purge in sent.purges for name in names(purge)])

    result = unittest.TestResult()
    unittest.TestSuite([Inner("test")]).run(result)
    assert result.wasSuccessful(), result.errors + result.failures
    purged_at_first, callbacks, names_then = seen
    assert purged_at_first == 0
    assert (callbacks, names_then) == (2, ["b", "c"])
    assert {f"{TAG}:list", TAG} <= sent.tags
    assert not Tag.objects.exists()


def test_async_writes_are_purged(sent: Sent) -> None:
    async def write() -> frozenset[str]:
        with commits():
            await Tag.objects.acreate(name="a")
            return committed()

    assert asyncio.run(write()) == sent.tags
    assert len(sent.purges) == 1


def test_a_purge_by_hand_in_an_async_view_needs_no_database(sent: Sent) -> None:
    async def view() -> None:
        purge_on_commit("default", named=["by-hand"])

    connection.close()
    asyncio.run(view())
    assert sent.tags == {"by-hand"}


def test_what_a_request_has_committed(sent: Sent) -> None:
    assert committed() == frozenset()
    with commits():
        Tag.objects.create(name="a")
        with rolled_back():
            Author.objects.create(name="b")
        assert committed() == sent.tags
        with commits():
            assert committed() == frozenset()
            Author.objects.create(name="c")
        assert "shelf.author" in committed()
    assert committed() == frozenset()


def test_threads_have_purges_of_their_own(sent: Sent) -> None:
    barrier = threading.Barrier(2, timeout=20)

    def write(alias: str, fails: bool) -> None:
        try:
            with transaction.atomic(using=alias):
                Tag.objects.using(alias).create(name=alias)
                barrier.wait()
                if fails:
                    raise ZeroDivisionError
        except ZeroDivisionError:
            pass
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, ["default", "other"], [True, False]))
    assert len(sent.purges) == 1


def test_purges_by_hand_go_with_the_others(sent: Sent) -> None:
    with transaction.atomic():
        Tag.objects.create(name="a")
        purge_on_commit("default", purge=Purge(urls=frozenset({"http://a/"})))
        purge_on_commit("default", purge=Purge(tags=frozenset({"soft"}), soft=True))
        purge_on_commit("default", purge=Purge())
    assert [purge.soft for purge in sent.purges] == [False, True]
    assert sent.purges[0].urls == {"http://a/"}
    assert TAG in sent.purges[0].tags
    sent.clear()
    purge_on_commit("default", ())
    assert sent.purges == []


def test_what_cannot_be_seen_can_be_said(sent: Sent) -> None:
    changed(Tag, [3, "4"])
    assert sent.tags == {TAG, f"{TAG}:list", f"{TAG}:3", f"{TAG}:4"}
    sent.clear()
    with transaction.atomic():
        changed(Tag)
        assert not sent.purges
    assert sent.tags == {TAG, f"{TAG}:list", f"{TAG}:rows"}
    sent.clear()
    with unwatched():
        Tag.objects.create(name="x")
        connection.cursor().execute("DELETE FROM shelf_tag")
    assert sent.purges == []


def test_a_sender_that_fails_spoils_no_write(sent: Sent, caplog: pytest.LogCaptureFixture) -> None:
    class Failing:
        def send(self, purge: Purge, *, key: object | None = None) -> None:
            raise RuntimeError("out of order")

    writes: list[Callable[[], Any]] = [
        lambda: Tag.objects.create(name="a"),
        lambda: transaction.atomic()(lambda: Tag.objects.create(name="b"))(),
    ]
    for write in writes:
        caplog.clear()
        with conf.stand_in(Failing()):
            write()
        assert "could not be handed on" in caplog.text
    assert Tag.objects.count() == 2


def test_reading_takes_no_more_queries(sent: Sent) -> None:
    Tag.objects.create(name="a")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        list(Tag.objects.all())
        Tag.objects.filter(pk=1).update(name="b")
    assert len(queries) == 2
