"""What is purged of writes."""

from __future__ import annotations

import logging
import subprocess
import sys
import textwrap
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import (
    Column,
    ForeignKey,
    Integer,
    MetaData,
    Table,
    case,
    create_engine,
    delete,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.orm import Session, registry
from sqlalchemy.pool import StaticPool

from larder_client import ConfigurationError
from larder_client.sqlalchemy import listen, models, receivers, register


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(models, "_registered", {})
    models._said_of_table.cache_clear()
    yield
    models._said_of_table.cache_clear()


def _row(table: str, *keys: object, listed: bool = True) -> set[str]:
    """A changed or deleted row."""
    lists = {f"{table}:list", f"{table}:lists"} if listed else set()
    return {table, *lists, *(f"{table}:{key}" for key in keys)}


def _new(table: str, *keys: object, **scopes: object) -> set[str]:
    """New rows, with their foreign keys."""
    lists = {f"{table}:list.{column}={value}" for column, value in scopes.items()}
    return {table, f"{table}:list", *lists, *(f"{table}:{key}" for key in keys)}


def _any(table: str) -> set[str]:
    return {table, f"{table}:list", f"{table}:lists", f"{table}:rows"}


def test_a_new_a_changed_and_a_deleted_object(shop: SimpleNamespace) -> None:
    with shop.Session() as session:
        session.add(shop.Product(name="oolong", category_id=2))
        session.commit()
        assert shop.told.take() == _new("product", 4, category_id=2)
        session.get(shop.Product, 4).name = "green"
        session.commit()
        assert shop.told.take() == _row("product", 4)
        session.delete(session.get(shop.Product, 4))
        session.commit()
        assert shop.told.take() == _row("product", 4)


def test_what_is_not_really_changed_purges_nothing(shop: SimpleNamespace) -> None:
    with shop.Session() as session:
        product = session.get(shop.Product, 1)
        product.name = product.name
        product.price = 9
        product.price = 0
        assert product in session.dirty
        session.commit()
        assert shop.told.take() == set()


def test_many_objects_are_one_purge(shop: SimpleNamespace) -> None:
    with shop.Session() as session:
        session.add_all([shop.Label(name="a"), shop.Label(name="b"), shop.Category(name="c")])
        session.flush()
        session.get(shop.Product, 1).price = 3
        session.commit()
    assert shop.told.take() == _new("label", 2, 3) | _new("category", 3) | _row("product", 1)


def test_an_object_that_moves_to_another_parent(shop: SimpleNamespace) -> None:
    with shop.Session() as session:
        session.get(shop.Product, 1).category = session.get(shop.Category, 2)
        session.commit()
    assert shop.told.take() == _row("product", 1)


def test_many_to_many_rows(shop: SimpleNamespace) -> None:
    with shop.Session() as session:
        product = session.get(shop.Product, 1)
        product.labels.append(session.get(shop.Label, 1))
        session.commit()
        assert shop.told.take() == _new("product_label", "1,1", product_id=1, label_id=1)
        product.labels.clear()
        session.commit()
        assert shop.told.take() == _row("product_label", "1,1")


def test_orphans_and_cascades(shop: SimpleNamespace) -> None:
    with shop.Session() as session:
        product = session.get(shop.Product, 1)
        product.reviews.clear()
        session.commit()
        assert shop.told.take() == _row("review", 1)
        session.add(shop.Review(id=5, text="x", product_id=2))
        session.commit()
        shop.told.take()
        session.delete(session.get(shop.Product, 2))
        session.commit()
        assert shop.told.take() == _row("review", 5) | _row("product", 2)


def test_a_changed_key(shop: SimpleNamespace) -> None:
    with shop.Session() as session:
        session.get(shop.Label, 1).id = 8
        session.commit()
    assert shop.told.take() == _any("label"), "neither the old one nor the new one is left out"


def test_joined_inheritance(shop: SimpleNamespace) -> None:
    with shop.Session() as session:
        session.add(shop.Staff(name="eve", salary=2))
        session.commit()
        assert shop.told.take() == _new("person", 3) | _new("staff", 3, id=3)
        session.get(shop.Staff, 3).salary = 5
        session.commit()
        assert shop.told.take() == _row("staff", 3)
        session.get(shop.Person, 3).name = "eva"
        session.commit()
        assert shop.told.take() == _row("person", 3)


STATEMENTS: dict[str, Any] = {
    "update by key": (lambda s: update(s.Product).where(s.Product.id == 1).values(price=1), {1}),
    "update of some keys": (
        lambda s: update(s.Product).where(s.Product.id.in_([1, 2])).values(price=1),
        {1, 2},
    ),
    "update of a list": (
        lambda s: update(s.Product).where(s.Product.price == 0).values(price=1),
        0,
    ),
    "update of all": (lambda s: update(s.Product).values(price=1), 0),
    "update of the key": (lambda s: update(s.Product).where(s.Product.id == 3).values(id=9), 0),
    "delete by key": (lambda s: delete(s.Product).where(s.Product.id == 3), {3}),
    "delete of a list": (lambda s: delete(s.Product).where(s.Product.price > 0), 0),
    "insert with a key": (
        lambda s: insert(s.Product).values(id=9, name="x", category_id=1),
        _new("product", 9, category_id=1),
    ),
    "insert without": (
        lambda s: insert(s.Product).values(name="x", category_id=None),
        _new("product", 4),
    ),
    "insert that leaves a foreign key out": (
        lambda s: insert(s.Product).values(id=9, name="x"),
        _row("product", 9),
    ),
    "insert of several values": (
        lambda s: insert(s.Product).values([{"id": 9, "name": "x"}, {"id": 10, "name": "y"}]),
        0,
    ),
    "insert from a query": (
        lambda s: insert(s.Product).from_select(["name"], select(s.Category.name)),
        0,
    ),
    "upsert": (
        lambda s: (
            upsert(s.Product)
            .values(id=9, name="x")
            .on_conflict_do_update(index_elements=["id"], set_={"price": 1})
        ),
        0,
    ),
    "core update": (
        lambda s: update(s.Product.__table__).where(s.Product.__table__.c.id == 1).values(price=1),
        {1},
    ),
    "text": (lambda s: text("UPDATE product SET price = 1 WHERE id = 1"), 0),
}


@pytest.mark.parametrize("name", STATEMENTS)
@pytest.mark.parametrize("where", ["session", "connection of a session", "connection"])
def test_statements(shop: SimpleNamespace, name: str, where: str) -> None:
    make, keys = STATEMENTS[name]
    expected = keys if isinstance(keys, set) and "product" in keys else _row("product", *keys or ())
    if not keys:
        expected = _any("product")
    with shop.Session() as session, shop.engine.connect() as connection:
        if where == "session":
            session.execute(make(shop))
            session.commit()
        elif where == "connection":
            connection.execute(make(shop))
            connection.commit()
        else:
            session.connection().execute(make(shop))
            session.commit()
    assert shop.told.take() == expected


def test_statements_for_many_rows(shop: SimpleNamespace) -> None:
    rows = [{"id": 1, "price": 5}, {"id": 2, "price": 6}]
    new = [{"name": "a"}, {"name": "b"}]
    with shop.Session() as session:
        session.execute(update(shop.Product), rows)
        session.commit()
        assert shop.told.take() == _row("product", 1, 2)
        session.bulk_update_mappings(shop.Product, rows)
        session.commit()
        assert shop.told.take() == _row("product", 1, 2)
        session.execute(insert(shop.Label), new)
        session.commit()
        assert shop.told.take() == {*_new("label"), "label:rows"}, "nobody has told their keys"
        session.scalars(insert(shop.Label).returning(shop.Label), new).all()
        session.commit()
        assert shop.told.take() >= {"label", "label:list"}
        session.bulk_save_objects([shop.Label(name="x"), shop.Label(name="y")])
        session.commit()
        assert shop.told.take() == {*_new("label"), "label:rows"}
        session.connection().exec_driver_sql("DELETE FROM review")
        session.commit()
        assert shop.told.take() == _any("review")


@pytest.mark.parametrize("how", ["flush", "statement", "text"])
def test_what_the_database_deletes_by_itself(how: str) -> None:
    metadata = MetaData()
    author = Table("author", metadata, Column("id", Integer, primary_key=True))
    for name, of, action in [
        ("book", "author", "CASCADE"),
        ("page", "book", "SET NULL"),
        ("prize", "author", None),
    ]:
        key = Column("of", ForeignKey(f"{of}.id", ondelete=action))
        Table(name, metadata, Column("id", Integer, primary_key=True), key)

    class Author:
        id: int

    registry(metadata=metadata).map_imperatively(Author, author)
    engine = create_engine("sqlite://", poolclass=StaticPool)
    metadata.create_all(engine)
    listen()
    told: list[frozenset[str]] = []

    class Told:
        concerned = staticmethod(lambda: True)
        has_outbox = staticmethod(lambda: False)
        store = staticmethod(lambda where, tags: None)
        committed = staticmethod(lambda tags, keys: told.append(tags))

    receivers.add(Told, [])  # type: ignore[arg-type]
    try:
        with Session(engine) as session:
            session.execute(insert(author).values(id=1))
            session.commit()
            if how == "flush":
                session.delete(session.get(Author, 1))
            elif how == "statement":
                session.execute(delete(author).where(author.c.id == 1))
            else:
                session.execute(text("DELETE FROM author"))
            session.commit()
    finally:
        receivers.remove(Told)  # type: ignore[arg-type]
    own = _any("author") if how == "text" else _row("author", 1)
    assert told[-1] == own | _any("book") | _any("page")


def test_what_the_database_deletes_is_known_to_a_process_that_has_run_nothing() -> None:
    program = """
        from sqlalchemy import ForeignKey, create_engine, text
        from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
        from larder_client.sqlalchemy import watch
        from larder_client.testing import Recorder
        class Base(DeclarativeBase): pass
        class Author(Base):
            __tablename__ = "author"
            id: Mapped[int] = mapped_column(primary_key=True)
        def book():
            class Book(Base):
                __tablename__ = "book"
                id: Mapped[int] = mapped_column(primary_key=True)
                of: Mapped[int] = mapped_column(ForeignKey("author.id", ondelete="CASCADE"))
        recorder = Recorder()
        if BEFORE: book()
        watch(recorder)
        if not BEFORE: book()
        engine = create_engine("sqlite://")
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE author (id)")
            recorder.clear()
            connection.execute(text("DELETE FROM author"))
        recorder.assert_purged(tags=["author:rows", "book:list", "book:rows"])
        """
    for before in (True, False):
        code = f"BEFORE = {before}" + textwrap.dedent(program)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_ignored_fields(shop: SimpleNamespace) -> None:
    register(shop.Product, ignore_fields=["views"])
    with shop.Session() as session:
        session.get(shop.Product, 1).views += 1
        session.execute(
            update(shop.Product).where(shop.Product.id == 1).values(views=shop.Product.views + 1)
        )
        session.execute(text("UPDATE product SET views = views + 1"))
        session.commit()
        assert shop.told.take() == set()
        session.get(shop.Product, 1).views += 1
        session.get(shop.Product, 1).price += 1
        session.commit()
        assert shop.told.take() == _row("product", 1)


def test_what_is_set_beside_an_ignored_field_counts_whatever_that_is_set_to(
    shop: SimpleNamespace,
) -> None:
    register(shop.Product, ignore_fields=["views"])
    views = case((shop.Product.views > 9, 0), else_=shop.Product.views + 1)
    with shop.Session() as session:
        one = shop.Product.id == 1
        session.execute(update(shop.Product).where(one).values(views=views, category_id=None))
        session.commit()
        assert shop.told.take() == _row("product", 1)
        session.execute(text("UPDATE product SET views = CASE WHEN 1 THEN 2 END, price = 3"))
        session.commit()
        assert shop.told.take() == _any("product")


def test_fields_that_no_list_depends_on(shop: SimpleNamespace) -> None:
    register(shop.Product, list_fields=["name"])
    register(shop.Product, ignore_fields=["views"])  # what is registered adds up
    register(shop.Product, ignore_fields=["views"])
    with shop.Session() as session:
        session.get(shop.Product, 1).price = 7
        session.commit()
        assert shop.told.take() == _row("product", 1, listed=False)
        session.get(shop.Product, 1).name = "x"
        session.commit()
        assert shop.told.take() == _row("product", 1)
        session.get(shop.Product, 1).category_id = None  # keys always count
        session.commit()
        assert shop.told.take() == _row("product", 1)
        register(shop.Stock, list_fields=[])
        session.get(shop.Stock, ("ulm", 1)).code = "x"  # and what is unique
        session.commit()
        assert shop.told.take() == _row("stock", "ulm,1")
        session.delete(session.get(shop.Product, 3))
        session.commit()
        assert shop.told.take() == _row("product", 3)


def test_registered_tags_of_before_and_after(shop: SimpleNamespace) -> None:
    register(shop.Review, lambda review: [f"reviews-of:{review.product_id}"])
    with shop.Session() as session:
        session.add(shop.Review(text="x", product_id=2))
        session.commit()
        assert "reviews-of:2" in shop.told.take()
        session.get(shop.Review, 2).product_id = 3
        session.commit()
        assert {"reviews-of:2", "reviews-of:3"} <= shop.told.take()
        session.delete(session.get(shop.Review, 2))
        session.commit()
        assert "reviews-of:3" in shop.told.take()


def test_registered_tags_that_fail_break_nothing(
    shop: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    register(shop.Label, lambda label: [f"x:{label.no_such_thing}"])
    with shop.Session() as session:
        session.add(shop.Label(name="x"))
        session.commit()
    assert shop.told.take() == _new("label", 2)
    assert "the tags registered for Label failed" in caplog.text
    assert caplog.records[0].levelno == logging.ERROR


def test_what_can_not_be_registered(shop: SimpleNamespace) -> None:
    with pytest.raises(ConfigurationError, match="no mapped class"):
        register(dict)
    with pytest.raises(ConfigurationError, match=r"Product has no column 'nmae'; it has .*name"):
        register(shop.Product, ignore_fields=["nmae"])
    with pytest.raises(ConfigurationError, match="no column 'reviews'"):
        register(shop.Product, list_fields=["reviews"])
