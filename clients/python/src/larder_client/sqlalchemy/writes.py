"""What statements and flushes change: the tags to purge if they are committed."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table, inspect
from sqlalchemy.engine.interfaces import ExecutionContext
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import InstanceState, Session

from .cascades import touched_by_deleting
from .models import further_tags, only_ignored, shows_in_lists
from .names import key_of, new_tags, plain_type, scope_columns, written_tags
from .plan import Plan
from .reads import parameters


def tags_of_statement(plan: Plan, context: ExecutionContext, ignored: frozenset[str]) -> set[str]:
    """The tags of the tables that a statement has written, be it a flush's or the application's.

    Rows are told apart where they are new or asked by primary key; else it may have been any.
    """
    sets = plan.found.sets
    tags: set[str] = set()
    for table in plan.found.writes:
        if table in ignored or only_ignored(table, sets):
            continue
        keys = _keys(table, plan, context)
        if context.isinsert and not plan.found.upserts:
            tags |= new_tags(table, keys, _scopes(context))
        else:
            tags |= written_tags(table, keys, not sets or shows_in_lists(table, sets))
        if not sets and (not context.isinsert or plan.found.upserts):  # rows may be gone
            for other in touched_by_deleting(table) - ignored:
                tags |= written_tags(other, None)
    return tags


def registered_tags(session: Session) -> set[str]:
    """The tags that were registered for what is new or changed in a flush, before it ends."""
    tags: set[str] = set()
    for instance in session.new:
        tags |= further_tags(instance)
    for instance in session.dirty:
        if session.is_modified(instance):
            tags |= further_tags(instance, _Former(instance))
    return tags


def _keys(table: str, plan: Plan, context: ExecutionContext) -> list[object] | None:
    """The primary keys that a statement has written; None if they can't be told."""
    found = plan.found
    if not context.compiled or len(found.writes) > 1 or found.upserts:
        return None
    if context.isinsert:
        return _inserted(context)
    pin = plan.keys.get(table)
    if pin is None or found.sets & {column.name.lower() for column in pin.columns}:
        return None
    keys: list[object] = []
    for values in parameters(context):
        some = pin.keys(values)
        if some is None:
            return None
        keys += some
    return keys


def _target(context: ExecutionContext) -> Table | None:
    """The table of an INSERT whose parameters tell all that is in its rows."""
    statement: Any = getattr(context.compiled, "statement", None)
    table = getattr(statement, "table", None)
    several = getattr(statement, "select", None) is not None
    several = several or bool(getattr(statement, "_multi_values", ()))
    return table if isinstance(table, Table) and not several else None


def _scopes(context: ExecutionContext) -> list[tuple[str, object]] | None:
    """The values of new rows by which lists are told apart; None if they can't be told."""
    table = _target(context)
    if table is None:
        return None
    scopes: list[tuple[str, object]] = []
    for column in scope_columns(table):
        if not plain_type(column.type):
            continue
        for values in parameters(context):
            if column.key not in values:
                return None
            if values[column.key] is not None:
                try:
                    scopes.append((column.name, key_of([column.type], [values[column.key]])))
                except ValueError:
                    return None
    return scopes


def _inserted(context: ExecutionContext) -> list[object] | None:
    """The keys of new rows, where the database or the statement has told them all."""
    table = _target(context)
    columns = [] if table is None else list(table.primary_key)
    values = parameters(context)
    names = [column.key for column in columns]
    if not names:
        return None
    if all(one.get(name) is not None for one in values for name in names):
        rows = [tuple(one[name] for name in names) for one in values]
    else:
        try:
            rows = [tuple(row) for row in getattr(context, "inserted_primary_key_rows", None) or ()]
        except InvalidRequestError:  # it has a RETURNING of its own
            return None
        if len(rows) != len(values) or any(part is None for row in rows for part in row):
            return None
    return [row[0] if len(row) == 1 else row for row in rows]


class _Former:
    """An object as it was before a flush: what has changed in it has its old value."""

    def __init__(self, instance: object) -> None:
        self._instance = instance

    def __getattr__(self, name: str) -> Any:
        state: InstanceState[Any] = inspect(self._instance)
        if name in state.attrs:
            history = state.attrs[name].history
            if history.has_changes() and history.deleted:
                return history.deleted[0]
        return getattr(self._instance, name)
