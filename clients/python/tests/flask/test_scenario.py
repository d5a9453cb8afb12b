"""A cache that is simulated: random pages, random writes.

Whenever what a page shows has changed, the tags that it was recorded with meet those that were
purged. A page that was not purged keeps its old tags, as it would in a cache. LARDER_SEEDS=20 has
more of it run.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import delete, exists, func, insert, select, text, update
from sqlalchemy.orm import Session, aliased, joinedload, selectinload

from larder_client import Options, collecting
from larder_client.sqlalchemy import models, register

Reading = Callable[[Session], Any]
KEYS = range(1, 8)


def pages(shop: SimpleNamespace) -> Iterator[tuple[str, Reading]]:
    """Pages, each a name and what it shows."""
    product, category, review, label = shop.Product, shop.Category, shop.Review, shop.Label
    person, staff = shop.Person, shop.Staff

    def rows(statement: Any) -> Reading:
        return lambda s: [tuple(row) for row in s.execute(statement)]

    def names(statement: Any) -> Reading:
        return lambda s: [(one.id, one.name, one.price) for one in s.scalars(statement).unique()]

    for key in KEYS:
        yield f"product {key}", lambda s, key=key: _shown(s.get(product, key))
        yield f"its category {key}", lambda s, key=key: _category(s.get(product, key))
        yield f"its labels {key}", lambda s, key=key: _names(s.get(product, key), "labels")
        yield f"its reviews {key}", lambda s, key=key: _texts(s.get(product, key))
        yield f"in category {key}", lambda s, key=key: _names(s.get(category, key), "products")
        yield f"person {key}", lambda s, key=key: _person(s.get(person, key))
        yield f"staff {key}", lambda s, key=key: _person(s.get(staff, key))
        yield (
            f"stock {key}",
            lambda s, key=key: getattr(s.get(shop.Stock, ("ulm", key)), "number", 0),
        )
        coded = select(shop.Stock.shop, shop.Stock.number).where(shop.Stock.code == f"c{key}")
        yield f"code {key}", rows(coded)
        yield f"price {key}", rows(select(product.price).where(product.id == key))
        yield f"pair {key}", names(select(product).where(product.id.in_([key, key + 1])))
        yield f"text {key}", rows(text(f"SELECT name FROM product WHERE id = {key}"))
    yield "all", names(select(product).order_by(product.id))
    yield "cheap", names(select(product).where(product.price < 5).order_by(product.name))
    yield "first", names(select(product).order_by(product.price, product.id).limit(2))
    yield "count", rows(select(func.count()).select_from(product))
    yield (
        "sum",
        rows(select(category.name, func.sum(product.price)).join(product).group_by(category.id)),
    )
    yield "joined", names(select(product).join(category).where(category.name == "tea"))
    yield (
        "eager",
        lambda s: [
            (one.name, _category(one))
            for one in s.scalars(select(product).options(joinedload(product.category)))
        ],
    )
    yield (
        "selectin",
        lambda s: [
            _texts(one) for one in s.scalars(select(product).options(selectinload(product.reviews)))
        ],
    )
    yield "labelled", names(select(product).where(product.labels.any(label.name == "new")))
    yield "reviewed", names(select(product).where(exists().where(review.product_id == product.id)))
    other = aliased(product)
    yield "dearer", rows(select(product.id, other.id).join(other, other.price > product.price))
    cte = (
        select(product.category_id.label("c"), func.count().label("n")).group_by("c").cte("counts")
    )
    yield "cte", rows(select(category.name, cte.c.n).join(cte, cte.c.c == category.id))
    yield "people", lambda s: [_person(one) for one in s.scalars(select(person))]
    yield "raw", lambda s: s.connection().exec_driver_sql("SELECT * FROM review, label").all()


def _shown(product: Any) -> Any:
    return product and (product.name, product.price)


def _category(product: Any) -> Any:
    return product and product.category and product.category.name


def _names(owner: Any, relation: str) -> Any:
    return owner and sorted(one.name for one in getattr(owner, relation))


def _texts(product: Any) -> Any:
    return product and sorted(one.text for one in product.reviews)


def _person(person: Any) -> Any:
    return person and (person.name, getattr(person, "salary", None), getattr(person, "city", None))


def write(shop: SimpleNamespace, session: Session, chance: random.Random) -> None:
    """One change, by one of the many ways of making one."""
    product, key = shop.Product, chance.choice(KEYS)
    one, price = session.get(product, key), chance.randrange(9)
    kind = chance.randrange(17)
    if kind == 0 and one is None:
        session.add(product(id=key, name=f"n{price}", price=price, category_id=1))
    elif kind == 1 and one is not None:
        session.delete(one)
    elif kind == 2 and one is not None:
        one.price = price
    elif kind == 3 and one is not None:
        one.category = session.get(shop.Category, chance.choice([1, 2]))
    elif kind == 4 and one is not None:
        found = session.get(shop.Label, 1)
        (one.labels.remove if found in one.labels else one.labels.append)(found)
    elif kind == 5 and one is not None:
        one.reviews = [shop.Review(text=f"r{price}")] if chance.random() < 0.6 else []
    elif kind == 6:
        session.execute(update(product).where(product.id == key).values(price=price))
    elif kind == 7:
        session.execute(update(product).where(product.price > price).values(price=price))
    elif kind == 8:
        session.execute(delete(shop.Review).where(shop.Review.product_id == key))
    elif kind == 9:
        session.execute(insert(shop.Review), [{"text": "bulk", "product_id": key}])
    elif kind == 10:
        session.execute(text(f"UPDATE product SET name = 'x{price}' WHERE id = {key}"))
    elif kind == 11:
        session.bulk_update_mappings(
            shop.Category, [{"id": 1, "name": chance.choice(["tea", "T"])}]
        )
    elif kind == 12 and (person := session.get(shop.Staff, 1)) is not None:
        person.salary = price
        person.name = chance.choice(["ada", "eve"])
    elif kind == 13 and session.get(shop.Person, key) is None:
        session.add(chance.choice([shop.Staff, shop.Customer])(id=key, name="new"))
    elif kind == 14 and session.get(shop.Stock, ("ulm", key)) is None:
        code = f"c{key}" if chance.random() < 0.7 else None
        session.add(shop.Stock(shop="ulm", product_id=key, number=price, code=code))
    elif kind == 15 and chance.random() < 0.5:
        found = session.get(shop.Stock, ("ulm", key))
        if found is not None and chance.random() < 0.7:
            code = f"c{chance.choice(KEYS)}"
            taken = session.scalars(select(shop.Stock).where(shop.Stock.code == code)).first()
            found.code = None if taken is not None else code
    elif kind == 15:
        session.connection().exec_driver_sql(f"UPDATE stock SET number = {price}")
    elif kind == 16 and one is not None and session.get(product, key + 20) is None:
        one.id = key + 20  # the key itself
    session.flush()


def change(shop: SimpleNamespace, chance: random.Random) -> bool:
    """A transaction of some changes, in part or as a whole rolled back at times."""
    with shop.Session() as session:
        for _ in range(chance.randrange(1, 4)):
            if chance.random() < 0.3:
                nested = session.begin_nested()
                write(shop, session, chance)
                (nested.rollback if chance.random() < 0.5 else nested.commit)()
            else:
                write(shop, session, chance)
        if chance.random() < 0.2:
            session.rollback()
            return False
        session.commit()
        return True


@pytest.mark.parametrize("list_fields", [False, True], ids=["", "list-fields"])
@pytest.mark.parametrize("max_tags", [64, 4], ids=["", "rolled-up"])
@pytest.mark.parametrize("seed", range(int(os.environ.get("LARDER_SEEDS", "1"))))
def test_what_has_changed_is_purged(
    shop: SimpleNamespace,
    seed: int,
    max_tags: int,
    list_fields: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(models, "_registered", {})
    models._said_of_table.cache_clear()
    if list_fields:
        register(shop.Product, list_fields=["price", "name"])
        register(shop.Category, list_fields=[])
        register(shop.Staff, list_fields=[])
        register(shop.Stock, list_fields=["number"])
    chance = random.Random(seed)
    readings = dict(pages(shop))
    options = Options(max_tags=max_tags)
    cache: dict[str, tuple[Any, set[str]]] = {}
    changed = spared = 0
    for step in range(40):
        for name in readings.keys() - cache.keys():
            with collecting(options) as collected, shop.Session() as session:
                shown = readings[name](session)
            cache[name] = shown, set(collected.tags())
        held = change(shop, chance)
        purged = shop.told.take()
        assert held or not purged, f"step {step}: purged though it was rolled back: {purged}"
        for name, (shown, tags) in list(cache.items()):
            with shop.Session() as session:
                now = readings[name](session)
            if now != shown:
                changed += 1
                assert tags & purged, (
                    f"step {step}: {name} shows {now}, not {shown}: {tags}, {purged}"
                )
            spared += purged != set() and not tags & purged
            if tags & purged:
                del cache[name]
    models._said_of_table.cache_clear()
    assert changed > 50, "the writes have to matter"
    assert spared > 50, "and not everything may go each time"
