"""Sessions that join a transaction which somebody else commits."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, event, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from larder_client.sqlalchemy import changed, models, receivers, register

MODES = pytest.mark.parametrize(
    "mode", ["conditional_savepoint", "rollback_only", "create_savepoint"]
)


class Boxed:
    """A receiver with an outbox; the keys of its rows are their numbers."""

    def __init__(self) -> None:
        self.rows: list[frozenset[str]] = []
        self.keys: list[object] = []

    def concerned(self) -> bool:
        return True

    def has_outbox(self) -> bool:
        return True

    def store(self, where: Session | Connection, tags: frozenset[str]) -> object:
        assert where.in_transaction()
        self.rows.append(tags)
        return len(self.rows)

    def committed(self, tags: frozenset[str], keys: Any) -> None:
        self.keys += keys


@pytest.fixture(params=[False, True], ids=["", "outbox"])
def boxed(request: pytest.FixtureRequest) -> Iterator[Boxed | None]:
    """All of it holds with an outbox and without."""
    if not request.param:
        yield None
        return
    box = Boxed()
    receivers.add(box, [])
    try:
        yield box
    finally:
        receivers.remove(box)


@pytest.fixture
def join(shop: SimpleNamespace, boxed: Boxed | None) -> Iterator[Callable[..., SimpleNamespace]]:
    """Begins a transaction, and joins it: `write(number, where)`, `session(mode)`, `purged()`."""

    def write(number: int, where: Session | Connection) -> None:
        where.execute(update(shop.Product).where(shop.Product.id == number).values(price=9))

    def rows(tags: Any) -> set[int]:
        return {int(tag[8:]) for tag in tags if tag[:8] == "product:" and tag[8:].isdigit()}

    def purged() -> set[int]:
        told = rows(shop.told.take())
        if boxed is not None:
            # What is committed was written down before, and all of that is told.
            assert rows(frozenset().union(*boxed.rows)) >= told
            assert boxed.keys == [number + 1 for number in range(len(boxed.rows))]
        return told

    with shop.engine.connect() as connection:
        yield lambda: SimpleNamespace(
            connection=connection,
            outer=connection.begin(),
            write=write,
            purged=purged,
            session=lambda mode="conditional_savepoint": Session(
                connection, join_transaction_mode=mode
            ),
        )


def test_what_a_session_leaves_without_a_commit(join: Any) -> None:
    joined = join()
    with joined.session() as session:
        joined.write(1, session)
    with joined.session("rollback_only") as session:
        joined.write(2, session)
    joined.outer.commit()
    assert joined.purged() == {1, 2}


def test_a_session_that_nobody_has_closed(join: Any, shop: SimpleNamespace) -> None:
    joined = join()
    session = joined.session()
    session.get(shop.Product, 1).price = 9
    session.flush()
    joined.outer.commit()
    assert joined.purged() == {1}
    session.close()
    assert joined.purged() == set()


def test_a_session_that_is_gone(join: Any) -> None:
    joined = join()
    joined.write(1, joined.session())
    gc.collect()
    joined.outer.commit()
    assert joined.purged() == {1}


@MODES
def test_what_comes_after_its_commit(join: Any, mode: str) -> None:
    joined = join()
    session = joined.session(mode)
    joined.write(1, session)
    session.commit()
    joined.write(2, session)
    joined.outer.commit()
    session.close()
    assert joined.purged() == {1, 2}


@MODES
def test_what_the_connection_writes_meanwhile(join: Any, mode: str) -> None:
    joined = join()
    joined.write(1, joined.connection)
    with joined.session(mode) as session:
        joined.write(2, session)
        joined.write(3, joined.connection)
        session.commit()
    joined.outer.commit()
    assert joined.purged() == {1, 2, 3}


def test_two_sessions_in_one_transaction(join: Any) -> None:
    joined = join()
    one, other = joined.session(), joined.session()
    joined.write(1, one)
    joined.write(2, other)
    other.close()
    joined.write(3, one)
    joined.outer.commit()
    one.close()
    assert joined.purged() == {1, 2, 3}


def test_a_session_that_takes_over(join: Any) -> None:
    joined = join()
    joined.write(1, joined.connection)
    with joined.session("control_fully") as session:
        joined.write(2, session)
        session.commit()
    assert joined.purged() == {1, 2}


@pytest.mark.parametrize("how", ["rollback", "close"])
def test_what_a_savepoint_takes_back(join: Any, how: str) -> None:
    joined = join()
    joined.write(1, joined.connection)
    session = joined.session("create_savepoint")
    joined.write(2, session)
    getattr(session, how)()
    joined.write(3, joined.connection)
    joined.outer.commit()
    assert joined.purged() == {1, 3}


def test_a_savepoint_of_the_connection_that_outlasts_the_session(join: Any) -> None:
    joined = join()
    joined.write(1, joined.connection)
    session = joined.session("rollback_only")
    joined.write(2, session)
    savepoint = joined.connection.begin_nested()
    joined.write(3, session)
    session.close()
    savepoint.rollback()
    joined.outer.commit()
    assert joined.purged() == {1, 2}


@MODES
@pytest.mark.parametrize("how", ["commit", "flush", "close"])
def test_nothing_of_what_is_rolled_back(
    join: Any, mode: str, how: str, shop: SimpleNamespace
) -> None:
    joined = join()
    joined.write(1, joined.connection)
    session = joined.session(mode)
    joined.write(2, session)
    getattr(session, how)()
    joined.outer.rollback()
    session.close()
    join().outer.commit()
    assert shop.told.take() == set()


class Refused(Exception):
    pass


def test_a_session_whose_commit_was_refused(join: Any, shop: SimpleNamespace) -> None:
    joined = join()
    session = joined.session("create_savepoint")

    @event.listens_for(session, "before_flush")
    def refuse(*_: object) -> None:
        raise Refused

    joined.write(1, session)
    session.add(shop.Label(name="x"))
    with pytest.raises(Refused):
        session.commit()
    joined.write(2, joined.connection)
    joined.outer.commit()
    assert joined.purged() == {1, 2}
    session.expunge_all()
    session.close()


def test_a_session_whose_commit_has_failed(join: Any, shop: SimpleNamespace) -> None:
    joined = join()
    session = joined.session("create_savepoint")
    joined.write(1, session)
    session.add(shop.Product(id=1, name="again"))
    with pytest.raises(IntegrityError):
        session.commit()
    joined.write(2, joined.connection)
    joined.outer.commit()
    assert joined.purged() == {2}
    session.close()


def test_a_connection_of_a_session_that_is_committed_by_hand(join: Any, tmp_path: Any) -> None:
    joined = join()
    joined.outer.rollback()
    with Session(joined.connection) as session:
        joined.write(1, session)
        session.connection().get_transaction().commit()
    assert joined.purged() == {1}


def test_what_is_said_by_hand(shop: SimpleNamespace) -> None:
    with shop.engine.begin() as connection, Session(connection) as session:
        changed("product", [1], where=session)  # before it has joined
        session.commit()
        assert shop.told.commits == []
        session.get(shop.Product, 1)
        changed("product", [2], where=session)
    assert shop.told.take() >= {"product:1", "product:2"}


def test_what_is_registered(shop: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "_registered", {})
    register(shop.Product, lambda product: [f"shelf-{product.category_id}"])
    with shop.engine.begin() as connection, Session(connection) as session:
        session.get(shop.Product, 1).category_id = 2
        session.flush()
    assert shop.told.take() >= {"shelf-1", "shelf-2"}


def test_one_of_two_databases_goes_on(shop: SimpleNamespace) -> None:
    other = create_engine("sqlite://")
    shop.Label.__table__.create(other)
    with shop.engine.begin() as connection:
        with Session(binds={shop.Product: connection, shop.Label: other}) as session:
            session.add(shop.Label(id=3, name="x"))
            session.get(shop.Product, 1).price = 9
            session.commit()
        assert shop.told.take() == {"label", "label:3", "label:list"}
    assert "product:1" in shop.told.take()
