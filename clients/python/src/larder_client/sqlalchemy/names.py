"""What tables and rows are called in tags.

| tag | a page bears it that | purged by |
|---|---|---|
| `table:pk` | shows this row, or asked for it | a write of this row |
| `table` | depends on rows without knowing which | every write of the table |
| `table:list` | asked which rows there are | new and gone rows; changes that may move one |
| `table:list.column=key` | asked for this foreign key, or unique value | new rows that have it |
| `table:lists` | bears such a one | as `table:list`, but for new rows |
| `table:rows` | bears `table:pk` for any | writes of which nobody knows the rows |

Tables are called by their name in lower case, with their schema if they have one; a row of several
tables (joined inheritance) is named by each of them.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import uuid
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Column, Table, UniqueConstraint, inspect
from sqlalchemy.orm import Mapper
from sqlalchemy.types import TypeEngine

from ..collected import list_tag, row_tag

#: What stands in place of a key for rows that nobody knows: `table:rows`.
ROWS = "rows"
#: The same for lists by a foreign key, whichever: `table:lists`.
LISTS = "lists"

# A key of these types is written in one way only, whoever writes it.
_PLAIN = (int, str, uuid.UUID, datetime.date, enum.Enum, bytes)


def table_name(table: Table) -> str:
    """The name of a table: `orders`, or `sales.orders` with its schema."""
    return table.fullname.lower()


def scope_key(column: str, value: object) -> str:
    """What stands in place of a key for the rows that have a value: `list.column=value`."""
    return f"list.{column.lower()}={value}"


def scope_columns(table: Table) -> set[Column[Any]]:
    """The columns by which a list is told from others: foreign keys, and what is unique."""
    unique = [list(one.columns) for one in table.constraints if isinstance(one, UniqueConstraint)]
    unique += [list(one.columns) for one in table.indexes if one.unique]
    found = {columns[0] for columns in unique if len(columns) == 1}
    return found | {column for column in table.c if column.foreign_keys or column.unique}


def written_tags(table: str, keys: Iterable[object] | None, listed: bool = True) -> set[str]:
    """What is purged when rows were written. `keys` are their primary keys; None: who knows.

    `listed`: whether lists can look different now (a row is gone, or has moved).
    """
    tags = {table, *(row_tag(table, key) for key in ((ROWS,) if keys is None else keys))}
    return tags | {list_tag(table), row_tag(table, LISTS)} if listed else tags


def new_tags(
    table: str, keys: Iterable[object] | None, scopes: Iterable[tuple[str, object]] | None
) -> set[str]:
    """What is purged when rows are new. `scopes` are the columns by which lists are told apart,
    with their values: lists by others stay as they are. None: who knows.
    """
    if scopes is None:
        return written_tags(table, keys)
    found = {row_tag(table, scope_key(column, value)) for column, value in scopes}
    return written_tags(table, keys, False) | {list_tag(table)} | found


def identity_class(mapper: Mapper[Any]) -> type:
    """The class that a session's keys name for objects of this one."""
    return mapper.class_ if mapper.concrete else mapper.base_mapper.class_


@cache
def row_table(mapped: type) -> str | None:
    """The table that names the rows of a class as `identity_class` gives it; None if they can't
    be named: it is mapped to a join, or its key is of a type that can be written in several ways.
    """
    mapper: Mapper[Any] = inspect(mapped)
    table = mapper.local_table
    if not isinstance(table, Table) or not all(plain_type(c.type) for c in mapper.primary_key):
        return None
    return table_name(table)


@cache
def mapped_tables(mapper: Mapper[Any]) -> tuple[str, ...]:
    """The tables that a row of a mapped class is in."""
    return tuple(table_name(table) for table in mapper.tables if isinstance(table, Table))


def untranslated(name: str, schemas: Mapping[str | None, str | None]) -> str:
    """A table by the schema that the metadata gives it, if `schema_translate_map` gave another."""
    schema, _, table = name.rpartition(".")
    for ours, theirs in schemas.items():
        if (theirs or "").lower() == schema:
            return f"{ours.lower()}.{table}" if ours else table
    return name


def plain_type(kind: TypeEngine[Any]) -> bool:
    """Whether values of a column's type can be named in tags."""
    try:
        python = kind.python_type
    except NotImplementedError:
        return False
    return issubclass(python, _PLAIN) and not issubclass(python, (bool, datetime.datetime))


def key_of(types: Sequence[TypeEngine[Any]], values: Sequence[object]) -> object:
    """The key as a loaded row has it, for one that was asked for: `"5"` for a whole number is 5.

    Raises ValueError for what can't be a key of these types.
    """
    key = tuple(_plain(kind, value) for kind, value in zip(types, values, strict=True))
    return key[0] if len(key) == 1 else key


def _plain(kind: TypeEngine[Any], value: object) -> object:
    python = kind.python_type
    if isinstance(value, python) and not isinstance(value, bool):
        return value
    if python in (int, uuid.UUID) and isinstance(value, (str, int, float, decimal.Decimal)):
        try:
            made = python(value if python is int else str(value))
        except (TypeError, ValueError, OverflowError):
            raise ValueError(f"{value!r} is no {python.__name__}") from None
        if python is int and not isinstance(value, str) and made != value:
            raise ValueError(f"{value!r} is no {python.__name__}")
        return made
    raise ValueError(f"{value!r} is no {python.__name__}")
