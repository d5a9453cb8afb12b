"""Which part of the page tree a query asks about.

Reads the conditions of a Django query. Only those that must hold for every row count: what stands
under OR or NOT can only make the result smaller, and is left out. What isn't understood makes the
part larger, never smaller.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models.lookups import Lookup
from django.db.models.sql.where import AND, WhereNode

from larder_client.wagtail import places

MOST_KEYS = 50  # translation keys or paths in one condition, beyond which it is no part any more


@dataclass
class _Conditions:
    """What must hold for every page that the query finds."""

    below: str | None = None
    at: list[str] | None = None
    depth: int | None = None
    slug: str | None = None
    translations: list[str] | None = None


def page_scope(query: Any, page_model: type) -> set[str] | None:
    """The tags for what a query over pages may find, beside the tags of the rows that it did find.

    Takes a `django.db.models.sql.Query` over `page_model` or a model that inherits from it.
    Gives `None` if it may find any page: then the list tag of its model is needed.
    """
    if query.combinator:
        return None
    found = _Conditions()
    for lookup in _necessary(query.where):
        name = _page_field(lookup, query, page_model)
        if name is not None:
            _take(found, name, lookup)
    return _tags(found)


def _necessary(node: WhereNode) -> Iterator[Lookup[Any]]:
    if node.negated or node.connector != AND:
        return
    for child in node.children:
        if isinstance(child, WhereNode):
            yield from _necessary(child)
        elif isinstance(child, Lookup):
            yield child


def _page_field(lookup: Lookup[Any], query: Any, page_model: Any) -> str | None:
    """The page's field that a condition is about; `None` for those of other tables."""
    target = getattr(lookup.lhs, "target", None)
    alias = getattr(lookup.lhs, "alias", None)
    if target is None or alias is None or alias not in query.alias_map:
        return None
    if target.model is not page_model or not _is_own(query, alias):
        return None
    return str(target.name)


def _is_own(query: Any, alias: str) -> bool:
    """Whether an alias is a table of the page itself, not of another page that it points to."""
    while alias != query.base_table:
        join = query.alias_map[alias]
        remote = getattr(getattr(join, "join_field", None), "remote_field", None)
        if not getattr(remote, "parent_link", False):
            return False
        alias = join.parent_alias
    return True


def _take(found: _Conditions, name: str, lookup: Lookup[Any]) -> None:
    value, kind = lookup.rhs, str(lookup.lookup_name)
    if name == "path":
        _take_path(found, kind, value)
    elif name == "depth" and kind == "exact" and isinstance(value, int):
        found.depth = value
    elif name == "slug" and kind == "exact" and isinstance(value, str):
        found.slug = value
    elif name == "translation_key":
        if kind == "exact" and not hasattr(value, "resolve_expression"):
            found.translations = [str(value)]
        elif kind == "in" and _plain(value):
            found.translations = [str(key) for key in value]


def _take_path(found: _Conditions, kind: str, value: Any) -> None:
    if kind == "startswith" and isinstance(value, str):
        found.below = _whole(value)
    elif kind == "range" and _plain(value) and all(isinstance(end, str) for end in value):
        low, high = value
        if low[: -places.STEP] == high[: -places.STEP]:
            found.below = low[: -places.STEP]
    elif kind == "exact" and isinstance(value, str):
        found.at = [value]
    elif kind == "in" and _plain(value):
        found.at = [str(path) for path in value]


def _whole(prefix: str) -> str:
    """The longest path of whole levels in a prefix."""
    return prefix[: len(prefix) // places.STEP * places.STEP]


def _plain(value: Any) -> bool:
    return isinstance(value, (list, tuple, set, frozenset)) and not any(
        hasattr(item, "resolve_expression") for item in value
    )


def _tags(found: _Conditions) -> set[str] | None:
    if found.translations is not None and len(found.translations) <= MOST_KEYS:
        return {places.translations_tag(key) for key in found.translations}
    if found.at is not None and len(found.at) <= MOST_KEYS:
        return set().union(*({places.at_tag(path)} | places.standing(path) for path in found.at))
    if not found.below:
        return None
    return {_part(found, found.below)} | places.standing(found.below)


def _part(found: _Conditions, path: str) -> str:
    is_children = found.depth == len(path) // places.STEP + 1
    if is_children and found.slug is not None:
        return places.child_tag(path, found.slug)
    return places.children_tag(path) if is_children else places.below_tag(path)
