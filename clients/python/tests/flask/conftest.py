"""A small shop's tables for the tests, and what its commits have purged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("sqlalchemy")

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    ForeignKey,
    String,
    Table,
    create_engine,
    event,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship
from sqlalchemy.pool import StaticPool

from larder_client import Collected, collecting
from larder_client.sqlalchemy import listen, receivers


class Base(DeclarativeBase):
    pass


tagging = Table(
    "product_label",
    Base.metadata,
    Column("product_id", ForeignKey("product.id"), primary_key=True),
    Column("label_id", ForeignKey("label.id"), primary_key=True),
)


class Category(Base):
    __tablename__ = "category"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    products: Mapped[list[Product]] = relationship(back_populates="category")


class Product(Base):
    __tablename__ = "product"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    price: Mapped[int] = mapped_column(default=0)
    views: Mapped[int] = mapped_column(default=0)
    category_id: Mapped[int | None] = mapped_column(ForeignKey("category.id"))
    category: Mapped[Category | None] = relationship(back_populates="products")
    labels: Mapped[list[Label]] = relationship(secondary=tagging, back_populates="products")
    reviews: Mapped[list[Review]] = relationship(
        back_populates="product", cascade="all, delete-orphan"
    )


class Label(Base):
    __tablename__ = "label"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    products: Mapped[list[Product]] = relationship(secondary=tagging, back_populates="labels")


class Review(Base):
    __tablename__ = "review"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(String(200))
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    product: Mapped[Product] = relationship(back_populates="reviews")


class Person(Base):
    """The root of joined inheritance."""

    __tablename__ = "person"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(80))
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "person"}  # noqa: RUF012


class Staff(Person):
    __tablename__ = "staff"
    id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    salary: Mapped[int] = mapped_column(default=0)
    __mapper_args__ = {"polymorphic_identity": "staff"}  # noqa: RUF012


class Customer(Person):
    """In the table of its root."""

    city: Mapped[str | None] = mapped_column(String(80))
    __mapper_args__ = {"polymorphic_identity": "customer"}  # noqa: RUF012


class Stock(Base):
    """A key of two columns, and what is unique."""

    __tablename__ = "stock"
    shop: Mapped[str] = mapped_column(String(20), primary_key=True)
    product_id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(default=0)
    code: Mapped[str | None] = mapped_column(String(20), unique=True)


class Told:
    """A receiver that keeps what it is told."""

    def __init__(self) -> None:
        self.commits: list[frozenset[str]] = []

    def concerned(self) -> bool:
        return True

    def has_outbox(self) -> bool:
        return False

    def store(self, where: object, tags: frozenset[str]) -> object | None:
        return None

    def committed(self, tags: frozenset[str], keys: object) -> None:
        self.commits.append(tags)

    def take(self) -> set[str]:
        """The tags since the last time; each commit tells at most once."""
        commits, self.commits = self.commits, []
        assert len(commits) <= 1, commits
        return set(commits[0]) if commits else set()


def _with_real_savepoints(engine: Engine) -> None:
    """Python's sqlite3 begins no transaction before a savepoint: SQLAlchemy's remedy for it."""

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _: object) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")


@pytest.fixture
def shop() -> Iterator[SimpleNamespace]:
    """The models, an engine with some rows, `told`, `read(function of a session)` -> tags."""
    engine = create_engine(
        "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
    )
    _with_real_savepoints(engine)
    listen()
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all(
            [
                Category(id=1, name="tea"),
                Category(id=2, name="cups"),
                Product(id=1, name="sencha", category_id=1),
                Product(id=2, name="assam", category_id=1),
                Product(id=3, name="mug", category_id=2),
                Label(id=1, name="new"),
                Review(id=1, text="good", product_id=1),
                Staff(id=1, name="ada", salary=1),
                Customer(id=2, name="bob", city="ulm"),
                Stock(shop="ulm", product_id=1, number=5),
            ]
        )
        session.commit()
    told = Told()
    receivers.add(told, [])

    def read(reading: Callable[[Session], Any]) -> set[str]:
        with collecting() as collected, Session(engine) as session:
            reading(session)
        return tags_of(collected)

    def tags_of(collected: Collected) -> set[str]:
        return set(collected.tags())

    models = {mapper.class_.__name__: mapper.class_ for mapper in Base.registry.mappers}
    try:
        yield SimpleNamespace(
            engine=engine,
            told=told,
            read=read,
            Session=lambda: Session(engine),
            tagging=tagging,
            **models,
        )
    finally:
        receivers.remove(told)
        engine.dispose()
