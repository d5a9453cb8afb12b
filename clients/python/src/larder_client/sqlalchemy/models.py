"""What an application says about its models and tables, besides what the database says."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Column, Table, inspect
from sqlalchemy.orm import Mapper

from ..errors import ConfigurationError
from .names import scope_columns, table_name

logger = logging.getLogger("larder_client")

Tags = Callable[[Any], Iterable[str]]


@dataclass(frozen=True)
class Registered:
    """What `register` was told."""

    tags: Tags | None = None
    ignore_fields: frozenset[str] = frozenset()
    list_fields: frozenset[str] | None = None


_registered: dict[type, list[Registered]] = {}
_views: dict[str, frozenset[str]] = {}


def register(
    model: type,
    tags: Tags | None = None,
    *,
    ignore_fields: Collection[str] = (),
    list_fields: Collection[str] | None = None,
) -> None:
    """Says more about a mapped class, and those that inherit from it.

    `tags` gives further tags to purge when a row is new, changed or deleted: it is called with
    the object, and for a changed one with its former self too, which has the old values.
    `ignore_fields` are attributes that no page shows: a change of these alone purges nothing.
    `list_fields` are those by which lists are filtered, sorted or counted: a change of others
    leaves lists alone that the row is not in. Keys and what is unique always count.

    A class may be registered more than once: it all adds up.
    Raises ConfigurationError for what is no mapped class, or has no such column attribute.
    """
    mapper = _mapper(model)
    for name in (*ignore_fields, *(list_fields or ())):
        if name not in mapper.column_attrs:
            known = ", ".join(sorted(mapper.column_attrs.keys()))
            raise ConfigurationError(f"{model.__name__} has no column {name!r}; it has {known}")
    listed = None if list_fields is None else frozenset(list_fields)
    one = Registered(tags, frozenset(ignore_fields), listed)
    if one not in _registered.setdefault(model, []):
        _registered[model].append(one)
    _said_of_table.cache_clear()
    if listed is not None:
        from .reads import listen_to_rows

        listen_to_rows()


def register_view(name: str, *tables: str) -> None:
    """Says that a view of the database is made of these tables (or views).

    Whoever reads the view has read lists of them. Names are written as in SQL.
    """
    if not tables:
        raise ConfigurationError(f"say which tables the view {name!r} is made of")
    _views[name.lower()] = frozenset(table.lower() for table in tables)


def beneath(table: str) -> frozenset[str]:
    """The tables that a view is made of, all the way down; nothing for a table."""
    if table not in _views:
        return frozenset()
    found: set[str] = set()
    waiting = [table]
    while waiting:
        below = _views.get(waiting.pop(), frozenset()) - found
        found |= below
        waiting.extend(below)
    return frozenset(found)


def only_ignored(table: str, columns: frozenset[str]) -> bool:
    """Whether an UPDATE of these columns changes nothing that a page shows.

    Columns that change with every UPDATE by themselves (`onupdate`, a version) don't count
    beside ignored ones.
    """
    said = _said_of_table(table)
    ignored = frozenset().union(*(one.ignored for one in said))
    automatic = frozenset().union(*(one.automatic for one in said))
    return bool(columns & ignored) and columns <= ignored | automatic


def shows_in_lists(table: str, columns: frozenset[str]) -> bool:
    """Whether lists can look different after an UPDATE of these columns."""
    fields = [one.listed for one in _said_of_table(table) if one.listed is not None]
    return not fields or bool(columns & frozenset().union(*fields))


def all_in_lists(table: str) -> bool:
    """Whether every change of a row counts for lists."""
    return all(one.listed is None for one in _said_of_table(table))


def further_tags(*states: object) -> set[str]:
    """The registered tags of an object, and of its former self. Never raises."""
    mapper: Mapper[Any] = inspect(states[0]).mapper
    found: set[str] = set()
    for one in mapper.iterate_to_root():
        for registered in _registered.get(one.class_, ()):
            for state in states:
                found |= _tags(registered, state, one.class_.__name__)
    return {tag for tag in found if isinstance(tag, str) and tag}


def _tags(registered: Registered, state: object, name: str) -> set[str]:
    if registered.tags is None:
        return set()
    try:
        given = registered.tags(state)
        return {given} if isinstance(given, str) else set(given)
    except Exception:
        logger.exception(
            "the tags registered for %s failed, and are not purged; its row's own are", name
        )
        return set()


@dataclass(frozen=True)
class _Columns:
    """What was registered of a table, in the names of its columns."""

    ignored: frozenset[str]
    automatic: frozenset[str]
    #: Those that count for lists, with all keys; None if all do.
    listed: frozenset[str] | None


@lru_cache(maxsize=4096)
def _said_of_table(table: str) -> tuple[_Columns, ...]:
    found = []
    for model, several in _registered.items():
        for one in _mapper(model).tables:
            if isinstance(one, Table) and table_name(one) == table:
                found += [_columns(_mapper(model), one, registered) for registered in several]
    return tuple(found)


def _columns(mapper: Mapper[Any], table: Table, registered: Registered) -> _Columns:
    def named(fields: Iterable[str]) -> frozenset[str]:
        columns = (column for name in fields for column in _columns_of(mapper, name))
        return frozenset(column.name.lower() for column in columns if column.table is table)

    automatic = {c.name.lower() for c in table.c if c.onupdate or c.server_onupdate}
    if mapper.version_id_col is not None:
        automatic.add(mapper.version_id_col.name.lower())
    listed = None
    if registered.list_fields is not None:
        keys = {c.name.lower() for c in {*table.primary_key, *scope_columns(table)}}
        listed = named(registered.list_fields) | keys
    return _Columns(named(registered.ignore_fields), frozenset(automatic), listed)


def _columns_of(mapper: Mapper[Any], name: str) -> Collection[Column[Any]]:
    columns = getattr(mapper.attrs[name], "columns", ())
    return [column for column in columns if isinstance(column, Column)]


def _mapper(model: type) -> Mapper[Any]:
    mapper: object = inspect(model, raiseerr=False)
    if not isinstance(mapper, Mapper):
        raise ConfigurationError(f"{model!r:.80} is no mapped class of SQLAlchemy")
    return mapper
