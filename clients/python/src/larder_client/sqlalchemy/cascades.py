"""What the database deletes or changes by itself when a row of another table goes."""

from __future__ import annotations

from weakref import WeakSet

from sqlalchemy import MetaData, Table

from .names import table_name

_ACTIONS = ("CASCADE", "SET NULL", "SET DEFAULT")

# Every metadata that a statement has been made of so far.
_known: WeakSet[MetaData] = WeakSet()


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
