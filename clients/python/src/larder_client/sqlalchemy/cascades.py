"""What the database deletes or changes by itself when a row of another table goes."""

from __future__ import annotations

from importlib import import_module
from typing import Any
from weakref import WeakSet

from sqlalchemy import MetaData, Table, event
from sqlalchemy.orm import Mapper

from .names import table_name

_ACTIONS = ("CASCADE", "SET NULL", "SET DEFAULT")

# The metadata of all mapped classes, and of every table that has been made or used since `listen`.
_known: WeakSet[MetaData] = WeakSet()


def listen() -> None:
    """Takes all tables into account that mapped classes have, and those that are made from now on.

    SQL by hand may be the first that a process runs, and nobody knows then what it is about.
    """
    event.listen(Table, "after_parent_attach", lambda table, _: learn(table))
    event.listen(Mapper, "after_mapper_constructed", lambda mapper, _: learn(mapper.local_table))
    for mapper in _mappers():
        learn(mapper.local_table)


def _mappers() -> list[Mapper[Any]]:
    """All there are. SQLAlchemy tells this to nobody; what it is called has held since 1.4."""
    registries = getattr(import_module("sqlalchemy.orm.mapper"), "_all_registries", set)
    return [mapper for registry in registries() for mapper in registry.mappers]


def learn(table: object) -> None:
    """Takes a table's metadata into account from now on."""
    if isinstance(table, Table):
        _known.add(table.metadata)


def touched_by_deleting(table: str) -> set[str]:
    """The tables whose rows go or change with those of this one, by `ON DELETE`; all the way down.

    What goes by SQLAlchemy's own cascades are statements like any others, and not meant here.
    """
    found: set[str] = set()
    waiting = [table]
    while waiting:
        gone = waiting.pop()
        for name in _referring(gone) - found:
            found.add(name)
            waiting.append(name)
    return found


def _referring(table: str) -> set[str]:
    return {
        table_name(other)
        for metadata in list(_known)
        for other in metadata.tables.values()
        for key in other.foreign_keys
        if (key.ondelete or "").upper() in _ACTIONS and _refers_to(key.target_fullname, table)
    }


def _refers_to(target: str, table: str) -> bool:
    # `schema.table.column`
    return target.rpartition(".")[0].lower() == table
