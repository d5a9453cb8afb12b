"""The outbox's table, and sessions of asyncio, without a proxy."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine, MetaData, create_engine, event, func, insert, select, text, update
from sqlalchemy.orm import Session

from larder_client import Client, ConfigurationError, Options, Purge, collecting
from larder_client.sqlalchemy import (
    Outbox,
    changed,
    outbox_table,
    unwatch,
    unwatched,
    watch,
)
from larder_client.testing import Recorder


@pytest.fixture
def engine(shop: SimpleNamespace, tmp_path: Path) -> Engine:
    engine = create_engine(f"sqlite:///{tmp_path}/shop.sqlite3")
    shop.Product.metadata.create_all(engine)
    return engine


@pytest.fixture
def outbox(engine: Engine) -> Outbox:
    outbox = Outbox(outbox_table(MetaData()), engine)
    outbox.create()
    outbox.create()
    return outbox


@pytest.fixture
def sender(outbox: Outbox) -> Any:
    sender = Recorder(Options(soft=True))
    sender.outbox = outbox
    watch(sender)
    watch(sender)
    yield sender
    unwatch(sender)
    unwatch(sender)


def test_a_row_is_written_in_the_same_transaction(
    shop: SimpleNamespace, engine: Engine, outbox: Outbox, sender: Recorder
) -> None:
    with Session(engine) as session:
        session.add(shop.Label(id=1, name="x"))
        session.flush()
        assert outbox.count() == 0
        session.rollback()
        session.add(shop.Label(id=2, name="x"))
        with session.begin_nested():
            session.add(shop.Label(id=3, name="x"))
        session.commit()
    purge = Purge(tags={"label", "label:2", "label:3", "label:list"}, soft=True)  # type: ignore[arg-type]
    assert [one for _, one in outbox.pending(10, young=-1)] == [purge]
    sender.assert_purged(tags=["label:2", "label:3"])
    with engine.begin() as connection:  # without a session
        connection.execute(insert(shop.Label).values(id=9, name="x"))
    assert outbox.count() == 2
    outbox.done([key for key, _ in outbox.pending(10, young=-1)])
    outbox.done([77])
    assert outbox.count() == 0


def test_what_a_flush_at_the_very_end_adds_is_written_too(
    shop: SimpleNamespace, engine: Engine, outbox: Outbox, sender: Recorder
) -> None:
    with Session(engine) as session:

        @event.listens_for(session, "before_commit")
        def late(session: Session) -> None:
            session.add(shop.Label(name="late"))

        session.add(shop.Category(id=1, name="x"))
        session.commit()
    tags = frozenset().union(*(purge.tags for _, purge in outbox.pending(10, young=-1)))
    assert {"category:1", "label:1"} <= tags


def test_young_rows_are_left_to_who_wrote_them(outbox: Outbox, engine: Engine) -> None:
    with engine.begin() as connection:
        outbox.write(connection, Purge(tags={"a"}))  # type: ignore[arg-type]
    assert outbox.pending(10) == []
    with engine.begin() as connection:
        connection.execute(update(outbox.table).values(written=int(time.time()) - 60))
    assert len(outbox.pending(10)) == 1


def test_a_row_that_is_no_purge_stays_and_is_said(
    outbox: Outbox, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    with engine.begin() as connection:
        for text_ in ("{", "[]", json.dumps({"tags": "a"}), json.dumps({"tags": ["ok"]})):
            connection.execute(insert(outbox.table).values(written=0, purge=text_))
    for _ in range(2):
        # However few are asked for.
        assert [purge.tags for _, purge in outbox.pending(1)] == [{"ok"}]
    assert caplog.text.count("is no purge, and stays there") == 3
    assert outbox.count() == 4


def test_a_table_that_is_missing_fails_no_commit(
    shop: SimpleNamespace, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    sender = Recorder()
    sender.outbox = Outbox(outbox_table(MetaData()), engine)
    with Session(engine) as session, pytest.raises(ConfigurationError, match="--create"):
        sender.outbox.write(session, Purge(tags={"a"}))  # type: ignore[arg-type]
    watch(sender)
    try:
        with Session(engine) as session:
            session.add(shop.Label(id=1, name="x"))
            session.commit()
            assert session.scalar(select(func.count()).select_from(shop.Label)) == 1
        sender.assert_purged(tags=["label:1"])
        assert "has no table larder_outbox" in caplog.text
    finally:
        unwatch(sender)


def test_the_table_is_a_part_of_the_applications_metadata() -> None:
    metadata = MetaData()
    assert outbox_table(metadata) is outbox_table(metadata)
    assert "larder_outbox" in metadata.tables


def test_sessions_of_asyncio(shop: SimpleNamespace, tmp_path: Path) -> None:
    pytest.importorskip("aiosqlite")
    pytest.importorskip("greenlet")
    from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

    async def run() -> None:
        engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/async.sqlite3")
        async with engine.begin() as connection:
            await connection.run_sync(shop.Product.metadata.create_all)
        async with AsyncSession(engine) as session:
            session.add(shop.Category(id=1, name="tea"))
            session.add(shop.Product(id=1, name="x", category_id=1))
            await session.commit()
            assert {"product:1", "category:1"} <= shop.told.take()

        async def page(key: int) -> set[str]:
            with collecting() as collected:
                async with AsyncSession(engine) as session:
                    product = await session.get(shop.Product, key)
                    await asyncio.sleep(0)
                    if product is not None:
                        await session.refresh(product, ["category"])
            return set(collected.tags())

        one, other = await asyncio.gather(page(1), page(2))
        assert one == {"product:1", "product:rows", "category:1", "category:rows"}
        assert other == {"product:2", "product:rows"}
        async with AsyncSession(engine) as session:
            await session.execute(update(shop.Product).values(price=1))
            await session.rollback()
            await session.commit()
            assert shop.told.take() == set()
        async with engine.connect() as connection:
            await connection.execute(text("UPDATE product SET price = 2"))
            await connection.commit()
        assert "product:rows" in shop.told.take()
        await engine.dispose()

    asyncio.run(run())


def test_changes_by_hand_and_in_silence(shop: SimpleNamespace) -> None:
    changed("Product", [1, 2])
    assert shop.told.take() == {
        "product",
        "product:1",
        "product:2",
        "product:list",
        "product:lists",
    }
    with shop.Session() as session:
        changed("label", where=session)
        assert shop.told.commits == []
        session.connection()
        session.commit()
        assert "label:rows" in shop.told.take()
        with unwatched(), collecting() as collected:
            session.add(shop.Label(name="x"))
            session.scalars(select(shop.Product)).all()
            session.commit()
        assert collected.tags() == ()
        assert shop.told.take() == set()
    with shop.engine.begin() as connection:
        changed("label", where=connection)
    assert "label:rows" in shop.told.take()


def test_watching_without_an_outbox(shop: SimpleNamespace) -> None:
    sender = Recorder()
    watch(sender, ignore_tables=["Category"])
    try:
        with shop.Session() as session:
            session.add(shop.Label(name="x"))
            session.commit()
            sender.assert_purged(tags=["label"])
            sender.clear()
    finally:
        unwatch(sender)
        from larder_client.sqlalchemy import receivers

        receivers._ignored -= {"category"}
    assert isinstance(sender.client, Client)
