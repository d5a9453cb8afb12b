"""What is recorded of reads."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from sqlalchemy import (
    Column,
    MetaData,
    String,
    Table,
    bindparam,
    func,
    literal_column,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.dialects.postgresql import CITEXT
from sqlalchemy.orm import aliased, joinedload, load_only, selectinload, subqueryload

from larder_client import collecting
from larder_client.sqlalchemy import holding, models, record_holding, register, register_view
from larder_client.sqlalchemy.pins import pins_of


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test registers is forgotten at its end."""
    monkeypatch.setattr(models, "_registered", {})
    models._said_of_table.cache_clear()
    yield
    models._said_of_table.cache_clear()


def test_a_row_that_is_asked_by_its_key(shop: SimpleNamespace) -> None:
    by_key = {"product:1", "product:rows"}
    product = shop.Product
    for reading in (
        lambda s: s.get(product, 1),
        lambda s: s.get(product, "1"),
        lambda s: s.get_one(product, 1),
        lambda s: s.query(product).filter_by(id=1).first(),
        lambda s: s.scalars(select(product).where(product.id == 1)).one(),
        lambda s: s.scalars(select(product).where(product.id == 1, product.name != "x")).one(),
        lambda s: s.scalars(select(product).where(product.id.in_([1]))).one(),
        lambda s: s.execute(select(product.name).where(product.id == 1)).one(),
        lambda s: s.execute(select(product.__table__).where(product.__table__.c.id == 1)).one(),
        lambda s: s.scalars(select(product).where(product.id == bindparam("n")), {"n": 1}).one(),
    ):
        assert shop.read(reading) == by_key


def test_a_row_that_is_not_there_is_known_too(shop: SimpleNamespace) -> None:
    assert shop.read(lambda s: s.get(shop.Product, 77)) == {"product:77", "product:rows"}
    found = shop.read(lambda s: s.scalars(select(shop.Product).where(shop.Product.id.in_([1, 77]))))
    assert found == {"product:1", "product:77", "product:rows"}


def test_a_key_of_two_columns(shop: SimpleNamespace) -> None:
    found = shop.read(lambda s: s.get(shop.Stock, ("ulm", 1)))
    assert found == {"stock:ulm,1", "stock:rows"}
    one_of_two = select(shop.Stock).where(shop.Stock.shop == "ulm")
    assert "stock:list" in shop.read(lambda s: s.scalars(one_of_two).all())
    pairs = select(shop.Stock).where(
        tuple_(shop.Stock.shop, shop.Stock.product_id).in_([("ulm", 1)])
    )
    assert "stock:list" in shop.read(lambda s: s.scalars(pairs).all())


def test_what_is_unique_is_a_list_of_its_own(shop: SimpleNamespace) -> None:
    tags = shop.read(lambda s: s.query(shop.Stock).filter_by(code="A b").one_or_none())
    assert tags == {"stock:list.code=A b", "stock:lists"}
    with shop.Session() as session:
        session.add(shop.Stock(shop="bonn", product_id=1, code="A b"))
        session.commit()
        purged = shop.told.take()
        assert purged & tags == {"stock:list.code=A b"}
        session.add(shop.Stock(shop="bonn", product_id=2, code="other"))
        session.commit()
        assert not shop.told.take() & tags
        session.query(shop.Stock).filter_by(code="other").one().code = "moved"
        session.commit()
        assert shop.told.take() & tags == {"stock:lists"}


@pytest.mark.parametrize("how", ["mysql", "collation", "citext"])
def test_text_that_is_compared_without_case_is_no_key(how: str) -> None:
    kind = {"collation": String(20, collation="NOCASE"), "citext": CITEXT()}.get(how, String(20))
    table = Table("t", MetaData(), Column("name", kind, primary_key=True))
    dialect = mysql.dialect() if how == "mysql" else postgresql.dialect()
    statement = select(table).where(table.c.name == "x")
    assert not pins_of(statement.compile(dialect=dialect), statement.whereclause).keys
    exact = select(column := Column("name", String(20), primary_key=True))
    Table("u", MetaData(), column)
    exact = exact.where(column == "x")
    assert pins_of(exact.compile(dialect=postgresql.dialect()), exact.whereclause).keys


def test_keys_that_are_not_all_that_matters_make_lists(shop: SimpleNamespace) -> None:
    product = shop.Product
    other = aliased(product)
    for statement in (
        select(product),
        select(product).where((product.id == 1) | (product.id == 2)),
        select(product).where(product.id != 1),
        select(product).where(product.id == product.category_id),
        select(product).where(~(product.id == 1)),
        select(product).join(other, other.id != product.id).where(product.id == 1),
        select(other).where(other.id == 1),
        select(product).where(product.id.in_(select(other.id))),
        select(product).where(literal_column("id") == 1),
        select(product).where(product.id == 1).union(select(product)),
    ):
        tags = shop.read(lambda s, statement=statement: s.execute(statement).all())
        assert tags & {"product:list", "product"}, statement


def test_lists_stand_for_their_rows(shop: SimpleNamespace) -> None:
    for statement in (
        select(shop.Product),
        select(shop.Product).where(shop.Product.price == 0).limit(1),
        select(shop.Product).options(load_only(shop.Product.name)),
    ):
        assert shop.read(lambda s, one=statement: s.scalars(one).all()) == {"product:list"}


def test_lists_have_their_rows_where_not_every_change_counts_for_them(
    shop: SimpleNamespace, registered: None
) -> None:
    register(shop.Product, list_fields=["name"])
    register(shop.Label, list_fields=[])
    rows = {"product:1", "product:2", "product:3"}
    assert shop.read(lambda s: s.scalars(select(shop.Product)).all()) == {"product:list", *rows}
    some = select(shop.Product).where(shop.Product.price == 0).limit(1)
    assert shop.read(lambda s: s.scalars(some).all()) == {"product:list", "product:1"}
    joined = select(shop.Review).options(joinedload(shop.Review.product))
    tags = shop.read(lambda s: s.scalars(joined).all())
    assert tags == {"review:list", "product"}, "objects that are joined may be any"
    with shop.Session() as session:
        session.add_all([shop.Label(name=str(number)) for number in range(100)])
        session.commit()
    assert shop.read(lambda s: s.scalars(select(shop.Label)).all()) == {"label"}, "too many"


def test_columns_and_aggregates_may_be_of_any_row(shop: SimpleNamespace) -> None:
    for statement in (
        select(shop.Product.name),
        select(func.count()).select_from(shop.Product),
        select(func.max(shop.Product.price)),
        select(shop.Product.__table__),
        text("SELECT name FROM product"),
    ):
        assert shop.read(lambda s, one=statement: s.execute(one).all()) == {"product"}
    assert shop.read(lambda s: s.connection().exec_driver_sql("SELECT * FROM product").all()) == {
        "product"
    }


def test_tables_that_only_filter_count(shop: SimpleNamespace) -> None:
    exists = select(shop.Product).where(shop.Product.reviews.any(text="good"))
    assert shop.read(lambda s: s.scalars(exists).all()) == {"product:list", "review"}
    joined = select(shop.Product).join(shop.Category).where(shop.Category.name == "cups")
    assert shop.read(lambda s: s.scalars(joined).all()) == {"product:list", "category"}
    of_text = select(shop.Product).where(text("id IN (SELECT product_id FROM review)"))
    assert "review" in shop.read(lambda s: s.scalars(of_text).all())


def test_lazy_loads(shop: SimpleNamespace) -> None:
    one = {"product:1", "product:rows"}
    tags = shop.read(lambda s: s.get(shop.Product, 1).category.name)
    assert tags == {*one, "category:1", "category:rows"}
    tags = shop.read(lambda s: s.get(shop.Product, 1).reviews)
    assert tags == {*one, "review:list.product_id=1", "review:lists"}
    tags = shop.read(lambda s: s.get(shop.Product, 1).labels)
    links = {"product_label:list.product_id=1", "product_label:lists"}
    assert tags == {*one, *links, "label:list"}
    tags = shop.read(lambda s: s.get(shop.Category, 1).products)
    lists = {"product:list.category_id=1", "product:lists"}
    assert tags == {"category:1", "category:rows", *lists}


@pytest.mark.parametrize("load", [joinedload, selectinload, subqueryload])
def test_eager_loads(shop: SimpleNamespace, load: object) -> None:
    statement = select(shop.Product).options(load(shop.Product.category))  # type: ignore[operator]
    tags = shop.read(lambda s: [p.category.name for p in s.scalars(statement).unique()])
    assert tags & {"product:list", "product"}
    assert tags & {"category", "category:1", "category:list"}


def test_refreshed_and_expired_objects_are_read_again(shop: SimpleNamespace) -> None:
    with shop.Session() as session:
        product = session.get(shop.Product, 1)
        for again in (session.refresh, session.expire):
            with collecting() as collected:
                again(product)
                assert product.name
            assert set(collected.tags()) == {"product:1", "product:rows"}


def test_joined_inheritance_is_in_all_its_tables(shop: SimpleNamespace) -> None:
    both = {"person:1", "staff:1"}
    assert shop.read(lambda s: s.get(shop.Staff, 1)) == {*both, "person:rows", "staff:rows"}
    tags = shop.read(lambda s: [p.name for p in s.scalars(select(shop.Person))])
    assert tags == {"person:list"}
    tags = shop.read(lambda s: s.get(shop.Person, 1).salary)
    assert {*both, "staff:rows"} <= tags
    tags = shop.read(lambda s: s.scalars(select(shop.Staff)).all())
    assert tags == {"person:list", "staff:list"}


def test_single_table_inheritance_is_in_the_table_of_its_root(shop: SimpleNamespace) -> None:
    assert shop.read(lambda s: s.get(shop.Customer, 2).city) == {"person:2", "person:rows"}
    assert shop.read(lambda s: s.scalars(select(shop.Customer)).all()) == {"person:list"}


def test_a_view_is_what_it_is_made_of(shop: SimpleNamespace) -> None:
    register_view("cheap", "product")
    register_view("cheapest", "Cheap")
    with shop.engine.begin() as connection:
        connection.execute(text("CREATE VIEW cheap AS SELECT * FROM product WHERE price < 5"))
        connection.execute(text("CREATE VIEW cheapest AS SELECT * FROM cheap LIMIT 1"))
    tags = shop.read(lambda s: s.execute(text("SELECT * FROM cheapest")).all())
    assert tags == {"cheapest", "cheap", "product"}


def test_nothing_is_recorded_outside_of_a_page(shop: SimpleNamespace) -> None:
    with collecting() as collected:
        pass
    with shop.Session() as session:
        session.get(shop.Product, 1)
    assert collected.tags() == ()


def test_a_session_that_outlives_a_page_is_tagged_by_its_tables(shop: SimpleNamespace) -> None:
    with shop.Session() as session:
        with collecting() as first:
            kept = session.get(shop.Product, 1)
        assert first.tags() == ("product:1", "product:rows")
        with collecting() as second:
            carried = holding()
            assert kept.name == "sencha"  # no statement: the session has it
            record_holding(second, carried)
        assert second.tags() == ("product",)
        with collecting() as third:
            session.scalars(select(shop.Product)).all()
        assert third.tags() == ("product",), "its rows are there already, and not told of"
    assert holding() == []


def test_a_session_that_holds_nothing_is_none_that_outlives(shop: SimpleNamespace) -> None:
    with shop.Session() as session:
        kept = session.get(shop.Product, 1)
        session.commit()  # all of it is expired
        assert holding() == []
        with collecting() as collected:
            assert kept.name
        assert collected.tags() == ("product:1", "product:rows")


def test_schema_translate_map_does_not_rename_tags(shop: SimpleNamespace) -> None:
    with shop.engine.connect() as connection, collecting() as collected:
        mapped = connection.execution_options(schema_translate_map={None: "main"})
        mapped.execute(select(shop.Product.__table__)).all()
        mapped.execute(select(shop.Label.__table__).where(shop.Label.__table__.c.id == 1)).all()
    assert collected.tags() == ("label:1", "label:rows", "product")
