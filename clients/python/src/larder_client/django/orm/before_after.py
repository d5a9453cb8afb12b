"""Rows as they are before and after a write, for what `register` has been told to look at.

They are read from the database, before the statement and after it, on the same connection. So
it doesn't matter how a value came to change: by `save`, an expression, a default or a trigger.
What was read before has to hold until the statement: else a write that came between is undone by
it, and nothing seems to have changed. So the rows are locked first, in a transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from . import registry
from .names import Model
from .registry import Rule
from .state import quietly

#: How many keys stand in one statement.
BATCH = 500
#: Of how many rows it is found out which fields have changed; of more, any field may have.
COMPARED = 100


@dataclass(frozen=True)
class Affected:
    """The rows that a rule is to be asked about: those whose `path` is one of `keys`."""

    rule: Rule
    path: str
    keys: tuple[object, ...]

    def tags(self, connection: Any, lock: bool = False) -> set[str]:
        """Their registered tags, as the database has them now."""
        found: set[str] = set()
        for row in rows(self.rule.model, self.path, self.keys, connection, lock):
            found |= self.rule.tags_of(row)
        return found


def affected(model: Model, keys: Sequence[object]) -> list[Affected]:
    """Who is concerned by a write of these rows of a table: its own rows, and its heirs'."""
    # A field of a parent has its name in all who inherit from it.
    path = f"{model._meta.pk.name}__in"
    return [Affected(rule, path, tuple(keys)) for rule in registry.tagging(model)]


def ends(model: Model) -> list[Any]:
    """The foreign keys of a table that is there only to connect rows that have rules."""
    if not model._meta.auto_created:
        return []
    return [
        field
        for field in model._meta.local_concrete_fields
        if field.is_relation and registry.tagging(field.related_model)
    ]


def affected_ends(model: Model, links: Iterable[dict[str, object]]) -> list[Affected]:
    """Who is concerned when such rows, as `values`, come or go."""
    found = []
    links = list(links)
    for field in ends(model):
        keys = tuple({link[field.attname] for link in links} - {None})
        found += [
            Affected(rule, f"{field.target_field.name}__in", keys)
            for rule in registry.tagging(field.related_model)
        ]
    return found


def can_lock(connection: Any) -> bool:
    """Whether rows can be kept as they are until the end of a transaction.

    A database without savepoints may have no transactions either, as MySQL's MyISAM.
    """
    features = connection.features
    by_row = features.has_select_for_update and features.uses_savepoints
    return bool(by_row or connection.vendor == "sqlite")


def lock_all(compiler: Any, model: Model) -> None:
    """Begins the transaction of an UPDATE or DELETE with a write, where rows can't be locked.

    That is SQLite: only who writes first may read then, and write what was read. The statement is
    of the same kind, so that it is allowed, and meets no row.
    """
    connection = compiler.connection
    if connection.vendor != "sqlite":
        return
    quoted = connection.ops.quote_name
    table, values = quoted(model._meta.db_table), getattr(compiler.query, "values", None)
    if values:
        column = quoted(values[0][0].column)
        text = f"UPDATE {table} SET {column} = {column} WHERE 0"  # noqa: S608
    else:
        text = f"DELETE FROM {table} WHERE 0"  # noqa: S608
    with quietly(connection), connection.cursor() as cursor:
        cursor.execute(text)


def rows(
    model: Model, path: str, keys: Sequence[object], connection: Any, lock: bool = False
) -> Iterator[Any]:
    """The instances whose `path` is one of `keys`."""
    for start in range(0, len(keys), BATCH):
        some = QuerySet(model).using(connection.alias).filter(**{path: keys[start : start + BATCH]})
        features = connection.features
        if lock and features.has_select_for_update and not connection.get_autocommit():
            # As an UPDATE does: who only refers to the row is not kept waiting.
            some = some.select_for_update(no_key=features.has_select_for_no_key_update)
        yield from some.order_by()


def values(model: Model, keys: Sequence[object], connection: Any) -> dict[object, dict[str, Any]]:
    """What the table's own columns hold, by primary key and field."""
    fields = [f for f in model._meta.local_concrete_fields if not f.primary_key]
    found = rows(model, "pk__in", keys, connection, lock=True)
    return {
        row.pk: {f.name: f.get_prep_value(getattr(row, f.attname)) for f in fields} for row in found
    }


def changed_fields(
    before: dict[object, dict[str, Any]], after: dict[object, dict[str, Any]]
) -> frozenset[str] | None:
    """The fields that differ in any row; None if a row has come or gone, or has another key."""
    if before.keys() != after.keys():
        return None
    return frozenset(
        name
        for key, fields in before.items()
        for name, value in fields.items()
        if not _same(value, after[key][name])
    )


def _same(one: object, other: object) -> bool:
    # 1, 1.0 and True are equal, also deep inside of a document, and yet shown differently.
    return type(one) is type(other) and one == other and repr(one) == repr(other)
