"""Statements that the ORM's compilers have not made: `cursor.execute`, `raw()`, procedures."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.apps import apps

from larder_client import current

from . import changes, names, registry, sql
from .changes import Change
from .names import Model
from .pending import purge_on_commit
from .reading import record_statement
from .state import watch_of
from .writing import whole

logger = logging.getLogger("larder_client")

_warned: set[str] = set()


def execute(
    run: Callable[..., Any], text: Any, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    """The wrapper around each statement of a connection."""
    connection = context["connection"]
    watch = watch_of(connection)
    if watch.seen is not None:
        watch.seen.append(text)
        return run(text, params, many, context)
    if watch.quiet or not apps.models_ready:
        return run(text, params, many, context)
    statement = sql.look(_as_text(text, connection), connection.vendor)
    if not (statement.grown or statement.changed or statement.opaque):
        result = run(text, params, many, context)
        _record(statement)
        return result
    return _write(run, statement, connection, (text, params, many, context))


def procedure(original: Callable[..., Any], cursor: Any, name: str, *args: Any, **how: Any) -> Any:
    """`CursorWrapper.callproc`: nobody knows what it writes."""
    result = original(cursor, name, *args, **how)
    if not watch_of(cursor.db).quiet:
        purge_on_commit(cursor.db.alias, tags_of(sql.Statement(opaque="CALL")))
    return result


def tags_of(statement: sql.Statement) -> set[str]:
    """What a statement that writes outdates."""
    if statement.opaque:
        _warn(
            statement.opaque,
            "What %s writes can't be seen: the pages of all models are purged. If it writes "
            "nothing, have it run within larder_client.django.orm.unwatched().",
            statement.opaque,
        )
        return changes.everything()
    found: set[str] = set()
    for model in _models(statement.changed):
        fields = _fields(model, statement.columns)
        tags = Change(model, fields=fields).tags()
        found |= tags
        if tags and registry.tagging(model):
            label = model._meta.label
            _warn(
                label,
                "SQL by hand has changed rows of %s: its own tags are purged, but not those that "
                "register() has been given for it. Purge them too, or write through the ORM.",
                label,
            )
    for model in _models(statement.grown):
        found |= Change(model, grows=True).tags()
    return found | changes.emptied(_models(statement.cascades))


def _write(
    run: Callable[..., Any], statement: sql.Statement, connection: Any, given: tuple[Any, ...]
) -> Any:
    many = given[2]
    # What may be anything may also be what no transaction can be around.
    with whole(connection, unless=bool(statement.opaque)):
        try:
            result = run(*given)
        except BaseException:
            # Without a transaction, some of many may have been made.
            if many and not connection.in_atomic_block:
                purge_on_commit(connection.alias, tags_of(statement))
            raise
        _record(statement)
        purge_on_commit(connection.alias, tags_of(statement))
    return result


def _record(statement: sql.Statement) -> None:
    collected = current()
    if collected is not None and statement.mentions:
        record_statement(statement, collected)


def _models(tables: frozenset[str]) -> list[Model]:
    return [model for table in sorted(tables) for model in names.models_of(table)]


def _fields(model: Model, columns: frozenset[str] | None) -> frozenset[str] | None:
    """The fields that columns belong to; None if one is unknown, or may be a key."""
    if columns is None:
        return None
    by_column = {field.column.lower(): field for field in model._meta.local_concrete_fields}
    if not columns <= by_column.keys():
        return None
    fields = [by_column[column] for column in columns]
    if any(field.primary_key for field in fields):
        return None
    return frozenset(field.name for field in fields)


def _as_text(text: Any, connection: Any) -> str:
    if isinstance(text, str):
        return text
    if isinstance(text, (bytes, bytearray)):
        return text.decode("utf-8", "replace")
    try:
        return str(text.as_string(connection.connection))  # psycopg's composed statements
    except Exception:
        return "CALL"  # It may be anything.


def _warn(key: str, message: str, *args: object) -> None:
    """Says it once in the life of a process."""
    if key not in _warned:
        _warned.add(key)
        logger.warning(message, *args)
