"""What the ORM writes: every INSERT, UPDATE and DELETE that its compilers make.

`save`, `delete` with its cascades, `bulk_create`, `bulk_update`, `update`, and the rows between
the ends of a many-to-many relation all come down to these three. The tags are purged when the
transaction commits (`pending`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.sql import Query

from larder_client.django import conf

from . import expert, lookups, names, registry
from .before_after import (
    COMPARED,
    Affected,
    affected,
    affected_ends,
    can_lock,
    changed_fields,
    ends,
    lock_all,
    values,
)
from .changes import Change, being_saved
from .names import Model
from .pending import purge_on_commit
from .state import compiled, quietly, watch_of

logger = logging.getLogger("larder_client")


def insert(original: Callable[..., Any], compiler: Any, returning_fields: Any = None) -> Any:
    """`SQLInsertCompiler.execute_sql`."""
    model = compiler.query.get_meta().concrete_model
    if _is_unwatched(compiler, model):
        return original(compiler, returning_fields)
    if expert.is_seen_to(being_saved(), model, None):
        with compiled(compiler.connection):
            return original(compiler, returning_fields)
    with whole(compiler.connection):
        concerned = _ends_of_inserted(compiler, model)
        tags = _tags(concerned, compiler)
        with compiled(compiler.connection):
            rows = original(compiler, returning_fields)
        keys, are_sure = _inserted_keys(model, compiler.query, returning_fields, rows)
        if not _replaces(compiler.query):
            scopes = _inserted_scopes(model, compiler.query.objs)
            change = Change(names.actual(model), grows=True, keys=tuple(keys), scopes=scopes)
        else:
            change = Change(names.actual(model), keys=tuple(keys) if are_sure else None)
        tags |= _tags([*concerned, *affected(model, keys)], compiler)
        purge_on_commit(compiler.using, change.tags(), tags)
    return rows


def update(original: Callable[..., Any], compiler: Any, *args: Any) -> Any:
    """`SQLUpdateCompiler.execute_sql`, and `execute_returning_sql` of later versions."""
    query = compiler.query
    model = query.get_meta().concrete_model
    fields = frozenset(field.name for field, _, _ in query.values)
    if compiler.__dict__.get("_larder_writes"):
        return original(compiler, *args)  # The one method calls the other.
    compiler._larder_writes = True
    keys = _keys(compiler, model, fields)
    seen_to = expert.is_seen_to(being_saved(), model, keys)
    if seen_to or _is_unwatched(compiler, model) or not (fields - registry.ignored(model)):
        # Columns of parents are written by statements of their own, through here again.
        with compiled(compiler.connection):
            return original(compiler, *args)
    compares = _compares(model, keys, compiler)
    with _locked(compiler, model, compares):
        looked_at = _looked_at(compiler, model, keys)
        concerned = affected(model, looked_at or ())
        tags = _tags(concerned, compiler, lock=True)
        before = _values(model, keys, compiler) if compares else {}
        with compiled(compiler.connection):
            result = original(compiler, *args)
        if compares:
            changed = changed_fields(before, _values(model, keys, compiler))
            fields = fields if changed is None else changed
        change = Change(names.actual(model), keys=keys, fields=fields)
        found = change.tags()
        if found:
            purge_on_commit(compiler.using, found, tags | _tags(concerned, compiler))
    return result


def delete(original: Callable[..., Any], compiler: Any, *args: Any, **how: Any) -> Any:
    """`SQLCompiler.execute_sql` of a DELETE."""
    model = compiler.query.get_meta().concrete_model
    if _is_unwatched(compiler, model):
        return original(compiler, *args, **how)
    with _locked(compiler, model):
        keys = _keys(compiler, model, frozenset())
        known = lookups.all_scopes(compiler.query, model) if model._meta.auto_created else None
        scopes = None if known is None else tuple(known)
        concerned = affected(model, _looked_at(compiler, model, keys) or ())
        tags = _tags(concerned, compiler, lock=True)
        ends_of_it = _ends_of_deleted(compiler, model)
        tags |= _tags(ends_of_it, compiler)
        with compiled(compiler.connection):
            result = original(compiler, *args, **how)
        change = Change(names.actual(model), keys=keys, shrinks=True, scopes=scopes)
        tags |= _tags([*concerned, *ends_of_it], compiler)
        purge_on_commit(compiler.using, change.tags(), tags)
    return result


def _is_unwatched(compiler: Any, model: Model) -> bool:
    if watch_of(compiler.connection).quiet:
        return True
    return names.is_ignored(model) and not names.sharing(model)


@contextmanager
def whole(connection: Any, unless: bool = False, lock: bool = False) -> Iterator[None]:
    """A transaction around a statement without one, where it is not to be alone.

    With an outbox, for its row belongs to it; and where rows are to be locked.
    """
    alone = not connection.in_atomic_block and connection.get_autocommit()
    if alone and not unless and (lock or conf.larder().outbox):
        with transaction.atomic(using=connection.alias):
            yield
    else:
        yield


@contextmanager
def _locked(compiler: Any, model: Model, compares: bool = False) -> Iterator[None]:
    """Has what is read of these rows before they are written hold until they are."""
    connection = compiler.connection
    lock = (compares or bool(registry.tagging(model))) and can_lock(connection)
    # In a block of the site's own SQLite refuses to write what it has read too long ago.
    first = lock and not connection.in_atomic_block
    with whole(connection, lock=lock):
        if first:
            lock_all(compiler, model)
        yield


# Which rows.


def _keys(compiler: Any, model: Model, fields: frozenset[str]) -> tuple[object, ...] | None:
    """The keys that a condition names; None if it could meet others, or keys are what changes."""
    if not fields.isdisjoint(field.name for field in names.key_fields(model)):
        return None
    try:
        keys = lookups.asked_keys(compiler.query, model)
    except Exception:
        logger.exception("larder can't read a condition on %s; please report it", model._meta.label)
        return None
    return None if keys is None else tuple(keys)


def _looked_at(compiler: Any, model: Model, keys: Any) -> Sequence[object] | None:
    """The keys of the rows whose registered tags matter; they are asked for if need be."""
    if keys is not None or not registry.tagging(model):
        return keys  # type: ignore[no-any-return]
    with quietly(compiler.connection):
        return list(_selected(compiler, model).values_list("pk", flat=True))


def _selected(compiler: Any, model: Model) -> Any:
    """The rows that a statement is about to write, as a queryset."""
    query = compiler.query.chain(klass=Query)
    query.clear_ordering(force=True)
    query.select_related = False
    return QuerySet(model=model, query=query, using=compiler.using)


def _replaces(query: Any) -> bool:
    """Whether an INSERT may change rows that are there: `update_conflicts`."""
    return query.on_conflict is not None and query.on_conflict.name == "UPDATE"


def _inserted_keys(
    model: Model, query: Any, returning_fields: Any, rows: Any
) -> tuple[list[object], bool]:
    """The keys of new rows, and whether the database itself has told all of them."""
    fields = names.key_fields(model)
    returned = list(returning_fields or ())
    are_told = bool(rows) and all(field in returned for field in fields)
    if are_told:
        places = [returned.index(field) for field in fields]
        made = [[row[place] for place in places] for row in rows]
    else:
        made = [[getattr(obj, field.attname, None) for field in fields] for obj in query.objs]
    single = len(fields) == 1
    found = [names.key_of(model, key[0] if single else tuple(key)) for key in made]
    keys = [key for key in found if key is not None]
    return keys, are_told and len(keys) == len(query.objs)


def _inserted_scopes(model: Model, objs: Sequence[Any]) -> tuple[str, ...] | None:
    """The lists by a foreign key that new rows are in; None if only the database knows."""
    found: set[str] = set()
    for field in names.links(model):
        for obj in objs:
            value = getattr(obj, field.attname, None)
            scope = names.scope(field, value)
            if scope is not None:
                found.add(scope)
            elif value is not None:
                return None
    return tuple(found)


# What registered rules have to be asked.


def _tags(concerned: Sequence[Affected], compiler: Any, lock: bool = False) -> set[str]:
    found: set[str] = set()
    if concerned:
        with quietly(compiler.connection):
            for one in concerned:
                found |= one.tags(compiler.connection, lock)
    return found


def _compares(model: Model, keys: tuple[object, ...] | None, compiler: Any) -> bool:
    if keys is None or len(keys) > COMPARED or not can_lock(compiler.connection):
        return False
    return bool(registry.ignored(model)) or registry.listed(model) is not None


def _values(model: Model, keys: Any, compiler: Any) -> dict[object, dict[str, Any]]:
    with quietly(compiler.connection):
        return values(model, keys, compiler.connection)


def _ends_of_inserted(compiler: Any, model: Model) -> list[Affected]:
    if not ends(model):
        return []
    attnames = [field.attname for field in ends(model)]
    links = [{name: getattr(obj, name) for name in attnames} for obj in compiler.query.objs]
    return affected_ends(model, links)


def _ends_of_deleted(compiler: Any, model: Model) -> list[Affected]:
    if not ends(model):
        return []
    attnames = [field.attname for field in ends(model)]
    with quietly(compiler.connection):
        return affected_ends(model, list(_selected(compiler, model).values(*attnames)))
