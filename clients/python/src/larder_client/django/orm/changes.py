"""A write, and the tags of what it changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from larder_client import list_tag, row_tag

from . import names, registry
from .names import LISTS, ROWS, Model

#: Of more rows than this, one write purges all that may be meant, not each.
MOST_KEYS = 500

#: The instance that `Model.save` is writing: its class is known then.
_saving: ContextVar[Any] = ContextVar("larder_client_saving", default=None)


@dataclass(frozen=True)
class Change:
    """What one statement does to one table."""

    model: Model
    #: Whether rows are added and none is touched that is there.
    grows: bool = False
    #: The rows' keys; None if nobody knows them.
    keys: tuple[object, ...] | None = None
    #: Names of the fields that may have changed; None if that may be any.
    fields: frozenset[str] | None = None
    #: Whether rows go.
    shrinks: bool = False
    #: Of rows that come or go, the lists by a foreign key that they are in; None if unknown.
    scopes: tuple[str, ...] | None = None

    def tags(self) -> set[str]:
        """All that has to be purged for it, registered tags left aside; empty if nobody sees it."""
        if self.fields is not None and self.fields <= registry.ignored(self.model):
            return set()
        found: set[str] = set()
        for model in names.sharing(self.model):
            found |= self._tags_of(model, self.keys)
        if not (self.grows or self.shrinks):
            for heir in self._heirs():
                known = names.shares_keys(heir, self.model)
                found |= self._tags_of(heir, self.keys if known else None)
        if self.shrinks:
            found |= _emptied_by_database(self.model)
        return found

    def _tags_of(self, model: Model, keys: tuple[object, ...] | None) -> set[str]:
        if names.is_ignored(model):
            return set()
        name = names.model_name(model)
        found = {name}
        if keys is not None and len(keys) <= MOST_KEYS:
            found.update(row_tag(name, key) for key in keys)
        elif not self.grows:
            found.add(row_tag(name, ROWS))
        if self._moves_rows():
            found.add(list_tag(name))
            if names.links(model):
                found.update(row_tag(name, scope) for scope in self._scopes(model))
        return found

    def _scopes(self, model: Model) -> tuple[str, ...]:
        """The lists by a foreign key that have other rows now."""
        comes_or_goes = self.grows or self.shrinks
        known = self.scopes if comes_or_goes and model is self.model else None
        return (LISTS,) if known is None or len(known) > MOST_KEYS else known

    def _moves_rows(self) -> bool:
        """Whether a list may have other rows now, or others in another order."""
        if self.grows or self.shrinks or self.fields is None:
            return True
        listed = registry.listed(self.model)
        return listed is None or not listed.isdisjoint(self.fields)

    def _heirs(self) -> Iterable[Model]:
        """The models whose rows this table has a part of: of one row only if it is being saved."""
        heirs = names.heirs(self.model)
        instance = _saving.get()
        if heirs and instance is not None and isinstance(instance, self.model):
            key = names.key_of(self.model, getattr(instance, self.model._meta.pk.attname))
            if self.keys == (key,):
                kind = type(instance)._meta.concrete_model
                return [h for h in heirs if issubclass(kind, h) or issubclass(h, kind)]
        return heirs


def being_saved() -> Any:
    """The instance that `save` is writing; None outside of it."""
    return _saving.get()


@contextmanager
def saving(instance: Any) -> Iterator[None]:
    """Says which instance the statements meanwhile belong to, if they write its row."""
    token = _saving.set(instance)
    try:
        yield
    finally:
        _saving.reset(token)


def everything() -> set[str]:
    """The tags of all models: for what may have written anything."""
    found: set[str] = set()
    for models in names.tables().values():
        for model in models:
            found |= Change(model).tags()
    return found


def emptied(models: Iterable[Model]) -> set[str]:
    """The tags of models that are emptied, and of all that refer to them."""
    reached: set[Model] = set()
    waiting = list(models)
    while waiting:
        model = waiting.pop()
        if model not in reached:
            reached.add(model)
            waiting.extend(relation.related_model for relation in _referring(model))
    return set().union(*(Change(model, shrinks=True).tags() for model in reached))


def _emptied_by_database(model: Model) -> set[str]:
    """What goes or changes with rows of this model by `DB_CASCADE` and its like."""
    found: set[str] = set()
    reached = {model}
    waiting = [model]
    while waiting:
        for relation in _referring(waiting.pop()):
            done = getattr(relation.on_delete, "operation", None)
            other = relation.related_model._meta.concrete_model
            if done is None or other in reached:
                continue
            reached.add(other)
            found |= Change(other).tags()
            if done == "CASCADE":
                waiting.append(other)
    return found


def _referring(model: Model) -> list[Any]:
    """The relations of other tables to this one."""
    return [
        field
        for field in model._meta.get_fields(include_hidden=True)
        if field.auto_created and not field.concrete and (field.one_to_one or field.one_to_many)
    ]
