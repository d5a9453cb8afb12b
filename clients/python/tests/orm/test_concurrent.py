"""A write that another one overtakes between what is read of its rows and its statement."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, connections, transaction
from shelf.models import Article, Author, Comment
from support import Sent, registered

from larder_client.django.orm import before_after, writing

#: How long, in seconds, the other write may wait for a lock before it is let be.
PATIENCE = 1.0


@contextmanager
def overtaken_by(write: Callable[[], Any]) -> Iterator[list[bool]]:
    """Has `write` be made, and committed, before the first UPDATE or DELETE of this thread.

    Gives whether it was. If not, it waits for the rows, and comes after.
    """
    others: list[threading.Thread] = []
    was_first: list[bool] = []

    def other() -> None:
        try:
            write()
        finally:
            connections.close_all()

    def hold(run: Any, sql: str, *given: Any) -> Any:
        if sql.startswith(("UPDATE", "DELETE")) and not others:
            others.append(threading.Thread(target=other))
            others[0].start()
            others[0].join(PATIENCE)
            was_first.append(not others[0].is_alive())
        return run(sql, *given)

    with connection.execute_wrapper(hold):
        yield was_first
    for one in others:
        one.join()
    assert was_first


@contextmanager
def committed_by_hand() -> Iterator[None]:
    transaction.set_autocommit(False)
    try:
        yield
        transaction.commit()
    finally:
        transaction.rollback()
        transaction.set_autocommit(True)


@contextmanager
def without_a_transaction() -> Iterator[None]:
    yield


WAYS = pytest.mark.parametrize("way", [without_a_transaction, committed_by_hand])


@pytest.fixture
def articles(sent: Sent) -> list[Article]:
    author = Author.objects.create(name="Ann")
    found = [Article.objects.create(title="A", slug=f"s{n}", author=author) for n in range(2)]
    sent.clear()
    return found


@WAYS
@pytest.mark.parametrize("option", [{"ignore_fields": ["views"]}, {"list_fields": ["title"]}])
def test_what_restores_a_former_value_is_purged(
    articles: list[Article], sent: Sent, option: Any, way: Any
) -> None:
    one = articles[0]
    row = Article.objects.filter(pk=one.pk)
    overtaken = overtaken_by(lambda: row.update(title="B"))
    with registered(Article, **option), overtaken as was_first, way():
        one.save()  # the title is "A", as it was
    tag = "shelf.article:list" if "list_fields" in option else f"shelf.article:{one.pk}"
    assert Article.objects.get(pk=one.pk).title == ("A" if was_first[0] else "B")
    assert sum(tag in purge.tags for purge in sent.purges) == (2 if was_first[0] else 1)


def test_so_is_a_user_whom_nobody_has_registered(sent: Sent) -> None:
    user = get_user_model().objects.create(username="u", first_name="A")
    sent.clear()
    same = get_user_model().objects.filter(pk=user.pk)
    with overtaken_by(lambda: same.update(first_name="B")) as was_first:
        user.save()
    tag = f"shelf.reader:{user.pk}"
    assert sum(tag in purge.tags for purge in sent.purges) == (2 if was_first[0] else 1)


@WAYS
@pytest.mark.parametrize("last", ["save", "delete"])
def test_registered_tags_are_those_of_the_row_that_is_overwritten(
    articles: list[Article], sent: Sent, last: str, way: Any
) -> None:
    one, two = articles
    with registered(Comment, tags=lambda comment: [f"article-{comment.article_id}"]):
        comment = Comment.objects.create(article=one, text="c")
        row = Comment.objects.filter(pk=comment.pk)
        sent.clear()
        with overtaken_by(lambda: row.update(article=two)) as was_first, way():
            getattr(comment, last)()
    # Whoever was the last has purged the page of the other, too.
    if was_first[0]:
        assert f"article-{two.pk}" in sent.purges[-1].tags
    elif last == "save":
        assert sent.purges[-1].tags >= {f"article-{one.pk}", f"article-{two.pk}"}


def test_where_nothing_can_be_locked_nothing_is_compared(
    articles: list[Article], sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = articles[0]
    with registered(Article, ignore_fields=["views"]):
        one.save()
        assert sent.purges == []
        for module in (before_after, writing):
            monkeypatch.setattr(module, "can_lock", lambda _: False)
        one.save()
        assert f"shelf.article:{one.pk}" in sent.tags
        sent.clear()
        Article.objects.filter(pk=one.pk).update(views=3)  # known from the statement
        assert sent.purges == []


def test_a_write_without_a_transaction_leaves_none(articles: list[Article], sent: Sent) -> None:
    with registered(Article, ignore_fields=["views"], tags=lambda article: ["x"]):
        articles[0].title = "B"
        articles[0].save()
        assert len(sent.purges) == 1
        articles[1].delete()
    assert connection.get_autocommit()
    assert not connection.in_atomic_block
