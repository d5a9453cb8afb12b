"""Which rows a query can have at all: those of the primary keys that its condition names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from django.db.models import UniqueConstraint
from django.db.models.lookups import Exact, In

from . import names
from .names import Model

#: The most lists by a foreign key that one query may be recorded as.
MOST_SCOPES = 20


def asked_keys(query: Any, model: Model) -> list[object] | None:
    """The keys that a query asks for; None if it could have others.

    That is `pk=`, `pk__in=` and their like, alone or with more conditions (`AND`).
    """
    for lookup in _conjuncts(query):
        keys = _keys(lookup, query, model)
        if keys is not None:
            return keys
    return _key_by_parts(query, model)


def asks_for_one(query: Any, model: Model) -> bool:
    """Whether the condition can be met by one row only, as `slug=` can if that is unique."""
    equal = _equal_columns(query, model)
    return bool(equal) and any(columns <= equal.keys() for columns in _unique(model))


def scopes(query: Any, model: Model, alias: str) -> list[str] | None:
    """The lists by a foreign key that all of a table's rows in a query are from; None if none."""
    for lookup in _conjuncts(query):
        found = _scopes(lookup, model, alias)
        if found and len(found) <= MOST_SCOPES:
            return found
    return None


def all_scopes(query: Any, model: Model) -> list[str] | None:
    """Those by each foreign key of a table; None if one is not known."""
    found: dict[Any, list[str]] = {}
    for lookup in _conjuncts(query):
        if scopes := _scopes(lookup, model, query.base_table):
            found.setdefault(lookup.lhs.target, scopes)
    if not all(field in found for field in names.links(model)):
        return None
    return [scope for scopes in found.values() for scope in scopes]


def _scopes(lookup: Any, model: Model, alias: str) -> list[str] | None:
    if not isinstance(lookup, (Exact, In)) or not lookup.rhs_is_direct_value():
        return None
    field = getattr(lookup.lhs, "target", None)
    if field not in names.links(model) or getattr(lookup.lhs, "alias", None) != alias:
        return None
    values = lookup.rhs if isinstance(lookup, In) else [lookup.rhs]
    found = [names.scope(field, value) for value in values]
    return None if None in found else [scope for scope in found if scope]


def _conjuncts(query: Any) -> Iterator[Any]:
    """The conditions that all have to be met."""
    where = query.where
    if where is None or where.negated or (where.connector != "AND" and len(where.children) > 1):
        return
    waiting = list(where.children)
    while waiting:
        child = waiting.pop()
        children = getattr(child, "children", None)
        if children is None:
            yield child
        elif not child.negated and (child.connector == "AND" or len(children) == 1):
            waiting.extend(children)


def _keys(lookup: Any, query: Any, model: Model) -> list[object] | None:
    if not isinstance(lookup, (Exact, In)) or not _is_key(lookup.lhs, query, model):
        return None
    if not lookup.rhs_is_direct_value():
        return None
    values = lookup.rhs if isinstance(lookup, In) else [lookup.rhs]
    if not isinstance(values, Iterable) or getattr(lookup, "bilateral_transforms", None):
        return None
    keys = [names.key_of(model, value) for value in values]
    return None if None in keys else keys


def _is_key(column: Any, query: Any, model: Model) -> bool:
    """Whether this is the primary key of the query's own table, and nothing done to it."""
    fields = names.key_fields(model)
    if len(fields) > 1:
        return tuple(getattr(column, "targets", ())) == fields and _of_base(column, query)
    return getattr(column, "target", None) == fields[0] and _of_base(column, query)


def _of_base(column: Any, query: Any) -> bool:
    alias = getattr(column, "alias", None)
    return alias is not None and alias == query.base_table


def _key_by_parts(query: Any, model: Model) -> list[object] | None:
    """A composite key that is given column by column."""
    fields = names.key_fields(model)
    if len(fields) == 1:
        return None
    equal = _equal_columns(query, model)
    if not all(field.name in equal for field in fields):
        return None
    key = names.key_of(model, tuple(equal[field.name] for field in fields))
    return None if key is None else [key]


def _equal_columns(query: Any, model: Model) -> dict[str, object]:
    """The columns of the query's own table that have to equal one value: by field name."""
    found = {}
    for lookup in _conjuncts(query):
        if not isinstance(lookup, Exact):
            continue
        field = getattr(lookup.lhs, "target", None)
        if field is None or not _of_base(lookup.lhs, query) or not lookup.rhs_is_direct_value():
            continue
        if lookup.rhs is not None and field.model._meta.concrete_model is model:
            found[field.name] = lookup.rhs
    return found


@cache
def _unique(model: Model) -> tuple[frozenset[str], ...]:
    """The sets of columns that no two rows of a table share, unless one is NULL."""
    meta = model._meta
    sets = [frozenset({field.name}) for field in meta.local_concrete_fields if field.unique]
    sets += [frozenset(together) for together in meta.unique_together]
    sets += [
        frozenset(constraint.fields)
        for constraint in meta.constraints
        if isinstance(constraint, UniqueConstraint)
        and constraint.fields
        and constraint.condition is None
    ]
    return tuple(sets)
