"""Purges come once, after the commit, and never for what was rolled back."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, insert, update
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session, scoped_session, sessionmaker
from sqlalchemy.pool import StaticPool

from larder_client.sqlalchemy import receivers, transactions


def _price(shop: SimpleNamespace, price: int) -> Any:
    return update(shop.Product).where(shop.Product.id == 1).values(price=price)


PRODUCT = {"product", "product:1", "product:list", "product:lists"}


def test_nothing_before_the_commit(shop: SimpleNamespace) -> None:
    with shop.Session() as session:
        session.execute(_price(shop, 1))
        session.get(shop.Product, 1).price = 2
        session.flush()
        assert shop.told.commits == []
        session.commit()
        assert shop.told.take() == PRODUCT
        session.commit()
        assert shop.told.take() == set()


@pytest.mark.parametrize("how", ["session", "connection"])
def test_a_commit_of_which_nobody_knows_is_purged(
    shop: SimpleNamespace, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(connection: Any) -> None:
        connection.commit()
        raise shop.engine.dialect.dbapi.OperationalError("server closed the connection")

    # Before the dialect is wrapped, as a driver fails that is below it.
    monkeypatch.setattr(shop.engine.dialect, "do_commit", breaks)
    transactions._wrapped.discard(shop.engine.dialect)
    with shop.Session() if how == "session" else shop.engine.connect() as one:
        one.execute(_price(shop, 1))
        with pytest.raises(OperationalError):
            one.commit()
        assert shop.told.take() == PRODUCT
    assert shop.told.take() == set()


def test_so_is_what_another_database_has_committed_already(
    shop: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = create_engine("sqlite://", poolclass=StaticPool)
    shop.Label.__table__.create(other)

    def breaks(connection: Any) -> None:
        connection.rollback()
        raise other.dialect.dbapi.OperationalError("server closed the connection")

    for number, engine in enumerate((shop.engine, other)):
        with (
            monkeypatch.context() as patched,
            Session(binds={shop.Product: shop.engine, shop.Label: other}) as session,
        ):
            patched.setattr(engine.dialect, "do_commit", breaks)
            transactions._wrapped.discard(engine.dialect)
            session.execute(insert(shop.Label).values(id=number, name="x"))
            session.execute(_price(shop, 1))
            with pytest.raises(OperationalError):
                session.commit()
        transactions._wrapped.discard(engine.dialect)
        assert shop.told.take() >= {*PRODUCT, f"label:{number}"}


def test_the_commit_has_happened_when_it_is_told(shop: SimpleNamespace) -> None:
    seen = []

    class Looking:
        def concerned(self) -> bool:
            return True

        def has_outbox(self) -> bool:
            return False

        def store(self, *_: Any) -> None:
            return None

        def committed(self, tags: frozenset[str], keys: Any) -> None:
            seen.append(session.in_transaction() and session.get_transaction().is_active)  # type: ignore[union-attr]

    looking = Looking()
    receivers.add(looking, [])
    try:
        with Session(shop.engine) as session:
            session.execute(_price(shop, 1))
            session.commit()
    finally:
        receivers.remove(looking)
    assert seen == [False]


@pytest.mark.parametrize("how", ["rollback", "close", "error", "context", "reset", "begin"])
def test_nothing_of_what_is_rolled_back(shop: SimpleNamespace, how: str) -> None:
    session = shop.Session()
    if how == "context":
        with pytest.raises(RuntimeError), session:
            session.execute(_price(shop, 1))
            raise RuntimeError
    elif how == "begin":
        with pytest.raises(RuntimeError), session.begin():
            session.execute(_price(shop, 1))
            raise RuntimeError
    else:
        session.execute(_price(shop, 1))
        session.add(shop.Label(name="x"))
        session.flush()
        if how == "error":
            session.add(shop.Product(id=1, name="again"))
            with pytest.raises(IntegrityError):
                session.commit()
            session.rollback()
        else:
            getattr(session, how)()
    session.commit()
    assert shop.told.take() == set()
    session.execute(_price(shop, 3))
    session.commit()
    assert shop.told.take() == PRODUCT
    session.close()


def test_savepoints_of_sessions(shop: SimpleNamespace) -> None:
    with shop.Session() as session:
        session.execute(_price(shop, 1))
        with pytest.raises(RuntimeError), session.begin_nested():
            session.add(shop.Label(id=7, name="x"))
            session.flush()
            raise RuntimeError
        with session.begin_nested():
            session.add(shop.Category(id=7, name="x"))
            with pytest.raises(IntegrityError), session.begin_nested():
                session.add(shop.Product(id=1, name="again"))
                session.flush()
        assert shop.told.commits == []
        session.commit()
        assert shop.told.take() == PRODUCT | {"category", "category:7", "category:list"}
        with session.begin_nested():
            session.add(shop.Label(id=8, name="x"))
        session.rollback()
        session.commit()
        assert shop.told.take() == set()


def test_connections_without_a_session(shop: SimpleNamespace) -> None:
    label = shop.Label.__table__
    with shop.engine.connect() as connection:
        connection.execute(insert(label).values(id=5, name="x"))
        assert shop.told.commits == []
        connection.rollback()
        connection.commit()
        assert shop.told.take() == set()
        connection.execute(insert(label).values(id=5, name="x"))
        with connection.begin_nested():
            connection.execute(insert(label).values(id=6, name="x"))
        inner = connection.begin_nested()
        connection.execute(insert(label).values(id=7, name="x"))
        inner.rollback()
        connection.commit()
        assert shop.told.take() == {"label", "label:list", "label:5", "label:6"}
        connection.execute(insert(label).values(id=8, name="x"))
    with shop.engine.begin() as connection:  # the same one, from the pool
        connection.execute(insert(label).values(id=9, name="x"))
    assert shop.told.take() == {"label", "label:list", "label:9"}


def test_connections_that_commit_by_themselves(shop: SimpleNamespace) -> None:
    with shop.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(_price(shop, 4))
        assert shop.told.take() == PRODUCT
    engine = create_engine("sqlite://", isolation_level="AUTOCOMMIT")
    shop.Product.metadata.create_all(engine)
    with Session(engine) as session:
        session.execute(_price(shop, 4))
        assert shop.told.take() == PRODUCT


@pytest.mark.parametrize("mode", ["create_savepoint", "rollback_only", "control_fully"])
def test_a_session_in_somebody_elses_transaction(shop: SimpleNamespace, mode: Any) -> None:
    with shop.engine.connect() as connection:
        outer = connection.begin()
        with Session(connection, join_transaction_mode=mode) as session:
            session.execute(_price(shop, 1))
            session.commit()
            if mode != "control_fully":
                assert shop.told.commits == []
        if outer.is_active:
            outer.commit()
        assert shop.told.take() == PRODUCT
    if mode == "create_savepoint":
        with shop.engine.connect() as connection:  # as suites of tests do
            outer = connection.begin()
            with Session(connection, join_transaction_mode=mode) as session:
                session.execute(_price(shop, 1))
                session.commit()
            outer.rollback()
        assert shop.told.take() == set()


def test_several_databases_in_one_session(shop: SimpleNamespace) -> None:
    other = create_engine("sqlite://")
    shop.Label.__table__.create(other)
    with Session(binds={shop.Label: other, shop.Product: shop.engine}) as session:
        session.add(shop.Label(id=3, name="x"))
        session.get(shop.Product, 1).price = 3
        session.commit()
    assert shop.told.take() == PRODUCT | {"label", "label:3", "label:list"}


def test_two_sessions_do_not_mix(shop: SimpleNamespace, tmp_path: Any) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/shop.sqlite3")
    shop.Product.metadata.create_all(engine)
    one, other = Session(engine), Session(engine)
    one.add(shop.Label(id=3, name="x"))
    one.flush()
    one.rollback()
    other.add(shop.Category(id=3, name="x"))
    other.commit()
    assert shop.told.take() == {"category", "category:3", "category:list"}
    one.commit()
    assert shop.told.take() == set()
    one.close()
    other.close()


def test_every_kind_of_session(shop: SimpleNamespace) -> None:
    class Own(Session):
        pass

    makers = [
        sessionmaker(shop.engine),
        sessionmaker(shop.engine, class_=Own),
        scoped_session(sessionmaker(shop.engine)),
    ]
    for price, make in enumerate(makers, 10):
        session = make()
        session.execute(_price(shop, price))
        session.commit()
        assert shop.told.take() == PRODUCT
        session.close()


def test_a_receiver_that_fails_breaks_no_commit(
    shop: SimpleNamespace, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(shop.told, "committed", fail)
    with shop.Session() as session:
        session.execute(_price(shop, 1))
        session.commit()
        assert session.get(shop.Product, 1).price == 1
    assert "failed; please report it" in caplog.text


def test_two_phases(shop: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite has none: that SQLAlchemy goes through them is what is looked at here."""
    dialect = shop.engine.dialect
    done: list[str] = []
    for name in ("begin", "prepare", "commit", "rollback"):

        def step(connection: Any, *_: Any, name: str = name, **__: Any) -> None:
            done.append(name)
            if name == "commit":
                connection.connection.commit()
            elif name == "rollback":
                connection.connection.rollback()

        monkeypatch.setattr(dialect, f"do_{name}_twophase", step, raising=False)
    transactions._wrapped.discard(dialect)
    with Session(shop.engine, twophase=True) as session:
        session.execute(_price(shop, 2))
        session.prepare()
        assert shop.told.commits == []
        session.commit()
        assert shop.told.take() == PRODUCT
        session.execute(_price(shop, 3))
        session.prepare()
        session.rollback()
    with shop.engine.connect() as connection:
        transaction = connection.begin_twophase()
        connection.execute(_price(shop, 5))
        transaction.prepare()
        assert shop.told.commits == []
        transaction.commit()
        assert shop.told.take() == PRODUCT
        transaction = connection.begin_twophase()
        connection.execute(_price(shop, 6))
        transaction.commit()  # without being prepared
        assert shop.told.take() == PRODUCT
    assert done.count("commit") == 3
    assert isinstance(shop.engine, Engine)
